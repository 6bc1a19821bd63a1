"""`ZohoCrmHook`: one connection in all its forms, and what is wrong with a connection in one sentence."""

from __future__ import annotations

import json
import socket
import threading
import time
from typing import Any
from urllib.parse import quote

import pytest
from airflow.providers.common.compat.sdk import Connection, redact

from airflow_provider_zcrm.api.errors import InvalidConnection
from airflow_provider_zcrm.api.modules import list_modules
from airflow_provider_zcrm.api.oauth import ClientCredentialsGrant
from airflow_provider_zcrm.connection_form import FIELDS
from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.hooks.connection import config_of
from airflow_provider_zcrm.hooks.settings import configured_schedule
from airflow_provider_zcrm.hooks.zcrm import ZohoCrmHook
from tests.conftest import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, connection_json

GOOD = {"refresh_token": REFRESH_TOKEN}


def test_the_same_connection_works_from_json_and_from_a_uri(
    emulator: Control, emulator_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from_json = ZohoCrmHook().config
    extra = {"refresh_token": REFRESH_TOKEN, "accounts_url": emulator_server.url, "api_url": emulator_server.url}
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in extra.items())
    uri = f"zoho-crm://{quote(CLIENT_ID)}:{quote(CLIENT_SECRET)}@/?{query}&shared_store=memory&max_concurrency=5&request_timeout=30"
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", uri)
    assert ZohoCrmHook("other").config == from_json
    assert len(ZohoCrmHook("other").get_conn().send(list_modules())) == 2


def test_fields_that_the_form_leaves_empty_have_their_defaults() -> None:
    empty = dict.fromkeys(("zsoid", "scope", "accounts_url", "api_url", "verify"))
    config = config_of(CLIENT_ID, CLIENT_SECRET, {**GOOD, **empty, "data_center": "", "request_timeout": None, "max_concurrency": ""})
    assert config == config_of(CLIENT_ID, CLIENT_SECRET, GOOD)
    assert (config.hosts.data_center, config.hosts.environment, config.api_version) == ("us", "production", "v8")
    assert (config.request_timeout, config.max_concurrency, config.verify) == (30.0, 5, True)
    assert config.hosts.api_url == "https://www.zohoapis.com"


def test_blanks_and_line_breaks_around_what_was_read_from_files_do_not_count() -> None:
    extra = {"refresh_token": f" {REFRESH_TOKEN}\r\n", "data_center": "eu\n", "environment": " sandbox", "max_concurrency": "7\n"}
    assert config_of(f"{CLIENT_ID}\n", f"\t{CLIENT_SECRET}\n", extra) == config_of(
        CLIENT_ID, CLIENT_SECRET, {**GOOD, "data_center": "eu", "environment": "sandbox", "max_concurrency": 7}
    )


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ('{"conn_type": "http", "login": "a", "password": "b"}', "It is of type 'http', and not zoho_crm."),
        ("zoho_crm://a:b@/?refresh_token=c", "It has no type, and no login."),
    ],
)
def test_a_connection_of_another_type_says_so(monkeypatch: pytest.MonkeyPatch, value: str, said: str) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", value)
    with pytest.raises(InvalidConnection, match=f"Connection other: {said}") as raised:
        _ = ZohoCrmHook("other").config
    assert "zoho-crm://" in str(raised.value)


def test_client_credentials_need_no_refresh_token() -> None:
    extra = {"grant_type": "client_credentials", "zsoid": 808232144, "scope": "ZohoCRM.settings.ALL"}
    assert config_of(CLIENT_ID, CLIENT_SECRET, extra).credentials.grant == ClientCredentialsGrant("808232144", "ZohoCRM.settings.ALL")


@pytest.mark.parametrize(("value", "meaning"), [("true", True), ("False", False), (False, False), ("/etc/ssl/ca.pem", "/etc/ssl/ca.pem")])
def test_verify_means_what_it_means_in_requests(value: Any, meaning: Any) -> None:
    assert config_of(CLIENT_ID, CLIENT_SECRET, {**GOOD, "verify": value}).verify == meaning


