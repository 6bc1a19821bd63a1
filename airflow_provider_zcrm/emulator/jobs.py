"""The life of a mass-delete job: SCHEDULED until it starts, RUNNING while its items go one by one, then COMPLETED or FAILED.

Nothing runs in the background. Whoever looks at an org first calls `settle`, which does what the jobs would have done by now, in the
order of time: of two jobs that hold the same tag, the one that comes to it second finds it gone and counts it as failed.
At the end total = deleted + failed, and COMPLETED does not mean that nothing failed.
Zoho: mass-delete-tags.html, get-mass-delete-tags-status.html, mass-delete-status.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from airflow_provider_zcrm.emulator.model import Job, Module, Org

OUTCOMES = ("completed", "failed")


@dataclass
class JobPlan:
    """How a job will go; times in seconds. `failing` names items by id, or tags by name; `deletes` holds for a job that fails."""

    start_delay: float = 0.5
    duration: float = 2.0
    outcome: str = "completed"
    failing: list[str] = field(default_factory=list)
    deletes: int | None = None
    removal_lag: float = 0.0
    appears_after: float = 0.0
    forgotten_after: float | None = None

    def __post_init__(self) -> None:
        if self.outcome not in OUTCOMES:
            raise ValueError(f"a job's outcome is one of {', '.join(OUTCOMES)}; not {self.outcome!r}")
        if min(self.start_delay, self.duration, self.removal_lag, self.appears_after) < 0:
            raise ValueError("a job's times are seconds of 0 or more")


def schedule(org: Org, module: Module, kind: str, items: list[str], plan: JobPlan, now: float, cvid: str | None = None) -> Job:
    """Add a job to the org and return it."""
    names = {tag.name: tag.id for tag in module.tags.values()} if kind == "tags" else {}
    starts_at = now + plan.start_delay
    job = Job(
        id=org.new_id(),
        kind=kind,
        module=module.id,
        items=items,
        created_at=now,
        starts_at=starts_at,
        ends_at=starts_at + plan.duration,
        appears_at=now + plan.appears_after,
        forgotten_at=None if plan.forgotten_after is None else now + plan.forgotten_after,
        removal_lag=plan.removal_lag,
        failing=[names.get(item, item) for item in plan.failing],
        delete_at_most=_deletes_before_failing(plan, len(items)) if plan.outcome == "failed" else None,
        cvid=cvid,
    )
    org.jobs[job.id] = job
    return job


def _deletes_before_failing(plan: JobPlan, total: int) -> int:
    return total // 2 if plan.deletes is None else plan.deletes


def state_of(job: Job, now: float) -> str:
    """Return SCHEDULED, RUNNING, COMPLETED or FAILED."""
    if job.finished:
        return "COMPLETED" if job.delete_at_most is None else "FAILED"
    return "SCHEDULED" if now < job.starts_at else "RUNNING"


def visible(job: Job, now: float) -> bool:
    """Return whether the status endpoint knows the job at this moment."""
    return job.appears_at <= now and (job.forgotten_at is None or now < job.forgotten_at)


def settle(org: Org, now: float) -> None:
    """Bring the org to what its jobs have made of it by `now`."""
    steps = sorted(step for job in org.jobs.values() if not job.finished for step in _steps_until(job, now))
    for moment, _, job_id in steps:
        _take_step(org, org.jobs[job_id], moment)
    for module in org.modules:
        remove_tags(org, module, {tag.id for tag in module.tags.values() if tag.vanishes_at is not None and tag.vanishes_at <= now})


def _steps_until(job: Job, now: float) -> Iterator[tuple[float, int, str]]:
    """Yield (moment, number, job id) of each item that the job has come to since it was last looked at."""
    if now < job.starts_at:
        return
    total = len(job.items)
    duration = job.ends_at - job.starts_at
    due = total if now >= job.ends_at else int(total * (now - job.starts_at) / duration)
    for number in range(job.done, due):
        yield job.starts_at + duration * (number + 1) / total, number, job.id


def _take_step(org: Org, job: Job, moment: float) -> None:
    item = job.items[job.done]
    module = org.module_with_id(job.module)
    spent = job.delete_at_most is not None and job.deleted >= job.delete_at_most
    if module is not None and not spent and item not in job.failing and _delete(module, job, item, moment):
        job.deleted += 1
    else:
        job.failed += 1


def _delete(module: Module, job: Job, item: str, moment: float) -> bool:
    if job.kind == "records":
        return item not in module.locked_records and module.drop_record(item, moment)
    tag = module.tags.get(item)
    if tag is None or tag.vanishes_at is not None:
        return False
    tag.vanishes_at = moment + job.removal_lag
    return True


def remove_tags(org: Org, module: Module, gone: set[str]) -> None:
    """Take tags from the module's list and off its records."""
    if not gone:
        return
    for tag_id in gone:
        del module.tags[tag_id]
        org.deleted_tags.append(tag_id)
    if any(module.tag_counts.get(tag_id) for tag_id in gone):
        for record_id, tag_ids in module.records.items():
            if not gone.isdisjoint(tag_ids):
                module.set_tags(record_id, [tag_id for tag_id in tag_ids if tag_id not in gone])
