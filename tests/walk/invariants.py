"""What must hold on every path of the walk; each by its name, which stands in the failure.

They judge by what the walk itself has noted in `State`, never by the journal or by what the plan has seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tests.walk.world import Tag, World

FRESH_LIST = 10
FRESH_COUNT = 900


class Broken(AssertionError):
    """An invariant does not hold."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"*{name}*: {what}")
        self.name, self.what = name, what


class Known(NamedTuple):
    """What is known of one job by the task.

    :param run: the run of the task that has submitted it.
    :param saved: its id came back and was saved, and is not lost since.
    :param denied: Zoho has said, when it was asked last, that it does not know it.
    :param retaken: those of its tags that are in a later submission, which Zoho did not refuse.
    :param still: since how many seconds this attempt reads the same of its tags in the list, and which; None before the first read.
    """

    run: int
    saved: bool = False
    denied: bool = False
    retaken: frozenset[str] = frozenset()
    still: tuple[float, frozenset[str]] | None = None


class State(NamedTuple):
    """Where a path has come to; the plan is asked next.

    :param known: for each job of the world.
    :param run: of the task; ``attempt`` counts on through the runs, ``tries`` begins again in each.
    :param clock: seconds by which the clock of this attempt is fast.
    :param stored: the journal as it is stored, as JSON; empty if there is none.
    :param without_journal: of an attempt that is not the first and found none.
    :param requested: id and name of each tag that this run may send, once it has saved its request.
    :param first_names: the name of each tag when this task saw it first.
    :param seen: number of the `Seen` of this attempt.
    :param listed: the list as this attempt has read it last, ``list_age`` seconds ago; ``waited`` since then, or not.
    :param counts: id, age and number of each count of this attempt; the number is None if Zoho did not count.
    :param sent: ids that this attempt has sent without a refusal, as often as it has.
    :param lost: how many answers this attempt has lost.
    """

    world: World
    known: tuple[Known, ...] = ()
    run: int = 1
    attempt: int = 1
    tries: int = 1
    clock: int = 0
    stored: str = ""
    without_journal: bool = False
    requested: tuple[tuple[str, str], ...] | None = None
    first_names: tuple[tuple[str, str], ...] = ()
    seen: int = 0
    listed: tuple[Tag, ...] | None = None
    list_age: float = 0
    waited: bool = False
    counts: tuple[tuple[str, float, int | None], ...] = ()
    sent: tuple[str, ...] = ()
    lost: int = 0


# --- before a submission --------------------------------------------------------------------------------------------------


def only_requested(state: State, ids: Sequence[str]) -> None:
    """No id is sent that was not requested, or that is sent twice in one batch."""
    requested = dict(state.requested or ())
    if not ids or len(set(ids)) < len(ids) or not set(ids) <= requested.keys():
        raise Broken("only requested", f"{list(ids)} is sent, and requested is {sorted(requested)}")


def same_name(state: State, ids: Sequence[str]) -> None:
    """No tag is sent under another name than the requested one, in the list that was read directly before."""
    if state.listed is None or state.waited or state.list_age > FRESH_LIST:
        raise Broken("same name", f"{list(ids)} is sent, and the list was read {state.list_age} s before, waited since: {state.waited}")
    names, requested = {tag.id: tag.name for tag in state.listed}, dict(state.requested or ())
    for tag_id in ids:
        if names.get(tag_id) != requested[tag_id]:
            raise Broken("same name", f"{tag_id} is sent as {names.get(tag_id)!r}, and was requested as {requested[tag_id]!r}")


def never_twice(state: State, ids: Sequence[str], settle: float) -> None:
    """No id is in two jobs, unless the first one had ended, or nobody knew of it and nothing of it left the list for ``settle`` seconds."""
    for job, known in zip(state.world.jobs, state.known, strict=True):
        # what was sent again already is a matter of that later submission
        twice = set(ids) & set(job.ids) - (known.retaken if unknown(known) else set())
        settled = known.still is not None and known.still[0] - state.list_age >= settle
        if twice and job.state == "running" and not (unknown(known) and settled):
            raise Broken("never twice", f"{sorted(twice)} is sent, and job {job.id} runs; saved: {known.saved}, still for {known.still}")
    often = [tag_id for tag_id in ids if state.sent.count(tag_id) > min(state.lost, 1)]
    if often:
        raise Broken("never twice", f"{often} is sent again in one attempt, which has lost {state.lost} answers and sent {state.sent}")


