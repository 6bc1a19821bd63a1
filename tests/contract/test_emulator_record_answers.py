"""What the emulator answers about records and bulk reads, held to those of Zoho's OpenAPI files that not every collection has."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract import oas
from tests.contract.test_emulator_answers import OLD_LEADS, RECORD, UNKNOWN, checked, running, user
from tests.emulator.user import User

__all__ = ["running", "user"]

pytestmark = pytest.mark.skipif(not oas.more_available(), reason=oas.WHY_MORE_SKIPPED)

READ = "/crm/bulk/v8/read"
BIN = "/settings/recycle_bin"
LEADS: dict[str, Any] = {"module": {"api_name": "Leads"}, "fields": ["Tag"]}
QUERIES: list[tuple[int, str, dict[str, str]]] = [
    (200, "/Leads", {"fields": "Tag"}),
    (200, "/Leads", {"fields": "Tag", "per_page": "3", "page": "2", "sort_order": "asc"}),
    (200, "/Leads", {"fields": "Tag", "ids": RECORD, "converted": "both"}),
    (200, "/Leads", {"fields": "Tag", "cvid": OLD_LEADS}),
    (204, "/Leads", {"fields": "Tag", "ids": UNKNOWN}),
    (400, "/Leads", {}),
    (400, "/Leads", {"fields": "Tag", "page": "11"}),
    (400, "/Leads", {"fields": "Tag", "page_token": "x"}),
    (400, "/leads", {"fields": "Tag"}),
    (200, "/Leads/search", {"criteria": "(Tag:equals:hot)"}),
    (204, "/Leads/search", {"criteria": "(Tag:equals:nonsense)"}),
    (400, "/Leads/search", {"criteria": "(Tag:equals:hot)", "page": "11"}),
    (400, "/Leads/search", {}),
    (204, BIN, {}),
    (204, BIN, {"ids": RECORD, "page": "1", "per_page": "200"}),
    (204, f"{BIN}/{RECORD}", {}),
    (400, BIN, {"per_page": "201"}),
    (400, BIN, {"nonsense": "1"}),
    (404, f"{READ}/{UNKNOWN}", {}),
    (404, f"{READ}/{UNKNOWN}/result", {}),
]


@pytest.mark.parametrize(("status", "path", "query"), QUERIES)
def test_what_is_read_of_records_is_as_the_files_have_it(user: User, status: int, path: str, query: dict[str, str]) -> None:
    if not path.startswith("/crm/") and status != 400:
        oas.validate_request("GET", f"/crm/v8{path}", query)

    assert checked(user.get(path, **query)).status_code == status


ORDERS: list[tuple[int, Any]] = [
    (201, {"query": LEADS}),
    (201, {"query": LEADS, "file_type": "csv"}),
    (400, {}),
    (400, {"query": {**LEADS, "page": 51}}),
    (400, {"query": {**LEADS, "fields": ["x"]}}),
    (400, {"query": {"module": {"api_name": "leads"}}}),
    (400, {"query": {"page_token": "x"}}),
]


@pytest.mark.parametrize(("status", "body"), ORDERS, ids=range(len(ORDERS)))
def test_a_bulk_read_is_answered_as_the_files_have_it(user: User, status: int, body: Any) -> None:
    assert checked(user.post(READ, body)).status_code == status


@pytest.mark.parametrize("plan", [{}, {"outcome": "failed"}])
@pytest.mark.parametrize("early", ["off", "on"])
def test_a_bulk_read_is_as_the_files_have_it_at_each_moment(user: User, plan: dict[str, Any], early: str) -> None:
    user.control.readings(bulk_result_early=early)
    user.control.change_org(bulk_read_page=4)
    user.control.bulk_reads(start_delay=2, duration=2, **plan)
    jobs = [checked(user.post(READ, {"query": LEADS})).json()["data"][0]["details"]["id"] for _ in range(2)]
    states = []
    for _ in range(4):
        states.append([checked(user.get(f"{READ}/{job}")).json()["data"][0]["state"] for job in jobs])
        user.control.advance(2)

    end = "FAILURE" if plan else "COMPLETED"
    assert states == [["ADDED", "QUEUED"], ["IN PROGRESS", "QUEUED"], [end, "IN PROGRESS"], [end, end]]


BAD_RESTORES: list[Any] = [
    {},
    {"ids": []},
    {"ids": "1"},
    {"ids": ["x"]},
    {"ids": [1]},
    {"ids": [RECORD] * 201},
    {"ids": [RECORD], "filters": {}},
    {"ids": [RECORD], "more": 1},
    {"filters": {}},
    {"restore_all_records": False},
    {"ids": [UNKNOWN]},
    [],
]


@pytest.mark.parametrize("body", BAD_RESTORES, ids=range(len(BAD_RESTORES)))
def test_a_bad_restore_is_refused_as_the_files_have_it(user: User, body: Any) -> None:
    assert checked(user.post(f"{BIN}/actions/restore", body)).status_code == 400


def test_the_recycle_bin_is_as_the_files_have_it(user: User) -> None:
    records = user.control.records("Leads")[:4]
    user.post("/Leads/actions/mass_delete", {"ids": records})
    assert [record["id"] for record in checked(user.get(BIN)).json()["recycle_bin"]] == records
    assert checked(user.get(f"{BIN}/{records[0]}")).status_code == 200
    assert checked(user.post(f"{BIN}/actions/restore", {"ids": records[:1]})).status_code == 200
    assert checked(user.post(f"{BIN}/actions/restore", {"ids": [records[1], UNKNOWN]})).status_code == 207
    assert checked(user.post(f"{BIN}/{records[2]}/actions/restore", None)).status_code == 200
    assert checked(user.post(f"{BIN}/actions/restore", {"restore_all_records": True})).status_code == 202
    assert user.control.records("Leads")[:3] == records[:3]
