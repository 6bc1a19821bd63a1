"""The journal of a task that deletes records by their ids: its deadline and its host.

Records given by their ids need no intent: Zoho gives an id to one record only, so sending it again deletes nothing else. Which ids Zoho has
reported as deleted is stored beside it, one value for each call, because a store may refuse a large one: a record that somebody has
restored since stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

_VERSION = 2


@dataclass(frozen=True)
class RecordJournal:
    """What an attempt must know of the ones before it.

    :param run: one run of the task with its retries, as Airflow counts them; clearing the task starts the next.
    :param deadline: epoch seconds (UTC) at which this run gives up.
    :param host: URL of the API with which the task began.
    """

    run: int
    deadline: float
    host: str

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> RecordJournal | None:
        """Return the journal that `to_json` wrote, None for one of another version."""
        return RecordJournal(value["run"], value["deadline"], value["host"]) if value.get("v") == _VERSION else None

    def for_run(self, run: int, deadline: float) -> RecordJournal:
        """Return the journal with which an attempt begins; a new run gets a new deadline."""
        return replace(self, run=run, deadline=deadline)

    def to_json(self) -> dict[str, Any]:
        """Return the value to store."""
        return {"v": _VERSION, **asdict(self)}
