"""Watching several jobs: which are open, which are lost, and when to ask again."""

from __future__ import annotations

import json
import math

import pytest

from airflow_provider_zcrm.api.errors import (
    ConnectionFailed,
    ServiceUnavailable,
    TokenThrottled,
    TooManyRequests,
    UnexpectedAnswer,
    UnreadableResponse,
    ZohoCrmError,
)
from airflow_provider_zcrm.api.mass_delete import JobStatus, MassDeleteJob
from airflow_provider_zcrm.api.oauth import TOKEN_PATH
from airflow_provider_zcrm.rules.job_watch import LOST, NO_STATUS, NOT_ASKED, JobWatch, report, sentence
from airflow_provider_zcrm.rules.poll_schedule import PollSchedule

ONE, TWO = MassDeleteJob("tags", "1", "Leads"), MassDeleteJob("records", "2", "Contacts")


def watch(*jobs: MassDeleteJob, grace: float = 60.0) -> JobWatch:
    return JobWatch(jobs or (ONE, TWO), PollSchedule(), grace)


def test_a_job_of_which_nothing_is_known_is_open() -> None:
    assert watch().open_jobs() == [ONE, TWO]
    assert [job["state"] for job in watch().reports()] == [NOT_ASKED, NOT_ASKED]


@pytest.mark.parametrize("state", ["COMPLETED", "FAILED"])
def test_a_job_that_has_ended_is_not_asked_for_again(state: str) -> None:
    jobs = watch()
    jobs.saw(ONE, JobStatus(state), 0.0)
    jobs.saw(TWO, JobStatus("SOMETHING_NEW"), 0.0)

    assert jobs.open_jobs() == [TWO]


def test_a_change_of_state_is_told_and_a_change_of_counts_is_not() -> None:
    jobs = watch()

    changes = [
        jobs.saw(ONE, status, 0.0) for status in (JobStatus("RUNNING"), JobStatus("RUNNING", 10, 5), JobStatus("COMPLETED", 10, 10, 0))
    ]

    assert changes == [True, False, True]
    assert jobs.reports()[0] == {
        "id": "1",
        "kind": "tags",
        "module": "Leads",
        "state": "COMPLETED",
        "total": 10,
        "deleted": 10,
        "failed": 0,
    }


def test_an_unknown_job_is_lost_when_its_grace_is_over() -> None:
    jobs = watch()

    assert [jobs.saw_unknown(ONE, elapsed) for elapsed in (100.0, 130.0, 159.9)] == [True, False, False]
    assert jobs.unknown_jobs() == [ONE]
    assert jobs.open_jobs() == [ONE, TWO]

    assert jobs.saw_unknown(ONE, 160.0) is True
    assert jobs.unknown_jobs() == []
    assert jobs.open_jobs() == [TWO]


def test_a_job_that_comes_back_has_its_whole_grace_again() -> None:
    jobs = watch()
    jobs.saw_unknown(ONE, 100.0)
    jobs.saw(ONE, JobStatus("RUNNING"), 110.0)

    assert jobs.unknown_jobs() == []
    jobs.saw_unknown(ONE, 170.0)
    assert jobs.unknown_jobs() == [ONE]


def test_without_grace_an_unknown_job_is_lost_at_once() -> None:
    jobs = watch(ONE, grace=0)

    assert jobs.saw_unknown(ONE, 5.0) is True
    assert jobs.open_jobs() == []


def test_a_lost_job_keeps_its_last_counts() -> None:
    jobs = watch(ONE, grace=0)
    jobs.saw(ONE, JobStatus("RUNNING", 10, 4, 1), 0.0)
    jobs.saw_unknown(ONE, 5.0)

    assert jobs.reports() == [{"id": "1", "kind": "tags", "module": "Leads", "state": LOST, "total": 10, "deleted": 4, "failed": 1}]


def test_the_job_that_is_due_first_says_when_to_ask_again() -> None:
    jobs = watch()
    jobs.saw(ONE, JobStatus("SCHEDULED", 100, 0, 0), 600.0)
    jobs.saw(TWO, JobStatus("RUNNING", 100, 40, 0), 600.0)
    assert jobs.next_wait(610.0) == 50.0

    jobs.saw(ONE, JobStatus("SCHEDULED", 100, 0, 0), 660.0)
    jobs.saw(TWO, JobStatus("RUNNING", 100, 79, 0), 660.0)
    assert jobs.next_wait(660.0) == pytest.approx(1.1 * 21 / 39 * 60)

    jobs.saw(TWO, JobStatus("COMPLETED"), 690.0)
    assert jobs.next_wait(690.0) == 36.0


