"""Watching several jobs: which are open, which are lost, and when to ask again."""

from __future__ import annotations

import json

import pytest

from airflow_provider_zcrm.api.mass_delete import JobStatus, MassDeleteJob
from airflow_provider_zcrm.rules.job_watch import LOST, NOT_ASKED, JobWatch, report, sentence
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
        (None, "job 1 not asked yet"),
        (JobStatus("SCHEDULED"), "job 1 SCHEDULED"),
        (JobStatus("RUNNING", 8), "job 1 RUNNING"),
        (JobStatus("RUNNING", None, 3), "job 1 RUNNING (3 deleted)"),
        (JobStatus("COMPLETED", 8, 7, 1), "job 1 COMPLETED (7 deleted, 1 failed of 8)"),
        (JobStatus("FAILED", 8, 0, 8), "job 1 FAILED (0 deleted, 8 failed of 8)"),
    ],
)
def test_a_report_in_words(status: JobStatus | None, words: str) -> None:
    assert sentence(report(ONE, status)) == words
