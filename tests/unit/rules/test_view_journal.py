"""The journal of a task that deletes records: whatever is stored, it says whether a view may be submitted."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from airflow_provider_zcrm.api.errors import PermanentError
from airflow_provider_zcrm.rules.record_journal import RecordJournal, Submission, View

HOST = "https://www.zohoapis.com"
NEW = replace(RecordJournal.open(None, 1, now=1000.0, timeout=600.0), host=HOST)
OLD_LEADS = View("Leads", "5")
NORTH = View("Leads", "5", "7", include_child=True)
OTHER = View("Leads", "6")


def reopened(journal: RecordJournal, round_: int | None = None) -> RecordJournal:
    """Store a journal as JSON and open it, in the same round or in another."""
    stored = json.loads(json.dumps(journal.to_json()))
    return RecordJournal.open(stored, journal.round if round_ is None else round_, 9000.0, timeout=600.0)


@pytest.mark.parametrize("stored", [None, {}])
def test_a_first_try_opens_an_empty_journal_with_a_deadline(stored: Any) -> None:
    assert RecordJournal.open(stored, 3, now=1000.0, timeout=600.0) == RecordJournal(3, 1600.0)


def test_a_retry_keeps_the_deadline_and_a_new_round_gets_its_own() -> None:
    journal = NEW.with_intent(NORTH, 1001.0).with_outcome("accepted", 1002.0, "77").with_intent(OTHER, 1003.0)

    assert reopened(journal) == journal
    assert reopened(journal, 2) == RecordJournal(2, 9600.0, HOST, journal.submissions)


def test_a_journal_of_another_version_is_not_guessed_at() -> None:
    with pytest.raises(PermanentError, match="version 2"):
        RecordJournal.open({"v": 2}, 1, now=0.0, timeout=1.0)


def test_an_intent_is_of_unknown_outcome_until_zoho_refuses_or_accepts() -> None:
    sent = NEW.with_intent(OLD_LEADS, 1001.0)

    assert sent.unknown(OLD_LEADS) == Submission(OLD_LEADS, "intent", 1001.0, 1, HOST)
    assert sent.with_outcome("refused", 1002.0).unknown(OLD_LEADS) is None
    assert sent.with_outcome("accepted", 1002.0, "77").unknown(OLD_LEADS) is None


def test_a_view_is_in_doubt_with_every_territory_and_no_other_view_is() -> None:
    sent = NEW.with_intent(NORTH, 1001.0)

    assert sent.unknown(OLD_LEADS) is not None
    assert sent.unknown(OTHER) is None


def test_a_job_is_taken_up_for_the_same_view_and_territory_only() -> None:
    accepted = NEW.with_intent(NORTH, 1001.0).with_outcome("accepted", 1002.0, "77")

    assert accepted.accepted(NORTH) == Submission(NORTH, "accepted", 1002.0, 1, HOST, "77")
    assert accepted.accepted(OLD_LEADS) is None
    later = accepted.with_intent(NORTH, 1003.0).with_outcome("accepted", 1004.0, "78")
    assert later.accepted(NORTH) == Submission(NORTH, "accepted", 1004.0, 1, HOST, "78")


def test_a_job_is_not_taken_up_when_the_outcome_of_something_later_is_unknown() -> None:
    accepted = NEW.with_intent(OLD_LEADS, 1001.0).with_outcome("accepted", 1002.0, "77")

    assert accepted.with_intent(NORTH, 1003.0).accepted(OLD_LEADS) is None
    assert accepted.with_intent(OTHER, 1003.0).accepted(OLD_LEADS) is not None
    assert accepted.with_intent(NORTH, 1003.0).with_outcome("refused", 1004.0).accepted(OLD_LEADS) is not None


@pytest.mark.parametrize(
    "other", [replace(NEW, host="https://sandbox.zohoapis.com").with_intent(OLD_LEADS, 1001.0), NEW.with_intent(NORTH, 1001.0)]
)
def test_what_was_of_another_view_or_to_another_host_is_told_apart(other: RecordJournal) -> None:
    journal = replace(other, host=HOST)

    assert journal.of_another(OLD_LEADS) == other.submissions[0]
    assert replace(journal.with_outcome("accepted", 1002.0, "77"), host=HOST).accepted(OLD_LEADS) is None
    assert journal.with_outcome("refused", 1002.0).of_another(OLD_LEADS) is None
    assert NEW.with_intent(OLD_LEADS, 1001.0).of_another(OLD_LEADS) is None


def test_refusals_are_forgotten_and_nothing_else_is() -> None:
    journal = NEW.with_intent(OLD_LEADS, 1001.0)
    for now in (1002.0, 1003.0, 1004.0):
        journal = journal.with_intent(OTHER, now).with_outcome("refused", now)

    assert [submission.state for submission in journal.submissions] == ["intent", "refused"]


def test_a_confirmation_is_about_earlier_rounds() -> None:
    sent = NEW.with_intent(OLD_LEADS, 1001.0)

    assert not sent.may_be_confirmed(sent.submissions[0])
    assert reopened(sent, 2).may_be_confirmed(sent.submissions[0])


@pytest.mark.parametrize("earlier_round", [True, False])
def test_a_lost_journal_may_have_held_a_submission(earlier_round: bool) -> None:
    journal = reopened(RecordJournal(3, 0.0).with_lost(OLD_LEADS, earlier_round=earlier_round))
    unknown = journal.unknown(OLD_LEADS)

    assert unknown is not None
    assert (unknown.at, journal.may_be_confirmed(unknown)) == (0.0, earlier_round)


@pytest.mark.parametrize(
    ("view", "text"),
    [
        (OLD_LEADS, "custom view 5 of Leads"),
        (NORTH, "custom view 5 of Leads in territory 7 and those below it"),
        (View("Leads", "5", "7"), "custom view 5 of Leads in territory 7"),
    ],
)
def test_a_view_in_words(view: View, text: str) -> None:
    assert str(view) == text
