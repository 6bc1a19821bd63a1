"""What is true of every call: where it goes, which scope it names, and that an answer without what it is about is refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_zcrm.api.bulk_read import bulk_read_result, bulk_read_status, start_bulk_read
from airflow_provider_zcrm.api.call import ApiCall
from airflow_provider_zcrm.api.errors import ScopeMissing, UnreadableResponse
from airflow_provider_zcrm.api.mass_delete import MassDeleteJob, delete_records, job_status, submit_records_by_view, submit_tags
from airflow_provider_zcrm.api.modules import list_modules
from airflow_provider_zcrm.api.org import get_org
from airflow_provider_zcrm.api.record_count import count_view
from airflow_provider_zcrm.api.records import list_records, present_records
from airflow_provider_zcrm.api.tag_writes import NewTag, add_tag, create_tags
from airflow_provider_zcrm.api.tags import count_records, list_tags
from tests.unit.api.answers import answer, envelope

BULK = "ZohoCRM.bulk.READ and ZohoCRM.modules.ALL"
COUNT = "ZohoSearch.securesearch.READ, ZohoCRM.modules.READ and ZohoCRM.settings.layouts.READ"
DELETE = "settings/tags/actions/mass_delete"
# the call, what it sends where, the scope, and what its answer must have
CALLS: list[tuple[ApiCall[Any], str, str, str]] = [
    (list_modules(), "GET settings/modules", "ZohoCRM.settings.modules.READ", "modules"),
    (list_tags("Leads"), "GET settings/tags", "ZohoCRM.settings.tags.READ", "tags"),
    (count_records("Leads", "1"), "GET settings/tags/1/actions/records_count", "ZohoCRM.settings.tags.READ", "count"),
    (get_org(), "GET org", "ZohoCRM.org.READ", "org"),
    (count_view("Leads", "5"), "GET Leads/actions/count", COUNT, "count"),
    (list_records("Leads"), "GET Leads", "ZohoCRM.modules.ALL", "data with id and Tag, and info"),
    (present_records("Leads", ["1"]), "GET Leads", "ZohoCRM.modules.READ", "data"),
    (submit_tags("Leads", "9", ["1"]), f"POST {DELETE}", "ZohoCRM.settings.tags.DELETE", "job_id"),
    (submit_records_by_view("Leads", "5"), "POST Leads/actions/mass_delete", "ZohoCRM.mass_delete.DELETE", "job_id"),
    (delete_records("Leads", ["1"]), "POST Leads/actions/mass_delete", "ZohoCRM.mass_delete.DELETE", "data"),
    (job_status(MassDeleteJob("tags", "1")), f"GET {DELETE}", "ZohoCRM.settings.tags.READ", "status of job 1"),
    (
        job_status(MassDeleteJob("records", "1", "Leads")),
        "GET Leads/actions/mass_delete",
        "ZohoCRM.mass_delete.READ",
        "status of job 1",
    ),
    (create_tags("Leads", [NewTag("hot")]), "POST settings/tags", "ZohoCRM.settings.tags.CREATE", "tags"),
    (add_tag("Leads", "1", "hot", ["11"]), "POST Leads/actions/add_tags", "ZohoCRM.modules.ALL", "data about these records"),
    (start_bulk_read("Leads"), "POST read", BULK, "data"),
    (bulk_read_status("1"), "GET read/1", BULK, "data"),
    (bulk_read_result("1"), "GET read/1/result", BULK, "ZIP file"),
]


@pytest.mark.parametrize(("call", "goes_to", "scope", "_missing"), CALLS, ids=[f"{goes_to} {missing}" for _, goes_to, _, missing in CALLS])
def test_a_call_goes_to_its_path_and_names_its_scope(call: ApiCall[Any], goes_to: str, scope: str, _missing: str) -> None:
    assert f"{call.request.method} {call.request.path}" == goes_to
    assert call.request.bulk is (scope == BULK)
    with pytest.raises(ScopeMissing, match=f"needs {scope}\\."):
        call.parse(answer(401, envelope("OAUTH_SCOPE_MISMATCH")))


@pytest.mark.parametrize("body", [{"something": "else"}, ["something else"], "0"], ids=repr)
@pytest.mark.parametrize(("call", "goes_to", "_scope", "missing"), CALLS, ids=[f"{goes_to} {missing}" for _, goes_to, _, missing in CALLS])
def test_an_answer_without_what_it_is_about_says_what_is_missing(
    call: ApiCall[Any], goes_to: str, _scope: str, missing: str, body: Any
) -> None:
    with pytest.raises(UnreadableResponse) as caught:
        call.parse(answer(200, body))

    assert f"has no {missing}: " in str(caught.value)
    assert f"[{goes_to}: HTTP 200]" in str(caught.value)


@pytest.mark.parametrize(
    ("call", "body", "missing"),
    [
        (list_tags("Leads"), {"tags": [{"name": "hot"}]}, "tags with an id each"),
        (list_records("Leads"), {"data": [], "info": {"more_records": True}}, "next_page_token"),
        (present_records("Leads", ["1"]), {"data": [{}]}, "data with an id each"),
        (start_bulk_read("Leads"), {"data": [{"details": {}}]}, "job id"),
        (start_bulk_read("Leads"), {"data": [{"details": {"id": "a/b"}}]}, "job id"),
        (start_bulk_read("Leads"), {"data": [{"details": {"id": "\u0661"}}]}, "job id"),
        (bulk_read_status("1"), {"data": [{"state": ""}]}, "state"),
        (bulk_read_status("1"), {"data": [{"state": 5}]}, "state"),
        (bulk_read_status("1"), {"data": [{"state": "COMPLETED"}]}, "result with a next_page_token"),
        (bulk_read_status("1"), {"data": ["text"]}, "data"),
        (bulk_read_status("1"), {"data": []}, "data"),
        (submit_tags("Leads", "9", ["1"]), {"status": "success", "details": {"job_id": "a/b"}}, "job_id"),
        (submit_tags("Leads", "9", ["1"]), {"status": "success", "details": {"job_id": "\u0661"}}, "job_id"),
        (submit_tags("Leads", "9", ["1"]), {"status": "success", "details": {"job_id": "1" * 21}}, "job_id"),
        (submit_tags("Leads", "9", ["1"]), {"status": "success", "details": {"job_id": "1" * 4}}, "job_id"),
    ],
)
def test_an_answer_that_lacks_a_part_says_which(call: ApiCall[Any], body: Any, missing: str) -> None:
    with pytest.raises(UnreadableResponse, match=f"has no {missing}: "):
        call.parse(answer(200, body))


def test_the_id_of_an_export_may_have_64_characters() -> None:
    element = {"status": "success", "details": {"id": "a-_1" * 16}}

    assert start_bulk_read("Leads").parse(answer(200, {"data": [element]})) == "a-_1" * 16


@pytest.mark.parametrize("job_id", ["1" * 5, "1" * 20])
def test_the_id_of_a_mass_delete_has_5_to_20_digits(job_id: str) -> None:
    body = {"status": "success", "details": {"job_id": job_id}}

    assert submit_tags("Leads", "9", ["1"]).parse(answer(200, body)) == job_id
