"""How many records a custom view shows."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_zcrm.api.errors import InvalidModule, UnreadableResponse
from airflow_provider_zcrm.api.record_count import count_view
from tests.unit.api.answers import answer


def test_a_view_is_counted_by_its_id() -> None:
    request = count_view("Leads", "5").request

    assert (request.method, request.path, dict(request.params), request.may_repeat) == ("GET", "Leads/actions/count", {"cvid": "5"}, True)
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


@pytest.mark.parametrize("module", ["settings/tags", "", "Leads?x=1"])
def test_a_module_that_would_change_the_path_is_refused(module: str) -> None:
    with pytest.raises(InvalidModule, match="API name"):
        count_view(module, "1")
