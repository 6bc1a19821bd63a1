"""Creating tags and putting them on records: what is sent, and what is read out of answers that tell of each item on its own."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_zcrm.api.errors import (
    InvalidArgument,
    InvalidModule,
    InvalidRequest,
    PermissionDenied,
    UnexpectedAnswer,
    UnreadableResponse,
    ZohoCrmError,
)
from airflow_provider_zcrm.api.tag_writes import Created, NewTag, Tagged, add_tag, create_tags
from tests.unit.api.answers import answer, envelope

NEW = [NewTag("hot", "#F48435"), NewTag("cold")]
HOT = "2276164000001021041"


def made(tag_id: str) -> dict[str, Any]:
    return {"code": "SUCCESS", "details": {"id": tag_id, "color_code": None}, "message": "tags created successfully", "status": "success"}


def tagged(record_id: str, *tag_ids: str) -> dict[str, Any]:
    details = {"id": record_id, "tags": [{"name": "a tag", "id": tag_id, "color_code": None} for tag_id in tag_ids]}
    return {"code": "SUCCESS", "details": details, "message": "tags updated successfully", "status": "success"}


def test_tags_are_created_with_their_colours() -> None:
    request = create_tags("Leads", NEW).request
    assert (request.method, request.path, dict(request.params)) == ("POST", "settings/tags", {"module": "Leads"})
    assert request.json == {"tags": [{"name": "hot", "color_code": "#F48435"}, {"name": "cold"}]}
    assert request.may_repeat


@pytest.mark.parametrize("status", [200, 201, 207])
def test_each_tag_that_was_created_has_its_id(status: int) -> None:
    body = {"tags": [made("1"), made("2")]}
    assert create_tags("Leads", NEW).parse(answer(status, body)) == (Created("1", "SUCCESS"), Created("2", "SUCCESS"))


@pytest.mark.parametrize("status", [207, 400])
def test_a_tag_that_is_there_has_its_id_and_others_their_reason(status: int) -> None:
    there = envelope("DUPLICATE_DATA", "duplicate data", api_name="name", json_path="$.tags[0].name", id="7")
    full = envelope("LICENSE_LIMIT_EXCEEDED", "tags edition limit exceeded")
    assert create_tags("Leads", NEW).parse(answer(status, {"tags": [there, full]})) == (
        Created("7", "DUPLICATE_DATA", "DUPLICATE_DATA: duplicate data"),
        Created("", "LICENSE_LIMIT_EXCEEDED", "LICENSE_LIMIT_EXCEEDED: tags edition limit exceeded"),
    )


def test_an_id_in_another_error_is_not_the_tags() -> None:
    wrong = envelope("INVALID_DATA", "invalid data", id="7")
    assert create_tags("Leads", NEW[:1]).parse(answer(400, {"tags": [wrong]}))[0].id == ""


@pytest.mark.parametrize(
    ("element", "code", "reason"),
    [
        ({"status": "error"}, "", "no code: no message"),
        ({"status": "error", "code": "DUPLICATE_DATA", "message": "twice"}, "DUPLICATE_DATA", "DUPLICATE_DATA: twice"),
        ({"status": "success", "code": "SUCCESS", "message": "made"}, "SUCCESS", "SUCCESS: made"),
    ],
)
def test_a_tag_of_which_zoho_says_too_little_is_not_known_to_be_there(element: dict[str, Any], code: str, reason: str) -> None:
    other = made("2")
    assert create_tags("Leads", NEW).parse(answer(207, {"tags": [element, other]}))[0] == Created("", code, reason)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, envelope("INVALID_DATA", "invalid data", api_name="tags", json_path="$.tags", maximum_length=1), InvalidRequest),
        (400, {"tags": [envelope("INVALID_MODULE")]}, InvalidModule),
        (403, envelope("NO_PERMISSION", "permission denied", permissions=["Crm_Implied_Tags_Leads"]), PermissionDenied),
        (201, {"tags": [made("1")]}, UnreadableResponse),
        (201, {"tags": ["text", "text"]}, UnreadableResponse),
        (200, {}, UnreadableResponse),
    ],
)
def test_an_answer_about_the_whole_creation_is_raised(status: int, body: Any, error: type[ZohoCrmError]) -> None:
    with pytest.raises(error):
        create_tags("Leads", NEW).parse(answer(status, body))


def test_a_tag_is_put_beside_the_others_of_a_record() -> None:
    request = add_tag("Leads", HOT, "hot", ["11", "12"]).request
    assert (request.method, request.path) == ("POST", "Leads/actions/add_tags")
    assert request.json == {"tags": [{"name": "hot", "id": HOT}], "ids": ["11", "12"], "over_write": False}
    assert request.may_repeat


def test_only_an_api_name_gets_into_a_path() -> None:
    with pytest.raises(InvalidModule):
        add_tag("Leads/../x", HOT, "hot", ["11"])


@pytest.mark.parametrize("number", [0, 501])
def test_one_call_puts_a_tag_on_1_to_500_records(number: int) -> None:
    with pytest.raises(InvalidArgument, match=f"1 to 500 records, not {number}"):
        add_tag("Leads", HOT, "hot", ["11"] * number)
    assert len(add_tag("Leads", HOT, "hot", ["11"] * 500).request.json["ids"]) == 500


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        ({"code": "FAILURE", "message": "locked"}, "FAILURE: locked"),
        ({"code": "FAILURE"}, "FAILURE: no message"),
        ({"message": "locked"}, "no code: locked"),
    ],
)
def test_a_reason_is_zohos_code_and_message(refusal: dict[str, str], reason: str) -> None:
    element = {**refusal, "status": "error", "details": {"id": "11"}}
    other = {"status": "success", "details": {"id": "12"}}
    assert add_tag("Leads", HOT, "hot", ["11", "12"]).parse(answer(207, {"data": [element, other]})).failed == {"11": reason}


@pytest.mark.parametrize("status", [200, 202, 207])
def test_each_record_is_told_of(status: int) -> None:
    refused = envelope("FAILURE", "tags not updated successfully", id="12")
    full = tagged("13", "1", "2")
    full["details"]["not_added_tags"] = [{"name": "hot", "id": HOT, "color_code": None}]
    body = {"data": [tagged("11", "1", HOT), refused, full], "locked_count": "0"}
    assert add_tag("Leads", HOT, "hot", ["11", "12", "13"]).parse(answer(status, body)) == Tagged(
        frozenset({"11"}),
        {"12": "FAILURE: tags not updated successfully", "13": "the record holds as many tags as the edition allows"},
    )


@pytest.mark.parametrize("tags", [None, ["hot"], [{"name": "hot"}]])
def test_a_success_that_does_not_list_the_tags_by_id_is_one(tags: Any) -> None:
    told = tagged("11")
    told["details"]["tags"] = tags
    assert add_tag("Leads", HOT, "hot", ["11"]).parse(answer(200, {"data": [told]})).done == {"11"}


@pytest.mark.parametrize("status", [200, 400])
def test_records_that_all_failed_are_told_of_too_and_the_rest_is_unknown(status: int) -> None:
    locked = envelope("RECORD_LOCKED", "the record is locked", action="record_locking", id="12")
    outcome = add_tag("Leads", HOT, "hot", ["11", "12"]).parse(answer(status, {"data": [locked], "locked_count": "1"}))
    assert outcome == Tagged(frozenset(), {"12": "RECORD_LOCKED: the record is locked"})


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, envelope("RECORD_LOCKED", "locked", action="record_locking", id="11"), InvalidRequest),
        (400, envelope("FAILURE", "permission denied to  update records"), UnexpectedAnswer),
        (400, {"tags": [envelope("INVALID_DATA", "Invalid data", json_path="$.tags[*].name")]}, InvalidRequest),
        (400, {"data": [envelope("INVALID_MODULE")]}, InvalidModule),
        (200, {"data": [tagged("99", HOT)]}, UnreadableResponse),
        (200, {"data": []}, UnreadableResponse),
        (204, "", UnreadableResponse),
    ],
)
def test_an_answer_about_no_record_is_raised(status: int, body: Any, error: type[ZohoCrmError]) -> None:
    with pytest.raises(error):
        add_tag("Leads", HOT, "hot", ["11"]).parse(answer(status, body))
