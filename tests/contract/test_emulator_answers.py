"""What the emulator answers, held to Zoho's own OpenAPI files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from tests.contract import oas
from tests.emulator.user import LEADS, MASS_DELETE, User

pytestmark = pytest.mark.skipif(not oas.available(), reason=oas.WHY_SKIPPED)

HOT = "2276164000001021041"
VIP = "2276164000001021043"
CONTACTS_TAG = "2276164000001021051"
OLD_LEADS = "2276164000000538003"
RECORD = "2276164000006064001"
UNKNOWN = "2276164999999999999"


@pytest.fixture(scope="module")
def running() -> Iterator[EmulatorServer]:
    with EmulatorServer() as server:
        yield server


@pytest.fixture
def user(running: EmulatorServer) -> User:
    running.control.seed("minimal")
    running.control.freeze()
    running.control.jobs(start_delay=10, duration=100)
    someone = User(running)
    someone.log_in()
    return someone


def checked(answer: requests.Response) -> requests.Response:
    body = answer.json() if answer.content else None
    path = answer.request.path_url.partition("?")[0]
    oas.validate_response(answer.request.method or "", path, answer.status_code, body)
    return answer


def order(tags: Any, module: Any = LEADS) -> dict[str, Any]:
    return {"mass_delete": [{"module": module, "tags": tags}]}


READS: list[tuple[int, str, dict[str, str]]] = [
    (200, "/org", {}),
    (200, "/settings/modules", {}),
    (200, "/settings/modules", {"status": "visible,user_hidden"}),
    (204, "/settings/modules", {"status": "scheduled_for_deletion"}),
    (400, "/settings/modules", {"status": "nonsense"}),
    (200, "/settings/modules/Leads", {}),
    (200, f"/settings/modules/{LEADS['id']}", {}),
    (400, "/settings/modules/Nonsense", {}),
    (200, "/settings/tags", {"module": "Leads"}),
    (400, "/settings/tags", {}),
    (400, "/settings/tags", {"module": "Nonsense"}),
    (200, f"/settings/tags/{HOT}/actions/records_count", {"module": "Leads"}),
    (400, f"/settings/tags/{HOT}/actions/records_count", {}),
    (404, f"/settings/tags/{UNKNOWN}/actions/records_count", {"module": "Leads"}),
    (400, MASS_DELETE, {}),
    (400, MASS_DELETE, {"job_id": "null"}),
    (400, MASS_DELETE, {"job_id": UNKNOWN}),
    (400, "/Leads/actions/mass_delete", {}),
    (400, "/Leads/actions/mass_delete", {"job_id": "null"}),
    (400, "/Leads/actions/mass_delete", {"job_id": UNKNOWN}),
    (404, "/Leads/nonsense", {}),
]


@pytest.mark.parametrize(("status", "path", "query"), READS)
def test_what_is_read_is_as_the_files_have_it(user: User, status: int, path: str, query: dict[str, str]) -> None:
    assert checked(user.get(path, **query)).status_code == status


BAD_ORDERS: list[Any] = [
    {},
    {"mass_delete": []},
    {"mass_delete": {}},
    {"mass_delete": [1]},
    {"mass_delete": [{}, {}]},
    {"mass_delete": [{"tags": []}]},
    {"mass_delete": [{"module": LEADS}]},
    order([{"id": HOT}], module={}),
    order([{"id": HOT}], module={"id": LEADS["id"]}),
    order([{"id": HOT}], module={"api_name": "Leads"}),
    order([{"id": HOT}], module=[]),
    order([{"id": HOT}], module={"id": LEADS["id"], "api_name": "Contacts"}),
    order([{"id": HOT}], module={"id": "1", "api_name": "Nonsense"}),
    order([]),
    order({}),
    order([1]),
    order([{}]),
    order([{"id": int(HOT)}]),
    order([{"id": HOT}] * 201),
    order([{"id": UNKNOWN}]),
    order([{"id": CONTACTS_TAG}]),
    [],
]


@pytest.mark.parametrize("body", BAD_ORDERS, ids=range(len(BAD_ORDERS)))
def test_a_bad_mass_delete_of_tags_is_refused_as_the_files_have_it(user: User, body: Any) -> None:
    assert checked(user.post(MASS_DELETE, body)).status_code == 400


def test_a_tag_in_use_is_refused_as_the_files_have_it(user: User) -> None:
    (used,) = user.control.add_tags("Leads", [{"name": "used", "features": [{"type": "Workflow", "name": "Notify"}]}])

    assert checked(user.post(MASS_DELETE, order([{"id": used}]))).json()["code"] == "NOT_ALLOWED"
    assert checked(user.call("DELETE", f"/settings/tags/{used}")).json()["tags"][0]["code"] == "NOT_ALLOWED"


def test_a_tag_job_is_as_the_files_have_it_at_each_moment(user: User) -> None:
    job_id = checked(user.post(MASS_DELETE, order([{"id": HOT}]))).json()["details"]["job_id"]
    words = []
    for _ in range(3):
        words.append(checked(user.get(MASS_DELETE, job_id=job_id)).json()["mass_delete"][0]["status"])
        user.control.advance(60)
    assert words == ["SCHEDULED", "RUNNING", "COMPLETED"]


def test_a_records_job_is_as_the_files_have_it_at_each_moment(user: User) -> None:
    user.control.jobs(start_delay=0)
    job_id = checked(user.post("/Leads/actions/mass_delete", {"cvid": OLD_LEADS})).json()["data"][0]["details"]["job_id"]
    words = []
    for _ in range(2):
        words.append(checked(user.get("/Leads/actions/mass_delete", job_id=job_id)).json()["data"][0]["Status"])
        user.control.advance(110)
    assert words == ["RUNNING", "COMPLETED"]


RECORD_ORDERS: list[tuple[int, Any]] = [
    (200, {"ids": [RECORD]}),
    (207, {"ids": [RECORD, UNKNOWN]}),
    (400, {"ids": [UNKNOWN]}),
    (400, {"ids": ["x"]}),
    (400, {"ids": []}),
    (400, {"ids": RECORD}),
    (400, {"ids": [RECORD] * 501}),
    (400, {"cvid": UNKNOWN}),
    (400, {"cvid": []}),
    (400, {"cvid": OLD_LEADS, "ids": [RECORD]}),
    (400, {"cvid": OLD_LEADS, "nonsense": 1}),
    (400, {"cvid": OLD_LEADS, "territory": {"id": UNKNOWN}}),
    (400, {}),
]


@pytest.mark.parametrize("wrapping", ["bare", "data"])
@pytest.mark.parametrize(("status", "body"), RECORD_ORDERS, ids=range(len(RECORD_ORDERS)))
def test_a_mass_delete_of_records_is_answered_as_the_files_have_it(user: User, wrapping: str, status: int, body: Any) -> None:
    user.control.readings(records_error_wrapping=wrapping)

    assert checked(user.post("/Leads/actions/mass_delete", body)).status_code == status


CREATIONS: list[tuple[int, Any]] = [
    (201, {"tags": [{"name": "new", "color_code": "#57B1FD"}]}),
    (207, {"tags": [{"name": "new"}, {"name": "hot"}]}),
    (400, {"tags": [{"name": "hot"}]}),
    (400, {"tags": [{"name": "n" * 27}]}),
    (400, {"tags": [{}]}),
    (400, {"tags": []}),
    (400, {}),
]


@pytest.mark.parametrize(("status", "body"), CREATIONS, ids=range(len(CREATIONS)))
def test_a_creation_of_tags_is_answered_as_the_files_have_it(user: User, status: int, body: Any) -> None:
    assert checked(user.post("/settings/tags", body, module="Leads")).status_code == status


UPDATES: list[tuple[int, Any]] = [
    (200, {"tags": [{"id": HOT, "name": "new", "color_code": "#57B1FD"}]}),
    (200, {"tags": [{"id": HOT, "name": "new"}]}),
    (400, {"tags": [{"id": HOT, "name": "VIP"}]}),
    (400, {"tags": [{"id": HOT, "name": "n" * 27}]}),
    (400, {"tags": [{"id": HOT}]}),
    (400, {"tags": []}),
    (400, {}),
]


@pytest.mark.parametrize("path", ["/settings/tags", f"/settings/tags/{HOT}"])
@pytest.mark.parametrize(("status", "body"), UPDATES, ids=range(len(UPDATES)))
def test_an_update_of_tags_is_answered_as_the_files_have_it(user: User, path: str, status: int, body: Any) -> None:
    assert checked(user.call("PUT", path, json=body, params={"module": "Leads"})).status_code == status


def test_an_update_in_part_is_answered_as_the_files_have_it(user: User) -> None:
    body = {"tags": [{"id": HOT, "name": "new"}, {"id": UNKNOWN, "name": "newer"}]}

    assert checked(user.call("PUT", "/settings/tags", json=body, params={"module": "Leads"})).status_code == 207


MERGES: list[tuple[int, Any]] = [
    (200, {"tags": [{"conflict_id": VIP}]}),
    (400, {"tags": [{"conflict_id": UNKNOWN}]}),
    (400, {"tags": [{"conflict_id": "VIP"}]}),
    (400, {"tags": [{}]}),
    (400, {"tags": [{"conflict_id": VIP}] * 2}),
    (400, {"tags": []}),
    (400, {}),
]


@pytest.mark.parametrize(("status", "body"), MERGES, ids=range(len(MERGES)))
def test_a_merge_of_tags_is_answered_as_the_files_have_it(user: User, status: int, body: Any) -> None:
    assert checked(user.post(f"/settings/tags/{HOT}/actions/merge", body)).status_code == status


TAGGINGS: list[tuple[int, Any]] = [
    (200, {"tags": [{"name": "VIP"}], "ids": [RECORD]}),
    (200, {"tags": [{"id": HOT}], "ids": [RECORD, UNKNOWN]}),
    (400, {"tags": [{"id": HOT}], "ids": [UNKNOWN]}),
    (400, {"tags": [{"id": HOT}], "ids": [RECORD] * 501}),
    (400, {"tags": [{"id": HOT}], "ids": ["x"]}),
    (400, {"tags": [{"id": HOT}]}),
    (400, {"ids": [RECORD]}),
    (400, {"tags": [], "ids": [RECORD]}),
]
BAD_TAGS: list[Any] = [{"id": UNKNOWN}, {"name": "n" * 26}, {}]


@pytest.mark.parametrize("verb", ["add", "remove"])
@pytest.mark.parametrize(("status", "body"), TAGGINGS, ids=range(len(TAGGINGS)))
def test_a_change_of_the_tags_of_records_is_answered_as_the_files_have_it(user: User, verb: str, status: int, body: Any) -> None:
    assert checked(user.post(f"/Leads/actions/{verb}_tags", body)).status_code == status


@pytest.mark.parametrize("tag", BAD_TAGS, ids=range(len(BAD_TAGS)))
def test_a_bad_tag_is_refused_as_the_files_have_it(user: User, tag: Any) -> None:
    assert checked(user.post("/Leads/actions/add_tags", {"tags": [tag], "ids": [RECORD]})).status_code == 400
    assert checked(user.post(f"/Leads/{RECORD}/actions/add_tags", {"tags": [tag]})).status_code == 400


@pytest.mark.parametrize("choices", [{"mixed_tagging_status": 207}, {"locked_record": "whole_call"}, {"missing_record": "invalid_data"}])
def test_records_that_fail_are_told_as_the_files_have_it(user: User, choices: dict[str, Any]) -> None:
    user.control.readings(**choices)
    org = {"zgid": "808232144", "refresh_tokens": [{"token": "1000.emulator-refresh-token"}], "tags_per_record": 1}
    leads = {"api_name": "Leads", "tags": ["a", "b"], "records": [{"id": RECORD, "tags": ["a"]}, {"id": "1"}], "locked_records": ["1"]}
    user.control.seed({"orgs": [{**org, "modules": [leads]}], "readings": {name: str(choice) for name, choice in choices.items()}})
    user.log_in()

    for ids in ([RECORD], [RECORD, "1"], ["1"], [RECORD, UNKNOWN]):
        checked(user.post("/Leads/actions/add_tags", {"tags": [{"name": "b"}], "ids": ids}))
    assert checked(user.post(f"/Leads/{RECORD}/actions/remove_tags", {"tags": [{"name": "b"}]})).status_code == 200


def test_a_deletion_of_a_tag_is_answered_as_the_files_have_it(user: User) -> None:
    assert checked(user.call("DELETE", f"/settings/tags/{HOT}")).status_code == 200
    assert checked(user.call("DELETE", f"/settings/tags/{HOT}")).status_code == 400


Trouble = Callable[[User], requests.Response]
TROUBLES: dict[str, tuple[int, Trouble]] = {
    "no token": (401, lambda user: user.call("GET", "/org", headers={"Authorization": ""})),
    "bad token": (401, lambda user: user.call("GET", "/org", headers={"Authorization": "Zoho-oauthtoken x"})),
    "wrong method": (400, lambda user: user.call("PUT", "/org")),
    "no scope": (401, lambda user: _with_scope(user, "ZohoCRM.modules.ALL").get("/org")),
    "no permission": (403, lambda user: _without_permission(user, "Crm_Implied_Edit_Tags").post(MASS_DELETE, order([{"id": HOT}]))),
    "no credits": (429, lambda user: _without_credits(user).get("/org")),
}


def _with_scope(user: User, scope: str) -> User:
    user.log_in(grant_type="client_credentials", scope=scope, soid="ZohoCRM.808232144")
    return user


def _without_permission(user: User, permission: str) -> User:
    user.control.change_org(missing_permissions=[permission])
    return user


def _without_credits(user: User) -> User:
    user.control.change_org(credits=0)
    return user


@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_that_any_endpoint_can_have_is_in_the_envelope(user: User, trouble: str) -> None:
    status, cause = TROUBLES[trouble]

    assert checked(cause(user)).status_code == status


def test_a_response_that_the_files_do_not_have_is_found() -> None:
    good = {"tags": [], "info": {"count": 0, "allowed_count": 100}}
    oas.validate_response("GET", "/crm/v7/settings/tags", 200, good)

    with pytest.raises(AssertionError, match="allowed_count"):
        oas.validate_response("GET", "/crm/v8/settings/tags", 200, {"tags": [], "info": {"count": 0}})
    with pytest.raises(AssertionError, match="no status 202"):
        oas.validate_response("GET", "/crm/v8/settings/tags", 202, good)
    with pytest.raises(AssertionError, match="none of Zoho's files"):
        oas.validate_response("GET", "/crm/v8/crm/v7/settings/tags", 200, good)


def test_a_request_that_the_files_do_not_have_is_found() -> None:
    good = order([{"id": HOT}])
    oas.validate_request("POST", f"/crm/v8{MASS_DELETE}", {}, good)

    with pytest.raises(AssertionError, match="query lacks job_id"):
        oas.validate_request("GET", f"/crm/v8{MASS_DELETE}", {})
    with pytest.raises(AssertionError, match="no query parameter job_ID"):
        oas.validate_request("GET", f"/crm/v8{MASS_DELETE}", {"job_id": "1", "job_ID": "1"})
    with pytest.raises(AssertionError, match="too long"):
        oas.validate_request("POST", f"/crm/v8{MASS_DELETE}", {}, order([{"id": HOT}] * 201))
    with pytest.raises(AssertionError, match="api_name"):
        oas.validate_request("POST", f"/crm/v8{MASS_DELETE}", {}, order([{"id": HOT}], module={"id": LEADS["id"]}))
    with pytest.raises(AssertionError, match="is not of type"):
        oas.validate_request("POST", f"/crm/v8{MASS_DELETE}", {}, order([{"id": int(HOT)}]))
