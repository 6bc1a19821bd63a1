"""Watching several jobs to their end: what each said last, when to ask again, and when asking makes no sense any more.

Holds no socket and no clock, so that a worker and the triggerer watch alike: they ask, and tell the watch what they heard and when.
Times are seconds since the wait began. Each job has its own schedule: one that stands in a queue is not asked for as often as
another one that is about to end.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from airflow_provider_zcrm.api.errors import RetryableError, UnexpectedAnswer, ZohoCrmError
from airflow_provider_zcrm.api.mass_delete import JobStatus, MassDeleteJob
from airflow_provider_zcrm.api.oauth import TOKEN_PATH
from airflow_provider_zcrm.rules.poll_schedule import PollSchedule

# what stands for a state where Zoho has said none; Zoho's own words come in capitals
LOST = "unknown to Zoho"
NOT_ASKED = "not asked yet"
NO_STATUS = "without a status"
# what a job that is not waited for any more may have become
ENDS = ("COMPLETED", "FAILED", LOST)

# Zoho's documents have these states for jobs that go on
_GOES_ON = ("SCHEDULED", "QUEUED", "RUNNING", "IN_PROGRESS")
# seconds without a change after which a job is warned of
_LONG = 3600.0
# one and the same refusal ends the wait after so many polls in a row and so many seconds; others have a meaning of their own, or pass
_REFUSALS, _REFUSED_SECONDS = 10, 600.0
_NO_REFUSAL = (401, 404, 408, 429)

# once a job has failed, the task fails at most so many seconds later
LAST_LOOK_SECONDS = 60.0
# jobs that are due so shortly one after the other are asked for together, in seconds
_TOGETHER = 0.5


class JobWatch:
    """The jobs that are waited for.

    :param schedule: when to ask again.
    :param unknown_job_grace: seconds for which Zoho may not know a job (right after its submission) before it counts as lost.
    :param on_partial_failure: of a task that fails with the first job that fails: ``fail`` or ``ignore``. The other jobs are then asked
        for once more, and no longer waited for. None waits for all jobs, however they end.
    """

    def __init__(
        self, jobs: Iterable[MassDeleteJob], schedule: PollSchedule, unknown_job_grace: float, on_partial_failure: str | None = None
    ) -> None:
        self._statuses: dict[MassDeleteJob, JobStatus | None] = dict.fromkeys(jobs)
        self._heard_at: dict[MassDeleteJob, float] = {}
        self._due: dict[MassDeleteJob, float] = {}
        self._unknown_since: dict[MassDeleteJob, float] = {}
        self._changed_at: dict[MassDeleteJob, float] = {}
        self._asked: Counter[MassDeleteJob] = Counter()
        self._refusals: dict[MassDeleteJob, _Refusals] = {}
        self._failure: ZohoCrmError | None = None
        self._on_partial_failure = on_partial_failure
        self._failed_at: float | None = None
        self._answered_at: dict[MassDeleteJob, float] = {}
        self._schedule = schedule
        self._grace = unknown_job_grace

    def open_jobs(self) -> list[MassDeleteJob]:
        """Return the jobs that have neither ended nor been lost."""
        return [job for job, status in self._statuses.items() if status is None or not (status.ended or status.state == LOST)]

    def unknown_jobs(self) -> list[MassDeleteJob]:
        """Return the jobs that Zoho does not know at the moment, within their time of grace."""
        return [job for job in self.open_jobs() if job in self._unknown_since]

    def due_jobs(self, elapsed: float) -> list[MassDeleteJob]:
        """Return the open jobs that are to be asked for now: those whose time has come, and those never asked for.

        Once a job has failed, these are the others of which nothing was heard since.
        """
        if self._failed_at is not None:
            return [job for job in self.open_jobs() if self._answered_at.get(job, -math.inf) < self._failed_at]
        return [job for job in self.open_jobs() if self._due.get(job, 0.0) <= elapsed + _TOGETHER]

    @property
    def some_failed(self) -> bool:
        """Whether a job has ended in a way that fails the task, whatever becomes of the others."""
        return self._failed_at is not None

    def is_over(self, elapsed: float) -> bool:
        """Return whether nothing is waited for any more: all jobs have ended, or one has failed and the others were asked for once more."""
        return not self.open_jobs() or (self.some_failed and (not self.due_jobs(elapsed) or self.time_left(elapsed) <= 0))

    def time_left(self, elapsed: float) -> float:
        """Return the seconds for which the others may still be asked for once a job has failed; without end before that."""
        return math.inf if self._failed_at is None else self._failed_at + LAST_LOOK_SECONDS - elapsed

    def asks(self, job: MassDeleteJob) -> None:
        """Take note that a job is asked for."""
        self._asked[job] += 1

    def failed(self, error: ZohoCrmError) -> None:
        """Take note that no job could be asked for."""
        self._failure = error

    def refused(self, job: MassDeleteJob, error: ZohoCrmError, elapsed: float) -> None:
        """Take note of an answer that is no status.

        :raises UnexpectedAnswer: one and the same refusal, which would pass if it came once, came for so long that it does not
        """
        self._failure = error
        status = error.status or 0
        about_the_job = isinstance(error, RetryableError) and error.path != TOKEN_PATH
        if not about_the_job or not 400 <= status < 500 or status in _NO_REFUSAL:
            self._refusals.pop(job, None)
            return
        before = self._refusals.get(job)
        same = before is not None and before.answer == (status, error.code)
        now = replace(before, number=before.number + 1) if before and same else _Refusals((status, error.code), elapsed, 1)
        self._refusals[job] = now
        if now.number >= _REFUSALS and elapsed - now.since >= _REFUSED_SECONDS:
            fields = {name: getattr(error, name) for name in ("status", "code", "details", "method", "path")}
            minutes = (elapsed - now.since) / 60
            raise UnexpectedAnswer(
                f"Zoho has given the same answer at {now.number} polls in a row, for {minutes:.0f} minutes: {error.message}",
                advice=f"Job {job.id} may go on at Zoho all the same.",
                **fields,
            )

    def saw(self, job: MassDeleteJob, status: JobStatus, elapsed: float) -> bool:
        """Take note of a status and return whether the state has changed."""
        before = self._statuses[job]
        if status != before:
            self._changed_at[job] = elapsed
        self._failure = None
        self._refusals.pop(job, None)
        earlier = (self._heard_at[job], before) if before else None
        self._due[job] = elapsed + self._schedule.next_wait(elapsed, status, earlier)
        self._statuses[job], self._heard_at[job] = status, elapsed
        self._unknown_since.pop(job, None)
        self._answered(job, status, elapsed)
        return before is None or before.state != status.state

    def saw_unknown(self, job: MassDeleteJob, elapsed: float) -> bool:
        """Take note that Zoho does not know a job and return whether that is news; after its time of grace the job is not open any more."""
        news = job not in self._unknown_since
        self._due[job] = elapsed + self._schedule.next_wait(elapsed)
        before = self._statuses[job]
        if elapsed - self._unknown_since.setdefault(job, elapsed) < self._grace:
            self._answered(job, before, elapsed)
            return news
        lost = replace(before or JobStatus(LOST), state=LOST)
        self._statuses[job] = lost
        self._answered(job, lost, elapsed)
        return True

    def warnings(self, elapsed: float) -> list[str]:
        """Return a sentence for each open job of which Zoho has said the same for an hour, and again for each further hour."""
        still = [job for job in self.open_jobs() if elapsed - self._changed_at.get(job, elapsed) >= _LONG]
        words = []
        for job in still:
            unknown = self._known(job).state not in _GOES_ON
            hint = " Zoho's documents do not have that word: look in Zoho CRM whether the job has ended." if unknown else ""
            words.append(f"For an hour nothing has changed: {sentence(report(job, self._known(job)))}.{hint}")
            self._changed_at[job] = elapsed
        return words

    def last_words(self) -> str:
        """Return what is known of each job, how often it was asked for, and the last answer if that was no status."""
        jobs = []
        for job in self._statuses:
            asked = f", asked {self._asked[job]} {'time' if self._asked[job] == 1 else 'times'}" if self._asked[job] else ""
            jobs.append(f"{sentence(report(job, self._known(job)))}{asked}")
        return "; ".join(jobs) + (f"; last answer: {_answer(self._failure)}" if self._failure else "")

    def next_wait(self, elapsed: float) -> float:
        """Return the seconds until the next poll; the first one is due after the schedule's first wait."""
        if self.some_failed:
            return 0.0
        first = self._schedule.next_wait(0.0)
        return max(0.0, min((self._due.get(job, first) for job in self.open_jobs()), default=elapsed) - elapsed)

    def reports(self) -> list[dict[str, Any]]:
        """Return, per job, ``id``, ``kind``, ``module``, ``state``, ``total``, ``deleted`` and ``failed``."""
        return [report(job, self._known(job)) for job in self._statuses]

    def _answered(self, job: MassDeleteJob, status: JobStatus | None, elapsed: float) -> None:
        self._answered_at[job] = elapsed
        if self._failed_at is None and status is not None and _fails_the_task(status, self._on_partial_failure):
            self._failed_at = elapsed

    def _known(self, job: MassDeleteJob) -> JobStatus:
        return self._statuses[job] or JobStatus(NO_STATUS if self._asked[job] else NOT_ASKED)


