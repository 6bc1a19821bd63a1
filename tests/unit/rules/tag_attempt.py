"""One attempt of a task that deletes tags, played by hand: each line of a test is a step of the plan, or what was seen after it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, TypeVar

from airflow_provider_zcrm.api.errors import SubmissionUncertain, TagInUse, TagNotFound, ZohoCrmError
from airflow_provider_zcrm.api.tags import RecordsCount
from airflow_provider_zcrm.rules.guards import Guards
from airflow_provider_zcrm.rules.steps import Fail, Lost, Refused, WaitUntil
from airflow_provider_zcrm.rules.tag_deletion import AskJobs, CountTags, FindModule, ReadList, Send, Step, heard, next_step
from airflow_provider_zcrm.rules.tag_journal import TagJournal
from airflow_provider_zcrm.rules.tag_request import TagRequest
from airflow_provider_zcrm.rules.tag_seen import Accepted, Answer, Listed, Seen

T = TypeVar("T", bound=Step)
START = 1_700_000_000.0
NO_GUARDS = Guards(None, Fraction(1))
LOST = Lost(SubmissionUncertain("No answer came."))


def request(*ids: str, **values: Any) -> TagRequest:
    return TagRequest(**{"module": "Leads", "ids": ids, "guards": NO_GUARDS, "wait": True, **values})


def tags(*ids: str, **names: str) -> dict[str, Listed]:
    """Return a list of tags: ``tags("1", "2")``, each with a name of its own, or with another: ``tags("1", _2="VIP")``."""
    return {tag_id: Listed(f"tag {tag_id}") for tag_id in ids} | {key[1:]: Listed(name) for key, name in names.items()}


def not_found(place: int | None) -> Refused:
    return Refused(TagNotFound("One of the tags seems not found.", details=_path(place)))


def in_use(place: int | None) -> Refused:
    return Refused(TagInUse("A tag is in use.", details=_path(place)))


def _path(place: int | None) -> dict[str, str]:
    return {} if place is None else {"json_path": f"$.tags[{place}].id"}


class Attempt:
    """An attempt; its clock moves only where a test lets it."""

    def __init__(self, request: TagRequest, after: Attempt | None = None, *, run: int = 1, now: float = START) -> None:
        self.request = request
        self.journal = (after.journal if after else TagJournal("host", "Leads", run, now + 7200)).for_run(run, "Leads", now + 7200)
        self.seen = Seen()
        self.now = now

    def step(self) -> Step:
        """Return the next step, without doing it."""
        return next_step(self.request, self.journal, self.seen, self.now)[1]

    def does(self, kind: type[T]) -> T:
        """Save the journal of the next step, as JSON, and return the step."""
        journal, step = next_step(self.request, self.journal, self.seen, self.now)
        assert isinstance(step, kind), step
        stored = TagJournal.from_json(json.loads(json.dumps(journal.to_json())))
        assert stored == journal
        self.journal = stored
        return step

    def later(self, seconds: float) -> Attempt:
        self.now += seconds
        return self

    def reads(self, listed: Mapping[str, Listed]) -> Attempt:
        self.does(ReadList)
        self.seen = self.seen.with_list(listed, self.later(1).now)
        return self

    def finds(self) -> Attempt:
        self.does(FindModule)
        self.seen = self.seen.with_module()
        return self

    def asks(self, state: str) -> Attempt:
        step = self.does(AskJobs)
        self.seen = self.seen.with_jobs(dict.fromkeys(step.job_ids, state), self.later(1).now)
        return self

    def counts(self, numbers: Mapping[str, RecordsCount | None]) -> Attempt:
        step = self.does(CountTags)
        assert set(step.ids) == set(numbers)
        self.seen = self.seen.with_counts(numbers, self.later(1).now)
        return self

    def waits(self) -> float:
        """Do a `WaitUntil`, and return the seconds that it took."""
        step = self.does(WaitUntil)
        seconds = step.at - self.now
        assert seconds > 0
        self.now, self.seen = step.at, self.seen.with_wait()
        return seconds

    def sends(self, answer: Answer | None = None) -> tuple[str, ...]:
        """Do a `Send`, and return what was sent; without an answer the worker dies."""
        step = self.does(Send)
        if answer is not None:
            self.seen = self.seen.with_answer(self.journal.last_number, step.ids, answer, self.later(1).now)
            self.journal = heard(self.request, self.journal, step, answer)
        return step.ids

    def submits(self, job_id: str) -> tuple[str, ...]:
        """Send with success."""
        return self.sends(Accepted(job_id))

    def ready(self, listed: Mapping[str, Listed]) -> Attempt:
        """Come to the first submission of an attempt that has nothing to ask."""
        return self.reads(listed).finds()

    def watched(self, *job_ids: str) -> Attempt:
        """Note that jobs have ended."""
        self.seen = self.seen.with_reports([{"id": job_id} for job_id in job_ids], self.later(60).now)
        return self

    def fails(self, kind: type[ZohoCrmError]) -> str:
        step = self.does(Fail)
        assert type(step.error) is kind
        return str(step.error)

    def skipped(self) -> dict[str, str]:
        return {tag_id: entry.skipped for tag_id, entry in self.journal.tags.items() if entry.skipped}
