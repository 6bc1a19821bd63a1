"""All worlds of a bound for a view: the real plan and its journal, with every answer of Zoho's and every moment at which a worker may die.

An attempt is a list of choices: each time that the world may go on in more than one way, the next choice decides, and `paths` tries them
all. What an attempt leaves behind is a `State`; equal ones are gone on from once. So within the bound (two runs of the task with two
attempts each, two or three faults or deaths of different kinds) nothing is left out.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import pytest

from airflow_provider_zcrm.api.errors import (
    JobAlreadyRunning,
    NoRecordsFound,
    SubmissionUncertain,
    TokenRejected,
    TooManyRequests,
    ZohoCrmError,
)
from airflow_provider_zcrm.api.mass_delete import JobStatus
from airflow_provider_zcrm.rules import view_deletion, view_journal
from airflow_provider_zcrm.rules.errors import TooLate
from airflow_provider_zcrm.rules.guards import RecordGuards
from airflow_provider_zcrm.rules.steps import Fail, WaitUntil
from airflow_provider_zcrm.rules.view_deletion import AskJob, CountView, Done, Send, ViewRequest, ViewSeen, WatchJob
from airflow_provider_zcrm.rules.view_journal import View, ViewJournal

# as in test_walk
pytestmark = pytest.mark.no_cover

VIEW = View("Leads", "5")
HOST = "https://zoho"
MOST, STEPS = 10, 60
# in CI one more
FAULTS = 3 if os.environ.get("WALK") == "larger" else 2
# may only grow: fewer paths would be a smaller world
FEWEST_STATES, FEWEST_PATHS = (8_800, 20_000) if FAULTS == 3 else (2_150, 3_450)


class Died(Exception):
    """The worker died."""


class Broken(AssertionError):
    """An invariant does not hold."""


@dataclass
class Choices:
    """The choices of one path: those that are given, and then the first of each."""

    given: list[int]
    widths: list[int] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def of(self, *ways: str) -> str:
        """Return the way that the world goes; a fault (a word with a !) happens once in a path, and at most so many do."""
        possible = [way for way in ways if not way.endswith("!") or (way not in self.used and len(self.used) < FAULTS)]
        number = self.given[len(self.widths)] if len(self.widths) < len(self.given) else 0
        self.widths.append(len(possible))
        if possible[number].endswith("!"):
            self.used.add(possible[number])
        return possible[number]


def paths(used: frozenset[str]) -> Iterator[Choices]:
    """Yield the choices of every path, one after the other, as an odometer."""
    given: list[int] = []
    while True:
        choices = Choices(given, used=set(used))
        yield choices
        taken = [*given, *[0] * (len(choices.widths) - len(given))][: len(choices.widths)]
        while taken and taken[-1] + 1 >= choices.widths[len(taken) - 1]:
            taken.pop()
        if not taken:
            return
        given = [*taken[:-1], taken[-1] + 1]


@dataclass(frozen=True)
class State:
    """Zoho, Airflow's store, and what is needed to judge.

    :param stored: the journal as JSON; its times are for people, so they are all the same here.
    :param jobs: of each job that Zoho accepted, the run of the task, and "running", "done" or "left".
    :param noted: how many of them the task has noted.
    :param used: the faults that have happened.
    """

    stored: str | None = None
    shows: int = 5
    jobs: tuple[tuple[int, str], ...] = ()
    noted: frozenset[str] = frozenset()
    used: frozenset[str] = frozenset()


class World:
    """A state, while an attempt changes it."""

    def __init__(self, state: State, choices: Choices) -> None:
        self.choices = choices
        self.stored, self.shows, self.noted = state.stored, state.shows, set(state.noted)
        self.jobs = {str(number): job for number, job in enumerate(state.jobs, start=1)}

    def state(self) -> State:
        return State(self.stored, self.shows, tuple(self.jobs.values()), frozenset(self.noted), frozenset(self.choices.used))

    def attempt(self, run: int, *, confirmed: bool) -> None:  # noqa: C901 - one branch for each step
        """Run one attempt."""
        now = 1000.0 * run
        request = ViewRequest(view=VIEW, guards=RecordGuards(MOST, Fraction(1)), confirmed=confirmed, wait=True)
        found = ViewJournal.from_json(json.loads(self.stored)) if self.stored else None
        journal = (found or ViewJournal(run, 1e9)).for_run(run, HOST, 1e9)
        self._save(journal)
        seen, counted_at, counted, waited = ViewSeen(), -1.0, 0, True
        for _ in range(STEPS):
            now += 1.0
            planned, step = view_deletion.next_step(request, journal, seen, now)
            if isinstance(step, Fail):
                return
            if planned != journal:
                journal = self._save(planned)
            if isinstance(step, Done):
                self._check_no_job_lost(step)
                return
            if isinstance(step, WaitUntil):
                now, waited = max(now, step.at), True
                self.shows = {"the same": self.shows, "grows!": 50}[self.choices.of("the same", "grows!")]
                seen = seen.with_wait()
            elif isinstance(step, CountView):
                counted_at, counted, waited = now, self.shows, False
                seen = seen.with_count(self.shows, 100, now)
            elif isinstance(step, Send):
                if self.choices.of("in time", "saving takes long!") != "in time":
                    now += 20.0
                answer = TooLate("m") if now > step.before else self._answer(run)
                if not isinstance(answer, TooLate) and (waited or now - counted_at > 10 or counted > MOST):
                    raise Broken("guarded: a view was submitted without a count directly before, or above it")
                journal = self._save(view_deletion.heard(journal, answer, now))
                self.noted |= {answer} if isinstance(answer, str) else set()
                seen = seen.with_answer(answer, now)
            else:
                seen = self._ask_or_watch(step, seen, now)
        raise Broken("it ends: too many steps")

    def _ask_or_watch(self, step: Any, seen: ViewSeen, now: float) -> ViewSeen:
        if isinstance(step, AskJob):
            return seen.with_job(step.job_id, self._status(step.job_id), now)
        assert isinstance(step, WatchJob)
        if self.choices.of("watched", "the task is cleared or retried!") != "watched":
            raise Died
        return seen.with_reports([{"id": step.job_id}])

    def _save(self, journal: ViewJournal) -> ViewJournal:
        way = self.choices.of("saved", "dies before it is saved!", "dies after it is saved!")
        if way != "dies before it is saved!":
            same_times = tuple(replace(s, at=min(s.at, 1.0)) for s in journal.submissions)
            self.stored = json.dumps(replace(journal, submissions=same_times).to_json())
        if way != "saved":
            raise Died
        return journal

    def _answer(self, run: int) -> str | ZohoCrmError:
        way = self.choices.of(
            "accepted", "lost, accepted!", "lost, refused!", "429!", "another job runs!", "token!", "no records!", "dies, accepted!"
        )
        job_id = str(len(self.jobs) + 1)
        if "accepted" in way:
            self._check_once(run)
            self.jobs[job_id] = (run, self.choices.of("done", "running", "left"))
        if way == "dies, accepted!":
            raise Died
        errors = {
            "429!": TooManyRequests("m", retry_after=30.0),
            "another job runs!": JobAlreadyRunning("m"),
            "token!": TokenRejected("m"),
            "no records!": NoRecordsFound("m"),
        }
        return job_id if way == "accepted" else errors.get(way) or SubmissionUncertain("m")

    def _status(self, job_id: str) -> JobStatus | None:
        run, state = self.jobs[job_id]
        if state == "running" and self.choices.of("runs on", "ends!") == "ends!":
            state = "done"
            self.jobs[job_id] = (run, state)
        if self.choices.of("known", "unknown for now!") == "unknown for now!":
            return None
        return {
            "running": JobStatus("RUNNING", 5, 1, 0),
            "done": JobStatus("COMPLETED", 5, 5, 0),
            "left": JobStatus("COMPLETED", 5, 3, 0),
        }[state]

    def _check_once(self, run: int) -> None:
        """A second submission may be accepted only in a later run, after one whose outcome was not known, or that left records."""
        for job_id, (earlier, state) in self.jobs.items():
            if earlier == run:
                raise Broken("submitted once: a view was accepted twice in one run of the task")
            if job_id in self.noted and state != "left":
                raise Broken("submitted once: a view was submitted again although its job left nothing")

    def _check_no_job_lost(self, done: Done) -> None:
        """A task that ends well returns the last job that it has noted, unless a later submission found the view empty."""
        if self.noted and done.job_id is None and not self.choices.used & {"no records!"}:
            raise Broken("no job lost: the task ended without the job that Zoho accepted")


def walk() -> tuple[int, int]:
    """Try all paths, and return how many states there are between two attempts, and how many paths."""
    states, number, paths_tried = {State()}, 0, 0
    for run, confirmed in ((1, False), (1, False), (2, True), (2, True)):
        number += len(states)
        after: set[State] = set()
        for state in states:
            for choices in paths(state.used):
                world = World(state, choices)
                paths_tried += 1
                with suppress(Died):
                    world.attempt(run, confirmed=confirmed)
                after.add(world.state())
        states = after
    return number + len(states), paths_tried


def test_every_world_keeps_the_promise() -> None:
    states, paths_tried = walk()
    print(f"{states} states, {paths_tried} paths")  # noqa: T201 - the size of the world
    assert states >= FEWEST_STATES
    assert paths_tried >= FEWEST_PATHS


def _never(*_: Any, **__: Any) -> None:
    return None


MUTANTS: dict[str, tuple[str, Callable[[pytest.MonkeyPatch], None]]] = {
    "a count may be old": ("guarded", lambda patch: patch.setattr(view_deletion, "FRESH_COUNT", 1e9)),
    "a wait does not make a count old": ("guarded", lambda patch: patch.setattr(ViewSeen, "with_wait", lambda self: self)),
    "the guard is not judged": ("guarded", lambda patch: patch.setattr(RecordGuards, "check", _never)),
    "a confirmation counts in the same run": (
        "submitted once",
        lambda patch: patch.setattr(ViewJournal, "may_be_confirmed", lambda *_: True),
    ),
    "no confirmation is needed": ("submitted once", lambda patch: patch.setattr(view_deletion, "_check_confirmation", _never)),
    "an intent is forgotten": ("submitted once", lambda patch: patch.setattr(ViewJournal, "unknown", _never)),
    "an accepted job is forgotten": ("submitted once", lambda patch: patch.setattr(ViewJournal, "accepted", _never)),
    "a job that deleted all is submitted again": (
        "submitted once",
        lambda patch: patch.setattr(view_deletion, "left_some", lambda _: True),
    ),
    "a lost answer takes the intent back": (
        "submitted once",
        lambda patch: patch.setattr(
            view_deletion,
            "heard",
            lambda journal, answer, now: journal.with_job(answer, now) if isinstance(answer, str) else journal.with_refusal(),
        ),
    ),
    "the intent is not stored": (
        "submitted once",
        lambda patch: patch.setattr(ViewJournal, "to_json", lambda self: _without_intents(self)),
    ),
}


def _without_intents(journal: ViewJournal) -> dict[str, Any]:
    kept = tuple(s for s in journal.submissions if s.state != "intent")
    return {"v": view_journal._VERSION, "run": journal.run, "deadline": journal.deadline, "host": journal.host} | {
        "submissions": [{**vars(s), "view": vars(s.view)} for s in replace(journal, submissions=kept).submissions]
    }


@pytest.mark.parametrize("mutant", MUTANTS)
def test_each_rule_is_needed(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    invariant, change = MUTANTS[mutant]
    change(monkeypatch)
    with pytest.raises(Broken, match=f"^{invariant}"):
        walk()
