"""The journal of a task: what it has submitted, so that no later try loses it or sends it twice.

It is keyed by tag, not by batch: a retry sees fewer tags and cuts other batches. What holds for a tag is what its latest batch
says. Everything here is a value; the caller writes it to the task state store before and after each POST.

    state      written                              what later tries do with its tags
    intent     before the POST, and acknowledged    wait until the list of tags has stood still, then maybe send again
    refused    Zoho proved that it took nothing     send again
    accepted   Zoho gave a job id                   leave them alone until the job has ended
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from airflow_provider_zcrm.api.errors import PermanentError

_VERSION = 1


@dataclass(frozen=True)
class Batch:
    """The tags of one POST.

    :param at: epoch seconds (UTC) of the last change of ``state``.
    :param round: the round of the task in which it was sent.
    """

    ids: tuple[str, ...]
    state: str
    at: float
    round: int
    job_id: str | None = None


@dataclass(frozen=True)
class SetAside:
    """A wanted tag that a round leaves alone, and why."""

    id: str
    name: str
    reason: str


@dataclass(frozen=True)
class Journal:
    """What a task has submitted.

    :param round: one run of the task with its retries, as Airflow counts them; clearing the task starts the next.
    :param deadline: epoch seconds (UTC) at which this round gives up.
    :param names: tag name -> id as resolved at the start of this round, None until then.
    :param set_aside: tags that this round no longer tries to delete; the next round judges them anew.
    :param ids: the wanted ids that the list held at that moment; None until then.
    :param asked: what `digest_of` told of the request at that moment; None until then.
    :param host: URL of the API that was asked for the list; None until then.
    """

    round: int
    deadline: float
    names: Mapping[str, str] | None = None
    batches: tuple[Batch, ...] = ()
    ids: tuple[str, ...] | None = None
    set_aside: tuple[SetAside, ...] = ()
    asked: str | None = None
    host: str | None = None

    @staticmethod
    def open(value: Mapping[str, Any] | None, round_: int, now: float, timeout: float) -> Journal:
        """Return the journal that a try works with, from what an earlier try stored.

        A new round gets a new deadline and resolves names anew; what was submitted is kept.

        :raises PermanentError: the stored journal is of a version that this one does not know
        """
        if not value:
            return Journal(round_, now + timeout)
        if value.get("v") != _VERSION:
            raise PermanentError(
                f"The task's journal has version {value.get('v')}, this provider knows {_VERSION}.",
                advice="Look at the tags in Zoho CRM, delete the key in the task's state store, and clear the task.",
            )
        batches = tuple(Batch(tuple(b["ids"]), b["state"], b["at"], b["round"], b["job_id"]) for b in value["batches"])
        if value["round"] == round_:
            ids = None if value["ids"] is None else tuple(value["ids"])
            aside = tuple(SetAside(tag["id"], tag["name"], tag["reason"]) for tag in value["set_aside"])
            return Journal(round_, value["deadline"], value["names"], batches, ids, aside, value["asked"], value["host"])
        return Journal(round_, now + timeout, None, tuple(b for b in batches if b.state != "refused"))

    def to_json(self) -> dict[str, Any]:
        """Return the value to store; with lists, because Airflow's store refuses tuples."""
        return {"v": _VERSION, **json.loads(json.dumps(vars(self), default=vars))}

    def with_wanted(self, host: str, asked: str, ids: Iterable[str], names: Mapping[str, str]) -> Journal:
        """Return the journal with what this round wants: the ids that were given as such, and the names resolved.

        :param host: URL of the API that told it.
        :param asked: the digest of the request.
        """
        return replace(self, host=host, asked=asked, names=dict(names), ids=tuple(ids))

    def wanted(self, ids: Iterable[str], names: Iterable[str]) -> list[str] | None:
        """Return the ids of what is asked for, less what was not there at the start of this round; None if that is not known yet."""
        if self.names is None or self.ids is None:
            return None
        return [*(tag_id for tag_id in ids if tag_id in self.ids), *(self.names[name] for name in names if name in self.names)]

    def with_intent(self, ids: Sequence[str], now: float) -> Journal:
        """Return the journal with a new batch that is about to be sent; refusals of the same tags say nothing any more."""
        told = {*ids, *(tag.id for tag in self.set_aside)}
        kept = (batch for batch in self.batches if batch.state != "refused" or not told.issuperset(batch.ids))
        return replace(self, batches=(*kept, Batch(tuple(ids), "intent", now, self.round)))

    def with_outcome(self, state: str, now: float, job_id: str | None = None) -> Journal:
        """Return the journal with the outcome of the batch that was sent last."""
        last = replace(self.batches[-1], state=state, at=now, job_id=job_id)
        return replace(self, batches=(*self.batches[:-1], last))

    def with_set_aside(self, tags: Iterable[SetAside]) -> Journal:
        """Return the journal with more tags set aside."""
        return replace(self, set_aside=(*self.set_aside, *tags))

    def latest(self, tag_ids: Iterable[str], state: str) -> dict[Batch, frozenset[str]]:
        """Return the batches in a state, each with those of the given tags for which it is the latest."""
        owner = {tag_id: batch for batch in self.batches for tag_id in batch.ids}
        found: dict[Batch, frozenset[str]] = {}
        for tag_id in tag_ids:
            batch = owner.get(tag_id)
            if batch is not None and batch.state == state:
                found[batch] = found.get(batch, frozenset()) | {tag_id}
        return found

    def superseded(self, batch: Batch) -> bool:
        """Tell whether a later batch has taken over tags of this one."""
        later = self.batches[self.batches.index(batch) + 1 :]
        return any(set(batch.ids) & set(other.ids) for other in later if other.state != "refused")

    def accepted(self) -> tuple[Batch, ...]:
        """Return the batches for which Zoho gave a job id, in the order in which they were sent."""
        return tuple(batch for batch in self.batches if batch.state == "accepted" and batch.job_id)


def digest_of(module: str, ids: Iterable[str], names: Iterable[str]) -> str:
    """Return a short text that is the same for the same request, in whatever order it gives its tags."""
    return hashlib.sha256(json.dumps([module, sorted(ids), sorted(names)]).encode()).hexdigest()


class Stillness:
    """Since when the list of tags has stood still, for batches whose outcome nobody knows.

    A batch of which every tag is still there has not been touched since it was sent. Once some of its tags are gone a job was at
    work, and only what this try itself sees says whether it still is.
    """

    def __init__(self) -> None:
        self._seen: dict[Batch, tuple[frozenset[str], float]] = {}

    def since(self, batch: Batch, present: Collection[str], now: float) -> float:
        """Return the epoch seconds since when the present tags of the batch have been the same."""
        tags = frozenset(present)
        seen = self._seen.get(batch)
        if seen is None:
            untouched = tags >= set(batch.ids)
            seen = (tags, batch.at if untouched else now)
        elif seen[0] != tags:
            seen = (tags, now)
        self._seen[batch] = seen
        return seen[1]
