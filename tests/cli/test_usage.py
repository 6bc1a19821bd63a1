"""What ``connect`` refuses before it asks Zoho anything, so that no code is used up on it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_zcrm.api.errors import PermanentError
from airflow_provider_zcrm.cli.arguments import COMMANDS, parser
from airflow_provider_zcrm.cli.connect import _deliver
from airflow_provider_zcrm.cli.delivery import InFile
from airflow_provider_zcrm.cli.run import main
from airflow_provider_zcrm.cli.safe import safe_for
from tests.cli.conftest import CODE, Zoho
from tests.conftest import CLIENT_ID, CLIENT_SECRET

SECRETS = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "code": CODE}


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        (("--to", "json"), None, "Missing: client_id, client_secret, code."),
        (("--to", "json", "--client-id", "1000.X"), None, "Missing: client_secret, code."),
        (("--to", "json", "--credentials", "-"), {"client_id": "1000.X"}, "Missing: client_secret, code."),
        (("--to", "json", "--grant-type", "client_credentials", "--credentials", "-"), SECRETS, "Missing: zsoid."),
        (("--to", "json", "--credentials", "-"), ["1000.X"], "is not a JSON object"),
        (("--to", "json", "--credentials", "-"), {**SECRETS, "code": 1000}, "code is not a JSON string"),
        (("--to", "json", "--credentials", "-"), {**SECRETS, "client_secret": ["x"]}, "client_secret is not a JSON string"),
        (("--to", "json", "--credentials", "/no/such/file"), None, "/no/such/file cannot be read: No such file"),
        (("--to", "json", "--credentials", __file__), None, "is not JSON"),
        (("--to", "json", "--accounts-url", "https://x", "--credentials", "-"), SECRETS, "accounts_url is set without api_url"),
        (("--features", "all"), None, "There is no feature 'all'"),
        (("a b", "--credentials", "-"), SECRETS, "cannot be the id of a connection"),
        (("--to", "json", "--output", "json", "--credentials", "-"), SECRETS, "cannot both go to stdout"),
        (("--file", "x"), None, "--file goes with --to json or --to uri"),
        (("--to", "json", "--file", "/no/such/folder/x", "--credentials", "-"), SECRETS, "cannot be written"),
        (("--to", "json", "--file", "/tmp", "--credentials", "-"), SECRETS, "is there already"),
    ],
)
def test_what_is_missing_or_wrong_is_said_and_zoho_is_not_asked(
    zoho: Zoho,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    stdin: Any,
    said: str,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(stdin)))
    assert main(["connect", *arguments]) == 2
    shown = capfd.readouterr()
    assert (shown.out, said in shown.err) == ("", True)
    assert CLIENT_SECRET not in shown.err
    assert zoho.asked() == []


def test_secrets_are_no_arguments() -> None:
    flags = {flag for command in COMMANDS for argument in command.arguments for flag in argument.flags}
    assert not [flag for flag in flags if any(word in flag for word in ("secret", "token", "code", "password"))]
    with pytest.raises(SystemExit) as refused:
        parser().parse_args(["connect", "--client-secret", "x"])
    assert refused.value.code == 2


def test_a_connection_that_cannot_be_delivered_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    connection = {"conn_type": "zoho_crm", "login": CLIENT_ID, "password": CLIENT_SECRET, "extra": {"refresh_token": "1000.r"}}
    vanished = tmp_path / "vanished" / "connection.json"
    with safe_for("zoho") as safe:
        safe.keep(connection)
        with pytest.raises(PermanentError, match="It is kept in") as failed:
            _deliver(InFile("zoho", "json", vanished, replace=False), connection, safe)
    (kept,) = tmp_path.glob("zoho-crm-connection-*.json")
    assert str(kept) in str(failed.value)
    assert kept.stat().st_mode & 0o777 == 0o600
    assert json.loads(kept.read_text()) == connection


def test_the_documentation_has_every_argument() -> None:
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
    flags = {flag for command in COMMANDS for argument in command.arguments for flag in argument.flags if flag.startswith("--")}
    assert not [flag for flag in flags if flag not in page]