@pytest.mark.parametrize(
    ("login", "password", "extra", "named"),
    [
        ("", "s", GOOD, "login"),
        ("i", None, GOOD, "password"),
        ("i", "s", {}, "refresh_token"),
        ("i", "s", {"grant_type": "password"}, "grant_type"),
        ("i", "s", {"grant_type": "client_credentials", "scope": "x"}, "zsoid"),
        ("i", "s", {"grant_type": "client_credentials", "zsoid": "1"}, "scope"),
        ("i", "s", {**GOOD, "data_center": "com"}, "data_center"),
        ("i", "s", {**GOOD, "environment": "test"}, "environment"),
        ("i", "s", {**GOOD, "api_version": "8"}, "api_version"),
        ("i", "s", {**GOOD, "api_version": "v8/../../x"}, "api_version"),
        ("i", "s", {**GOOD, "request_timeout": "soon"}, "request_timeout"),
        ("i", "s", {**GOOD, "request_timeout": 0}, "request_timeout is 0; it must be a number of at least 0.1."),
        ("i", "s", {**GOOD, "request_timeout": "inf"}, "request_timeout"),
        ("i", "s", {**GOOD, "max_concurrency": 0}, "max_concurrency is 0; it must be a whole number from 1 to 25."),
        ("i", "s", {**GOOD, "max_concurrency": 26}, "max_concurrency"),
        ("i", "s", {**GOOD, "max_concurrency": "٥"}, "max_concurrency"),
        ("i", "s", {**GOOD, "request_timeout": "nan"}, "request_timeout"),
        ("i", "s", {**GOOD, "request_timeout": "٥"}, "request_timeout"),
        ("i", "s", {**GOOD, "max_concurrency": "2.7"}, "max_concurrency"),
        ("i", "s", {**GOOD, "shared_store": "redis"}, "shared_store"),
        ("i", "s", {**GOOD, "enviroment": "sandbox"}, "Did you mean environment?"),
        ("i", "s", {**GOOD, "zzz": "1"}, "The fields are refresh_token"),
        ("i", "s", {**GOOD, "api_url": "https://www.zohoapis.com"}, "accounts_url"),
        ("i", "s", {**GOOD, "api_url": "http://www.zohoapis.com", "accounts_url": "https://accounts.zoho.com"}, "api_url must use https"),
        ("i", "s", {**GOOD, "api_url": "https://evil.example", "accounts_url": "https://accounts.zoho.com"}, "allowed_hosts"),
        (
            "i",
            "s",
            {**GOOD, "environment": "sandbox", "api_url": "https://www.zohoapis.com", "accounts_url": "https://accounts.zoho.com"},
            "whose host is https://sandbox.zohoapis.com",
        ),
        (" \n", "s", GOOD, "login"),
        ("i", "\n", GOOD, "password"),
        ("i", "s", {"refresh_token": " \n"}, "refresh_token"),
        ("i", "s", {"refresh_token": {"token": "x"}}, "refresh_token in the extra of the connection is no text"),
        ("i", "s", {**GOOD, "api_url": ["x"], "accounts_url": ["x"]}, "accounts_url in the extra of the connection is no text"),
        ("i", "s", ["refresh_token"], "extra of the connection is no JSON object"),
        ("i", "s", "refresh_token", "extra of the connection is no JSON object"),
    ],
)
def test_a_connection_that_cannot_work_is_refused_with_the_field(login: str, password: str, extra: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidConnection) as refused:
        config_of(login, password, extra)
    assert named in str(refused.value)


@pytest.mark.smoke
def test_airflow_masks_the_secrets_of_a_connection_and_not_its_choices() -> None:
    secret = {field.name for field in FIELDS if redact({field.name: "value"}) == {field.name: "***"}}
    assert secret == {field.name for field in FIELDS if field.schema.get("format") == "password"}


def test_a_host_that_the_deployment_allows_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_PROXIED", connection_json("http://zoho.internal:8443"))
    with pytest.raises(InvalidConnection, match="Connection proxied"):
        _ = ZohoCrmHook("proxied").config
    monkeypatch.setenv("AIRFLOW__ZOHO_CRM__ALLOWED_HOSTS", "other.internal, zoho.internal:8443")
    assert ZohoCrmHook("proxied").config.hosts.api_url == "http://zoho.internal:8443"


def test_the_configuration_counts_where_the_connection_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SILENT", connection_json("http://127.0.0.1:1", shared_store="", request_timeout=None))
    monkeypatch.setenv("AIRFLOW_CONN_OWN", connection_json("http://127.0.0.1:1", shared_store="file", request_timeout=3))
    config = ZohoCrmHook("silent").config
    assert (config.request_timeout, config.shared_store) == (30.0, "variable")
    monkeypatch.setenv("AIRFLOW__ZOHO_CRM__REQUEST_TIMEOUT", "7.5")
    monkeypatch.setenv("AIRFLOW__ZOHO_CRM__SHARED_STORE", "memory")
    config = ZohoCrmHook("silent").config
    assert (config.request_timeout, config.shared_store) == (7.5, "memory")
    config = ZohoCrmHook("own").config
    assert (config.request_timeout, config.shared_store) == (3.0, "file")


