"""What is sent again, for how long, and what is not."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest
from tenacity import RetryCallState

from airflow_provider_zcrm.api.errors import (
    ConnectionFailed,
    InvalidModule,
    JobAlreadyRunning,
    RetryableError,
    ServiceUnavailable,
    TooManyRequests,
    UnreadableResponse,
    ZohoCrmError,
)
from airflow_provider_zcrm.api.mass_delete import submit_records_by_view
from airflow_provider_zcrm.api.modules import list_modules
from airflow_provider_zcrm.api.tags import list_tags
from airflow_provider_zcrm.client.backoff import SharedBackoff
from airflow_provider_zcrm.client.config import ClientConfig
from airflow_provider_zcrm.client.retries import NO_RETRIES, RetryPolicy
from airflow_provider_zcrm.emulator.control import Control
from tests.client.conftest import Connect
from tests.client.sides import HASTY, Side

MODULES = "/crm/v8/settings/modules"

# fault, what it is ordered with, what it becomes
PASSING: list[tuple[str, dict[str, Any], type[ZohoCrmError]]] = [
    ("status", {"status": 429}, TooManyRequests),
    ("status", {}, ServiceUnavailable),
    (
        "status",
        {"status": 503, "body": {"code": "SERVICE_UNAVAILABLE", "details": {}, "message": "m", "status": "error"}},
        ServiceUnavailable,
    ),
    (
        "status",
        {"status": 400, "body": {"code": "INTERNAL_SERVER_ERROR", "details": {}, "message": "m", "status": "error"}},
        ServiceUnavailable,
    ),
    ("html", {}, ServiceUnavailable),
    ("html", {"status": 200}, UnreadableResponse),
    ("html", {"status": 404}, UnreadableResponse),
    ("cut_json", {}, UnreadableResponse),
    ("redirect", {}, UnreadableResponse),
    ("drop_before", {}, ConnectionFailed),
    ("drop_after", {}, ConnectionFailed),
]
each_passing_fault = pytest.mark.parametrize(("fault", "order", "error"), PASSING, ids=lambda value: str(value) if value else "")


@each_passing_fault
def test_a_read_is_repeated_until_a_passing_fault_has_passed(
    side: Side, emulator: Control, fault: str, order: dict[str, Any], error: type[ZohoCrmError]
) -> None:
    emulator.fault(fault, MODULES, times=2, **order)

    assert len(side.send(list_modules())) == 2
    assert len(emulator.requests(MODULES)) == 3
    assert len(emulator.requests("/oauth")) == 1


@each_passing_fault
def test_a_fault_that_does_not_pass_is_raised_in_the_end(
    config: ClientConfig, connect: Connect, emulator: Control, fault: str, order: dict[str, Any], error: type[ZohoCrmError]
) -> None:
    emulator.fault(fault, MODULES, times=None, **order)
    started = time.monotonic()

    with pytest.raises(error) as caught:
        connect(config, HASTY).send(list_modules())

    assert type(caught.value) is error
    assert isinstance(caught.value, RetryableError)
    assert caught.value.path == "settings/modules" or error is TooManyRequests  # which may be held back before it is a call
    assert time.monotonic() - started < 15.0
    assert len(emulator.requests(MODULES)) > 1


def test_a_slow_answer_is_asked_for_again(config: ClientConfig, connect: Connect, emulator: Control) -> None:
    side = connect(ClientConfig(**{**config.__dict__, "request_timeout": 0.3}))
    emulator.fault("slow", MODULES, seconds=1.0)

    assert len(side.send(list_modules())) == 2
    assert len(emulator.requests(MODULES)) == 2


@each_passing_fault
def test_without_retries_a_call_is_sent_once_and_fails_alike(
    config: ClientConfig, connect: Connect, emulator: Control, fault: str, order: dict[str, Any], error: type[ZohoCrmError]
) -> None:
    emulator.fault(fault, MODULES, times=None, **order)

    with pytest.raises(error) as caught:
        connect(config, NO_RETRIES).send(list_modules())

    assert type(caught.value) is error
    # aiohttp itself repeats a read whose kept connection was closed, once
    assert len(emulator.requests(MODULES)) in ((1, 2) if error is ConnectionFailed else (1,))


def test_without_retries_a_rejected_token_is_replaced_all_the_same(config: ClientConfig, connect: Connect, emulator: Control) -> None:
    side = connect(config, NO_RETRIES)
    side.send(list_modules())
    emulator.evict_access_tokens()

    assert len(side.send(list_modules())) == 2
    assert [entry["status"] for entry in emulator.requests(MODULES)] == [200, 401, 200]


def test_a_permanent_error_is_not_sent_again(side: Side, emulator: Control) -> None:
    with pytest.raises(InvalidModule):
        side.send(list_tags("Nonsense"))

    assert len(emulator.requests("/crm/")) == 1


def test_a_job_that_must_wait_for_another_is_not_sent_again(side: Side, emulator: Control) -> None:
    emulator.jobs(start_delay=100)
    side.send(submit_records_by_view("Leads", "2276164000000538003"))

    with pytest.raises(JobAlreadyRunning):
        side.send(submit_records_by_view("Leads", "2276164000000538003"))

    assert len(emulator.requests("/crm/")) == 2


@pytest.mark.parametrize("body", ["envelope", "legacy", "html"])
def test_a_429_of_any_shape_is_waited_out(side: Side, emulator: Control, body: str) -> None:
    emulator.readings(too_many_requests_body=body)
    emulator.fault("status", MODULES, status=429)

    assert len(side.send(list_modules())) == 2


def test_zohos_own_word_about_waiting_is_honoured(side: Side, emulator: Control) -> None:
    emulator.fault("status", MODULES, status=429, headers={"Retry-After": "0.5"})
    side.send(list_tags("Leads"))
    started = time.monotonic()

    side.send(list_modules())

    assert 0.5 <= time.monotonic() - started < 5.0


def test_a_wait_that_is_longer_than_our_patience_is_not_begun(side: Side, emulator: Control) -> None:
    emulator.readings(too_many_requests_body="trace")
    emulator.fault("status", MODULES, times=None, status=429)
    started = time.monotonic()

    with pytest.raises(TooManyRequests) as caught:
        side.send(list_modules())

    assert 59 < (caught.value.retry_after or 0) <= 60
    assert time.monotonic() - started < 15.0
    assert len(emulator.requests(MODULES)) == 1


def test_a_retry_is_told_in_the_log(side: Side, emulator: Control, caplog: pytest.LogCaptureFixture) -> None:
    emulator.fault("status", MODULES)
    with caplog.at_level(logging.WARNING, logger="airflow_provider_zcrm"):
        side.send(list_modules())

    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "Internal Server Error [GET settings/modules: HTTP 500 INTERNAL_ERROR] Trying again in 0 s." in caplog.text


def test_the_org_may_have_fewer_calls_at_once_than_we_think(config: ClientConfig, connect: Connect, emulator: Control) -> None:
    emulator.change_org(concurrency=1)
    emulator.latency(0.02)

    assert len(connect(config, RetryPolicy(give_up_after=20.0, first=0.05, longest=0.2)).send_together([list_modules()] * 4)) == 4


# --- the policy itself ---------------------------------------------------------------------------------------------------


def wait_of(policy: RetryPolicy, attempt: int, error: Exception | None) -> float:
    state = RetryCallState(policy.retrying(), None, (), {})
    state.attempt_number = attempt
    if error is not None:
        state.set_exception((type(error), error, None))
    return policy._wait(state)


def test_waits_are_random_and_double_up_to_the_longest() -> None:
    policy = RetryPolicy(first=1.0, longest=60.0)
    waits = [[wait_of(policy, attempt, ServiceUnavailable("m")) for _ in range(200)] for attempt in (1, 3, 10)]

    for bound, sample in zip((1.0, 4.0, 60.0), waits, strict=True):
        assert 0 <= min(sample) < 0.2 * bound
        assert 0.8 * bound < max(sample) <= bound


def test_only_a_429_can_lengthen_a_wait() -> None:
    policy = RetryPolicy(first=0.01)

    assert 7.0 <= wait_of(policy, 1, TooManyRequests("m", retry_after=7.0)) <= 7.01
    assert wait_of(policy, 1, TooManyRequests("m")) <= 0.01
    assert wait_of(policy, 1, ServiceUnavailable("m")) <= 0.01
    assert wait_of(policy, 1, None) <= 0.01


def test_refusals_without_end_overflow_nothing() -> None:
    backoff = SharedBackoff(first=1.0, longest=60.0)
    for _ in range(2000):
        backoff.refused(TooManyRequests("m"))

    with pytest.raises(TooManyRequests) as caught:
        backoff.check()
    assert 0 < (caught.value.retry_after or 0.0) <= 60.0
