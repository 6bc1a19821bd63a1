"""Modules, tags, records per tag and the org: what is sent, and what is read."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_zcrm.api.call import ApiCall
from airflow_provider_zcrm.api.errors import UnreadableResponse
from airflow_provider_zcrm.api.modules import Module, list_modules
from airflow_provider_zcrm.api.org import Org, get_org
from airflow_provider_zcrm.api.record_count import count_view
from airflow_provider_zcrm.api.tags import RecordsCount, Tag, count_records, list_tags
from tests.unit.api.answers import answer

HOT = {
    "created_time": "2025-12-29T10:43:05+05:30",
    "modified_time": "2026-01-02T08:00:00+05:30",
    "name": "hot",
    "modified_by": {"name": "Patricia Boyle", "id": "2276164000000225013"},
    "id": "2276164000001021041",
    "created_by": {"name": "Patricia Boyle", "id": "2276164000000225013"},
    "color_code": "#F48435",
}
LEADS = {"id": "2276164000000000125", "api_name": "Leads", "plural_label": "Leads", "api_supported": True, "status": "visible"}
AREAS = {"custom_view": {"cvnames": ["Hot leads"], "cvids": ["1"]}}


@pytest.mark.parametrize(
    ("call", "path", "params", "scope"),
    [
        (list_modules(), "settings/modules", {}, "ZohoCRM.settings.modules.READ"),
        (list_tags("Leads"), "settings/tags", {"module": "Leads"}, "ZohoCRM.settings.tags.READ"),
        (
            count_records("Leads", "2276164000001021041"),
            "settings/tags/2276164000001021041/actions/records_count",
            {"module": "Leads"},
            "ZohoCRM.settings.tags.READ",
        ),
        (get_org(), "org", {}, "ZohoCRM.org.READ"),
    ],
    ids=["modules", "tags", "records count", "org"],
)
def test_a_read_is_a_get_that_may_be_repeated(call: ApiCall[Any], path: str, params: dict[str, str], scope: str) -> None:
    request = call.request

    assert (request.method, request.path, dict(request.params), request.scope) == ("GET", path, params, scope)
    assert request.json is None
    assert request.may_repeat is True


@pytest.mark.parametrize(
    ("call", "body", "value"),
    [
        (list_modules(), {"modules": [LEADS]}, [Module("2276164000000000125", "Leads", label="Leads")]),
        (list_modules(), {"modules": []}, []),
        (
            list_modules(),
            {"modules": [{"id": 5, "api_name": None, "api_supported": False}, {"api_name": "NoId"}, "nonsense"]},
            [Module("5", None, api_supported=False)],
        ),
        (
            list_modules(),
            {"modules": [{"id": "6", "api_name": "Old", "generated_type": "custom", "status": "user_hidden"}]},
            [Module("6", "Old", kind="custom", visible=False)],
        ),
        (
            list_tags("Leads"),
            {"tags": [HOT], "info": {"record_limit": 20, "count": 1, "allowed_count": 500}},
            (
                Tag(
                    "2276164000001021041",
                    "hot",
                    "#F48435",
                    "2025-12-29T10:43:05+05:30",
                    "2026-01-02T08:00:00+05:30",
                    "Patricia Boyle",
                    "2276164000000225013",
                ),
            ),
        ),
        (
            list_tags("Leads"),
            {"tags": [{"id": "1", "name": "bare", "color_code": None, "created_by": None}]},
            (Tag("1", "bare"),),
        ),
        (list_tags("Leads"), {"tags": [{"id": 7, "name": None}], "info": {}}, (Tag("7", ""),)),
        (list_tags("Leads"), {"tags": []}, ()),
        (count_records("Leads", "1"), {"count": "3"}, RecordsCount(3)),
        (count_records("Leads", "1"), {"count": 3, "configured_areas": AREAS}, RecordsCount(3, AREAS)),
        (count_records("Leads", "1"), {"count": "0", "configured_areas": []}, RecordsCount(0)),
        (count_records("Leads", "1"), {"count": 3.0}, RecordsCount(3)),
        (count_records("Leads", "1"), {"count": " 3.0 "}, RecordsCount(3)),
        (count_view("Leads", "1"), {"count": "3.0"}, 3),
        (get_org(), {"org": [{"zgid": "808232144", "company_name": "Zylker", "id": "1"}]}, Org("808232144", "Zylker")),
        (get_org(), {"org": [{"zgid": 808232144, "company_name": None}]}, Org("808232144", "")),
    ],
)
def test_an_answer_is_read(call: ApiCall[Any], body: Any, value: Any) -> None:
    assert call.parse(answer(200, body)) == value


@pytest.mark.parametrize(
    "tag", [None, "1", {"name": "no id"}, {"id": None, "name": "x"}, {"id": 2.2e18}, {"id": True}, {"id": {}}, {"id": " "}]
)
def test_a_tag_that_cannot_be_read_does_not_seem_to_be_deleted(tag: Any) -> None:
    with pytest.raises(UnreadableResponse, match="no tags with an id each"):
        list_tags("Leads").parse(answer(200, {"tags": [{"id": "1", "name": "x"}, tag]}))


@pytest.mark.parametrize("count", [None, True, -1, "-1", 3.5, "3.5", "three", "", 1e20, "9" * 5000, "1e3", [3], {"count": 3}, "\u0663"])
def test_what_is_no_count_is_not_taken_for_one(count: Any) -> None:
    for call in (count_records("Leads", "1"), count_view("Leads", "1")):
        with pytest.raises(UnreadableResponse, match="no count"):
            call.parse(answer(200, {"count": count}))


NO_CONTENT = answer(204, headers={"content-type": "application/json;charset=utf-8"})


def test_no_content_means_that_a_module_has_no_tags() -> None:
    assert list_tags("Leads").parse(NO_CONTENT) == ()


def test_no_content_does_not_mean_that_an_org_has_no_modules() -> None:
    with pytest.raises(UnreadableResponse, match="no modules"):
        list_modules().parse(NO_CONTENT)


@pytest.mark.parametrize(
    ("call", "missing"),
    [(list_modules(), "modules"), (list_tags("Leads"), "tags"), (count_records("Leads", "1"), "count"), (get_org(), "org")],
)
@pytest.mark.parametrize(
    "body",
    [{}, [], "text", 5, {"modules": {}, "tags": {}, "count": {}, "org": {}}, {"modules": None, "tags": "x", "count": "many", "org": []}],
)
def test_an_answer_without_what_was_asked_for_is_unreadable(call: ApiCall[Any], missing: str, body: Any) -> None:
    with pytest.raises(UnreadableResponse, match=f"no {missing}"):
        call.parse(answer(200, body if body != "text" else '"text"'))


@pytest.mark.parametrize("call", [count_records("Leads", "1"), get_org()])
def test_no_content_is_unreadable_where_there_must_be_some(call: ApiCall[Any]) -> None:
    with pytest.raises(UnreadableResponse):
        call.parse(answer(204))
