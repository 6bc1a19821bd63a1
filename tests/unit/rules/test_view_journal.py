"""The journal of a task that deletes records: whatever is stored, it says whether a view may be submitted."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from airflow_provider_zcrm.rules.view_journal import Submission, View, ViewJournal

HOST = "https://www.zohoapis.com"
NEW = ViewJournal(1, 1600.0, HOST)
OLD_LEADS = View("Leads", "5")
NORTH = View("Leads", "5", "7", include_child=True)
OTHER = View("Leads", "6")


def reopened(journal: ViewJournal, run: int | None = None) -> ViewJournal:
    """Store a journal as JSON and open it, in the same run of the task or in another."""
    found = ViewJournal.from_json(json.loads(json.dumps(journal.to_json())))
    assert found is not None
    return found if run is None else found.for_run(run, HOST, 9600.0)


def test_a_retry_keeps_the_deadline_and_a_new_run_gets_its_own() -> None:
    journal = NEW.with_intent(NORTH, 1001.0, 7).with_job("77", 1002.0).with_intent(OTHER, 1003.0, None)

    assert reopened(journal) == journal
    assert reopened(journal, 2) == ViewJournal(2, 9600.0, HOST, journal.submissions)
    assert journal.for_run(1, "https://sandbox.zohoapis.com", 1600.0) == replace(journal, host="https://sandbox.zohoapis.com")


def test_a_journal_of_another_version_is_not_guessed_at() -> None:
    assert ViewJournal.from_json({**NEW.to_json(), "v": 99}) is None


def test_what_was_counted_before_a_job_is_kept() -> None:
    journal = NEW.with_intent(OLD_LEADS, 1001.0, 7).with_job("77", 1002.0)

    submission = journal.of_job("77")
    assert submission is not None
    assert (submission.counted, journal.of_job("78")) == (7, None)


def test_an_intent_is_of_unknown_outcome_until_zoho_refuses_or_accepts() -> None:
    sent = NEW.with_intent(OLD_LEADS, 1001.0, None)

    assert sent.unknown(OLD_LEADS) == Submission(OLD_LEADS, "intent", 1001.0, 1, HOST)
    assert sent.with_refusal().unknown(OLD_LEADS) is None
    assert sent.with_job("77", 1002.0).unknown(OLD_LEADS) is None


def test_a_view_is_in_doubt_with_every_territory_and_no_other_view_is() -> None:
    sent = NEW.with_intent(NORTH, 1001.0, None)

    assert sent.unknown(OLD_LEADS) is not None
    assert sent.unknown(OTHER) is None


def test_a_job_is_taken_up_for_the_same_view_and_territory_only() -> None:
    accepted = NEW.with_intent(NORTH, 1001.0, None).with_job("77", 1002.0)

    assert accepted.accepted(NORTH) == Submission(NORTH, "accepted", 1002.0, 1, HOST, "77")
    assert accepted.accepted(OLD_LEADS) is None
    later = accepted.with_intent(NORTH, 1003.0, None).with_job("78", 1004.0)
    assert later.accepted(NORTH) == Submission(NORTH, "accepted", 1004.0, 1, HOST, "78")
    assert later.submissions[:1] == accepted.submissions


def test_a_job_is_not_taken_up_when_the_outcome_of_something_later_is_unknown() -> None:
    accepted = NEW.with_intent(OLD_LEADS, 1001.0, None).with_job("77", 1002.0)

    assert accepted.with_intent(NORTH, 1003.0, None).accepted(OLD_LEADS) is None
    assert accepted.with_intent(OTHER, 1003.0, None).accepted(OLD_LEADS) is not None
    assert accepted.with_intent(NORTH, 1003.0, None).with_refusal().accepted(OLD_LEADS) is not None


@pytest.mark.parametrize(
    "other", [replace(NEW, host="https://sandbox.zohoapis.com").with_intent(OLD_LEADS, 1001.0, None), NEW.with_intent(NORTH, 1001.0, None)]
)
def test_what_was_of_another_view_or_to_another_host_is_told_apart(other: ViewJournal) -> None:
    journal = replace(other, host=HOST)

    assert journal.of_another(OLD_LEADS) == other.submissions[0]
    assert replace(journal.with_job("77", 1002.0), host=HOST).accepted(OLD_LEADS) is None
    assert journal.with_refusal().of_another(OLD_LEADS) is None
    assert NEW.with_intent(OLD_LEADS, 1001.0, None).of_another(OLD_LEADS) is None


def test_a_refused_submission_is_taken_out_and_nothing_else_is() -> None:
    journal = NEW.with_intent(OLD_LEADS, 1001.0, None)

    assert journal.with_intent(OTHER, 1002.0, None).with_refusal() == journal


def test_a_confirmation_is_about_earlier_runs() -> None:
    sent = NEW.with_intent(OLD_LEADS, 1001.0, None)

    assert not sent.may_be_confirmed(sent.submissions[0])
    assert reopened(sent, 2).may_be_confirmed(sent.submissions[0])


@pytest.mark.parametrize("earlier_run", [True, False])
def test_a_lost_journal_may_have_held_a_submission(earlier_run: bool) -> None:
    journal = reopened(ViewJournal(3, 0.0, HOST).with_lost(OLD_LEADS, earlier_run=earlier_run))
    unknown = journal.unknown(OLD_LEADS)

    assert unknown is not None
    assert (unknown.at, unknown.host, journal.may_be_confirmed(unknown)) == (0.0, HOST, earlier_run)


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
