"""What an attempt has seen: the list of tags, counts, jobs and answers. It is never stored.

Times are epoch seconds of the attempt's own clock.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from airflow_provider_zcrm.api.errors import ZohoCrmError
from airflow_provider_zcrm.api.mass_delete import refused_tag
from airflow_provider_zcrm.api.tags import RecordsCount
from airflow_provider_zcrm.rules.steps import Lost, Refused


@dataclass(frozen=True)
class Listed:
    """A tag in the list; ``records`` is None where the list does not say how many records carry it."""

    name: str
    records: int | None = None


@dataclass(frozen=True)
class Count:
    """The count of a tag; ``answer`` is None if Zoho did not count it."""

    answer: RecordsCount | None
    at: float


@dataclass(frozen=True)
class Accepted:
    """The answer to a submission: Zoho gave a job id."""

    job_id: str


Answer = Accepted | Refused | Lost


@dataclass(frozen=True)
class Refusals:
    """Refusals of one kind that came one after the other, for the same tags and the same one of them; ``error`` is of the last one.

    :param since: when the first one came, ``at`` the last one.
    """

    ids: tuple[str, ...]
    error: ZohoCrmError
    since: float
    at: float
    times: int = 1


@dataclass(frozen=True)
class Seen:
    """What this attempt has seen so far.

    :param listed: the list of tags as it was read last, by id.
    :param read_at: when that was, and ``first_read_at`` when it was read first.
    :param waited: something was waited for since the list was read.
    :param left_at: when a tag left the list last.
    :param module_found: the id of the module is known.
    :param jobs: by number of a submission what Zoho said of its job ("running", "ended", "unknown"), and when.
    :param counts: the counts, by tag.
    :param lost_at: by number of a submission, when its answer was lost.
    :param sent: how often a tag was submitted, without refusals.
    :param refusals: the answers that came last, if those were refusals.
    :param reports: the reports of the jobs, once these have been watched to their end.
    """

    listed: Mapping[str, Listed] | None = None
    read_at: float = -math.inf
    first_read_at: float = -math.inf
    waited: bool = False
    left_at: float = -math.inf
    module_found: bool = False
    jobs: Mapping[int, tuple[str, float]] = field(default_factory=dict)
    counts: Mapping[str, Count] = field(default_factory=dict)
    lost_at: Mapping[int, float] = field(default_factory=dict)
    sent: Mapping[str, int] = field(default_factory=dict)
    refusals: Refusals | None = None
    reports: Sequence[Mapping[str, Any]] | None = None
    reports_at: float = -math.inf

    def with_list(self, listed: Mapping[str, Listed], now: float) -> Seen:
        """Note the list of tags."""
        first = now if self.listed is None else self.first_read_at
        left_at = now if self.listed is not None and self.listed.keys() - listed.keys() else self.left_at
        return replace(self, listed=dict(listed), read_at=now, first_read_at=first, waited=False, left_at=left_at)

    def with_wait(self) -> Seen:
        """Note that something was waited for."""
        return replace(self, waited=True)

    def with_module(self) -> Seen:
        """Note that the id of the module is known."""
        return replace(self, module_found=True)

    def with_jobs(self, states: Mapping[int, str], now: float) -> Seen:
        """Note what Zoho says of jobs: "running", "ended" or "unknown"."""
        return replace(self, jobs={**self.jobs, **{number: (state, now) for number, state in states.items()}})

    def with_counts(self, counts: Mapping[str, RecordsCount | None], now: float) -> Seen:
        """Note the counts; None for a tag that Zoho did not count."""
        return replace(self, counts={**self.counts, **{tag_id: Count(answer, now) for tag_id, answer in counts.items()}})

    def with_answer(self, number: int, ids: Iterable[str], answer: Answer, now: float) -> Seen:
        """Note the answer to a submission.

        :param number: of the submission.
        """
        tag_ids = tuple(ids)
        if isinstance(answer, Refused):
            last = self.refusals
            if last is not None and _same_refusal(last, tag_ids, answer.error):
                return replace(self, refusals=Refusals(tag_ids, answer.error, last.since, now, last.times + 1))
            return replace(self, refusals=Refusals(tag_ids, answer.error, now, now))
        sent = {**self.sent, **{tag_id: self.sent.get(tag_id, 0) + 1 for tag_id in tag_ids}}
        lost_at = {**self.lost_at, number: now} if isinstance(answer, Lost) else self.lost_at
        return replace(self, sent=sent, lost_at=lost_at, refusals=None)

    def with_reports(self, reports: Sequence[Mapping[str, Any]], now: float) -> Seen:
        """Note that the jobs have been watched to their end."""
        return replace(self, reports=tuple(reports), reports_at=now)


def _same_refusal(last: Refusals, ids: tuple[str, ...], error: ZohoCrmError) -> bool:
    return type(last.error) is type(error) and last.ids == ids and refused_tag(last.error, ids) == refused_tag(error, ids)
