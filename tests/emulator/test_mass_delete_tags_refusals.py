"""Every documented way in which a mass delete of tags is refused, with its body to the letter."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.user import LEADS, MASS_DELETE, User

HOT = "2276164000001021041"
VIP_OF_CONTACTS = "2276164000001021053"
UNKNOWN = "2276164999999999999"
MODULE_FIELDS = [
    {"api_name": "id", "json_path": "$.mass_delete[0].module.id"},
    {"api_name": "api_name", "json_path": "$.mass_delete[0].module.api_name"},
]
FIRST_TAG = {"api_name": "id", "json_path": "$.mass_delete[0].tags[0].id"}


def order(**changes: Any) -> dict[str, Any]:
    """Return a good order with changes; a change to None takes the key away."""
    element = {"module": LEADS, "tags": [{"id": HOT}]} | changes
    return {"mass_delete": [{key: value for key, value in element.items() if value is not None}]}


def error(code: str, message: str, details: dict[str, Any]) -> dict[str, Any]:
    return {"code": code, "details": details, "message": message, "status": "error"}


def missing(name: str, path: str) -> dict[str, Any]:
    return error("MANDATORY_NOT_FOUND", "required field not found", {"api_name": name, "json_path": path})


def invalid(name: str, path: str, **more: Any) -> dict[str, Any]:
    return error("INVALID_DATA", "invalid data", {"api_name": name, "json_path": path, **more})


ROOT, MODULE, TAGS = "$.mass_delete", "$.mass_delete[0].module", "$.mass_delete[0].tags"
REFUSALS: dict[str, tuple[Any, dict[str, Any]]] = {
    "no mass_delete": ({}, missing("mass_delete", ROOT)),
    "no module": (order(module=None), missing("module", MODULE)),
    "no tags": (order(tags=None), missing("tags", TAGS)),
    "no module id": (order(module={"api_name": "Leads"}), missing("id", f"{MODULE}.id")),
    "no module api_name": (order(module={"id": LEADS["id"]}), missing("api_name", f"{MODULE}.api_name")),
    "no tag id": (order(tags=[{"name": "hot"}]), missing("id", f"{TAGS}[0].id")),
    "mass_delete empty": ({"mass_delete": []}, invalid("mass_delete", ROOT)),
    "mass_delete of two modules": ({"mass_delete": order()["mass_delete"] * 2}, invalid("mass_delete", ROOT, maximum_length=1)),
    "mass_delete no array": ({"mass_delete": {}}, invalid("mass_delete", ROOT, expected_data_type="jsonarray")),
    "mass_delete of no object": ({"mass_delete": ["x"]}, invalid("mass_delete", f"{ROOT}[0]", expected_data_type="jsonobject")),
    "201 tags": (order(tags=[{"id": HOT}] * 201), invalid("tags", TAGS, maximum_length=200)),
    "tags empty": (order(tags=[]), invalid("tags", TAGS)),
    "tags no array": (order(tags={"id": HOT}), invalid("tags", TAGS, expected_data_type="jsonarray")),
    "a tag no object": (order(tags=[{"id": HOT}, HOT]), invalid("tags", f"{TAGS}[1]", expected_data_type="jsonobject")),
    "module no object": (order(module="Leads"), invalid("module", MODULE, expected_data_type="jsonobject")),
    "tag id a number": (order(tags=[{"id": int(HOT)}]), invalid("id", f"{TAGS}[0].id", expected_data_type="string")),
    "module id a number": (
        order(module={**LEADS, "id": int(LEADS["id"])}),
        invalid("id", f"{MODULE}.id", expected_data_type="string"),
    ),
    "module api_name no string": (
        order(module={**LEADS, "api_name": 1}),
        invalid("api_name", f"{MODULE}.api_name", expected_data_type="string"),
    ),
    "unknown tag": (order(tags=[{"id": UNKNOWN}]), error("INVALID_DATA", "tags not found", FIRST_TAG)),
    "tag of another module": (
        order(tags=[{"id": VIP_OF_CONTACTS}]),
        error("INVALID_DATA", "one of the tags seems not found.", FIRST_TAG),
    ),
    "id and api_name disagree": (
        order(module={**LEADS, "api_name": "Contacts"}),
        error("AMBIGUITY_DURING_PROCESSING", "ambiguous module identifiers", {"ambiguity_due_to": MODULE_FIELDS}),
    ),
    "neither id nor api_name": (
        order(module={}),
        error("EXPECTED_FIELD_MISSING", "expected field missing", {"expected_fields": MODULE_FIELDS}),
    ),
    "unknown module": (
        order(module={"id": UNKNOWN, "api_name": "Nonsense"}),
        error("INVALID_MODULE", "the module name given seems to be invalid", {}),
    ),
    "no object at all": (
        [1],
        error("UNABLE_TO_PARSE_DATA_TYPE", "either the request body or parameters is in wrong format", {}),
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_bad_order_is_refused_with_the_documented_body_and_nothing_is_done(user: User, case: str) -> None:
    body, expected = REFUSALS[case]

    answer = user.post(MASS_DELETE, body)

    assert (answer.status_code, answer.json()) == (400, expected)
    assert user.control.counters()["jobs"] == []


def test_a_body_that_is_no_json_is_refused(user: User) -> None:
    answer = user.call("POST", MASS_DELETE, data="mass_delete=1")

    assert (answer.status_code, answer.json()["code"]) == (400, "UNABLE_TO_PARSE_DATA_TYPE")


def test_a_body_needs_no_content_type(user: User) -> None:
    body = '{"mass_delete": [{"module": {"id": "2276164000000000125", "api_name": "Leads"}, "tags": [{"id": "2276164000001021041"}]}]}'

    assert user.call("POST", MASS_DELETE, data=body).status_code == 202


def test_a_deleted_tag_is_told_from_one_that_never_was(user: User) -> None:
    user.call("DELETE", f"/settings/tags/{HOT}")

    answer = user.post(MASS_DELETE, order())

    assert answer.json() == error("INVALID_DATA", "one of the tags seems not found.", FIRST_TAG)


def test_a_tag_of_a_feature_refuses_the_whole_request(user: User) -> None:
    (used,) = user.control.add_tags("Leads", [{"name": "used", "features": [{"type": "Blueprint", "name": "Qualification"}]}])

    answer = user.post(MASS_DELETE, order(tags=[{"id": HOT}, {"id": used}]))

    second = {"api_name": "id", "json_path": "$.mass_delete[0].tags[1].id"}
    assert (answer.status_code, answer.json()) == (400, error("NOT_ALLOWED", "tags has been associated to features", second))
    user.control.advance(1000)
    assert "hot" in user.tag_names()


def test_a_module_that_has_no_tags_is_not_supported(user: User) -> None:
    user.control.seed({"orgs": [{"zgid": "808232144", "modules": [{"api_name": "Forecasts", "tags_supported": False}]}]})
    user.log_in(grant_type="client_credentials", scope="ZohoCRM.settings.ALL", soid="ZohoCRM.808232144")
    module = {"id": user.get("/settings/modules").json()["modules"][0]["id"], "api_name": "Forecasts"}

    answer = user.post(MASS_DELETE, order(module=module))

    assert answer.json() == error("INVALID_MODULE", "the given module is not supported for this api", {})


def test_200_tags_are_accepted(user: User) -> None:
    ids = user.control.add_tags("Leads", [f"tag {number}" for number in range(200)])

    answer = user.post(MASS_DELETE, order(tags=[{"id": tag_id} for tag_id in ids]))

    assert answer.status_code == 202


def test_readings_change_submissions(user: User) -> None:
    user.control.readings(request_ids="numbers_too", submit_code="QUEUED", job_id_type="number", ambiguity_message="documented")

    accepted = user.post(MASS_DELETE, order(tags=[{"id": int(HOT)}])).json()
    refused = user.post(MASS_DELETE, order(module={**LEADS, "api_name": "Contacts"})).json()

    assert accepted["code"] == "QUEUED"
    assert isinstance(accepted["details"]["job_id"], int)
    assert refused["message"] == "Ambiguity during processing"


@pytest.mark.parametrize(("job_id", "message"), [("null", "invalid data"), ("1" * 20, "invalid data"), ("9" * 18, "job details not found")])
def test_an_unknown_job_is_an_error_inside_mass_delete(user: User, job_id: str, message: str) -> None:
    answer = user.get(MASS_DELETE, job_id=job_id)

    assert (answer.status_code, answer.json()) == (400, {"mass_delete": [error("INVALID_DATA", message, {"job_id": job_id})]})


def test_a_records_job_is_no_tag_job(user: User) -> None:
    job_id = user.post("/Leads/actions/mass_delete", {"cvid": "2276164000000538003"}).json()["data"][0]["details"]["job_id"]

    assert user.get(MASS_DELETE, job_id=job_id).status_code == 400


def test_a_status_without_job_id_is_refused(user: User) -> None:
    answer = user.get(MASS_DELETE, job_ID="1")

    expected = error("REQUIRED_PARAM_MISSING", "One of the expected param is missing", {"param_name": "job_id"})
    assert (answer.status_code, answer.json()) == (400, expected)


def test_readings_change_the_status(user: User) -> None:
    user.control.readings(
        missing_job_id_status=401,
        unknown_job_nesting=2,
        counts="absent",
        created_time="on",
        running_word="in_progress",
        job_id_type="number",
    )
    user.control.jobs(start_delay=0)
    job_id = str(user.submit("hot").json()["details"]["job_id"])

    assert user.get(MASS_DELETE).status_code == 401
    assert user.get(MASS_DELETE, job_id="1").json()["mass_delete"][0][0]["code"] == "INVALID_DATA"
    job = user.job(job_id)
    assert (job.pop("created_time")[-6:], job) == ("+05:30", {"job_id": int(job_id), "status": "in_progress"})
