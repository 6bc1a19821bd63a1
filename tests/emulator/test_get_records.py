"""Records page by page, with their tags."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.user import TWO_USERS, User

HOT = {"name": "hot", "id": "2276164000001021041", "color_code": "#57B1FD"}
FIRST, LAST = "2276164000006064001", "2276164000006064010"
OLD_LEADS = "2276164000000538003"
DAY = 24 * 60 * 60


def walk(user: User, module: str = "Leads", **params: str) -> list[dict[str, Any]]:
    """Return all records, page by page."""
    query = {"fields": "Tag", **params}
    found: list[dict[str, Any]] = []
    while True:
        answer = user.get(f"/{module}", **query)
        assert answer.status_code == 200, answer.text
        found += answer.json()["data"]
        if not answer.json()["info"]["more_records"]:
            return found
        query["page_token"] = answer.json()["info"]["next_page_token"]


def ids(records: list[dict[str, Any]]) -> list[str]:
    return [record["id"] for record in records]


def test_records_come_with_their_tags_the_newest_first(user: User) -> None:
    answer = user.get("/Leads", fields="Tag").json()

    assert answer["data"][1] == {"Tag": [HOT], "id": "2276164000006064009"}
    assert answer["info"] == {
        "call": False,
        "per_page": 200,
        "next_page_token": None,
        "count": 10,
        "sort_by": "id",
        "page": 1,
        "previous_page_token": None,
        "page_token_expiry": None,
        "sort_order": "desc",
        "email": False,
        "more_records": False,
    }


def test_a_walk_by_tokens_meets_each_record_once(user: User) -> None:
    assert ids(walk(user, per_page="3")) == ids(walk(user))
    assert ids(walk(user, per_page="3", sort_order="asc")) == list(reversed(ids(walk(user))))
    assert ids(walk(user, per_page="5")) == ids(walk(user))


def test_a_record_that_goes_during_the_walk_hides_no_other(user: User) -> None:
    first = user.get("/Leads", fields="Tag", per_page="5").json()
    user.post("/Leads/actions/mass_delete", {"ids": [first["data"][-1]["id"], first["data"][0]["id"]]})

    second = user.get("/Leads", fields="Tag", per_page="5", page_token=first["info"]["next_page_token"]).json()

    assert ids(second["data"]) == [f"227616400000606400{n}" for n in (5, 4, 3, 2, 1)]


def test_pages_have_numbers_too(user: User) -> None:
    assert ids(user.get("/Leads", fields="id", per_page="4", page="3").json()["data"]) == ["2276164000006064002", FIRST]
    assert user.get("/Leads", fields="id", per_page="4", page="4").status_code == 204


def test_a_record_without_tags_has_an_empty_list_or_null(user: User) -> None:
    user.control.add_records("Leads", 1)
    assert user.get("/Leads", fields="Tag").json()["data"][0]["Tag"] == []

    user.control.readings(no_tags="null")

    assert user.get("/Leads", fields="Tag").json()["data"][0]["Tag"] is None


def test_converted_records_are_left_out_unless_asked_for(user: User) -> None:
    (converted,) = user.control.add_records("Leads", [{"tags": ["hot"], "converted": True}])

    assert converted not in ids(walk(user))
    assert ids(walk(user, converted="true")) == [converted]
    assert ids(walk(user, converted="both", per_page="2")) == [converted, *ids(walk(user))]
    assert user.get("/Leads", fields="Converted__s", ids=converted, converted="both").json()["data"] == [
        {"Converted__s": True, "id": converted}
    ]


def test_the_count_of_a_tag_has_the_converted_records_or_not(user: User) -> None:
    path = f"/settings/tags/{HOT['id']}/actions/records_count"
    user.control.add_records("Leads", [{"tags": ["hot"], "converted": True}])
    assert user.get(path, module="Leads").json()["count"] == "6"

    user.control.readings(count_converted="off")

    assert user.get(path, module="Leads").json()["count"] == "5"


def test_a_view_costs_three_credits(user: User) -> None:
    user.control.reset_counters()

    records = user.get("/Leads", fields="id", cvid=OLD_LEADS).json()["data"]

    assert ids(records) == [f"227616400000606400{n}" for n in (4, 3, 2, 1)]
    assert user.control.counters()["credits_used"] == {"808232144": 3}


REFUSALS: dict[str, tuple[dict[str, str], str, dict[str, Any]]] = {
    "no fields": ({}, "REQUIRED_PARAM_MISSING", {"param_name": "fields"}),
    "51 fields": ({"fields": ",".join(["Tag"] * 51)}, "LIMIT_EXCEEDED", {"limit": 50, "param_name": "fields"}),
    "unknown field": ({"fields": "Tags"}, "INVALID_DATA", {"param_name": "fields"}),
    "unknown param": ({"fields": "Tag", "x": "1"}, "INVALID_DATA", {"param_name": "x"}),
    "page 11": ({"fields": "Tag", "page": "11"}, "DISCRETE_PAGINATION_LIMIT_EXCEEDED", {"limit": 2000}),
    "page 0": ({"fields": "Tag", "page": "0"}, "INVALID_DATA", {"param_name": "page"}),
    "201 a page": ({"fields": "Tag", "per_page": "201"}, "INVALID_DATA", {"param_name": "per_page"}),
    "unknown token": ({"fields": "Tag", "page_token": "x"}, "INVALID_DATA", {"param_name": "page_token"}),
    "page and token": (
        {"fields": "Tag", "page": "1", "page_token": "x"},
        "AMBIGUITY_DURING_PROCESSING",
        {"ambiguity_due_to": [{"param_name": "page"}, {"param_name": "page_token"}]},
    ),
    "view and order": (
        {"fields": "Tag", "cvid": OLD_LEADS, "sort_by": "id"},
        "AMBIGUITY_DURING_PROCESSING",
        {"ambiguity_due_to": [{"param_name": "cvid"}, {"param_name": "sort_by"}]},
    ),
    "unknown view": ({"fields": "Tag", "cvid": "1"}, "INVALID_DATA", {"param_name": "cvid"}),
    "unknown order": (
        {"fields": "Tag", "sort_by": "Last_Name"},
        "INVALID_DATA",
        {"param_name": "sort_by", "supported_values": ["id", "Created_Time", "Modified_Time"]},
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_bad_request_for_records_is_refused(user: User, case: str) -> None:
    query, code, details = REFUSALS[case]

    answer = user.get("/Leads", **query)

    assert (answer.status_code, answer.json()["code"], answer.json()["details"]) == (400, code, details)


def test_an_unknown_module_is_refused(user: User) -> None:
    answer = user.get("/leads", fields="Tag")

    assert (answer.status_code, answer.json()["code"], answer.json()["details"]) == (400, "INVALID_MODULE", {"resource_path_index": 0})


def test_a_token_is_good_for_the_same_parameters_alone(user: User) -> None:
    token = user.get("/Leads", fields="Tag", per_page="5").json()["info"]["next_page_token"]

    for query in ({"fields": "Tag", "per_page": "4"}, {"fields": "Tag"}, {"fields": "Tag", "per_page": "5", "converted": "both"}):
        assert user.get("/Leads", **query, page_token=token).json()["code"] == "TOKEN_BOUND_DATA_MISMATCH"
    assert user.get("/Contacts", fields="Tag", per_page="5", page_token=token).json()["code"] == "TOKEN_BOUND_DATA_MISMATCH"
    assert user.get("/Leads", fields="Tag", per_page="5", page_token=token).status_code == 200


def test_a_token_is_good_for_the_same_user_alone(user: User) -> None:
    query = {"fields": "Tag", "per_page": "5"}
    user.control.seed(TWO_USERS)
    user.log_in()
    token = user.get("/Leads", **query).json()["info"]["next_page_token"]
    user.log_in(grant_type="refresh_token", refresh_token="of-another")

    answer = user.get("/Leads", **query, page_token=token)

    assert (answer.status_code, answer.json()["details"]) == (400, {"param_name": "page_token"})


def test_a_token_is_good_for_a_day(user: User) -> None:
    query = {"fields": "Tag", "per_page": "5"}
    token = user.get("/Leads", **query).json()["info"]["next_page_token"]
    user.control.advance(DAY)
    user.log_in()

    answer = user.get("/Leads", **query, page_token=token)

    assert (answer.status_code, answer.json()["code"]) == (400, "EXPIRED_VALUE")


def test_tokens_end_at_the_limit(user: User) -> None:
    user.control.change_org(records_by_token=8)
    query = {"fields": "Tag", "per_page": "4"}
    for _ in range(2):
        info = user.get("/Leads", **query).json()["info"]
        assert info["more_records"]
        query["page_token"] = info["next_page_token"]

    answer = user.get("/Leads", **query)

    assert (answer.status_code, answer.json()["code"]) == (400, "PAGINATION_LIMIT_EXCEEDED")
    assert answer.json()["details"] == {"param_name": "page_token"}


@pytest.mark.parametrize(
    ("scope", "status"),
    [
        ("ZohoCRM.modules.READ", 200),
        ("ZohoCRM.modules.leads.READ", 200),
        ("ZohoCRM.modules.contacts.READ", 401),
        ("ZohoCRM.bulk.READ", 401),
    ],
)
def test_the_scope_is_that_of_the_module(user: User, scope: str, status: int) -> None:
    user.log_in(grant_type="client_credentials", scope=scope, soid="ZohoCRM.808232144")

    assert user.get("/Leads", fields="Tag").status_code == status


def test_a_record_that_is_made_has_its_name_and_no_tag(user: User) -> None:
    made = user.post("/Leads", {"data": [{"Last_Name": "Boyle", "Company": "Zylker"}, {"Last_Name": "Daly"}], "trigger": []})

    ids = [element["details"]["id"] for element in made.json()["data"]]
    assert (made.status_code, [element["message"] for element in made.json()["data"]]) == (201, ["record added"] * 2)
    found = user.get("/Leads", fields="Last_Name,Tag", ids=",".join(ids)).json()["data"]
    assert {record["id"]: record["Last_Name"] for record in found} == dict(zip(ids, ["Boyle", "Daly"], strict=True))
    assert [record["Tag"] for record in found] == [[], []]


@pytest.mark.parametrize(
    ("status", "code", "name", "body"),
    [
        (400, "MANDATORY_NOT_FOUND", "data", {}),
        (400, "INVALID_DATA", "data", {"data": []}),
        (400, "INVALID_DATA", "data", {"data": [{"Last_Name": "Boyle"}] * 101}),
        (400, "INVALID_DATA", "trigger", {"data": [{"Last_Name": "Boyle"}], "trigger": ["everything"]}),
        (400, "INVALID_DATA", "duplicate_check_fields", {"data": [{"Last_Name": "Boyle"}], "duplicate_check_fields": ["Email"]}),
        (400, "MANDATORY_NOT_FOUND", "Last_Name", {"data": [{"Company": "Zylker"}]}),
        (400, "INVALID_DATA", "Last_Name", {"data": [{"Last_Name": " "}]}),
        (400, "INVALID_DATA", "Last_Name", {"data": [{"Last_Name": "B" * 81}]}),
        (207, "INVALID_DATA", "Age", {"data": [{"Last_Name": "Boyle", "Age": 3}, {"Last_Name": "Daly"}]}),
    ],
)
def test_a_record_that_cannot_be_made_is_refused(user: User, status: int, code: str, name: str, body: Any) -> None:
    answer = user.post("/Leads", body)

    error = answer.json().get("data", [answer.json()])[0]
    assert (answer.status_code, error["code"], error["details"]["api_name"]) == (status, code, name)


def test_ten_records_that_are_made_cost_a_credit(user: User) -> None:
    user.post("/Leads", {"data": [{"Last_Name": "Boyle"}] * 11})

    assert user.control.counters()["credits_used"] == {"808232144": 2}
