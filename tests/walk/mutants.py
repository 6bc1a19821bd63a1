"""Faults put into the rules on purpose, at least one per rule: each must break the invariant that it names."""

from __future__ import annotations

from dataclasses import dataclass

from tests.walk.walk import EVENTS, Case

_DELETION, _JOURNAL = "tag_deletion", "tag_journal"


@dataclass(frozen=True)
class Mutant:
    """A fault.

    :param rule: the rule that it takes away.
    :param breaks: the name of the invariant.
    :param changes: per change the module, what stands in it, and what stands there instead.
    :param case: a small walk that meets the fault.
    """

    rule: str
    breaks: str
    changes: tuple[tuple[str, str, str], ...]
    case: Case


def case(*events: str, runs: int = 1, **values: object) -> Case:
    """Return a case with few events."""
    assert set(events) <= EVENTS
    return Case(tags=2, runs=runs, submissions=3, events=frozenset(events), at_most=len(events), **values)  # type: ignore[arg-type]


COUNTED = (("1", 0),)
MUTANTS = (
    Mutant(
        "the intent is saved before the submission",
        "never twice",
        (
            (_DELETION, "return journal.with_intent(batch, request.attempt), Send", "return journal, Send"),
            (_DELETION, "return journal.with_job(", "return journal.with_intent(step.ids, request.attempt).with_job("),
        ),
        case(),
    ),
    Mutant(
        "a job id holds the tags",
        "never twice",
        ((_DELETION, "return journal.with_job(answer.job_id)", "return step.if_refused"),),
        case(),
    ),
    Mutant(
        "a lost answer leaves the intent",
        "never twice",
        ((_DELETION, "isinstance(answer, Lost):\n        return journal", "isinstance(answer, Lost):\n        return step.if_refused"),),
        case("lost accepted"),
    ),
    Mutant(
        "a refusal takes out this submission only, not the one before",
        "never twice",
        (
            (
                _DELETION,
                "if_refused=journal)",
                'if_refused=TagJournal(**{**vars(journal), "tags": {i: Entry(e.digest) for i, e in journal.tags.items()}}))',
            ),
        ),
        case("429"),
    ),
    Mutant(
        "every attempt asks for the jobs that hold its tags",
        "never twice",
        ((_DELETION, 'return Verdict("ask", submission=submission)', "return None"),),
        case(),
    ),
    Mutant(
        "what a running job holds is not sent",
        "never twice",
        (
            (_DELETION, 'if submission.attempt == request.attempt or state == "running":', "if submission.attempt == request.attempt:"),
            (_DELETION, 'if state != "ended":', "if not state:"),
        ),
        case(),
    ),
    Mutant(
        "what a job of this attempt has left is for the next attempt",
        "never twice",
        ((_DELETION, "if submission.attempt == request.attempt or state", "if state"),),
        case("job failed"),
    ),
    Mutant(
        "the tags of an unconfirmed submission wait until the list has settled",
        "never twice",
        ((_DELETION, "if seen.read_at >= settled_at:", "if True:"),),
        case("lost accepted"),
    ),
    Mutant(
        "a tag that leaves the list starts the wait again",
        "never twice",
        ((_DELETION, ", seen.left_at)", ")"),),
        case("lost accepted"),
    ),
    Mutant(
        "an attempt waits from its own first look on",
        "never twice",
        ((_DELETION, "max(seen.first_read_at, seen.lost_at", "max(seen.lost_at"),),
        case(),
    ),
    Mutant(
        "no rule compares times of two attempts",
        "never twice",
        (
            (_JOURNAL, "    superseded: bool = False\n", "    superseded: bool = False\n    at: float = 0.0\n"),
            (_JOURNAL, "tag_ids: Iterable[str], attempt: int)", "tag_ids: Iterable[str], attempt: int, at: float = 0.0)"),
            (_JOURNAL, "Submission(number, self.run, attempt))", "Submission(number, self.run, attempt, at=at))"),
            (_DELETION, "with_intent(batch, request.attempt)", "with_intent(batch, request.attempt, now)"),
            (_DELETION, "max(seen.first_read_at, seen.lost_at.get(submission.number, heard_at)", "max(submission.at, heard_at"),
        ),
        case(runs=2),
    ),
    Mutant(
        "without a journal all requested tags may have been submitted",
        "never twice",
        ((_DELETION, "if request.without_journal and present", "if False and present"),),
        case(stores=False),
    ),
    Mutant(
        "a cleared task knows what it has submitted",
        "never twice",
        ((_JOURNAL, "known = {**self.others, **self.tags}", "known: dict[str, Entry] = {}"),),
        case(runs=2),
    ),
    Mutant(
        "in one attempt a tag is submitted once more, not twice more",
        "never twice",
        ((_DELETION, "if seen.sent.get(tag_id, 0) > 1:", "if False:"),),
        case("lost accepted", "lost refused"),
    ),
    Mutant(
        "a tag is sent only under its name",
        "same name",
        ((_DELETION, "if digest_of_name(tag.name) != entry.digest:", "if False:"),),
        case("rename"),
    ),
    Mutant(
        "a bare id keeps the name that it had first, through a clear",
        "same name",
        ((_DELETION, "return known.digest if known else digest_of_name(name_now)", "return digest_of_name(name_now)"),),
        case("rename", runs=2, by="ids"),
    ),
    Mutant(
        "after a wait the list is read",
        "same name",
        ((_DELETION, "if seen.waited or now", "if now"),),
        case("not found"),
    ),
    Mutant(
        "a list is acted on for 10 seconds",
        "same name",
        ((_DELETION, "now - seen.read_at > FRESH_LIST or ", ""),),
        case("slow"),
    ),
    Mutant(
        "names are resolved once per run",
        "only requested",
        ((_DELETION, "if journal.request is None:\n        tags", "if not (journal.request and request.without_journal):\n        tags"),),
        case("newcomer", by="names"),
    ),
    Mutant(
        "a count is good for 15 minutes",
        "counted",
        ((_DELETION, "FRESH_COUNT = 900.0", "FRESH_COUNT = 90000.0"),),
        case("429, come back later", max_records=COUNTED),
    ),
    Mutant(
        "after the count the list is read",
        "counted",
        ((_DELETION, "return ReadList() if counted_at and max(counted_at) >= seen.read_at else None", "return None"),),
        case(max_records=COUNTED),
    ),
    Mutant(
        "the count decides",
        "counted",
        ((_DELETION, "if count.answer.count > most:", "if False:"),),
        case("records", max_records=COUNTED),
    ),
    Mutant(
        "a count that fails keeps the tag",
        "counted",
        (
            (
                _DELETION,
                'return Verdict("skip", "not_counted") if seen.read_at > count.at else Verdict("wait", at=now)',
                "return None",
            ),
        ),
        case("count failed", max_records=COUNTED),
    ),
    Mutant(
        "the jobs of a run are reported by it",
        "no job lost",
        ((_DELETION, " or (s.run == journal.run and not s.superseded)", ""),),
        case(),
    ),
    Mutant(
        "a job of an earlier run that still runs is reported",
        "no job lost",
        ((_DELETION, "s.number in running or ", ""),),
        case(runs=2),
    ),
    Mutant(
        "after the jobs the list decides",
        "success means gone",
        ((_DELETION, "    return Done(job_ids, left)", "    return Done(job_ids)"),),
        case("job failed"),
    ),
    Mutant(
        "who returns from the triggerer to no journal does not report success",
        "success means gone",
        ((_DELETION, "    if journal.request is None:\n        raise", "    if False:\n        raise"),),
        case("store lost"),
    ),
    Mutant(
        "a list that was read since the refusal is good enough",
        "it ends",
        ((_DELETION, "seen.refusals.at >= seen.read_at", "True"),),
        case("another job"),
    ),
)
