"""When a job is asked for again: how often, how late an end may be noticed, and what failures do."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_zcrm.api.mass_delete import JobStatus
from airflow_provider_zcrm.api.poll_schedule import PollSchedule

SIX_HOURS = 6 * 3600.0
ELAPSED = st.floats(0, 10 * SIX_HOURS)
COUNTS = st.none() | st.integers(0, 10**6)
STATUS = st.none() | st.builds(JobStatus, st.sampled_from(["SCHEDULED", "RUNNING", "COMPLETED"]), COUNTS, COUNTS, COUNTS)
DEFAULT = PollSchedule()


def polls(length: float, *, counts: bool, starts_after: float = 0.0, total: int = 200) -> list[float]:
    """Return the moments of the polls of a job, up to the one that sees its end."""
    moments = [0.0]
    while moments[-1] < length:
        now = moments[-1]
        done = int(total * max(0.0, now - starts_after) / (length - starts_after))
        status = JobStatus("RUNNING", total, done, 0) if counts else JobStatus("RUNNING")
        moments.append(now + DEFAULT.next_wait(now, status))
    return moments


@given(ELAPSED, STATUS)
def test_a_wait_is_never_shorter_nor_longer_than_its_bounds(elapsed: float, status: JobStatus | None) -> None:
    assert DEFAULT.shortest <= DEFAULT.next_wait(elapsed, status) <= DEFAULT.longest


@given(ELAPSED, STATUS, st.floats(0.1, 60), st.floats(60, 3600))
def test_the_bounds_can_be_chosen(elapsed: float, status: JobStatus | None, shortest: float, longest: float) -> None:
    assert shortest <= PollSchedule(shortest=shortest, longest=longest).next_wait(elapsed, status) <= longest


@given(ELAPSED, STATUS)
def test_an_interval_that_the_user_chose_is_kept(elapsed: float, status: JobStatus | None) -> None:
    assert PollSchedule(interval=17.0).next_wait(elapsed, status) == 17.0


@given(ELAPSED, ELAPSED)
def test_without_counts_waits_only_grow(one: float, other: float) -> None:
    assert DEFAULT.next_wait(min(one, other)) <= DEFAULT.next_wait(max(one, other))


@given(STATUS)
def test_the_first_wait_is_five_seconds(status: JobStatus | None) -> None:
    assert DEFAULT.next_wait(0.0, status) == 5.0


def test_six_hours_without_counts_take_at_most_75_polls() -> None:
    assert len(polls(SIX_HOURS, counts=False)) <= 75


def test_counts_save_polls() -> None:
    assert len(polls(SIX_HOURS, counts=True)) < len(polls(SIX_HOURS, counts=False))
    assert len(polls(SIX_HOURS, counts=True)) <= 40


@given(st.floats(2, SIX_HOURS), st.booleans(), st.integers(1, 50_000))
def test_an_end_is_noticed_at_most_five_seconds_or_a_tenth_late(length: float, counts: bool, total: int) -> None:
    lateness = polls(length, counts=counts, total=total)[-1] - length

    assert 0 <= lateness <= max(5.0, length / 10) * 1.0000001


@given(st.floats(2, SIX_HOURS), st.floats(0, 0.99), st.integers(1, 50_000))
def test_the_end_of_a_job_that_stood_in_a_queue_is_noticed_at_most_five_seconds_or_a_half_late(
    length: float, queued: float, total: int
) -> None:
    lateness = polls(length, counts=True, starts_after=queued * length, total=total)[-1] - length

    assert 0 <= lateness <= max(5.0, length / 2) * 1.0000001


@pytest.mark.parametrize(
    "status",
    [None, JobStatus("SCHEDULED"), JobStatus("SCHEDULED", 10, 0, 0), JobStatus("RUNNING", 10, 10, 0), JobStatus("RUNNING", 0, 0, 0)],
)
def test_counts_that_foretell_nothing_change_nothing(status: JobStatus | None) -> None:
    assert DEFAULT.next_wait(600.0, status) == 60.0


def test_counts_foretell_the_end() -> None:
    assert DEFAULT.next_wait(600.0, JobStatus("RUNNING", 100, 69, 10)) == pytest.approx(0.9 * 150)


def test_a_forecast_reaches_no_further_than_half_of_the_time_that_has_passed() -> None:
    assert DEFAULT.next_wait(600.0, JobStatus("RUNNING", 100, 1, 0)) == 300.0
    assert DEFAULT.next_wait(6000.0, JobStatus("RUNNING", 100, 1, 0)) == 1800.0


# --- failures ------------------------------------------------------------------------------------------------------------


@given(st.integers(0, 10**6), st.booleans(), st.none() | st.floats(-10, 1e9) | st.just(math.inf))
def test_failures_never_wait_longer_than_15_minutes_or_less_than_they_should(failures: int, throttled: bool, said: float | None) -> None:
    wait = DEFAULT.after_failures(failures, throttled=throttled, retry_after=said)

    assert 0 < wait <= 900.0
    assert wait >= min(said or 0.0, 900.0)
    assert throttled or wait <= max(60.0, said or 0.0)


@given(st.integers(1, 10**6), st.booleans())
def test_waits_after_failures_only_grow(failures: int, throttled: bool) -> None:
    assert DEFAULT.after_failures(failures, throttled=throttled) <= DEFAULT.after_failures(failures + 1, throttled=throttled)


def test_waits_after_failures_double() -> None:
    assert [DEFAULT.after_failures(n) for n in range(1, 7)] == [5, 10, 20, 40, 60, 60]
    assert [DEFAULT.after_failures(n, throttled=True) for n in range(1, 11)] == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]


def test_zohos_own_word_is_honoured() -> None:
    assert DEFAULT.after_failures(1, throttled=True, retry_after=75) == 75
    assert DEFAULT.after_failures(1, throttled=True, retry_after=3600) == 900
    assert DEFAULT.after_failures(8, throttled=True, retry_after=1) == 640
