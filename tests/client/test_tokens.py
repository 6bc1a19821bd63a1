"""Access tokens: asked for once, replaced once, and never asked for in vain."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_zcrm.api.errors import (
    ConnectionFailed,
    CredentialsRejected,
    InvalidConnection,
    InvalidRequest,
    RetryableError,
    ScopeMissing,
    ServiceUnavailable,
    TokenRejected,
    TokenThrottled,
    UnreadableResponse,
)
from airflow_provider_zcrm.api.mass_delete import MassDeleteJob, job_status
from airflow_provider_zcrm.api.modules import list_modules
from airflow_provider_zcrm.api.oauth import ClientCredentialsGrant, Credentials, RefreshTokenGrant
from airflow_provider_zcrm.api.tags import list_tags
from airflow_provider_zcrm.client.config import ClientConfig
from airflow_provider_zcrm.client.retries import NO_RETRIES
from airflow_provider_zcrm.client.token_seal import TokenSeal
from airflow_provider_zcrm.client.token_sharing import FileTokenStore, TokenSharing
from airflow_provider_zcrm.client.tokens import forget_tokens
from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from airflow_provider_zcrm.emulator.minimal_seed import minimal_seed
from tests.client.conftest import Connect
from tests.client.servers import free_port
from tests.client.sides import CREDENTIALS, HASTY, Side, config_for
from tests.conftest import CLIENT_ID, CLIENT_SECRET

TOKEN = "/oauth/v2/token"
MODULES = "/crm/v8/settings/modules"


def issued(emulator: Control) -> int:
    return sum(emulator.counters()["tokens_issued"].values())


def error_body(code: str) -> dict[str, Any]:
    return {"code": code, "details": {}, "message": code, "status": "error"}


# --- asked for once ------------------------------------------------------------------------------------------------------


def test_one_token_serves_many_calls_and_clients(config: ClientConfig, connect: Connect, emulator: Control) -> None:
    first, second = connect(config), connect(replace(config, request_timeout=7.0))
    for side in (first, second, first):
        side.send(list_modules())
        side.send(list_tags("Leads"))

    assert len(emulator.requests(TOKEN)) == issued(emulator) == 1
    assert len(emulator.requests("/crm/")) == 6


def test_calls_at_the_same_time_ask_for_one_token(side: Side, emulator: Control) -> None:
    emulator.latency(0.05)

    assert len(side.send_together([list_modules()] * 5)) == 5
    assert len(emulator.requests(TOKEN)) == 1


def test_another_connection_has_another_token(connect: Connect, emulator: Control, emulator_server: EmulatorServer) -> None:
    seed = minimal_seed()
    seed["orgs"][0]["refresh_tokens"].append({"token": "1000.another"})
    emulator.seed(seed)
    config = config_for(emulator_server.url)
    connect(config).send(list_modules())
    connect(replace(config, credentials=Credentials(CLIENT_ID, CLIENT_SECRET, RefreshTokenGrant("1000.another")))).send(list_modules())

    assert issued(emulator) == 2


def test_a_token_is_told_before_it_is_used(side: Side, emulator: Control) -> None:
    emulator.fault("status", MODULES, times=None, status=403, body=error_body("NO_PERMISSION"))

    with pytest.raises(Exception, match="NO_PERMISSION"):
        side.send(list_modules())

    assert len(side.secrets) == 1
    assert side.secrets[0].startswith("1000.")


def test_client_credentials_are_a_grant_too(connect: Connect, emulator: Control, emulator_server: EmulatorServer) -> None:
    seed = minimal_seed()
    seed["clients"] = [{"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "client_credentials": True}]
    emulator.seed(seed)
    grant = ClientCredentialsGrant("808232144", "ZohoCRM.settings.ALL")
    side = connect(config_for(emulator_server.url, credentials=Credentials(CLIENT_ID, CLIENT_SECRET, grant)))

    assert len(side.send(list_modules())) == 2


# --- replaced ------------------------------------------------------------------------------------------------------------


def test_a_token_is_replaced_before_it_ends(side: Side, emulator: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airflow_provider_zcrm.emulator.oauth.LIFETIME", 1)
    side.send(list_modules())
    side.send(list_modules())
    assert issued(emulator) == 1

    time.sleep(0.6)
    side.send(list_modules())

    assert issued(emulator) == 2
    assert emulator.counters()["calls"][f"GET {MODULES.replace('v8', '{version}')}"] == {"200": 3}


@pytest.mark.parametrize("unit", ["seconds", "milliseconds"])
def test_a_token_of_an_hour_is_kept_whatever_unit_zoho_uses(side: Side, emulator: Control, unit: str) -> None:
    emulator.readings(expires_in=unit)
    side.send(list_modules())
    side.send(list_modules())

    assert issued(emulator) == 1


def test_an_expired_token_is_replaced_when_zoho_says_so(side: Side, emulator: Control) -> None:
    side.send(list_modules())
    emulator.advance(3601)

    assert len(side.send(list_modules())) == 2
    assert issued(emulator) == 2
    assert [entry["status"] for entry in emulator.requests(MODULES)] == [200, 401, 200]
    assert len(set(side.secrets)) == 2


@pytest.mark.parametrize("code", ["INVALID_TOKEN", "AUTHENTICATION_FAILURE"])
def test_a_rejected_token_is_replaced_once(side: Side, emulator: Control, code: str) -> None:
    emulator.fault("status", MODULES, status=401, body=error_body(code))

    assert len(side.send(list_modules())) == 2
    assert issued(emulator) == 2


@pytest.mark.parametrize("code", ["INVALID_TOKEN", "AUTHENTICATION_FAILURE"])
def test_a_token_that_is_rejected_again_is_not_replaced_again(side: Side, emulator: Control, code: str) -> None:
    emulator.fault("status", MODULES, times=None, status=401, body=error_body(code))

    with pytest.raises(TokenRejected, match="data_center or environment"):
        side.send(list_modules())

    assert issued(emulator) == 2
    assert len(emulator.requests(MODULES)) == 2


def test_calls_that_fail_with_the_same_token_replace_it_once(side: Side, emulator: Control) -> None:
    side.send(list_modules())
    emulator.evict_access_tokens()
    emulator.latency(0.05)

    assert len(side.send_together([list_modules()] * 4)) == 4
    assert issued(emulator) == 2


def test_a_token_that_another_client_has_replaced_is_taken_over(config: ClientConfig, connect: Connect, emulator: Control) -> None:
    first, second = connect(config), connect(config)
    first.send(list_modules())
    emulator.evict_access_tokens()
    second.send(list_modules())
    first.send(list_modules())

    assert issued(emulator) == 2


@pytest.mark.parametrize("details", ["method_and_url", "empty"])
def test_a_missing_scope_is_no_reason_for_a_new_token(
    connect: Connect, emulator: Control, emulator_server: EmulatorServer, details: str
) -> None:
    seed = minimal_seed()
    seed["orgs"][0]["refresh_tokens"][0]["scopes"] = ["ZohoCRM.settings.tags.READ"]
    emulator.seed(seed)
    emulator.readings(scope_mismatch_details=details)

    with pytest.raises(ScopeMissing, match=r"ZohoCRM\.settings\.modules\.READ"):
        connect(config_for(emulator_server.url)).send(list_modules())

    assert issued(emulator) == 1
    assert len(emulator.requests("/crm/")) == 1


@pytest.mark.parametrize("status", ["400", "401"])
def test_a_missing_parameter_is_no_reason_for_a_new_token(side: Side, emulator: Control, status: str) -> None:
    emulator.readings(missing_job_id_status=status)

    with pytest.raises(InvalidRequest):
        side.send(job_status(MassDeleteJob("tags", "")))

    assert issued(emulator) == 1
    assert [entry["status"] for entry in emulator.requests("/crm/")] == [int(status)]


# --- refused -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["200", "400"])
@pytest.mark.parametrize("body", ["too_many_requests", "throttle_limit", "localised"])
def test_zohos_throttle_is_not_hammered(side: Side, emulator: Control, status: str, body: str) -> None:
    emulator.readings(throttle_status=status, throttle_body=body)
    emulator.fault("token_throttle", TOKEN, times=None)

    for _ in range(3):
        with pytest.raises(TokenThrottled, match="10 minutes"):
            side.send(list_modules())

    assert len(emulator.requests(TOKEN)) == 1
    assert emulator.requests("/crm/") == []


@pytest.mark.parametrize(
    "fault", [{"kind": "token_throttle"}, {"kind": "status", "status": 503}, {"kind": "drop_before"}], ids=lambda fault: fault["kind"]
)
def test_the_old_token_serves_to_its_end_while_there_is_no_new_one(
    config: ClientConfig, connect: Connect, emulator: Control, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any], tmp_path: Path
) -> None:
    monkeypatch.setattr("airflow_provider_zcrm.emulator.oauth.LIFETIME", 4)
    monkeypatch.setattr("airflow_provider_zcrm.client.tokens._LAST_SECONDS", 0.5)
    sharing = TokenSharing(FileTokenStore(tmp_path), tmp_path)
    connect(config, sharing=sharing).send(list_modules())
    emulator.fault(path=TOKEN, times=None, **fault)
    time.sleep(2.1)  # it is replaced after half of its life

    for _ in range(2):
        assert len(connect(config, sharing=sharing).send(list_modules())) == 2
        forget_tokens()  # another process, which finds the token in the store, and with it the note about the throttle

    asked = emulator.requests(TOKEN)[1:]
    assert len(asked) == (1 if fault["kind"] == "token_throttle" else 2)
    assert issued(emulator) == 1


def test_ten_tokens_are_all_that_zoho_grants(config: ClientConfig, connect: Connect, emulator: Control) -> None:
    for _ in range(10):
        forget_tokens()
        connect(config).send(list_modules())
    forget_tokens()

    with pytest.raises(TokenThrottled):
        connect(config).send(list_modules())


def test_a_token_that_another_host_got_before_the_throttle_answered_is_taken(
    config: ClientConfig, connect: Connect, emulator: Control, tmp_path: Path
) -> None:
    granted = connect(config)
    granted.send(list_modules())
    now = time.time()
    sealed = TokenSeal(config).seal({"token": granted.secrets[0], "issued_at": now, "expires_at": now + 3600})
    forget_tokens()

    class Store:
        """Empty until Zoho has been asked."""

        def get(self, name: str) -> str | None:
            return sealed if len(emulator.requests(TOKEN)) == 2 else None

        def put(self, name: str, value: str) -> None:
            pytest.fail("nothing new is known")

    emulator.fault("token_throttle", TOKEN, times=None)
    side = connect(config, sharing=TokenSharing(Store(), tmp_path / "locks"))

    assert len(side.send(list_modules())) == 2
    assert side.secrets == granted.secrets


@pytest.mark.parametrize(
    ("credentials", "code"),
    [
        (Credentials("1000.NOBODY", CLIENT_SECRET, CREDENTIALS.grant), "invalid_client"),
        (Credentials(CLIENT_ID, "wrong", CREDENTIALS.grant), "invalid_client_secret"),
        (Credentials(CLIENT_ID, CLIENT_SECRET, RefreshTokenGrant("1000.revoked")), "invalid_code"),
        (Credentials(CLIENT_ID, CLIENT_SECRET, ClientCredentialsGrant("1", "ZohoCRM.settings.ALL")), "missing_org_info"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_credentials_are_permanent_and_sent_once(
    connect: Connect, emulator: Control, emulator_server: EmulatorServer, credentials: Credentials, code: str
) -> None:
    side = connect(config_for(emulator_server.url, credentials=credentials))

    with pytest.raises(CredentialsRejected) as caught:
        side.send(list_modules())

    assert caught.value.code == code
    assert caught.value.advice
    assert len(emulator.requests(TOKEN)) == 1
    assert emulator.requests("/crm/") == []


@pytest.mark.parametrize("kind_of_fault", ["html", "drop_before", "drop_after", "cut_json"])
def test_a_token_request_that_got_lost_is_sent_again(side: Side, emulator: Control, kind_of_fault: str) -> None:
    emulator.fault(kind_of_fault, TOKEN)

    assert len(side.send(list_modules())) == 2
    assert len(emulator.requests(TOKEN)) == 2


def test_accounts_that_stay_unreadable_are_given_up(config: ClientConfig, connect: Connect, emulator: Control) -> None:
    emulator.fault("html", TOKEN, times=None)

    with pytest.raises((UnreadableResponse, ServiceUnavailable), match="Zoho Accounts"):
        connect(config, HASTY).send(list_modules())

    assert emulator.requests("/crm/") == []


# --- an outage -----------------------------------------------------------------------------------------------------------

OUTAGES: dict[str, dict[str, Any]] = {
    "502": {"kind": "status", "status": 502},
    "HTML with 200": {"kind": "html", "status": 200},
    "hangs up": {"kind": "drop_after"},
    "time-out": {"kind": "slow", "seconds": 0.6},
    **{error: {"kind": "status", "status": 200, "body": {"error": error}} for error in ("general_error", "server_error")},
}


@pytest.mark.parametrize("fault", OUTAGES)
def test_in_an_outage_all_who_share_a_store_ask_three_times_in_ten_minutes_at_most(
    config: ClientConfig, connect: Connect, emulator: Control, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr("airflow_provider_zcrm.client.tokens._FAILURE_PAUSE", 0.0)
    emulator.fault(path=TOKEN, times=None, **OUTAGES[fault])
    sharing = TokenSharing(FileTokenStore(tmp_path), tmp_path)

    errors = []
    for _ in range(5):
        forget_tokens()  # another process
        with pytest.raises(RetryableError) as caught:
            connect(replace(config, request_timeout=0.3), HASTY, sharing=sharing).send(list_modules())
        errors.append(str(caught.value))

    assert "has given no access token since 2" in errors[-1]
    assert len(emulator.requests(TOKEN)) == 3
    emulator.clear_faults()
    # ten minutes later
    monkeypatch.setattr("airflow_provider_zcrm.client.tokens._FAILURE_WINDOW", 0.0)
    assert len(connect(config, sharing=sharing).send(list_modules())) == 2
    monkeypatch.setattr("airflow_provider_zcrm.client.tokens._FAILURE_WINDOW", 600.0)
    forget_tokens()
    emulator.evict_access_tokens()
    assert len(connect(config, sharing=sharing).send(list_modules())) == 2


def test_a_host_that_was_never_reached_has_cost_no_request(connect: Connect, emulator: Control) -> None:
    config = config_for(f"http://127.0.0.1:{free_port()}")
    for _ in range(5):
        with pytest.raises(ConnectionFailed):
            connect(config, NO_RETRIES).send(list_modules())


# --- the host that Zoho names --------------------------------------------------------------------------------------------


def test_an_account_of_another_data_center_is_told_and_not_called(side: Side, emulator: Control) -> None:
    emulator.change_org(api_domain="https://www.zohoapis.eu")

    with pytest.raises(InvalidConnection, match="data center eu, the connection says us"):
        side.send(list_modules())

    assert emulator.requests("/crm/") == []


def test_an_unknown_host_is_warned_of_and_not_called(side: Side, emulator: Control, caplog: pytest.LogCaptureFixture) -> None:
    emulator.change_org(api_domain="https://www.zohoapis.sg")

    assert len(side.send(list_modules())) == 2
    assert "https://www.zohoapis.sg" in caplog.text


def test_a_sandbox_that_is_told_the_production_host_stays_in_the_sandbox(side: Side, emulator: Control) -> None:
    emulator.change_org(environment="sandbox", api_domain="https://www.zohoapis.com")

    assert len(side.send(list_modules())) == 2
    assert len(emulator.requests("/crm/")) == 1
