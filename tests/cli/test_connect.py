"""``connect``: from a grant code to a connection that works, in whatever data centre and environment it belongs to."""

from __future__ import annotations

import errno
import io
import json
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_zcrm.api.oauth import ClientCredentialsGrant, RefreshTokenGrant
from airflow_provider_zcrm.cli.connect import _Made
from airflow_provider_zcrm.cli.delivery import OnStdout
from airflow_provider_zcrm.cli.run import main
from airflow_provider_zcrm.client.config import ClientConfig
from airflow_provider_zcrm.client.tokens import forget_tokens
from airflow_provider_zcrm.hooks.zcrm import ZohoCrmHook
from tests.cli.conftest import CODE, Zoho
from tests.conftest import CLIENT_ID, CLIENT_SECRET

SECRETS = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "code": CODE}


@dataclass
class Done:
    """A command that has ended; `config` is the connection as Airflow reads it, if there is one."""

    code: int
    out: str
    err: str
    config: ClientConfig | None


Run = Callable[..., Done]


@pytest.fixture
def run(zoho: Zoho, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run ``connect`` with secrets on stdin; nothing secret may be shown but the connection itself, on stdout."""

    def run(*arguments: str, secrets: dict[str, str] = SECRETS) -> Done:
        forget_tokens()
        capfd.readouterr()  # what Airflow 2.11 logged since, on stdout
        monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(secrets)))
        code = main(["connect", "--credentials", "-", *(() if "--to" in arguments else ("--to", "json")), *arguments])
        shown = capfd.readouterr()
        config = None
        if shown.out and "--output" not in arguments:
            monkeypatch.setenv("AIRFLOW_CONN_PRINTED", shown.out.strip())
            config = ZohoCrmHook("printed").config
        assert CODE not in shown.out + shown.err
        assert not [secret for secret in (CLIENT_SECRET, *_refresh_tokens(config)) if secret in shown.err]
        return Done(code, shown.out, shown.err, config)

    return run


def _refresh_tokens(config: ClientConfig | None) -> list[str]:
    grant = config.credentials.grant if config else None
    return [grant.refresh_token] if isinstance(grant, RefreshTokenGrant) else []


def place(done: Done) -> tuple[str, str]:
    assert done.config is not None
    return done.config.hosts.data_center, done.config.hosts.environment


@pytest.mark.parametrize("form", ["json", "uri"])
def test_the_connection_is_one_line_that_airflow_reads(run: Run, zoho: Zoho, form: str) -> None:
    done = run("--to", form)
    assert (done.code, place(done)) == (0, ("us", "production"))
    assert len(done.out.splitlines()) == 1
    assert zoho.tokens_issued() == 1
    assert ZohoCrmHook("printed").test_connection()[0]


@pytest.mark.parametrize("data_center", ["us", "eu", "ca", "ae"])
@pytest.mark.parametrize("environment", ["production", "sandbox", "developer"])
def test_data_center_and_environment_are_found(run: Run, zoho: Zoho, data_center: str, environment: str) -> None:
    zoho.seed(data_center, environment)
    done = run()
    assert (done.code, place(done)) == (0, (data_center, environment))
    assert zoho.tokens_issued() == 1


def test_china_is_found_where_it_is_said(run: Run, zoho: Zoho) -> None:
    zoho.seed("cn")
    assert run().code == 1
    assert place(run("--data-center", "cn")) == ("cn", "production")


def test_json_goes_to_a_file_that_only_its_owner_can_read(run: Run, zoho: Zoho, tmp_path: Path) -> None:
    path = tmp_path / "connection.json"
    done = run("--file", str(path), "--output", "json")
    assert done.code == 0
    assert json.loads(done.out)["delivered"].startswith(f"The connection is in {path} (mode 0600)")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["password"] == CLIENT_SECRET

    assert run("--file", str(path)).code == 2
    again = {**SECRETS, "code": zoho.control.grant_code()}
    assert run("--file", str(path), "--replace", secrets=again).code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_client_credentials_make_a_connection_without_a_code(run: Run, zoho: Zoho) -> None:
    zoho.seed("in")
    done = run("--grant-type", "client_credentials", "--zsoid", "808232144", "--features", "org,tags")
    assert (done.code, place(done)) == (0, ("in", "production"))
    assert done.config
    grant = done.config.credentials.grant
    assert isinstance(grant, ClientCredentialsGrant)
    assert (grant.zsoid, set(grant.scope.split(","))) == (
        "808232144",
        {"ZohoCRM.org.READ", "ZohoCRM.settings.modules.READ", "ZohoCRM.settings.tags.READ", "ZohoCRM.settings.tags.DELETE"},
    )
    assert ZohoCrmHook("printed").test_connection()[0]


def test_a_code_of_another_environment_than_the_one_wanted_makes_no_connection(run: Run) -> None:
    done = run("--environment", "sandbox")
    assert (done.code, done.out) == (1, "")
    assert "This grant is for production, not for sandbox: nothing was created." in done.err


def test_a_code_with_too_few_scopes_makes_a_connection_and_says_what_is_missing(run: Run, zoho: Zoho) -> None:
    zoho.seed(scopes=["ZohoCRM.settings.modules.READ", "ZohoCRM.org.READ"])
    done = run()
    assert (done.code, place(done)) == (1, ("us", "production"))
    assert "✗  feature tags" in done.err


def test_a_code_that_was_used_or_has_expired_is_refused_with_what_to_do(run: Run, zoho: Zoho) -> None:
    assert run().code == 0
    done = run()
    assert (done.code, done.out) == (1, "")
    assert "does not accept the grant code: it has expired, was used before" in done.err
    assert "Make a new code" in done.err
    assert "refresh token" not in done.err
    late = {**SECRETS, "code": zoho.control.grant_code(lifetime=180)}
    zoho.control.advance(181)
    assert run(secrets=late).code == 1


def test_a_wrong_secret_does_not_use_the_code_up(run: Run) -> None:
    done = run(secrets={**SECRETS, "client_secret": "wrong"})
    assert (done.code, done.out) == (1, "")
    assert "not with this client secret" in done.err
    assert run().code == 0


@pytest.mark.parametrize("kind", ["status", "html", "drop_before"])
def test_a_fault_of_zohos_after_the_exchange_does_not_lose_the_refresh_token(run: Run, zoho: Zoho, kind: str) -> None:
    zoho.control.fault(kind, "/crm", times=None)
    done = run()
    assert (done.code, place(done)) == (3, ("us", "production"))
    zoho.control.clear_faults()
    assert ZohoCrmHook("printed").test_connection()[0]


def test_a_fault_after_the_environment_was_found_does_not_lose_the_refresh_token_either(run: Run, zoho: Zoho) -> None:
    zoho.seed("eu", "sandbox")
    zoho.control.fault("status", "/crm", status=503, after=2, times=None)
    done = run()
    assert (done.code, place(done)) == (3, ("eu", "sandbox"))
    zoho.control.clear_faults()
    assert ZohoCrmHook("printed").test_connection()[0]


def test_a_fault_of_zohos_before_the_exchange_does_not_use_the_code_up(run: Run, zoho: Zoho) -> None:
    zoho.control.fault("status", "/oauth", status=503)
    assert run().code == 3
    assert run().code == 0


def test_a_throttle_at_the_exchange_says_to_wait(run: Run, zoho: Zoho) -> None:
    zoho.control.fault("token_throttle", "/oauth", after=1)
    done = run()
    assert done.code == 3
    assert "Wait 10 minutes" in done.err


def test_an_answer_without_a_refresh_token_makes_no_connection(run: Run, zoho: Zoho) -> None:
    answer: dict[str, Any] = {"access_token": "1000.at", "expires_in": 3600, "api_domain": "https://www.zohoapis.com"}
    zoho.control.fault("status", "/oauth", status=200, body=answer, after=1)
    done = run()
    assert (done.code, done.out) == (1, "")
    assert "gave no refresh token" in done.err


def test_hosts_of_ones_own_are_kept(run: Run, zoho: Zoho, emulator_server: Any) -> None:
    done = run("--accounts-url", emulator_server.url, "--api-url", emulator_server.url)
    assert done.code == 0
    assert done.config
    assert (done.config.hosts.accounts_url, done.config.hosts.api_url) == (emulator_server.url, emulator_server.url)
    assert zoho.asked() == []


@pytest.mark.parametrize("form", ["json", "uri"])
def test_a_file_that_is_replaced_keeps_the_hosts_of_its_connection(
    run: Run, zoho: Zoho, emulator_server: Any, tmp_path: Path, form: str
) -> None:
    url, path = emulator_server.url, tmp_path / "connection"
    assert run("--to", form, "--file", str(path), "--accounts-url", url, "--api-url", url).code == 0
    again = {**SECRETS, "code": zoho.control.grant_code()}

    done = run("--to", form, "--file", str(path), "--replace", secrets=again)

    assert done.code == 0
    assert f"Of the old one stays: accounts_url={url}, api_url={url}." in done.err
    assert zoho.asked() == []


def test_an_api_host_of_ones_own_beside_zohos_accounts_is_kept(run: Run, zoho: Zoho, emulator_server: Any) -> None:
    done = run("--accounts-url", "https://accounts.zoho.com", "--api-url", emulator_server.url)
    assert done.code == 0
    assert done.config
    assert (done.config.hosts.accounts_url, done.config.hosts.api_url) == ("https://accounts.zoho.com", emulator_server.url)
    assert zoho.accounts_asked() == ["us"] * len(zoho.asked())


# --- what the code brought is never lost -------------------------------------------------------------------------------------


@pytest.fixture
def safes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    """Return what is kept safe."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))

    def read() -> list[dict[str, Any]]:
        files = sorted(folder.glob("zoho-crm-connection-zoho_crm_default-*.json"))
        assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600] * len(files)
        return [json.loads(file.read_text()) for file in files]

    return read


