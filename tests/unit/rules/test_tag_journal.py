"""The journal: whatever happens, no tag that Zoho may have taken is offered for sending again, and nothing is lost in storage."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from airflow_provider_zcrm.api.errors import PermanentError
from airflow_provider_zcrm.rules.tag_journal import Batch, Journal, SetAside, Stillness, digest_of

NEW = Journal.open(None, 1, now=1000.0, timeout=600.0)
TAGS = ["1", "2", "3", "4", "5"]


def reopened(journal: Journal, round_: int | None = None, now: float = 5000.0) -> Journal:
    """Store a journal as JSON and open it, in the same round or in another."""
    stored = json.loads(json.dumps(journal.to_json()))
    return Journal.open(stored, journal.round if round_ is None else round_, now, timeout=600.0)


def held(journal: Journal) -> set[str]:
    """Return the tags that may not simply be sent."""
    return {tag for state in ("accepted", "intent") for tags in journal.latest(TAGS, state).values() for tag in tags}


# --- opening -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stored", [None, {}])
def test_a_first_try_opens_an_empty_journal_with_a_deadline(stored: Any) -> None:
    assert Journal.open(stored, 3, now=1000.0, timeout=600.0) == Journal(3, 1600.0)
    assert NEW.names is None
    assert NEW.batches == ()


def test_a_retry_keeps_deadline_names_and_batches() -> None:
    journal = (
        NEW.with_wanted("host", "asked", [], {"hot": "1"})
        .with_intent(["1", "2"], 1001.0)
        .with_outcome("accepted", 1002.0, "77")
        .with_intent(["3"], 1003.0)
    )

    assert reopened(journal) == journal


def test_what_is_stored_has_lists_because_the_store_refuses_tuples() -> None:
    journal = (
        NEW.with_wanted("host", "asked", ["1"], {"hot": "2"})
        .with_intent(["1", "2"], 1001.0)
        .with_set_aside([SetAside("2", "hot", "in use")])
    )

    assert journal.to_json() == {
        "v": 1,
        "round": 1,
        "deadline": 1600.0,
        "names": {"hot": "2"},
        "ids": ["1"],
        "asked": "asked",
        "host": "host",
        "set_aside": [{"id": "2", "name": "hot", "reason": "in use"}],
        "batches": [{"ids": ["1", "2"], "state": "intent", "at": 1001.0, "round": 1, "job_id": None}],
    }


def test_names_that_are_resolved_to_nothing_are_not_unresolved() -> None:
    assert reopened(NEW.with_wanted("host", "asked", [], {})).names == {}
    assert reopened(NEW).names is None


def test_a_new_round_has_its_own_deadline_and_resolves_names_anew_and_remembers_what_was_submitted() -> None:
    accepted = NEW.with_wanted("host", "asked", [], {"hot": "1"}).with_intent(["1"], 1001.0).with_outcome("accepted", 1002.0, "77")
    journal = accepted.with_intent(["2"], 1003.0).with_outcome("refused", 1004.0).with_intent(["3"], 1005.0)

    opened = reopened(journal, 2, now=9000.0)

    assert opened == Journal(2, 9600.0, None, (Batch(("1",), "accepted", 1002.0, 1, "77"), Batch(("3",), "intent", 1005.0, 1)))


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_a_journal_of_another_version_is_not_guessed_at(version: Any) -> None:
    with pytest.raises(PermanentError, match=f"version {version}") as caught:
        Journal.open({**NEW.to_json(), "v": version}, 1, 0.0, 1.0)

    assert "clear the task" in caught.value.advice


def test_an_unknown_field_of_a_batch_or_journal_does_no_harm() -> None:
    stored = NEW.with_intent(["1"], 1001.0).to_json()
    stored["batches"][0]["colour"] = "teal"

    assert Journal.open({**stored, "colour": "teal"}, 1, 0.0, 1.0) == NEW.with_intent(["1"], 1001.0)


# --- what holds for a tag ------------------------------------------------------------------------------------------------


def test_of_several_batches_with_a_tag_the_latest_counts() -> None:
    journal = NEW.with_intent(["1", "2"], 1.0).with_outcome("accepted", 2.0, "77").with_intent(["2", "3"], 3.0)
    first, second = journal.batches

    assert journal.latest(["1", "2", "3", "4"], "accepted") == {first: {"1"}}
    assert journal.latest(["1", "2", "3", "4"], "intent") == {second: {"2", "3"}}

    journal = journal.with_outcome("refused", 4.0)
    assert journal.latest(["1", "2", "3", "4"], "accepted") == {first: {"1"}}
    assert journal.latest(["1", "2", "3", "4"], "intent") == {}
    assert journal.latest(["2", "3"], "refused") == {journal.batches[1]: {"2", "3"}}


def test_only_the_tags_that_are_asked_for_are_told() -> None:
    journal = NEW.with_intent(["1", "2"], 1.0)

    assert journal.latest(["2"], "intent") == {journal.batches[0]: {"2"}}
    assert journal.latest([], "intent") == {}


def test_an_outcome_is_of_the_batch_that_was_sent_last() -> None:
    journal = NEW.with_intent(["1"], 1.0).with_intent(["2"], 2.0).with_outcome("accepted", 3.0, "78")

    assert journal.batches == (Batch(("1",), "intent", 1.0, 1), Batch(("2",), "accepted", 3.0, 1, "78"))


def test_accepted_jobs_come_in_the_order_in_which_they_were_sent() -> None:
    journal = NEW.with_intent(["2"], 1.0).with_outcome("accepted", 2.0, "78").with_intent(["9"], 3.0).with_outcome("refused", 4.0)
    journal = journal.with_intent(["1"], 5.0).with_outcome("accepted", 6.0, "77").with_intent(["3"], 7.0)

    assert [batch.job_id for batch in journal.accepted()] == ["78", "77"]


def test_a_batch_is_superseded_by_a_later_one_with_some_of_its_tags_unless_zoho_refused_that() -> None:
    journal = (
        NEW.with_intent(["1", "2"], 1.0).with_outcome("accepted", 2.0, "77").with_intent(["3"], 3.0).with_outcome("accepted", 4.0, "78")
    )
    first, second = journal.batches
    again = journal.with_intent(["2", "4"], 5.0)

    assert [journal.superseded(batch) for batch in (first, second)] == [False, False]
    assert [again.superseded(batch) for batch in again.batches] == [True, False, False]
    assert again.with_outcome("refused", 6.0).superseded(first) is False
    assert again.with_outcome("accepted", 6.0, "79").superseded(first) is True


def test_a_journal_is_a_value() -> None:
    before = NEW.to_json()
    NEW.with_intent(["1"], 1.0).with_outcome("accepted", 2.0, "77").with_wanted("host", "asked", [], {"hot": "1"})

    assert NEW.to_json() == before


def test_what_is_set_aside_is_known_to_the_retries_of_its_round_only() -> None:
    aside = SetAside("2", "hot", "in use")
    journal = NEW.with_intent(["1", "2"], 1.0).with_outcome("refused", 2.0).with_set_aside([aside])

    assert reopened(journal).set_aside == (aside,)
    assert reopened(journal, 2).set_aside == ()


def test_a_refused_batch_is_forgotten_once_each_of_its_tags_is_sent_again_or_set_aside() -> None:
    refused = NEW.with_intent(["1", "2", "3"], 1.0).with_outcome("refused", 2.0).with_set_aside([SetAside("2", "hot", "in use")])

    assert [batch.ids for batch in refused.with_intent(["1", "3"], 3.0).batches] == [("1", "3")]
    assert [batch.ids for batch in refused.with_intent(["1"], 3.0).batches] == [("1", "2", "3"), ("1",)]


def test_a_retry_wants_nothing_that_was_not_there_when_its_round_began() -> None:
    journal = reopened(NEW.with_wanted("host", "asked", ["1", "2"], {"hot": "3"}))

    assert NEW.wanted(["1"], []) is None
    assert journal.wanted(["2", "9"], ["hot", "cold"]) == ["2", "3"]
    assert reopened(journal, 2).wanted(["9"], []) is None


def test_only_a_retry_of_the_same_round_is_held_to_what_was_asked_for_and_where() -> None:
    journal = NEW.with_wanted("host", "asked", ["1"], {})

    assert (NEW.host, NEW.asked) == (None, None)
    assert (reopened(journal).host, reopened(journal).asked) == ("host", "asked")
    assert (reopened(journal, 2).host, reopened(journal, 2).asked) == (None, None)


def test_a_digest_tells_module_ids_and_names_apart_but_not_their_order() -> None:
    requests = [("Leads", ["1", "2"], []), ("Contacts", ["1", "2"], []), ("Leads", ["1"], []), ("Leads", [], ["1", "2"]), ("Leads", [], [])]

    assert len({digest_of(*request) for request in requests}) == len(requests)
    assert digest_of("Leads", ["2", "1"], []) == digest_of("Leads", ["1", "2"], [])


class JournalOverTime(RuleBasedStateMachine):
    """Any sequence of intents, outcomes, lost answers, reloads and rounds."""

    @initialize()
    def begin(self) -> None:
        self.journal, self.now, self.jobs = NEW, 1000.0, 0
        # per tag: what is known of the POST that it was in last
        self.last: dict[str, str] = {}
        self.pending = False

    def later(self) -> float:
        self.now += 1.0
        return self.now

    @rule(tags=st.lists(st.sampled_from(TAGS), min_size=1, unique=True))
    def intend(self, tags: list[str]) -> None:
        # what is set aside is not sent again in its round
        assume(not {tag.id for tag in self.journal.set_aside} & set(tags))
        self.journal = self.journal.with_intent(tags, self.later())
        self.last.update(dict.fromkeys(tags, "intent"))
        self.pending = True

    @precondition(lambda self: self.pending)
    @rule(accepted=st.booleans())
    def hear(self, accepted: bool) -> None:
        self.jobs += 1
        ids = self.journal.batches[-1].ids
        self.journal = self.journal.with_outcome(*(("accepted", self.later(), str(self.jobs)) if accepted else ("refused", self.later())))
        self.last.update(dict.fromkeys(ids, "accepted" if accepted else "refused"))
        self.pending = False

    @rule(data=st.data())
    def set_aside(self, data: st.DataObject) -> None:
        refused = sorted(tag for tag, state in self.last.items() if state == "refused")
        tags = data.draw(st.lists(st.sampled_from(refused), unique=True)) if refused else []
        self.journal = self.journal.with_set_aside(SetAside(tag, f"tag {tag}", "in use") for tag in tags)
        # what it was in before its refusal may count again, but not for this round
        for tag in tags:
            del self.last[tag]

    @rule()
    def die_and_retry(self) -> None:
        self.journal = reopened(self.journal, now=self.later())
        self.pending = False

    @rule()
    def clear(self) -> None:
        known = {batch.job_id for batch in self.journal.accepted()}
        self.journal = reopened(self.journal, self.journal.round + 1, self.later())
        self.pending = False
        assert {batch.job_id for batch in self.journal.accepted()} == known
        # a refusal of an earlier round is forgotten, so what the tag was in before counts again
        self.last = {tag: state for tag, state in self.last.items() if state != "refused" or tag not in held(self.journal)}

    @invariant()
    def what_zoho_may_have_taken_is_never_free(self) -> None:
        assert {tag for tag, state in self.last.items() if state in ("accepted", "intent")} <= held(self.journal)

    @invariant()
    def what_zoho_refused_or_never_saw_is_free(self) -> None:
        assert {tag for tag, state in self.last.items() if state == "refused"}.isdisjoint(held(self.journal))
        assert held(self.journal) <= {tag for batch in self.journal.batches for tag in batch.ids}

    @invariant()
    def storing_loses_nothing(self) -> None:
        assert reopened(self.journal) == self.journal

    @invariant()
    def a_tag_is_in_one_state_only(self) -> None:
        states = [tags for state in ("accepted", "intent", "refused") for tags in self.journal.latest(TAGS, state).values()]
        assert sum(map(len, states)) == len(frozenset().union(*states))
        for state in ("accepted", "intent", "refused"):
            assert all(tags <= set(batch.ids) for batch, tags in self.journal.latest(TAGS, state).items())


TestJournalOverTime = JournalOverTime.TestCase
TestJournalOverTime.settings = settings(max_examples=60, stateful_step_count=25, deadline=None, database=None)


# --- standing still ------------------------------------------------------------------------------------------------------

BATCH = Batch(("1", "2", "3"), "intent", 1000.0, 1)


def test_a_batch_of_which_every_tag_is_there_stands_still_since_it_was_sent() -> None:
    assert Stillness().since(BATCH, ["3", "2", "1"], 5000.0) == 1000.0


def test_a_batch_of_which_a_tag_is_gone_stands_still_since_it_was_first_looked_at() -> None:
    stillness = Stillness()

    assert stillness.since(BATCH, ["1", "2"], 5000.0) == 5000.0
    assert stillness.since(BATCH, ["2", "1"], 5100.0) == 5000.0


def test_every_change_starts_the_wait_anew() -> None:
    stillness = Stillness()

    seen = [
        stillness.since(BATCH, tags, now) for tags, now in [("123", 5000.0), ("12", 5010.0), ("12", 5020.0), ("1", 5030.0), ("12", 5040.0)]
    ]

    assert seen == [1000.0, 5010.0, 5010.0, 5030.0, 5040.0]


def test_batches_stand_still_each_for_itself() -> None:
    stillness, other = Stillness(), Batch(("4",), "intent", 2000.0, 1)
    stillness.since(BATCH, ["1"], 5000.0)

    assert stillness.since(other, ["4"], 5010.0) == 2000.0
    assert stillness.since(BATCH, ["1"], 5020.0) == 5000.0


def test_a_batch_that_is_looked_at_in_part_is_not_called_untouched() -> None:
    """A part is looked at when the rest is not wanted any more: nobody can tell whether a job took it."""
    assert Stillness().since(BATCH, ["1"], 5000.0) == 5000.0
