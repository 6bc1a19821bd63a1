"""Who gets in: tokens, hosts, scopes, permissions, limits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from airflow_provider_zcrm.emulator.editions import concurrency_of, credits_per_day
from airflow_provider_zcrm.emulator.model import Org
from tests.emulator.user import LEADS, MASS_DELETE, User, wait_until

HOT = "2276164000001021041"
OLD_LEADS = "2276164000000538003"
ORDER = {"mass_delete": [{"module": LEADS, "tags": [{"id": HOT}]}]}


def log_in_with(user: User, *scopes: str) -> None:
    user.log_in(grant_type="client_credentials", scope=",".join(scopes), soid="ZohoCRM.808232144")


@pytest.mark.parametrize("header", ["", "Zoho-oauthtoken ", "Bearer {}", "zoho-oauthtoken {}", "{}"])
def test_only_a_zoho_oauthtoken_authenticates(user: User, header: str) -> None:
    token = user.log_in()

    answer = user.call("GET", "/org", headers={"Authorization": header.format(token)})

    assert answer.status_code == 401
    assert answer.json() == {"code": "AUTHENTICATION_FAILURE", "details": {}, "message": "Authentication failed", "status": "error"}


def test_an_unknown_token_is_invalid(user: User) -> None:
    answer = user.call("GET", "/org", headers={"Authorization": "Zoho-oauthtoken 1000.unknown"})

    assert answer.status_code == 401
    assert answer.json() == {"code": "INVALID_TOKEN", "details": {}, "message": "invalid oauth token", "status": "error"}


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("www.zohoapis.com", 200),
        ("localhost:8087", 200),
        ("emulator.internal", 200),
        ("[::1]:8087", 200),
        ("www.zohoapis.eu", 401),
        ("sandbox.zohoapis.com", 401),
        ("developer.zohoapis.com", 401),
    ],
)
def test_a_token_is_good_on_the_hosts_of_its_data_centre_and_environment_only(user: User, host: str, status: int) -> None:
    assert user.call("GET", "/org", headers={"Host": host}).status_code == status


def test_a_sandbox_token_is_good_on_the_sandbox_host_and_names_production_as_api_domain(user: User) -> None:
    user.control.change_org(environment="sandbox")

    assert user.call("GET", "/org", headers={"Host": "sandbox.zohoapis.com"}).status_code == 200
    assert user.call("GET", "/org", headers={"Host": "www.zohoapis.com"}).json()["code"] == "INVALID_TOKEN"
    assert user.token_response().json()["api_domain"] == "https://www.zohoapis.com"
    assert user.get("/org").json()["org"][0]["type"] == "Sandbox"


@pytest.mark.parametrize(("host", "known"), [("accounts.zoho.eu", False), ("accounts.zoho.com", True)])
def test_a_client_is_unknown_in_another_data_centre(user: User, host: str, known: bool) -> None:
    answer = user.token_response(host=host)

    assert answer.json().get("error") == (None if known else "invalid_client")


def test_it_can_stand_behind_zohos_names_as_a_proxy(user: User) -> None:
    proxy = {"http": user.server.url}

    right = requests.get("http://www.zohoapis.com/crm/v8/org", headers=user.headers, proxies=proxy, timeout=10)
    wrong = requests.get("http://www.zohoapis.eu/crm/v8/org", headers=user.headers, proxies=proxy, timeout=10)

    assert (right.status_code, wrong.json()["code"]) == (200, "INVALID_TOKEN")


def test_an_unknown_host_can_answer_with_html(user: User) -> None:
    user.control.readings(unknown_hosts="html")

    answer = user.call("GET", "/org", headers={"Host": "api.example.com"})

    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html;charset=UTF-8")


SCOPES: list[tuple[str, str, Any, list[str], list[str]]] = [
    ("GET", "/org", None, ["ZohoCRM.org.ALL", "ZohoCRM.org.READ"], ["ZohoCRM.settings.ALL"]),
    ("GET", "/settings/modules", None, ["ZohoCRM.settings.ALL", "ZohoCRM.settings.modules.READ"], ["ZohoCRM.settings.tags.ALL"]),
    ("GET", "/settings/tags?module=Leads", None, ["ZohoCRM.settings.tags.READ"], ["ZohoCRM.settings.tags.DELETE"]),
    ("POST", MASS_DELETE, ORDER, ["ZohoCRM.settings.tags.DELETE", "zohocrm.settings.tags.all"], ["ZohoCRM.settings.tags.READ"]),
    ("GET", MASS_DELETE, None, ["ZohoCRM.settings.tags.READ"], ["ZohoCRM.settings.tags.DELETE"]),
    ("DELETE", f"/settings/tags/{HOT}", None, ["ZohoCRM.settings.tags.DELETE"], ["ZohoCRM.settings.tags.CREATE"]),
    ("POST", "/settings/tags?module=Leads", {}, ["ZohoCRM.settings.tags.CREATE"], ["ZohoCRM.settings.tags.DELETE"]),
    (
        "POST",
        "/Leads/actions/mass_delete",
        {},
        ["ZohoCRM.mass_delete.DELETE", "ZohoCRM.mass_delete.leads.DELETE"],
        ["ZohoCRM.mass_delete.contacts.DELETE", "ZohoCRM.mass_delete.READ", "ZohoCRM.modules.ALL"],
    ),
    ("GET", "/Leads/actions/mass_delete", None, ["ZohoCRM.mass_delete.leads.READ"], ["ZohoCRM.mass_delete.DELETE"]),
]


@pytest.mark.parametrize(("method", "path", "body", "good", "bad"), SCOPES, ids=[f"{row[0]} {row[1]}" for row in SCOPES])
def test_an_endpoint_asks_for_its_scope(user: User, method: str, path: str, body: Any, good: list[str], bad: list[str]) -> None:
    for scope in bad:
        log_in_with(user, scope)
        answer = user.call(method, path, json=body)
        assert answer.status_code == 401
        assert answer.json() == {
            "code": "OAUTH_SCOPE_MISMATCH",
            "details": {"method": method, "url": f"/crm/v8{path.partition('?')[0]}"},
            "message": "invalid oauth scope to access this URL",
            "status": "error",
        }
    for scope in good:
        log_in_with(user, scope)
        assert user.call(method, path, json=body).status_code != 401


def test_a_custom_modules_records_need_the_scope_custom(user: User) -> None:
    module = {"api_name": "Site_Surveys", "generated_type": "custom"}
    user.control.seed({"orgs": [{"zgid": "808232144", "modules": [module]}]})

    log_in_with(user, "ZohoCRM.mass_delete.custom.DELETE")

    assert user.post("/Site_Surveys/actions/mass_delete", {}).json()["code"] == "MANDATORY_NOT_FOUND"


def test_readings_change_the_scopes(user: User) -> None:
    user.control.readings(scope_mismatch_details="empty", records_scope="modules_all")
    log_in_with(user, "ZohoCRM.modules.ALL")

    assert user.get("/org").json()["details"] == {}
    assert user.post("/Leads/actions/mass_delete", {}).status_code == 400


@pytest.mark.parametrize(
    ("permission", "method", "path", "body"),
    [
        ("Crm_Implied_Edit_Tags", "POST", MASS_DELETE, ORDER),
        ("Crm_Implied_Edit_Tags", "GET", f"{MASS_DELETE}?job_id=1", None),
        ("Crm_Implied_Tags_Leads", "GET", "/settings/tags?module=Leads", None),
        ("Crm_Implied_Edit_Leads", "DELETE", f"/settings/tags/{HOT}", None),
        ("Crm_Implied_Mass_Delete_Leads", "POST", "/Leads/actions/mass_delete", {"cvid": OLD_LEADS}),
    ],
)
def test_a_profile_without_the_permission_is_refused(user: User, permission: str, method: str, path: str, body: Any) -> None:
    user.control.change_org(missing_permissions=[permission])

    answer = user.call(method, path, json=body)

    assert (answer.status_code, answer.json()["code"], answer.json()["message"]) == (403, "NO_PERMISSION", "permission denied")
    assert permission in answer.json()["details"]["permissions"]


WRONG_PATHS = [
    "/crm/v8/crm/v7/settings/tags",
    "/crm/v1/org",
    "/crm/v9/org",
    "/crm/org",
    "/crm/v8/settings/nothing",
    "/Leads/nothing",
    "/Leads/%0A",
]


@pytest.mark.parametrize("path", WRONG_PATHS)
def test_a_wrong_path_is_an_invalid_url_pattern(user: User, path: str) -> None:
    answer = user.call("GET", path if path.startswith("/crm") else f"/crm/v8{path}")

    assert answer.status_code == 404
    assert answer.json() == {
        "code": "INVALID_URL_PATTERN",
        "details": {},
        "message": "Please check if the URL trying to access is a correct one",
        "status": "error",
    }


@pytest.mark.parametrize("version", ["v2", "v2.1", "v3", "v7", "v8"])
def test_all_versions_are_served_alike(user: User, version: str) -> None:
    assert user.call("GET", f"/crm/{version}/org").status_code == 200


def test_a_wrong_method_is_400(user: User) -> None:
    answer = user.call("PUT", MASS_DELETE, json={})

    assert answer.status_code == 400
    assert (answer.json()["code"], answer.json()["message"]) == (
        "INVALID_REQUEST_METHOD",
        "The http request method type is not a valid one",
    )


def test_more_requests_at_once_than_the_org_allows_are_refused(user: User) -> None:
    user.control.change_org(concurrency=2)
    user.control.fault("slow", path="/org", times=2, seconds=60)
    with ThreadPoolExecutor() as pool:
        held = [pool.submit(user.get, "/org") for _ in range(2)]
        wait_until(lambda: len(user.control.requests("/org")) == 2)
        third = user.get("/settings/modules")
        user.control.clear_faults()

    assert [request.result().status_code for request in held] == [200, 200]

    assert (third.status_code, third.json()["code"]) == (429, "TOO_MANY_REQUESTS")
    assert "Retry-After" not in third.headers
    assert user.get("/org").status_code == 200
    assert user.control.counters()["most_at_once"] == {"808232144": 3}


@pytest.mark.parametrize(
    ("edition", "at_once"), [("Free", 5), ("Standard", 10), ("Professional", 15), ("Enterprise", 20), ("Ultimate", 25)]
)
def test_an_edition_has_its_limit_of_requests_at_once(edition: str, at_once: int) -> None:
    assert concurrency_of(Org("1", "", "1", edition=edition)) == at_once


def test_credits_are_told_once_half_of_them_are_gone(user: User) -> None:
    user.control.change_org(credits=6)
    told = [user.get("/org").headers.get("X-API-CREDITS-REMAINING") for _ in range(6)]

    assert told == [None, None, "3", "2", "1", "0"]
    assert user.get("/org").status_code == 429


def test_credits_come_back_after_24_hours(user: User) -> None:
    user.control.change_org(credits=1)
    user.get("/org")
    assert user.get("/org").status_code == 429

    user.control.advance(24 * 3600)
    user.log_in()

    assert user.get("/org").status_code == 200


def test_credits_follow_from_the_edition_and_the_users() -> None:
    assert credits_per_day(Org("1", "", "1", edition="Free")) == 5_000
    assert credits_per_day(Org("1", "", "1", edition="Standard", users=1_000)) == 100_000
    assert credits_per_day(Org("1", "", "1", edition="CRM Plus", users=10_000)) == 20_050_000


@pytest.mark.parametrize(
    ("variant", "body"),
    [
        ("envelope", {"code": "TOO_MANY_REQUESTS", "details": {}, "status": "error"}),
        ("legacy", {"code": 429, "error": "TOO_MANY_REQUESTS", "details": []}),
        ("trace", {"code": "TOO_MANY_REQUESTS", "status": "error"}),
    ],
)
def test_a_429_has_the_body_of_the_reading(user: User, variant: str, body: dict[str, Any]) -> None:
    user.control.readings(too_many_requests_body=variant, retry_after="on")
    user.control.change_org(credits=0)

    answer = user.get("/org")

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
    assert body.items() <= answer.json().items()


def test_a_429_can_be_a_page_of_html(user: User) -> None:
    user.control.readings(too_many_requests_body="html")
    user.control.change_org(credits=0)

    answer = user.get("/org")

    assert (answer.status_code, answer.headers["Content-Type"]) == (429, "text/html;charset=UTF-8")


def test_answers_have_zohos_headers(user: User) -> None:
    headers = user.get("/org").headers

    assert headers["Server"] == "ZGS"
    assert headers["Content-Type"] == "application/json;charset=UTF-8"
    assert headers["Cache-Control"].startswith("no-store")
    assert "X-ACCESSTOKEN-RESET" in headers
    assert "X-API-CREDITS-REMAINING" not in headers
