"""Gets the records of a custom view into one mass-delete job, once, whatever earlier tries of the task have done.

The rules are those of `airflow_provider_zcrm.rules.record_journal`: the intent is written before the POST, and what became of a
submission without an answer only a person can tell.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_provider_zcrm.api.errors import (
    JobAlreadyRunning,
    JobNotFound,
    NoRecordsFound,
    NotSupported,
    ScopeMissing,
    SubmissionUncertain,
    ZohoCrmError,
)
from airflow_provider_zcrm.api.mass_delete import RECORDS_PER_JOB, JobStatus, MassDeleteJob, job_status, submit_records_by_view
from airflow_provider_zcrm.api.record_count import count_view
from airflow_provider_zcrm.rules.deadline import check_deadline
from airflow_provider_zcrm.rules.errors import ResubmissionForbidden
from airflow_provider_zcrm.rules.guards import check_records
from airflow_provider_zcrm.rules.poll_schedule import growing_pauses
from airflow_provider_zcrm.rules.record_journal import RecordJournal, Submission, View

if TYPE_CHECKING:
    from airflow_provider_zcrm.client.sync_client import ZohoCrmClient

log = logging.getLogger(__name__)

_LOOK = (
    "Look into the logs of the earlier tries and into Zoho CRM, whether the records are going or gone: the view itself, Setup > Data "
    "Administration > Recycle Bin, and Audit Log. If they are not, confirm_resubmit=True and clearing the task submit the view once more, "
    "as it is then."
)
_OTHER = (
    "Start another DAG run for what is still to be deleted, or give the task the view and the host that it had: mapped tasks must get "
    "their views in the same order each time. If this view is to go all the same, and no other task has submitted it, "
    "confirm_resubmit=True and clearing the task submit it."
)


class ViewDeletion:
    """The deletion of the records of a custom view by one try of a task.

    :param journal: what this task has submitted so far.
    :param save: stores the journal and returns only when that is acknowledged; if it fails, nothing is sent.
    :param max_records: the most records that the view may show; None for any number, and for no count.
    :param confirmed: a person has looked, and wants the view to be submitted again.
    :param unknown_job_grace: seconds for which Zoho may not know a job that it has accepted.
    """

    def __init__(
        self,
        client: ZohoCrmClient,
        view: View,
        journal: RecordJournal,
        save: Callable[[RecordJournal], None],
        *,
        max_records: int | None,
        confirmed: bool,
        unknown_job_grace: float,
    ) -> None:
        self._client = client
        self._view = view
        self._journal = journal
        self._save_journal = save
        self._max_records = max_records
        self._confirmed = confirmed
        self._unknown_job_grace = unknown_job_grace

    def earlier_job(self) -> str | None:
        """Return the job that this task has submitted already, None if there is none or its rest is to be submitted again."""
        accepted = self._journal.accepted(self._view)
        if accepted is None or (self._is_confirmed(accepted) and self._has_left_records(accepted)):
            return None
        log.info("Job %s is for the records of %s since %s; nothing is submitted again.", accepted.job_id, self._view, _when(accepted))
        return accepted.job_id

    def check(self) -> int | None:
        """Judge whether the view may be submitted, and return how many records Zoho counts, None if it was not asked; sends nothing.

        :raises ResubmissionForbidden: nobody knows what became of an earlier submission, or it was of another view or to another host,
            and no person has confirmed another
        :raises GuardTripped: the view shows more records than it may
        """
        unknown = self._journal.unknown(self._view)
        if unknown is not None:
            self._want_confirmation(unknown, _doubt(unknown), _LOOK)
        other = self._journal.of_another(self._view)
        if other is not None:
            asked = f"Now it is asked to delete those of {self._view} at {self._journal.host}."
            self._want_confirmation(other, f"{_told(other)} That was at {other.host}. {asked}", _OTHER)
        return self._counted()

    def submit(self) -> str | None:
        """Submit the view, after another job where Zoho wants that, and return the job's id; None if the view shows no record.

        :raises ResubmissionForbidden: as `check`, or Zoho runs a mass delete that may be one of this task
        :raises SubmissionUncertain: nobody knows whether Zoho took it
        :raises DeadlineReached: the time is over before Zoho took it
        :raises ZohoCrmError: Zoho refused it
        """
        pauses = growing_pauses()
        while True:
            self.check()
            try:
                return self._post()
            except NoRecordsFound as error:
                log.info("%s", error)
                return None
            except JobAlreadyRunning as error:
                if (job_id := self._own_job(error)) is not None:
                    return job_id
                self._wait_for_the_other(error, next(pauses))

    def _counted(self) -> int | None:
        if self._max_records is None:
            return None
        try:
            number = self._client.send(count_view(self._view.module, self._view.cvid))
        except ScopeMissing as error:
            error.advice += " Or max_records=None, which deletes without counting."
            raise
        log.info("By Zoho's count, which may be ten minutes old, custom view %s shows %d records.", self._view.cvid, number)
        part = ", of which Zoho cannot count a territory's part" if self._view.territory_id else ""
        check_records(number, self._max_records, f"all that custom view {self._view.cvid} of {self._view.module} shows{part}")
        if number > RECORDS_PER_JOB:
            log.warning("One job deletes at most %d records; the rest is for the next DAG run.", RECORDS_PER_JOB)
        return number

    def _post(self) -> str:
        view = self._view
        check_deadline(self._journal.deadline, time.time(), f"Zoho took the delete of the records of {view}")
        call = submit_records_by_view(view.module, view.cvid, view.territory_id, include_child=view.include_child)
        log.info("Asking Zoho to delete the records of %s.", view)
        self._save(self._journal.with_intent(view, time.time()))
        try:
            job_id = self._client.send(call)
        except SubmissionUncertain as error:
            error.advice = f"It is never sent again by itself. {_LOOK}"
            raise
        except ZohoCrmError as error:
            self._save(self._journal.with_outcome("refused", time.time()))
            if isinstance(error, NotSupported):
                error.advice = "Views work in Enterprise, Ultimate, CRM Plus and Zoho One; DeleteRecordsOperator works in all editions."
            raise
        log.info("Zoho has scheduled job %s for %s.", job_id, view)
        self._save(self._journal.with_outcome("accepted", time.time(), job_id))
        return job_id

    def _own_job(self, error: JobAlreadyRunning) -> str | None:
        """Return the job of an earlier round if it runs, or has deleted all by now; one that Zoho does not know may run as well."""
        accepted = self._journal.accepted(self._view)
        if accepted is None:
            return None
        status = self._status(accepted)
        if status is None:
            raise ResubmissionForbidden(
                f"Zoho does not know job {accepted.job_id}, which it accepted at {_when(accepted)} for the records of {self._view}, "
                "and runs a mass delete now, which may be that one.",
                advice=_LOOK,
            ) from error
        if _left_records(status):
            return None
        log.info("Job %s, which was accepted for the records of %s, is %s; it is taken up.", accepted.job_id, self._view, status.state)
        return accepted.job_id

    def _wait_for_the_other(self, error: JobAlreadyRunning, seconds: float) -> None:
        """Wait for the job of somebody else; one that may be our own must not be followed by a second."""
        unknown = self._journal.unknown(self._view)
        if unknown is not None:
            raise ResubmissionForbidden(f"{_doubt(unknown)} Zoho runs a mass delete now, which may be that one.", advice=_LOOK) from error
        log.info("%s Waiting for it.", error)
        check_deadline(self._journal.deadline, time.time() + seconds, f"Zoho took the delete of the records of {self._view}")
        time.sleep(seconds)

    def _want_confirmation(self, submission: Submission, told: str, advice: str) -> None:
        """Refuse to submit anything after an earlier submission, unless a person has confirmed it."""
        if not self._is_confirmed(submission):
            later = " confirm_resubmit counts from the next time that the task is cleared." if self._confirmed else ""
            raise ResubmissionForbidden(f"{told} Nothing is sent.{later}", advice=advice)

    def _is_confirmed(self, submission: Submission) -> bool:
        return self._confirmed and self._journal.may_be_confirmed(submission)

    def _has_left_records(self, accepted: Submission) -> bool:
        """Tell whether a job has ended without deleting all, or is unknown to Zoho although it was accepted long enough ago."""
        status = self._status(accepted)
        if status is None:
            return time.time() - accepted.at > self._unknown_job_grace
        return _left_records(status)

    def _status(self, accepted: Submission) -> JobStatus | None:
        """Return what Zoho says of a job, None if it does not know it."""
        try:
            return self._client.send(job_status(MassDeleteJob("records", str(accepted.job_id), self._view.module)))
        except JobNotFound:
            return None

    def _save(self, journal: RecordJournal) -> None:
        self._save_journal(journal)
        self._journal = journal


def _left_records(status: JobStatus) -> bool:
    return status.state == "FAILED" or (status.ended and bool(status.failed))


def _when(submission: Submission) -> str:
    return datetime.fromtimestamp(submission.at, UTC).isoformat(sep=" ", timespec="seconds")


def _told(submission: Submission) -> str:
    if submission.state == "intent":
        return _doubt(submission)
    return f"At {_when(submission)} Zoho accepted job {submission.job_id} of this task for the records of {submission.view}."


def _doubt(submission: Submission) -> str:
    asked = f"asked Zoho to delete the records of {submission.view}"
    if submission.at:
        return f"At {_when(submission)} this task {asked}, and nobody knows whether Zoho took that."
    return f"Nobody knows whether an earlier try of this task has {asked}: its journal is gone, or Airflow keeps none (before 3.3)."
