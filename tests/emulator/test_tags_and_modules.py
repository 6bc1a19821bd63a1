"""Tags one by one, modules, the org."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.user import User

HOT = "2276164000001021041"
VIP = "2276164000001021043"
UNKNOWN = "2276164999999999999"
ORG = {"zgid": "808232144", "refresh_tokens": [{"token": "1000.emulator-refresh-token"}]}


def seeded(user: User, *modules: dict[str, Any], **org: Any) -> None:
    user.control.seed({"orgs": [{**ORG, "modules": list(modules), **org}]})
    user.log_in()


def test_the_list_names_each_tag_and_the_limits(user: User) -> None:
    answer = user.get("/settings/tags", module="Leads").json()

    person = {"name": "Patricia Boyle", "id": "2276164000000225013"}
    assert answer["tags"][0] == {
        "created_time": "2024-03-01T09:30:00+05:30",
        "modified_time": "2024-03-01T09:30:00+05:30",
        "name": "hot",
        "modified_by": person,
        "id": HOT,
        "created_by": person,
        "color_code": "#57B1FD",
    }
    assert answer["info"] == {"record_limit": 10, "count": 5, "allowed_count": 100}


def test_the_list_has_no_pages(user: User) -> None:
    seeded(user, {"api_name": "Leads", "tags": [f"tag {number}" for number in range(484)]}, tags_per_module=500)

    answer = user.get("/settings/tags", module="Leads", page="2", per_page="10").json()

    assert (len(answer["tags"]), answer["info"]["allowed_count"]) == (484, 500)


def test_a_module_without_tags_has_an_empty_list_or_204(user: User) -> None:
    seeded(user, {"api_name": "Leads"})
    assert user.get("/settings/tags", module="Leads").json()["tags"] == []

    user.control.readings(empty_tags=204)

    answer = user.get("/settings/tags", module="Leads")
    assert (answer.status_code, answer.content, answer.headers["Content-Type"]) == (204, b"", "application/json;charset=UTF-8")


def test_my_tags_are_those_of_the_user_of_the_token(user: User) -> None:
    sarah = {"id": "2276164000000225099", "name": "Sarah"}
    user.control.add_tags("Leads", [{"name": "Sarahs list", "created_by": sarah, "modified_by": sarah}])

    names = [tag["name"] for tag in user.get("/settings/tags", module="Leads", my_tags="true").json()["tags"]]

    assert "Sarahs list" in user.tag_names()
    assert "Sarahs list" not in names
    assert "hot" in names


def test_the_list_includes_counts_if_the_reading_allows_it(user: User) -> None:
    asked = {"module": "Leads", "include": "associated_record_count,last_accessed_time"}
    user.control.add_tags("Leads", [{"name": "seen", "last_accessed_time": "2025-01-01T00:00:00+00:00"}])
    assert "associated_record_count" not in user.get("/settings/tags", **asked).json()["tags"][0]

    user.control.readings(include_counts="supported")

    tags = {tag["name"]: tag for tag in user.get("/settings/tags", **asked).json()["tags"]}
    assert (tags["hot"]["associated_record_count"], tags["VIP"]["associated_record_count"]) == (5, 1)
    assert (tags["seen"]["last_accessed_time"], tags["hot"]["last_accessed_time"]) == ("2025-01-01T05:30:00+05:30", None)
    assert "last_accessed_time" not in user.get("/settings/tags", module="Leads", include="type").json()["tags"][0]


@pytest.mark.parametrize(
    ("query", "code", "message", "details"),
    [
        ({}, "REQUIRED_PARAM_MISSING", "One of the expected parameter is missing", {"param": "module"}),
        ({"module": "leads"}, "INVALID_MODULE", "the module name given seems to be invalid", {}),
        ({"module": "Forecasts"}, "INVALID_MODULE", "the given module is not supported for this api", {}),
    ],
)
def test_a_bad_module_is_refused(user: User, query: dict[str, str], code: str, message: str, details: dict[str, str]) -> None:
    seeded(user, {"api_name": "Leads"}, {"api_name": "Forecasts", "tags_supported": False})

    answer = user.get("/settings/tags", **query)

    assert (answer.status_code, answer.json()) == (400, {"code": code, "details": details, "message": message, "status": "error"})


def test_tags_are_created(user: User) -> None:
    answer = user.post("/settings/tags", {"tags": [{"name": "new", "color_code": "#AAFE62"}]}, module="Leads")

    (element,) = answer.json()["tags"]
    assert answer.status_code == 201
    assert (element["code"], element["message"], element["status"]) == ("SUCCESS", "tags created successfully", "success")
    assert element["details"].keys() == {"created_time", "modified_time", "name", "modified_by", "id", "created_by", "color_code"}
    assert user.tag_names()[-1] == "new"


def test_a_creation_can_go_through_in_part(user: User) -> None:
    wanted = [{"name": "new"}, {"name": "hot"}, {"name": ""}, {}, 1, {"name": "n" * 27}]

    answer = user.post("/settings/tags", {"tags": wanted}, module="Leads")

    made, duplicate, empty, nameless, nothing, long = answer.json()["tags"]
    assert answer.status_code == 207
    assert made["status"] == "success"
    assert duplicate["message"] == "duplicate data"
    assert duplicate["details"] == {"api_name": "name", "json_path": "$.tags[1].name", "id": HOT}
    assert empty["code"] == "INVALID_DATA"
    assert (nameless["code"], nothing["code"]) == ("MANDATORY_NOT_FOUND", "MANDATORY_NOT_FOUND")
    assert long["details"]["maximum_length"] == 26


@pytest.mark.parametrize("name", ["a,b", "<a", "a>"])
def test_some_characters_are_not_for_names(user: User, name: str) -> None:
    answer = user.post("/settings/tags", {"tags": [{"name": name}]}, module="Leads")

    (element,) = answer.json()["tags"]
    assert (element["code"], element["details"]) == ("INVALID_DATA", {"api_name": "name", "json_path": "$.tags[0].name"})


@pytest.mark.parametrize(("color", "details"), [(1, {"expected_data_type": "text"}), ("#AAFE62FF", {"maximum_length": 7})])
def test_a_color_has_seven_characters(user: User, color: Any, details: dict[str, Any]) -> None:
    answer = user.post("/settings/tags", {"tags": [{"name": "new", "color_code": color}]}, module="Leads")

    (element,) = answer.json()["tags"]
    assert element["details"] == {"api_name": "color_code", "json_path": "$.tags[0].color_code", **details}


def test_only_the_documented_colors_if_the_reading_says_so(user: User) -> None:
    user.control.readings(tag_colors="documented")
    wanted = [{"name": "one", "color_code": "#AAFE62"}, {"name": "two", "color_code": "#F48435"}, {"name": "three"}]

    answer = user.post("/settings/tags", {"tags": wanted}, module="Leads")

    assert [element["code"] for element in answer.json()["tags"]] == ["INVALID_DATA", "SUCCESS", "SUCCESS"]


@pytest.mark.parametrize(("choice", "code"), [("mapping_mismatch", "MAPPING_MISMATCH"), ("duplicate_data", "DUPLICATE_DATA")])
def test_a_tag_that_is_there_in_another_color_is_refused(user: User, choice: str, code: str) -> None:
    user.control.readings(other_color=choice)
    wanted = [{"name": "hot", "color_code": "#F48435"}, {"name": "hot", "color_code": "#57B1FD"}]

    answer = user.post("/settings/tags", {"tags": wanted}, module="Leads")

    assert [element["code"] for element in answer.json()["tags"]] == [code, "DUPLICATE_DATA"]


def test_a_call_creates_so_many_tags_and_no_more(user: User) -> None:
    answer = user.post("/settings/tags", {"tags": [{"name": f"new {n}"} for n in range(21)]}, module="Leads")

    assert (answer.status_code, answer.json()["details"]) == (400, {"api_name": "tags", "json_path": "$.tags", "maximum_length": 20})
    assert len(user.tag_names()) == 5


def test_names_are_told_apart_by_case(user: User) -> None:
    assert user.post("/settings/tags", {"tags": [{"name": "HOT"}]}, module="Leads").status_code == 201


def test_no_more_tags_than_the_edition_allows(user: User) -> None:
    user.control.change_org(tags_per_module=5)

    answer = user.post("/settings/tags", {"tags": [{"name": "new"}]}, module="Leads")

    expected = {"code": "LICENSE_LIMIT_EXCEEDED", "details": {}, "message": "tags edition limit exceeded", "status": "error"}
    assert (answer.status_code, answer.json()) == (400, {"tags": [expected]})


@pytest.mark.parametrize(("body", "code"), [({}, "MANDATORY_NOT_FOUND"), ({"tags": {}}, "INVALID_DATA"), ({"tags": []}, "INVALID_DATA")])
def test_a_creation_needs_an_array_of_tags(user: User, body: Any, code: str) -> None:
    answer = user.post("/settings/tags", body, module="Leads")

    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_one_tag_is_deleted_at_once_and_off_its_records(user: User) -> None:
    answer = user.call("DELETE", f"/settings/tags/{HOT}")

    expected = {"code": "SUCCESS", "details": {"id": HOT}, "message": "tags deleted successfully", "status": "success"}
    assert (answer.status_code, answer.json()) == (200, {"tags": [expected]})
    assert "hot" not in user.tag_names()
    assert user.control.org(records=True)["modules"][0]["records"]["2276164000006064001"] == [VIP]


def test_an_unknown_tag_is_not_deleted(user: User) -> None:
    answer = user.call("DELETE", f"/settings/tags/{UNKNOWN}")

    expected = {"code": "INVALID_DATA", "details": {"id": UNKNOWN}, "message": "tags not found", "status": "error"}
    assert (answer.status_code, answer.json()) == (400, expected)


def test_a_tag_in_use_is_not_deleted_and_its_places_are_named(user: User) -> None:
    features = [{"type": "Workflow", "name": "A"}, {"type": "Workflow", "name": "B"}, {"type": "Blueprint", "name": "C"}]
    (used,) = user.control.add_tags("Leads", [{"name": "used", "features": features}])

    answer = user.call("DELETE", f"/settings/tags/{used}")

    (element,) = answer.json()["tags"]
    assert (answer.status_code, element["code"]) == (400, "NOT_ALLOWED")
    assert element["details"]["associated_places"] == [
        {"type": "Workflow", "resources": ["A", "B"]},
        {"type": "Blueprint", "resources": ["C"]},
    ]


def test_the_count_of_records_is_a_string_and_tells_what_uses_the_tag(user: User) -> None:
    features = [{"type": "Workflow", "name": "A", "id": "1"}, {"type": "Custom View", "name": "V", "id": "2"}]
    (used,) = user.control.add_tags("Leads", [{"name": "used", "features": features}])

    hot = user.get(f"/settings/tags/{HOT}/actions/records_count", module="Leads").json()
    areas = user.get(f"/settings/tags/{used}/actions/records_count", module="Leads").json()["configured_areas"]

    assert hot["count"] == "5"
    assert hot["configured_areas"]["workflow_tagActionRecords"] == {}
    assert areas["workflow_tagActionRecords"] == {"Workflow": {used: {"AddTags": [{"id": "1", "name": "A"}], "RemoveTags": []}}}
    assert areas["custom_view"] == {"cvnames": ["V"], "cvids": ["2"], "cvmodules": ["Leads"], "inaccessible_custom_view_present": False}


def test_the_count_of_an_unknown_tag_is_404(user: User) -> None:
    answer = user.get(f"/settings/tags/{UNKNOWN}/actions/records_count", module="Leads")

    expected = {"code": "INVALID_DATA", "details": {"api_name": "id"}, "message": "tags not found", "status": "error"}
    assert (answer.status_code, answer.json()) == (404, expected)
    assert user.get(f"/settings/tags/{HOT}/actions/records_count").json()["details"] == {"param_name": "module"}


def test_modules_are_listed_with_a_web_tab_that_has_no_name(user: User) -> None:
    web = {"api_name": None, "plural_label": "Portal", "generated_type": "web"}
    hidden = {"api_name": "Cases", "status": "user_hidden"}
    seeded(user, {"api_name": "Leads", "id": "8082321000000000125"}, web, hidden)

    modules = user.get("/settings/modules").json()["modules"]
    visible = user.get("/settings/modules", status="visible").json()["modules"]

    assert [module["api_name"] for module in modules] == ["Leads", None, "Cases"]
    assert [module["api_name"] for module in visible] == ["Leads", None]
    assert (modules[0]["id"], modules[0]["singular_label"], modules[0]["api_supported"]) == ("8082321000000000125", "Lead", True)
    assert (modules[1]["api_supported"], modules[1]["visibility"]) == (False, 8192)


def test_modules_of_a_status_that_none_has_are_204(user: User) -> None:
    assert user.get("/settings/modules", status="system_hidden").status_code == 204


def test_a_status_that_does_not_exist_is_refused(user: User) -> None:
    details = user.get("/settings/modules", status="visible,Hidden").json()["details"]

    assert (details["index"], details["param_name"]) == (1, "status")


def test_one_module_is_found_by_name_and_by_id(user: User) -> None:
    by_name = user.get("/settings/modules/Leads").json()
    by_id = user.get("/settings/modules/2276164000000000125").json()

    assert by_name == by_id
    assert user.get("/settings/modules/leads").json()["code"] == "INVALID_MODULE"


def test_a_hidden_module_is_204(user: User) -> None:
    seeded(user, {"api_name": "Cases", "status": "user_hidden"})

    assert user.get("/settings/modules/Cases").status_code == 204


def test_the_org_tells_its_zgid(user: User) -> None:
    (org,) = user.get("/org").json()["org"]

    assert (org["zgid"], org["domain_name"], org["type"]) == ("808232144", "org808232144", "Production")
    assert org["license_details"]["paid_type"] == "enterprise"


def test_each_token_sees_its_own_org(user: User) -> None:
    other = {"zgid": "909343255", "modules": [{"api_name": "Leads", "tags": ["theirs"]}]}
    user.control.seed({"orgs": [{**ORG, "modules": [{"api_name": "Leads", "tags": ["ours"]}]}, other]})
    user.log_in()
    assert user.tag_names() == ["ours"]

    user.log_in(grant_type="client_credentials", scope="ZohoCRM.settings.ALL", soid="ZohoCRM.909343255")

    assert user.tag_names() == ["theirs"]
