"""What the users of one client share after a 429, and what they are told of the org's credits."""

from __future__ import annotations

import logging
import time

import pytest

from airflow_provider_zcrm.api.call import ApiResponse
from airflow_provider_zcrm.api.errors import PermissionDenied, TooManyRequests
from airflow_provider_zcrm.api.modules import list_modules
from airflow_provider_zcrm.api.tags import list_tags
from airflow_provider_zcrm.client.backoff import SharedBackoff
from airflow_provider_zcrm.client.config import ClientConfig
from airflow_provider_zcrm.client.credits import CreditsWatch
from airflow_provider_zcrm.client.retries import NO_RETRIES
from airflow_provider_zcrm.emulator.control import Control
from tests.client.conftest import Connect

BODY = {"code": "TOO_MANY_REQUESTS", "details": {}, "message": "slow down", "status": "error"}


def test_after_a_429_another_call_of_the_client_is_held_back(config: ClientConfig, connect: Connect, emulator: Control) -> None:
    emulator.fault("status", status=429, path="settings/modules", body=BODY, headers={"Retry-After": "30"})
    side = connect(config, NO_RETRIES)
    with pytest.raises(TooManyRequests, match="slow down"):
        side.send(list_modules())
    with pytest.raises(TooManyRequests, match="Held back") as held:
        side.send(list_tags("Leads"))
    assert 25 < (held.value.retry_after or 0) <= 30
    assert emulator.requests("settings/tags") == []


def test_the_time_is_random_doubles_and_starts_anew_once_zoho_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    bounds: list[float] = []
    monkeypatch.setattr("random.uniform", lambda low, high: bounds.append(high) or 0.0)
    backoff = SharedBackoff(1.0, 5.0)
    for _ in range(4):
        backoff.refused(TooManyRequests("no"))
    backoff.answered()
    backoff.refused(TooManyRequests("no"))
    assert bounds == [1.0, 2.0, 4.0, 5.0, 1.0]


def test_the_gate_opens_by_itself() -> None:
    backoff = SharedBackoff(1.0, 5.0)
    backoff.refused(TooManyRequests("no", retry_after=0.05))
    with pytest.raises(TooManyRequests):
        backoff.check()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            backoff.check()
        except TooManyRequests:
            time.sleep(0.05)
        else:
            return
    pytest.fail("it stayed closed")


def test_credits_are_logged_when_zoho_names_them(
    config: ClientConfig, connect: Connect, emulator: Control, caplog: pytest.LogCaptureFixture
) -> None:
    emulator.change_org(credits=10)
    side = connect(config)
    with caplog.at_level(logging.INFO, "airflow_provider_zcrm.client.credits"):
        for _ in range(7):
            side.send(list_modules())
    told = [record for record in caplog.records if record.name.endswith("credits")]
    assert [record.levelno for record in told] == [logging.WARNING]


def test_credits_are_told_once_and_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    watch = CreditsWatch()
    with caplog.at_level(logging.INFO, "airflow_provider_zcrm.client.credits"):
        for left in ("", "no number", "50000", "49999", "999", "998"):
            watch.saw(ApiResponse(200, {"x-api-credits-remaining": left}, b""))
    assert [(record.levelname, record.args) for record in caplog.records] == [("INFO", (50000,)), ("WARNING", (999,))]


def test_zoho_is_asked_again_after_a_quarter_of_an_hour_whatever_it_asks_for() -> None:
    error = TooManyRequests("no", retry_after=86400.0)
    SharedBackoff(1.0, 5.0).refused(error)
    assert 899 < (error.retry_after or 0) <= 900


def test_the_caller_that_was_refused_waits_until_the_gate_opens() -> None:
    error = TooManyRequests("no", retry_after=7.0)
    backoff = SharedBackoff(1.0, 5.0)
    backoff.refused(error)
    assert 6.9 < (error.retry_after or 0) <= 7.0


def test_a_token_that_zoho_quotes_does_not_reach_the_exception(
    config: ClientConfig, connect: Connect, emulator: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    side = connect(config, NO_RETRIES)
    side.send(list_modules())
    (token,) = side.secrets
    body = {"code": "NO_PERMISSION", "status": "error", "message": f"header was Zoho-oauthtoken {token}", "details": {"seen": [token]}}
    emulator.fault("status", "settings/modules", status=403, body=body)
    with pytest.raises(PermissionDenied) as caught:
        side.send(list_modules())
    assert token not in str(caught.value) + str(caught.value.as_dict()) + repr(caught.value.args)
    assert "***" in str(caught.value)
