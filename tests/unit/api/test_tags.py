"""The list of tags with what Zoho's newer specification adds to it, and the places where a tag is used."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_zcrm.api.tags import RecordsCount, Tag, count_records, list_tags, list_tags_with_allowance
from tests.unit.api.answers import answer


def read(**tag: Any) -> Tag:
    return list_tags("Leads", include_usage=True).parse(answer(200, {"tags": [{"id": "1", "name": "hot", **tag}]}))[0]


def test_the_use_of_tags_is_asked_for_only_on_demand() -> None:
    assert dict(list_tags("Leads").request.params) == {"module": "Leads"}
    assert dict(list_tags("Leads", include_usage=True).request.params) == {
        "module": "Leads",
        "include": "associated_record_count,last_accessed_time",
    }


@pytest.mark.parametrize(("sent", "count"), [(0, 0), (7, 7), ("7", 7), ("0", 0)])
def test_a_count_in_the_list_is_read(sent: Any, count: int) -> None:
    assert read(associated_record_count=sent).record_count == count


@pytest.mark.parametrize("sent", [None, "", "many", -1, "-1", 1.5, True, [], {"count": 0}])
def test_an_unreadable_count_is_unknown_and_not_zero(sent: Any) -> None:
    assert read(associated_record_count=sent).record_count is None


def test_the_time_of_the_last_access_is_kept_as_it_is_sent() -> None:
    assert read(last_accessed_time="2026-01-02T08:00:00+05:30").last_accessed_time == "2026-01-02T08:00:00+05:30"
    assert read(last_accessed_time=None).last_accessed_time == ""


def test_a_list_without_the_use_leaves_it_unknown() -> None:
    assert read() == Tag("1", "hot", record_count=None, last_accessed_time="")


@pytest.mark.parametrize("area", [None, False, 0, "", "false", "0", [], {}, [[], {"a": ""}], {"a": [0, None], "b": {}}], ids=str)
def test_an_area_in_which_nothing_stands_does_not_use_the_tag(area: Any) -> None:
    assert RecordsCount(3, {"workflows": area}).used_by == ()


@pytest.mark.parametrize("area", [1, True, "x", [0, 1], {"a": {"b": "1"}}], ids=str)
def test_an_area_in_which_something_stands_uses_the_tag(area: Any) -> None:
    assert RecordsCount(3, {"workflows": area}).used_by == ("workflows",)


def test_a_colour_that_is_none_is_left_out() -> None:
    assert (read(color_code="#F48435").color_code, read(color_code=5).color_code) == ("#F48435", None)


def test_the_creator_is_read_by_name_and_id() -> None:
    tag = read(created_by={"name": "Patricia Boyle", "id": "2276164000000225013"})

    assert (tag.created_by, tag.created_by_id) == ("Patricia Boyle", "2276164000000225013")
    assert read(created_by="Patricia Boyle").created_by_id == ""


@pytest.mark.parametrize(
    ("body", "areas"),
    [({"count": "3"}, None), ({"count": "3", "configured_areas": []}, None), ({"count": "3", "configured_areas": {}}, {})],
)
def test_no_word_about_automation_is_not_the_same_as_no_automation(body: Any, areas: Any) -> None:
    assert count_records("Leads", "1").parse(answer(200, body)) == RecordsCount(3, areas)


@pytest.mark.parametrize(
    ("info", "allowed"),
    [
        ({"count": 1, "allowed_count": 500}, 500),
        ({"allowed_count": "20"}, 20),
        ({"allowed_count": 0}, None),
        ({}, None),
        (None, None),
        ([], None),
    ],
)
def test_how_many_tags_the_module_may_have_is_read_where_zoho_says_it(info: Any, allowed: int | None) -> None:
    assert list_tags_with_allowance("Leads").parse(answer(200, {"tags": [], "info": info})).allowed == allowed
