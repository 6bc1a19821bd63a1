"""The recycle bin: what is sent, and how the answers are read."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_zcrm.api.errors import InvalidArgument, InvalidRequest, ScopeMissing, UnreadableResponse
from airflow_provider_zcrm.api.recycle_bin import RecordsRestored, binned_records, restore_records
from tests.unit.api.answers import answer, envelope


def said(code: str, record_id: str | None, status: str = "success") -> dict[str, Any]:
    return {"code": code, "details": {"id": record_id} if record_id else {}, "message": "m", "status": status}


def restored(*elements: Any, status: int = 200, ids: tuple[str, ...] = ("1", "2", "3")) -> RecordsRestored:
    return restore_records(ids).parse(answer(status, {"recycle_bin": list(elements)}))


def test_only_ids_are_sent_and_the_call_is_never_repeated() -> None:
    request = restore_records(["1", "2"]).request
    assert (request.method, request.path, request.json) == ("POST", "settings/recycle_bin/actions/restore", {"ids": ["1", "2"]})
    assert (request.may_repeat, request.scope) == (False, "ZohoCRM.settings.recycle_bin.UPDATE")


@pytest.mark.parametrize("number", [0, 201])
def test_a_call_restores_1_to_200_records(number: int) -> None:
    with pytest.raises(InvalidArgument, match=f"not {number}"):
        restore_records([str(i) for i in range(number)])
    with pytest.raises(InvalidArgument, match=f"not {number}"):
        binned_records([str(i) for i in range(number)])


def test_each_element_is_read_by_itself() -> None:
    elements = [said("SUCCESS", "1"), said("INVALID_DATA", "2", "error"), "odd", None, said("SUCCESS", "9"), {"Status": "SUCCESS"}]
    assert restored(*elements, status=207) == RecordsRestored(("1",), (), {"2": "INVALID_DATA"})
    assert restored({"CODE ": "success", "Details": {"ID": " 3 "}, "status": " Success"}) == RecordsRestored(("3",))


def test_a_restore_in_the_background_is_told_from_one_that_is_done() -> None:
    assert restored(said("SCHEDULED", "1"), said("SUCCESS", "2"), status=202) == RecordsRestored(("2",), ("1",))
    assert restored(said("SCHEDULED", None), status=202) == RecordsRestored((), ("1", "2", "3"))


def test_a_scheduled_restore_that_names_no_record_is_about_those_that_the_others_do_not_name() -> None:
    answered = restored(said("INVALID_DATA", "1", "error"), said("SCHEDULED", None), status=207)
    assert answered == RecordsRestored((), ("2", "3"), {"1": "INVALID_DATA"})


def test_a_call_in_which_every_record_failed_is_no_error_of_the_call() -> None:
    assert restored(said("INVALID_DATA", "1", "error"), status=400, ids=("1",)) == RecordsRestored((), (), {"1": "INVALID_DATA"})


@pytest.mark.parametrize("body", [{"recycle_bin": []}, {"recycle_bin": {}}, {}, [], {"recycle_bin": [said("SUCCESS", "9")]}])
def test_an_answer_that_says_nothing_of_the_records_is_unreadable(body: Any) -> None:
    with pytest.raises(UnreadableResponse):
        restore_records(["1"]).parse(answer(200, body))


def test_a_refusal_of_the_whole_call_is_an_error() -> None:
    with pytest.raises(ScopeMissing, match=r"recycle_bin\.UPDATE"):
        restore_records(["1"]).parse(answer(401, envelope("OAUTH_SCOPE_MISMATCH", "m")))
    with pytest.raises(InvalidRequest):
        restore_records(["1"]).parse(answer(400, envelope("INVALID_DATA", "m", json_path="$.ids[0]")))


def test_what_is_in_the_bin_comes_with_its_module() -> None:
    call = binned_records(["1", "2"])
    assert dict(call.request.params) == {"ids": "1,2", "per_page": "200"}
    entries = [{"id": "1", "module": {"api_name": "Leads", "id": "5"}}, {"id": 9, "module": {"api_name": "Deals"}}]
    assert call.parse(answer(200, {"recycle_bin": entries, "info": {}})) == {"1": "Leads"}
    assert call.parse(answer(204, None)) == {}


@pytest.mark.parametrize("entry", [None, {}, {"id": "1"}, {"id": "1", "module": "Leads"}, {"id": "1", "module": {}}])
def test_an_entry_that_does_not_say_what_it_is_makes_the_list_unreadable(entry: Any) -> None:
    with pytest.raises(UnreadableResponse):
        binned_records(["1"]).parse(answer(200, {"recycle_bin": [entry]}))
