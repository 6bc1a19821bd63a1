"""The deletion plan: which tag may be submitted now, and what to do otherwise. Two pure functions, and all rules of the promise.

    journal, step = next_step(request, journal, seen, now)    save the journal, then do the step, then report what was seen
    journal = heard(request, journal, step, answer)           after a `Send`: what Zoho's answer means

`verdict` is the gate. Every requested tag passes it directly before every POST, with the list of tags as Zoho gives it now:

    send           it is listed under its name, nothing holds it, and it was counted where it had to be
    ask, count     a question to Zoho comes first: for the job that holds it, for the records that carry it
    wait           it is of a job that has just ended, or of a submission whose outcome is not known: the list is read again later
    held           it is in a job that runs
    gone, skip     it is not listed any more; this run does not send it, with a reason

*Directly* means: the list was read at most 10 seconds before, and nothing was waited for since.

Times are epoch seconds of one attempt's own clock: its start plus monotonic seconds. No rule compares times of two attempts, but for the
deadline. `seen` is empty for an attempt that returns from the triggerer, but for the reports.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from airflow_provider_zcrm.api.errors import (
    InvalidArgument,
    JobAlreadyRunning,
    SubmissionUncertain,
    TagInUse,
    TagNotFound,
    TokenRejected,
    ZohoCrmError,
)
from airflow_provider_zcrm.api.mass_delete import refused_tag
from airflow_provider_zcrm.rules.deadline import check_deadline
from airflow_provider_zcrm.rules.log_lists import counted
from airflow_provider_zcrm.rules.markdown import one_line
from airflow_provider_zcrm.rules.pauses import pause_for_other_job, pause_until
from airflow_provider_zcrm.rules.steps import Fail, Lost, WaitUntil
from airflow_provider_zcrm.rules.tag_journal import Entry, Submission, TagJournal, digest_of_name
from airflow_provider_zcrm.rules.tag_request import TagRequest
from airflow_provider_zcrm.rules.tag_seen import Accepted, Answer, Refusals, Seen

# seconds for which a list of tags may be acted on, and a count
FRESH_LIST = 10.0
FRESH_COUNT = 900.0
# COMPLETED may precede the removal from the list: seconds after the end of a job at which the list is read again
LIST_FOLLOWS = (10.0, 30.0, 60.0)
# seconds before a batch is sent again that Zoho refused for a tag which it does not find, although all its tags are listed
NOT_FOUND_PAUSES = (10.0, 20.0, 30.0)

REASONS = {
    "renamed": "it was renamed since it was requested",
    "in_use": "a feature of Zoho CRM uses it",
    "not_found": "it is in the list of tags, but Zoho does not find it",
    "records": "more records carry it than when it was chosen",
    "automation": "automation uses it now",
    "no_automation": "no automation uses it any more",
    "not_counted": "Zoho did not say how many records carry it, or what uses it",
}


# --- the steps -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ReadList:
    """Get an access token, and read the list of tags."""


@dataclass(frozen=True)
class FindModule:
    """Find out the id of the module, which a submission needs."""


@dataclass(frozen=True)
class AskJobs:
    """Ask for the status of jobs, given by the number of their submission."""

    job_ids: Mapping[int, str]


@dataclass(frozen=True)
class CountTags:
    """Count the records of these tags."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class Send:
    """Submit these tags, once, and not later than ``before``: the journal is saved first, and that may take long.

    :param before: epoch seconds at which the list of tags is too old.
    :param if_refused: the journal if Zoho certainly does not accept them: what held the tags before, holds them again.
    """

    ids: tuple[str, ...]
    before: float
    if_refused: TagJournal


@dataclass(frozen=True)
class WatchJobs:
    """Watch these jobs until they have ended."""

    job_ids: tuple[str, ...]


@dataclass(frozen=True)
class Done:
    """Nothing is left to do.

    :param job_ids: the jobs of this run, and those of earlier runs that still hold requested tags.
    :param left: requested tags that are still listed after their jobs have ended.
    :param would_delete: of a dry run, the tags that would be submitted.
    """

    job_ids: tuple[str, ...]
    left: tuple[str, ...] = ()
    would_delete: tuple[str, ...] = ()


Step = ReadList | FindModule | AskJobs | CountTags | WaitUntil | Send | WatchJobs | Done | Fail