def works(connection: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setenv("AIRFLOW_CONN_KEPT", json.dumps(connection))
    return ZohoCrmHook("kept").test_connection()[0]


def test_what_was_delivered_is_kept_nowhere_else(run: Run, safes: Callable[[], list[dict[str, Any]]]) -> None:
    assert run().code == 0
    assert safes() == []


def test_a_code_that_brought_nothing_leaves_no_file(run: Run, safes: Callable[[], list[dict[str, Any]]]) -> None:
    assert run(secrets={**SECRETS, "code": "1000.no-code"}).code == 1
    assert safes() == []


def test_a_full_disk_is_noticed_before_the_code_is_used_up(run: Run, zoho: Zoho, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.pwrite", full)
        done = run()
    assert (done.code, done.out) == (2, "")
    assert "No space left on device" in done.err
    assert run().code == 0


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(errno.ENOSPC, "No space left on device"), RuntimeError(CLIENT_SECRET)])
def test_what_ends_the_command_after_the_exchange_leaves_the_connection_in_its_file(
    run: Run, zoho: Zoho, safes: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch, error: Any
) -> None:
    zoho.seed("eu", "sandbox")

    def deliver(*_arguments: Any) -> str:
        raise error

    monkeypatch.setattr(OnStdout, "deliver", deliver)
    done = run()
    assert done.code == (130 if error is KeyboardInterrupt else 1)
    assert "kept in" in done.err
    (kept,) = safes()
    assert (kept["extra"]["data_center"], kept["extra"]["environment"]) == ("eu", "sandbox")
    assert works(kept, monkeypatch)


