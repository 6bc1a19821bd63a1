"""What is tried again, and after which waits; on a clock that only waiting moves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from airflow_provider_zcrm.api.errors import (
    InvalidRequest,
    JobAlreadyRunning,
    ServiceUnavailable,
    SubmissionUncertain,
    TagNotFound,
    TokenRejected,
    TokenThrottled,
    TooManyRequests,
    ZohoCrmError,
)
from airflow_provider_zcrm.client.retries import NO_RETRIES, RetryPolicy
from tests.unit.client.conftest import Chance, Clock

Try = Callable[[RetryPolicy, Callable[[], Any], Clock], Any]


def synchronous(policy: RetryPolicy, function: Callable[[], Any], clock: Clock) -> Any:
    return policy.retrying()(function)


def asynchronous(policy: RetryPolicy, function: Callable[[], Any], clock: Clock) -> Any:
    async def call() -> Any:
        return function()

    async def sleep(seconds: float) -> None:
        clock.sleep(seconds)

    return asyncio.run(policy.async_retrying().copy(sleep=sleep)(call))


both = pytest.mark.parametrize("try_", [synchronous, asynchronous])


class Fails:
    """A call that fails each time; after so many calls it would do so for ever."""

    def __init__(self, error: ZohoCrmError) -> None:
        self.error = error
        self.calls = 0

    def __call__(self) -> NoReturn:
        self.calls += 1
        assert self.calls < 200
        raise self.error


@both
def test_the_waits_double_up_to_the_longest_and_no_retry_starts_too_late(try_: Try, clock: Clock, chance: Chance) -> None:
    call = Fails(ServiceUnavailable("Zoho cannot answer."))

    with pytest.raises(ServiceUnavailable):
        try_(RetryPolicy(give_up_after=40.0, first=2.0, longest=10.0), call, clock)

    assert clock.slept == [2.0, 4.0, 8.0, 10.0, 10.0]
    assert {low for low, _ in chance.bounds} == {0}


@both
def test_what_works_in_the_end_is_returned(try_: Try, clock: Clock, chance: Chance) -> None:
    answers: list[Any] = [ServiceUnavailable("Zoho cannot answer."), "here it is"]

    def call() -> Any:
        answer = answers.pop(0)
        if isinstance(answer, ZohoCrmError):
            raise answer
        return answer

    assert try_(RetryPolicy(), call, clock) == "here it is"
    assert clock.slept == [1.0]


@both
def test_after_a_429_the_wait_is_added_to_what_zoho_asks_for(try_: Try, clock: Clock, chance: Chance) -> None:
    with pytest.raises(TooManyRequests):
        try_(RetryPolicy(give_up_after=50.0), Fails(TooManyRequests("No more.", retry_after=20.0)), clock)

    assert clock.slept == [21.0, 22.0]


@both
def test_a_429_that_asks_for_nothing_is_as_any_other_fault(try_: Try, clock: Clock, chance: Chance) -> None:
    with pytest.raises(TooManyRequests):
        try_(RetryPolicy(give_up_after=5.0), Fails(TooManyRequests("No more.")), clock)

    assert clock.slept == [1.0, 2.0]


@both
def test_no_retry_starts_after_the_callers_own_deadline(try_: Try, clock: Clock, chance: Chance) -> None:
    call = Fails(ServiceUnavailable("Zoho cannot answer."))

    with pytest.raises(ServiceUnavailable):
        try_(RetryPolicy(until=clock.now + 3.5), call, clock)

    assert clock.slept == [1.0, 2.0, 0.5]


@both
def test_past_the_deadline_a_call_is_tried_once(try_: Try, clock: Clock, chance: Chance) -> None:
    call = Fails(ServiceUnavailable("Zoho cannot answer."))

    with pytest.raises(ServiceUnavailable):
        try_(RetryPolicy(until=clock.now - 5.0), call, clock)

    assert (call.calls, clock.slept) == (1, [])


@both
@pytest.mark.parametrize("kind", [InvalidRequest, SubmissionUncertain, TokenRejected, JobAlreadyRunning, TagNotFound, TokenThrottled])
def test_what_waiting_here_does_not_help_is_tried_once(kind: type[ZohoCrmError], try_: Try, clock: Clock, chance: Chance) -> None:
    call = Fails(kind("No."))

    with pytest.raises(kind):
        try_(RetryPolicy(), call, clock)

    assert call.calls == 1


@both
def test_without_retries_a_call_is_tried_once(try_: Try, clock: Clock, chance: Chance) -> None:
    call = Fails(ServiceUnavailable("Zoho cannot answer."))

    with pytest.raises(ServiceUnavailable):
        try_(NO_RETRIES, call, clock)

    assert call.calls == 1


@both
def test_each_retry_is_logged_with_its_reason_and_its_wait(
    try_: Try, clock: Clock, chance: Chance, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ServiceUnavailable):
        try_(RetryPolicy(give_up_after=5.0), Fails(ServiceUnavailable("Zoho cannot answer.")), clock)

    assert [("Zoho cannot answer. " in message, message[-4:]) for message in caplog.messages] == [(True, "1 s."), (True, "2 s.")]
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


def test_while_zoho_grants_no_token_the_store_is_looked_at_every_half_minute(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(TokenThrottled):
        RetryPolicy().waiting_for_token()(Fails(TokenThrottled("No more tokens.")))

    assert clock.slept == [30.0] * 51  # 25 of 26 minutes and a half
    assert len(caplog.messages) == 6  # after the first look and then after each tenth
    assert all(message.endswith("30 s.") for message in caplog.messages)


def test_a_token_is_not_waited_for_beyond_the_callers_deadline(clock: Clock) -> None:
    with pytest.raises(TokenThrottled):
        RetryPolicy(until=clock.now + 70.0).waiting_for_token()(Fails(TokenThrottled("No more tokens.")))

    assert clock.slept == [30.0, 30.0, 10.0]


def test_only_the_throttle_is_waited_for_where_a_token_is_asked_for(clock: Clock) -> None:
    call = Fails(ServiceUnavailable("Zoho cannot answer."))

    with pytest.raises(ServiceUnavailable):
        RetryPolicy().waiting_for_token()(call)

    assert call.calls == 1