def next_step(request: TagRequest, journal: TagJournal, seen: Seen, now: float) -> tuple[TagJournal, Step]:
    """Return the journal to save if it is another one, and what to do when it is saved.

    :param journal: of this run of the task (`TagJournal.for_run`).
    :param now: epoch seconds of the attempt's clock.
    """
    try:
        if journal.module != request.module:
            raise InvalidArgument(f"The jobs of this task are of {journal.module}, but module is {request.module} now. Nothing was sent.")
        if seen.reports is not None:
            return journal, _verify(request, journal, seen, now)
        planned, step = _submit(request, journal, seen, now)
        if isinstance(step, (CountTags, Send, WaitUntil)):
            unfinished = f"all tags of {request.module} are submitted; submitted jobs: {list(job_ids(journal, seen))}"
            check_deadline(journal.deadline, step.at if isinstance(step, WaitUntil) else now, unfinished)
    except ZohoCrmError as error:
        return journal, Fail(error)
    return planned, step


def heard(request: TagRequest, journal: TagJournal, step: Send, answer: Answer) -> TagJournal:
    """Return the journal after the answer to a submission.

    A job id holds the tags, a lost answer leaves the intent, a refusal takes it out. A tag in use, for which Zoho refuses the whole batch,
    is skipped if the request allows that, and Zoho says which one it is.
    """
    if isinstance(answer, Lost):
        return journal
    if isinstance(answer, Accepted):
        return journal.with_job(answer.job_id)
    culprit = refused_tag(answer.error, step.ids) if isinstance(answer.error, TagInUse) else None
    if culprit is None or request.undeletable_tags == "fail":
        return step.if_refused
    return step.if_refused.with_skipped({culprit: "in_use"})