def test_a_job_is_asked_for_when_its_own_time_has_come() -> None:
    jobs = watch()
    assert jobs.due_jobs(0.0) == [ONE, TWO]

    jobs.saw(ONE, JobStatus("SCHEDULED"), 0.0)
    jobs.saw_unknown(TWO, 4.8)
    assert [jobs.due_jobs(elapsed) for elapsed in (4.0, 5.0, 10.0)] == [[], [ONE], [ONE, TWO]]

    jobs.saw(ONE, JobStatus("SCHEDULED"), 9.5)
    assert jobs.due_jobs(14.3) == [ONE, TWO]


def test_a_job_that_was_never_asked_for_is_due_after_the_first_wait_and_after_a_restart_at_once() -> None:
    assert watch().next_wait(0.0) == 5.0
    assert watch().next_wait(3.0) == 2.0
    assert watch().next_wait(600.0) == 0.0


def test_when_all_have_ended_there_is_nothing_to_wait_for() -> None:
    jobs = watch(ONE)
    jobs.saw(ONE, JobStatus("COMPLETED"), 600.0)

    assert jobs.next_wait(600.0) == 0.0


def test_a_job_that_is_named_twice_is_asked_for_once() -> None:
    assert watch(ONE, ONE).open_jobs() == [ONE]


def test_reports_are_json() -> None:
    jobs = watch()
    jobs.saw(ONE, JobStatus("RUNNING", 3), 0.0)

    assert json.loads(json.dumps(jobs.reports())) == jobs.reports()


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (JobStatus(NOT_ASKED), "job 1 not asked yet"),
        (JobStatus("SCHEDULED"), "job 1 SCHEDULED"),
        (JobStatus("RUNNING", 8), "job 1 RUNNING"),
        (JobStatus("RUNNING", None, 3), "job 1 RUNNING (3 deleted)"),
        (JobStatus("COMPLETED", 8, 7, 1), "job 1 COMPLETED (7 deleted, 1 failed of 8)"),
        (JobStatus("FAILED", 8, 0, 8), "job 1 FAILED (0 deleted, 8 failed of 8)"),
    ],
)
def test_a_report_in_words(status: JobStatus, words: str) -> None:
    assert sentence(report(ONE, status)) == words


# --- what a wait says at its end -----------------------------------------------------------------------------------------


def test_the_last_words_say_how_often_each_job_was_asked_for_and_what_was_answered_last() -> None:
    jobs = watch()
    assert jobs.last_words() == "job 1 not asked yet; job 2 not asked yet"
    for _ in range(41):
        jobs.asks(ONE)
        jobs.refused(ONE, UnreadableResponse("a page", status=403), 1.0)
    assert jobs.last_words() == "job 1 without a status, asked 41 times; job 2 not asked yet; last answer: HTTP 403 (a page)"
    assert [job["state"] for job in jobs.reports()] == [NO_STATUS, NOT_ASKED]

    jobs.asks(TWO)
    jobs.saw(TWO, JobStatus("RUNNING", 8, 3), 2.0)
    assert jobs.last_words() == "job 1 without a status, asked 41 times; job 2 RUNNING (3 deleted of 8), asked 1 time"

    jobs.failed(ConnectionFailed("No answer."))
    assert jobs.last_words().endswith("asked 1 time; last answer: No answer.")


# --- one and the same refusal --------------------------------------------------------------------------------------------

PAGE = UnreadableResponse("a page", status=403)


def refuse(jobs: JobWatch, *answers: ZohoCrmError, every: float = 60.0, start: float = 0.0) -> None:
    for number, error in enumerate(answers):
        jobs.refused(ONE, error, start + number * every)


def test_one_and_the_same_4xx_at_ten_polls_and_for_ten_minutes_ends_the_wait_with_it() -> None:
    jobs = watch()
    refuse(jobs, *[PAGE] * 10)
    with pytest.raises(UnexpectedAnswer, match="same answer at 11 polls in a row, for 10 minutes: a page") as caught:
        jobs.refused(ONE, PAGE, 600.0)
    assert caught.value.status == 403


@pytest.mark.parametrize(("number", "every"), [(9, 300.0), (50, 10.0)])
def test_fewer_polls_or_less_time_do_not(number: int, every: float) -> None:
    refuse(watch(), *[PAGE] * number, every=every)


@pytest.mark.parametrize("status", [401, 404, 408, 429, 500, 503, 200, 302, None])
def test_another_status_does_not(status: int | None) -> None:
    refuse(watch(), *[UnreadableResponse("x", status=status)] * 50)


@pytest.mark.parametrize(
    "error",
    [
        TokenThrottled("x", status=400, path=TOKEN_PATH),
        ServiceUnavailable("x", status=400, path=TOKEN_PATH),
        TooManyRequests("x", status=429),
    ],
)
def test_what_is_not_about_the_job_does_not(error: ZohoCrmError) -> None:
    refuse(watch(), *[error] * 50)


