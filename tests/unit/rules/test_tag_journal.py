"""The journal: whatever happens, a tag that Zoho may have taken is held, and nothing is lost in storage; it does not grow."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from airflow_provider_zcrm.rules.tag_journal import Entry, Submission, TagJournal, digest_of_name, digest_of_request

NEW = TagJournal("https://www.zohoapis.com", "Leads", 1, 1600.0)
TAGS = ("1", "2", "3", "4", "5")
LARGEST = 64 * 1024


def requesting(*ids: str, listed: Iterable[str] = TAGS, journal: TagJournal = NEW) -> TagJournal:
    tags = {i: known if (known := journal.known(i)) else Entry(digest_of_name(f"tag {i}")) for i in ids}
    return journal.with_request("digest", len(ids), len(TAGS), tags, listed)


def stored(journal: TagJournal) -> TagJournal:
    """Return what a journal is after it was stored as JSON."""
    read = TagJournal.from_json(json.loads(json.dumps(journal.to_json())))
    assert read is not None
    return read


def numbers(journal: TagJournal) -> list[int]:
    return [submission.number for submission in journal.submissions]


# --- as JSON --------------------------------------------------------------------------------------------------------------


def test_a_person_can_read_what_is_stored() -> None:
    journal = requesting("1", "2").with_intent(["1"], 1).with_job("77").with_intent(["2"], 2).with_skipped({"2": "renamed"})

    assert (
        json.loads(json.dumps(journal.to_json()))
        == journal.to_json()
        == {
            "v": 2,
            "host": "https://www.zohoapis.com",
            "module": "Leads",
            "run": 1,
            "deadline": 1600.0,
            "request": "digest",
            "requested": 2,
            "existing": 5,
            "tags": {"1": [digest_of_name("tag 1"), 1], "2": [digest_of_name("tag 2"), 2, "renamed"]},
            "others": {},
            "submissions": [{"number": 1, "run": 1, "attempt": 1, "job_id": "77"}, {"number": 2, "run": 1, "attempt": 2}],
            "last_number": 2,
        }
    )


def test_a_submission_of_attempt_0_is_stored() -> None:
    """So an attempt notes what an earlier one may have submitted, of which no journal says anything."""
    journal = requesting("1").with_intent(["1"], 0)

    assert stored(journal) == journal


@pytest.mark.parametrize("version", [0, 1, 3, "2", None])
def test_a_journal_of_another_version_is_not_guessed_at(version: object) -> None:
    assert TagJournal.from_json({**NEW.to_json(), "v": version}) is None
    assert TagJournal.from_json({}) is None


def test_a_journal_is_a_value() -> None:
    journal = requesting("1", "2")
    before = journal.to_json()
    journal.with_intent(["1"], 1).with_job("77").with_skipped({"2": "renamed"}).for_run(2, "Leads", 9.0)

    assert journal.to_json() == before


# --- what holds for a tag ---------------------------------------------------------------------------------------------------


def test_of_several_submissions_of_a_tag_the_latest_holds_it() -> None:
    journal = requesting("1", "2").with_intent(["1", "2"], 1).with_job("77").with_intent(["2"], 2)

    assert journal.submission_of("1") == Submission(1, 1, 1, "77", superseded=True)
    assert journal.submission_of("2") == Submission(2, 1, 2)
    assert journal.with_job("78").submission_of("2") == Submission(2, 1, 2, "78")


def test_a_tag_that_was_not_submitted_is_in_no_submission() -> None:
    journal = requesting("1", "2").with_intent(["1"], 1)

    assert journal.submission_of("2") is None


def test_only_a_submission_whose_tags_are_sent_again_is_superseded() -> None:
    journal = requesting("1", "2", "3").with_intent(["1"], 1).with_job("77").with_intent(["2"], 1).with_job("78").with_intent(["2", "3"], 2)

    assert [submission.superseded for submission in journal.submissions] == [False, True, False]


def test_a_new_intent_without_an_earlier_one_supersedes_nothing() -> None:
    journal = requesting("1", "2").with_intent(["1"], 1).with_intent(["2"], 1)

    assert not any(submission.superseded for submission in journal.submissions)


# --- runs -----------------------------------------------------------------------------------------------------------------------


def test_an_attempt_of_the_same_run_goes_on_with_the_journal_as_it_is() -> None:
    journal = requesting("1").with_intent(["1"], 1).with_skipped({"1": "renamed"})

    assert journal.for_run(1, "Leads", 99999.0) is journal


def test_a_new_run_has_its_own_deadline_and_request_and_knows_what_was_submitted() -> None:
    journal = requesting("1", "2").with_intent(["1"], 1).with_job("77").with_skipped({"2": "renamed"}).for_run(2, "Contacts", 9600.0)

    assert (journal.run, journal.module, journal.deadline, journal.request, journal.tags) == (2, "Contacts", 9600.0, None, {})
    assert journal.known("1") == Entry(digest_of_name("tag 1"), 1)
    assert journal.known("2") == Entry(digest_of_name("tag 2"), 0)
    assert journal.submissions == (Submission(1, 1, 1, "77"),)
    assert journal.with_request("d", 1, 5, {"1": Entry("x", 1)}, TAGS).with_intent(["1"], 3).last_number == 2


def test_what_is_not_requested_any_more_is_known_as_long_as_it_is_listed_or_was_submitted() -> None:
    journal = requesting("1", "2", "3", "4").with_intent(["1", "2", "3"], 1).for_run(2, "Leads", 9600.0)
    journal = requesting("1", listed=["1", "2"], journal=journal)

    assert list(journal.tags) == ["1"]
    assert list(journal.others) == ["2", "3"]
    assert journal.known("2") == Entry(digest_of_name("tag 2"), 1)
    assert journal.known("4") is None
    # and once more, for the run after that
    journal = requesting("3", listed=["1", "2"], journal=journal.for_run(3, "Leads", 9600.0))
    assert list(journal.others) == ["2", "1"]


# --- size ---------------------------------------------------------------------------------------------------------------------------


def long_id(number: int) -> str:
    return f"2276164000{number:09}"


def test_1000_tags_stay_under_64_kb_with_the_longest_codes_and_many_jobs() -> None:
    ids = [long_id(number) for number in range(1000)]
    journal = requesting(*ids, listed=ids)
    # jobs without tags
    for number in range(80):
        journal = journal.with_intent([ids[number % 5]], 1).with_job(long_id(number))
    for start in range(0, 1000, 20):
        journal = journal.with_intent(ids[start : start + 20], 1_000).with_job(long_id(start))
    journal = journal.with_skipped(dict.fromkeys(ids[:500], "no_automation"))

    assert len(journal.submissions) == 100
    assert len(json.dumps(journal.to_json())) < LARGEST


def test_any_number_of_attempts_does_not_make_it_grow() -> None:
    ids = [long_id(number) for number in range(200)]
    journal, sizes = requesting(*ids, listed=ids), []
    for attempt in range(1, 401):
        for batch in (ids[:100], ids[100:]):
            journal = journal.with_intent(batch, attempt).with_job(long_id(attempt))
        sizes.append(len(json.dumps(journal.to_json())))

    assert sizes[-1] <= sizes[100] + 600
    assert len(journal.submissions) == 52


def test_of_jobs_without_tags_the_last_50_of_the_run_are_kept_because_they_are_reported() -> None:
    journal = requesting("1", "2")
    for attempt in range(1, 61):
        journal = journal.with_intent(["1"], attempt).with_job(f"job {attempt}")

    assert numbers(journal) == list(range(10, 61))


def test_of_an_earlier_run_only_what_holds_a_tag_is_kept() -> None:
    journal = requesting("1", "2")
    for attempt in range(1, 4):
        journal = journal.with_intent(["1"], attempt).with_job(f"job {attempt}")
    journal = requesting("1", "2", journal=journal.for_run(2, "Leads", 9.0)).with_intent(["2"], 4)

    assert numbers(journal) == [3, 4]


def test_an_intent_that_holds_no_tag_any_more_is_forgotten() -> None:
    journal = requesting("1").with_intent(["1"], 1).with_intent(["1"], 2)

    assert numbers(journal) == [2]


# --- digests --------------------------------------------------------------------------------------------------------------------------


def test_a_digest_of_a_name_is_of_exactly_this_name() -> None:
    names = ["hot", "Hot", "hot ", "", "h\u00f6t", "ho\u0308t", "\ud800", "x" * 5000]

    assert len({digest_of_name(name) for name in names}) == len(names)
    assert {len(digest_of_name(name)) for name in names} == {12}


def test_a_digest_of_a_request_knows_module_ids_and_names_but_not_their_order() -> None:
    requests = [("Leads", ["1", "2"], []), ("Contacts", ["1", "2"], []), ("Leads", ["1"], []), ("Leads", [], ["1", "2"]), ("Leads", [], [])]

    assert len({digest_of_request(*request) for request in requests}) == len(requests)
    assert digest_of_request("Leads", ["2", "1"], ["b", "a"]) == digest_of_request("Leads", ["1", "2"], ["a", "b"])


# --- over time --------------------------------------------------------------------------------------------------------------------------


class JournalOverTime(RuleBasedStateMachine):
    """Any sequence of intents, answers, retries and clears."""

    @initialize()
    def begin(self) -> None:
        self.journal, self.jobs = requesting(*TAGS), 0
        # by tag, the job that holds it, None where the outcome is not known
        self.held: dict[str, str | None] = {}
        self.before: tuple[TagJournal, dict[str, str | None]] | None = None

    @rule(tags=st.lists(st.sampled_from(TAGS), min_size=1, unique=True))
    def intend(self, tags: list[str]) -> None:
        self.before = (self.journal, dict(self.held))
        self.journal = self.journal.with_intent(tags, 1)
        self.held.update(dict.fromkeys(tags))

    @precondition(lambda self: self.before)
    @rule()
    def accepted(self) -> None:
        self.jobs += 1
        number = self.journal.last_number
        self.held.update({i: str(self.jobs) for i, entry in self.journal.tags.items() if entry.submission == number})
        self.journal, self.before = self.journal.with_job(str(self.jobs)), None

    @precondition(lambda self: self.before)
    @rule()
    def refused(self) -> None:
        assert self.before is not None
        (self.journal, self.held), self.before = self.before, None

    @rule()
    def die_and_retry(self) -> None:
        self.journal, self.before = stored(self.journal), None

    @rule()
    def clear(self) -> None:
        self.journal = requesting(*TAGS, journal=stored(self.journal).for_run(self.journal.run + 1, "Leads", 9.0))
        self.before = None

    @invariant()
    def what_zoho_may_have_taken_is_held_and_nothing_else(self) -> None:
        held = {i: submission.job_id for i in TAGS if (submission := self.journal.submission_of(i))}
        assert held == self.held

    @invariant()
    def storing_loses_nothing(self) -> None:
        assert stored(self.journal) == self.journal

    @invariant()
    def numbers_are_not_used_twice(self) -> None:
        assert numbers(self.journal) == sorted(set(numbers(self.journal)))
        assert max(numbers(self.journal), default=0) <= self.journal.last_number


TestJournalOverTime = JournalOverTime.TestCase
TestJournalOverTime.settings = settings(max_examples=40, stateful_step_count=25, deadline=None, database=None)