@dataclass(frozen=True)
class _Refusals:
    """The same refusal, several times in a row: its status and code, when the first one came, and how many there were."""

    answer: tuple[int, str]
    since: float
    number: int


def _answer(error: ZohoCrmError) -> str:
    return f"HTTP {error.status} {error.code}".rstrip() + f" ({error.message})" if error.status else error.message


def report(job: MassDeleteJob, status: JobStatus) -> dict[str, Any]:
    """Return what is known of a job as JSON values; None where Zoho has not said."""
    return {
        "id": job.id,
        "kind": job.kind,
        "module": job.module,
        "state": status.state,
        "total": status.total,
        "deleted": status.deleted,
        "failed": status.failed,
    }


def _fails_the_task(status: JobStatus, on_partial_failure: str | None) -> bool:
    if on_partial_failure is None:
        return False
    return status.state in ("FAILED", LOST) or (on_partial_failure == "fail" and left_some(status))


def left_behind(report: Mapping[str, Any]) -> bool:
    """Return whether a job that has ended did not delete all that it was for, as far as Zoho says."""
    return left_some(JobStatus(report["state"], report["total"], report["deleted"], report["failed"]))


def left_some(status: JobStatus) -> bool:
    """Return the same for a status: the job FAILED, or it names failures, or it deleted fewer than it counted."""
    fewer = status.deleted is not None and status.total is not None and status.deleted < status.total
    return status.state == "FAILED" or (status.ended and (bool(status.failed) or fewer))


def news(job: MassDeleteJob, status: JobStatus) -> str:
    """Return a new state of a job in words, for the log; with its counts if it has left something behind."""
    words = sentence(report(job, status)) if left_some(status) else f"job {job.id} is {status.state}"
    return f"{words[:1].upper()}{words[1:]}."


def sentence(report: dict[str, Any]) -> str:
    """Return a report in words, for logs and errors."""
    counts = ", ".join(f"{report[name]} {name}" for name in ("deleted", "failed") if report[name] is not None)
    total = f" of {report['total']}" if report["total"] is not None else ""
    return f"job {report['id']} {report['state']}" + (f" ({counts}{total})" if counts else "")