@pytest.mark.parametrize(
    "between", [UnreadableResponse("x", status=502), UnreadableResponse("x", status=405), ServiceUnavailable("x", status=403, code="OTHER")]
)
def test_another_answer_between_begins_anew(between: ZohoCrmError) -> None:
    refuse(watch(), *[PAGE] * 9, between, *[PAGE] * 9)


def test_a_status_between_begins_anew() -> None:
    jobs = watch()
    refuse(jobs, *[PAGE] * 9)
    jobs.saw(ONE, JobStatus("RUNNING"), 540.0)
    refuse(jobs, *[PAGE] * 9, start=600.0)


# --- a silent hour -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "hint"), [("SCHEDULED", False), ("DONE", True)])
def test_a_job_of_which_zoho_says_the_same_for_an_hour_is_warned_of_each_hour(state: str, hint: bool) -> None:
    jobs = watch(ONE)
    warned = []
    for minutes in range(0, 200, 10):
        jobs.saw(ONE, JobStatus(state, 8), minutes * 60.0)
        if words := jobs.warnings(minutes * 60.0):
            warned.append((minutes, *words))
    assert [minutes for minutes, _ in warned] == [60, 120, 180]
    assert f"job 1 {state}" in warned[0][1]
    assert ("do not have that word" in warned[0][1]) is hint


def test_a_job_that_changes_or_has_ended_is_not_warned_of() -> None:
    jobs = watch()
    jobs.saw(TWO, JobStatus("COMPLETED"), 0.0)
    for minutes in range(0, 200, 10):
        jobs.saw(ONE, JobStatus("RUNNING", 8, minutes // 50), minutes * 60.0)
        assert jobs.warnings(minutes * 60.0) == []


def impatient(*jobs: MassDeleteJob, on_partial_failure: str = "fail") -> JobWatch:
    """Return the watch of a task that fails with the first job that fails."""
    return JobWatch(jobs or (ONE, TWO), PollSchedule(), 0.0, on_partial_failure)


def test_once_a_job_has_failed_the_others_are_asked_for_once_more_at_once() -> None:
    jobs = impatient()
    jobs.saw(TWO, JobStatus("RUNNING"), 9.0)
    jobs.saw(ONE, JobStatus("FAILED"), 10.0)
    assert (jobs.some_failed, jobs.is_over(10.0), jobs.next_wait(10.0), jobs.due_jobs(10.0)) == (True, False, 0.0, [TWO])

    jobs.saw(TWO, JobStatus("RUNNING"), 10.0)
    assert jobs.is_over(10.0)
    assert [job["state"] for job in jobs.reports()] == ["FAILED", "RUNNING"]


def test_others_that_cannot_be_asked_for_do_not_hold_up_the_failure_for_more_than_a_minute() -> None:
    jobs = impatient()
    jobs.saw(ONE, JobStatus("FAILED"), 10.0)
    left = [(jobs.is_over(now), jobs.time_left(now)) for now in (10.0, 69.9, 70.0)]
    assert left == [(False, 60.0), (False, pytest.approx(0.1)), (True, 0)]


@pytest.mark.parametrize(
    ("status", "on_partial_failure", "fails"),
    [
        (JobStatus("FAILED"), "ignore", True),
        (JobStatus("COMPLETED", 2, 1, 1), "fail", True),
        (JobStatus("COMPLETED", 2, 1), "fail", True),
        (JobStatus("COMPLETED", 2, 1, 1), "ignore", False),
        (JobStatus("COMPLETED", 2, 2, 0), "fail", False),
        (JobStatus("RUNNING", 2, 1, 1), "fail", False),
    ],
)
def test_what_fails_the_task_for_sure(status: JobStatus, on_partial_failure: str, fails: bool) -> None:
    jobs = impatient(on_partial_failure=on_partial_failure)
    jobs.saw(ONE, status, 10.0)
    assert jobs.some_failed == fails


def test_a_lost_job_fails_the_task_for_sure_and_an_unknown_one_does_not_yet() -> None:
    jobs = JobWatch((ONE, TWO), PollSchedule(), 60.0, "ignore")
    jobs.saw_unknown(ONE, 10.0)
    assert not jobs.some_failed
    jobs.saw_unknown(ONE, 70.0)
    assert jobs.some_failed


def test_a_task_that_judges_all_jobs_together_waits_for_all() -> None:
    jobs = watch()
    jobs.saw(ONE, JobStatus("FAILED"), 10.0)
    assert (jobs.some_failed, jobs.is_over(10.0), jobs.time_left(10.0)) == (False, False, math.inf)
