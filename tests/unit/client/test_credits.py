"""What is counted of calls and credits, and what is logged of them."""

from __future__ import annotations

import logging

import pytest

from airflow_provider_zcrm.api.call import ApiResponse
from airflow_provider_zcrm.client.credits import CreditsWatch


def saw(watch: CreditsWatch, number: str | None) -> None:
    watch.saw(ApiResponse(200, {} if number is None else {"x-api-credits-remaining": number}, b"{}"))


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    """Return the level of each line, and its number of credits."""
    lines = [
        (record.levelno, record.getMessage().partition("The org has ")[2].partition(" API credits left")[0]) for record in caplog.records
    ]
    caplog.clear()
    return lines


def test_each_call_is_counted() -> None:
    watch = CreditsWatch()
    assert watch.calls == 0

    for _ in range(3):
        watch.sending()

    assert watch.calls == 3


@pytest.mark.parametrize("number", [None, "", "many"])
def test_an_answer_without_credits_changes_nothing(number: str | None, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    watch = CreditsWatch()
    saw(watch, number)
    assert watch.left is None

    saw(watch, "4000")
    saw(watch, number)

    assert watch.left == 4000
    assert said(caplog) == [(logging.INFO, "4000")]


def test_credits_are_reported_once_and_once_more_when_they_run_low(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    watch = CreditsWatch()

    for number in ("1001", "1000"):
        saw(watch, number)
    assert said(caplog) == [(logging.INFO, "1001")]
    for number in ("999", "998"):
        saw(watch, number)

    assert said(caplog) == [(logging.WARNING, "999")]
    assert watch.left == 998


def test_after_a_warning_the_next_day_is_not_reported(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    watch = CreditsWatch()

    for number in ("10", "4000", "10"):
        saw(watch, number)

    assert said(caplog) == [(logging.WARNING, "10")]
