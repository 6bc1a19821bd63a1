"""Guards: for every input, what passes is within them, and what they refuse they say how to allow."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_zcrm.api.errors import InvalidArgument, PermanentError
from airflow_provider_zcrm.operators.base import DEFAULT_MAX_SHARE
from airflow_provider_zcrm.rules.errors import GuardTripped
from airflow_provider_zcrm.rules.guards import Guards, check_records

existing_and_wanted = st.integers(0, 2000).flatmap(lambda existing: st.tuples(st.just(existing), st.integers(0, existing)))
shares = st.one_of(st.floats(0, 1), st.integers(0, 100).map(lambda percent: percent / 100), st.sampled_from([0, 1]))
numbers = st.none() | st.integers(0, 2000)


def refusal(guards: Guards, wanted: int, existing: int) -> GuardTripped | None:
    try:
        guards.check(wanted, existing, "Leads")
    except GuardTripped as error:
        return error
    return None


def passes(guards: Guards, wanted: int, existing: int) -> bool:
    return refusal(guards, wanted, existing) is None


@given(existing_and_wanted, numbers, shares)
def test_what_passes_is_within_both_guards_and_nothing_else_is_refused(tags: tuple[int, int], max_tags: int | None, share: float) -> None:
    existing, wanted = tags
    few_enough = max_tags is None or wanted <= max_tags
    # in decimals, as the share was written: 0.29 of 100 are 29 tags
    small_enough = wanted <= Decimal(repr(share)) * existing

    assert passes(Guards.of(max_tags, share), wanted, existing) is (few_enough and small_enough)


@given(existing_and_wanted, numbers, shares)
def test_text_means_the_same_as_the_number(tags: tuple[int, int], max_tags: int | None, share: float) -> None:
    in_text = Guards.of(max_tags if max_tags is None else f" {max_tags} ", f" {share} ")

    assert in_text == Guards.of(max_tags, share)


@given(existing_and_wanted, numbers, shares)
def test_what_the_refusal_advises_lets_it_pass(tags: tuple[int, int], max_tags: int | None, share: float) -> None:
    existing, wanted = tags
    asked: dict[str, Any] = {"max_tags": max_tags, "max_share": share}
    error = refusal(Guards.of(**asked), wanted, existing)
    if error:
        advised = dict(re.findall(r"(max_tags|max_share)=([0-9]+(?:\.[0-9]+)?)", error.advice))
        assert passes(Guards.of(**asked | advised), wanted, existing)
        assert all(f"{name}={asked[name]:g}" in error.message for name in advised)
        assert f"{wanted} of the {existing} tags of Leads" in error.message


@given(existing_and_wanted)
def test_without_a_word_half_of_the_tags_may_go_and_with_one_all(tags: tuple[int, int]) -> None:
    existing, wanted = tags

    assert passes(Guards.of(None, DEFAULT_MAX_SHARE), wanted, existing) is (2 * wanted <= existing)
    assert passes(Guards.of(None, 1.0), wanted, existing)


@given(existing_and_wanted, shares)
def test_a_task_that_goes_on_with_fewer_tags_does_not_trip(tags: tuple[int, int], share: float) -> None:
    existing, wanted = tags
    if passes(Guards.of(wanted, share), wanted, existing):
        assert all(passes(Guards.of(wanted, share), wanted - gone, existing - gone) for gone in range(wanted + 1))


def test_a_refusal_is_final_and_names_both_guards() -> None:
    error = refusal(Guards.of(10, 0.5), 40, 50)

    assert isinstance(error, PermanentError)
    assert str(error) == (
        "40 of the 50 tags of Leads would be deleted, and max_tags=10 and max_share=0.5, which is 25 tags, forbid that. Nothing was sent. "
        "If all of them are meant to go: max_tags=40 and max_share=0.8."
    )


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        " ",
        "half",
        "50%",
        50,
        1.01,
        "1.01",
        -0.1,
        "-0.1",
        True,
        "True",
        "nan",
        float("nan"),
        "inf",
        "1/2",
        [0.5],
        "1e9999999",
        "0,5",
    ],
)
def test_a_share_that_is_none_is_refused(value: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"max_share is .*0 to 1"):
        Guards.of(None, value)


@pytest.mark.parametrize("value", ["", "None", "many", 1.5, "1.5", -1, "-1", True, "True", [3]])
def test_a_number_of_tags_that_is_none_is_refused(value: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"max_tags is .*integer of at least 0"):
        Guards.of(value, 1.0)


@pytest.mark.parametrize(("number", "limit"), [(0, 0), (5, 5), (50_001, None)])
def test_as_many_records_as_are_allowed_may_go(number: int, limit: int | None) -> None:
    check_records(number, limit, "Leads")


def test_one_record_too_many_is_refused_with_the_numbers_and_what_would_allow_it() -> None:
    with pytest.raises(GuardTripped) as caught:
        check_records(6, 5, "Leads, by their ids")

    assert str(caught.value) == (
        "6 records would be deleted (Leads, by their ids), and max_records=5 forbids that. Nothing was sent. "
        "If all of them are meant to go: max_records=6."
    )
