"""Records: mass delete by ids at once and by custom view as a job, the count of a view, the records among given ids."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.user import User

PATH = "/Leads/actions/mass_delete"
ALL_LEADS = "2276164000000538001"
OLD_LEADS = "2276164000000538003"
FIRST, SECOND, FIFTH = "2276164000006064001", "2276164000006064002", "2276164000006064005"
UNKNOWN = "2276164999999999999"
ORG = {"zgid": "808232144", "refresh_tokens": [{"token": "1000.emulator-refresh-token"}]}


def error(code: str, message: str, details: dict[str, Any]) -> dict[str, Any]:
    return {"code": code, "details": details, "message": message, "status": "error"}


def records(user: User) -> list[str]:
    return list(user.control.org(records=True)["modules"][0]["records"])


def seeded(user: User, module: dict[str, Any], **org: Any) -> None:
    user.control.seed({"orgs": [{**ORG, "modules": [{"api_name": "Leads", **module}], **org}]})
    user.log_in()


def submitted(user: User, **body: Any) -> str:
    job_id: str = user.post(PATH, body).json()["data"][0]["details"]["job_id"]
    return job_id


def state(user: User, job_id: str) -> dict[str, Any]:
    found: dict[str, Any] = user.get(PATH, job_id=job_id).json()["data"][0]
    return found


def test_records_are_deleted_at_once_by_their_ids(user: User) -> None:
    answer = user.post(PATH, {"ids": [FIRST, SECOND]})

    deleted = {"code": "SUCCESS", "message": "record is deleted", "status": "success"}
    assert (answer.status_code, answer.json()) == (200, {"data": [deleted | {"details": {"id": record}} for record in (FIRST, SECOND)]})
    assert len(records(user)) == 8


def test_a_deletion_by_ids_can_go_through_in_part(user: User) -> None:
    seeded(user, {"records": [{"id": FIRST}, {"id": SECOND}], "locked_records": [SECOND]})

    answer = user.post(PATH, {"ids": [FIRST, SECOND, UNKNOWN]})

    assert answer.status_code == 207
    assert [element["status"] for element in answer.json()["data"]] == ["success", "error", "error"]
    assert answer.json()["data"][1] == error("INVALID_DATA", "Record locked or invalid permissions", {"id": SECOND})
    assert records(user) == [SECOND]


def test_a_deletion_of_nothing_but_unknown_ids_is_400(user: User) -> None:
    assert user.post(PATH, {"ids": [UNKNOWN]}).status_code == 400


REFUSALS: dict[str, tuple[Any, dict[str, Any]]] = {
    "neither": ({}, error("MANDATORY_NOT_FOUND", "required field not found", {"api_name": "ids", "expected_data_type": "jsonarray"})),
    "malformed id": (
        {"ids": [FIRST, "x"]},
        error("INVALID_DATA", "the id given seems to be invalid", {"api_name": "ids", "json_path": "$.ids[1]", "id": "x"}),
    ),
    "id a number": (
        {"ids": [1]},
        error("INVALID_DATA", "the id given seems to be invalid", {"api_name": "ids", "json_path": "$.ids[0]", "id": "1"}),
    ),
    "no array": (
        {"ids": FIRST},
        error("INVALID_DATA", "invalid data", {"api_name": "ids", "json_path": "$.ids", "expected_data_type": "jsonarray"}),
    ),
    "empty": ({"ids": []}, error("INVALID_DATA", "invalid data", {"api_name": "ids", "json_path": "$.ids"})),
    "501 ids": (
        {"ids": [FIRST] * 501},
        error("INVALID_DATA", "invalid data", {"api_name": "ids", "json_path": "$.ids", "maximum_length": 500}),
    ),
    "unknown view": (
        {"cvid": UNKNOWN},
        error("INVALID_DATA", "the cvid given seems to be invalid", {"api_name": "cvid", "json_path": "$.cvid", "id": UNKNOWN}),
    ),
    "view no string": (
        {"cvid": 1},
        error("INVALID_DATA", "the cvid given seems to be invalid", {"api_name": "cvid", "expected_data_type": "string"}),
    ),
    "extra key": ({"ids": [FIRST], "x": 1}, error("INVALID_DATA", "invalid data", {"api_name": "x", "json_path": "$.x"})),
    "territory with ids": (
        {"ids": [FIRST], "territory": {}},
        error("INVALID_DATA", "invalid data", {"api_name": "territory", "json_path": "$.territory"}),
    ),
    "unknown territory": (
        {"cvid": OLD_LEADS, "territory": {"id": UNKNOWN}},
        error("INVALID_DATA", "invalid data", {"api_name": "id", "json_path": "$.territory.id"}),
    ),
    "territory without id": (
        {"cvid": OLD_LEADS, "territory": {}},
        error("MANDATORY_NOT_FOUND", "required field not found", {"api_name": "id", "json_path": "$.territory.id"}),
    ),
    "territory no object": (
        {"cvid": OLD_LEADS, "territory": UNKNOWN},
        error("INVALID_DATA", "invalid data", {"api_name": "territory", "json_path": "$.territory", "expected_data_type": "jsonobject"}),
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_bad_order_is_refused_and_nothing_is_done(user: User, case: str) -> None:
    body, expected = REFUSALS[case]

    answer = user.post(PATH, body)

    assert (answer.status_code, answer.json()) == (400, expected)
    assert len(records(user)) == 10


def test_ids_and_view_together_are_ambiguous(user: User) -> None:
    assert user.post(PATH, {"ids": [FIRST], "cvid": OLD_LEADS}).json()["code"] == "AMBIGUITY_DURING_PROCESSING"


def test_errors_can_be_wrapped_in_data(user: User) -> None:
    user.control.readings(records_error_wrapping="data")

    assert user.post(PATH, {}).json()["data"][0]["code"] == "MANDATORY_NOT_FOUND"
    assert user.post("/Nonsense/actions/mass_delete", {}).json()["data"][0]["code"] == "INVALID_MODULE"


def test_a_view_is_deleted_by_a_job(user: User) -> None:
    answer = user.post(PATH, {"cvid": OLD_LEADS})
    job_id = answer.json()["data"][0]["details"]["job_id"]
    scheduled = {
        "code": "SUCCESS",
        "details": {"job_id": job_id},
        "message": "mass delete scheduled successfully",
        "status": "success",
    }
    assert (answer.status_code, answer.json()) == (200, {"data": [scheduled]})

    user.control.advance(60)
    assert state(user, job_id) == {"Status": "RUNNING", "Failed_Count": 0, "Deleted_Count": 2, "Total_Count": 4}
    user.control.advance(50)
    assert state(user, job_id) == {"Status": "COMPLETED", "Failed_Count": 0, "Deleted_Count": 4, "Total_Count": 4}
    assert records(user)[0] == FIFTH


def test_a_view_of_all_records_is_what_it_shows_at_the_time(user: User) -> None:
    user.post(PATH, {"ids": [FIRST]})
    job_id = submitted(user, cvid=ALL_LEADS)

    user.control.advance(110)

    assert state(user, job_id)["Total_Count"] == 9
    assert records(user) == []


def test_a_locked_record_fails_in_a_job_that_completes(user: User) -> None:
    seeded(user, {"records": [{"id": FIRST}, {"id": SECOND}], "locked_records": [FIRST], "custom_views": [{"id": "1", "name": "All"}]})
    job_id = submitted(user, cvid="1")

    user.control.advance(110)

    assert state(user, job_id) == {"Status": "COMPLETED", "Failed_Count": 1, "Deleted_Count": 1, "Total_Count": 2}


def test_a_territory_narrows_the_view(user: User) -> None:
    territories = [
        {"id": "7", "name": "North", "records": [FIRST]},
        {"id": "8", "name": "Oslo", "records": [SECOND], "parent": "7"},
        {"id": "9", "name": "Grünerløkka", "records": [FIFTH], "parent": "8"},
    ]
    ids = [{"id": record} for record in (FIRST, SECOND, FIFTH)]
    seeded(user, {"records": ids, "custom_views": [{"id": "1", "name": "All"}]}, territories=territories)

    alone = submitted(user, cvid="1", territory={"id": "7"})
    user.control.advance(110)
    below = submitted(user, cvid="1", territory={"id": "8", "include_child": True})

    assert state(user, alone)["Total_Count"] == 1
    assert state(user, below)["Total_Count"] == 2


def test_an_empty_view_has_no_records(user: User) -> None:
    seeded(user, {"custom_views": [{"id": "1", "name": "All"}]})

    assert user.post(PATH, {"cvid": "1"}).json() == error("NO_RECORDS_FOUND", "no record found to update", {})


@pytest.mark.parametrize(("reading", "other_view"), [("one_per_view", 200), ("one_per_org", 400)])
def test_a_second_job_for_a_view_is_already_scheduled(user: User, reading: str, other_view: int) -> None:
    user.control.readings(record_jobs_at_once=reading)
    submitted(user, cvid=OLD_LEADS)

    again = user.post(PATH, {"cvid": OLD_LEADS})

    assert (again.status_code, again.json()["code"], again.json()["details"]) == (400, "ALREADY_SCHEDULED", {"api_name": "cvid"})
    assert user.post(PATH, {"cvid": ALL_LEADS}).status_code == other_view


@pytest.mark.parametrize(("edition", "status"), [("Professional", 400), ("Ultimate", 200)])
def test_a_view_needs_an_edition_that_has_it(user: User, edition: str, status: int) -> None:
    user.control.change_org(edition=edition)

    assert user.post(PATH, {"cvid": OLD_LEADS}).status_code == status


def test_a_view_may_be_a_number_if_the_reading_allows_it(user: User) -> None:
    user.control.readings(request_ids="numbers_too")

    assert user.post(PATH, {"cvid": int(OLD_LEADS)}).status_code == 200


def test_a_module_may_not_support_mass_deletes(user: User) -> None:
    seeded(user, {"mass_delete_supported": False})

    answer = user.post(PATH, {"ids": [FIRST]})

    assert answer.json() == error("NOT_SUPPORTED", "Mass delete is not supported for this module", {"resource_path_index": 0})


def test_an_unknown_module_is_refused(user: User) -> None:
    answer = user.get("/Nonsense/actions/mass_delete", job_id="1")

    assert answer.json() == error("INVALID_MODULE", "the module name given seems to be invalid", {"resource_path_index": 0})


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, error("MANDATORY_NOT_FOUND", "mandatory param missing", {"param_name": "job_id"})),
        ({"job_id": "x"}, error("UNABLE_TO_PARSE_DATA_TYPE", "either the request body or parameters is in wrong format", {})),
        ({"job_id": UNKNOWN}, error("INVALID_DATA", "The jobid given seems to be invalid", {"param_name": "job_id"})),
    ],
)
def test_a_status_needs_a_job_that_exists(user: User, query: dict[str, str], expected: dict[str, Any]) -> None:
    answer = user.get(PATH, **query)

    assert (answer.status_code, answer.json()) == (400, expected)


def test_an_unknown_job_can_be_404(user: User) -> None:
    user.control.readings(records_unknown_job=404)

    answer = user.get(PATH, job_id=UNKNOWN)

    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
    user.control.readings(records_unknown_job="404_empty")
    assert (user.get(PATH, job_id=UNKNOWN).status_code, user.get(PATH, job_id=UNKNOWN).content) == (404, b"")


def test_a_deletion_costs_a_credit_per_100_records(user: User) -> None:
    seeded(user, {"records": 250, "custom_views": [{"id": "1", "name": "All"}]})
    ids = records(user)[:101]

    user.post(PATH, {"ids": ids})
    assert user.control.counters()["credits_used"] == {"808232144": 2}

    user.post(PATH, {"cvid": "1"})
    assert user.control.counters()["credits_used"] == {"808232144": 4}


# --- the count of a view -------------------------------------------------------------------------------------------------


def test_a_view_is_counted_as_it_is(user: User) -> None:
    assert user.get("/Leads/actions/count", cvid=OLD_LEADS).json() == {"count": 4}
    assert user.get("/Leads/actions/count").json() == {"count": 10}
    user.post(PATH, {"ids": [FIRST]})
    assert user.get("/Leads/actions/count", cvid=OLD_LEADS).json() == {"count": 3}


def test_the_count_may_be_ten_minutes_late(user: User) -> None:
    user.control.readings(view_count="late")
    counts = []
    for seconds in (0, 599, 1):
        user.control.advance(seconds)
        counts.append(user.get("/Leads/actions/count", cvid=OLD_LEADS).json()["count"])
        user.post(PATH, {"ids": [FIRST]})
    assert counts == [4, 4, 3]


def test_a_count_is_of_a_view_or_of_a_search(user: User) -> None:
    refused = user.get("/Leads/actions/count", cvid=OLD_LEADS, word="fin")
    assert refused.json()["details"] == {"ambiguity_due_to": [{"param_name": "cvid"}, {"param_name": "word"}]}
    assert user.get("/Leads/actions/count", cvid=UNKNOWN).json()["code"] == "INVALID_DATA"
    assert user.get("/Nonsense/actions/count").json()["code"] == "INVALID_MODULE"


@pytest.mark.parametrize(
    ("reading", "scope", "status"),
    [
        ("three", "ZohoCRM.modules.leads.READ,ZohoSearch.securesearch.READ,ZohoCRM.settings.layouts.READ", 200),
        ("three", "ZohoCRM.modules.leads.READ,ZohoSearch.securesearch.READ", 401),
        ("three", "ZohoCRM.modules.leads.READ,ZohoCRM.settings.layouts.READ", 401),
        ("three", "ZohoSearch.securesearch.READ,ZohoCRM.settings.layouts.READ", 401),
        ("modules", "ZohoCRM.modules.READ", 200),
    ],
)
def test_the_count_needs_three_scopes_by_one_document_and_one_by_another(user: User, reading: str, scope: str, status: int) -> None:
    user.control.readings(view_count_scopes=reading)
    user.log_in(grant_type="client_credentials", scope=scope, soid="ZohoCRM.808232144")
    assert user.get("/Leads/actions/count", cvid=OLD_LEADS).status_code == status


# --- records by id -------------------------------------------------------------------------------------------------------


def test_the_records_among_given_ids_are_those_that_there_are(user: User) -> None:
    user.post(PATH, {"ids": [FIRST]})
    answer = user.get("/Leads", fields="id", ids=f"{FIRST},{SECOND},{UNKNOWN}").json()
    assert answer["data"] == [{"id": SECOND}]
    assert (answer["info"]["count"], answer["info"]["more_records"]) == (1, False)


def test_no_record_among_given_ids_is_204(user: User) -> None:
    assert user.get("/Leads", fields="id", ids=UNKNOWN).status_code == 204


def test_records_are_read_with_their_fields_named_and_with_permission(user: User) -> None:
    assert user.get("/Leads", ids=FIRST).json()["details"] == {"param_name": "fields"}
    assert user.get("/Nonsense", fields="id").json()["code"] == "INVALID_MODULE"
    user.control.change_org(missing_permissions=["Crm_Implied_View_Leads"])
    assert user.get("/Leads", fields="id").status_code == 403


def test_an_id_without_a_record_may_refuse_the_whole_call(user: User) -> None:
    user.control.readings(record_ids_refused="whole_call")
    answer = user.post(PATH, {"ids": [FIRST, UNKNOWN]})
    at = {"api_name": "ids", "json_path": "$.ids[1]", "id": UNKNOWN}
    assert (answer.status_code, answer.json()) == (400, error("INVALID_DATA", "the id given seems to be invalid", at))
    assert len(records(user)) == 10


def test_a_deleted_record_can_come_back_under_its_id(user: User) -> None:
    user.post(PATH, {"ids": [FIRST]})
    user.control.add_records("Leads", [FIRST, "2276164000006064099"])
    assert {FIRST, "2276164000006064099"} <= set(user.control.records("Leads"))
