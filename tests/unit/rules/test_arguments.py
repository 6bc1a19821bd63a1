"""Ids and names as users give them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_zcrm.api.errors import InvalidArgument
from airflow_provider_zcrm.rules.arguments import ids_of, integer_of, job_ids_of, names_of, one_text_of, seconds_of
from airflow_provider_zcrm.rules.tag_request import Chosen, chosen_of

NUMBERS = st.integers(0, 10**19 - 1)
ID_FORMS: list[Callable[[int], Any]] = [str, int, lambda number: {"id": str(number)}, lambda number: {"id": number, "name": "x"}]
_CONTAINERS: list[Callable[[list[Any]], Any]] = [list, tuple, iter]


@st.composite
def nested_ids(draw: st.DrawFn) -> tuple[Any, list[str]]:
    """Return ids in some form, nested at most twice, and the flat list that they mean."""
    flat: list[str] = []

    def one() -> Any:
        number = draw(NUMBERS)
        flat.append(str(number))
        return draw(st.sampled_from(ID_FORMS))(number)

    def several(depth: int) -> Any:
        items = [one() if depth == 1 or draw(st.booleans()) else several(depth - 1) for _ in range(draw(st.integers(0, 4)))]
        return _CONTAINERS[draw(st.integers(0, 2))](items)

    depth = draw(st.integers(0, 2))
    return (several(depth) if depth else one()), flat


@given(nested_ids())
def test_whatever_nested_at_most_twice_gives_the_same_ids_in_order_each_once(example: tuple[Any, list[str]]) -> None:
    value, flat = example

    assert ids_of(value, "tag_ids") == list(dict.fromkeys(flat))


def test_how_a_tag_was_chosen_is_found_by_its_id() -> None:
    value = [{"id": "1", "name": "hot", "max_records": "0"}, [{"id": 2, "used_by_automation": False}, {"id": "3"}, "4", 5]]

    found = chosen_of(value, "tag_ids")

    assert found == {"1": Chosen("hot", max_records=0), "2": Chosen(used_by_automation=False), "3": Chosen()}
    assert chosen_of("7", "tag_ids") == {}


@pytest.mark.parametrize("name", [None, 202401, True, 1.5, ["hot"]])
def test_a_tag_whose_name_was_changed_on_its_way_is_refused(name: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"tag_ids holds a tag whose name is .*, which is not text"):
        chosen_of([{"id": "1", "name": name}], "tag_ids")


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ({"id": "1", "name": 202401}, "tag_ids holds a tag whose name is 202401, which is not text. Pass it as it was written."),
        ({"id": "1", "max_records": "many"}, "max_records in tag_ids"),
        ({"id": "1", "max_records": -1}, "max_records in tag_ids"),
        ({"id": "1", "used_by_automation": "perhaps"}, "used_by_automation in tag_ids"),
        ({"id": "x"}, "tag_ids holds 'x'"),
        ([[[{"id": "1"}]]], "tag_ids is nested too deep"),
    ],
)
def test_what_is_wrong_with_a_tag_is_said_with_the_argument(tag: Any, said: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        chosen_of([tag], "tag_ids")

    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["None", "[a, b]", " "])
def test_a_tag_that_was_found_may_have_any_name(name: str) -> None:
    assert chosen_of([{"id": "1", "name": name}], "tag_ids") == {"1": Chosen(name)}


def test_an_id_of_19_digits_stays_exact() -> None:
    exact = 2276164000001021041

    assert ids_of([exact, str(exact + 1), {"id": exact + 2}], "tag_ids") == [str(exact), str(exact + 1), str(exact + 2)]
    assert ids_of("9999999999999999999", "tag_ids") == ["9999999999999999999"]


def test_the_output_of_a_mapped_task_is_flattened() -> None:
    def lazy() -> Iterator[list[str]]:
        yield ["2", "1"]
        yield ["1", "3"]

    assert ids_of(lazy(), "tag_ids") == ["2", "1", "3"]


@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        1.0,
        2.276164e18,
        -1,
        "-1",
        "+1",
        "",
        " 1",
        "1 ",
        "1\n",
        "1.0",
        "1e3",
        "0x1",
        "١٢٣",
        "１２",
        "²",
        "1_000",
        "hot",
        "[1, 2]",
        "['1']",
        "10000000000000000000",
        "99999999999999999999",
        10**19,
        None,
        b"1",
        object(),
        {"id": None},
        {"id": True},
        {"id": ["1"]},
        {"id": {"id": "1"}},
        {"name": "hot"},
        {},
    ],
)
def test_anything_else_is_refused_wherever_it_stands(value: Any) -> None:
    for form in (value, [value], ["1", [value]]):
        with pytest.raises(InvalidArgument, match=r"tag_ids holds (.* which is not a Zoho id|None: it came out empty)"):
            ids_of(form, "tag_ids")


@given(st.one_of(st.floats(), st.booleans(), st.binary(), st.integers(max_value=-1), st.integers(min_value=10**19), st.text()))
def test_only_digits_are_an_id(value: Any) -> None:
    if isinstance(value, str) and 1 <= len(value) <= 19 and set(value) <= set("0123456789"):
        assert ids_of(value, "tag_ids") == [value]
        return
    with pytest.raises(InvalidArgument):
        ids_of([value], "tag_ids")


@pytest.mark.parametrize("value", [[[["1"]]], [["1"], [["2"]]], [[[]]]])
def test_lists_of_lists_of_lists_are_refused(value: Any) -> None:
    with pytest.raises(InvalidArgument, match="nested too deep"):
        ids_of(value, "tag_ids")
    with pytest.raises(InvalidArgument, match="nested too deep"):
        names_of(value, "tags")


def test_a_refusal_says_how_another_tasks_output_is_passed() -> None:
    with pytest.raises(InvalidArgument) as caught:
        ids_of("[1]", "tag_ids")

    assert "tag_ids=task.output" in caught.value.advice


def test_nothing_is_nothing() -> None:
    assert ids_of([], "tag_ids") == ids_of([[], []], "tag_ids") == names_of([], "tags") == []


# --- names ---------------------------------------------------------------------------------------------------------------

# what came out empty and what looks like a list is refused
NAMES = st.text().map(lambda text: f"x{text}")


@given(st.lists(st.lists(NAMES) | NAMES))
def test_names_come_in_order_each_once_and_are_not_changed(value: list[Any]) -> None:
    flat = [name for item in value for name in ([item] if isinstance(item, str) else item)]

    assert names_of(value, "tags") == list(dict.fromkeys(flat))


def test_one_name_is_a_name() -> None:
    assert names_of("hot", "tags") == ["hot"]
    assert names_of(" hot ", "tags") == [" hot "]
    assert names_of("12", "tags") == ["12"]


@pytest.mark.parametrize(
    "value",
    [
        "['hot', 'cold']",
        '["hot"]',
        "('hot',)",
        "{'hot'}",
        " ['hot']\n",
        "[['hot'], ['cold']]",
        "[{'id': '1', 'name': 'hot', 'records': None}]",
        "[hot, cold]",
        "(hot, cold)",
        "{hot, cold}",
        "frozenset({'hot'})",
        "[]",
        "[None]",
    ],
)
@pytest.mark.parametrize("inside", [lambda value: value, lambda value: ["VIP", value], lambda value: [["VIP"], [value]]])
def test_a_string_that_looks_like_a_list_is_refused(value: str, inside: Callable[[str], Any]) -> None:
    with pytest.raises(InvalidArgument, match="looks like a list") as caught:
        names_of(inside(value), "tags")

    assert "task.output" in caught.value.advice
    assert "render_template_as_native_obj=True" in caught.value.advice


@pytest.mark.parametrize("value", ["(old)", "[old] leads", "[2024]", "{x}", "(it's old)", "hot, cold", "(a), (b)", "[,ab]"])
def test_a_name_may_have_brackets(value: str) -> None:
    assert names_of(value, "tags") == [value]


def test_a_refusal_shows_the_beginning_of_a_long_value() -> None:
    for refused in (lambda: names_of(str(["hot"] * 1000), "tags"), lambda: ids_of("hot" * 1000, "tag_ids")):
        with pytest.raises(InvalidArgument) as caught:
            refused()
        assert len(str(caught.value)) < 400


def test_a_name_in_a_list_may_look_like_anything() -> None:
    assert names_of(["[old] leads"], "tags") == ["[old] leads"]


@pytest.mark.parametrize("value", [1, 1.5, None, b"hot", {"name": "hot"}, True])
def test_what_is_no_name_is_refused(value: Any) -> None:
    for form in (value, [value], [["hot", value]]):
        with pytest.raises(InvalidArgument, match=r"tags holds .* which is not text"):
            names_of(form, "tags")


@pytest.mark.parametrize("value", ["", " ", "\u200b\u00a0", "None", "None\n"])
def test_a_name_that_came_out_empty_is_refused(value: str) -> None:
    for form in (value, [value], [["hot", value]]):
        with pytest.raises(InvalidArgument, match=r"tags holds .* it came out empty.* leave tags out"):
            names_of(form, "tags")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1, -0.1, "5", "٥", True, None, timedelta(days=-1), 1e300, 10**400])
def test_what_is_no_time_is_refused(value: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"timeout is .*It is a number of seconds or a timedelta, 0 to 10 years"):
        seconds_of(value, "timeout")


@pytest.mark.parametrize(("value", "seconds"), [(0, 0), (5, 5), (0.5, 0.5), (timedelta(hours=1), 3600.0)])
def test_a_time_is_a_number_of_seconds_or_a_timedelta(value: Any, seconds: float) -> None:
    assert seconds_of(value, "timeout") == seconds


@pytest.mark.parametrize("value", ["٥", "5٥", "５", "1_0", "nan", "inf", math.nan, math.inf, 5.0])
def test_what_is_no_whole_number_is_refused(value: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"max_tags is .*It is an integer of at least 0"):
        integer_of(value, "max_tags", 0)


def test_a_name_that_is_missing_is_said_to_be_missing() -> None:
    with pytest.raises(InvalidArgument, match=r"module is None: it is missing, or its template .* came out empty.*Give module as text"):
        one_text_of(None, "module")


@pytest.mark.parametrize("value", ["1234", "1" * 21, "١٢٣٤٥", "12345 ", 1234, 12345.0, True])
def test_the_id_of_a_job_has_5_to_20_digits(value: Any) -> None:
    assert job_ids_of(["12345", 10**19], "job_id") == ["12345", "1" + 19 * "0"]
    with pytest.raises(InvalidArgument, match=r"which is not the id of a job \(5 to 20 digits\)"):
        job_ids_of(value, "job_id")
