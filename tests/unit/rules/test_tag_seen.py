"""What an attempt has seen: each note is kept until a later one of its kind."""

from __future__ import annotations

import math

import pytest

from airflow_provider_zcrm.api.errors import TooManyRequests, ZohoCrmError
from airflow_provider_zcrm.api.tags import RecordsCount
from airflow_provider_zcrm.rules.steps import Refused
from airflow_provider_zcrm.rules.tag_request import Chosen, TagRequest
from airflow_provider_zcrm.rules.tag_seen import Accepted, Count, Listed, Refusals, Seen
from tests.unit.rules.tag_attempt import LOST, NO_GUARDS, in_use, not_found, tags

BUSY = Refused(TooManyRequests("Too many requests."))


def test_the_first_read_stays_the_first_and_ends_a_wait() -> None:
    seen = Seen().with_list(tags("1"), 10.0).with_wait().with_list(tags("1", "2"), 20.0)

    assert (seen.first_read_at, seen.read_at, seen.waited, seen.left_at) == (10.0, 20.0, False, -math.inf)
    assert seen.with_wait().waited
    assert seen.listed == {"1": Listed("tag 1"), "2": Listed("tag 2")}


def test_a_tag_that_leaves_the_list_is_noted_and_one_that_comes_is_not() -> None:
    seen = Seen().with_list(tags("1", "2"), 10.0)

    assert seen.with_list(tags("1"), 20.0).left_at == 20.0
    assert seen.with_list(tags("1", "3"), 20.0).with_list(tags("1", "3"), 30.0).left_at == 20.0
    assert seen.with_list(tags("1", "2", "3"), 20.0).left_at == -math.inf


def test_states_and_counts_are_noted_with_their_time() -> None:
    seen = Seen().with_jobs({1: "running", 2: "running"}, 10.0).with_jobs({2: "ended"}, 20.0)
    seen = seen.with_counts({"1": RecordsCount(3)}, 30.0).with_counts({"2": None}, 40.0)

    assert seen.jobs == {1: ("running", 10.0), 2: ("ended", 20.0)}
    assert seen.counts == {"1": Count(RecordsCount(3), 30.0), "2": Count(None, 40.0)}


def test_answers_that_are_no_refusal_count_as_sent() -> None:
    seen = Seen().with_answer(1, ["1", "2"], LOST, 10.0).with_answer(2, ["2"], Accepted("7"), 20.0).with_answer(3, ["1"], BUSY, 30.0)

    assert seen.sent == {"1": 1, "2": 2}
    assert seen.lost_at == {1: 10.0}


def test_refusals_of_one_kind_are_counted_until_another_answer() -> None:
    seen = Seen().with_answer(1, ["1"], BUSY, 10.0).with_answer(1, ["1"], BUSY, 20.0)

    assert seen.refusals == Refusals(("1",), BUSY.error, since=10.0, at=20.0, times=2)
    assert seen.with_answer(1, ["1"], Accepted("7"), 30.0).refusals is None
    assert seen.with_answer(1, ["1"], LOST, 30.0).refusals is None


@pytest.mark.parametrize(
    ("first", "ids", "then"),
    [
        (not_found(0), ("1", "2"), not_found(1)),
        (not_found(0), ("1", "2"), in_use(0)),
        (not_found(0), ("1",), not_found(0)),
        (BUSY, ("1", "2"), Refused(ZohoCrmError("No."))),
    ],
)
def test_a_refusal_of_another_kind_or_batch_or_tag_counts_from_one(first: Refused, ids: tuple[str, ...], then: Refused) -> None:
    seen = Seen().with_answer(1, ["1", "2"], first, 10.0).with_answer(1, ids, then, 20.0)

    assert seen.refusals == Refusals(ids, then.error, since=20.0, at=20.0)


def test_reports_are_noted_with_their_time() -> None:
    seen = Seen().with_reports([{"id": "7"}], 50.0)

    assert (seen.reports, seen.reports_at) == (({"id": "7"},), 50.0)
    assert Seen().with_reports([], 50.0).reports == ()
    assert Seen().reports is None


@pytest.mark.parametrize(
    ("chosen", "needs"),
    [
        (Chosen(), False),
        (Chosen("a"), False),
        (Chosen("a", max_records=0), True),
        (Chosen("a", used_by_automation=False), True),
        (Chosen("a", used_by_automation=True), True),
    ],
)
def test_what_was_chosen_by_its_records_or_its_use_needs_a_count(chosen: Chosen, needs: bool) -> None:
    assert chosen.needs_count is needs


def test_a_request_is_the_same_in_whatever_order() -> None:
    one, other = (TagRequest(module="Leads", ids=ids, guards=NO_GUARDS) for ids in (("1", "2"), ("2", "1")))

    assert one.digest == other.digest
    assert one.batch_size == 200