# --- the gate ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """What may happen with one tag now.

    :param what: "send", "ask", "count", "wait", "held", "gone" or "skip".
    :param code: of "skip", the reason.
    :param at: of "wait", when the list is to be read again.
    :param submission: of "ask", the one whose job is asked for.
    """

    what: str
    code: str = ""
    at: float = -math.inf
    submission: Submission | None = None


def verdict(request: TagRequest, journal: TagJournal, seen: Seen, tag_id: str, now: float) -> Verdict:
    """Decide about one requested tag.

    :raises SubmissionUncertain: it was submitted twice in this attempt, and both answers were lost
    """
    entry, tag = journal.tags[tag_id], (seen.listed or {}).get(tag_id)
    if entry.skipped:
        return Verdict("skip", entry.skipped)
    if tag is None:
        return Verdict("gone")
    submission = journal.submission_of(tag_id)
    if submission is not None:
        hold = _hold(request, seen, submission)
        if hold is not None:
            return hold
        if seen.sent.get(tag_id, 0) > 1:
            raise SubmissionUncertain(
                f"Zoho did not confirm the delete of these tags of {request.module}, twice: {tag_id} = {one_line(tag.name)}.",
                advice="Look at the tags in Zoho CRM; the next attempt of the task goes on from here.",
            )
    if digest_of_name(tag.name) != entry.digest:
        return Verdict("skip", "renamed")
    if request.undeletable_tags == "skip" and tag_id == _not_found(seen):
        return Verdict("skip", "not_found")
    return _by_count(request, seen, tag_id, now) or Verdict("send")


def _hold(request: TagRequest, seen: Seen, submission: Submission) -> Verdict | None:
    """Return what the latest submission of a tag that is still listed makes of it, None if it frees it."""
    state, heard_at = seen.jobs.get(submission.number, ("", -math.inf))
    if submission.job_id is not None and state != "unknown":
        if submission.attempt == request.attempt or state == "running":
            return Verdict("held")
        if state != "ended":
            return Verdict("ask", submission=submission)
        look = _next_look(heard_at, seen)
        return None if look is None else Verdict("wait", at=look)
    # whatever left the list may be of this submission: of an earlier one it is not certain which tags it had
    still_since = max(seen.first_read_at, seen.lost_at.get(submission.number, heard_at), seen.left_at)
    settled_at = still_since + request.settle
    if seen.read_at >= settled_at:
        return None
    return Verdict("wait", at=min(settled_at, seen.read_at + min(max(1.0, request.settle / 10), 30.0)))


def _not_found(seen: Seen) -> str | None:
    """Return the tag that Zoho did not find again and again, if the list was read since."""
    last = seen.refusals
    if last is None or not isinstance(last.error, TagNotFound) or last.times <= len(NOT_FOUND_PAUSES) or seen.read_at <= last.at:
        return None
    return refused_tag(last.error, last.ids)


def _by_count(request: TagRequest, seen: Seen, tag_id: str, now: float) -> Verdict | None:
    """Return what the number of records and the use by automation make of a tag that was chosen by them, None if it may go."""
    chosen = request.chosen.get(tag_id)
    if chosen is None or not chosen.needs_count:
        return None
    most = math.inf if chosen.max_records is None else chosen.max_records
    listed = (seen.listed or {})[tag_id].records
    if listed is not None and listed > most:
        return Verdict("skip", "records")
    count = seen.counts.get(tag_id)
    if count is None or now - count.at > FRESH_COUNT:
        return Verdict("count")
    if count.answer is None:
        # perhaps it is gone: the list says so, when it is read after the count
        return Verdict("skip", "not_counted") if seen.read_at > count.at else Verdict("wait", at=now)
    if count.answer.count > most:
        return Verdict("skip", "records")
    used_by = count.answer.used_by
    if chosen.used_by_automation is not None and used_by is None:
        return Verdict("skip", "not_counted")
    if chosen.used_by_automation:
        return None if used_by else Verdict("skip", "no_automation")
    return Verdict("skip", "automation") if used_by else None


# --- from verdicts to a step -----------------------------------------------------------------------------------------------


def _submit(request: TagRequest, journal: TagJournal, seen: Seen, now: float) -> tuple[TagJournal, Step]:
    """Return the next step until every requested tag is in a job, gone or skipped; then the jobs are watched, if that is wanted."""
    if journal.request not in (None, request.digest):
        now_requested = counted(len(request.ids) + len(request.names), "tag")
        raise InvalidArgument(
            f"The requested tags changed between retries. Now: {now_requested} of {request.module}. Nothing was sent.",
            advice="Clear the task, so that the request is judged again; the task knows what it has submitted.",
        )
    if seen.listed is None and (request.ids or request.names):
        return journal, ReadList()
    if journal.request is None:
        tags = _requested(request, journal, seen)
        if request.undeletable_tags == "fail":
            present = _present(tags, seen)
            first = _count_first(seen, present, [tag_id for tag_id in present if tag_id not in seen.counts])
            if first is not None:
                return journal, first
        journal = _resolved(request, journal, seen, tags)
    return _act(request, journal, seen, now)


def _act(request: TagRequest, journal: TagJournal, seen: Seen, now: float) -> tuple[TagJournal, Step]:
    """Put every requested tag through the gate, and return the step that comes first."""
    verdicts = {tag_id: verdict(request, journal, seen, tag_id, now) for tag_id in journal.tags}
    journal = _with_skipped(request, journal, seen, verdicts)
    ask = {s.number: str(s.job_id) for found in verdicts.values() if (s := found.submission)}
    if ask:
        return journal, AskJobs(ask)
    ready = [tag_id for tag_id, found in verdicts.items() if found.what in ("send", "count")]
    if request.dry_run:
        return journal, _count_first(seen, ready, _uncounted(ready, verdicts)) or Done((), would_delete=tuple(ready))
    if ready:
        return _send(request, journal, seen, ready[: request.batch_size], verdicts, now)
    waits = [found.at for found in verdicts.values() if found.what == "wait"]
    if waits:
        why = f"The list of {request.module} has to show the outcome of a submission with {len(waits)} of the tags; it is read again."
        return journal, WaitUntil(min(waits), why) if min(waits) > now else ReadList()
    jobs = job_ids(journal, seen)
    if request.wait and jobs:
        return journal, WatchJobs(jobs)
    return journal, Done(jobs, left=_left(journal, seen) if request.wait else ())


def _with_skipped(request: TagRequest, journal: TagJournal, seen: Seen, verdicts: Mapping[str, Verdict]) -> TagJournal:
    """Return the journal with the tags that are skipped.

    :raises TagInUse: automation uses one by now, and ``undeletable_tags`` is "fail"
    """
    skipped = {tag_id: found.code for tag_id, found in verdicts.items() if found.what == "skip"}
    used = [tag_id for tag_id, code in skipped.items() if code == "automation"]
    if used and request.undeletable_tags == "fail":
        raise _in_use(request, seen, used)
    return journal.with_skipped(skipped)


def _send(
    request: TagRequest, journal: TagJournal, seen: Seen, batch: Sequence[str], verdicts: Mapping[str, Verdict], now: float
) -> tuple[TagJournal, Step]:
    """Return what comes before the submission of a batch, or the submission with its intent."""
    pause = _pause(seen, batch)
    if pause is not None and pause.at > now:
        return journal, pause
    first = _count_first(seen, batch, _uncounted(batch, verdicts))
    if first is not None:
        return journal, first
    if not seen.module_found:
        return journal, FindModule()
    if seen.waited or now - seen.read_at > FRESH_LIST or _refused_since_the_read(seen):
        return journal, ReadList()
    return journal.with_intent(batch, request.attempt), Send(tuple(batch), seen.read_at + FRESH_LIST, if_refused=journal)


def _refused_since_the_read(seen: Seen) -> bool:
    """Whether the list has to be read again because of a refusal; one that names a tag in use says nothing of the others."""
    return seen.refusals is not None and seen.refusals.at >= seen.read_at and not isinstance(seen.refusals.error, TagInUse)


def _uncounted(batch: Iterable[str], verdicts: Mapping[str, Verdict]) -> list[str]:
    return [tag_id for tag_id in batch if verdicts[tag_id].what == "count"]


def _count_first(seen: Seen, tag_ids: Iterable[str], uncounted: Sequence[str]) -> Step | None:
    """Return the count of those of the tags that need it, and then a look at the list; None where that is done."""
    if uncounted:
        return CountTags(tuple(uncounted))
    counted_at = [seen.counts[tag_id].at for tag_id in tag_ids if tag_id in seen.counts]
    return ReadList() if counted_at and max(counted_at) >= seen.read_at else None


def _pause(seen: Seen, batch: Sequence[str]) -> WaitUntil | None:
    """Return how long to wait after a refusal, None for not at all.

    :raises ZohoCrmError: sending it again does not help, or has not helped for long enough
    """
    refusals = seen.refusals
    if refusals is None:
        return None
    error, times = refusals.error, refusals.times
    if isinstance(error, (TagInUse, TagNotFound)):
        return _pause_for_a_tag(seen, refusals, batch)
    if isinstance(error, JobAlreadyRunning):
        return WaitUntil(refusals.at + pause_for_other_job(times), f"{error} Waiting for it.")
    if isinstance(error, TokenRejected) and times == 1:
        return None
    return WaitUntil(pause_until(error, times, refusals.since, refusals.at), f"{error}")


def _pause_for_a_tag(seen: Seen, refusals: Refusals, batch: Sequence[str]) -> WaitUntil | None:
    """Return how long to wait after Zoho refused a batch for one of its tags; None if the batch is another one by now, or may be.

    :raises ZohoCrmError: the same batch would be refused again
    """
    error, may_change = refusals.error, isinstance(refusals.error, TagNotFound)
    if not set(refusals.ids) <= set(batch) or (may_change and seen.read_at <= refusals.at):
        return None
    if may_change and refusals.times <= len(NOT_FOUND_PAUSES):
        return WaitUntil(refusals.at + NOT_FOUND_PAUSES[refusals.times - 1], f"{error} The list of tags is read again.")
    culprit = refused_tag(error, refusals.ids)
    if culprit and "It is " not in error.message:
        error.message += f" It is {_named(seen, culprit)}."
    raise error


def job_ids(journal: TagJournal, seen: Seen) -> tuple[str, ...]:
    """Return the jobs of this run, and of earlier ones those that still run; without those whose rest a later submission took over."""
    running = {number for number, (state, _) in seen.jobs.items() if state == "running"}
    jobs = (s for s in journal.submissions if s.job_id and (s.number in running or (s.run == journal.run and not s.superseded)))
    return tuple(str(submission.job_id) for submission in jobs)


# --- after the jobs ------------------------------------------------------------------------------------------------------


def _verify(request: TagRequest, journal: TagJournal, seen: Seen, now: float) -> Step:
    """Read the list until no requested tag is in it, or it had time enough to follow the jobs.

    :raises SubmissionUncertain: no journal says any more which tags were submitted
    """
    job_ids = tuple(str(report["id"]) for report in seen.reports or ())
    if journal.request is None:
        raise SubmissionUncertain(
            f"What this task has stored was lost while it waited for the jobs {list(job_ids)} of {request.module}.",
            advice="A retry of the task reads the list of tags and goes on from there.",
        )
    if all(entry.skipped for entry in journal.tags.values()):
        return Done(job_ids)
    if seen.listed is None or seen.read_at <= seen.reports_at:
        return ReadList()
    left, look = _left(journal, seen), _next_look(seen.reports_at, seen)
    if left and look is not None and look < journal.deadline:
        why = f"{len(left)} tags of {journal.module} are still listed; the list may follow its jobs late."
        return WaitUntil(look, why) if look > now else ReadList()
    return Done(job_ids, left)


def _left(journal: TagJournal, seen: Seen) -> tuple[str, ...]:
    return tuple(tag_id for tag_id, entry in journal.tags.items() if not entry.skipped and tag_id in (seen.listed or {}))


def _next_look(ended_at: float, seen: Seen) -> float | None:
    """Return when the list is to be read again after the end of a job, None if it had time enough to follow."""
    return next((ended_at + pause for pause in LIST_FOLLOWS if ended_at + pause > seen.read_at), None)


# --- once per run of the task ----------------------------------------------------------------------------------------------


def _requested(request: TagRequest, journal: TagJournal, seen: Seen) -> dict[str, Entry]:
    """Return the requested tags that there are, each with the name under which it may be sent.

    That is the name by which it was requested or chosen; of a bare id the one that it had when this task saw it first. What a submission
    of this task has deleted is not missing.

    :raises InvalidArgument: tags are missing and must not be, or a name means two tags
    """
    listed = seen.listed or {}
    ids_of: dict[str, list[str]] = {}
    for tag_id, tag in listed.items():
        ids_of.setdefault(tag.name, []).append(tag_id)
    ambiguous = [name for name in request.names if len(ids_of.get(name, ())) > 1]
    if ambiguous:
        raise InvalidArgument(f"Several tags of {request.module} have the same name: {ambiguous}.", advice="Pass tag_ids instead.")
    submitted = {entry.digest: tag_id for tag_id, entry in journal.others.items() if entry.submission and tag_id not in listed}
    tags: dict[str, Entry] = {}
    missing: list[str] = []
    for name in request.names:
        digest = digest_of_name(name)
        found = ids_of[name][0] if name in ids_of else submitted.get(digest)
        known = journal.known(found) if found else None
        if found is None:
            missing.append(name)
        else:
            tags[found] = Entry(digest, known.submission if known else 0)
    for tag_id in request.ids:
        known = journal.known(tag_id)
        if tag_id in listed:
            tags[tag_id] = Entry(_digest_of_id(request, journal, tag_id, listed[tag_id].name), known.submission if known else 0)
        elif known and known.submission:
            tags[tag_id] = known
        else:
            missing.append(tag_id)
    if missing and request.missing_tags == "fail" and not request.without_journal:
        raise InvalidArgument(f"{request.module} has no such tags: {missing}.", advice="missing_tags='skip' leaves them out.")
    return tags


def _digest_of_id(request: TagRequest, journal: TagJournal, tag_id: str, name_now: str) -> str:
    chosen, known = request.chosen.get(tag_id), journal.known(tag_id)
    if chosen is not None and chosen.name is not None:
        return digest_of_name(chosen.name)
    return known.digest if known else digest_of_name(name_now)


def _present(tags: Mapping[str, Entry], seen: Seen) -> list[str]:
    """Return the tags that are listed under their name."""
    listed = seen.listed or {}
    return [i for i, entry in tags.items() if i in listed and digest_of_name(listed[i].name) == entry.digest]


def _resolved(request: TagRequest, journal: TagJournal, seen: Seen, tags: Mapping[str, Entry]) -> TagJournal:
    """Return the journal with the request of this run, when the policies and the guards allow it.

    :raises TagInUse: automation uses tags, and ``undeletable_tags`` is "fail"
    :raises GuardTripped: more would be deleted than the guards allow
    """
    present, listed = _present(tags, seen), seen.listed or {}
    if request.undeletable_tags == "fail":
        answers = {tag_id: seen.counts[tag_id].answer for tag_id in present}
        used = [tag_id for tag_id, answer in answers.items() if answer is None or answer.used_by != ()]
        if used:
            raise _in_use(request, seen, used)
    request.guards.check(len(present), len(listed), request.module)
    number = len(request.ids) + len(request.names)
    journal = journal.with_request(request.digest, number, len(listed), tags, listed)
    return journal.with_intent(present, 0) if request.without_journal and present and not request.dry_run else journal


def _in_use(request: TagRequest, seen: Seen, tag_ids: Sequence[str]) -> TagInUse:
    return TagInUse(
        f"Tags of {request.module} cannot be deleted: {'; '.join(f'{_named(seen, i)}, because {_use(seen, i)}' for i in tag_ids)}. "
        "Nothing was sent.",
        advice="undeletable_tags='skip' skips what Zoho refuses.",
    )


def _use(seen: Seen, tag_id: str) -> str:
    answer = seen.counts[tag_id].answer
    if answer is None or answer.used_by is None:
        return "Zoho does not say what uses it"
    return f"automation uses it ({', '.join(answer.used_by)})"


def _named(seen: Seen, tag_id: str) -> str:
    """Return a tag, which is listed, as a person knows it."""
    return f"{tag_id} = {(seen.listed or {})[tag_id].name}"
