"""The plan for deleting the records of a custom view, one attempt at a time; each line of a test is a step, or what was seen after it."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any, TypeVar

import pytest

from airflow_provider_zcrm.api.errors import (
    InvalidRequest,
    JobAlreadyRunning,
    NoRecordsFound,
    NotSupported,
    PermissionDenied,
    ServiceUnavailable,
    SubmissionUncertain,
    TokenRejected,
    TooManyRequests,
    ZohoCrmError,
)
from airflow_provider_zcrm.api.mass_delete import JobStatus
from airflow_provider_zcrm.rules.errors import DeadlineReached, GuardTripped, ResubmissionForbidden, TooLate
from airflow_provider_zcrm.rules.guards import RecordGuards
from airflow_provider_zcrm.rules.view_deletion import (
    AskJob,
    CountView,
    Done,
    Fail,
    Send,
    Step,
    ViewRequest,
    ViewSeen,
    WaitUntil,
    WatchJob,
    heard,
    next_step,
)
from airflow_provider_zcrm.rules.view_journal import View, ViewJournal

T = TypeVar("T", bound=Step)
START = 1_700_000_000.25
VIEW = View("Leads", "5")
NORTH = View("Leads", "5", "7")
OTHER = View("Deals", "6")
HOST = "https://www.zohoapis.com"
AT = "2023-11-14 22:13:"  # what START is in words, without its seconds
TEN_RECORDS, ANY_RECORDS, A_TENTH = RecordGuards(10, Fraction(1)), RecordGuards(None, Fraction(1)), RecordGuards(None, Fraction(1, 10))
RUNNING, DELETED, LEFT = JobStatus("RUNNING", 5, 1, 0), JobStatus("COMPLETED", 5, 5, 0), JobStatus("COMPLETED", 5, 3, 0)


class Attempt:
    """An attempt; its clock moves only where a test lets it."""

    def __init__(self, after: Attempt | None = None, *, run: int = 1, host: str = HOST, deadline: float = 7200.0, **request: Any) -> None:
        self.request = ViewRequest(**{"view": VIEW, "guards": TEN_RECORDS, "wait": True, **request})
        self.now = after.now + 100.0 if after else START
        stored = after.journal if after else ViewJournal(run, 0.0)
        self.journal = stored.for_run(run, host, self.now + deadline)
        self.seen = ViewSeen()

    def step(self) -> Step:
        """Return the next step, without doing it."""
        return next_step(self.request, self.journal, self.seen, self.now)[1]

    def does(self, kind: type[T]) -> T:
        """Save the journal of the next step, as JSON, and return the step."""
        journal, step = next_step(self.request, self.journal, self.seen, self.now)
        assert isinstance(step, kind), step
        stored = ViewJournal.from_json(json.loads(json.dumps(journal.to_json())))
        assert stored == journal
        self.journal = stored
        return step

    def later(self, seconds: float) -> Attempt:
        self.now += seconds
        return self

    def counts(self, in_view: int, in_module: int = 100) -> Attempt:
        self.does(CountView)
        self.seen = self.seen.with_count(in_view, in_module, self.now)
        return self

    def sends(self, answer: str | ZohoCrmError) -> Attempt:
        self.does(Send)
        return self.hears(answer)

    def hears(self, answer: str | ZohoCrmError) -> Attempt:
        self.journal = heard(self.journal, answer, self.later(1).now)
        self.seen = self.seen.with_answer(answer, self.now)
        return self

    def waits(self) -> float:
        """Do a `WaitUntil`, and return the seconds that it took."""
        step = self.does(WaitUntil)
        seconds = step.at - self.now
        assert seconds > 0
        self.now, self.seen = step.at, self.seen.with_wait()
        return seconds

    def asks(self, status: JobStatus | None) -> Attempt:
        step = self.does(AskJob)
        self.seen = self.seen.with_job(step.job_id, status, self.later(1).now)
        return self

    def fails(self, kind: type[ZohoCrmError]) -> str:
        step = self.does(Fail)
        assert type(step.error) is kind
        return str(step.error)


def accepted(job_id: str = "77", **values: Any) -> Attempt:
    """Return an attempt whose view Zoho has accepted."""
    return Attempt(**values).counts(5).sends(job_id)


def lost(**values: Any) -> Attempt:
    """Return an attempt whose answer was lost."""
    return Attempt(**values).counts(5).sends(SubmissionUncertain("No answer came."))


# --- a submission --------------------------------------------------------------------------------------------------------


def test_a_view_is_counted_submitted_and_watched() -> None:
    attempt = Attempt().counts(5)

    assert attempt.later(2).step() == Send(START + 10.0)
    attempt.does(Send)
    (intent,) = attempt.journal.submissions
    assert (intent.view, intent.state, intent.at, intent.counted) == (VIEW, "intent", START + 2.0, 5)
    attempt.hears("77")
    (submission,) = attempt.journal.submissions
    assert (submission.state, submission.at, submission.job_id) == ("accepted", START + 3.0, "77")
    assert attempt.does(WatchJob) == WatchJob("77")
    attempt.seen = attempt.seen.with_reports([{"id": "77"}])
    assert attempt.does(Done) == Done("77")


def test_without_waiting_a_task_is_done_when_its_job_is_accepted() -> None:
    assert accepted(wait=False).does(Done) == Done("77")


def test_a_dry_run_counts_and_submits_nothing() -> None:
    attempt = Attempt(dry_run=True).counts(5)

    assert attempt.does(Done) == Done(None)
    assert attempt.journal.submissions == ()


def test_a_dry_run_does_not_watch_the_job_that_there_is() -> None:
    assert Attempt(accepted(), dry_run=True).does(Done) == Done("77")


def test_a_view_that_shows_no_record_is_done() -> None:
    attempt = Attempt().counts(5).sends(NoRecordsFound("Nothing to delete."))

    assert attempt.does(Done) == Done(None)
    assert attempt.journal.submissions == ()


@pytest.mark.parametrize(
    ("guards", "count"),
    [
        (TEN_RECORDS, CountView(view=True, module=True)),
        (A_TENTH, CountView(view=True, module=True)),
        (ANY_RECORDS, CountView(view=False, module=False)),
    ],
)
def test_only_what_a_guard_needs_is_counted(guards: RecordGuards, count: CountView) -> None:
    attempt = Attempt(guards=guards)

    assert attempt.does(CountView) == count
    attempt.counts(5).does(Send)
    assert attempt.journal.submissions[0].counted == (5 if count.view else None)


def test_more_records_than_a_guard_allows_are_not_deleted() -> None:
    assert "11 records would be deleted (all that custom view 5 of Leads shows)" in Attempt().counts(11).fails(GuardTripped)
    said = Attempt(guards=A_TENTH, view=NORTH).counts(11).fails(GuardTripped)
    assert "custom view 5 of Leads shows, of which Zoho cannot count a territory's part). Leads has 100 records" in said


# --- a count is fresh ----------------------------------------------------------------------------------------------------


def test_a_count_is_good_for_ten_seconds() -> None:
    attempt = Attempt().counts(5)

    attempt.later(10).does(Send)
    attempt = Attempt().counts(5)
    attempt.later(10.5).does(CountView)


def test_after_a_wait_the_view_is_counted_however_short_it_was() -> None:
    attempt = Attempt().counts(5)
    attempt.seen = attempt.seen.with_wait()

    attempt.counts(5).does(Send)


def test_what_was_not_sent_because_saving_took_long_is_counted_again_after_a_pause() -> None:
    attempt = Attempt().counts(5)
    attempt.later(20)
    attempt.seen = attempt.seen.with_answer(TooLate("Saving took long."), attempt.now)

    assert attempt.waits() == 1.0
    attempt.counts(11).fails(GuardTripped)


def test_a_rejected_token_is_replaced_once_and_the_view_is_counted_with_the_new_one() -> None:
    attempt = Attempt().counts(5)
    attempt.sends(TokenRejected("No such token.")).later(1).counts(5)

    attempt.later(1).sends(TokenRejected("No such token.")).fails(TokenRejected)


def test_a_token_that_is_rejected_in_the_moment_of_the_count_may_be_the_one_that_counted() -> None:
    attempt = Attempt().counts(5)
    attempt.seen = attempt.seen.with_answer(TokenRejected("No such token."), attempt.now)

    attempt.does(CountView)


# --- refusals ------------------------------------------------------------------------------------------------------------


def test_a_refused_submission_leaves_no_trace_and_is_sent_again_after_growing_pauses() -> None:
    attempt = Attempt()
    pauses = []
    for _ in range(3):
        attempt.counts(5).sends(ServiceUnavailable("Zoho cannot answer."))
        assert attempt.journal.submissions == ()
        assert "Zoho cannot answer." in attempt.does(WaitUntil).why
        pauses.append(attempt.waits())

    assert pauses == [1.0, 2.0, 4.0]
    attempt.counts(5).sends("77").does(WatchJob)


def test_the_pauses_begin_again_after_another_kind_of_refusal() -> None:
    attempt = Attempt()
    for _ in range(2):
        attempt.counts(5).sends(ServiceUnavailable("Zoho cannot answer."))
        attempt.waits()
    attempt.counts(5).sends(TooManyRequests("No more.", retry_after=7.0))
    assert attempt.waits() == 7.0

    attempt.counts(5).sends(ServiceUnavailable("Zoho cannot answer."))

    assert attempt.waits() == 1.0


def test_refusals_that_last_five_minutes_end_the_attempt() -> None:
    attempt = Attempt()
    attempt.counts(5).sends(TooManyRequests("No more.", retry_after=298.0))
    attempt.waits()
    attempt.counts(5).sends(TooManyRequests("No more."))
    attempt.waits()

    attempt.counts(5).sends(TooManyRequests("No more.")).fails(TooManyRequests)


def test_another_job_is_waited_for_without_end() -> None:
    attempt = Attempt()
    pauses = []
    for _ in range(7):
        attempt.counts(5).sends(JobAlreadyRunning("Another one runs."))
        assert "Another one runs." in attempt.does(WaitUntil).why
        pauses.append(attempt.waits())

    assert pauses == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0, 60.0]


@pytest.mark.parametrize("kind", [InvalidRequest, PermissionDenied])
def test_a_refusal_that_lasts_fails_the_task_at_once(kind: type[ZohoCrmError]) -> None:
    Attempt().counts(5).sends(kind("No.")).fails(kind)


def test_where_the_edition_has_no_views_another_operator_is_named() -> None:
    assert "DeleteRecordsOperator works in all editions" in Attempt().counts(5).sends(NotSupported("No.")).fails(NotSupported)


# --- a submission whose outcome is unknown -------------------------------------------------------------------------------


def test_after_a_lost_answer_the_task_fails_and_says_where_to_look() -> None:
    attempt = lost()

    said = attempt.fails(SubmissionUncertain)
    assert "never sent again" in said
    assert "Recycle Bin" in said
    assert attempt.journal.submissions[0].state == "intent"


def test_a_retry_submits_nothing_while_the_outcome_is_unknown() -> None:
    attempt = Attempt(lost())

    said = attempt.fails(ResubmissionForbidden)
    assert f"At {AT}20+00:00 this task asked Zoho to delete the records of custom view 5 of Leads" in said
    assert "Nothing is sent. Look into the logs" in said
    assert "confirm_resubmit=True" in said


def test_a_confirmation_counts_when_the_task_is_cleared() -> None:
    before = lost()

    assert "confirm_resubmit counts from the next time" in Attempt(before, confirmed=True).fails(ResubmissionForbidden)
    Attempt(before, run=2).fails(ResubmissionForbidden)
    attempt = Attempt(before, run=2, confirmed=True).counts(5)
    attempt.does(Send)
    assert len(attempt.journal.submissions) == 2


def test_a_journal_that_is_gone_may_have_held_a_submission() -> None:
    attempt = Attempt()
    attempt.journal = attempt.journal.with_lost(VIEW, earlier_run=False)

    said = attempt.fails(ResubmissionForbidden)

    assert "an earlier attempt of this task has asked Zoho to delete the records of custom view 5 of Leads: its journal is gone" in said


def test_while_another_job_runs_a_confirmed_view_is_not_submitted() -> None:
    attempt = Attempt(lost(), run=2, confirmed=True).counts(5).sends(JobAlreadyRunning("Another one runs."))

    said = attempt.fails(ResubmissionForbidden)
    assert "Zoho runs a mass delete now, which may be that one" in said
    assert f"At {AT}20" in said
    assert "Audit Log" in said


def test_another_view_than_the_one_that_was_submitted_is_refused() -> None:
    said = Attempt(accepted(), view=OTHER).fails(ResubmissionForbidden)

    assert f"At {AT}21+00:00 Zoho accepted job 77 of this task for the records of custom view 5 of Leads. That was at {HOST}." in said
    assert f"Now it is to delete those of custom view 6 of Deals at {HOST}." in said
    assert "another DAG run" in said
    assert "It is not known whether" in Attempt(lost(), view=OTHER).fails(ResubmissionForbidden)
    assert f"at {HOST}/2." in Attempt(accepted(), host=f"{HOST}/2").fails(ResubmissionForbidden)


def test_another_view_is_submitted_when_a_person_has_confirmed_it() -> None:
    before = accepted()

    Attempt(before, view=OTHER, confirmed=True).fails(ResubmissionForbidden)
    Attempt(before, run=2, view=OTHER, confirmed=True).counts(5).does(Send)


# --- the job of an earlier attempt ---------------------------------------------------------------------------------------


def test_a_retry_takes_up_the_job_and_asks_nothing() -> None:
    assert Attempt(accepted()).does(WatchJob) == WatchJob("77")
    assert Attempt(accepted(), run=2).does(WatchJob) == WatchJob("77")
    assert Attempt(accepted(), confirmed=True).does(WatchJob) == WatchJob("77")


@pytest.mark.parametrize("status", [RUNNING, DELETED])
def test_a_cleared_and_confirmed_task_takes_up_a_job_that_has_left_nothing(status: JobStatus) -> None:
    attempt = Attempt(accepted(), run=2, confirmed=True)

    assert attempt.does(AskJob) == AskJob("77")
    assert attempt.asks(status).does(WatchJob) == WatchJob("77")


def test_what_a_job_has_left_is_submitted_after_a_confirmation() -> None:
    attempt = Attempt(accepted(), run=2, confirmed=True).asks(LEFT).counts(2).sends("78")

    assert attempt.does(WatchJob) == WatchJob("78")


def test_before_a_second_refusal_because_of_a_job_the_own_one_is_asked_for_again() -> None:
    attempt = Attempt(accepted(), run=2, confirmed=True).asks(LEFT).counts(2).sends(JobAlreadyRunning("Another one runs."))

    attempt.asks(LEFT)

    assert attempt.waits() == 4.0  # of 5 after the refusal


def test_a_job_that_zoho_does_not_know_is_asked_for_again_and_then_the_view_is_submitted() -> None:
    attempt = Attempt(accepted(), run=2, confirmed=True, unknown_job_grace=60.0)
    pauses = []
    attempt.asks(None)
    assert "job 77" in attempt.does(WaitUntil).why
    while not isinstance(attempt.step(), CountView):
        pauses.append(attempt.waits())
        attempt.asks(None)

    assert pauses == [15.0, 15.0, 15.0, 12.0]
    attempt.counts(5).does(Send)


def test_a_short_grace_is_looked_at_each_second() -> None:
    attempt = Attempt(accepted(), run=2, confirmed=True, unknown_job_grace=2.5).asks(None)

    assert attempt.waits() == 1.0
    assert attempt.asks(None).waits() == 0.5
    attempt.asks(None).does(CountView)


def test_a_job_that_is_known_again_is_taken_up_and_its_grace_begins_anew() -> None:
    attempt = Attempt(accepted(), run=2, confirmed=True, unknown_job_grace=60.0).asks(None)
    attempt.waits()
    attempt.seen = attempt.seen.with_job("77", RUNNING, attempt.now).with_job("77", None, attempt.later(30).now)

    assert attempt.waits() == 15.0
    attempt.asks(RUNNING).does(WatchJob)


def test_a_job_is_asked_for_when_the_time_for_it_has_come() -> None:
    attempt = Attempt(accepted(), run=2, confirmed=True, unknown_job_grace=60.0).asks(None)

    assert attempt.later(15).does(AskJob) == AskJob("77")


def test_a_job_that_was_asked_for_in_the_moment_of_the_refusal_is_not_asked_for_again() -> None:
    attempt = Attempt(accepted(), run=2, confirmed=True).asks(LEFT).counts(2).sends(JobAlreadyRunning("Another one runs."))
    attempt.seen = attempt.seen.with_job("77", LEFT, attempt.now)

    attempt.does(WaitUntil)


def test_the_grace_of_a_job_ends_when_it_was_not_known_for_so_long() -> None:
    attempt = Attempt(accepted(), run=2, confirmed=True, unknown_job_grace=60.0).asks(None)
    attempt.seen = attempt.seen.with_job("77", None, attempt.later(60).now)

    attempt.does(CountView)


def test_a_job_that_zoho_does_not_know_while_another_runs_may_be_that_one() -> None:
    attempt = Attempt(accepted(), run=2, confirmed=True).asks(LEFT).counts(2).sends(JobAlreadyRunning("Another one runs.")).asks(None)

    said = attempt.fails(ResubmissionForbidden)
    assert f"does not know job 77, which it accepted at {AT}21+00:00 for the records of custom view 5 of Leads" in said
    assert "runs a mass delete now, which may be that one" in said
    assert "Audit Log" in said


def test_another_refusal_says_nothing_of_a_job_that_zoho_does_not_know() -> None:
    attempt = Attempt(accepted(), run=2, confirmed=True).asks(LEFT).counts(2).sends(TooManyRequests("No more."))
    attempt.seen = attempt.seen.with_job("77", None, attempt.now)

    attempt.does(WaitUntil)


# --- the deadline --------------------------------------------------------------------------------------------------------


def test_nothing_is_sent_after_the_deadline() -> None:
    attempt = Attempt(deadline=5.0).counts(5)
    attempt.later(4).does(Send)

    said = Attempt(deadline=5.0).counts(5).later(5).fails(DeadlineReached)

    assert "before Zoho accepted the delete of the records of custom view 5 of Leads" in said


def test_nothing_is_waited_for_beyond_the_deadline() -> None:
    attempt = Attempt(deadline=30.0).counts(5).sends(TooManyRequests("No more.", retry_after=100.0))

    attempt.fails(DeadlineReached)


def test_a_job_may_be_watched_after_the_deadline() -> None:
    accepted(deadline=30.0).later(100).does(WatchJob)