def unknown(known: Known) -> bool:
    """Whether the task cannot ask for a job: only the list of tags says what became of it."""
    return not known.saved or known.denied


def counted(state: State, ids: Sequence[str], max_records: Mapping[str, int]) -> None:
    """A tag that was chosen by its records was counted shortly before, and the count allowed it; then the list was read."""
    counts = {tag_id: (age, number) for tag_id, age, number in state.counts}
    for tag_id in set(ids) & max_records.keys():
        age, number = counts.get(tag_id, (float("inf"), None))
        if age > FRESH_COUNT or age <= state.list_age or number is None or number > max_records[tag_id]:
            raise Broken("counted", f"{tag_id} is sent; counted {age} s before: {number}; the list is {state.list_age} s old")


# --- at the end of an attempt -----------------------------------------------------------------------------------------------


def no_job_lost(state: State, job_ids: Sequence[str], skipped: Mapping[str, str]) -> None:
    """A job whose id was saved is reported: by its run, and by every run while it runs and holds a tag that is still to go."""
    to_go = {tag.id for tag in state.world.tags} & dict(state.requested or ()).keys() - skipped.keys()
    for job, known in zip(state.world.jobs, state.known, strict=True):
        holds = job.state == "running" and to_go.intersection(job.open) and not known.denied
        if known.saved and job.id not in job_ids and (holds or (known.run == state.run and not known.retaken)):
            raise Broken("no job lost", f"job {job.id} ({job.state}) with {job.ids} is not among {list(job_ids)}")


def success_means_gone(state: State, left: Sequence[str], skipped: Mapping[str, str], *, waits: bool) -> None:
    """Each requested tag is gone or skipped for a true reason; without waiting it may be in a job whose id is saved."""
    tags = {tag.id: tag for tag in state.world.tags}
    in_a_job = {i for job, known in zip(state.world.jobs, state.known, strict=True) if known.saved for i in job.ids}
    if state.requested is None:
        raise Broken("success means gone", "the task is done and has not saved what is requested")
    if not set(left) <= tags.keys():
        raise Broken("success means gone", f"{list(left)} is said to be left, and the module has {sorted(tags)}")
    for tag_id, name in state.requested:
        if tag_id in skipped:
            if not _is_true(skipped[tag_id], state, tag_id, name):
                raise Broken("success means gone", f"{tag_id} is skipped as {skipped[tag_id]!r}, which it is not")
        elif tag_id in tags and tag_id not in left and (waits or tag_id not in in_a_job):
            raise Broken(
                "success means gone", f"the task is done and {tag_id} is still there; waits: {waits}, in a job: {sorted(in_a_job)}"
            )


def _is_true(code: str, state: State, tag_id: str, name: str) -> bool:
    """Whether a reason for which a tag is skipped is so; nothing that a path does to a tag is undone, so it is enough to look now."""
    tag = next((tag for tag in state.world.tags if tag.id == tag_id), None)
    ways = {way for refused, way in state.world.refuses if refused == tag_id}
    return {
        "renamed": tag is None or tag.name != name,
        "in_use": "in use" in ways,
        "not_found": tag is None or "not found" in ways or "late list" in state.world.happened,
        "records": "records" in state.world.happened,
        "not_counted": "count failed" in state.world.happened,
    }.get(code, False)


def it_ends_with_a_reason(state: State, error: str, *, undeletable_fails: bool) -> None:
    """An attempt gives up only for something that has happened."""
    ways = {way for _, way in state.world.refuses}
    reasons = {
        "TagInUse": "in use, not named" in ways or (undeletable_fails and ("in use" in ways or "count failed" in state.world.happened)),
        "TagNotFound": undeletable_fails and ("not found" in ways or "late list" in state.world.happened),
        "TooManyRequests": {"429", "429, come back later"} <= state.world.happened,
        "SubmissionUncertain": state.lost > 1 or "store lost" in state.world.happened,
    }
    if not reasons.get(error, False):
        raise Broken("it ends", f"the attempt gives up with {error}, and nothing has happened that explains it")
