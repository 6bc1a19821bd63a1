"""The plan for deleting records by their ids, 500 with one call: what is sent next, and what an answer says of each record.

    journal, step = next_step(request, journal, seen, now)        save the journal, then do the step, then report what was seen
    journal = heard(journal, ids, answer)                         after a `Send`: what Zoho's answer says of each id

Zoho gives an id to one record only, so sending an id twice deletes nothing else, with one exception: a record that a person has restored
from the recycle bin has its old id. So what Zoho reports as deleted is noted at once and never sent again, and ids whose outcome is not
known are looked up first: only those that are there are sent again.

Times are epoch seconds of one attempt's own clock. `seen` is what this attempt has seen; it is never stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from airflow_provider_zcrm.api.errors import (
    CredentialsRejected,
    InvalidConnection,
    InvalidModule,
    PermanentError,
    PermissionDenied,
    ScopeMissing,
    SubmissionUncertain,
    ZohoCrmError,
)
from airflow_provider_zcrm.api.mass_delete import RECORDS_PER_CALL, RecordsDeleted, refused_record
from airflow_provider_zcrm.api.records import RECORDS_PER_LOOK
from airflow_provider_zcrm.rules.deadline import check_deadline
from airflow_provider_zcrm.rules.pauses import pause_for_records
from airflow_provider_zcrm.rules.record_journal import RecordJournal
from airflow_provider_zcrm.rules.steps import Fail, Lost, Refused, WaitUntil

# calls beyond one per 500 ids, for calls that Zoho refused as a whole; when they are used up, what is refused counts as failed
EXTRA_CALLS = 40

# refusals of a whole call that say nothing of its records
_NOT_ABOUT_RECORDS = (CredentialsRejected, InvalidConnection, InvalidModule, ScopeMissing)


@dataclass(frozen=True)
class RecordRequest:
    """The records of one module that are to go; each id once."""

    module: str
    ids: tuple[str, ...]


Answer = RecordsDeleted | Refused | Lost


@dataclass(frozen=True)
class RecordSeen:
    """What this attempt has seen so far.

    :param there: ids that met a record when they were looked up, ``absent`` those that did not.
    :param blind: looking them up is refused, with the error.
    :param failed: ids that Zoho refuses, with its reason.
    :param parts: the calls to which a refused one was cut.
    :param extra_calls: how many of the calls for that are used up.
    :param denied: how many ids were refused alone for want of a permission, and the last of these refusals; empty once one was deleted.
    :param lost: how many answers were lost one after the other, and when the last one was.
    :param refusals: how many refusals of a passing kind came one after the other, the last one, and when the first and the last came.
    """

    there: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    blind: ZohoCrmError | None = None
    failed: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[tuple[str, ...], ...] = ()
    extra_calls: int = 0
    denied: tuple[ZohoCrmError, ...] = ()
    deleted_any: bool = False
    lost: tuple[int, ZohoCrmError, float] | None = None
    refusals: tuple[int, ZohoCrmError, float, float] | None = None

    def with_look(self, ids: Iterable[str], present: Iterable[str]) -> RecordSeen:
        """Note which of the ids met a record."""
        found = frozenset(present)
        return replace(self, there=self.there | found, absent=self.absent | (frozenset(ids) - found))

    def with_blind(self, error: ZohoCrmError) -> RecordSeen:
        """Note that the user may not look records up."""
        return replace(self, blind=error)

    def with_answer(self, ids: Sequence[str], answer: Answer, now: float) -> RecordSeen:
        """Note the answer to a call."""
        rest = tuple(part for part in self.parts if set(part) != set(ids))
        unknown = frozenset(ids)
        if isinstance(answer, Lost):
            times = self.lost[0] if self.lost else 0
            return replace(self, there=self.there - unknown, parts=rest, lost=(times + 1, answer.error, now), refusals=None)
        if isinstance(answer, RecordsDeleted):
            known = {*answer.deleted, *answer.failed}
            failed = {**self.failed, **answer.failed}
            there = self.there - (unknown - known)
            unnamed = len(known) < len(ids)
            times = self.lost[0] if self.lost else 0
            lost = (times + 1, SubmissionUncertain("Zoho's answer does not name all records."), now) if unnamed else None
            deleted_any = self.deleted_any or bool(answer.deleted)
            return replace(self, there=there, failed=failed, parts=rest, lost=lost, refusals=None, deleted_any=deleted_any)
        return self._with_refusal(tuple(ids), answer.error, rest, now)

    def _with_refusal(self, ids: tuple[str, ...], error: ZohoCrmError, rest: tuple[tuple[str, ...], ...], now: float) -> RecordSeen:
        if not isinstance(error, PermanentError) or isinstance(error, _NOT_ABOUT_RECORDS):
            if self.refusals is not None and type(self.refusals[1]) is type(error):
                times, _, since, _ = self.refusals
                return replace(self, refusals=(times + 1, error, since, now))
            return replace(self, refusals=(1, error, now, now))
        seen = replace(self, refusals=None, extra_calls=self.extra_calls + 1)
        named = refused_record(error, ids) or (ids[0] if len(ids) == 1 else None)
        if named is None and self.extra_calls < EXTRA_CALLS:
            half = len(ids) // 2
            return replace(seen, parts=(ids[:half], ids[half:], *rest))
        culprits = (named,) if named and self.extra_calls < EXTRA_CALLS else ids
        left = tuple(record_id for record_id in ids if record_id not in culprits)
        denied = (*self.denied, error) if len(ids) == 1 and isinstance(error, PermissionDenied) else self.denied
        failed = {**self.failed, **dict.fromkeys(culprits, f"Zoho refuses it: {error.code or error.message}")}
        return replace(seen, failed=failed, parts=(left, *rest) if left else rest, denied=denied)


# --- the steps -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LookUp:
    """Find out which of these ids, at most 100, meet a record."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class Send:
    """Delete these records, with one call."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class Done:
    """Nothing is left to send.

    :param deleted: Zoho said so, to this attempt or to an earlier one of the task.
    :param not_found: not there: deleted before, by a call whose answer was lost too, or hidden from the token's user.
    :param failed: refused, and still there as far as one may look, with Zoho's reason.
    """

    deleted: tuple[str, ...]
    not_found: tuple[str, ...]
    failed: Mapping[str, str]

    def __str__(self) -> str:
        return f"{len(self.deleted)} deleted, {len(self.not_found)} not found, {len(self.failed)} failed"


Step = LookUp | WaitUntil | Send | Done | Fail


def next_step(request: RecordRequest, journal: RecordJournal, seen: RecordSeen, now: float) -> tuple[RecordJournal, Step]:
    """Return the journal to save, and what to do when it is saved.

    :param journal: of this run of the task (`RecordJournal.for_run`).
    :param now: epoch seconds of the attempt's clock.
    """
    try:
        planned, step = _next(request, journal, seen, now)
        if isinstance(step, (Send, WaitUntil)):
            at = step.at if isinstance(step, WaitUntil) else now
            check_deadline(journal.deadline, at, f"all records of {request.module} are deleted")
    except ZohoCrmError as error:
        return journal, Fail(error)
    return planned, step


def heard(journal: RecordJournal, ids: Sequence[str], answer: Answer) -> RecordJournal:
    """Return the journal after the answer to a call: what Zoho deleted is noted, what it refused is known, the rest stays unknown."""
    if isinstance(answer, Lost):
        return journal
    if isinstance(answer, Refused):
        return journal.with_answer(ids, (), ids)
    return journal.with_answer(ids, answer.deleted, tuple(answer.failed))


def outcome(request: RecordRequest, journal: RecordJournal, seen: RecordSeen) -> Done:
    """Return what is known of each requested record by now."""
    deleted = tuple(record_id for record_id in request.ids if record_id in journal.done)
    absent = tuple(i for i in request.ids if i in seen.absent and i not in journal.done)
    failed = {i: reason for i, reason in seen.failed.items() if i not in seen.absent and i not in journal.done}
    return Done(deleted, absent, failed)


def _next(request: RecordRequest, journal: RecordJournal, seen: RecordSeen, now: float) -> tuple[RecordJournal, Step]:
    if len(seen.denied) > 1 and not seen.deleted_any:
        raise seen.denied[-1]
    pause = pause_for_records(
        seen.refusals,
        seen.lost,
        advice="The next attempt looks up what is still there, and sends only that.",
        then="These records are looked up, and sent again if they are there.",
    )
    if pause is not None and pause.at > now:
        return journal, pause
    todo = _todo(request, journal, seen)
    unconfirmed = journal.unconfirmed
    unknown = [record_id for record_id in todo if record_id in unconfirmed and record_id not in seen.there]
    if unknown and seen.blind is not None:
        raise SubmissionUncertain(
            f"Whether Zoho deleted {len(unknown)} records of {request.module} is not known, and the user may not look them up: "
            f"{seen.blind.message}",
            advice="Give the token the scope ZohoCRM.modules.READ and the user the right to see the records; then clear the task.",
        )
    part = next((part for part in seen.parts if set(part) <= set(todo)), None)
    # of a call that Zoho refused as a whole, what is not there is not sent again
    doubtful = unknown or [record_id for record_id in part or () if record_id not in seen.there]
    if not todo:
        doubtful = [record_id for record_id in seen.failed if record_id not in seen.there and record_id not in seen.absent]
    if doubtful and seen.blind is None:
        return journal, LookUp(tuple(doubtful[:RECORDS_PER_LOOK]))
    if not todo:
        return journal, outcome(request, journal, seen)
    batch = part or tuple(todo[:RECORDS_PER_CALL])
    return journal.with_intent(batch), Send(batch)


def _todo(request: RecordRequest, journal: RecordJournal, seen: RecordSeen) -> list[str]:
    """Return the ids that are neither deleted nor refused, nor known to meet no record."""
    known = {*journal.done, *seen.failed, *seen.absent}
    return [record_id for record_id in request.ids if record_id not in known]
