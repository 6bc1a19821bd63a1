"""Carries out the plan of `airflow_provider_zcrm.rules.record_restoration`: saves the journal, does the step, reports what it saw.

What is sent is decided there, and only there.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from airflow_provider_zcrm.api.errors import RetryableError, SubmissionUncertain, TokenRejected, ZohoCrmError
from airflow_provider_zcrm.api.records import present_records
from airflow_provider_zcrm.api.recycle_bin import BINNED_PER_LOOK, binned_records, restore_records
from airflow_provider_zcrm.deletion.clock import AttemptClock
from airflow_provider_zcrm.rules.errors import DeadlineReached
from airflow_provider_zcrm.rules.log_lists import counted, log_list
from airflow_provider_zcrm.rules.record_journal import RecordJournal
from airflow_provider_zcrm.rules.record_restoration import (
    Answer,
    Done,
    LookUp,
    RestoreRequest,
    RestoreSeen,
    Send,
    Step,
    Watch,
    heard,
    next_step,
    noted,
    outcome,
)
from airflow_provider_zcrm.rules.restore_watch import RestoreWatch
from airflow_provider_zcrm.rules.steps import Fail, Lost, Refused, WaitUntil

if TYPE_CHECKING:
    from airflow_provider_zcrm.client.sync_client import ZohoCrmClient
    from airflow_provider_zcrm.rules.poll_schedule import PollSchedule

log = logging.getLogger(__name__)


class RecordRestoration:
    """The restoration of records of one module by one attempt of a task.

    :param journal: of this run of the task.
    :param save: stores the part of the journal that was changed last, and returns only when that is acknowledged; if it fails, nothing is
        sent.
    :param watch: waits until records are back, or until there is no more time; of a deferrable task it hands over to the triggerer, and
        raises.
    :param seen: what this attempt saw before a deferral.
    """

    def __init__(
        self,
        client: ZohoCrmClient,
        request: RestoreRequest,
        journal: RecordJournal,
        *,
        save: Callable[[RecordJournal], None],
        watch: Callable[[Sequence[str]], None],
        seen: RestoreSeen,
    ) -> None:
        self._client = client
        self._request = request
        self._save_journal = save
        self._watch = watch
        self._clock = AttemptClock()
        self._rejected: str | None = None
        self.journal = journal
        self.seen = seen

    def run(self) -> Done:
        """Do step after step until all is known.

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
        """Return what is known by now."""
        return outcome(self._request, self.journal, self.seen)

    def look_up_all(self) -> RestoreSeen:
        """Look all records up, and send nothing."""
        ids = self._request.ids
        for start in range(0, len(ids), BINNED_PER_LOOK):
            self._look_up(ids[start : start + BINNED_PER_LOOK])
        return self.seen

    def _do(self, step: Step) -> None:
        match step:
            case LookUp(ids):
                self._look_up(ids)
                self._save(noted(self.journal, self.seen))
            case WaitUntil(at, why):
                log.info("%s Waiting %.0f s.", why, at - self._clock.now())
                self._clock.sleep_until(at)
            case Send(ids):
                log_list(log, f"Asking Zoho to restore {counted(len(ids), 'record')} of {self._request.module}", ids)
                answer = self._send(ids)
                self._save(heard(self.journal, ids, answer))
                self.seen = self.seen.with_answer(ids, answer, self._clock.now())
            case Watch(ids):
                waiting = self.so_far().waiting
                log.info("Zoho restores %s in the background. Waiting for them.", counted(len(waiting), "record"))
                self._watch(ids)
                self.seen = self.seen.with_back(waiting)

    def _send(self, ids: Sequence[str]) -> Answer:
        """Send one call once, and return what Zoho answered."""
        token = self._client.access_token(self._rejected)
        try:
            return self._client.send_with(restore_records(ids), token)
        except SubmissionUncertain as error:
            log.warning("%s", error)
            return Lost(error)
        except ZohoCrmError as error:
            if isinstance(error, TokenRejected):
                self._rejected = token
            log.warning("Not accepted: %s", error)
            return Refused(error)

    def _look_up(self, ids: Sequence[str]) -> None:
        # an empty answer is read twice, because one without a body (204) may come for other reasons
        binned = self._client.send(binned_records(ids)) or self._client.send(binned_records(ids))
        rest = [record_id for record_id in ids if record_id not in binned]
        call = present_records(self._request.module, rest) if rest else None
        present = (self._client.send(call) or self._client.send(call)) if call else frozenset[str]()
        self.seen = self.seen.with_look(ids, self._request.module, binned, present)

    def _save(self, journal: RecordJournal) -> None:
        if journal != self.journal:
            self._save_journal(journal)
            self.journal = journal


def watch_in_worker(client: ZohoCrmClient, module: str, ids: Sequence[str], deadline: float, schedule: PollSchedule) -> None:
    """Wait in the worker until records are in their module again; they are looked for once more at the deadline.

    :param deadline: epoch seconds.
    :raises DeadlineReached: they are not all back by then
    """
    started_at = time.time()
    watch = RestoreWatch(module, ids, schedule)
    while True:
        elapsed = time.time() - started_at
        time.sleep(max(0.0, min(watch.next_wait(elapsed), deadline - time.time())))
        over = time.time() >= deadline
        try:
            present = client.send(present_records(module, watch.away))
            watch.saw(present, time.time() - started_at)
        except RetryableError as error:
            if not over:
                raise
            watch.failed(error)
        if watch.is_over(time.time() - started_at):
            return
        if over:
            raise DeadlineReached(f"timeout is over before all records are back: {watch.last_words()}. Zoho goes on with the restore.")
