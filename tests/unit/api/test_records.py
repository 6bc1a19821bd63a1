"""The records of a module: the pages of Get Records and the exports of Bulk Read with their tags, and which of some ids there are."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest

from airflow_provider_zcrm.api.bulk_read import BulkReadStatus, bulk_read_result, bulk_read_status, read_rows, start_bulk_read
from airflow_provider_zcrm.api.errors import (
    InvalidArgument,
    InvalidModule,
    NotSupported,
    ScopeMissing,
    UnexpectedAnswer,
    UnreadableResponse,
)
from airflow_provider_zcrm.api.records import RecordsPage, TaggedRecord, list_records, present_records
from tests.unit.api.answers import answer, envelope

JOB = "2276164000001136017"


def page(records: Any, **info: Any) -> Any:
    return {"data": records, "info": {"per_page": 200, "count": 1, "more_records": False, "next_page_token": None, **info}}


def test_a_page_asks_for_the_tags_alone_of_all_records_and_of_leads_for_the_converted_too() -> None:
    assert (list_records("Deals").request.method, list_records("Deals").request.path) == ("GET", "Deals")
    assert dict(list_records("Deals").request.params) == {"fields": "Tag", "per_page": "200", "approved": "both"}
    assert dict(list_records("Leads", "token").request.params) == {
        "fields": "Tag",
        "per_page": "200",
        "approved": "both",
        "converted": "both",
        "page_token": "token",
    }
    with pytest.raises(InvalidModule):
        list_records("settings/tags")


def test_a_page_is_read() -> None:
    hot = {"name": "hot", "id": "1", "color_code": None}
    body = page([{"Tag": [hot], "id": "11"}, {"Tag": [], "id": "12"}, {"Tag": None, "id": 13}], more_records=True, next_page_token="next")
    records = (TaggedRecord("11", ("1",)), TaggedRecord("12", ()), TaggedRecord("13", ()))
    assert list_records("Leads").parse(answer(200, body)) == RecordsPage(records, "next")
    assert list_records("Leads").parse(answer(200, page([], next_page_token="left over"))) == RecordsPage((), None)
    assert list_records("Leads").parse(answer(204)) == RecordsPage(())


@pytest.mark.parametrize(
    "body",
    [
        page([{"id": "11"}]),
        page([{"Tag": []}]),
        page([{"id": "11", "Tag": ["hot"]}]),
        page([{"id": "11", "Tag": [{"name": "hot"}]}]),
        page(["11"]),
        page([], more_records=True),
        {"data": []},
        {"info": {}},
        [],
    ],
)
def test_a_page_that_may_hide_tags_or_records_is_not_taken_for_an_answer(body: Any) -> None:
    with pytest.raises(UnreadableResponse):
        list_records("Leads").parse(answer(200, body))


def test_records_are_looked_for_by_their_ids() -> None:
    request = present_records("Leads", ["1", "2"]).request

    assert (request.method, request.path, request.scope) == ("GET", "Leads", "ZohoCRM.modules.READ")
    assert request.params == {"fields": "id", "ids": "1,2", "approved": "both", "converted": "both"}
    assert present_records("Deals", ["1"]).request.params == {"fields": "id", "ids": "1", "approved": "both"}


def test_the_records_in_the_answer_are_there() -> None:
    body = {"data": [{"id": "1"}, {"id": 2}], "info": {"count": 2}}

    assert present_records("Leads", ["1", "2", "3"]).parse(answer(200, body)) == {"1", "2"}
    assert present_records("Leads", ["1"]).parse(answer(204)) == frozenset()


@pytest.mark.parametrize("record", ["x", {}, {"id": None}, {"id": 2.2e18}])
def test_a_record_that_cannot_be_read_does_not_seem_to_be_deleted(record: Any) -> None:
    with pytest.raises(UnreadableResponse, match="no data with an id each"):
        present_records("Leads", ["1", "2"]).parse(answer(200, {"data": [{"id": "1"}, record]}))


@pytest.mark.parametrize("body", [{}, {"data": {}}, []])
def test_an_answer_without_data_is_unreadable(body: Any) -> None:
    with pytest.raises(UnreadableResponse, match="no data"):
        present_records("Leads", ["1"]).parse(answer(200, body))


@pytest.mark.parametrize("number", [0, 101])
def test_one_look_is_for_1_to_100_records(number: int) -> None:
    with pytest.raises(InvalidArgument, match=f"1 to 100 records, not {number}"):
        present_records("Leads", ["1"] * number)


def test_an_export_is_started_for_a_module_or_for_what_did_not_fit() -> None:
    first, more = start_bulk_read("Leads").request, start_bulk_read("Leads", "token").request
    assert (first.method, first.path, first.bulk, first.may_repeat) == ("POST", "read", True, True)
    assert first.json == {"query": {"module": {"api_name": "Leads"}, "fields": ["Tag"]}}
    assert more.json == {"query": {"page_token": "token"}}


def test_an_export_that_was_started_has_an_id() -> None:
    added = {"status": "success", "code": "ADDED_SUCCESSFULLY", "message": "Added successfully.", "details": {"id": JOB, "state": "ADDED"}}
    assert start_bulk_read("Leads").parse(answer(201, {"data": [added], "info": {}})) == JOB
    with pytest.raises(UnreadableResponse):
        start_bulk_read("Leads").parse(answer(201, {"data": [{**added, "details": {}}]}))
    with pytest.raises(ScopeMissing, match=r"ZohoCRM\.bulk\.READ"):
        start_bulk_read("Leads").parse(answer(401, envelope("OAUTH_SCOPE_MISMATCH")))
    with pytest.raises(UnexpectedAnswer):
        start_bulk_read("Leads").parse(answer(400, {"data": [envelope("MODULE_NOT_SUPPORTED")]}))


@pytest.mark.parametrize(
    ("job", "status"),
    [
        ({"state": "ADDED", "result": {"page": 1, "more_records": True}}, BulkReadStatus("ADDED")),
        ({"state": "in progress"}, BulkReadStatus("IN PROGRESS")),
        ({"state": "COMPLETED", "result": {"count": 5, "more_records": False}}, BulkReadStatus("COMPLETED", 5)),
        ({"state": "COMPLETED", "result": {"more_records": True, "next_page_token": "next"}}, BulkReadStatus("COMPLETED", None, "next")),
        ({"state": "FAILURE", "result": {"error_message": {}}}, BulkReadStatus("FAILURE")),
    ],
)
def test_the_status_of_an_export_is_read(job: dict[str, Any], status: BulkReadStatus) -> None:
    call = bulk_read_status(JOB)
    assert (call.request.path, call.request.bulk) == (f"read/{JOB}", True)
    assert call.parse(answer(200, {"data": [{"id": JOB, **job}]})) == status
    assert status.failed == (status.state == "FAILURE")


@pytest.mark.parametrize("body", [{}, {"data": []}, {"data": [{}]}, {"data": [{"state": "COMPLETED"}]}])
def test_a_status_without_what_it_is_about_is_unreadable(body: Any) -> None:
    with pytest.raises(UnreadableResponse):
        bulk_read_status(JOB).parse(answer(200, body))
    more = {"data": [{"state": "COMPLETED", "result": {"more_records": True}}]}
    with pytest.raises(UnreadableResponse):
        bulk_read_status(JOB).parse(answer(200, more))


def test_the_result_of_an_export_is_a_zip_file_and_nothing_else() -> None:
    call = bulk_read_result(JOB)
    assert call.request.path == f"read/{JOB}/result"
    assert call.request.to_file
    file = io.BytesIO()
    assert call.parse(replace(answer(200, b"PK\x03\x04..."), file=file)) is file
    for body in ("", "<html></html>", "Id,Tag", {"data": []}):
        with pytest.raises(UnreadableResponse):
            call.parse(replace(answer(200, body), file=file))
        assert file.closed
    with pytest.raises(UnexpectedAnswer):
        call.parse(answer(404, envelope("RESOURCE_NOT_FOUND")))


@pytest.mark.parametrize("header", ["Id,Tag", "id,Tag", "Tag,Id", "Created_Time,Id,Tag"])
def test_rows_are_read_wherever_their_columns_stand(header: str) -> None:
    values = {"Id": "11", "id": "11", "Tag": '"hot,Import 2024-05"', "Created_Time": "x"}
    lines = [header + "\r\n", ",".join(values[name] for name in header.split(",")) + "\r\n"]
    assert list(read_rows(lines)) == [TaggedRecord("11", ("hot", "Import 2024-05"))]


def test_a_record_without_tags_has_an_empty_field() -> None:
    assert list(read_rows(["Id,Tag\n", "11,\n"])) == [TaggedRecord("11", ())]
    assert list(read_rows(["Id,Tag\n"])) == []


@pytest.mark.parametrize("lines", [[], ["Id,Email\n", "11,x\n"], ["Tag\n"]])
def test_an_export_without_tags_is_refused(lines: list[str]) -> None:
    with pytest.raises(NotSupported, match="no column Id or Tag"):
        list(read_rows(lines))


@pytest.mark.parametrize("row", ["11", "11,hot,cold"])
def test_a_row_of_another_width_is_refused(row: str) -> None:
    with pytest.raises(NotSupported, match=f"has {len(row.split(','))} columns and not 2"):
        list(read_rows(["Id,Tag\n", f"{row}\n"]))
