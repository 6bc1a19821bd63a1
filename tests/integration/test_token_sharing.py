"""One access token for all processes: the store, the lock, the throttle, and what a stranger sees of it."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_zcrm.api.errors import TokenRejected, TokenThrottled
from airflow_provider_zcrm.api.modules import list_modules
from airflow_provider_zcrm.client import tokens as tokens_module
from airflow_provider_zcrm.client.async_client import AsyncZohoCrmClient
from airflow_provider_zcrm.client.config import ClientConfig
from airflow_provider_zcrm.client.retries import NO_RETRIES, RetryPolicy
from airflow_provider_zcrm.client.sync_client import ZohoCrmClient
from airflow_provider_zcrm.client.token_seal import TokenSeal
from airflow_provider_zcrm.client.token_sharing import FileTokenStore, TokenSharing, private_directory
from airflow_provider_zcrm.client.tokens import forget_tokens, tokens_of
from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.hooks.connection import config_of
from airflow_provider_zcrm.hooks.token_stores import token_sharing
from airflow_provider_zcrm.hooks.zcrm import ZohoCrmHook
from tests.conftest import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, connection_json

TOKEN = "/oauth/v2/token"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "tokens"


@pytest.fixture
def config(emulator: Control, emulator_server: Any) -> ClientConfig:
    return settings(emulator_server.url)


def settings(url: str, **extra: object) -> ClientConfig:
    return config_of(CLIENT_ID, CLIENT_SECRET, {"refresh_token": REFRESH_TOKEN, "accounts_url": url, "api_url": url, **extra})


class Process:
    """Stands for a process: a client that remembers no token of others; sync or async."""

    def __init__(self, kind: str, config: ClientConfig, sharing: TokenSharing | None) -> None:
        self._kind, self._config, self._sharing = kind, config, sharing

    def call(self) -> int:
        """Make a call as a new process would, and return how many modules there are."""
        forget_tokens()
        return self.call_again()

    def call_again(self) -> int:
        if self._kind == "sync":
            with ZohoCrmClient(self._config, NO_RETRIES, sharing=self._sharing) as client:
                return len(client.send(list_modules()))
        return asyncio.run(self._acall())

    async def _acall(self) -> int:
        async with AsyncZohoCrmClient(self._config, NO_RETRIES, sharing=self._sharing) as client:
            return len(await client.send(list_modules()))


@pytest.fixture(params=["sync", "async"])
def process(request: pytest.FixtureRequest, config: ClientConfig, directory: Path) -> Process:
    return Process(request.param, config, TokenSharing(FileTokenStore(directory), directory))


def token_requests(emulator: Control) -> int:
    return len(emulator.requests(TOKEN))


def test_the_second_process_uses_the_token_of_the_first(emulator: Control, process: Process) -> None:
    assert process.call() == process.call() == 2
    assert token_requests(emulator) == 1


def test_sixteen_processes_that_start_together_ask_once(emulator: Control, emulator_server: Any, tmp_path: Path) -> None:
    script = f"""
