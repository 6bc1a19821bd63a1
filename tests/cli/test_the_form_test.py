"""*Test* in the connection form: one sentence, within ten seconds, that says what to change; no store is touched and no secret told."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_zcrm.client.tokens import forget_tokens
from airflow_provider_zcrm.hooks import token_stores
from airflow_provider_zcrm.hooks.zcrm import ZohoCrmHook
from tests.cli.conftest import REFRESH_TOKEN, Zoho
from tests.client.servers import LOOPBACK, DeafServer
from tests.conftest import CLIENT_ID, CLIENT_SECRET

Test = Callable[..., tuple[bool, str]]


@pytest.fixture
def test(monkeypatch: pytest.MonkeyPatch) -> Test:
    """Test a connection as the form does; whatever it says must be one sentence or two, in time, without a secret or a shared token."""
    for name in ("get_variable", "set_variable"):
        monkeypatch.setattr(token_stores, name, lambda *_: pytest.fail("the test of a connection uses the shared store"))

    def test(**extra: Any) -> tuple[bool, str]:
        forget_tokens()
        values = {"refresh_token": REFRESH_TOKEN, "shared_store": "variable", **extra}
        connection = {"conn_type": "zoho_crm", "login": CLIENT_ID, "password": CLIENT_SECRET, "extra": values}
        # the UI tests under a random id
        monkeypatch.setenv("AIRFLOW_CONN_ABCDEFG", json.dumps(connection))
        started = time.monotonic()
        works, sentence = ZohoCrmHook("abcdefg").test_connection()
        assert time.monotonic() - started < 10
        assert "\n" not in sentence
        assert not [secret for secret in (CLIENT_SECRET, REFRESH_TOKEN, "1000.revoked") if secret in sentence]
        return works, sentence

    return test


def test_a_good_connection_names_org_data_center_and_environment(zoho: Zoho, test: Test) -> None:
    zoho.seed("eu", "sandbox")
    assert test(data_center="eu", environment="sandbox") == (True, "Connected to Zylker (org 808232144) (eu, sandbox): 1 modules.")


def test_the_wrong_data_center_says_what_to_check(zoho: Zoho, test: Test) -> None:
    zoho.seed("in")
    works, sentence = test(data_center="eu")
    assert not works
    assert "does not know this client id in the data center eu. Check the client id (login) and data_center." in sentence


def test_a_missing_scope_is_named(zoho: Zoho, test: Test) -> None:
    zoho.seed(scopes=["ZohoCRM.org.READ"])
    works, sentence = test()
    assert not works
    assert "lacks a scope: this call needs ZohoCRM.settings.modules.READ" in sentence
    assert "Make a new refresh token with it" in sentence


def test_a_revoked_token_says_to_make_a_new_one(zoho: Zoho, test: Test) -> None:
    works, sentence = test(refresh_token="1000.revoked")
    assert not works
    assert "it was revoked, has expired" in sentence
    assert sentence.endswith("Make a new refresh token: python -m airflow_provider_zcrm connect abcdefg --replace")


def test_the_throttle_says_how_long_to_wait(zoho: Zoho, test: Test) -> None:
    zoho.control.fault("token_throttle", "/oauth", times=None)
    works, sentence = test()
    assert not works
    assert "Wait 10 minutes" in sentence
    assert len(zoho.control.requests("/oauth")) == 1


@pytest.mark.parametrize(("own", "other"), [("production", "sandbox"), ("sandbox", "production"), ("developer", "sandbox")])
def test_the_wrong_environment_is_named(zoho: Zoho, test: Test, own: str, other: str) -> None:
    zoho.seed("eu", other)
    works, sentence = test(data_center="eu", environment=own)
    assert not works
    assert f"the refresh token was not made for the environment {own}" in sentence
    assert "Set environment to the one that was chosen in Zoho" in sentence


@pytest.mark.parametrize("what", ["listens and never answers", "lets nobody in", "refuses", "is slow to answer", "drips"])
def test_a_silent_server_cannot_hold_the_test_up(zoho: Zoho, test: Test, what: str) -> None:
    if what == "lets nobody in":
        with DeafServer() as url:
            works, sentence = test(accounts_url=url, api_url=url)
    elif what == "is slow to answer":
        zoho.control.fault("slow", seconds=60, times=None)
        works, sentence = test()
        zoho.control.clear_faults()
    else:
        with socket.create_server((LOOPBACK, 0)) as server:
            url = f"http://{LOOPBACK}:{server.getsockname()[1]}"
            if what == "refuses":
                server.close()
            if what == "drips":
                threading.Thread(target=_drip, args=(server,), daemon=True).start()
            works, sentence = test(accounts_url=url, api_url=url)
    assert not works
    assert "No answer from Zoho" in sentence or "gave no answer" in sentence


def _drip(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1000:
            try:
                connection.sendall(bytes([byte]))
            except OSError:
                return
            time.sleep(0.5)


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"environment": "test"}, "environment is 'test'"),
        ({"data_center": "mars"}, "data_center is 'mars'"),
        ({"enviroment": "x"}, "environment?"),
    ],
)
def test_a_field_that_is_wrong_is_named(test: Test, extra: dict[str, str], said: str) -> None:
    works, sentence = test(**extra)
    assert not works
    assert said in sentence


def test_a_connection_that_is_not_there_is_an_answer_too() -> None:
    works, sentence = ZohoCrmHook("nobody").test_connection()
    assert not works
    assert "nobody" in sentence
