"""Carries out the plan of `airflow_provider_zcrm.rules.view_deletion`: saves the journal, does the step, reports what it saw.

Whether the view may be submitted is decided there, and only there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_zcrm.api.errors import JobNotFound, ScopeMissing, TokenRejected, ZohoCrmError
from airflow_provider_zcrm.api.mass_delete import RECORDS_PER_JOB, JobStatus, MassDeleteJob, job_status, submit_records_by_view
from airflow_provider_zcrm.api.record_count import count_view
from airflow_provider_zcrm.deletion.clock import AttemptClock
from airflow_provider_zcrm.rules.errors import TooLate
from airflow_provider_zcrm.rules.steps import Fail, WaitUntil
from airflow_provider_zcrm.rules.view_deletion import (
    AskJob,
    CountView,
    Done,
    ListView,
    Send,
    Step,
    ViewRequest,
    ViewSeen,
    WatchJob,
    heard,
    next_step,
)
from airflow_provider_zcrm.rules.view_journal import ViewJournal

if TYPE_CHECKING:
    from airflow_provider_zcrm.client.sync_client import ZohoCrmClient

log = logging.getLogger(__name__)


class ViewDeletion:
    """The deletion of the records of a custom view by one attempt of a task.

    :param journal: of this run of the task.
    :param save: stores the journal and returns only when that is acknowledged; if it fails, nothing is sent.
    :param announce: gets the job ids of this run when there is one.
    :param list_records: writes the ids of the records to a file, and returns its path and their number.
    :param watch: watches a job to its end and returns its reports; of a deferrable task it hands over to the triggerer, and raises.
    """

    def __init__(
        self,
        client: ZohoCrmClient,
        request: ViewRequest,
        journal: ViewJournal,
        *,
        save: Callable[[ViewJournal], None],
        announce: Callable[[list[str]], None],
        list_records: Callable[[], tuple[str, int]],
        watch: Callable[[Sequence[str]], Sequence[Mapping[str, Any]]],
    ) -> None:
        self._client = client
        self._request = request
        self._view = request.view
        self._save_journal = save
        self._announce = announce
        self._list_records = list_records
        self._watch = watch
        self._clock = AttemptClock()
        self._token = ""
        self._rejected: str | None = None
        self.journal = journal
        self.seen = ViewSeen()

    def run(self) -> Done:
        """Do step after step until nothing is left to do.

        :raises ZohoCrmError: the plan gives up, or Zoho refuses a call that is no submission
        """
        while True:
            journal, step = next_step(self._request, self.journal, self.seen, self._clock.now())
            if isinstance(step, Fail):
                raise step.error
            self._save(journal)
            if isinstance(step, Done):
                return step
            self._do(step)

    def _do(self, step: Step) -> None:
        """Do a step, and note what was seen."""
        now = self._clock.now()
        match step:
            case AskJob(job_id):
                self.seen = self.seen.with_job(job_id, self._status(job_id), now)
            case ListView():
                self.seen = self.seen.with_list(*self._list_records())
            case CountView():
                self._token = self._client.access_token(self._rejected)
                # the view last: its count must be fresh, whatever the other one had to wait for
                in_module = self._count(None) if step.module else 0
                in_view = self._count(self._view.cvid) if step.view else 0
                self.seen = self.seen.with_count(in_view, in_module, self._clock.now())
                self._log_count(step, in_view, in_module)
            case WaitUntil(at, why):
                log.info("%s Waiting %.0f s.", why, at - now)
                self._clock.sleep_until(at)
                self.seen = self.seen.with_wait()
            case Send(before):
                self._submit(before)
            case WatchJob(job_id):
                self._announce([job_id])
                self.seen = self.seen.with_reports(self._watch([job_id]))

    def _submit(self, before: float) -> None:
        view = self._view
        log.info("Asking Zoho to delete the records of %s.", view)
        answer: str | ZohoCrmError
        try:
            if self._clock.now() > before:
                raise TooLate("Saving the journal took too long; nothing was sent.")
            call = submit_records_by_view(view.module, view.cvid, view.territory_id, include_child=view.include_child)
            answer = self._client.send_with(call, self._token)
            log.info("Zoho has scheduled job %s for %s.", answer, view)
        except ZohoCrmError as error:
            if isinstance(error, TokenRejected):
                self._rejected = self._token
            log.warning("%s", error)
            answer = error
        now = self._clock.now()
        self.seen = self.seen.with_answer(answer, now)
        self._save(heard(self.journal, answer, now))
        if isinstance(answer, str):
            self._announce([answer])

    def _count(self, cvid: str | None) -> int:
        """Return how many records a custom view shows, or the module has."""
        try:
            return self._client.send(count_view(self._view.module, cvid))
        except ScopeMissing as error:
            error.advice += " Or max_records=None and max_share=1.0, which deletes without counting."
            raise

    def _log_count(self, step: CountView, in_view: int, in_module: int) -> None:
        if not step.view:
            return
        view, module = f"custom view {self._view.cvid}", self._view.module
        log.info("By Zoho's count, which may be ten minutes old, %s shows %d records.", view, in_view)
        if step.module and in_view >= in_module > 0:
            log.warning("This view holds all %d records of %s.", in_module, module)
        if in_view > RECORDS_PER_JOB:
            log.warning("One job deletes at most %d records; the rest is for the next DAG run.", RECORDS_PER_JOB)

    def _status(self, job_id: str) -> JobStatus | None:
        """Return what Zoho says of a job, None if it does not know it."""
        try:
            status = self._client.send(job_status(MassDeleteJob("records", job_id, self._view.module)))
        except JobNotFound:
            log.warning("Zoho does not know job %s.", job_id)
            return None
        log.info("Job %s for the records of %s is %s.", job_id, self._view, status.state)
        return status

    def _save(self, journal: ViewJournal) -> None:
        if journal != self.journal:
            self._save_journal(journal)
            self.journal = journal
