"""Tags renamed, recolored and merged."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.emulator.user import User

HOT, COLD, VIP = (f"227616400000102104{n}" for n in (1, 2, 3))
CONTACTS_TAG = "2276164000001021051"
UNKNOWN = "2276164999999999999"
ONE, TWO = "2276164000006064001", "2276164000006064002"
NAME, COLOR, ID = ({"api_name": key, "json_path": f"$.tags[0].{key}"} for key in ("name", "color_code", "id"))


def update(user: User, *tags: Any) -> requests.Response:
    return user.call("PUT", "/settings/tags", json={"tags": list(tags)}, params={"module": "Leads"})


def update_one(user: User, tag_id: str, tag: Any) -> requests.Response:
    return user.call("PUT", f"/settings/tags/{tag_id}", json={"tags": [tag]}, params={"module": "Leads"})


def merge(user: User, tag_id: str, *tags: Any) -> requests.Response:
    return user.post(f"/settings/tags/{tag_id}/actions/merge", {"tags": list(tags)})


def test_tags_get_other_names_and_colors(user: User) -> None:
    user.control.advance(60)

    answer = update(user, {"id": HOT, "name": "hotter", "color_code": "#F17574"}, {"id": COLD, "name": "cold"})

    hot, cold = answer.json()["tags"]
    assert (answer.status_code, hot["code"], hot["message"], hot["status"]) == (200, "SUCCESS", "tags updated successfully", "success")
    assert (hot["details"]["id"], hot["details"]["name"], hot["details"]["color_code"]) == (HOT, "hotter", "#F17574")
    assert hot["details"]["modified_time"] > hot["details"]["created_time"]
    assert cold["details"]["color_code"] is None
    listed = {tag["id"]: tag for tag in user.get("/settings/tags", module="Leads").json()["tags"]}
    assert (listed[HOT], listed[COLD]) == (hot["details"], cold["details"])


def test_records_keep_a_tag_that_is_renamed(user: User) -> None:
    before = user.control.tagged("Leads")["hot"]

    assert update_one(user, HOT, {"name": "hotter"}).status_code == 200

    assert user.control.tagged("Leads")["hotter"] == before
    assert {"name": "hotter", "id": HOT, "color_code": None} in user.get("/Leads", fields="Tag", ids=ONE).json()["data"][0]["Tag"]


def test_the_id_of_the_path_counts(user: User) -> None:
    assert update_one(user, HOT, {"name": "hotter", "id": COLD}).json()["tags"][0]["details"]["id"] == HOT
    assert user.tag_names()[:2] == ["hotter", "cold"]


def test_an_update_can_go_through_in_part(user: User) -> None:
    answer = update(user, {"id": HOT, "name": "hotter"}, {"id": COLD, "name": "VIP"})

    _, refused = answer.json()["tags"]
    assert (answer.status_code, refused["code"], refused["message"]) == (207, "DUPLICATE_DATA", "duplicate data")
    assert refused["details"] == {"api_name": "name", "json_path": "$.tags[1].name", "id": VIP}
    assert user.tag_names()[:3] == ["hotter", "cold", "VIP"]


BAD_UPDATES: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "no name": ({"id": HOT}, "MANDATORY_NOT_FOUND", NAME),
    "long name": ({"id": HOT, "name": "n" * 27}, "INVALID_DATA", {**NAME, "maximum_length": 26}),
    "bad name": ({"id": HOT, "name": "a,b"}, "INVALID_DATA", NAME),
    "bad color": ({"id": HOT, "name": "new", "color_code": "#F17574FF"}, "INVALID_DATA", {**COLOR, "maximum_length": 7}),
    "no id": ({"name": "new"}, "MANDATORY_NOT_FOUND", ID),
    "unknown": ({"id": UNKNOWN, "name": "new"}, "INVALID_DATA", ID),
    "of another module": ({"id": CONTACTS_TAG, "name": "new"}, "INVALID_DATA", ID),
    "number": ({"id": int(HOT), "name": "new"}, "INVALID_DATA", ID),
    "no object": (HOT, "MANDATORY_NOT_FOUND", NAME),
}


@pytest.mark.parametrize("case", BAD_UPDATES)
def test_a_bad_update_is_refused_and_nothing_is_changed(user: User, case: str) -> None:
    tag, code, details = BAD_UPDATES[case]
    before = user.get("/settings/tags", module="Leads").json()

    answer = update(user, tag)

    (refused,) = answer.json()["tags"]
    assert (answer.status_code, refused["code"], refused["details"]) == (400, code, details)
    assert user.get("/settings/tags", module="Leads").json() == before


def test_an_update_needs_a_module_and_of_one_tag_one_description(user: User) -> None:
    two = {"tags": [{"name": "a"}, {"name": "b"}]}
    without = user.call("PUT", "/settings/tags", json={"tags": [{"id": HOT, "name": "new"}]})
    twice = user.call("PUT", f"/settings/tags/{HOT}", json=two, params={"module": "Leads"})

    assert (without.status_code, without.json()["code"], without.json()["details"]) == (400, "REQUIRED_PARAM_MISSING", {"param": "module"})
    assert (twice.status_code, twice.json()["details"]["maximum_length"]) == (400, 1)


@pytest.mark.parametrize(("keeps", "kept", "gone"), [("conflict_id", (COLD, "cold"), "hot"), ("id", (HOT, "hot"), "cold")])
def test_the_records_of_two_tags_come_under_one(user: User, keeps: str, kept: tuple[str, str], gone: str) -> None:
    user.control.readings(merge_keeps=keeps)
    user.control.tag_records("Leads", [ONE], add=["cold"])
    before = user.control.tagged("Leads")

    answer = merge(user, HOT, {"conflict_id": COLD})

    (element,) = answer.json()["tags"]
    kept_id, name = kept
    assert (answer.status_code, element["code"], element["message"]) == (200, "SUCCESS", "tags merged successfully")
    assert element["details"]["id"] == kept_id
    assert element["details"].keys() == {"created_time", "modified_time", "modified_by", "id", "created_by", "color_code"}
    assert gone not in user.tag_names()
    assert sorted(user.control.tagged("Leads")[name]) == sorted({*before["hot"], *before["cold"]})
    count = user.get(f"/settings/tags/{kept_id}/actions/records_count", module="Leads").json()["count"]
    assert count == str(len({*before["hot"], *before["cold"]}))


CONFLICT = {"api_name": "conflict_id", "json_path": "$.tags[*].conflict_id"}
BAD_MERGES: dict[str, tuple[str, Any, str, dict[str, Any]]] = {
    "no id": (HOT, {}, "MANDATORY_NOT_FOUND", CONFLICT),
    "no number": (HOT, {"conflict_id": "cold"}, "INVALID_DATA", {**CONFLICT, "expected_data_type": "bigint"}),
    "long": (HOT, {"conflict_id": "1" * 20}, "INVALID_DATA", {**CONFLICT, "maximum_length": 19}),
    "unknown": (HOT, {"conflict_id": UNKNOWN}, "INVALID_DATA", ID),
    "of another module": (HOT, {"conflict_id": CONTACTS_TAG}, "INVALID_DATA", ID),
    "itself": (HOT, {"conflict_id": HOT}, "INVALID_DATA", ID),
    "unknown in the path": (UNKNOWN, {"conflict_id": HOT}, "INVALID_DATA", ID),
}


@pytest.mark.parametrize("case", BAD_MERGES)
def test_a_bad_merge_is_refused_and_nothing_is_done(user: User, case: str) -> None:
    tag_id, tag, code, details = BAD_MERGES[case]
    before = user.control.tagged("Leads")

    answer = merge(user, tag_id, tag)

    (refused,) = answer.json()["tags"]
    assert (answer.status_code, refused["code"], refused["details"]) == (400, code, details)
    assert user.control.tagged("Leads") == before


def test_a_merge_takes_one_tag(user: User) -> None:
    answer = merge(user, HOT, {"conflict_id": COLD}, {"conflict_id": VIP})

    assert (answer.status_code, answer.json()["details"]) == (400, {"api_name": "tags", "json_path": "$.tags", "maximum_length": 1})


def test_a_tag_that_a_job_has_deleted_is_neither_renamed_nor_merged(user: User) -> None:
    user.control.next_jobs(removal_lag=30)
    user.submit("VIP")
    user.control.advance(110)
    assert "VIP" in user.tag_names()

    assert update_one(user, VIP, {"name": "new"}).json()["tags"][0]["details"] == ID
    assert merge(user, HOT, {"conflict_id": VIP}).json()["tags"][0]["details"] == ID


def test_changing_tags_needs_permission(user: User) -> None:
    user.control.change_org(missing_permissions=["Crm_Implied_Tags_Leads"])

    assert (update_one(user, HOT, {"name": "new"}).status_code, update(user, {"id": HOT, "name": "new"}).status_code) == (403, 403)
    answer = merge(user, HOT, {"conflict_id": COLD})
    assert (answer.status_code, answer.json()["tags"][0]["code"]) == (403, "NO_PERMISSION")


@pytest.mark.parametrize(("operation", "updates", "merges"), [("UPDATE", 200, 401), ("CREATE", 401, 200), ("READ", 401, 401)])
def test_the_scopes_are_those_of_updating_and_of_creating(user: User, operation: str, updates: int, merges: int) -> None:
    user.log_in(grant_type="client_credentials", scope=f"ZohoCRM.settings.tags.{operation}", soid="ZohoCRM.808232144")

    assert update_one(user, VIP, {"name": "new"}).status_code == updates
    assert merge(user, HOT, {"conflict_id": COLD}).status_code == merges
