"""Forms that ask for a token, and what the token endpoint's answers mean; its status says nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_zcrm.api.call import ApiResponse
from airflow_provider_zcrm.api.data_centers import hosts_of
from airflow_provider_zcrm.api.errors import (
    CONN_ID,
    CredentialsRejected,
    InvalidConnection,
    ServiceUnavailable,
    TokenThrottled,
    UnreadableResponse,
    ZohoCrmError,
)
from airflow_provider_zcrm.api.oauth import (
    TOKEN_PATH,
    AccessToken,
    AuthorizationCodeGrant,
    ClientCredentialsGrant,
    Credentials,
    RefreshTokenGrant,
    grant_of,
    parse_token,
)
from tests.unit.api.answers import HTML, answer

US = hosts_of("us", "production")
GOOD = {
    "access_token": "1000.secret.token",
    "scope": "ZohoCRM.settings.ALL ZohoCRM.modules.ALL",
    "api_domain": "https://www.zohoapis.com",
    "token_type": "Bearer",
    "expires_in": 3600,
}
THROTTLED = [
    {
        "error": "Access Denied",
        "error_description": "You have made too many requests continuously. Please try again after some time.",
        "status": "failure",
    },
    {"error": "Access Denied", "error_description": "Token creation throttle limit reached. Please reuse the valid tokens."},
    {"error": "Access Denied"},
    {"error": "拒绝访问", "error_description": "您的请求过于频繁。请稍后再试。", "status": "failure"},
    {"error": "拒绝访问", "status": "failure"},
    {"error": "Zugriff verweigert", "error_description": "Zu viele Anfragen."},
    {"error": "access_denied", "error_description": "You have made too many requests continuously."},
    {"error": "access_denied", "status": "failure"},
]
either_status = pytest.mark.parametrize("status", [200, 400])


def parsed(**changes: Any) -> AccessToken:
    body = {name: value for name, value in {**GOOD, **changes}.items() if value != "absent"}
    return parse_token(answer(200, body), US)


# --- forms ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grant", "fields"),
    [
        (RefreshTokenGrant("1000.r"), {"grant_type": "refresh_token", "refresh_token": "1000.r"}),
        (
            ClientCredentialsGrant("808232144", "ZohoCRM.settings.tags.ALL,ZohoCRM.settings.modules.READ"),
            {
                "grant_type": "client_credentials",
                "scope": "ZohoCRM.settings.tags.ALL,ZohoCRM.settings.modules.READ",
                "soid": "ZohoCRM.808232144",
            },
        ),
        (AuthorizationCodeGrant("1000.c"), {"grant_type": "authorization_code", "code": "1000.c"}),
        (
            AuthorizationCodeGrant("1000.c", "https://me.example/back"),
            {"grant_type": "authorization_code", "code": "1000.c", "redirect_uri": "https://me.example/back"},
        ),
    ],
    ids=["refresh token", "client credentials", "code of a self client", "code of a web client"],
)
def test_each_grant_has_its_form(grant: Any, fields: dict[str, str]) -> None:
    assert Credentials("1000.ID", "s3cret", grant).form() == {"client_id": "1000.ID", "client_secret": "s3cret", **fields}


@pytest.mark.parametrize(
    "value",
    [
        Credentials("1000.ID", "hush", RefreshTokenGrant("hush")),
        Credentials("1000.ID", "hush", AuthorizationCodeGrant("hush")),
        AccessToken("hush", 3600.0, refresh_token="hush"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_repr_never_shows_a_secret(value: Any) -> None:
    assert "hush" not in repr(value)
    assert "hush" not in str([value])


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("refresh_token", None, None, None), "refresh_token"),
        (("refresh_token", "", "1", "s"), "refresh_token"),
        (("client_credentials", "r", None, "s"), "zsoid"),
        (("client_credentials", "r", "1", None), "scope"),
        (("authorization_code", "r", "1", "s"), "grant_type"),
        (("", "r", "1", "s"), "grant_type"),
    ],
)
def test_a_grant_that_lacks_a_field_is_refused_by_the_fields_name(arguments: Any, field: str) -> None:
    with pytest.raises(InvalidConnection, match=rf"\b{field}\b"):
        grant_of(*arguments)


def test_without_a_refresh_token_the_command_that_makes_one_is_named() -> None:
    with pytest.raises(InvalidConnection) as caught:
        grant_of("refresh_token", None, None, None)

    assert f"airflow_provider_zcrm connect {CONN_ID} --replace" in caught.value.advice


def test_a_connection_describes_its_grant() -> None:
    assert grant_of("refresh_token", "1000.r", None, None) == RefreshTokenGrant("1000.r")
    assert grant_of("client_credentials", None, "808232144", "s") == ClientCredentialsGrant("808232144", "s")


# --- good answers --------------------------------------------------------------------------------------------------------


def test_a_token_is_read() -> None:
    assert parsed() == AccessToken("1000.secret.token", 3600.0, "ZohoCRM.settings.ALL ZohoCRM.modules.ALL")


def test_the_answer_to_a_code_has_a_refresh_token() -> None:
    assert parsed(refresh_token="1000.r").refresh_token == "1000.r"


def test_only_the_access_token_is_needed() -> None:
    assert parse_token(answer(200, {"access_token": "t"}), US) == AccessToken("t", 3600.0)


@pytest.mark.parametrize("status", [200, 201, 400, 500])
def test_a_token_is_a_token_under_any_status(status: int) -> None:
    assert parse_token(answer(status, GOOD), US).value == "1000.secret.token"


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({"expires_in": 3600}, 3600.0),
        ({"expires_in": 1800}, 1800.0),
        ({"expires_in": "3600"}, 3600.0),
        ({"expires_in": 3600000, "expires_in_sec": 3600}, 3600.0),
        ({"expires_in": "3600000", "expires_in_sec": "1800"}, 1800.0),
        ({"expires_in": "absent"}, 3600.0),
        ({"expires_in": None}, 3600.0),
        ({"expires_in": 0}, 3600.0),
        ({"expires_in": -1}, 3600.0),
        ({"expires_in": "an hour"}, 3600.0),
        ({"expires_in": [3600]}, 3600.0),
        ({"expires_in": "nan"}, 3600.0),
        ({"expires_in": "inf"}, 3600.0),
    ],
)
def test_the_life_of_a_token_is_in_seconds_whatever_zoho_calls_it(fields: dict[str, Any], seconds: float) -> None:
    assert parsed(**fields).expires_in == seconds


# --- the host that Zoho names --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("environment", ["production", "sandbox", "developer"])
@pytest.mark.parametrize("told", ["https://www.zohoapis.com", "https://sandbox.zohoapis.com", "https://WWW.zohoapis.com/", "absent", ""])
def test_a_host_of_the_same_data_center_is_ignored(environment: str, told: str) -> None:
    body = {name: value for name, value in {**GOOD, "api_domain": told}.items() if value != "absent"}

    assert parse_token(answer(200, body), hosts_of("us", environment)).foreign_api_domain is None


@pytest.mark.parametrize("told", ["https://www.zohoapis.eu", "https://sandbox.zohoapis.eu", "www.zohoapis.eu", "zohoapis.eu"])
def test_a_host_of_another_data_center_is_an_error_that_names_both(told: str) -> None:
    with pytest.raises(InvalidConnection) as caught:
        parsed(api_domain=told)

    assert "data center eu" in str(caught.value)
    assert "says us" in str(caught.value)
    assert caught.value.advice == "Set data_center to eu."
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "told", ["https://www.zohoapis.sg", "https://evil.example", "www.zohoapis.sg", "nonsense", "https://[", "http://x:y"]
)
def test_an_unknown_host_is_kept_as_foreign_and_nothing_else(told: str) -> None:
    assert parsed(api_domain=told).foreign_api_domain == told


def test_a_host_that_the_connection_overrides_with_is_known() -> None:
    emulator = hosts_of("us", "production", "http://127.0.0.1:8080", "http://127.0.0.1:8080")

    assert parse_token(answer(200, {**GOOD, "api_domain": "http://127.0.0.1:8080"}), emulator).foreign_api_domain is None


# --- refusals ------------------------------------------------------------------------------------------------------------


@either_status
@pytest.mark.parametrize(
    ("error", "names"),
    [
        ("invalid_client", ("client id", "data_center", "us")),
        ("invalid_client_secret", ("password", "us")),
        ("invalid_code", ("refresh token", "revoked", "us")),
        ("invalid_redirect_uri", ("redirect",)),
        ("missing_org_info", ("zsoid",)),
    ],
)
def test_a_known_error_is_permanent_and_says_what_to_change(status: int, error: str, names: tuple[str, ...]) -> None:
    with pytest.raises(CredentialsRejected) as caught:
        parse_token(answer(status, {"error": error}), US)

    assert caught.value.code == error
    assert caught.value.status == status
    assert [name for name in names if name not in caught.value.advice] == []
    assert "https://accounts.zoho.com" in str(caught.value)


@either_status
@pytest.mark.parametrize(
    "body", THROTTLED, ids=["requests", "creation", "no description", "Chinese", "Chinese, no description", "German", "a word", "failure"]
)
def test_the_throttle_is_recognised_in_any_language_and_under_any_status(status: int, body: dict[str, str]) -> None:
    with pytest.raises(TokenThrottled) as caught:
        parse_token(answer(status, body), US)

    assert "10 minutes" in caught.value.advice
    assert f"[POST {TOKEN_PATH}: HTTP {status}" in str(caught.value)


@either_status
def test_a_known_error_is_no_throttle_however_it_is_described(status: int) -> None:
    with pytest.raises(CredentialsRejected):
        parse_token(answer(status, {"error": "invalid_code", "error_description": "revoked", "status": "failure"}), US)


@either_status
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": "unsupported_grant_type"}, "unsupported_grant_type"),
        ({"error": "invalid_scope"}, "invalid_scope"),
    ],
)
def test_any_other_answer_without_a_token_is_permanent_and_shown(status: int, body: dict[str, Any], said: str) -> None:
    with pytest.raises(CredentialsRejected, match=f"no access token: {said}") as caught:
        parse_token(answer(status, body), US)

    assert f"[POST {TOKEN_PATH}: HTTP {status}" in str(caught.value)


@either_status
@pytest.mark.parametrize(
    "body", [{}, {"access_token": ""}, {"access_token": None, "expires_in": 3600}, {"access_token": 5}, {"status": "failure"}, {"error": 5}]
)
def test_an_answer_with_neither_a_token_nor_an_error_is_retried(status: int, body: dict[str, Any]) -> None:
    with pytest.raises(UnreadableResponse, match="neither an access token nor an error") as caught:
        parse_token(answer(status, body), US)

    assert f"[POST {TOKEN_PATH}: HTTP {status}" in str(caught.value)


@pytest.mark.parametrize("status", [500, 503])
@pytest.mark.parametrize("body", [{"error": "general_error"}, {"error": "something_new"}, {"code": "INTERNAL_ERROR", "status": "error"}])
def test_a_fault_of_zoho_accounts_is_retried(body: dict[str, Any], status: int) -> None:
    with pytest.raises(ServiceUnavailable, match=r"accounts\.zoho\.com") as caught:
        parse_token(answer(status, body), US)

    assert f"cannot answer: {body.get('error', 'no reason said')}. [POST {TOKEN_PATH}: HTTP {status}" in str(caught.value)


@pytest.mark.parametrize(
    ("status", "body"), [(429, {"error": "general_error"}), (400, {"error": "拒绝访问"}), (200, {"error": "Accès refusé"})]
)
def test_a_429_and_an_error_in_words_are_the_throttle(status: int, body: dict[str, Any]) -> None:
    with pytest.raises(TokenThrottled):
        parse_token(answer(status, body), US)


@pytest.mark.parametrize("status", [200, 400, 404, 502])
@pytest.mark.parametrize("body", [HTML, "", '{"access_token": "1000.secr', "[]", '"token"', b"\xff\xfe"])
def test_an_answer_that_is_not_an_object_is_retried(status: int, body: str | bytes) -> None:
    with pytest.raises(UnreadableResponse) as caught:
        parse_token(answer(status, body), US)

    assert "accounts.zoho.com" in str(caught.value)
    assert "secr" not in str(caught.value)


FIELDS = st.sampled_from(["access_token", "error", "error_description", "status", "api_domain", "expires_in", "expires_in_sec", "scope"])
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2)


@given(st.dictionaries(FIELDS, VALUES).map(json.dumps).map(str.encode) | st.binary())
def test_whatever_zoho_accounts_answers_is_a_token_or_an_error_of_ours(body: bytes) -> None:
    try:
        token = parse_token(ApiResponse(200, {}, body), US)
    except ZohoCrmError:
        return
    assert token.value
    assert 0 < token.expires_in < float("inf")
