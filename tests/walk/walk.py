"""The exhaustive walk: the real `next_step`, `heard` and `TagJournal` in all worlds of a bound.

It plays `airflow_provider_zcrm.deletion.tags`: it saves the journal that a step carries (as JSON, and goes on with what it reads of that),
does the step on a small model of Zoho CRM, and reports what it saw. At each step everything may happen that the bound allows; a state
that was reached before, on whatever path, is not walked again.

Time stands still at `NOW`, and what was seen moves into the past: so two states are the same when the same has happened the same number of
seconds ago. That rests on the rule that no rule compares times of two attempts; each attempt has a clock of its own that is wrong by
minutes. The deadline is years away.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

from airflow_provider_zcrm.api.errors import (
    JobAlreadyRunning,
    SubmissionUncertain,
    TagInUse,
    TagNotFound,
    TokenRejected,
    TooManyRequests,
    ZohoCrmError,
)
from airflow_provider_zcrm.api.tags import RecordsCount
from airflow_provider_zcrm.rules.guards import Guards
from tests.walk.invariants import (
    Broken,
    Known,
    State,
    counted,
    it_ends_with_a_reason,
    never_twice,
    no_job_lost,
    only_requested,
    same_name,
    success_means_gone,
)
from tests.walk.world import Job, Tag, World, after_event, ended, jobs_move, people_move, with_job
from tests.walk.world import deleted as delete_tags

NOW = 1_700_000_000.0
# by how many seconds the clocks of the attempts after the first are fast: each disagrees with the one before
CLOCKS = (-600, 600)
STEP_SECONDS = 1
# longer than a list may be acted on, and than a count
SLOW_SECONDS = 11
LONG_PAUSE = 900.0
ATTEMPTS = 2
# more steps than any path needs
DEPTH = 400
NAMES = {"1": "a", "2": "b", "3": "c"}


@dataclass(frozen=True)
class Case:
    """One task, and what may happen to it.

    :param by: "names", "ids", or "chosen ids", which have a name.
    :param max_records: by id, what a tag was chosen by.
    :param stores: the journal outlives an attempt.
    :param events: what may happen, each at most once on a path, and at most ``at_most`` of them on one path.
    """

    tags: int
    runs: int
    submissions: int
    events: frozenset[str]
    at_most: int
    by: str = "chosen ids"
    max_records: tuple[tuple[str, int], ...] = ()
    undeletable_tags: str = "skip"
    wait: bool = True
    stores: bool = True
    settle: float = 3.0


Next = Iterator[tuple[str, State]]


class Walk:
    """One walk through all states of a case.

    :param rules: the names of the rules, real or broken.
    :param probe: a state for which to stop, to see that the walk reaches it.
    """

    def __init__(self, case: Case, rules: SimpleNamespace, probe: Callable[[State], bool] | None = None) -> None:
        self.case, self.rules, self.probe = case, rules, probe
        self.states: dict[State | None, bool] = {}
        self.calls = 0
        self.reached: list[str] | None = None
        self._seens: list[Any] = []
        self._numbers: dict[Any, int] = {}
        self._noted: dict[Any, int] = {}
        self._planned: dict[Any, tuple[str, Any]] = {}
        self._journals: dict[str, Any] = {}
        self._requests: dict[Any, Any] = {}
        self._number(rules.Seen())

    def run(self) -> None:
        """Walk to the end.

        :raises Broken: an invariant does not hold; the path stands in the message
        """
        tags = tuple(Tag(tag_id, name) for tag_id, name in list(NAMES.items())[: self.case.tags])
        start = State(World((*tags, Tag("8", "not requested"))))
        path = [("start", start, self._after(start))]
        # there is no garbage in cycles, and many objects to look through for it
        gc.disable()
        try:
            self._walk(path)
        finally:
            gc.enable()

    def _walk(self, path: list[tuple[str, State, Next]]) -> None:
        # True as long as the path goes through it
        self.states[path[0][1]] = True
        while path:
            try:
                label, state = next(path[-1][2], ("", None))
            except Broken as broken:
                raise _on_path(broken, path) from None
            if self.states.get(state) or len(path) > DEPTH:
                raise _on_path(Broken("it ends", f"the same comes back without an end: {label}"), path)
            if state is None:
                self.states[path.pop()[1]] = False
            elif state not in self.states:
                self.states[state] = True
                path.append((label, state, self._after(state)))
                if self.probe and self.probe(state):
                    self.reached = [label for label, *_ in path]
                    return

    def _may(self, state: State) -> frozenset[str]:
        happened = state.world.happened
        return frozenset() if len(happened) >= self.case.at_most else self.case.events - happened

    # --- one step ---------------------------------------------------------------------------------------------------------

    def _after(self, state: State) -> Next:
        """Yield all states that may follow: the journal is saved, the step is done, and the worker may die before and after."""
        stored, step = self._plan(state)
        kind, rules = type(step), self.rules
        if kind is rules.Fail:
            it_ends_with_a_reason(state, type(step.error).__name__, undeletable_fails=self.case.undeletable_tags == "fail")
            yield from self._next_attempt(state, f"fails: {step.error}")
            return
        changed = stored != state.stored
        saved = self._saved(state, stored) if changed else state
        if kind is rules.Send:
            self._judge(saved, step.ids)
        if changed:
            yield from self._next_attempt(state, f"dies before it saves; {kind.__name__} would follow")
            yield from self._next_attempt(saved, f"dies when it has saved; {kind.__name__} would follow")
        steps = {
            rules.ReadList: self._read,
            rules.FindModule: self._find,
            rules.AskJobs: self._ask,
            rules.CountTags: self._count,
            rules.WaitUntil: self._wait,
            rules.Send: self._send,
            rules.WatchJobs: self._watch,
            rules.Done: self._done,
        }
        yield from steps[kind](saved, step)

    def _plan(self, state: State) -> tuple[str, Any]:
        key = (state.stored, state.seen, state.attempt, state.run, state.clock, state.without_journal)
        if key not in self._planned:
            self.calls += 1
            journal, step = self.rules.next_step(self._request(state), self._journal(state), self._seens[state.seen], NOW + state.clock)
            # a journal that the plan has not changed is not saved
            same = journal == self._journal(state)
            self._planned[key] = (state.stored if same else json.dumps(journal.to_json()), step)
        return self._planned[key]

    def _journal(self, state: State) -> Any:
        """Return the journal with which an attempt goes on: what is stored, for its run of the task."""
        key = state.stored or str(state.run)
        if key not in self._journals:
            new = self.rules.TagJournal("https://www.zohoapis.com", "Leads", state.run, NOW + 1e9)
            self._journals[key] = self.rules.TagJournal.from_json(json.loads(state.stored)) if state.stored else new
        return self._journals[key].for_run(state.run, "Leads", NOW + 1e9)

    def _request(self, state: State) -> Any:
        key = (state.attempt, state.without_journal)
        if key not in self._requests:
            self._requests[key] = self._new_request(*key)
        return self._requests[key]

    def _new_request(self, attempt: int, without_journal: bool) -> Any:
        ids = tuple(NAMES)[: self.case.tags]
        most = dict(self.case.max_records)
        chosen = {tag_id: self.rules.Chosen(NAMES[tag_id], most.get(tag_id)) for tag_id in ids}
        return self.rules.TagRequest(
            module="Leads",
            ids=() if self.case.by == "names" else ids,
            names=tuple(NAMES[tag_id] for tag_id in ids) if self.case.by == "names" else (),
            chosen=chosen if self.case.by == "chosen ids" else {},
            attempt=attempt,
            without_journal=without_journal,
            undeletable_tags=self.case.undeletable_tags,
            guards=Guards(None, Fraction(1)),
            settle=self.case.settle,
            wait=self.case.wait,
            batch_size=2,
        )

    def _saved(self, state: State, stored: str) -> State:
        """Return the state with another journal in the store; the first one with a request says what this run may send."""
        state = state._replace(stored=stored)
        if state.requested is not None or json.loads(stored)["request"] is None:
            return state
        first = {tag.id: tag.name for tag in state.listed or ()} | dict(state.first_names)
        if self.case.by == "names":
            names = set(list(NAMES.values())[: self.case.tags])
            requested = tuple((tag.id, tag.name) for tag in state.listed or () if tag.name in names)
        else:
            names_of = NAMES if self.case.by == "chosen ids" else first
            requested = tuple((tag_id, names_of[tag_id]) for tag_id in tuple(NAMES)[: self.case.tags] if tag_id in names_of)
        return state._replace(requested=requested, first_names=tuple(sorted(first.items())))

    def _judge(self, state: State, ids: tuple[str, ...]) -> None:
        only_requested(state, ids)
        same_name(state, ids)
        never_twice(state, ids, self.case.settle)
        counted(state, ids, dict(self.case.max_records))

    # --- the steps ----------------------------------------------------------------------------------------------------------

    def _read(self, state: State, step: Any) -> Next:
        state = self._later(state, STEP_SECONDS)
        for label, world in self._moves(state):
            listed = tuple(sorted(world.tags))
            there = frozenset(tag.id for tag in listed)
            known = tuple(
                # what was read before and is the same stands still; what left the list starts anew
                k if k.still and k.still[1] == there & set(job.ids) else k._replace(still=(0, there & set(job.ids)))
                for job, k in zip(world.jobs, state.known, strict=True)
            )
            seen = self._note(state, "with_list", listed)
            yield f"reads the list; {label}", state._replace(world=world, known=known, listed=listed, list_age=0, waited=False, seen=seen)

    def _find(self, state: State, step: Any) -> Next:
        for label, seconds, world in self._slow(state):
            later = self._later(state, seconds)
            yield f"finds the module{label}", later._replace(world=world, seen=self._note(later, "with_module"))

    def _slow(self, state: State) -> Iterator[tuple[str, float, World]]:
        yield "", STEP_SECONDS, state.world
        if "slow" in self._may(state):
            yield ", slowly", SLOW_SECONDS, after_event(state.world, "slow")

    def _ask(self, state: State, step: Any) -> Next:
        state = self._later(state, STEP_SECONDS)
        for job_id in step.job_ids.values():
            state = self._of_job(state, job_id, denied=False)
        for label, world in jobs_move(state.world, self._may(state)):
            states = {job.id: "running" if job.state == "running" else "ended" for job in world.jobs}
            said = tuple((number, states[job_id]) for number, job_id in step.job_ids.items())
            yield f"asks for {step.job_ids}; {label}", state._replace(world=world, seen=self._note(state, "with_jobs", said))
        if "unknown job" in self._may(state):
            for job_id in step.job_ids.values():
                states = {job.id: "running" if job.state == "running" else "ended" for job in state.world.jobs} | {job_id: "unknown"}
                said = tuple((n, states[i]) for n, i in step.job_ids.items())
                unknown = self._of_job(state, job_id, denied=True)
                yield (
                    f"asks for {step.job_ids}; Zoho does not know job {job_id}",
                    unknown._replace(world=after_event(state.world, "unknown job"), seen=self._note(state, "with_jobs", said)),
                )

    def _count(self, state: State, step: Any) -> Next:
        for label, seconds, slow_world in self._slow(state):
            later = self._later(state, seconds)._replace(world=slow_world)
            numbers: dict[str, int | None] = {tag.id: tag.records for tag in slow_world.tags}
            yield f"counts {step.ids}{label}", self._counted(later, {tag_id: numbers.get(tag_id) for tag_id in step.ids})
            if "count failed" in self._may(later):
                failed = later._replace(world=after_event(slow_world, "count failed"))
                yield f"does not get the count of {step.ids}{label}", self._counted(failed, dict.fromkeys(step.ids))

    def _counted(self, state: State, numbers: Mapping[str, int | None]) -> State:
        others = tuple(count for count in state.counts if count[0] not in numbers)
        counts = (*others, *((tag_id, 0, number) for tag_id, number in numbers.items()))
        return state._replace(counts=counts, seen=self._note(state, "with_counts", tuple(numbers.items())))

    def _wait(self, state: State, step: Any) -> Next:
        state = self._later(state, max(0.0, step.at - NOW - state.clock))
        yield f"waits until {step.at - NOW - state.clock:+}", state._replace(waited=True, seen=self._note(state, "with_wait"))

    def _watch(self, state: State, step: Any) -> Next:
        yield from self._next_attempt(state, "dies while it watches")
        state = self._later(state, STEP_SECONDS)
        for label, world, known in self._outcomes(state, step.job_ids):
            watched_state = known._replace(world=world)
            reports = tuple(step.job_ids)
            yield f"watches; {label}", watched_state._replace(seen=self._note(watched_state, "with_reports", reports))
            returned = self._fresh(watched_state, -watched_state.clock)
            yield f"returns from the triggerer; {label}", returned._replace(seen=self._note(returned, "with_reports", reports))
            if "store lost" in self._may(watched_state):
                lost = self._without_store(returned._replace(world=after_event(world, "store lost")))
                yield f"returns without a journal; {label}", lost._replace(seen=self._note(lost, "with_reports", reports))

    def _outcomes(self, state: State, job_ids: tuple[str, ...]) -> Iterator[tuple[str, World, State]]:
        """Yield how jobs may come to their end: well, or one of them otherwise."""
        may = self._may(state)
        watched = [job for job in state.world.jobs if job.id in job_ids and job.state == "running"]
        yield "all end", _all_end(state.world, watched), state
        for job in watched:
            others = _all_end(state.world, [other for other in watched if other.id != job.id])
            if "job failed" in may:
                yield f"job {job.id} fails", after_event(ended(others, job.id), "job failed"), state
            if "late list" in may:
                late = others._replace(jobs=tuple(j._replace(state="late") if j.id == job.id else j for j in others.jobs))
                yield f"all end, the list does not show job {job.id} yet", after_event(late, "late list"), state
            if "unknown job" in may:
                yield f"Zoho does not know job {job.id}", after_event(others, "unknown job"), self._of_job(state, job.id, denied=True)

    def _done(self, state: State, step: Any) -> Next:
        skipped = {tag_id: entry.skipped for tag_id, entry in self._journal(state).tags.items() if entry.skipped}
        no_job_lost(state, step.job_ids, skipped)
        success_means_gone(state, step.left, skipped, waits=self.case.wait)
        if step.left:
            yield from self._next_attempt(state, f"is done, and {step.left} is left")
        elif state.run < self.case.runs:
            yield from self._cleared(state, "succeeds")

    # --- a submission -------------------------------------------------------------------------------------------------------

    def _send(self, state: State, step: Any) -> Next:
        if len(state.world.jobs) >= self.case.submissions:
            return
        state = self._later(state, STEP_SECONDS)
        ids = step.ids
        for label, moved in jobs_move(state.world, self._may(state)):
            at_post = state._replace(world=moved)
            label = f"sends {ids}{'; ' if label else ''}{label}"
            refusal = _refusal(moved, ids)
            if refusal is not None:
                yield from self._heard(at_post, step, self.rules.Refused(refusal), f"{label}: {refusal}")
                continue
            yield from self._answers(at_post, step, label)

    def _answers(self, state: State, step: Any, label: str) -> Next:
        """Yield what Zoho may answer to a submission that it need not refuse; the worker may die before it hears it."""
        moved, ids = state.world, step.ids
        accepted = self._posted(state, ids, with_job(moved, ids))
        job_id = accepted.world.jobs[-1].id
        yield from self._next_attempt(accepted, f"{label} and dies; Zoho has accepted job {job_id}")
        yield from self._heard(accepted, step, self.rules.Accepted(job_id), f"{label}: job {job_id}")
        may = self._may(state)
        if "lost accepted" in may:
            lost = accepted._replace(world=after_event(accepted.world, "lost accepted"))
            yield from self._heard(lost, step, _lost(self.rules), f"{label}: lost the answer, job {job_id}")
        if "lost refused" in may:
            lost = self._posted(state, ids, after_event(moved, "lost refused"))
            yield from self._heard(lost, step, _lost(self.rules), f"{label}: lost the answer, no job")
        for event, error in _PASSING.items():
            if event in may:
                refused = state._replace(world=after_event(moved, event))
                yield from self._heard(refused, step, self.rules.Refused(error), f"{label}: {event}")
        for way in ("in use", "in use, not named", "not found"):
            if way in may:
                refusing = after_event(moved, way)._replace(refuses=(*moved.refuses, (ids[-1], way)))
                refused = state._replace(world=refusing)
                yield from self._heard(refused, step, self.rules.Refused(_refusal(refusing, ids)), f"{label}: {ids[-1]} {way}")

    def _posted(self, state: State, ids: tuple[str, ...], world: World) -> State:
        """Return the state after a submission that was not refused for certain."""
        known = [k._replace(retaken=k.retaken.union(set(job.ids) & set(ids))) for job, k in zip(state.world.jobs, state.known, strict=True)]
        if len(world.jobs) > len(known):
            known.append(Known(state.run))
        return state._replace(world=world, known=tuple(known), sent=tuple(sorted((*state.sent, *ids))))

    def _heard(self, state: State, step: Any, answer: Any, label: str) -> Next:
        """Yield what follows an answer: the plan says what it means, and that is saved."""
        before, ids = self._journal(state), step.ids
        if isinstance(answer, self.rules.Lost):
            known = [
                k if k.saved or job.ids != ids or k.still else k._replace(still=(0, frozenset(ids)))
                for job, k in zip(state.world.jobs, state.known, strict=True)
            ]
            state = state._replace(known=tuple(known), lost=state.lost + 1)
        state = state._replace(seen=self._note(state, "with_answer", before.last_number, ids, answer))
        after = self.rules.heard(self._request(state), before, step, answer)
        stored = json.dumps(after.to_json())
        if stored == state.stored:
            yield label, state
            return
        saved = self._saved(state, stored)
        if isinstance(answer, self.rules.Accepted):
            saved = self._of_job(saved, answer.job_id, saved=True)
        else:
            yield from self._next_attempt(state, f"{label}, and dies before that is saved")
        yield from self._next_attempt(saved, f"{label}, and dies when that is saved")
        yield label, saved

    # --- attempts and runs --------------------------------------------------------------------------------------------------

    def _next_attempt(self, state: State, label: str) -> Next:
        if state.tries >= ATTEMPTS:
            if state.run < self.case.runs:
                yield from self._cleared(state, label)
            return
        retry = self._fresh(state, CLOCKS[state.attempt % 2])._replace(attempt=state.attempt + 1, tries=state.tries + 1)
        yield from self._stores(retry, f"{label}; a retry with a clock of {retry.clock:+} s")

    def _cleared(self, state: State, label: str) -> Next:
        fresh = self._fresh(state, CLOCKS[state.attempt % 2])
        yield from self._stores(
            fresh._replace(attempt=state.attempt + 1, tries=1, run=state.run + 1, requested=None), f"{label}; the task is cleared"
        )

    def _stores(self, state: State, label: str) -> Next:
        if not self.case.stores:
            yield f"{label}, without a journal", self._without_store(state)
            return
        # an attempt that died before it has stored any leaves none
        yield label, state._replace(without_journal=not state.stored)
        if state.stored and "store lost" in self._may(state):
            lost = self._without_store(state)
            yield f"{label}, and the store is lost", lost._replace(world=after_event(lost.world, "store lost"))

    def _without_store(self, state: State) -> State:
        known = tuple(k._replace(saved=False) for k in state.known)
        return state._replace(stored="", without_journal=True, requested=None, first_names=(), known=known)

    def _fresh(self, state: State, clock: int) -> State:
        """Return the state of another process: it has seen nothing, and has a clock of its own."""
        known = tuple(k._replace(still=None) for k in state.known)
        return state._replace(known=known, clock=clock, seen=0, listed=None, list_age=0, waited=False, counts=(), sent=(), lost=0)

    def _of_job(self, state: State, job_id: str, **values: bool) -> State:
        known = tuple(k._replace(**values) if job.id == job_id else k for job, k in zip(state.world.jobs, state.known, strict=True))
        return state._replace(known=known)

    def _moves(self, state: State) -> Iterator[tuple[str, World]]:
        may = self._may(state)
        yield from jobs_move(state.world, may)
        yield from people_move(state.world, may)

    # --- what was seen, and time ---------------------------------------------------------------------------------------------

    def _later(self, state: State, seconds: float) -> State:
        """Return the state some seconds later: all that was seen is older."""
        if not seconds:
            return state
        known = tuple(k._replace(still=(k.still[0] + seconds, k.still[1])) if k.still else k for k in state.known)
        counts = tuple((tag_id, age + seconds, number) for tag_id, age, number in state.counts)
        key = (state.seen, "later", seconds)
        if key not in self._noted:
            self._noted[key] = self._number(_older(self._seens[state.seen], seconds))
        age = state.list_age + seconds if state.listed is not None else 0
        return state._replace(known=known, counts=counts, list_age=age, seen=self._noted[key])

    def _note(self, state: State, what: str, *arguments: Any) -> int:
        """Return the number of what this attempt has seen when it has noted something more."""
        key = (state.seen, what, state.clock, *(map(_key_of, arguments) if what == "with_answer" else arguments))
        if key not in self._noted:
            seen, now = self._seens[state.seen], NOW + state.clock
            self._noted[key] = self._number(_NOTES[what](self.rules, seen, now, *arguments))
        return self._noted[key]

    def _number(self, seen: Any) -> int:
        key = _key_of(seen)
        if key not in self._numbers:
            self._numbers[key] = len(self._seens)
            self._seens.append(seen)
        return self._numbers[key]


def _on_path(broken: Broken, path: list[tuple[str, State, Next]]) -> Broken:
    """Return a failure that tells the path that led to it."""
    return Broken(broken.name, "\n".join([broken.what, *(label for label, *_ in path)]))


def _all_end(world: World, jobs: list[Job]) -> World:
    for job in jobs:
        world = ended(delete_tags(world, job, job.open), job.id)
    return world


_PASSING = {
    "429": TooManyRequests("Too many requests."),
    "429, come back later": TooManyRequests("Too many requests.", retry_after=LONG_PAUSE),
    "another job": JobAlreadyRunning("Another job runs."),
    "token rejected": TokenRejected("The token is not accepted."),
}
EVENTS = frozenset(
    {
        *("rename", "newcomer", "records"),
        *_PASSING,
        *("lost accepted", "lost refused", "in use", "in use, not named", "not found"),
        *("job failed", "late list", "unknown job", "count failed", "store lost", "slow"),
    }
)

_NOTES: dict[str, Callable[..., Any]] = {
    "with_list": lambda rules, seen, now, tags: seen.with_list({tag.id: rules.Listed(tag.name) for tag in tags}, now),
    "with_module": lambda rules, seen, now: seen.with_module(),
    "with_wait": lambda rules, seen, now: seen.with_wait(),
    "with_jobs": lambda rules, seen, now, said: seen.with_jobs(dict(said), now),
    "with_counts": lambda rules, seen, now, numbers: seen.with_counts(
        {tag_id: None if number is None else RecordsCount(number, {}) for tag_id, number in numbers}, now
    ),
    "with_answer": lambda rules, seen, now, number, ids, answer: seen.with_answer(number, ids, answer, now),
    "with_reports": lambda rules, seen, now, ids: seen.with_reports([{"id": job_id} for job_id in ids], now),
}


def _lost(rules: SimpleNamespace) -> Any:
    return rules.Lost(SubmissionUncertain("No answer came."))


def _refusal(world: World, ids: tuple[str, ...]) -> ZohoCrmError | None:
    """Return why Zoho refuses a batch whatever else happens: the first tag that it does not find, or must not delete."""
    there = {tag.id for tag in world.tags}.difference(*(job.open for job in world.jobs if job.state == "late"))
    ways = dict(world.refuses)
    for place, tag_id in enumerate(ids):
        path = {"json_path": f"$.tags[{place}].id"}
        if tag_id not in there or ways.get(tag_id) == "not found":
            return TagNotFound("One of the tags seems not found.", details=path)
        if tag_id in ways:
            return TagInUse("A tag is in use.", details=path if ways[tag_id] == "in use" else {})
    return None


def _older(seen: Any, seconds: float) -> Any:
    """Return what was seen, some seconds further in the past."""
    moved = {name: getattr(seen, name) - seconds for name in ("read_at", "first_read_at", "left_at", "reports_at")}
    moved["lost_at"] = {number: at - seconds for number, at in seen.lost_at.items()}
    moved["jobs"] = {number: (state, at - seconds) for number, (state, at) in seen.jobs.items()}
    moved["counts"] = {tag_id: replace(count, at=count.at - seconds) for tag_id, count in seen.counts.items()}
    if seen.refusals is not None:
        moved["refusals"] = replace(seen.refusals, since=seen.refusals.since - seconds, at=seen.refusals.at - seconds)
    return replace(seen, **moved)


def _key_of(value: Any) -> Any:
    """Return what a value is the same by: mappings have no hash, and two errors with the same words are two."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is dict:
        return tuple((key, _key_of(value[key])) for key in sorted(value))
    if kind is tuple:
        return tuple(map(_key_of, value))
    if isinstance(value, ZohoCrmError):
        return (kind.__name__, str(value.details), getattr(value, "retry_after", None))
    return (kind.__name__, *map(_key_of, vars(value).values()))


_PLAIN = {str, float, int, bool, type(None)}
