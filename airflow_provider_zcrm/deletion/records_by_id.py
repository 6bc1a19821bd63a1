"""Carries out the plan of `airflow_provider_zcrm.rules.record_deletion`: saves the journal, does the step, reports what it saw.

What is sent is decided there, and only there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from airflow_provider_zcrm.api.errors import PermissionDenied, ScopeMissing, SubmissionUncertain, TokenRejected, ZohoCrmError
from airflow_provider_zcrm.api.mass_delete import delete_records
from airflow_provider_zcrm.api.records import present_records
from airflow_provider_zcrm.deletion.clock import AttemptClock
from airflow_provider_zcrm.rules.log_lists import counted, log_list
from airflow_provider_zcrm.rules.record_deletion import (
    Answer,
    Done,
    LookUp,
    RecordRequest,
    RecordSeen,
    Send,
    Step,
    heard,
    next_step,
    outcome,
)
from airflow_provider_zcrm.rules.record_journal import RecordJournal
from airflow_provider_zcrm.rules.steps import Fail, Lost, Refused, WaitUntil

if TYPE_CHECKING:
    from airflow_provider_zcrm.client.sync_client import ZohoCrmClient

log = logging.getLogger(__name__)


class RecordDeletion:
    """The deletion of records of one module by one attempt of a task.

    :param journal: of this run of the task.
    :param save: stores the part of the journal that was changed last, and returns only when that is acknowledged; if it fails, nothing is
        sent.
    :param report: gets what is known before records are looked up, which may take long or fail.
    """

    def __init__(
        self,
        client: ZohoCrmClient,
        request: RecordRequest,
        journal: RecordJournal,
        *,
        save: Callable[[RecordJournal], None],
        report: Callable[[Done], None],
    ) -> None:
        self._client = client
        self._request = request
        self._save_journal = save
        self._report = report
        self._reported = True
        self._clock = AttemptClock()
        self._rejected: str | None = None
        self.journal = journal
        self.seen = RecordSeen()

    def run(self) -> Done:
        """Do step after step until nothing is left to send.

        :raises ZohoCrmError: the plan gives up, or Zoho refuses a look
        """
        while True:
            journal, step = next_step(self._request, self.journal, self.seen, self._clock.now())
            if isinstance(step, Fail):
                raise step.error
            self._save(journal)
            if isinstance(step, Done):
                return step
            self._do(step)

    def so_far(self) -> Done:
        """Return what is known by now, for the report of an attempt that gives up."""
        return outcome(self._request, self.journal, self.seen)

    def _do(self, step: Step) -> None:
        match step:
            case LookUp(ids):
                if not self._reported:
                    self._report(self.so_far())
                    self._reported = True
                self._look_up(ids)
            case WaitUntil(at, why):
                log.info("%s Waiting %.0f s.", why, at - self._clock.now())
                self._clock.sleep_until(at)
            case Send(ids):
                log_list(log, f"Asking Zoho to delete {counted(len(ids), 'record')} of {self._request.module}", ids)
                answer = self._send(ids)
                # what Zoho has deleted is noted before anything else is asked
                self._save(heard(self.journal, ids, answer))
                self.seen = self.seen.with_answer(ids, answer, self._clock.now())
                self._reported = False

    def _send(self, ids: Sequence[str]) -> Answer:
        """Send one call once, and return what Zoho answered."""
        token = self._client.access_token(self._rejected)
        try:
            return self._client.send_with(delete_records(self._request.module, ids), token)
        except SubmissionUncertain as error:
            log.warning("%s", error)
            return Lost(error)
        except ZohoCrmError as error:
            if isinstance(error, TokenRejected):
                self._rejected = token
            log.warning("Not accepted: %s", error)
            return Refused(error)

    def _look_up(self, ids: Sequence[str]) -> None:
        call = present_records(self._request.module, ids)
        try:
            # an empty answer is read twice, because one without a body (204) may come for other reasons
            present = self._client.send(call) or self._client.send(call)
        except (ScopeMissing, PermissionDenied) as error:
            log.warning("Which of the records are still there is not known. %s", error)
            self.seen = self.seen.with_blind(error)
        else:
            self.seen = self.seen.with_look(ids, present)

    def _save(self, journal: RecordJournal) -> None:
        if journal != self.journal:
            self._save_journal(journal)
            self.journal = journal
