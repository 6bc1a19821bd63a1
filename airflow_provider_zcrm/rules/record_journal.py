"""The journal of a task that deletes or restores records by their ids: what was sent, and what Zoho reported of it.

It is stored in parts, because a store may refuse a large value: a head, and one part for each call, which is written before the call is
sent and again when the answer is known. A part says which ids were sent (the intent), and which of them Zoho has done, refused, or
scheduled (of a restore). A part that the head names and that is gone makes the outcome of all other ids unknown, so they are looked up
before anything is sent.

    head      {"v": 2, "run": 1, "deadline": 1767225600.0, "host": "https://www.zohoapis.com", "module": "Leads", "parts": 2}
    part 0    {"ids": ["11", "12"], "done": ["11"], "refused": ["12"]}
    part 1    {"ids": ["13"]}                                                 the outcome is not known
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

_VERSION = 2


@dataclass(frozen=True)
class Part:
    """One call: the ids that were sent, and those of them that Zoho has done, refused or scheduled; of the others it is not known.

    Without ids it is no call, but notes what was seen to be done.
    """

    ids: tuple[str, ...]
    done: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    scheduled: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the value to store."""
        return {name: list(value) for name, value in vars(self).items() if value}

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Part:
        """Return the part that `to_json` wrote."""
        # as the first ones were written
        value = {"done": value.get("deleted", ()), **value}
        return Part(*(tuple(value.get(name, ())) for name in ("ids", "done", "refused", "scheduled")))


@dataclass(frozen=True)
class RecordJournal:
    """What an attempt must know of the ones before it.

    :param host: URL of the API with which the task began.
    :param module: API name of the module.
    :param run: one run of the task with its retries, as Airflow counts them; clearing the task starts the next.
    :param deadline: epoch seconds (UTC) at which this run gives up.
    :param parts: one for each call; None for one that is gone.
    """

    host: str
    module: str
    run: int
    deadline: float
    parts: tuple[Part | None, ...] = ()

    def for_run(self, run: int, deadline: float) -> RecordJournal:
        """Return the journal with which an attempt begins; a new run gets a new deadline, and knows what was sent before."""
        return replace(self, run=run, deadline=deadline)

    @property
    def done(self) -> frozenset[str]:
        """The ids that Zoho has reported as deleted, or as restored."""
        return frozenset(record_id for part in self.parts if part for record_id in part.done)

    @property
    def scheduled(self) -> frozenset[str]:
        """The ids that Zoho restores in the background, as far as their latest call says."""
        return frozenset(i for i, part in self._latest().items() if i in part.scheduled) - self.done

    @property
    def unconfirmed(self) -> Unconfirmed:
        """The ids whose latest call has an outcome that is not known."""
        latest = self._latest()
        ids = frozenset(i for i, part in latest.items() if i not in {*part.done, *part.refused, *part.scheduled})
        return Unconfirmed(ids, known=frozenset(latest), any_other=None in self.parts)

    def with_intent(self, ids: Sequence[str]) -> RecordJournal:
        """Return the journal with a call that is about to be sent."""
        return replace(self, parts=(*self.parts, Part(tuple(ids))))

    def with_answer(self, ids: Sequence[str], done: Iterable[str], refused: Iterable[str], scheduled: Iterable[str] = ()) -> RecordJournal:
        """Return the journal with what Zoho said of the call that was sent last."""
        return replace(self, parts=(*self.parts[:-1], Part(tuple(ids), tuple(done), tuple(refused), tuple(scheduled))))

    def with_done(self, ids: Iterable[str]) -> RecordJournal:
        """Return the journal with records that were seen to be done."""
        return replace(self, parts=(*self.parts, Part((), tuple(ids))))

    def _latest(self) -> dict[str, Part]:
        return {record_id: part for part in self.parts if part for record_id in part.ids}

    def head(self) -> dict[str, Any]:
        """Return the value to store beside the parts."""
        return {"v": _VERSION, **vars(self), "parts": len(self.parts)}

    @staticmethod
    def from_head(value: Mapping[str, Any]) -> RecordJournal | None:
        """Return the journal whose head this is, with all parts gone; None for one of another version."""
        if value.get("v") != _VERSION:
            return None
        fields = {name: value[name] for name in ("host", "module", "run", "deadline")}
        return RecordJournal(**fields, parts=(None,) * value["parts"])


@dataclass(frozen=True)
class Unconfirmed:
    """A set of ids; with a part that is gone it holds every id of which no part says anything."""

    ids: frozenset[str]
    known: frozenset[str]
    any_other: bool

    def __contains__(self, record_id: str) -> bool:
        return record_id in self.ids or (self.any_other and record_id not in self.known)
