"""The journal of a task that deletes tags: what is requested, under which names, and what was submitted.

It is kept per tag, not per batch: a retry sees fewer tags and cuts other batches. What holds for a tag is what its latest submission
says. Everything here is a value; `airflow_provider_zcrm.deletion.stored_journal` stores it as JSON that a person can read:

    {"v": 2, "host": "https://www.zohoapis.com", "module": "Leads", "run": 1, "deadline": 1767225600.0, "request": "9f86d081884c7d65",
     "requested": 3, "existing": 57,
     "tags": {"2276164000001021041": ["b5bb9d8014a0", 1], "2276164000001021042": ["7d865e959b24", 0, "renamed"]},
     "others": {},
     "submissions": [{"number": 1, "run": 1, "attempt": 1, "job_id": "2276164000001234567"}], "last_number": 1}

A tag has the digest of the name under which it may be sent, the number of its latest submission (0: none), and a code if it is skipped.
A submission without a job id is an intent: Zoho may have accepted it or not. One that Zoho certainly refused is taken out again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

_VERSION = 2
# of submissions that hold no tag any more
_KEPT_JOBS = 50


@dataclass(frozen=True)
class Entry:
    """What the journal knows of a tag.

    :param digest: of the name under which it was requested or chosen.
    :param submission: the number of its latest submission, 0 for none.
    :param skipped: why this run of the task does not send it, as a code; empty if it may be sent.
    """

    digest: str
    submission: int = 0
    skipped: str = ""


@dataclass(frozen=True)
class Submission:
    """One POST.

    :param run: the run of the task that sent it; clearing the task starts the next.
    :param attempt: Airflow's try number.
    :param job_id: None as long as the outcome is not known.
    :param superseded: a later submission holds tags that this one left.
    :param module: API name of the module, if that is not the journal's: the task has been given another one since.
    """

    number: int
    run: int
    attempt: int
    job_id: str | None = None
    superseded: bool = False
    module: str | None = None


@dataclass(frozen=True)
class TagJournal:
    """What a task has requested and submitted.

    :param host: URL of the API.
    :param module: API name of the module.
    :param run: one run of the task with its retries, as Airflow counts them.
    :param deadline: epoch seconds (UTC) at which this run gives up.
    :param request: the digest of what is requested; None until this run has resolved it.
    :param requested: how many tags are requested, with those that the module does not have.
    :param existing: how many tags the module had when the request was resolved.
    :param tags: the requested tags that the module had then, by id.
    :param others: tags of earlier runs that are not requested now, by id.
    :param last_number: the number of the submission that was made last, 0 for none.
    """

    host: str
    module: str
    run: int
    deadline: float
    request: str | None = None
    requested: int = 0
    existing: int = 0
    tags: Mapping[str, Entry] = field(default_factory=dict)
    others: Mapping[str, Entry] = field(default_factory=dict)
    submissions: tuple[Submission, ...] = ()
    last_number: int = 0

    def for_run(self, run: int, module: str, deadline: float) -> TagJournal:
        """Return the journal with which an attempt begins: a new run resolves its request again and knows what was submitted before."""
        if run == self.run:
            return self
        known = {**self.others, **self.tags}
        others = {tag_id: replace(entry, skipped="") for tag_id, entry in known.items()}
        of_module = [replace(s, module=s.module or self.module) for s in self.submissions]
        submissions = tuple(replace(s, module=None) if s.module == module else s for s in of_module)
        return TagJournal(self.host, module, run, deadline, others=others, submissions=submissions, last_number=self.last_number)

    def known(self, tag_id: str) -> Entry | None:
        """Return what is known of a tag, requested now or not."""
        return self.tags.get(tag_id) or self.others.get(tag_id)

    def submission_of(self, tag_id: str) -> Submission | None:
        """Return the latest submission of a requested tag, None if it is not in one."""
        number = self.tags[tag_id].submission
        return next((submission for submission in self.submissions if submission.number == number), None)

    def held_by(self, number: int) -> tuple[str, ...]:
        """Return the requested tags whose latest submission this is."""
        return tuple(tag_id for tag_id, entry in self.tags.items() if entry.submission == number)

    def with_request(self, request: str, requested: int, existing: int, tags: Mapping[str, Entry], listed: Iterable[str]) -> TagJournal:
        """Return the journal with what this run requests.

        :param listed: ids of all tags that the module has; what else is known of tags that are gone says nothing any more,
            unless it is of another module.
        """
        still_there = set(listed)
        elsewhere = {s.number for s in self.submissions if s.module}
        known = {**self.others, **self.tags}
        others = {i: entry for i, entry in known.items() if i not in tags and (i in still_there or entry.submission in elsewhere)}
        return replace(self, request=request, requested=requested, existing=existing, tags=dict(tags), others=others)

    def with_intent(self, tag_ids: Iterable[str], attempt: int) -> TagJournal:
        """Return the journal with a submission that is about to be sent."""
        ids, number = set(tag_ids), self.last_number + 1
        before = {entry.submission for tag_id, entry in self.tags.items() if tag_id in ids}
        tags = {i: replace(entry, submission=number) if i in ids else entry for i, entry in self.tags.items()}
        marked = [replace(s, superseded=True) if s.number in before else s for s in self.submissions]
        submissions = (*marked, Submission(number, self.run, attempt))
        return replace(self, tags=tags, submissions=submissions, last_number=number)._tidy()

    def with_job(self, job_id: str) -> TagJournal:
        """Return the journal with the job id of the submission that was made last."""
        return replace(self, submissions=(*self.submissions[:-1], replace(self.submissions[-1], job_id=job_id)))

    def with_refusal(self) -> TagJournal:
        """Return the journal without the submission that was made last: Zoho certainly did not accept it, so its tags are free."""
        number = self.submissions[-1].number
        tags = {i: replace(entry, submission=0) if entry.submission == number else entry for i, entry in self.tags.items()}
        return replace(self, tags=tags, submissions=self.submissions[:-1])

    def with_skipped(self, codes: Mapping[str, str]) -> TagJournal:
        """Return the journal with tags that this run does not send, by id with the code of the reason."""
        return replace(self, tags={i: replace(entry, skipped=codes[i]) if i in codes else entry for i, entry in self.tags.items()})

    def _tidy(self) -> TagJournal:
        """Return the journal without intents that hold no tag, and of jobs that hold none with the last 50 only."""
        holding = {entry.submission for entry in (*self.tags.values(), *self.others.values())}
        idle = [s.number for s in self.submissions if s.number not in holding and s.job_id and s.run == self.run]
        kept = holding.union(idle[-_KEPT_JOBS:])
        return replace(self, submissions=tuple(s for s in self.submissions if s.number in kept))

    def to_json(self) -> dict[str, Any]:
        """Return the value to store; without tuples, which Airflow's store refuses."""
        tags, others = ({i: _packed(entry) for i, entry in part.items()} for part in (self.tags, self.others))
        submissions = [{name: value for name, value in vars(s).items() if not (value is None or value is False)} for s in self.submissions]
        return {"v": _VERSION, **vars(self), "tags": tags, "others": others, "submissions": submissions}

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> TagJournal | None:
        """Return the journal that `to_json` wrote, None for one of another version."""
        if value.get("v") != _VERSION:
            return None
        fields = {name: item for name, item in value.items() if name != "v"}
        for part in ("tags", "others"):
            fields[part] = {tag_id: Entry(*packed) for tag_id, packed in value[part].items()}
        return TagJournal(**{**fields, "submissions": tuple(Submission(**s) for s in value["submissions"])})


def digest_of_name(name: str) -> str:
    """Return a short text that is the same only for exactly the same name; names may be long, and say what is nobody's business."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def digest_of_request(module: str, ids: Iterable[str], names: Iterable[str]) -> str:
    """Return a short text that is the same for the same request, in whatever order it gives its tags."""
    return hashlib.sha256(json.dumps([module, sorted(ids), sorted(names)]).encode()).hexdigest()[:16]


def _packed(entry: Entry) -> list[str | int]:
    return [entry.digest, entry.submission, *([entry.skipped] if entry.skipped else [])]
