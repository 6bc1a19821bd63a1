"""Records: the count of a custom view, and which of some ids there are."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_zcrm.api.errors import InvalidArgument, UnreadableResponse
from airflow_provider_zcrm.api.record_checks import count_view, present_records
from tests.unit.api.answers import answer


def test_a_view_is_counted_by_its_id() -> None:
    request = count_view("Leads", "5").request

    assert (request.method, request.path, dict(request.params), request.idempotent) == ("GET", "Leads/actions/count", {"cvid": "5"}, True)
    assert "ZohoSearch.securesearch.READ" in request.scope


@pytest.mark.parametrize(("wire", "count"), [(694, 694), ("694", 694), (0, 0)])
def test_the_count_may_be_a_string(wire: Any, count: int) -> None:
    assert count_view("Leads", "5").parse(answer(200, {"count": wire})) == count


@pytest.mark.parametrize("body", [{}, {"count": None}, {"count": True}, {"count": -1}, {"count": 1.5}, {"count": "many"}, [], "x"])
def test_a_count_that_is_none_is_unreadable(body: Any) -> None:
    with pytest.raises(UnreadableResponse):
        count_view("Leads", "5").parse(answer(200, body))


def test_an_empty_answer_is_no_count() -> None:
    with pytest.raises(UnreadableResponse):
        count_view("Leads", "5").parse(answer(204))


def test_records_are_looked_for_by_their_ids() -> None:
    request = present_records("Leads", ["1", "2"]).request

    assert (request.method, request.path, request.scope) == ("GET", "Leads", "ZohoCRM.modules.READ")
    assert request.params == {"fields": "id", "ids": "1,2", "converted": "both"}
    assert present_records("Deals", ["1"]).request.params == {"fields": "id", "ids": "1"}


def test_the_records_in_the_answer_are_there() -> None:
    body = {"data": [{"id": "1"}, {"id": 2}, "x", {}], "info": {"count": 2}}

    assert present_records("Leads", ["1", "2", "3"]).parse(answer(200, body)) == {"1", "2"}
    assert present_records("Leads", ["1"]).parse(answer(204)) == frozenset()


@pytest.mark.parametrize("body", [{}, {"data": {}}, []])
def test_an_answer_without_data_is_unreadable(body: Any) -> None:
    with pytest.raises(UnreadableResponse, match="no data"):
        present_records("Leads", ["1"]).parse(answer(200, body))


@pytest.mark.parametrize("number", [0, 101])
def test_one_look_is_for_1_to_100_records(number: int) -> None:
    with pytest.raises(InvalidArgument, match=f"1 to 100 records, not {number}"):
        present_records("Leads", ["1"] * number)


@pytest.mark.parametrize("module", ["settings/tags", "", "Leads?x=1"])
def test_a_module_that_would_change_the_path_is_refused(module: str) -> None:
    with pytest.raises(InvalidArgument, match="API name"):
        count_view(module, "1")
