"""The plan for deleting the records of a custom view: whether it may be submitted now, and what to do otherwise.

    journal, step = next_step(request, journal, seen, now)    save the journal, then do the step, then report what was seen
    journal = heard(journal, answer, now)                     after a `Send`: what Zoho's answer means

A view is submitted once in a DAG run. The guards are judged directly before each submission: the view was counted at most 10 seconds
before, and nothing was waited for since. Only a person can find out whether Zoho accepted an unconfirmed submission.

Times are epoch seconds of one attempt's own clock. `seen` is what this attempt has seen; it is never stored.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from airflow_provider_zcrm.api.errors import (
    JobAlreadyRunning,
    NoRecordsFound,
    NotSupported,
    SubmissionUncertain,
    TokenRejected,
    ZohoCrmError,
)
from airflow_provider_zcrm.api.mass_delete import JobStatus
from airflow_provider_zcrm.rules.deadline import check_deadline
from airflow_provider_zcrm.rules.errors import ListShort, ResubmissionForbidden
from airflow_provider_zcrm.rules.guards import RecordGuards
from airflow_provider_zcrm.rules.job_watch import left_some
from airflow_provider_zcrm.rules.pauses import pause_for_other_job, pause_until
from airflow_provider_zcrm.rules.steps import Fail, WaitUntil
from airflow_provider_zcrm.rules.view_journal import Submission, View, ViewJournal

# seconds for which a count may be acted on
FRESH_COUNT = 10.0

_LOOK = (
    "Look into the logs of the earlier attempts and into Zoho CRM, whether the records are being deleted: the view itself, Setup > Data "
    "Administration > Recycle Bin, and Audit Log. If they are not, confirm_resubmit=True and clearing the task submit the view once more, "
    "as it is then."
)
_OTHER = (
    "Start another DAG run for what is still to be deleted, or give the task the view and the host that it had: mapped tasks must get "
    "their views in the same order each time. If this view is to go all the same, and no other task has submitted it, "
    "confirm_resubmit=True and clearing the task submit it."
)


@dataclass(frozen=True, kw_only=True)
class ViewRequest:
    """What a task requests, and what is allowed.

    :param guards: how many records the view may show, and which share of the module's.
    :param confirmed: a person has looked, and wants the view to be submitted again.
    :param unknown_job_grace: seconds for which Zoho may not know a job that it has accepted.
    :param wait: watch the job to its end.
    :param list_first: write the ids of the records to a file before each submission.
    """

    view: View
    guards: RecordGuards
    confirmed: bool = False
    unknown_job_grace: float = 60.0
    dry_run: bool = False
    wait: bool = False
    list_first: bool = False


@dataclass(frozen=True)
class ViewSeen:
    """What this attempt has seen so far.

    :param count: how many records Zoho counts in the view, how many in the module, and when.
    :param waited: something was waited for since the count.
    :param listed: path of the file with the ids of the records, and their number; None if something was waited for since.
    :param jobs: by job id, what Zoho says of a job (None: it does not know it), and since when it does not.
    :param job_asked_at: when a job was asked for last.
    :param refusals: how many refusals of one kind came one after the other, the last one, and when the first and the last came.
    :param lost: the answer of a submission of this attempt that was lost.
    :param empty: Zoho said that the view shows no record.
    :param reports: the reports of the job, once it has been watched to its end.
    """

    count: tuple[int, int, float] | None = None
    waited: bool = False
    listed: tuple[str, int] | None = None
    jobs: Mapping[str, tuple[JobStatus | None, float]] = field(default_factory=dict)
    job_asked_at: float = -math.inf
    refusals: tuple[int, ZohoCrmError, float, float] | None = None
    lost: ZohoCrmError | None = None
    empty: bool = False
    reports: Sequence[Mapping[str, Any]] | None = None

    def with_count(self, in_view: int, in_module: int, now: float) -> ViewSeen:
        """Note how many records Zoho counts in the view, and in the module."""
        return replace(self, count=(in_view, in_module, now), waited=False)

    def with_wait(self) -> ViewSeen:
        """Note that something was waited for."""
        return replace(self, waited=True, listed=None)

    def with_list(self, path: str, number: int) -> ViewSeen:
        """Note that the ids of the records are in a file; that took time, so the view is counted once more."""
        return replace(self, listed=(path, number), waited=True)

    def with_job(self, job_id: str, status: JobStatus | None, now: float) -> ViewSeen:
        """Note what Zoho says of a job, None if it does not know it."""
        before = self.jobs.get(job_id)
        since = before[1] if before is not None and before[0] is None and status is None else now
        return replace(self, jobs={**self.jobs, job_id: (status, since)}, job_asked_at=now)

    def with_answer(self, answer: str | ZohoCrmError, now: float) -> ViewSeen:
        """Note the answer to a submission: what went wrong; a job id stands in the journal."""
        if isinstance(answer, str):
            return self
        if isinstance(answer, SubmissionUncertain):
            return replace(self, lost=answer)
        if isinstance(answer, NoRecordsFound):
            return replace(self, empty=True)
        if self.refusals is not None and type(self.refusals[1]) is type(answer):
            times, _, since, _ = self.refusals
            return replace(self, refusals=(times + 1, answer, since, now))
        return replace(self, refusals=(1, answer, now, now))

    def with_reports(self, reports: Sequence[Mapping[str, Any]]) -> ViewSeen:
        """Note that the job has been watched to its end."""
        return replace(self, reports=tuple(reports))


# --- the steps -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AskJob:
    """Ask for the status of a job."""

    job_id: str


@dataclass(frozen=True)
class ListView:
    """Write the ids of the records that the view shows to a file."""


@dataclass(frozen=True)
class CountView:
    """Get an access token, and count the records of the view and of the module, as far as a guard needs it."""

    view: bool
    module: bool


@dataclass(frozen=True)
class Send:
    """Submit the view, once, and not later than ``before``: the journal is saved first, and that may take long.

    :param before: epoch seconds at which the count is too old.
    """

    before: float


@dataclass(frozen=True)
class WatchJob:
    """Watch the job until it has ended."""

    job_id: str


@dataclass(frozen=True)
class Done:
    """Nothing is left to do.

    :param job_id: the job of the view, None if there is none.
    """

    job_id: str | None


Step = AskJob | ListView | CountView | WaitUntil | Send | WatchJob | Done | Fail


def next_step(request: ViewRequest, journal: ViewJournal, seen: ViewSeen, now: float) -> tuple[ViewJournal, Step]:
    """Return the journal to save, and what to do when it is saved.

    :param journal: of this run of the task (`ViewJournal.for_run`).
    :param now: epoch seconds of the attempt's clock.
    """
    try:
        planned, step = _next(request, journal, seen, now)
        if isinstance(step, (Send, WaitUntil)):
            at = step.at if isinstance(step, WaitUntil) else now
            check_deadline(journal.deadline, at, f"Zoho accepted the delete of the records of {request.view}")
    except ZohoCrmError as error:
        return journal, Fail(error)
    return planned, step


def heard(journal: ViewJournal, answer: str | ZohoCrmError, now: float) -> ViewJournal:
    """Return the journal after the answer to a submission: a job id is kept, a refusal takes the intent back, a lost answer leaves it."""
    if isinstance(answer, str):
        return journal.with_job(answer, now)
    return journal if isinstance(answer, SubmissionUncertain) else journal.with_refusal()


def _next(request: ViewRequest, journal: ViewJournal, seen: ViewSeen, now: float) -> tuple[ViewJournal, Step]:
    if seen.lost is not None:
        seen.lost.advice = f"It is never sent again by itself. {_LOOK}"
        raise seen.lost
    if seen.empty or seen.reports is not None:
        return journal, Done(None if seen.empty else str(seen.reports[0]["id"]))  # type: ignore[index]
    taken_up = _job_to_take_up(request, journal, seen, now)
    if isinstance(taken_up, str):
        return journal, WatchJob(taken_up) if request.wait and not request.dry_run else Done(taken_up)
    if taken_up is not None:
        return journal, taken_up
    _check_confirmation(request, journal)
    first = _pause(request, journal, seen, now) or _count_first(request, seen, now) or _list_first(request, seen)
    if first is not None:
        return journal, first
    if request.dry_run or seen.count is None:
        return journal, Done(None)
    if seen.listed is not None:
        _check_list(request, seen.count, seen.listed)
        if not seen.listed[1]:
            return journal, Done(None)
    counted_at = seen.count[2]
    counted = seen.count[0] if request.guards.need_count else None
    return journal.with_intent(request.view, now, counted, seen.listed), Send(counted_at + FRESH_COUNT)


def _check_list(request: ViewRequest, count: tuple[int, int, float], listed: tuple[str, int]) -> None:
    """Judge the view by its list too: Zoho's count may be ten minutes old, and a list that is short brings back a part only.

    :raises GuardTripped: the list has more records than the view may show
    :raises ListShort: it has fewer than Zoho counts
    """
    (in_view, in_module, _), (path, number) = count, listed
    if not request.guards.need_count:
        return
    request.guards.check(max(in_view, number), in_module, f"{number} of {request.view} are listed in {path}", request.view.module)
    if number < in_view:
        raise ListShort(
            f"{path} lists {number} records, and Zoho counts {in_view} in {request.view}: the others could not be brought back. "
            "Nothing was sent.",
            advice="Zoho's count may be ten minutes old, so try again then. If it stays so, the Zoho user may not see all of them.",
        )


def _list_first(request: ViewRequest, seen: ViewSeen) -> ListView | None:
    """Return the list where one is wanted and none was made since the last wait."""
    return ListView() if request.list_first and not request.dry_run and seen.listed is None else None


def _count_first(request: ViewRequest, seen: ViewSeen, now: float) -> Step | None:
    """Return the count where there is none that may be acted on, and judge it by the guard.

    :raises GuardTripped: the view shows more records than it may
    """
    count, refusals = seen.count, seen.refusals
    if count is None or seen.waited or now - count[2] > FRESH_COUNT:
        return _count(request)
    # the token that counted may be the one that Zoho rejects
    if refusals is not None and isinstance(refusals[1], TokenRejected) and refusals[3] >= count[2]:
        return _count(request)
    in_view, in_module, _ = count
    request.guards.check(in_view, in_module, _shown(request.view), request.view.module)
    return None


def _count(request: ViewRequest) -> CountView:
    # the module also where any share may go, so that the log can say that the view holds all of it
    return CountView(view=request.guards.need_count, module=request.guards.need_count)


def _job_to_take_up(request: ViewRequest, journal: ViewJournal, seen: ViewSeen, now: float) -> str | Step | None:
    """Return the job that this task has submitted already, or how to find out; None if there is none or its rest is to be submitted.

    :raises ResubmissionForbidden: Zoho does not know the job, and runs a mass delete that may be this one
    """
    accepted = journal.accepted(request.view)
    if accepted is None:
        return None
    job_id = str(accepted.job_id)
    if not (request.confirmed and journal.may_be_confirmed(accepted)):
        return job_id
    known = seen.jobs.get(job_id)
    refused_at = seen.refusals[3] if seen.refusals and isinstance(seen.refusals[1], JobAlreadyRunning) else -math.inf
    if known is None or seen.job_asked_at < refused_at:
        return AskJob(job_id)
    status, since = known
    if status is not None:
        return None if left_some(status) else job_id
    if refused_at > -math.inf and seen.refusals:
        raise ResubmissionForbidden(
            f"Zoho does not know job {job_id}, which it accepted at {_when(accepted)} for the records of {request.view}, "
            "and runs a mass delete now, which may be that one.",
            advice=_LOOK,
        ) from seen.refusals[1]
    if seen.job_asked_at - since >= request.unknown_job_grace:
        return None
    look = min(since + request.unknown_job_grace, seen.job_asked_at + max(1.0, request.unknown_job_grace / 4))
    return WaitUntil(look, f"Zoho does not know job {job_id} now; it is asked again.") if look > now else AskJob(job_id)


def _check_confirmation(request: ViewRequest, journal: ViewJournal) -> None:
    """Refuse to submit anything after an earlier submission, unless a person has confirmed it.

    :raises ResubmissionForbidden: the outcome of an earlier submission is not known, or it was of another view or to another host
    """
    unknown = journal.unknown(request.view)
    if unknown is not None:
        _want_confirmation(request, journal, unknown, _doubt(unknown), _LOOK)
    other = journal.of_another(request.view)
    if other is not None:
        now = f"Now it is to delete those of {request.view} at {journal.host}."
        _want_confirmation(request, journal, other, f"{_said(other)} That was at {other.host}. {now}", _OTHER)


def _want_confirmation(request: ViewRequest, journal: ViewJournal, submission: Submission, what: str, advice: str) -> None:
    if not (request.confirmed and journal.may_be_confirmed(submission)):
        later = " confirm_resubmit counts from the next time that the task is cleared." if request.confirmed else ""
        raise ResubmissionForbidden(f"{what} Nothing is sent.{later}", advice=advice)


def _pause(request: ViewRequest, journal: ViewJournal, seen: ViewSeen, now: float) -> WaitUntil | None:
    """Return how long to wait after a refusal, None if that time is over or there was none.

    :raises ZohoCrmError: sending it again does not help, has not helped for long enough, or might be a second submission
    """
    if seen.refusals is None:
        return None
    times, error, since, at = seen.refusals
    if isinstance(error, JobAlreadyRunning):
        unknown = journal.unknown(request.view)
        if unknown is not None:
            raise ResubmissionForbidden(f"{_doubt(unknown)} Zoho runs a mass delete now, which may be that one.", advice=_LOOK) from error
        until, why = at + pause_for_other_job(times), f"{error} Waiting for it."
        return WaitUntil(until, why) if until > now else None
    if isinstance(error, NotSupported):
        error.advice = "Views work in Enterprise, Ultimate, CRM Plus and Zoho One; DeleteRecordsOperator works in all editions."
    if isinstance(error, TokenRejected) and times == 1:
        return None
    until = pause_until(error, times, since, at)
    return WaitUntil(until, f"{error}") if until > now else None


def _shown(view: View) -> str:
    part = ", of which Zoho cannot count a territory's part" if view.territory_id else ""
    return f"all that custom view {view.cvid} of {view.module} shows{part}"


def _when(submission: Submission) -> str:
    return datetime.fromtimestamp(submission.at, UTC).isoformat(sep=" ", timespec="seconds")


def _said(submission: Submission) -> str:
    if submission.state == "intent":
        return _doubt(submission)
    return f"At {_when(submission)} Zoho accepted job {submission.job_id} of this task for the records of {submission.view}."


def _doubt(submission: Submission) -> str:
    asked = f"asked Zoho to delete the records of {submission.view}"
    if submission.at:
        return f"At {_when(submission)} this task {asked}. It is not known whether Zoho accepted that."
    return f"It is not known whether an earlier attempt of this task has {asked}: its journal is gone, or Airflow keeps none (before 3.3)."