def test_a_store_that_does_not_exist_is_refused_with_both_places_where_it_can_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SILENT", connection_json("http://127.0.0.1:1", shared_store=""))
    monkeypatch.setenv("AIRFLOW__ZOHO_CRM__SHARED_STORE", "redis")
    with pytest.raises(InvalidConnection, match=r"shared_store is 'redis'.*\[zoho_crm\]"):
        _ = ZohoCrmHook("silent").config


@pytest.mark.parametrize(
    ("shortest", "longest", "waits"),
    [("5", "1800", (5.0, 1800.0)), ("15", "300", (15.0, 300.0)), ("0.1", "0.2", (1.0, 1.0)), ("60", "30", (60.0, 60.0))],
)
def test_polls_follow_the_configuration_where_the_task_has_no_interval(
    monkeypatch: pytest.MonkeyPatch, shortest: str, longest: str, waits: tuple[float, float]
) -> None:
    monkeypatch.setenv("AIRFLOW__ZOHO_CRM__SHORTEST_POLL_INTERVAL", shortest)
    monkeypatch.setenv("AIRFLOW__ZOHO_CRM__LONGEST_POLL_INTERVAL", longest)
    schedule = configured_schedule(None)
    assert (schedule.next_wait(0), schedule.next_wait(10**6)) == waits
    assert configured_schedule(7.0).next_wait(10**6) == 7.0


def test_a_good_connection_names_org_and_data_center(emulator: Control) -> None:
    assert ZohoCrmHook().test_connection() == (True, "Connected to Minimal Org (org 808232144) (us, production): 2 modules.")


def test_a_connection_without_the_scope_of_the_org_is_good_too(emulator: Control) -> None:
    emulator.fault("status", "/org$", status=401, body={"code": "OAUTH_SCOPE_MISMATCH", "details": {}, "message": "x", "status": "error"})
    assert ZohoCrmHook().test_connection() == (True, "Connected to Zoho CRM (us, production): 2 modules.")


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"refresh_token": "1000.revoked"}, "new refresh token"),
        ({"data_center": "mars"}, "data_center"),
        ({"refresh_token": ""}, "refresh_token"),
    ],
)
def test_a_bad_connection_says_what_to_change_and_no_secret(
    emulator: Control, emulator_server: Any, monkeypatch: pytest.MonkeyPatch, extra: dict[str, Any], said: str
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ZOHO_CRM_DEFAULT", connection_json(emulator_server.url, **extra))
    works, sentence = ZohoCrmHook().test_connection()
    assert not works
    assert said in sentence
    assert CLIENT_SECRET not in sentence
    assert "1000." not in sentence


def test_an_account_of_another_data_center_is_named(emulator: Control) -> None:
    emulator.change_org(api_domain="https://www.zohoapis.eu")
    works, sentence = ZohoCrmHook().test_connection()
    assert not works
    assert "eu" in sentence
    assert "us" in sentence


def test_a_server_that_drips_cannot_hold_the_test_up(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow_provider_zcrm.hooks import zcrm

    monkeypatch.setattr(zcrm, "_TEST_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_drip, args=(server,), daemon=True).start()
        monkeypatch.setenv("AIRFLOW_CONN_ZOHO_CRM_DEFAULT", connection_json(f"http://127.0.0.1:{server.getsockname()[1]}"))
        started = time.monotonic()
        works, sentence = ZohoCrmHook().test_connection()
    assert not works
    assert "no answer" in sentence
    assert time.monotonic() - started < 15


def _drip(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        for _ in range(300):
            try:
                connection.sendall(b"H")
            except OSError:
                return
            time.sleep(0.1)


def test_the_settings_show_no_secret(emulator: Control) -> None:
    shown = repr(ZohoCrmHook().config) + json.dumps(ZohoCrmHook().test_connection())
    assert CLIENT_SECRET not in shown
    assert REFRESH_TOKEN not in shown


@pytest.mark.parametrize(
    "extra", ['["refresh_token"]', '"text"', "5", "[" * 5000 + "]" * 5000, '{"refresh_token": {"a": 1}}', '{"max_concurrency": []}']
)
def test_a_corrupted_extra_is_one_of_our_errors(monkeypatch: pytest.MonkeyPatch, extra: str) -> None:
    connection = Connection(conn_id="broken", conn_type="zoho_crm", login=CLIENT_ID, password=CLIENT_SECRET)
    connection.extra = extra
    monkeypatch.setattr(ZohoCrmHook, "get_connection", lambda *_: connection)
    with pytest.raises(InvalidConnection, match="Connection broken"):
        _ = ZohoCrmHook("broken").config
    works, sentence = ZohoCrmHook("broken").test_connection()
    assert not works
    assert CLIENT_SECRET not in sentence
