"""Deletes records by their ids, 500 with one call, and tells what is gone from what is still there.

Zoho gives an id to one record only, so sending it twice deletes nothing else, and a call whose answer was lost is sent again. What it had
deleted is then refused, with the same code as a record that Zoho does not want to delete: a look at the records tells the two apart.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_zcrm.api.errors import InvalidRequest, PermissionDenied, ScopeMissing, SubmissionUncertain
from airflow_provider_zcrm.api.mass_delete import RECORDS_PER_CALL, RecordsDeleted, delete_records, refused_record
from airflow_provider_zcrm.api.records import RECORDS_PER_LOOK, present_records
from airflow_provider_zcrm.rules.deadline import check_deadline
from airflow_provider_zcrm.rules.log_lists import counted, log_list

if TYPE_CHECKING:
    from airflow_provider_zcrm.client.sync_client import ZohoCrmClient

log = logging.getLogger(__name__)

# seconds before a call whose answer was lost is sent again
_PAUSES = (5.0, 15.0, 30.0)


@dataclass
class Outcome:
    """What became of the wanted records.

    :param deleted: Zoho said so, to this try or to an earlier one of the task.
    :param not_found: refused, and not there: deleted before, by a call whose answer was lost too, or hidden from the token's user.
    :param failed: refused, and still there, with Zoho's reason.
    """

    deleted: list[str] = field(default_factory=list)
    not_found: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    def to_json(self, module: str) -> dict[str, Any]:
        """Return the outcome as JSON values."""
        return {"module": module, "deleted": self.deleted, "not_found": self.not_found, "failed": self.failed}

    def __str__(self) -> str:
        return f"{len(self.deleted)} deleted, {len(self.not_found)} not found, {len(self.failed)} failed"


class RecordDeletion:
    """The deletion of records of one module by one try of a task.

    :param deadline: epoch seconds at which it gives up.
    :param save: stores which ids one call has deleted, and returns only when that is acknowledged.
    """

    def __init__(self, client: ZohoCrmClient, module: str, deadline: float, save: Callable[[Sequence[str]], None]) -> None:
        self._client = client
        self._module = module
        self._deadline = deadline
        self._save = save

    def delete(self, record_ids: Sequence[str], deleted_before: Iterable[str]) -> Outcome:
        """Delete the records, but for those that an earlier try has deleted.

        :raises DeadlineReached: the time is over before all are sent
        :raises SubmissionUncertain: an answer was lost four times; the next try may go on
        :raises ZohoCrmError: Zoho refused a call
        """
        done = set(deleted_before)
        outcome = Outcome([record_id for record_id in record_ids if record_id in done])
        refused: dict[str, str] = {}
        for batch in _parts([record_id for record_id in record_ids if record_id not in done], RECORDS_PER_CALL):
            log_list(log, f"Asking Zoho to delete {counted(len(batch), 'record')} of {self._module}", batch)
            answer = self._delete_batch(batch)
            self._save(answer.deleted)
            outcome.deleted.extend(answer.deleted)
            refused |= answer.failed
        present = self._present(list(refused))
        outcome.not_found = [record_id for record_id in refused if record_id not in present]
        outcome.failed = {record_id: reason for record_id, reason in refused.items() if record_id in present}
        return outcome

    def _delete_batch(self, record_ids: list[str]) -> RecordsDeleted:
        """Send one call: again after a lost answer, and without the ids for which Zoho refuses the whole call."""
        refused: dict[str, str] = {}
        pauses = iter(_PAUSES)
        while record_ids:
            check_deadline(self._deadline, time.time(), f"all records of {self._module} are deleted")
            try:
                answer = self._client.send(delete_records(self._module, record_ids))
            except SubmissionUncertain as error:
                self._wait(error, next(pauses, None))
            except InvalidRequest as error:
                left = self._without_the_refused(record_ids, error, look=not refused)
                refused |= {record_id: error.message for record_id in record_ids if record_id not in left}
                record_ids = left
            else:
                return RecordsDeleted(answer.deleted, {**refused, **answer.failed})
        return RecordsDeleted((), refused)

    def _without_the_refused(self, record_ids: list[str], error: InvalidRequest, *, look: bool) -> list[str]:
        """Return the ids without the one at which Zoho points and, after a look, without those that meet no record."""
        refused = refused_record(error, record_ids)
        if refused is None:
            raise error
        log.warning("%s Set aside; the others are sent again.", error)
        present = self._present(record_ids) if look else set(record_ids)
        return [record_id for record_id in record_ids if record_id in present and record_id != refused]

    def _present(self, record_ids: Sequence[str]) -> set[str]:
        """Return those of the ids that meet a record; all of them where the user may not look."""
        present: set[str] = set()
        for part in _parts(record_ids, RECORDS_PER_LOOK):
            call = present_records(self._module, part)
            try:
                # an empty answer is read twice, because one without a body (204) may come for other reasons
                found = self._client.send(call) or self._client.send(call)
            except (ScopeMissing, PermissionDenied) as error:
                log.warning("Which of the refused records are still there is not known, so all count as failed. %s", error)
                return set(record_ids)
            present |= found
        return present

    def _wait(self, error: SubmissionUncertain, pause: float | None) -> None:
        if pause is None:
            error.advice = "The next try of the task sends these records again; an id is of one record only, so nothing else can go."
            raise error
        log.warning("%s These records are sent again in %.0f s.", error.message, pause)
        check_deadline(self._deadline, time.time() + pause, f"all records of {self._module} are deleted")
        time.sleep(pause)


def _parts(record_ids: Sequence[str], size: int) -> Iterable[list[str]]:
    return (list(record_ids[start : start + size]) for start in range(0, len(record_ids), size))