import sys
from pathlib import Path
from airflow_provider_zcrm.api.modules import list_modules
from airflow_provider_zcrm.client.sync_client import ZohoCrmClient
from airflow_provider_zcrm.client.token_sharing import FileTokenStore, TokenSharing
from airflow_provider_zcrm.hooks.connection import config_of
extra = {{"refresh_token": {REFRESH_TOKEN!r}, "accounts_url": {emulator_server.url!r}, "api_url": {emulator_server.url!r}}}
directory = Path({str(tmp_path / "tokens")!r})
client = ZohoCrmClient(config_of({CLIENT_ID!r}, {CLIENT_SECRET!r}, extra), sharing=TokenSharing(FileTokenStore(directory), directory))
sys.stdin.readline()
assert len(client.send(list_modules())) == 2
"""
    started = [subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, text=True) for _ in range(16)]
    for each in started:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    assert [each.wait(60) for each in started] == [0] * 16
    for each in started:
        each.stdin and each.stdin.close()
    assert token_requests(emulator) == 1


def test_an_evicted_token_is_replaced_once_and_the_others_use_the_new_one(emulator: Control, process: Process) -> None:
    process.call()
    emulator.evict_access_tokens()
    assert process.call_again() == process.call() == 2
    assert token_requests(emulator) == 2


def test_a_token_that_somebody_else_has_replaced_is_not_replaced_again(emulator: Control, process: Process, config: ClientConfig) -> None:
    process.call()
    mine = tokens_module._tokens.copy()
    emulator.evict_access_tokens()
    process.call()
    tokens_module._tokens.update(mine)
    assert process.call_again() == 2
    assert token_requests(emulator) == 2


def test_a_stored_token_that_is_rejected_too_is_replaced(emulator: Control, process: Process, config: ClientConfig) -> None:
    process.call()
    mine = tokens_module._tokens.copy()
    emulator.evict_access_tokens()
    process.call()
    tokens_module._tokens.update(mine)
    emulator.evict_access_tokens()
    assert process.call_again() == 2
    assert token_requests(emulator) == 3


def test_a_rejected_token_that_zoho_has_just_granted_is_not_replaced(emulator: Control, process: Process) -> None:
    emulator.fault("evict_token", "settings/modules", times=None)
    with pytest.raises(TokenRejected, match="rejects the access token"):
        process.call()
    assert token_requests(emulator) == 2


def test_a_token_near_its_end_is_replaced(emulator: Control, process: Process, config: ClientConfig, directory: Path) -> None:
    process.call()
    tokens = tokens_of(config)
    old = tokens.held()
    now = time.time()
    value = {"token": old, "issued_at": now - 3590, "expires_at": now + 10}
    forget_tokens()
    FileTokenStore(directory).put(tokens.name, TokenSeal(config).seal(value))
    process.call()
    assert token_requests(emulator) == 2


def test_other_credentials_or_hosts_mean_another_name_and_another_key(config: ClientConfig, emulator_server: Any) -> None:
    sealed = TokenSeal(config).seal({"token": "x"})
    others = [
        settings(emulator_server.url, refresh_token="1000.rotated"),
        settings(emulator_server.url, environment="sandbox"),
        settings(emulator_server.url.replace("127.0.0.1", "localhost")),
        config_of(
            CLIENT_ID, "rotated", {"refresh_token": REFRESH_TOKEN, "accounts_url": emulator_server.url, "api_url": emulator_server.url}
        ),
    ]
    assert TokenSeal(config).open(sealed)["token"] == "x"
    assert len({TokenSeal(each).name for each in [config, *others]}) == 5
    assert [TokenSeal(each).open(sealed) for each in others] == [{}] * 4


def test_what_lies_in_the_store_shows_no_token_and_only_to_its_owner(
    emulator: Control, process: Process, config: ClientConfig, directory: Path
) -> None:
    process.call()
    tokens = tokens_of(config)
    stored = directory / tokens.name
    assert (directory.stat().st_mode & 0o777, stored.stat().st_mode & 0o777) == (0o700, 0o600)
    text = stored.read_text() + tokens.name
    for secret in (tokens.held(), CLIENT_SECRET, REFRESH_TOKEN):
        assert secret
        assert secret not in text


@pytest.mark.parametrize("content", ["", "rubbish", "gAAAAAB", json.dumps({"token": "x"})])
def test_a_store_that_holds_rubbish_is_a_miss(
    emulator: Control, process: Process, config: ClientConfig, directory: Path, content: str
) -> None:
    FileTokenStore(directory).put(TokenSeal(config).name, content)
    assert process.call() == 2
    assert process.call() == 2
    assert token_requests(emulator) == 1


class BrokenStore:
    def get(self, name: str) -> str | None:
        raise RuntimeError("the API server is down; token=1000.secret")

    def put(self, name: str, value: str) -> None:
        raise PermissionError("read-only")


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_store_that_fails_costs_a_warning_and_a_token_request(
    emulator: Control, config: ClientConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    unusable = tmp_path / "open-to-all"
    unusable.mkdir(mode=0o777)
    unusable.chmod(0o777)
    assert Process(kind, config, TokenSharing(BrokenStore(), unusable)).call() == 2
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len([text for text in warnings if "shared token store" in text]) == 3
    assert any("mode 0700" in text for text in warnings)
    assert "1000.secret" not in caplog.text


def test_a_directory_that_others_can_read_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with pytest.raises(PermissionError, match="0700"):
        private_directory(tmp_path)


# --- the throttle -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["too_many_requests", "throttle_limit", "localised"])
@pytest.mark.parametrize("status", ["200", "400"])
def test_when_zohos_throttle_answers_no_process_asks_again(emulator: Control, process: Process, body: str, status: str) -> None:
    emulator.readings(throttle_body=body, throttle_status=status)
    emulator.fault("token_throttle", TOKEN, times=None)
    for _ in range(3):
        with pytest.raises(TokenThrottled, match="no more access tokens"):
            process.call()
    assert token_requests(emulator) == 1


def test_a_process_that_waits_takes_the_token_that_another_got(
    emulator: Control, config: ClientConfig, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_provider_zcrm.client import retries

    monkeypatch.setattr(retries, "_LOOK_EVERY", 0.1)
    sharing = TokenSharing(FileTokenStore(directory), directory)
    Process("sync", config, sharing).call()
    good = (directory / TokenSeal(config).name).read_text()
    (directory / TokenSeal(config).name).unlink()
    forget_tokens()
    emulator.fault("token_throttle", TOKEN, times=None)
    threading.Timer(0.7, lambda: FileTokenStore(directory).put(TokenSeal(config).name, good)).start()
    with ZohoCrmClient(config, RetryPolicy(token_patience=10), sharing=sharing) as client:
        assert len(client.send(list_modules())) == 2
    assert token_requests(emulator) == 2


def test_zoho_is_asked_again_after_ten_minutes_and_then_after_fifteen_more(
    emulator: Control, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator.fault("token_throttle", TOKEN, times=None)
    real, asked = time.time, []
    started = real()
    for minute in range(45):
        monkeypatch.setattr(time, "time", lambda minute=minute: started + 60 * minute + 1)
        before = token_requests(emulator)
        with pytest.raises(TokenThrottled):
            process.call()
        if token_requests(emulator) > before:
            asked.append(minute)
    assert asked == [0, 10, 25, 40]


def test_after_the_throttle_a_token_is_asked_for_and_shared(emulator: Control, process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    emulator.fault("token_throttle", TOKEN)
    with pytest.raises(TokenThrottled):
        process.call()
    later = time.time() + 601
    monkeypatch.setattr(time, "time", lambda: later)
    assert process.call() == process.call() == 2
    assert token_requests(emulator) == 2


# --- the hook -----------------------------------------------------------------------------------------------------------


def test_the_connection_chooses_where_tokens_are_shared(emulator_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__ZOHO_CRM__TOKEN_DIRECTORY", str(tmp_path / "configured"))
    shared = token_sharing(settings(emulator_server.url))
    assert shared is not None
    assert type(shared.store).__name__ == "VariableTokenStore"
    on_this_host = token_sharing(settings(emulator_server.url, shared_store="file"))
    assert on_this_host is not None
    assert on_this_host.directory == tmp_path / "configured"
    assert token_sharing(settings(emulator_server.url, shared_store="memory")) is None


def test_a_test_of_the_connection_leaves_the_shared_store_alone(
    emulator: Control, emulator_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__ZOHO_CRM__TOKEN_DIRECTORY", str(tmp_path / "configured"))
    monkeypatch.setenv("AIRFLOW_CONN_ZOHO_CRM_DEFAULT", connection_json(emulator_server.url, shared_store="file"))
    assert ZohoCrmHook().test_connection()[0]
    assert not (tmp_path / "configured").exists()
    forget_tokens()
    ZohoCrmHook().get_conn().send(list_modules())
    assert (tmp_path / "configured").exists()


def test_every_token_is_masked_the_moment_it_is_known(emulator: Control, config: ClientConfig, directory: Path) -> None:
    sharing = TokenSharing(FileTokenStore(directory), directory)
    for _ in range(2):  # a new one, then one from the store
        forget_tokens()
        told: list[str] = []
        with ZohoCrmClient(config, on_secret=told.append, sharing=sharing) as client:
            client.send(list_modules())
        assert told == [tokens_of(config).held()]
