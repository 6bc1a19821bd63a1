"""Where the journal of a task is kept: in Airflow's task state store, or in an XCom where Airflow has none (before 3.3).

The store outlives retries and clears. An XCom lives as long as the attempt: it survives a deferral, and the next attempt begins without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_zcrm.api.errors import InvalidArgument, InvalidConnection, PermanentError
from airflow_provider_zcrm.rules.record_journal import Part, RecordJournal
from airflow_provider_zcrm.version_compat import TaskState

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

T = TypeVar("T")


class StoredJournal:
    """The journal of a task instance; nothing else writes to its task state store.

    :param key: of the store, or of the XCom.
    """

    def __init__(self, context: Context, key: str) -> None:
        self._ti: Any = context["ti"]
        self._state = TaskState(context)
        self._key = key

    @property
    def survives_attempts(self) -> bool:
        """Whether the next attempt will find what this one saves."""
        return self._state.available

    def load(self, parse: Callable[[Mapping[str, Any]], T | None]) -> T | None:
        """Return the journal, None if there is none.

        :param parse: makes the journal of a stored value, None of one of another version.
        :raises PermanentError: it is of a version that this release does not know
        """
        value = self._state.get(self._key) if self._state.available else self._from_xcom()
        if not value:
            return None
        journal = parse(value)
        if journal is None:
            raise PermanentError(
                f"The journal of the task has version {value.get('v')}, which this release does not know. Nothing was sent.",
                advice=f"Look in Zoho CRM at what is deleted; then start a new DAG run, or delete {self._key} in the task's state store.",
            )
        return journal

    def save(self, value: dict[str, Any]) -> None:
        """Store the journal; returns only when Airflow has acknowledged that."""
        if self._state.available:
            self._state.set(self._key, value)
        else:
            self._ti.xcom_push(key=self._key, value=value)

    def _from_xcom(self) -> Any:
        return self._ti.xcom_pull(task_ids=self._ti.task_id, key=self._key, map_indexes=self._ti.map_index)


class StoredRecordJournal:
    """The journal of a task that deletes records by their ids: a head, and a part for each call.

    :param key: of the head; the parts have it with their number.
    """

    def __init__(self, context: Context, key: str) -> None:
        self._context = context
        self._key = key

    def load(self) -> RecordJournal | None:
        """Return the journal, None if there is none.

        :raises PermanentError: it is of a version that this release does not know
        """
        head = StoredJournal(self._context, self._key).load(RecordJournal.from_head)
        if head is None:
            self._check_no_part_is_left()
            return None
        parts = [self._part(number).load(Part.from_json) for number in range(len(head.parts))]
        return replace(head, parts=tuple(parts))

    def save(self, journal: RecordJournal) -> None:
        """Store the part that was changed last, and then the head, which names it."""
        if journal.parts and journal.parts[-1] is not None:
            self._part(len(journal.parts) - 1).save(journal.parts[-1].to_json())
        StoredJournal(self._context, self._key).save(journal.head())

    def _check_no_part_is_left(self) -> None:
        """Refuse to begin again where a head is gone that had parts: what they do not say is not known.

        :raises PermanentError: there is a part
        """
        if self._part(0).load(Part.from_json) is not None:
            raise PermanentError(
                f"The head of the task's journal ({self._key}) is gone, and its parts are there. Nothing was sent.",
                advice="Look in Zoho CRM at what is deleted; then start a new DAG run with the records that are to go.",
            )

    def _part(self, number: int) -> StoredJournal:
        return StoredJournal(self._context, f"{self._key}_{number}")


def check_module(journal: RecordJournal | None, module: str) -> None:
    """Refuse to go on with records of another module than the task began with.

    :raises InvalidArgument: they are of another one
    """
    if journal is not None and journal.module != module:
        raise InvalidArgument(
            f"This task started on records of {journal.module}, but module is {module} now. Nothing was sent.",
            advice="Start a new DAG run for the other module.",
        )


def check_host(noted: str | None, host: str, conn_id: str) -> None:
    """Refuse to go on with another host than the task began with: it is of another org, where nothing is to be found.

    :param noted: URL of the API with which the task began; None if it has not.
    :param host: URL of the API to which the connection points now.
    :raises InvalidConnection: they differ
    """
    if noted not in (None, host):
        raise InvalidConnection(
            f"Connection {conn_id} now points to {host}, but this task started on {noted}, where its jobs run. Nothing was sent.",
            advice="Let the connection point there again and clear the task, which then goes on; for the other one start a new DAG run.",
        )
