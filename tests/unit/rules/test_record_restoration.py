"""The plan for restoring records: nothing that nobody named, nothing twice, and each id reported as what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_zcrm.api.errors import (
    InvalidRequest,
    PermissionDenied,
    ScopeMissing,
    SubmissionUncertain,
    TokenRejected,
    TooManyRequests,
    ZohoCrmError,
)
from airflow_provider_zcrm.api.recycle_bin import RecordsRestored
from airflow_provider_zcrm.rules.errors import DeadlineReached
from airflow_provider_zcrm.rules.record_journal import RecordJournal
from airflow_provider_zcrm.rules.record_restoration import (
    Answer,
    Done,
    LookUp,
    RestoreRequest,
    RestoreSeen,
    Send,
    Watch,
    heard,
    next_step,
    noted,
)
from airflow_provider_zcrm.rules.steps import Fail, Lost, Refused, WaitUntil

IDS = tuple(str(number) for number in range(1, 7))
NEW = RecordJournal("https://host", "Leads", 1, 10_000.0)


@dataclass
class World:
    """A Zoho with a bin, and one attempt after the other.

    :param binned: what is in the bin; the rest of the ids is in the module, but for those that are gone.
    :param answers: what comes instead of Zoho's answer to the next calls; ``lost`` does the work and loses the answer.
    """

    binned: set[str] = field(default_factory=lambda: set(IDS))
    gone: set[str] = field(default_factory=set)
    elsewhere: dict[str, str] = field(default_factory=dict)
    scheduling: bool = False
    answers: list[Any] = field(default_factory=list)
    journal: RecordJournal = NEW
    sent: list[tuple[str, ...]] = field(default_factory=list)
    under_way: set[str] = field(default_factory=set)
    now: float = 1000.0

    def run(self, ids: tuple[str, ...] = IDS, dies_after: int = 10_000) -> Done | None:
        """Run an attempt; None if it dies after so many steps."""
        seen = RestoreSeen()
        for _ in range(dies_after):
            self.now += 1
            self.journal, step = next_step(RestoreRequest("Leads", ids), self.journal, seen, self.now)
            match step:
                case Fail(error):
                    raise error
                case Done():
                    return step
                case WaitUntil(at, _):
                    self.now = at
                case LookUp(looked):
                    binned = {i: self.elsewhere.get(i, "Leads") for i in looked if i in self.binned}
                    away = self.binned | self.gone
                    seen = seen.with_look(looked, "Leads", binned, [i for i in looked if i not in away])
                    self.journal = noted(self.journal, seen)
                case Watch(waiting):
                    self.binned -= self.under_way
                    self.under_way.clear()
                    seen = seen.with_back(waiting)
                case Send(batch):
                    answer = self.answer(batch)
                    self.journal = heard(self.journal, batch, answer)
                    seen = seen.with_answer(batch, answer, self.now)
        return None

    def answer(self, batch: tuple[str, ...]) -> Answer:
        self.sent.append(batch)
        planned = self.answers.pop(0) if self.answers else None
        if isinstance(planned, (Refused, Lost)):
            return planned
        there = tuple(i for i in batch if i in self.binned)
        failed = {i: "INVALID_DATA" for i in batch if i not in self.binned}
        if self.scheduling:
            self.under_way |= set(there)
            answer = RecordsRestored(scheduled=there, failed=failed)
        else:
            self.binned -= set(there)
            answer = RecordsRestored(there, (), failed)
        if planned == "lost":
            return Lost(SubmissionUncertain("m"))
        if planned == "unnamed":
            return RecordsRestored(answer.restored[1:], answer.scheduled[1:], failed)
        return answer


def refused(error: ZohoCrmError) -> Refused:
    return Refused(error)


def test_all_come_back_with_one_look_and_one_call() -> None:
    world = World()
    assert world.run() == Done(IDS, (), (), {}, ())
    assert world.sent == [IDS]


def test_records_are_looked_up_again_after_a_refusal_that_is_waited_for() -> None:
    """Somebody restores one meanwhile: it is there, and is not sent."""

    class Helped(World):
        def answer(self, batch: tuple[str, ...]) -> Answer:
            answer = super().answer(batch)
            if isinstance(answer, Refused):
                self.binned.discard("2")
            return answer

    world = Helped(answers=[refused(TooManyRequests("m"))])
    done = world.run()
    assert done == Done(tuple(i for i in IDS if i != "2"), ("2",), (), {}, ())
    assert world.sent == [IDS, done.restored]


def test_what_is_there_is_not_sent_and_what_is_gone_is_said() -> None:
    world = World(binned={"1", "2"}, gone={"3"})
    done = world.run()
    assert done == Done(("1", "2"), ("4", "5", "6"), ("3",), {}, ())
    assert world.sent == [("1", "2", "3")]


def test_a_record_of_another_module_is_never_sent() -> None:
    world = World(elsewhere={"2": "Contacts"})
    done = world.run()
    assert done is not None
    assert done.failed == {"2": "it is a record of Contacts"}
    assert all("2" not in batch for batch in world.sent)


def test_after_a_lost_answer_only_what_is_not_back_is_sent_again() -> None:
    world = World(answers=["lost"])
    assert world.run() == Done(IDS, (), (), {}, ())
    assert world.sent == [IDS]
    world = World(answers=[Lost(SubmissionUncertain("m"))])
    assert world.run() == Done(IDS, (), (), {}, ())
    assert world.sent == [IDS, IDS]


def test_after_four_lost_answers_the_next_attempt_goes_on() -> None:
    world = World(answers=[Lost(SubmissionUncertain("m"))] * 4)
    with pytest.raises(SubmissionUncertain):
        world.run()
    assert world.run() == Done(IDS, (), (), {}, ())


def test_an_id_that_the_answer_does_not_name_is_looked_up() -> None:
    world = World(answers=["unnamed"])
    assert world.run() == Done(IDS, (), (), {}, ())
    assert world.sent == [IDS]


def test_what_is_scheduled_is_watched_and_never_sent_again() -> None:
    world = World(scheduling=True)
    assert world.run(dies_after=3) is None
    assert world.run() == Done(IDS, (), (), {}, ())
    assert world.sent == [IDS]


def test_a_record_that_a_person_deletes_again_stays_deleted() -> None:
    world = World()
    world.run()
    world.binned = {"1"}
    world.journal = world.journal.for_run(2, 10_000.0)
    assert world.run() == Done(IDS, (), (), {}, ())
    assert world.sent == [IDS]


@pytest.mark.parametrize("error", [InvalidRequest("m"), PermissionDenied("m")])
def test_a_refused_call_is_halved_until_the_culprit_is_alone(error: ZohoCrmError) -> None:
    world = World(answers=[refused(error), refused(error), refused(error)])
    done = world.run()
    assert done is not None
    assert len(done.failed) == 1
    assert set(done.restored) | set(done.failed) == set(IDS)


def test_halving_stops_at_its_budget() -> None:
    ids = tuple(str(number) for number in range(1, 201))
    world = World(binned=set(ids), answers=[refused(InvalidRequest("m"))] * 1000)
    done = world.run(ids)
    assert done is not None
    assert set(done.failed) == set(ids)
    assert len(world.sent) < 100


def test_a_missing_scope_is_said_at_once() -> None:
    world = World(answers=[refused(ScopeMissing("m"))])
    with pytest.raises(ScopeMissing):
        world.run()


def test_a_429_is_waited_for_and_a_rejected_token_replaced() -> None:
    world = World(answers=[refused(TooManyRequests("m", retry_after=100)), refused(TokenRejected("m"))])
    assert world.run() == Done(IDS, (), (), {}, ())
    assert world.now > 1100


def test_nothing_is_sent_or_waited_for_after_the_deadline() -> None:
    with pytest.raises(DeadlineReached):
        World(now=10_000.0).run()


FAULTS = st.sampled_from(["lost", "unnamed", "none", "refused", "503"])


@settings(deadline=None, database=None, max_examples=150)
@given(
    st.lists(FAULTS, max_size=8),
    st.sets(st.sampled_from(IDS)),
    st.sets(st.sampled_from(IDS)),
    st.lists(st.integers(1, 12), max_size=4),
    st.booleans(),
)
def test_whatever_happens_each_id_is_sent_only_while_it_is_away_and_reported(
    faults: list[str], binned: set[str], gone: set[str], deaths: list[int], scheduling: bool
) -> None:
    planned = {"refused": refused(InvalidRequest("m")), "503": Lost(SubmissionUncertain("m")), "none": None}
    world = World(binned=binned - gone, gone=gone, scheduling=scheduling, answers=[planned.get(fault, fault) for fault in faults])
    restored: set[str] = set()
    for dies_after in [*deaths, 10_000, 10_000, 10_000, 10_000]:
        before = len(world.sent)
        try:
            done = world.run(dies_after=dies_after)
        except SubmissionUncertain:
            continue
        for batch in world.sent[before:]:
            assert not restored & set(batch)
        restored = set(world.journal.done)
        if done is not None:
            everything = [*done.restored, *done.present, *done.not_found, *done.failed, *done.waiting]
            assert sorted(everything) == list(IDS)
            assert set(done.not_found) <= gone
            assert not done.waiting
            assert not set(done.restored) & world.binned


def test_a_record_that_the_bin_shows_and_zoho_refuses_is_not_gone() -> None:
    seen = RestoreSeen().with_look(["1", "2"], "Leads", {"1": "Leads"}, [])
    seen = seen.with_answer(["1", "2"], RecordsRestored(failed={"1": "INVALID_DATA", "2": "INVALID_DATA"}), 0.0)
    assert (seen.failed, seen.absent) == ({"1": "Zoho refuses it: INVALID_DATA"}, {"2"})
