"""The token endpoint: three grants, the throttle, the eviction, revocation."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from airflow_provider_zcrm.emulator.minimal_seed import ALL_SCOPES, CLIENT, GRANT_CODE, REFRESH_TOKEN
from tests.emulator.user import User

ALL = " ".join(ALL_SCOPES)
ZGID = "808232144"
CREDENTIALS = {"grant_type": "client_credentials", "scope": "ZohoCRM.settings.tags.ALL,ZohoCRM.org.READ", "soid": f"ZohoCRM.{ZGID}"}


def works(user: User, token: str) -> bool:
    return user.call("GET", "/org", headers={"Authorization": f"Zoho-oauthtoken {token}"}).status_code == 200


def test_a_refresh_token_gives_an_access_token_for_an_hour(user: User) -> None:
    answer = user.token_response()

    token = answer.json()["access_token"]
    assert answer.status_code == 200
    assert answer.json() == {
        "access_token": token,
        "scope": ALL,
        "api_domain": "https://www.zohoapis.com",
        "token_type": "Bearer",
        "expires_in": 3600,
    }
    user.control.advance(3599)
    assert works(user, token)
    user.control.advance(1)
    assert not works(user, token)


def test_the_parameters_may_come_in_the_query(user: User) -> None:
    params = {**CLIENT, "grant_type": "refresh_token", "refresh_token": REFRESH_TOKEN}

    answer = requests.post(f"{user.server.url}/oauth/v2/token", params=params, timeout=10)

    assert answer.json()["token_type"] == "Bearer"


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"client_id": "1000.NOBODY"}, "invalid_client"),
        ({"client_secret": "wrong"}, "invalid_client_secret"),
        ({"refresh_token": "1000.unknown"}, "invalid_code"),
        ({"grant_type": "authorization_code", "code": "1000.unknown"}, "invalid_code"),
        ({"grant_type": "client_credentials", "scope": "ZohoCRM.org.READ"}, "missing_org_info"),
        ({**CREDENTIALS, "soid": "ZohoCRM.1"}, "missing_org_info"),
        ({**CREDENTIALS, "scope": ""}, "invalid_scope"),
        ({**CREDENTIALS, "scope": "Desk.tickets.ALL"}, "invalid_scope"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_a_token_error_comes_with_status_200(user: User, params: dict[str, str], error: str) -> None:
    answer = user.token_response(**params)

    assert (answer.status_code, answer.json()) == (200, {"error": error})


def test_an_eleventh_token_within_ten_minutes_is_refused(user: User) -> None:
    for _ in range(9):  # the fixture took the first
        assert "access_token" in user.token_response().json()

    refused = user.token_response()
    assert refused.status_code == 200
    assert refused.json() == {
        "error": "Access Denied",
        "error_description": "You have made too many requests continuously. Please try again after some time.",
        "status": "failure",
    }

    user.control.advance(599)
    assert "error" in user.token_response().json()
    user.control.advance(1)
    assert "access_token" in user.token_response().json()


def test_a_retry_can_keep_the_throttle_alive(user: User) -> None:
    user.control.readings(throttle_extended_by_retries="on")
    for _ in range(9):
        user.token_response()
    user.control.advance(300)
    for _ in range(10):
        assert "error" in user.token_response().json()

    user.control.advance(301)

    assert "error" in user.token_response().json()


@pytest.mark.parametrize(
    ("readings", "status", "error"),
    [
        ({"throttle_status": "400"}, 400, "Access Denied"),
        ({"throttle_body": "throttle_limit"}, 200, "Access Denied"),
        ({"throttle_body": "localised"}, 200, "拒绝访问"),
    ],
)
def test_the_throttle_speaks_as_the_readings_have_it(user: User, readings: dict[str, Any], status: int, error: str) -> None:
    user.control.readings(**readings)
    for _ in range(9):
        user.token_response()

    answer = user.token_response()

    assert (answer.status_code, answer.json()["error"]) == (status, error)


@pytest.mark.parametrize("most", [10, 15])
def test_the_oldest_token_dies_when_there_are_too_many(user: User, most: int) -> None:
    user.control.readings(max_active_tokens=most)
    tokens = [user.headers["Authorization"].split()[1]]
    while len(tokens) < most:
        user.control.advance(61)
        tokens.append(user.token_response().json()["access_token"])
    assert works(user, tokens[0])

    user.control.advance(61)
    tokens.append(user.token_response().json()["access_token"])

    assert [works(user, token) for token in tokens] == [False] + [True] * most


def test_a_grant_code_is_good_once_and_gives_a_refresh_token(user: User) -> None:
    code = user.control.grant_code(scopes=["ZohoCRM.org.READ"])

    answer = user.token_response(grant_type="authorization_code", code=code).json()

    assert works(user, answer["access_token"])
    again = user.token_response(refresh_token=answer["refresh_token"], grant_type="refresh_token").json()
    assert again["scope"] == "ZohoCRM.org.READ"
    assert "refresh_token" not in again
    assert user.token_response(grant_type="authorization_code", code=code).json() == {"error": "invalid_code"}


def test_a_grant_code_lasts_three_minutes(user: User) -> None:
    code = user.control.grant_code()

    user.control.advance(180)

    assert user.token_response(grant_type="authorization_code", code=code).json() == {"error": "invalid_code"}


def test_the_seeds_grant_code_works(user: User) -> None:
    assert "refresh_token" in user.token_response(grant_type="authorization_code", code=GRANT_CODE).json()


def test_the_twenty_first_refresh_token_deletes_the_first_and_its_access_tokens(user: User) -> None:
    assert user.get("/org").status_code == 200
    for _ in range(20):
        user.control.advance(61)
        user.token_response(grant_type="authorization_code", code=user.control.grant_code())

    assert user.token_response().json() == {"error": "invalid_code"}
    assert user.get("/org").json()["code"] == "INVALID_TOKEN"


def test_a_web_client_must_repeat_its_redirect_uri(user: User) -> None:
    web = {"client_id": "1000.WEB", "client_secret": "s", "redirect_uri": "https://example.com/back"}
    user.control.seed({"clients": [web], "orgs": [{"zgid": "1234567", "grant_codes": [{"code": "c", "client_id": "1000.WEB"}]}]})
    exchange = {**web, "grant_type": "authorization_code", "code": "c"}

    wrong = user.token_response(**{**exchange, "redirect_uri": "https://example.com/"})
    right = user.token_response(**exchange)

    assert wrong.json() == {"error": "invalid_redirect_uri"}
    assert "refresh_token" in right.json()


def test_client_credentials_give_a_token_without_a_refresh_token(user: User) -> None:
    answer = user.token_response(**CREDENTIALS).json()

    assert works(user, answer["access_token"])
    assert answer["scope"] == "ZohoCRM.settings.tags.ALL ZohoCRM.org.READ"
    assert "refresh_token" not in answer


def test_a_client_may_be_one_that_has_no_client_credentials(user: User) -> None:
    client = {**CLIENT, "client_credentials": False}
    user.control.seed({"clients": [client], "orgs": [{"zgid": ZGID}]})

    assert user.token_response(**CREDENTIALS).json() == {"error": "invalid_client"}


def test_the_readings_shape_the_token_response(user: User) -> None:
    user.control.readings(scope_in_token_response="off", expires_in="milliseconds", wrong_secret="invalid_client")

    answer = user.token_response().json()

    assert "scope" not in answer
    assert (answer["expires_in"], answer["expires_in_sec"]) == (3_600_000, 3600)
    assert user.token_response(client_secret="x").json() == {"error": "invalid_client"}


def revoke(user: User, token: str) -> requests.Response:
    return requests.post(f"{user.server.url}/oauth/v2/token/revoke", data={"token": token}, timeout=10)


def test_revoking_an_access_token_leaves_the_refresh_token(user: User) -> None:
    token = user.log_in()

    assert revoke(user, token).json() == {"status": "success"}

    assert not works(user, token)
    assert "access_token" in user.token_response().json()


def test_revoking_a_refresh_token_kills_its_access_tokens(user: User) -> None:
    other = user.token_response(**CREDENTIALS).json()["access_token"]

    assert revoke(user, REFRESH_TOKEN).status_code == 200

    assert user.get("/org").json()["code"] == "INVALID_TOKEN"
    assert user.token_response().json() == {"error": "invalid_code"}
    assert works(user, other)


def test_revoking_nonsense_is_answered_with_a_page_of_html(user: User) -> None:
    page = revoke(user, "nonsense")
    user.control.readings(revoke_error_body="json")

    assert (page.status_code, page.headers["Content-Type"]) == (400, "text/html;charset=UTF-8")
    assert (revoke(user, "nonsense").status_code, revoke(user, "nonsense").json()) == (400, {"error": "invalid_token"})


def test_the_token_endpoint_takes_posts_only(user: User) -> None:
    answer = requests.get(f"{user.server.url}/oauth/v2/token", timeout=10)

    assert (answer.status_code, answer.headers["Content-Type"]) == (405, "text/html;charset=UTF-8")


def test_tokens_are_counted_per_org(user: User) -> None:
    user.token_response(**CREDENTIALS)
    user.token_response(refresh_token="1000.unknown", grant_type="refresh_token")

    counters = user.control.counters()

    assert counters["tokens_issued"] == {ZGID: 2}
    assert counters["tokens_refused"] == {"unknown": 1}


EU_ORG = {
    "zgid": "20099887766",
    "data_center": "eu",
    "grant_codes": [{"code": "1000.eu-code"}],
    "refresh_tokens": [{"token": "1000.eu-token"}],
}
MULTI_DC = {**CLIENT, "secrets": {"eu": "secret-of-eu"}}
EU_HOST = "accounts.zoho.eu"


def test_a_client_is_known_in_its_own_data_center_and_where_it_has_a_secret(user: User) -> None:
    user.control.seed({"clients": [MULTI_DC], "orgs": [EU_ORG]})
    wanted = {"refresh_token": "1000.eu-token", "grant_type": "refresh_token"}

    assert user.token_response(host="accounts.zoho.in", **wanted).json() == {"error": "invalid_client"}
    assert user.token_response(host=EU_HOST, **wanted).json() == {"error": "invalid_client_secret"}
    assert "access_token" in user.token_response(host=EU_HOST, **wanted, client_secret="secret-of-eu").json()


def test_a_code_belongs_to_a_data_center_and_asking_another_one_does_not_use_it_up(user: User) -> None:
    user.control.seed({"clients": [MULTI_DC], "orgs": [EU_ORG]})
    exchange = {"grant_type": "authorization_code", "code": "1000.eu-code"}

    assert user.token_response(host="accounts.zoho.com", **exchange).json() == {"error": "invalid_code"}
    answer = user.token_response(host=EU_HOST, **exchange, client_secret="secret-of-eu").json()

    assert answer["api_domain"] == "https://www.zohoapis.eu"
    refresh = {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"]}
    assert user.token_response(host="accounts.zoho.com", **refresh).json() == {"error": "invalid_code"}
    assert "access_token" in user.token_response(host=EU_HOST, **refresh, client_secret="secret-of-eu").json()


def test_a_wrong_secret_does_not_use_a_code_up(user: User) -> None:
    code = user.control.grant_code()

    assert user.token_response(grant_type="authorization_code", code=code, client_secret="wrong").json() == {
        "error": "invalid_client_secret"
    }

    assert "refresh_token" in user.token_response(grant_type="authorization_code", code=code).json()


def test_client_credentials_work_in_the_data_center_of_the_org_only(user: User) -> None:
    user.control.seed({"clients": [{**MULTI_DC, "secrets": {"eu": CLIENT["client_secret"]}}], "orgs": [EU_ORG]})
    wanted = {**CREDENTIALS, "soid": "ZohoCRM.20099887766"}

    assert user.token_response(host="accounts.zoho.com", **wanted).json() == {"error": "missing_org_info"}
    assert "access_token" in user.token_response(host=EU_HOST, **wanted).json()
