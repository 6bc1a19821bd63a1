"""The plan for deleting records by their ids, with a Zoho that is a set: what is sent, and what is said of each id."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_zcrm.api.errors import (
    CredentialsRejected,
    InvalidConnection,
    InvalidModule,
    InvalidRequest,
    LimitExceeded,
    PermissionDenied,
    ScopeMissing,
    ServiceUnavailable,
    SubmissionUncertain,
    TokenRejected,
    TooManyRequests,
    ZohoCrmError,
)
from airflow_provider_zcrm.api.mass_delete import RecordsDeleted
from airflow_provider_zcrm.rules.errors import DeadlineReached
from airflow_provider_zcrm.rules.record_deletion import (
    EXTRA_CALLS,
    Answer,
    Done,
    LookUp,
    RecordRequest,
    RecordSeen,
    Send,
    Step,
    heard,
    next_step,
)
from airflow_provider_zcrm.rules.record_journal import Part, RecordJournal
from airflow_provider_zcrm.rules.steps import Fail, Lost, Refused, WaitUntil

NEW = RecordJournal("https://zoho", "Leads", 1, 100_000.0)
IDS = tuple(str(number) for number in range(1, 11))


@dataclass
class World:
    """Records that are there, and how Zoho answers the next calls: None as it should."""

    records: set[str] = field(default_factory=lambda: set(IDS))
    answers: list[Callable[[tuple[str, ...]], Answer] | None] = field(default_factory=list)
    refusing: dict[str, ZohoCrmError] = field(default_factory=dict)
    journal: RecordJournal = NEW
    sent: list[tuple[str, ...]] = field(default_factory=list)
    looks: int = 0
    may_look: bool = True
    dies_after: int = 1000

    def run(self, ids: Iterable[str] = IDS) -> Done:
        """Run one attempt; it dies after so many answers, before they are noted."""
        request, seen, now = RecordRequest("Leads", tuple(ids)), RecordSeen(), 0.0
        for _ in range(2000):
            now += 1.0
            self.journal, step = next_step(request, self.journal, seen, now)
            if isinstance(step, Fail):
                raise step.error
            if isinstance(step, Done):
                return step
            if isinstance(step, WaitUntil):
                now = step.at
            elif isinstance(step, LookUp):
                self.looks += 1
                seen = seen.with_look(step.ids, self.records & set(step.ids)) if self.may_look else seen.with_blind(ScopeMissing("no"))
            elif isinstance(step, Send):
                answer = self._answer(step.ids)
                if len(self.sent) > self.dies_after:
                    raise Died
                self.journal = heard(self.journal, step.ids, answer)
                seen = seen.with_answer(step.ids, answer, now)
        raise AssertionError("it does not end")

    def _answer(self, ids: tuple[str, ...]) -> Answer:
        self.sent.append(ids)
        special = self.answers.pop(0) if self.answers else None
        if special is not None:
            return special(ids)
        refusal = next((self.refusing[i] for i in ids if i in self.refusing), None)
        if refusal is not None:
            return Refused(refusal)
        deleted = tuple(i for i in ids if i in self.records)
        self.records -= set(deleted)
        return RecordsDeleted(deleted, {i: "the id is invalid" for i in ids if i not in deleted})

    def lost_but_done(self, ids: tuple[str, ...]) -> Answer:
        self.records -= set(ids)
        return Lost(SubmissionUncertain("no answer"))


class Died(Exception):
    pass


def lost(_ids: tuple[str, ...]) -> Answer:
    return Lost(SubmissionUncertain("no answer"))


def refused(error: ZohoCrmError) -> Callable[[tuple[str, ...]], Answer]:
    return lambda _ids: Refused(error)


def test_all_go_with_one_call_and_no_look() -> None:
    world = World()
    assert world.run() == Done(IDS, (), {})
    assert (world.sent, world.looks) == ([IDS], 0)


def test_after_a_lost_answer_only_what_is_there_is_sent_again() -> None:
    world = World(answers=[lambda ids: world.lost_but_done(ids[:4])])
    done = world.run()
    assert world.sent == [IDS, IDS[4:]]
    assert (done.deleted, done.not_found, done.failed) == (IDS[4:], IDS[:4], {})


def test_after_four_lost_answers_the_next_attempt_goes_on() -> None:
    world = World(answers=[lost] * 4)
    with pytest.raises(SubmissionUncertain):
        world.run()
    assert world.run().deleted == IDS


def test_ids_that_the_answer_does_not_name_are_looked_up() -> None:
    world = World(answers=[lambda ids: RecordsDeleted(ids[:9])])
    world.records -= set(IDS[:9])
    assert world.run() == Done(IDS, (), {})
    assert world.sent == [IDS, IDS[9:]]


def test_an_attempt_that_dies_before_the_answer_is_noted_is_followed_by_a_look() -> None:
    world = World(dies_after=0)
    with pytest.raises(Died):
        world.run()
    world.dies_after = 1000
    assert world.run() == Done((), IDS, {})
    assert world.sent == [IDS]


def test_a_part_of_the_journal_that_is_gone_is_followed_by_a_look() -> None:
    world = World()
    world.run()
    world.journal = replace(world.journal, parts=(None,))
    assert world.run() == Done((), IDS, {})
    assert world.sent == [IDS]


def test_a_record_that_a_person_has_restored_stays() -> None:
    world = World()
    world.run()
    world.records = {IDS[0]}
    assert world.run().deleted == IDS
    assert world.records == {IDS[0]}


def test_what_was_refused_is_sent_again_by_the_next_attempt() -> None:
    world = World(answers=[lambda ids: RecordsDeleted(ids[1:], {ids[0]: "locked"})])
    assert world.run().failed == {IDS[0]: "locked"}
    assert world.run().deleted == IDS


@pytest.mark.parametrize("named", [True, False])
def test_the_culprit_of_a_refused_call_is_left_out_and_the_others_go(named: bool) -> None:
    details = {"json_path": "$.ids[3]"} if named else {}
    error = LimitExceeded("m", code="LICENSE_LIMIT_EXCEEDED", details=details)
    world = World(answers=[refused(error)] if named else [], refusing={} if named else {IDS[3]: error})
    done = world.run()
    assert done.failed == {IDS[3]: "Zoho refuses it: LICENSE_LIMIT_EXCEEDED"}
    assert done.deleted == tuple(i for i in IDS if i != IDS[3])


def test_halving_stops_at_its_budget() -> None:
    ids = tuple(str(number) for number in range(1, 501))
    world = World(records=set(ids), refusing={i: InvalidRequest("m", code="NOT_APPROVED") for i in ids[::2]})
    done = world.run(ids)
    assert len(world.sent) <= 2 * EXTRA_CALLS
    assert set(done.deleted) | set(done.failed) == set(ids)


def test_a_missing_permission_is_said_after_few_calls() -> None:
    ids = tuple(str(number) for number in range(1, 501))
    world = World(records=set(ids), refusing=dict.fromkeys(ids, PermissionDenied("m", code="NO_PERMISSION")))
    with pytest.raises(PermissionDenied):
        world.run(ids)
    assert len(world.sent) < 15


def test_a_429_is_waited_for_and_sent_again() -> None:
    world = World(answers=[refused(TooManyRequests("m", retry_after=70.0))] * 3)
    assert world.run().deleted == IDS


def test_refusals_that_last_are_for_the_next_attempt() -> None:
    world = World(answers=[refused(TooManyRequests("m", retry_after=70.0))] * 50)
    with pytest.raises(TooManyRequests):
        world.run()
    assert len(world.sent) < 10


def test_a_rejected_token_is_replaced_once() -> None:
    assert World(answers=[refused(TokenRejected("m"))]).run().deleted == IDS
    with pytest.raises(TokenRejected):
        World(answers=[refused(TokenRejected("m"))] * 2).run()


def test_who_may_not_look_does_not_send_again_what_may_be_restored() -> None:
    world = World(answers=[lost], may_look=False)
    with pytest.raises(SubmissionUncertain, match="may not look"):
        world.run()
    assert world.sent == [IDS]


def test_nothing_is_sent_after_the_deadline() -> None:
    world = World(journal=replace(NEW, deadline=0.5))
    with pytest.raises(DeadlineReached):
        world.run()
    assert world.sent == []


@given(st.lists(st.sampled_from(["fine", "lost", "done", "429", "dies", "half", "named"]), max_size=8), st.integers(1, 10))
def test_whatever_happens_nothing_is_deleted_twice_and_nothing_is_forgotten(faults: list[str], number: int) -> None:
    world = World()

    def half(ids: tuple[str, ...]) -> Answer:
        world.records -= set(ids[: len(ids) // 2])
        return RecordsDeleted(ids[: len(ids) // 2]) if len(ids) > 1 else RecordsDeleted((), {ids[0]: "locked"})

    kinds: dict[str, Callable[[tuple[str, ...]], Answer] | None] = {
        "fine": None,
        "lost": lost,
        "done": world.lost_but_done,
        "429": refused(TooManyRequests("m")),
        "half": half,
        "named": refused(InvalidRequest("m", details={"json_path": "$.ids[0]"})),
    }
    ids = IDS[:number]
    restored: set[str] = set()
    for fault in [*faults, "fine", "fine"]:
        world.answers, world.dies_after = [kinds.get(fault)], len(world.sent) if fault == "dies" else 1000
        before = set(world.journal.done)
        try:
            done = world.run(ids)
        except (Died, ZohoCrmError):
            continue
        assert set(done.deleted) | set(done.not_found) | set(done.failed) == set(ids)
        assert before <= set(done.deleted)
        # a person restores all that Zoho has reported as deleted
        restored |= set(done.deleted)
        world.records |= restored
    assert restored <= world.records


def test_the_journal_is_stored_in_parts() -> None:
    journal = NEW.with_intent(["1", "2", "3"]).with_answer(["1", "2", "3"], ["1"], ["2"]).with_intent(["3"])
    parts = tuple(Part.from_json(part.to_json()) for part in journal.parts if part)
    found = RecordJournal.from_head(journal.head())
    assert found == replace(journal, parts=(None, None))
    assert replace(found, parts=parts) == journal
    assert (journal.done, [i for i in "123" if i in journal.unconfirmed]) == ({"1"}, ["3"])
    assert RecordJournal.from_head({**journal.head(), "v": 99}) is None


def test_a_new_run_has_its_deadline_and_knows_what_was_sent() -> None:
    journal = NEW.with_intent(["1"])

    assert journal.for_run(2, 5.0) == RecordJournal(NEW.host, NEW.module, 2, 5.0, journal.parts)


# --- one attempt, step by step -------------------------------------------------------------------------------------------

THREE = ("1", "2", "3")


class Attempt:
    """An attempt whose clock moves only where a test lets it."""

    def __init__(self, *ids: str, journal: RecordJournal = NEW) -> None:
        self.request = RecordRequest("Leads", ids)
        self.journal, self.seen, self.now = journal, RecordSeen(), 1000.0

    def step(self) -> Step:
        """Save the journal of the next step, and return the step."""
        self.journal, step = next_step(self.request, self.journal, self.seen, self.now)
        return step

    def hears(self, answer: Answer) -> Attempt:
        """Send, and hear the answer a second later."""
        step = self.step()
        assert isinstance(step, Send), step
        self.now += 1.0
        self.journal = heard(self.journal, step.ids, answer)
        self.seen = self.seen.with_answer(step.ids, answer, self.now)
        return self

    def looks(self, *present: str) -> tuple[str, ...]:
        """Look up, and return what was looked up."""
        step = self.step()
        assert isinstance(step, LookUp), step
        self.seen = self.seen.with_look(step.ids, present)
        return step.ids

    def waits(self) -> float:
        """Wait, and return the seconds."""
        step = self.step()
        assert isinstance(step, WaitUntil), step
        seconds, self.now = step.at - self.now, step.at
        assert seconds > 0
        return seconds

    def fails(self, kind: type[ZohoCrmError]) -> str:
        step = self.step()
        assert isinstance(step, Fail), step
        assert type(step.error) is kind
        return str(step.error)


def unheard() -> Lost:
    return Lost(SubmissionUncertain("No answer came."))


def test_lost_answers_are_waited_out_longer_each_time_and_what_is_there_is_sent_again() -> None:
    attempt = Attempt(*THREE)
    pauses = []
    for _ in range(3):
        attempt.hears(unheard())
        step = attempt.step()
        assert isinstance(step, WaitUntil)
        assert "No answer came." in step.why
        pauses.append(attempt.waits())
        assert attempt.looks(*THREE) == THREE

    assert pauses == [5.0, 15.0, 30.0]
    said = attempt.hears(unheard()).fails(SubmissionUncertain)
    assert "The next attempt looks up what is still there" in said


def test_after_an_answer_the_pauses_for_lost_ones_begin_again() -> None:
    attempt = Attempt(*THREE).hears(unheard())
    attempt.waits()
    attempt.looks(*THREE)
    attempt.hears(RecordsDeleted(("1", "2")))
    assert attempt.waits() == 15.0
    attempt.looks("3")
    attempt.hears(Refused(InvalidRequest("No.", code="LOCKED")))

    assert attempt.step() == Done(("1", "2"), (), {"3": "Zoho refuses it: LOCKED"})


def test_an_answer_that_does_not_name_all_records_is_as_a_lost_one_for_the_others() -> None:
    attempt = Attempt(*THREE).hears(RecordsDeleted(("1",), {"2": "locked"}))

    step = attempt.step()
    assert isinstance(step, WaitUntil)
    assert "does not name all records" in step.why
    assert attempt.waits() == 5.0
    assert attempt.looks("3") == ("3",)
    attempt.hears(RecordsDeleted(("3",)))
    assert attempt.looks("2") == ("2",)
    assert attempt.step() == Done(("1", "3"), (), {"2": "locked"})


def test_what_zoho_refuses_and_is_not_there_is_not_found() -> None:
    attempt = Attempt(*THREE).hears(RecordsDeleted(("1",), {"2": "the id is invalid", "3": "locked"}))

    assert attempt.looks("3") == ("2", "3")
    done = attempt.step()
    assert done == Done(("1",), ("2",), {"3": "locked"})
    assert str(done) == "1 deleted, 1 not found, 1 failed"


def test_passing_refusals_are_waited_out_longer_each_time_they_are_alike() -> None:
    attempt = Attempt(*THREE)
    pauses = []
    for error in (
        ServiceUnavailable("m"),
        ServiceUnavailable("m"),
        TooManyRequests("m", retry_after=7.0),
        ServiceUnavailable("Try later."),
    ):
        attempt.hears(Refused(error))
        pauses.append(attempt.waits())

    assert pauses == [1.0, 2.0, 7.0, 1.0]
    attempt.hears(RecordsDeleted(THREE))
    assert attempt.step() == Done(THREE, (), {})


def test_a_passing_refusal_is_named_while_it_is_waited_out() -> None:
    step = Attempt(*THREE).hears(Refused(ServiceUnavailable("Zoho cannot answer."))).step()

    assert isinstance(step, WaitUntil)
    assert "Zoho cannot answer." in step.why


def test_refusals_that_have_lasted_five_minutes_end_the_attempt() -> None:
    attempt = Attempt(*THREE).hears(Refused(TooManyRequests("No more.", retry_after=298.0)))
    attempt.waits()
    attempt.hears(Refused(TooManyRequests("No more.")))
    attempt.waits()

    attempt.hears(Refused(TooManyRequests("No more."))).fails(TooManyRequests)


@pytest.mark.parametrize("kind", [CredentialsRejected, InvalidConnection, InvalidModule, ScopeMissing])
def test_a_refusal_that_says_nothing_of_the_records_fails_the_task(kind: type[ZohoCrmError]) -> None:
    attempt = Attempt(*THREE).hears(Refused(kind("No.")))

    attempt.fails(kind)
    assert attempt.seen.failed == {}


def test_refusals_of_another_kind_have_lasted_since_their_first() -> None:
    attempt = Attempt(*THREE).hears(Refused(TooManyRequests("No more.", retry_after=298.0)))
    attempt.waits()
    attempt.hears(Refused(ServiceUnavailable("m")))
    attempt.waits()

    assert attempt.hears(Refused(ServiceUnavailable("m"))).waits() == 2.0


def test_after_an_answer_the_pauses_for_refusals_begin_again() -> None:
    ids = tuple(str(number) for number in range(501))
    attempt = Attempt(*ids).hears(Refused(ServiceUnavailable("m")))
    attempt.waits()
    attempt.hears(RecordsDeleted(ids[:500]))

    assert attempt.hears(Refused(ServiceUnavailable("m"))).waits() == 1.0


def test_a_lost_answer_after_a_refusal_is_waited_out_as_a_lost_one() -> None:
    attempt = Attempt(*THREE).hears(Refused(ServiceUnavailable("m")))
    attempt.waits()

    assert attempt.hears(unheard()).waits() == 5.0


def test_a_record_that_is_refused_ends_a_row_of_passing_refusals() -> None:
    attempt = Attempt(*THREE).hears(Refused(ServiceUnavailable("m")))
    attempt.waits()
    attempt.hears(Refused(InvalidRequest("m")))
    attempt.looks("1")

    assert attempt.hears(Refused(ServiceUnavailable("m"))).waits() == 1.0


NAMED = {"json_path": "$.ids[1]"}


def test_what_is_left_of_a_call_is_looked_up_and_sent_when_zoho_has_named_the_culprit() -> None:
    attempt = Attempt(*THREE).hears(Refused(InvalidRequest("m", code="LOCKED", details=NAMED)))

    assert attempt.seen.failed == {"2": "Zoho refuses it: LOCKED"}
    assert attempt.looks("1") == ("1", "3")
    assert attempt.step() == Send(("1",))


def test_records_that_are_refused_alone_for_other_reasons_have_failed() -> None:
    attempt = Attempt("1", "2").hears(Refused(InvalidRequest("m")))
    attempt.looks("1")
    attempt.hears(Refused(InvalidRequest("m")))
    attempt.looks("2")

    assert attempt.hears(Refused(InvalidRequest("m"))).step() == Done((), (), dict.fromkeys(("1", "2"), "Zoho refuses it: m"))


def test_a_permission_that_is_missing_for_a_record_that_zoho_names_says_nothing_of_the_others() -> None:
    attempt = Attempt("1", "2", "3", "4").hears(Refused(PermissionDenied("m", details=NAMED)))
    assert attempt.looks("1", "3", "4") == ("1", "3", "4")

    attempt.hears(Refused(PermissionDenied("m", details=NAMED)))

    assert attempt.step() == Send(("1", "4"))


@pytest.mark.parametrize(
    ("used", "details", "failed", "parts"),
    [
        (EXTRA_CALLS - 1, {}, (), (("1",), ("2", "3"))),
        (EXTRA_CALLS - 1, NAMED, ("2",), (("1", "3"),)),
        (EXTRA_CALLS, {}, THREE, ()),
        (EXTRA_CALLS, NAMED, THREE, ()),
    ],
)
def test_when_the_calls_for_parts_are_used_up_all_of_a_call_has_failed(used: int, details: dict[str, str], failed: Any, parts: Any) -> None:
    seen = RecordSeen(extra_calls=used).with_answer(THREE, Refused(InvalidRequest("m", details=details)), 1.0)

    assert (seen.extra_calls, tuple(seen.failed), seen.parts) == (used + 1, failed, parts)


def test_a_refused_call_is_cut_in_halves_whose_records_are_looked_up_first() -> None:
    attempt = Attempt(*THREE).hears(Refused(InvalidRequest("A record is locked.")))

    assert attempt.looks("1") == ("1",)
    assert attempt.step() == Send(("1",))
    attempt.hears(Refused(InvalidRequest("A record is locked.")))
    assert attempt.seen.failed == {"1": "Zoho refuses it: A record is locked."}
    assert attempt.looks("2") == ("2", "3")
    attempt.hears(RecordsDeleted(("2",)))
    assert attempt.step() == Done(("2",), ("3",), {"1": "Zoho refuses it: A record is locked."})


@pytest.mark.parametrize("answer", [unheard(), RecordsDeleted(("1", "2")), RecordsDeleted(())], ids=["lost", "all", "none named"])
def test_the_parts_that_were_not_sent_yet_stay_whatever_the_answer_to_one_is(answer: Answer) -> None:
    attempt = Attempt("1", "2", "3", "4").hears(Refused(InvalidRequest("No.")))
    attempt.looks("1", "2")
    attempt.hears(answer)

    assert attempt.seen.parts == (("3", "4"),)


def test_a_refusal_of_the_last_record_for_want_of_a_permission_does_not_fail_a_task_that_has_deleted() -> None:
    attempt = Attempt(*THREE)
    attempt.hears(Refused(PermissionDenied("No.", code="NO_PERMISSION")))
    attempt.looks("1")
    attempt.hears(RecordsDeleted(("1",)))
    attempt.looks("2", "3")
    attempt.hears(Refused(PermissionDenied("No.", code="NO_PERMISSION")))
    attempt.hears(Refused(PermissionDenied("No.", code="NO_PERMISSION")))
    attempt.hears(Refused(PermissionDenied("No.", code="NO_PERMISSION")))

    assert attempt.step() == Done(("1",), (), dict.fromkeys(("2", "3"), "Zoho refuses it: NO_PERMISSION"))


def test_two_records_that_are_refused_alone_for_want_of_a_permission_fail_the_task() -> None:
    attempt = Attempt("1", "2").hears(Refused(PermissionDenied("No.")))
    attempt.looks("1")
    attempt.hears(Refused(PermissionDenied("Not the first.")))
    attempt.looks("2")

    assert "Not the second." in attempt.hears(Refused(PermissionDenied("Not the second."))).fails(PermissionDenied)


def test_a_call_takes_500_records_and_a_look_100() -> None:
    ids = tuple(str(number) for number in range(501))
    attempt = Attempt(*ids)

    assert attempt.step() == Send(ids[:500])
    attempt = Attempt(*ids, journal=NEW.with_intent(ids[:200]))
    assert attempt.looks() == ids[:100]
    assert attempt.looks() == ids[100:200]
    assert attempt.step() == Send(ids[200:])


def test_who_may_not_look_is_told_how_many_records_are_in_doubt_and_what_to_do() -> None:
    attempt = Attempt(*THREE, journal=NEW.with_intent(THREE[:2]))
    attempt.seen = attempt.seen.with_blind(ScopeMissing("A scope is missing."))

    said = attempt.fails(SubmissionUncertain)

    assert "2 records of Leads is not known" in said
    assert "A scope is missing." in said
    assert "ZohoCRM.modules.READ" in said


def test_who_may_not_look_is_told_zohos_own_reasons() -> None:
    attempt = Attempt(*THREE)
    attempt.seen = attempt.seen.with_blind(ScopeMissing("A scope is missing."))

    attempt.hears(RecordsDeleted(("1", "2"), {"3": "locked"}))

    assert attempt.step() == Done(("1", "2"), (), {"3": "locked"})


@pytest.mark.parametrize(("deadline", "step"), [(1000.0, Fail), (1000.5, Send)])
def test_a_call_is_sent_before_the_deadline_or_not_at_all(deadline: float, step: type) -> None:
    attempt = Attempt(*THREE, journal=replace(NEW, deadline=deadline))

    assert isinstance(attempt.step(), step)
    assert len(attempt.journal.parts) == (step is Send)


def test_nothing_is_waited_for_beyond_the_deadline() -> None:
    attempt = Attempt(*THREE, journal=replace(NEW, deadline=1005.0)).hears(unheard())

    assert "before all records of Leads are deleted" in attempt.fails(DeadlineReached)
