"""A small Zoho CRM for the walk, as a value: the tags of one module, the jobs that delete them, and what may happen to both.

It moves only where the plan looks: at a read, a question, a wait, a submission. What happens between two looks the plan cannot tell from
what happens just before the second one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple


class Tag(NamedTuple):
    """A tag of the module."""

    id: str
    name: str
    records: int = 0


class Job(NamedTuple):
    """A job that Zoho has accepted.

    :param ids: what was submitted, ``open`` what is not deleted yet.
    :param state: "running"; "late", when Zoho says that it has ended and the list does not show it yet; "ended".
    """

    id: str
    ids: tuple[str, ...]
    open: tuple[str, ...]
    state: Literal["running", "late", "ended"] = "running"


class World(NamedTuple):
    """Zoho CRM at a moment.

    :param refuses: tags for which Zoho refuses every batch, each with the way: "in use", "in use, not named", "not found".
    :param happened: the kinds of events and faults that this path has had; each comes at most once.
    """

    tags: tuple[Tag, ...]
    jobs: tuple[Job, ...] = ()
    refuses: tuple[tuple[str, str], ...] = ()
    happened: frozenset[str] = frozenset()


Moves = Iterator[tuple[str, World]]


def after_event(world: World, event: str) -> World:
    """Return the world with the note that an event has happened."""
    return world._replace(happened=world.happened | {event})


def jobs_move(world: World, possible: frozenset[str]) -> Moves:
    """Yield what the jobs may have done since the last look: nothing, or one thing.

    :param possible: the events and faults that may still come.
    """
    yield "", world
    for job in world.jobs:
        if job.state == "running":
            if len(job.open) > 1:
                yield f"job {job.id} deletes {job.open[0]}", deleted(world, job, job.open[:1])
            yield f"job {job.id} ends", ended(deleted(world, job, job.open), job.id)
            if "job failed" in possible and job.open:
                yield f"job {job.id} fails with {job.open} left", after_event(ended(world, job.id), "job failed")
            if "late list" in possible and job.open:
                yield f"job {job.id} ends, the list is late", after_event(_with(world, job._replace(state="late")), "late list")
        elif job.state == "late":
            yield f"the list follows job {job.id}", ended(deleted(world, job, job.open), job.id)


def people_move(world: World, possible: frozenset[str]) -> Moves:
    """Yield what people may have done to the first tag since the last look."""
    first = world.tags[0] if world.tags and world.tags[0].id == "1" else None
    if first and first.name == "a" and "rename" in possible:
        renamed = first._replace(name="VIP customers")
        yield "somebody renames 1", after_event(world._replace(tags=(renamed, *world.tags[1:])), "rename")
    if "newcomer" in possible and not any(tag.name == "a" for tag in world.tags):
        yield "somebody makes 9, a new tag named a", after_event(world._replace(tags=(*world.tags, Tag("9", "a", 7))), "newcomer")
    if first and first.records == 0 and "records" in possible:
        carried = first._replace(records=5)
        yield "1 gets records", after_event(world._replace(tags=(carried, *world.tags[1:])), "records")


def deleted(world: World, job: Job, ids: tuple[str, ...]) -> World:
    """Return the world when a job has deleted some of its tags."""
    tags = tuple(tag for tag in world.tags if tag.id not in ids)
    return _with(world._replace(tags=tags), job._replace(open=tuple(i for i in job.open if i not in ids)))


def ended(world: World, job_id: str) -> World:
    """Return the world when a job has ended, whatever it has left."""
    job = next(job for job in world.jobs if job.id == job_id)
    return _with(world, job._replace(state="ended"))


def with_job(world: World, ids: tuple[str, ...]) -> World:
    """Return the world with another job."""
    return world._replace(jobs=(*world.jobs, Job(str(900 + len(world.jobs)), ids, ids)))


def _with(world: World, changed: Job) -> World:
    return world._replace(jobs=tuple(changed if job.id == changed.id else job for job in world.jobs))