def test_a_fault_while_the_environment_is_looked_for_leaves_the_connection_in_its_file(
    run: Run, safes: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(_Made, "find_environment", interrupted)
    assert run().code == 130
    (kept,) = safes()
    assert works(kept, monkeypatch)


def test_a_code_of_another_environment_is_kept_though_it_is_not_delivered(run: Run, safes: Callable[[], list[dict[str, Any]]]) -> None:
    done = run("--environment", "sandbox")
    assert (done.code, done.out) == (1, "")
    assert "What the grant code brought is kept in" in done.err
    assert len(safes()) == 1


@pytest.mark.parametrize("links", [True, False])
def test_of_two_at_once_for_one_file_the_second_fails_and_keeps_what_it_has(
    run: Run, safes: Callable[[], list[dict[str, Any]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    path = tmp_path / "connection.json"

    def other_first(self: Any, *_arguments: Any) -> None:
        path.write_text("the first one's")

    def no_links(*_arguments: Any) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(_Made, "find_environment", other_first)
    if not links:
        monkeypatch.setattr(Path, "hardlink_to", no_links)
    done = run("--file", str(path))
    assert done.code == 1
    assert path.read_text() == "the first one's"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["connection.json", "tmp"]
    (kept,) = safes()
    assert works(kept, monkeypatch)


def test_what_a_server_says_reaches_the_terminal_only_escaped(run: Run, zoho: Zoho, capfd: pytest.CaptureFixture[str]) -> None:
    said = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp\r\n"
    body = {"code": "INTERNAL_ERROR", "details": {}, "message": said, "status": "error"}
    zoho.control.fault("status", "/crm", status=500, body=body, times=None)
    zoho.control.fault("status", "/oauth", status=200, body={"error": said}, after=1)
    for arguments in ((), ("--verbose",)):
        for _ in range(2):
            done = run(*arguments)
            assert [letter for letter in done.err if not letter.isprintable() and letter != "\n"] == []


@pytest.mark.parametrize("token", [5, True, ["1000.a"], {"a": 1}, None, "", "1000.a\nb", "1000.a b"])
@pytest.mark.parametrize("name", ["access_token", "refresh_token"])
def test_a_token_that_is_no_string_makes_no_connection(run: Run, zoho: Zoho, name: str, token: Any) -> None:
    answer: dict[str, Any] = {"access_token": "1000.at", "refresh_token": "1000.rt", "expires_in": 3600} | {name: token}
    zoho.control.fault("status", "/oauth", status=200, body=answer, after=1, times=None)
    done = run()
    assert (done.code > 0, done.out) == (True, "")
