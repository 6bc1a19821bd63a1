"""Watching several jobs to their end: what each said last, and when to ask again.

Holds no socket and no clock, so that a worker and the triggerer watch alike: they ask, and tell the watch what they heard and when.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from airflow_provider_zcrm.api.mass_delete import JobStatus, MassDeleteJob
from airflow_provider_zcrm.api.poll_schedule import PollSchedule

# what stands for a state where Zoho has said none; Zoho's own words come in capitals
LOST = "unknown to Zoho"
NOT_ASKED = "not asked yet"


class JobWatch:
    """The jobs that are waited for.

    :param schedule: when to ask again.
    :param unknown_job_grace: seconds for which Zoho may not know a job (right after its submission) before it counts as lost.
    """

    def __init__(self, jobs: Iterable[MassDeleteJob], schedule: PollSchedule, unknown_job_grace: float) -> None:
        self._statuses: dict[MassDeleteJob, JobStatus | None] = dict.fromkeys(jobs)
        self._unknown_since: dict[MassDeleteJob, float] = {}
        self._schedule = schedule
        self._grace = unknown_job_grace

    def open_jobs(self) -> list[MassDeleteJob]:
        """Return the jobs that have neither ended nor been lost."""
        return [job for job, status in self._statuses.items() if status is None or not (status.ended or status.state == LOST)]

    def unknown_jobs(self) -> list[MassDeleteJob]:
        """Return the jobs that Zoho does not know at the moment, within their time of grace."""
        return [job for job in self.open_jobs() if job in self._unknown_since]

    def saw(self, job: MassDeleteJob, status: JobStatus) -> bool:
        """Take note of a status and tell whether the state has changed."""
        before = self._statuses[job]
        self._statuses[job] = status
        self._unknown_since.pop(job, None)
        return before is None or before.state != status.state

    def saw_unknown(self, job: MassDeleteJob, now: float) -> bool:
        """Take note that Zoho does not know a job and tell whether it counts as lost now."""
        lost = now - self._unknown_since.setdefault(job, now) >= self._grace
        if lost:
            before = self._statuses[job] or JobStatus(LOST)
            self._statuses[job] = JobStatus(LOST, before.total, before.deleted, before.failed)
        return lost

    def next_wait(self, elapsed: float) -> float:
        """Return the seconds until the next poll, of ``elapsed`` seconds since the first."""
        return min((self._schedule.next_wait(elapsed, self._statuses[job]) for job in self.open_jobs()), default=0.0)

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


def sentence(report: dict[str, Any]) -> str:
    """Return a report in words, for logs and errors."""
    counts = ", ".join(f"{report[name]} {name}" for name in ("deleted", "failed") if report[name] is not None)
    total = f" of {report['total']}" if report["total"] is not None else ""
    return f"job {report['id']} {report['state']}" + (f" ({counts}{total})" if counts else "")
