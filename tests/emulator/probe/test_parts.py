"""The parts of the probe that need no server: the credentials, and what an answer is taken for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_zcrm.emulator.probe import ask_limits
from airflow_provider_zcrm.emulator.probe.calls import Reply
from airflow_provider_zcrm.emulator.probe.credentials import Credentials, read_credentials
from airflow_provider_zcrm.emulator.probe.findings import Findings, as_text, shape
from airflow_provider_zcrm.emulator.probe.names import Refusal


def read(folder: Path, **extra: Any) -> Credentials:
    file = folder / "connection.json"
    file.write_text(json.dumps({"conn_type": "zoho_crm", "login": " id\n", "password": "secret", "extra": json.dumps(extra)}))
    return read_credentials(file)


def test_the_hosts_are_those_of_data_center_and_environment(tmp_path: Path) -> None:
    found = read(tmp_path, refresh_token="token", data_center="eu", environment="sandbox")

    assert (found.accounts_url, found.api_url) == ("https://accounts.zoho.eu", "https://sandbox.zohoapis.eu")
    assert found.grant == {"client_id": "id", "client_secret": "secret", "grant_type": "refresh_token", "refresh_token": "token"}
    assert (found.environment, found.version) == ("sandbox", "v8")
    assert "secret" not in repr(found)
    assert set(found.secrets) == {"id", "secret", "token"}


def test_a_grant_can_be_of_client_credentials(tmp_path: Path) -> None:
    found = read(tmp_path, grant_type="client_credentials", zsoid="808232144", scope="ZohoCRM.settings.ALL", api_version="v7")

    assert (found.grant["soid"], found.version) == ("ZohoCRM.808232144", "v7")


@pytest.mark.parametrize(
    "extra",
    [
        {"data_center": "mars"},
        {"environment": "test"},
        {"api_version": "../v8"},
        {"refresh_token": ""},
        {"grant_type": "client_credentials"},
        {"accounts_url": "https://accounts.zoho.com"},
        {"accounts_url": "https://accounts.zoho.com", "api_url": "https://www.zohoapis.com.example"},
        {"accounts_url": "http://127.0.0.1.example", "api_url": "http://127.0.0.1"},
    ],
)
def test_credentials_that_do_not_fit_are_refused(tmp_path: Path, extra: dict[str, str]) -> None:
    with pytest.raises(Refusal):
        read(tmp_path, **{"refresh_token": "token", **extra})


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="cannot be read"):
        read_credentials(tmp_path / "nothing.json")


@pytest.mark.parametrize(
    ("body", "form"),
    [
        ("<html>", "html"),
        (None, None),
        ([], None),
        ({"code": 429, "error": "TOO_MANY_REQUESTS"}, "legacy"),
        ({"code": "TOO_MANY_REQUESTS", "details": {"trace_id": "x"}}, "trace"),
        ({"code": "TOO_MANY_REQUESTS", "details": {}}, "envelope"),
        ({"code": "RATE_LIMIT_EXCEEDED"}, None),
    ],
)
def test_what_a_429_is_taken_for(body: Any, form: str | None) -> None:
    assert ask_limits._form(Reply(429, body, {})) == form


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<html>", None),
        ({"error": "invalid_client"}, None),
        ({"error": "Access Denied", "error_description": "Token creation throttle limit reached."}, "throttle_limit"),
        ({"error": "Access Denied", "error_description": "You have made too many requests continuously."}, "too_many_requests"),
        ({"error": "Zugriff verweigert – später"}, "localised"),
    ],
)
def test_what_a_throttle_is_taken_for(body: Any, words: str | None) -> None:
    assert ask_limits._words(Reply(200, body, {})) == words


def test_a_shape_has_keys_and_codes_that_are_zohos_and_nothing_else() -> None:
    body = {
        "data": [{"code": "INVALID_DATA", "details": {"Zylker": "x", "id": "22761", "2276164": 1}, "message": "Zylker", "status": "error"}]
    }

    assert (
        shape(Reply(400, body, {}))
        == "HTTP 400, {data: [{code: INVALID_DATA, details: {?: str, id: str, ?: int}, message: str, status: str}]}"
    )
    assert shape(Reply(400, {"code": "of Zylker"}, {})) == "HTTP 400, {code: str}"


@pytest.mark.parametrize("words", ["id 2276164000001021041", "https://crm.zoho.com", "the secret-of-zylker is here"])
def test_a_file_that_would_say_too_much_is_not_written(words: str) -> None:
    findings = Findings()
    findings.none_fits("counts", words)

    with pytest.raises(ValueError, match="something of the org's"):
        as_text(findings, ["secret-of-zylker"])


def test_a_reading_has_only_its_own_choices() -> None:
    with pytest.raises(ValueError, match="no choice"):
        Findings().chosen("counts", "perhaps")
