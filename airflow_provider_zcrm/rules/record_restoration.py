"""The plan for restoring records from the recycle bin by their ids: what is looked up, what is sent next, and what an answer says.

    journal, step = next_step(request, journal, seen, now)        save the journal, then do the step, then report what was seen
    journal = heard(journal, ids, answer)                         after a `Send`: what Zoho's answer says of each id
    journal = noted(journal, seen)                                after a `LookUp`: what came back

What came back is noted at once and never sent again: who deletes it again after that means it. So every id is looked up before it is
sent, the first time and after a lost answer: what is in its module is there, what is in the bin of another module is refused, and the
rest is sent. Whether a record is gone for good only Zoho's refusal tells, because the bin shows a user what that user may see.
What Zoho restores in the background has no job, so its records are watched until they are back.

Times are epoch seconds of one attempt's own clock. `seen` is what this attempt has seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from airflow_provider_zcrm.api.errors import (
    CredentialsRejected,
    InvalidConnection,
    PermanentError,
    ScopeMissing,
    SubmissionUncertain,
    ZohoCrmError,
)
from airflow_provider_zcrm.api.mass_delete import refused_record
from airflow_provider_zcrm.api.recycle_bin import BINNED_PER_LOOK, RESTORES_PER_CALL, RecordsRestored
from airflow_provider_zcrm.rules.deadline import check_deadline
from airflow_provider_zcrm.rules.pauses import pause_for_records
from airflow_provider_zcrm.rules.record_journal import RecordJournal
from airflow_provider_zcrm.rules.steps import Fail, Lost, Refused, WaitUntil

# calls beyond one per 200 ids, for calls that Zoho refused as a whole; when they are used up, what is refused counts as failed
EXTRA_CALLS = 40

# Zoho's word for an id that is not in the bin
_NOT_THERE = "INVALID_DATA"
# refusals of a whole call that say nothing of its records
_NOT_ABOUT_RECORDS = (CredentialsRejected, InvalidConnection, ScopeMissing)

Answer = RecordsRestored | Refused | Lost


@dataclass(frozen=True)
class RestoreRequest:
    """The records of one module that are to come back; each id once."""

    module: str
    ids: tuple[str, ...]


@dataclass(frozen=True)
class RestoreSeen:
    """What this attempt has seen so far.

    :param looked: ids that were looked up since the last answer about them.
    :param there: those that are in the module, ``binned`` those that are in its bin.
    :param failed: ids that are not restored, with the reason.
    :param absent: ids that Zoho refused and that are neither in the module nor in the bin.
    :param parts: the calls to which a refused one was cut.
    :param extra_calls: how many of the calls for that are used up.
    :param lost: how many answers were lost one after the other, and when the last one was.
    :param refusals: how many refusals of a passing kind came one after the other, the last one, and when the first and the last came.
    """

    looked: frozenset[str] = frozenset()
    there: frozenset[str] = frozenset()
    binned: frozenset[str] = frozenset()
    failed: Mapping[str, str] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    parts: tuple[tuple[str, ...], ...] = ()
    extra_calls: int = 0
    lost: tuple[int, ZohoCrmError, float] | None = None
    refusals: tuple[int, ZohoCrmError, float, float] | None = None

    def with_look(self, ids: Iterable[str], module: str, binned: Mapping[str, str], present: Iterable[str]) -> RestoreSeen:
        """Note where the ids are: in the bin, of which module, and in the module itself."""
        elsewhere = {record_id: f"it is a record of {name}" for record_id, name in binned.items() if name != module}
        return replace(
            self,
            looked=self.looked | frozenset(ids),
            there=self.there | frozenset(present),
            binned=(self.binned - frozenset(ids)) | (frozenset(binned) - frozenset(elsewhere)),
            failed={**self.failed, **elsewhere},
        )

    def with_back(self, ids: Iterable[str]) -> RestoreSeen:
        """Note that records were watched until they were back, or for long enough: they are looked up again."""
        return replace(self, looked=self.looked - frozenset(ids))

    def with_answer(self, ids: Sequence[str], answer: Answer, now: float) -> RestoreSeen:
        """Note the answer to a call."""
        rest = tuple(part for part in self.parts if set(part) != set(ids))
        if isinstance(answer, Refused):
            return self._with_refusal(tuple(ids), answer.error, rest, now)
        if isinstance(answer, Lost):
            unknown, failed, absent, error = frozenset(ids), dict(self.failed), self.absent, answer.error
        else:
            unknown = frozenset(ids) - {*answer.restored, *answer.scheduled, *answer.failed}
            gone = {i for i, code in answer.failed.items() if code.strip().upper() == _NOT_THERE and i not in self.binned}
            failed = {**self.failed, **{i: f"Zoho refuses it: {code}" for i, code in answer.failed.items() if i not in gone}}
            absent, error = self.absent | gone, SubmissionUncertain("Zoho's answer does not name all records.")
        lost = ((self.lost[0] if self.lost else 0) + 1, error, now) if unknown else None
        return replace(self, looked=self.looked - unknown, failed=failed, absent=absent, parts=rest, lost=lost, refusals=None)

    def _with_refusal(self, ids: tuple[str, ...], error: ZohoCrmError, rest: tuple[tuple[str, ...], ...], now: float) -> RestoreSeen:
        if not isinstance(error, PermanentError) or isinstance(error, _NOT_ABOUT_RECORDS):
            times, last, since, _ = self.refusals or (0, None, now, now)
            same = type(last) is type(error)
            # it is waited for, and meanwhile somebody else may restore them
            looked = self.looked - frozenset(ids)
            return replace(self, looked=looked, refusals=(times + 1 if same else 1, error, since if same else now, now))
        seen = replace(self, refusals=None, parts=rest, extra_calls=self.extra_calls + 1)
        within = self.extra_calls < EXTRA_CALLS
        named = refused_record(error, ids) or (ids[0] if len(ids) == 1 else None)
        if named is None and within:
            half = len(ids) // 2
            return replace(seen, parts=(ids[:half], ids[half:], *rest))
        culprits = (named,) if named and within else ids
        left = tuple(record_id for record_id in ids if record_id not in culprits)
        failed = {**self.failed, **dict.fromkeys(culprits, f"Zoho refuses it: {error.code or error.message}")}
        return replace(seen, failed=failed, parts=(left, *rest) if left else rest)


# --- the steps -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LookUp:
    """Find out which of these ids, at most 100, are in the bin or in their module."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class Send:
    """Restore these records, with one call."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class Watch:
    """Watch these records, at most 100, until they are in their module again."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class Done:
    """What is known of each record.

    :param restored: they came back, by this attempt or an earlier one of the task.
    :param present: they were there before anything was sent.
    :param not_found: Zoho refused them, and they are neither in the bin nor in the module: gone for good, or hidden from the user.
    :param failed: not restored, with the reason.
    :param waiting: Zoho restores them in the background, or has not said whether it did.
    """

    restored: tuple[str, ...]
    present: tuple[str, ...]
    not_found: tuple[str, ...]
    failed: Mapping[str, str]
    waiting: tuple[str, ...]

    def __str__(self) -> str:
        numbers = {"restored": self.restored, "there already": self.present, "not in the recycle bin": self.not_found}
        more = {"failed": self.failed, "waiting": self.waiting}
        return ", ".join(f"{len(ids)} {name}" for name, ids in {**numbers, **more}.items())


