"""When a job is asked for again: how often, how late an end may be noticed, and what failures do."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_zcrm.api.mass_delete import JobStatus
from airflow_provider_zcrm.rules.poll_schedule import PollSchedule

SIX_HOURS = 6 * 3600.0
ELAPSED = st.floats(0, 10 * SIX_HOURS)
COUNTS = st.none() | st.integers(0, 10**6)
STATUS = st.none() | st.builds(JobStatus, st.sampled_from(["SCHEDULED", "RUNNING", "COMPLETED"]), COUNTS, COUNTS, COUNTS)
Earlier = tuple[float, JobStatus] | None
EARLIER = st.none() | st.tuples(ELAPSED, STATUS.filter(bool))
DEFAULT = PollSchedule()


PACES: dict[str, Callable[[float], float]] = {
    "even": lambda part: part,
    "ever faster": lambda part: part**3,
    "ever slower": lambda part: part**0.5,
    "stops in the middle": lambda part: min(part, 0.5) if part < 0.8 else 2.5 * part - 1.5,
    "stops at the end": lambda part: min(4 * part, 0.98) if part < 1 else 1.0,
    "rushes at the end": lambda part: part / 3 if part < 0.9 else 7 * part - 6,
}


def polls(length: float, *, counts: bool, queued: float = 0.0, total: int = 200, pace: str = "even") -> list[float]:
    """Return the moments of the polls of a job, up to the one that sees its end; ``queued`` is the part of its length without progress."""
    moments = [0.0]
    earlier: tuple[float, JobStatus] | None = None
    while moments[-1] < length:
        now = moments[-1]
        done = int(total * PACES[pace](max(0.0, now / length - queued) / (1 - queued)))
        status = JobStatus("RUNNING", total, done, 0) if counts else JobStatus("RUNNING")
        moments.append(now + DEFAULT.next_wait(now, status, earlier))
        earlier = now, status
    return moments


@given(ELAPSED, STATUS, EARLIER)
def test_a_wait_is_never_shorter_nor_longer_than_its_bounds(elapsed: float, status: JobStatus | None, earlier: Earlier) -> None:
    assert DEFAULT.shortest <= DEFAULT.next_wait(elapsed, status, earlier) <= DEFAULT.longest


@given(ELAPSED, STATUS, EARLIER)
def test_whatever_a_job_says_a_wait_is_never_longer_than_half_of_what_has_passed(
    elapsed: float, status: JobStatus | None, earlier: Earlier
) -> None:
    assert DEFAULT.next_wait(elapsed, status, earlier) <= max(5.0, elapsed / 2)


@given(ELAPSED, STATUS, st.floats(0.1, 60), st.floats(60, 3600))
def test_the_bounds_can_be_chosen(elapsed: float, status: JobStatus | None, shortest: float, longest: float) -> None:
    assert shortest <= PollSchedule(shortest=shortest, longest=longest).next_wait(elapsed, status) <= longest


@given(ELAPSED, STATUS, EARLIER)
def test_an_interval_that_the_user_chose_is_kept(elapsed: float, status: JobStatus | None, earlier: Earlier) -> None:
    assert PollSchedule(interval=17.0).next_wait(elapsed, status, earlier) == 17.0


@given(ELAPSED, ELAPSED)
def test_without_counts_waits_only_grow(one: float, other: float) -> None:
    assert DEFAULT.next_wait(min(one, other)) <= DEFAULT.next_wait(max(one, other))


@given(STATUS)
def test_the_first_wait_is_five_seconds(status: JobStatus | None) -> None:
    assert DEFAULT.next_wait(0.0, status) == 5.0


def test_six_hours_without_counts_take_at_most_75_polls() -> None:
    assert len(polls(SIX_HOURS, counts=False)) <= 75


def test_without_counts_a_schedule_with_fewer_polls_would_be_later() -> None:
    """Each wait is as long as the bound of the lateness allows: 5 s, or a tenth of the shortest job that may end in it."""
    moments = polls(4 * 3600, counts=False)
    waits = [later - now for now, later in pairwise(moments)]

    assert waits == pytest.approx([max(5.0, now / 10) for now in moments[:-1]])


@pytest.mark.parametrize(("total", "most"), [(10, 74), (200, 50), (50_000, 35)])
def test_counts_save_polls(total: int, most: int) -> None:
    assert len(polls(SIX_HOURS, counts=True, total=total)) <= most


@pytest.mark.parametrize("pace", PACES)
@pytest.mark.parametrize("queued", [0.0, 0.01, 0.3, 0.9])
@pytest.mark.parametrize("total", [10, 200, 50_000])
def test_whatever_the_pace_counts_cost_few_polls(pace: str, queued: float, total: int) -> None:
    assert len(polls(SIX_HOURS, counts=True, pace=pace, queued=queued, total=total)) <= 85


@given(st.floats(2, SIX_HOURS), st.floats(0, 0.99), st.integers(1, 50_000))
def test_a_job_at_one_pace_takes_no_more_polls_with_counts_than_without(length: float, queued: float, total: int) -> None:
    with_counts, without = (polls(length, counts=counts, queued=queued, total=total) for counts in (True, False))
    # of few items a forecast may miss by one poll
    assert len(with_counts) <= len(without) + (total < 100)


@given(st.floats(2, SIX_HOURS), st.booleans(), st.floats(0, 0.99), st.integers(1, 50_000))
def test_an_end_is_noticed_at_most_five_seconds_or_a_tenth_late(length: float, counts: bool, queued: float, total: int) -> None:
    lateness = polls(length, counts=counts, queued=queued, total=total)[-1] - length

    assert 0 <= lateness <= max(5.0, length / 10) * 1.0000001


@given(st.floats(2, SIX_HOURS), st.sampled_from(sorted(PACES)), st.floats(0, 0.99), st.integers(1, 50_000))
def test_whatever_the_pace_an_end_is_noticed_at_most_five_seconds_or_a_half_late(
    length: float, pace: str, queued: float, total: int
) -> None:
    lateness = polls(length, counts=True, pace=pace, queued=queued, total=total)[-1] - length

    assert 0 <= lateness <= max(5.0, length / 2) * 1.0000001


@pytest.mark.parametrize(
    ("status", "earlier"),
    [
        (None, None),
        (JobStatus("SCHEDULED"), None),
        (JobStatus("RUNNING", 10, 5, 0), None),
        (JobStatus("RUNNING", 10, 5, 0), (500.0, JobStatus("SCHEDULED", 10, 0, 0))),
        (JobStatus("RUNNING", 10, 5, 0), (500.0, JobStatus("RUNNING"))),
        (JobStatus("RUNNING", 10, 5, 0), (500.0, JobStatus("RUNNING", 10, 5, 0))),
        (JobStatus("RUNNING", 20, 5, 0), (500.0, JobStatus("RUNNING", 10, 4, 0))),
        (JobStatus("RUNNING", 10, 5, 0), (600.0, JobStatus("RUNNING", 10, 4, 0))),
        (JobStatus("RUNNING", 0, 0, 0), (500.0, JobStatus("RUNNING", 0, 0, 0))),
        (JobStatus("RUNNING", 10, 10, 0), (500.0, JobStatus("RUNNING", 10, 10, 0))),
    ],
)
def test_counts_that_foretell_nothing_change_nothing(status: JobStatus | None, earlier: Earlier) -> None:
    assert DEFAULT.next_wait(600.0, status, earlier) == 60.0


def test_two_counts_foretell_the_end() -> None:
    # 39 more in 200 s, perhaps nearly 40; 40 are left, perhaps hardly more than 39
    earlier = (400.0, JobStatus("RUNNING", 100, 20, 1))
    assert DEFAULT.next_wait(600.0, JobStatus("RUNNING", 100, 50, 10), earlier) == pytest.approx(0.9 * 39 / 40 * 200)


def test_an_end_that_is_near_is_looked_for_just_behind_it() -> None:
    earlier = (500.0, JobStatus("RUNNING", 100, 50, 0))
    assert DEFAULT.next_wait(600.0, JobStatus("RUNNING", 100, 90, 0), earlier) == pytest.approx(1.1 * 25)
    assert DEFAULT.next_wait(600.0, JobStatus("RUNNING", 100, 80, 0), earlier) == 60.0


def test_a_forecast_reaches_no_further_than_half_of_the_time_that_has_passed() -> None:
    earlier = (500.0, JobStatus("RUNNING", 10_000, 1, 0))
    assert DEFAULT.next_wait(600.0, JobStatus("RUNNING", 10_000, 2, 0), earlier) == 300.0
    assert DEFAULT.next_wait(6000.0, JobStatus("RUNNING", 10_000, 2, 0), earlier) == 1800.0


def test_a_last_item_that_takes_long_is_not_asked_for_without_end() -> None:
    earlier = (500.0, JobStatus("RUNNING", 100, 10, 0))
    assert DEFAULT.next_wait(600.0, JobStatus("RUNNING", 1000, 999, 0), earlier) == pytest.approx(6.0)


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
