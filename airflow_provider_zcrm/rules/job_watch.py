"""Watching several jobs to their end: what each said last, and when to ask again.

Holds no socket and no clock, so that a worker and the triggerer watch alike: they ask, and tell the watch what they heard and when.
Times are seconds since the wait began. Each job has its own schedule: one that stands in a queue is not asked for as often as
another one that is about to end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow_provider_zcrm.api.mass_delete import JobStatus, MassDeleteJob
from airflow_provider_zcrm.rules.poll_schedule import PollSchedule

# what stands for a state where Zoho has said none; Zoho's own words come in capitals
LOST = "unknown to Zoho"
NOT_ASKED = "not asked yet"


# jobs that are due so shortly one after the other are asked for together, in seconds
_TOGETHER = 0.5


class JobWatch:
    """The jobs that are waited for.

    :param schedule: when to ask again.
    :param unknown_job_grace: seconds for which Zoho may not know a job (right after its submission) before it counts as lost.
    """

    def __init__(self, jobs: Iterable[MassDeleteJob], schedule: PollSchedule, unknown_job_grace: float) -> None:
        self._statuses: dict[MassDeleteJob, JobStatus | None] = dict.fromkeys(jobs)
        self._heard_at: dict[MassDeleteJob, float] = {}
        self._due: dict[MassDeleteJob, float] = {}
        self._unknown_since: dict[MassDeleteJob, float] = {}
        self._schedule = schedule
        self._grace = unknown_job_grace

    def open_jobs(self) -> list[MassDeleteJob]:
        """Return the jobs that have neither ended nor been lost."""
        return [job for job, status in self._statuses.items() if status is None or not (status.ended or status.state == LOST)]

    def unknown_jobs(self) -> list[MassDeleteJob]:
        """Return the jobs that Zoho does not know at the moment, within their time of grace."""
        return [job for job in self.open_jobs() if job in self._unknown_since]

    def due_jobs(self, elapsed: float) -> list[MassDeleteJob]:
        """Return the open jobs that are to be asked for now: those whose time has come, and those never asked for."""
        return [job for job in self.open_jobs() if self._due.get(job, 0.0) <= elapsed + _TOGETHER]

    def saw(self, job: MassDeleteJob, status: JobStatus, elapsed: float) -> bool:
        """Take note of a status and tell whether the state has changed."""
        before = self._statuses[job]
        earlier = (self._heard_at[job], before) if before else None
        self._due[job] = elapsed + self._schedule.next_wait(elapsed, status, earlier)
        self._statuses[job], self._heard_at[job] = status, elapsed
        self._unknown_since.pop(job, None)
        return before is None or before.state != status.state

    def saw_unknown(self, job: MassDeleteJob, elapsed: float) -> bool:
        """Take note that Zoho does not know a job and tell whether that is news; after its time of grace the job is not open any more."""
        news = job not in self._unknown_since
        self._due[job] = elapsed + self._schedule.next_wait(elapsed)
        if elapsed - self._unknown_since.setdefault(job, elapsed) < self._grace:
            return news
        before = self._statuses[job] or JobStatus(LOST)
        self._statuses[job] = JobStatus(LOST, before.total, before.deleted, before.failed)
        return True

    def next_wait(self, elapsed: float) -> float:
        """Return the seconds until the next poll; the first one is due after the schedule's first wait."""
        first = self._schedule.next_wait(0.0)
        return max(0.0, min((self._due.get(job, first) for job in self.open_jobs()), default=elapsed) - elapsed)

    def reports(self) -> list[dict[str, Any]]:
        """Return, per job, ``id``, ``kind``, ``module``, ``state``, ``total``, ``deleted`` and ``failed``."""
        return [report(job, status) for job, status in self._statuses.items()]


def report(job: MassDeleteJob, status: JobStatus | None) -> dict[str, Any]:
    """Return what is known of a job as JSON values; None where Zoho has not said."""
    status = status or JobStatus(NOT_ASKED)
    return {
        "id": job.id,
        "kind": job.kind,
        "module": job.module,
        "state": status.state,
        "total": status.total,
        "deleted": status.deleted,
        "failed": status.failed,
    }


def left_behind(report: Mapping[str, Any]) -> bool:
    """Tell whether a job that has ended did not delete all that it was for, as far as Zoho says."""
    return left_some(JobStatus(report["state"], report["total"], report["deleted"], report["failed"]))


def left_some(status: JobStatus) -> bool:
    """Tell the same of a status: the job FAILED, or it names failures, or it deleted fewer than it counted."""
    fewer = status.deleted is not None and status.total is not None and status.deleted < status.total
    return status.state == "FAILED" or (status.ended and (bool(status.failed) or fewer))


def sentence(report: dict[str, Any]) -> str:
    """Return a report in words, for logs and errors."""
    counts = ", ".join(f"{report[name]} {name}" for name in ("deleted", "failed") if report[name] is not None)
    total = f" of {report['total']}" if report["total"] is not None else ""
    return f"job {report['id']} {report['state']}" + (f" ({counts}{total})" if counts else "")