Step = LookUp | WaitUntil | Send | Watch | Done | Fail


def next_step(request: RestoreRequest, journal: RecordJournal, seen: RestoreSeen, now: float) -> tuple[RecordJournal, Step]:
    """Return the journal to save, and what to do when it is saved.

    :param journal: of this run of the task (`RecordJournal.for_run`).
    :param now: epoch seconds of the attempt's clock.
    """
    try:
        planned, step = _next(request, journal, seen, now)
        if isinstance(step, (Send, WaitUntil, Watch)):
            at = step.at if isinstance(step, WaitUntil) else now
            check_deadline(journal.deadline, at, f"all records of {request.module} are back")
    except ZohoCrmError as error:
        return journal, Fail(error)
    return planned, step


def heard(journal: RecordJournal, ids: Sequence[str], answer: Answer) -> RecordJournal:
    """Return the journal after the answer to a call: what came back is noted, what was refused is known, the rest stays unknown."""
    if isinstance(answer, Lost):
        return journal
    if isinstance(answer, Refused):
        return journal.with_answer(ids, (), ids)
    return journal.with_answer(ids, answer.restored, tuple(answer.failed), answer.scheduled)


def noted(journal: RecordJournal, seen: RestoreSeen) -> RecordJournal:
    """Return the journal after a `LookUp`: what was sent without a last word and is in its module now came back."""
    done, unconfirmed, scheduled = journal.done, journal.unconfirmed, journal.scheduled
    back = sorted(i for i in seen.there if i not in done and (i in scheduled or i in unconfirmed.ids))
    return journal.with_done(back) if back else journal


def outcome(request: RestoreRequest, journal: RecordJournal, seen: RestoreSeen) -> Done:
    """Return what is known of each requested record by now."""
    journal = noted(journal, seen)
    done, ids = journal.done, request.ids
    present = tuple(i for i in ids if i in seen.there and i not in done)
    absent = tuple(i for i in ids if i in seen.absent and i not in done and i not in seen.there)
    known = {*done, *present, *absent}
    failed = {i: reason for i, reason in seen.failed.items() if i not in known}
    unconfirmed, scheduled = journal.unconfirmed, journal.scheduled
    waiting = tuple(i for i in ids if i not in known and i not in failed and (i in scheduled or i in unconfirmed))
    return Done(tuple(i for i in ids if i in done), present, absent, failed, waiting)


def _next(request: RestoreRequest, journal: RecordJournal, seen: RestoreSeen, now: float) -> tuple[RecordJournal, Step]:
    pause = pause_for_records(
        seen.refusals,
        seen.lost,
        advice="The next attempt looks up what has come back, and sends only the rest.",
        then="These records are looked up before anything is sent again.",
    )
    if pause is not None and pause.at > now:
        return journal, pause
    known = {*journal.done, *seen.failed, *seen.absent, *seen.there}
    left = [record_id for record_id in request.ids if record_id not in known]
    scheduled = journal.scheduled
    todo = [record_id for record_id in left if record_id not in scheduled]
    if todo:
        part = next((part for part in seen.parts if set(part) <= set(todo)), None)
        batch = part or tuple(todo[:RESTORES_PER_CALL])
        new = tuple(record_id for record_id in batch if record_id not in seen.looked)
        if new:
            return journal, LookUp(new[:BINNED_PER_LOOK])
        return journal.with_intent(batch), Send(batch)
    waiting = [record_id for record_id in left if record_id in scheduled]
    new = tuple(record_id for record_id in waiting if record_id not in seen.looked)
    if new:
        return journal, LookUp(new[:BINNED_PER_LOOK])
    if waiting:
        return journal, Watch(tuple(waiting[:BINNED_PER_LOOK]))
    return journal, outcome(request, journal, seen)
