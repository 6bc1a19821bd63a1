"""Tags put on records and taken off them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.user import User

ADD, REMOVE = "/Leads/actions/add_tags", "/Leads/actions/remove_tags"
HOT, COLD, VIP = (
    {"name": name, "id": f"227616400000102104{n}", "color_code": "#57B1FD"} for n, name in enumerate(["hot", "cold", "VIP"], 1)
)
ONE, TWO, THREE = (f"227616400000606400{n}" for n in (1, 2, 3))
UNKNOWN = "2276164999999999999"
ORG = {"zgid": "808232144", "refresh_tokens": [{"token": "1000.emulator-refresh-token"}]}


def seeded(user: User, **module: Any) -> None:
    user.control.seed({"orgs": [{**ORG, "tags_per_module": 3, "modules": [{"api_name": "Leads", **module}]}]})
    user.log_in()


def test_tags_are_added_to_records(user: User) -> None:
    answer = user.post(ADD, {"tags": [{"id": VIP["id"]}], "ids": [ONE, TWO]})

    success = {"code": "SUCCESS", "message": "tags updated successfully", "status": "success"}
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "data": [
                {**success, "details": {"id": ONE, "tags": [HOT, VIP]}},
                {**success, "details": {"id": TWO, "tags": [COLD, VIP]}},
            ],
            "success_count": "2",
            "locked_count": "0",
        },
    )
    assert user.control.tagged("Leads")["VIP"] == [ONE, TWO]


def test_a_record_can_stand_in_the_path(user: User) -> None:
    assert user.post(f"/Leads/{TWO}/actions/add_tags", {"tags": [{"name": "VIP"}]}).status_code == 200
    assert user.control.tagged("Leads")["VIP"] == [ONE, TWO]

    assert user.post(f"/Leads/{TWO}/actions/remove_tags", {"tags": [{"name": "VIP"}]}).status_code == 200
    assert user.control.tagged("Leads")["VIP"] == [ONE]


def test_the_count_of_a_tag_follows(user: User) -> None:
    path = f"/settings/tags/{VIP['id']}/actions/records_count"
    user.post(ADD, {"tags": [{"name": "VIP"}], "ids": [ONE, TWO, THREE]})
    assert user.get(path, module="Leads").json()["count"] == "3"

    user.post("/Leads/actions/mass_delete", {"ids": [TWO]})
    user.post(REMOVE, {"tags": [{"name": "VIP"}], "ids": [ONE]})

    assert user.get(path, module="Leads").json()["count"] == "1"


def test_adding_twice_changes_nothing(user: User) -> None:
    first = user.post(ADD, {"tags": [{"name": "VIP"}], "ids": [TWO]}).json()

    assert user.post(ADD, {"tags": [{"name": "VIP"}], "ids": [TWO]}).json() == first


@pytest.mark.parametrize("place", ["body", "query"])
def test_over_write_takes_the_other_tags_away(user: User, place: str) -> None:
    body = {"tags": [{"name": "VIP"}], "ids": [ONE]}

    answer = user.post(ADD, {**body, "over_write": True}) if place == "body" else user.post(ADD, body, over_write="true")

    assert answer.json()["data"][0]["details"]["tags"] == [VIP]


def test_the_id_of_a_tag_wins_over_its_name(user: User) -> None:
    answer = user.post(ADD, {"tags": [{"name": "cold", "id": VIP["id"]}], "ids": [THREE]})

    assert answer.json()["data"][0]["details"]["tags"] == [HOT, VIP]


def test_a_name_that_nothing_has_makes_a_tag(user: User) -> None:
    answer = user.post(ADD, {"tags": [{"name": "new", "color_code": "#F48435"}], "ids": [TWO]})

    (_, tag) = answer.json()["data"][0]["details"]["tags"]
    assert tag == {"name": "new", "id": user.control.tags("Leads")["new"], "color_code": "#F48435"}


def test_a_tag_that_a_job_has_deleted_is_refused_though_it_is_still_listed(user: User) -> None:
    user.control.next_jobs(removal_lag=30)
    user.submit("VIP")
    user.control.advance(110)
    assert "VIP" in user.tag_names()

    answer = user.post(ADD, {"tags": [{"id": VIP["id"]}], "ids": [TWO]})

    assert (answer.status_code, answer.json()["details"]) == (400, {"api_name": "id", "json_path": "$.tags[0].id"})


def test_a_name_that_nothing_has_can_be_refused(user: User) -> None:
    user.control.readings(add_tags_by_name="refused")

    answer = user.post(ADD, {"tags": [{"name": "new"}], "ids": [TWO]})

    assert (answer.status_code, answer.json()["details"]) == (400, {"api_name": "name", "json_path": "$.tags[0].name"})


def test_no_tag_is_made_beyond_the_limit_of_the_module(user: User) -> None:
    seeded(user, tags=["a", "b", "c"], records=[{"id": ONE}])

    answer = user.post(ADD, {"tags": [{"name": "d"}], "ids": [ONE]})

    assert (answer.status_code, answer.json()["tags"][0]["code"]) == (400, "LICENSE_LIMIT_EXCEEDED")


def test_a_full_record_says_success_and_what_it_did_not_take(user: User) -> None:
    user.control.change_org(tags_per_record=1)

    answer = user.post(ADD, {"tags": [{"name": "VIP"}], "ids": [TWO]})

    assert answer.json()["data"][0]["code"] == "SUCCESS"
    assert answer.json()["data"][0]["details"] == {"id": TWO, "tags": [COLD], "not_added_tags": [VIP]}
    assert user.control.tagged("Leads")["VIP"] == [ONE]


def test_a_full_record_can_be_a_failure(user: User) -> None:
    user.control.change_org(tags_per_record=1)
    user.control.readings(full_record="failure")

    assert user.post(ADD, {"tags": [{"name": "VIP"}], "ids": [TWO]}).json()["data"][0]["code"] == "FAILURE"
    assert user.post(ADD, {"tags": [{"name": "cold"}], "ids": [TWO]}).json()["data"][0]["code"] == "SUCCESS"


@pytest.mark.parametrize("status", [200, 207])
def test_a_record_that_is_not_there_fails_alone(user: User, status: int) -> None:
    user.control.readings(mixed_tagging_status=status)

    answer = user.post(ADD, {"tags": [{"name": "VIP"}], "ids": [TWO, UNKNOWN]})

    failure = {"code": "FAILURE", "details": {"id": UNKNOWN}, "message": "tags not updated successfully", "status": "error"}
    assert (answer.status_code, answer.json()["data"][1]) == (status, failure)
    assert answer.json()["success_count"] == "1"
    assert user.control.tagged("Leads")["VIP"] == [ONE, TWO]


def test_nothing_but_failures_is_400(user: User) -> None:
    user.control.readings(missing_record="invalid_data")

    answer = user.post(ADD, {"tags": [{"name": "VIP"}], "ids": [UNKNOWN]})

    assert (answer.status_code, answer.json()["data"][0]["code"]) == (400, "INVALID_DATA")


def test_a_locked_record_refuses_its_own_change_or_the_whole_call(user: User) -> None:
    seeded(user, tags=["a"], records=[{"id": ONE}, {"id": TWO}], locked_records=[TWO])
    locked = {"action": "record_locking", "id": TWO}

    answer = user.post(ADD, {"tags": [{"name": "a"}], "ids": [ONE, TWO]})
    assert [element["code"] for element in answer.json()["data"]] == ["SUCCESS", "RECORD_LOCKED"]
    assert (answer.json()["data"][1]["details"], answer.json()["locked_count"]) == (locked, "1")

    user.control.readings(locked_record="whole_call")
    answer = user.post(REMOVE, {"tags": [{"name": "a"}], "ids": [ONE, TWO]})
    assert (answer.status_code, answer.json()["code"], answer.json()["details"]) == (400, "RECORD_LOCKED", locked)
    assert user.control.tagged("Leads") == {"a": [ONE]}


def test_removing_tells_what_is_left_and_minds_no_unknown_tag(user: User) -> None:
    answer = user.post(REMOVE, {"tags": [{"name": "hot"}, {"name": "nonsense"}], "ids": [ONE, TWO]})

    assert [element["details"]["tags"] for element in answer.json()["data"]] == [[VIP], [COLD]]


def test_the_id_of_a_tag_wins_over_its_name_when_it_is_removed(user: User) -> None:
    answer = user.post(REMOVE, {"tags": [{"name": "hot", "id": VIP["id"]}], "ids": [ONE]})

    assert answer.json()["data"][0]["details"]["tags"] == [HOT]


AT_ID = {"api_name": "id", "json_path": "$.tags[0].id", "expected_data_type": "string"}
AT_NAME = {"api_name": "name", "json_path": "$.tags[*].name"}
BAD_TAGS: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "an id as a number": ({"id": int(HOT["id"])}, "INVALID_DATA", AT_ID),
    "an id as an array": ({"id": [], "name": "hot"}, "INVALID_DATA", AT_ID),
    "neither id nor name": ({"color_code": "#F48435"}, "MANDATORY_NOT_FOUND", AT_NAME),
    "a name as a number": ({"name": 1}, "INVALID_DATA", {**AT_NAME, "expected_data_type": "text"}),
    "a name as a number beside an id": ({"id": HOT["id"], "name": 1}, "INVALID_DATA", {**AT_NAME, "expected_data_type": "text"}),
    "a null as name beside an id": ({"id": HOT["id"], "name": None}, "MANDATORY_NOT_FOUND", AT_NAME),
    "a long name": ({"name": "n" * 26}, "INVALID_DATA", {**AT_NAME, "maximum_length": 25}),
    "a color as a number": (
        {"name": "hot", "color_code": 1},
        "INVALID_DATA",
        {"api_name": "color_code", "json_path": "$.tags[*].color_code", "expected_data_type": "text"},
    ),
}


@pytest.mark.parametrize("path", [ADD, REMOVE, f"/Leads/{ONE}/actions/add_tags", f"/Leads/{ONE}/actions/remove_tags"])
@pytest.mark.parametrize("case", BAD_TAGS)
def test_a_bad_tag_is_refused_and_nothing_is_done(user: User, case: str, path: str) -> None:
    tag, code, details = BAD_TAGS[case]
    before = user.control.tagged("Leads")

    answer = user.post(path, {"tags": [tag], "ids": [ONE]})

    (error,) = answer.json().get("tags", [answer.json()])
    assert (answer.status_code, error["code"], error["details"]) == (400, code, details)
    assert user.control.tagged("Leads") == before


def test_an_over_write_that_is_no_boolean_is_refused_and_makes_no_tag(user: User) -> None:
    answer = user.post(ADD, {"tags": [{"name": "new"}], "ids": [ONE], "over_write": "true"})

    details = {"api_name": "over_write", "json_path": "$.over_write", "expected_data_type": "boolean"}
    assert (answer.status_code, answer.json()["code"], answer.json()["details"]) == (400, "INVALID_DATA", details)
    assert "new" not in user.control.tags("Leads")


@pytest.mark.parametrize("verb", ["add_tags", "remove_tags"])
def test_bad_ids_are_refused_also_where_the_path_has_the_record(user: User, verb: str) -> None:
    answer = user.post(f"/Leads/{ONE}/actions/{verb}", {"tags": [VIP], "ids": ["x"]})

    assert (answer.status_code, answer.json()["details"]) == (400, {"api_name": "ids", "json_path": "$.ids[0]"})


def test_fifty_records_cost_a_credit(user: User) -> None:
    records = user.control.add_records("Leads", 101)
    user.control.reset_counters()

    user.post(ADD, {"tags": [{"name": "VIP"}], "ids": records})

    assert user.control.counters()["credits_used"] == {"808232144": 3}


def test_the_ids_may_be_a_string_that_holds_an_array(user: User) -> None:
    assert user.post(ADD, {"tags": [{"name": "VIP"}], "ids": f'["{TWO}"]'}).status_code == 200


REFUSALS: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "no ids": ({"tags": [HOT]}, "MANDATORY_NOT_FOUND", {"api_name": "ids", "json_path": "$.ids"}),
    "no tags": ({"ids": [ONE]}, "MANDATORY_NOT_FOUND", {"api_name": "tags", "json_path": "$.tags"}),
    "empty ids": ({"tags": [HOT], "ids": []}, "INVALID_DATA", {"api_name": "ids", "json_path": "$.ids", "expected_data_type": "jsonarray"}),
    "a string": ({"tags": [HOT], "ids": "x"}, "INVALID_DATA", {"api_name": "ids", "json_path": "$.ids", "expected_data_type": "jsonarray"}),
    "501 ids": ({"tags": [HOT], "ids": [ONE] * 501}, "INVALID_DATA", {"api_name": "ids", "json_path": "$.ids", "maximum_length": 500}),
    "an id that is none": ({"tags": [HOT], "ids": [ONE, "x"]}, "INVALID_DATA", {"api_name": "ids", "json_path": "$.ids[1]"}),
    "an id as a number": ({"tags": [HOT], "ids": [int(ONE)]}, "INVALID_DATA", {"api_name": "ids", "json_path": "$.ids[0]"}),
    "no tags in it": (
        {"tags": [], "ids": [ONE]},
        "INVALID_DATA",
        {"api_name": "tags", "json_path": "$.tags", "expected_data_type": "jsonarray"},
    ),
    "an unknown tag": ({"tags": [HOT, {"id": UNKNOWN}], "ids": [ONE]}, "INVALID_DATA", {"api_name": "id", "json_path": "$.tags[1].id"}),
    "of another module": (
        {"tags": [{"id": "2276164000001021051"}], "ids": [ONE]},
        "INVALID_DATA",
        {"api_name": "id", "json_path": "$.tags[0].id"},
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_bad_call_is_refused_and_nothing_is_done(user: User, case: str) -> None:
    body, code, details = REFUSALS[case]
    before = user.control.tagged("Leads")

    answer = user.post(ADD, body)

    assert (answer.status_code, answer.json()["code"], answer.json()["details"]) == (400, code, details)
    assert user.control.tagged("Leads") == before


@pytest.mark.parametrize(
    ("name", "details"), [("n" * 26, {"maximum_length": 25}), ("a,b", {}), ("<a>", {}), (1, {"expected_data_type": "text"})]
)
def test_a_bad_name_is_refused(user: User, name: Any, details: dict[str, Any]) -> None:
    answer = user.post(ADD, {"tags": [{"name": name}], "ids": [ONE]})

    (error,) = answer.json()["tags"]
    assert (answer.status_code, error["code"]) == (400, "INVALID_DATA")
    assert error["details"] == {"api_name": "name", "json_path": "$.tags[*].name", **details}


def test_the_tags_of_a_call_can_be_limited(user: User) -> None:
    user.control.readings(tags_per_call=1)

    answer = user.post(ADD, {"tags": [HOT, VIP], "ids": [ONE]})

    assert (answer.status_code, answer.json()["details"]) == (400, {"api_name": "tags", "json_path": "$.tags", "maximum_length": 1})


@pytest.mark.parametrize(
    ("scope", "add", "remove"),
    [
        ("ZohoCRM.modules.leads.WRITE", 200, 200),
        ("ZohoCRM.modules.leads.CREATE", 200, 401),
        ("ZohoCRM.modules.leads.READ", 401, 401),
        ("ZohoCRM.settings.tags.ALL", 401, 401),
    ],
)
def test_the_scope_is_that_of_the_module(user: User, scope: str, add: int, remove: int) -> None:
    user.log_in(grant_type="client_credentials", scope=scope, soid="ZohoCRM.808232144")
    body = {"tags": [{"name": "VIP"}], "ids": [ONE]}

    assert (user.post(ADD, body).status_code, user.post(REMOVE, body).status_code) == (add, remove)


def test_a_module_must_have_tags_and_the_user_the_permission(user: User) -> None:
    body = {"tags": [{"name": "VIP"}], "ids": [ONE]}
    assert user.post("/leads/actions/add_tags", body).json()["details"] == {}
    user.control.change_org(missing_permissions=["Crm_Implied_Edit_Leads"])
    assert user.post(ADD, body).status_code == 403

    seeded(user, tags_supported=False)

    assert user.post(ADD, body).json()["message"] == "the given module is not supported for this api"
