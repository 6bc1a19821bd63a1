"""Which exception an answer of Zoho's becomes; one row per error body that Zoho's documents (or captures of it) show."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_zcrm.api import errors
from airflow_provider_zcrm.api.answers import decode, unexpected
from airflow_provider_zcrm.api.call import ApiRequest, ApiResponse
from airflow_provider_zcrm.api.errors import (
    ConnectionFailed,
    InvalidModule,
    InvalidRequest,
    JobAlreadyRunning,
    JobNotFound,
    LimitExceeded,
    NoRecordsFound,
    NotSupported,
    PermanentError,
    PermissionDenied,
    RetryableError,
    ScopeMissing,
    ServiceUnavailable,
    SubmissionUncertain,
    TagInUse,
    TagNotFound,
    TokenRejected,
    TokenThrottled,
    TooManyRequests,
    UnexpectedAnswer,
    UnreadableResponse,
    ZohoCrmError,
    certainly_not_taken,
    submission_error,
)
from airflow_provider_zcrm.rules import errors as rules_errors
from airflow_provider_zcrm.rules.errors import JobFailed, TagsLeftBehind
from tests.unit.api.answers import HTML, READ, SUBMIT, answer, envelope


class Row(NamedTuple):
    """An answer, the class that it becomes, whether a submission so answered was certainly not taken, and words that the user reads."""

    what: str
    status: int
    body: Any
    error: type[ZohoCrmError]
    not_taken: bool
    words: tuple[str, ...]
    advice: bool = False


TAG_0 = {"api_name": "id", "json_path": "$.mass_delete[0].tags[0].id"}
AMBIGUOUS = [{"api_name": name, "json_path": f"$.mass_delete[0].module.{name}"} for name in ("id", "api_name")]
LEGACY_429 = {
    "code": 429,
    "error": "TOO_MANY_REQUESTS",
    "error_info": "Many requests fired than the allowed limit for the past 24 hours.",
    "details": [],
}
TRACE_429 = envelope("TOO_MANY_REQUESTS", "Rate limit exceeded.", trace_id="t", retry_after=60, limit=100, window=60)


def mandatory(name: str, path: str) -> Row:
    body = envelope("MANDATORY_NOT_FOUND", "required field not found", api_name=name, json_path=path)
    return Row(f"no {path}", 400, body, InvalidRequest, True, ("required field not found", path))


def invalid(what: str, **details: Any) -> Row:
    return Row(what, 400, envelope("INVALID_DATA", "invalid data", **details), InvalidRequest, True, ("invalid data", details["json_path"]))


ROWS = [
    # mass delete of tags
    mandatory("mass_delete", "$.mass_delete"),
    mandatory("module", "$.mass_delete[0].module"),
    mandatory("tags", "$.mass_delete[0].tags"),
    mandatory("id", "$.mass_delete[0].module.id"),
    mandatory("api_name", "$.mass_delete[0].module.api_name"),
    invalid("empty mass_delete", api_name="mass_delete", json_path="$.mass_delete"),
    invalid("two modules", api_name="mass_delete", json_path="$.mass_delete", maximum_length=1),
    invalid("201 tags", api_name="tags", json_path="$.mass_delete[0].tags", maximum_length=200),
    invalid("tags no array", api_name="tags", json_path="$.mass_delete[0].tags", expected_data_type="jsonarray"),
    invalid("module no object", api_name="module", json_path="$.mass_delete[0].module", expected_data_type="jsonobject"),
    invalid("tag id of a wrong type", api_name="id", json_path="$.mass_delete[0].tags[3].id", expected_data_type="string"),
    Row("unknown tag", 400, envelope("INVALID_DATA", "tags not found", **TAG_0), TagNotFound, True, ("does not exist", "tags[0].id")),
    Row(
        "tag of another module",
        400,
        envelope("INVALID_DATA", "one of the tags seems not found.", api_name="id", json_path="$.mass_delete[0].tags[17].id"),
        TagNotFound,
        True,
        ("does not exist", "tags[17].id"),
    ),
    Row(
        "tag in use",
        400,
        envelope("NOT_ALLOWED", "tags has been associated to features", **TAG_0),
        TagInUse,
        True,
        ("used by a feature", "tags[0].id"),
        True,
    ),
    Row("tag in use, as the SDK has it", 400, envelope("ALREADY_USED", "in use"), TagInUse, True, ("used by a feature",), True),
    Row(
        "module id and name disagree",
        400,
        envelope("AMBIGUITY_DURING_PROCESSING", "ambiguous module identifiers", ambiguity_due_to=AMBIGUOUS),
        InvalidRequest,
        True,
        ("ambiguous module identifiers",),
    ),
    Row(
        "expected field",
        400,
        envelope("EXPECTED_FIELD_MISSING", "m", expected_fields=AMBIGUOUS),
        InvalidRequest,
        True,
        ("expected_fields",),
    ),
    Row(
        "wrong method",
        400,
        envelope("INVALID_REQUEST_METHOD", "The http request method type"),
        InvalidRequest,
        True,
        ("http request method",),
    ),
    Row("wrong path", 404, envelope("INVALID_URL_PATTERN", "Please check if the URL"), InvalidRequest, True, ("Please check",)),
    Row("bad request, as the SDK has it", 400, envelope("BAD_REQUEST", "m"), InvalidRequest, True, ("refuses the request",)),
    # status of jobs
    Row(
        "unknown tag job",
        400,
        {"mass_delete": [envelope("INVALID_DATA", "job details not found", job_id="999999999999999999")]},
        JobNotFound,
        True,
        ("does not know this job", "999999999999999999"),
        True,
    ),
    Row(
        "unknown tag job, in two arrays",
        400,
        {"mass_delete": [[envelope("INVALID_DATA", "job details not found", job_id="9")]]},
        JobNotFound,
        True,
        ("does not know this job",),
        True,
    ),
    Row(
        "job id null",
        400,
        {"mass_delete": [envelope("INVALID_DATA", "invalid data", job_id="null")]},
        JobNotFound,
        True,
        ("null",),
        True,
    ),
    Row(
        "no job id, 400",
        400,
        envelope("REQUIRED_PARAM_MISSING", "One of the expected param is missing", param_name="job_id"),
        InvalidRequest,
        True,
        ("expected param is missing",),
    ),
    Row("no job id, 401", 401, envelope("REQUIRED_PARAM_MISSING", "m", param_name="job_id"), InvalidRequest, True, ("job_id",)),
    Row(
        "no job id of records",
        400,
        envelope("MANDATORY_NOT_FOUND", "mandatory param missing", param_name="job_id"),
        InvalidRequest,
        True,
        ("mandatory param missing",),
    ),
    Row("unknown records job, 404", 404, envelope("NOT_FOUND", "m"), JobNotFound, True, ("does not know this job",), True),
    Row(
        "unknown records job, 400",
        400,
        envelope("INVALID_DATA", "The jobid given seems to be invalid", param_name="job_id"),
        JobNotFound,
        True,
        ("jobid given",),
        True,
    ),
    Row("job id no number", 400, envelope("UNABLE_TO_PARSE_DATA_TYPE", "wrong format"), InvalidRequest, True, ("wrong format",)),
    # mass delete of records
    Row("no ids", 400, {"data": [envelope("MANDATORY_NOT_FOUND", "m", api_name="cvid")]}, InvalidRequest, True, ("cvid",)),
    Row(
        "bad view",
        400,
        envelope("INVALID_DATA", "the cvid given seems to be invalid", api_name="cvid", json_path="$.cvid", id="1"),
        InvalidRequest,
        True,
        ("cvid given",),
    ),
    Row(
        "bad view, in data",
        400,
        {"data": [envelope("INVALID_DATA", "m", api_name="cvid", json_path="$.cvid")]},
        InvalidRequest,
        True,
        ("$.cvid",),
    ),
    Row(
        "bad record", 400, envelope("INVALID_DATA", "m", api_name="ids", json_path="$.ids[0]", id="1"), InvalidRequest, True, ("$.ids[0]",)
    ),
    Row("job under way", 400, envelope("ALREADY_SCHEDULED", "m", api_name="cvid"), JobAlreadyRunning, True, ("still running",)),
    Row("empty view", 400, envelope("NO_RECORDS_FOUND", "no record found to update"), NoRecordsFound, True, ("no record found",)),
    Row(
        "module without mass delete",
        400,
        envelope("NOT_SUPPORTED", "Mass delete is not supported for this module", resource_path_index=0),
        NotSupported,
        True,
        ("not supported for this module",),
        True,
    ),
    Row("not approved", 400, envelope("NOT_APPROVED", "not approved"), InvalidRequest, True, ("not approved",)),
    Row("locked", 400, envelope("RECORD_LOCKED", "m", action="record_locking", id="1"), InvalidRequest, True, ("record_locking",)),
    # modules and tags
    Row(
        "bad module",
        400,
        envelope("INVALID_MODULE", "the module name given seems to be invalid"),
        InvalidModule,
        True,
        ("module name",),
        True,
    ),
    Row("module without tags", 400, envelope("INVALID_MODULE", "not supported for this api"), InvalidModule, True, ("this api",), True),
    Row("no module", 400, envelope("REQUIRED_PARAM_MISSING", "m", param="module"), InvalidRequest, True, ("module",)),
    Row(
        "records count of an unknown tag",
        404,
        envelope("INVALID_DATA", "tags not found", api_name="id"),
        InvalidRequest,
        True,
        ("tags not found",),
    ),
    Row("bad module status", 400, envelope("INVALID_DATA", "m", index=0, supported_values=["visible"]), InvalidRequest, True, ("visible",)),
    Row("duplicate tag", 400, {"tags": [envelope("DUPLICATE_DATA", "duplicate data", id="1")]}, InvalidRequest, True, ("duplicate data",)),
    Row("tag's colour", 400, {"tags": [envelope("MAPPING_MISMATCH", "m")]}, InvalidRequest, True, ("refuses",)),
    Row(
        "no more tags",
        400,
        {"tags": [envelope("LICENSE_LIMIT_EXCEEDED", "tags edition limit exceeded")]},
        LimitExceeded,
        True,
        ("edition limit",),
        True,
    ),
    Row("limit", 400, envelope("LIMIT_EXCEEDED", "m"), LimitExceeded, True, ("limit of the Zoho edition",), True),
    Row("record limit", 400, envelope("RECORD_LIMIT_EXCEEDED", "m"), LimitExceeded, True, ("limit",), True),
    Row("limit, as the SDK has it", 400, envelope("LIMIT_REACHED", "m"), LimitExceeded, True, ("limit",), True),
    # who may do what
    Row(
        "no token", 401, envelope("AUTHENTICATION_FAILURE", "Authentication failed"), TokenRejected, True, ("Authentication failed",), True
    ),
    Row("bad token", 401, envelope("INVALID_TOKEN", "invalid oauth token"), TokenRejected, True, ("invalid oauth token",), True),
    Row("evicted token, as the documents have it", 401, envelope("INVALID_OAUTHTOKEN", "m"), TokenRejected, True, ("rejects",), True),
    Row(
        "no scope",
        401,
        envelope("OAUTH_SCOPE_MISMATCH", "invalid oauth scope to access this URL", method="GET", url="/crm/v8/settings/tags"),
        ScopeMissing,
        True,
        ("ZohoCRM.settings.tags.", "new refresh token"),
        True,
    ),
    Row(
        "no scope, no details", 401, envelope("OAUTH_SCOPE_MISMATCH", "Unauthorized"), ScopeMissing, True, ("ZohoCRM.settings.tags.",), True
    ),
    Row(
        "no permission",
        403,
        envelope("NO_PERMISSION", "permission denied", permissions=["Crm_Implied_Edit_Tags"]),
        PermissionDenied,
        True,
        ("Crm_Implied_Edit_Tags",),
        True,
    ),
    Row(
        "no permission, 400",
        400,
        envelope("AUTHORIZATION_FAILED", "User does not have sufficient privilege to delete"),
        PermissionDenied,
        True,
        ("sufficient privilege",),
        True,
    ),
    # versions and editions
    Row("old version", 400, envelope("API_NOT_SUPPORTED", "m", supported_version=8), NotSupported, True, ("api_version", "8"), True),
    Row("edition", 400, envelope("FEATURE_NOT_SUPPORTED", "m"), NotSupported, True, ("does not support",), True),
    Row("edition, 403", 403, envelope("FEATURE_NOT_ENABLED", "m"), NotSupported, True, ("does not support",), True),
    Row(
        "invalid request", 400, envelope("INVALID_REQUEST", "unable to process your request."), InvalidRequest, True, ("unable to process",)
    ),
    Row("a code that nobody has seen", 400, envelope("SOMETHING_NEW", "so it is", why=1), UnexpectedAnswer, True, ("so it is", '"why": 1')),
    # too many calls
    Row("429", 429, envelope("TOO_MANY_REQUESTS", "for the past 24 hours"), TooManyRequests, True, ("for the past 24 hours",), True),
    Row("429, older", 429, LEGACY_429, TooManyRequests, True, ("Many requests fired",), True),
    Row("429, with retry_after", 429, TRACE_429, TooManyRequests, True, ("Rate limit exceeded",), True),
    Row("429, other code", 429, envelope("RATE_LIMIT_EXCEEDED", "slow down"), TooManyRequests, True, ("slow down",), True),
    Row("429, HTML", 429, HTML, TooManyRequests, True, ("Bad gateway",), True),
    Row("429, empty", 429, "", TooManyRequests, True, ("an empty body",), True),
    # Zoho's own faults
    Row("500", 500, envelope("INTERNAL_ERROR", "Internal Server Error"), ServiceUnavailable, False, ("Internal Server Error",)),
    Row(
        "400 with a fault of Zoho's",
        400,
        envelope("INTERNAL_SERVER_ERROR", "Internal Server Error"),
        ServiceUnavailable,
        False,
        ("Internal",),
    ),
    Row("503", 503, envelope("SERVICE_UNAVAILABLE", "come back"), ServiceUnavailable, False, ("come back",)),
    Row("5xx with a refusal's code", 500, envelope("INVALID_DATA", "m"), ServiceUnavailable, False, ("cannot answer",)),
    Row("502, HTML", 502, HTML, ServiceUnavailable, False, ("Bad gateway",)),
    Row("500, empty", 500, "", ServiceUnavailable, False, ("an empty body",)),
    # what is not JSON, or not Zoho's
    Row("HTML", 200, HTML, UnreadableResponse, False, ("not JSON", "Bad gateway")),
    Row("cut off", 200, '{"tags": [{"id": "1"', UnreadableResponse, False, ("not JSON",)),
    Row("empty", 200, "", UnreadableResponse, False, ("an empty body",)),
    Row("not UTF-8", 200, b"\xff\xfe\x00", UnreadableResponse, False, ("not JSON",)),
    Row("404, HTML", 404, HTML, UnreadableResponse, False, ("HTTP 404",)),
    Row("400, JSON that is no error", 400, {"data": []}, UnreadableResponse, False, ("HTTP 400",)),
    Row("400, a list", 400, [1, 2], UnreadableResponse, False, ("HTTP 400",)),
    Row("redirect", 302, "", UnreadableResponse, False, ("HTTP 302",)),
    Row("informational", 100, "", UnreadableResponse, False, ("HTTP 100",)),
    # errors under a good status
    Row("200 with an error", 200, {"data": [envelope("INVALID_DATA", "m", job_id="1")]}, JobNotFound, False, ("this job",), True),
    Row("202 with ALREADY_SCHEDULED", 202, envelope("ALREADY_SCHEDULED", "m"), JobAlreadyRunning, False, ("still running",)),
    Row("200 with TOO_MANY_REQUESTS", 200, LEGACY_429, TooManyRequests, False, ("Many requests",), True),
]
each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)


def raised(row: Row, request: Any = READ) -> ZohoCrmError:
    with pytest.raises(ZohoCrmError) as caught:
        decode(answer(row.status, row.body), request)
    return caught.value


@each_row
def test_every_error_body_becomes_its_class(row: Row) -> None:
    assert type(raised(row)) is row.error


@each_row
def test_every_error_says_what_where_and_what_to_do(row: Row) -> None:
    error = raised(row)

    assert error.status == row.status
    assert (error.method, error.path) == ("GET", "settings/tags")
    assert f"[GET settings/tags: HTTP {row.status}" in str(error)
    assert [word for word in row.words if word not in str(error)] == []
    assert bool(error.advice) is row.advice
    assert error.advice in str(error)


@each_row
def test_a_submission_is_uncertain_unless_the_answer_proves_that_it_was_refused(row: Row) -> None:
    error = raised(row, SUBMIT)

    assert certainly_not_taken(error) is row.not_taken
    outcome = submission_error(error)
    if row.not_taken:
        assert outcome is error
        return
    assert type(outcome) is SubmissionUncertain
    assert not isinstance(outcome, RetryableError)
    assert (outcome.status, outcome.code, outcome.details, outcome.path) == (error.status, error.code, error.details, SUBMIT.path)
    assert error.message in outcome.message


def test_a_submission_that_never_left_is_not_taken_and_one_that_may_have_is_uncertain() -> None:
    unsent, sent = ConnectionFailed("refused", sent=False, method="POST", path="p"), ConnectionFailed("reset", method="POST", path="p")

    assert submission_error(unsent) is unsent
    assert isinstance(submission_error(sent), SubmissionUncertain)


@pytest.mark.parametrize(("status", "not_taken"), [(399, False), (400, True), (499, True), (500, False)])
def test_an_error_proves_a_refusal_where_its_status_is_a_refusals(status: int, not_taken: bool) -> None:
    assert certainly_not_taken(UnexpectedAnswer("m", status=status)) is not_taken


def test_what_was_raised_before_anything_was_sent_is_not_taken() -> None:
    assert certainly_not_taken(TokenThrottled("wait")) is True
    assert certainly_not_taken(errors.InvalidArgument("no")) is True


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("body", ["", HTML])
def test_an_empty_answer_is_none_whatever_its_content_type(status: int, body: str) -> None:
    assert decode(answer(status, body, {"content-type": "application/json;charset=utf-8"}), READ) is None


@pytest.mark.parametrize("status", [200, 201, 202, 207])
def test_an_answer_with_a_success_is_returned(status: int) -> None:
    body = {"data": [{"status": "success", "code": "SUCCESS"}, envelope("INVALID_DATA", "locked")]}

    assert decode(answer(status, body), READ) == body


def test_a_207_is_returned_even_if_all_failed() -> None:
    body = {"data": [envelope("INVALID_DATA", "locked", id="1")]}

    assert decode(answer(207, body), READ) == body


@pytest.mark.parametrize(
    "body",
    [
        {"tags": [{"id": "1", "name": "error"}], "info": {"count": 1}},
        {"modules": [{"id": "1", "status": "visible", "profiles": [{"status": "error"}]}, {"id": "2"}]},
        {"data": [], "tags": [envelope("INVALID_DATA")]},
        {"data": []},
        {"a": [[[[envelope("INVALID_DATA")]]]]},
        [],
        0,
    ],
)
def test_what_only_resembles_an_error_is_returned(body: Any) -> None:
    assert decode(answer(200, body), READ) == body


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({}, envelope("TOO_MANY_REQUESTS"), None),
        ({}, LEGACY_429, None),
        ({}, TRACE_429, 60.0),
        ({"retry-after": "7"}, TRACE_429, 7.0),
        ({"retry-after": "0.5"}, HTML, 0.5),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, HTML, None),
        ({"retry-after": "0"}, HTML, 0.0),
        ({"retry-after": "-1"}, HTML, None),
        ({"retry-after": "inf"}, HTML, None),
        ({"retry-after": "nan"}, HTML, None),
        ({}, envelope("TOO_MANY_REQUESTS", retry_after="soon"), None),
        ({}, envelope("TOO_MANY_REQUESTS", retry_after=None), None),
    ],
)
def test_a_429_says_how_long_to_wait_where_zoho_does(headers: dict[str, str], body: Any, seconds: float | None) -> None:
    with pytest.raises(TooManyRequests) as caught:
        decode(answer(429, body, headers), READ)

    assert caught.value.retry_after == seconds


def test_a_message_is_never_what_decides() -> None:
    with pytest.raises(TagInUse):
        decode(answer(400, envelope("NOT_ALLOWED", "invalid oauth token")), READ)


@pytest.mark.parametrize(
    ("request_", "named"),
    [
        (replace(READ, params={"module": "Lead"}), "the module 'Lead': "),
        (replace(SUBMIT, path="Lead/actions/mass_delete"), "the module 'Lead': "),
        (SUBMIT, "the module of the request: "),
    ],
)
def test_a_module_that_zoho_does_not_accept_is_named(request_: ApiRequest, named: str) -> None:
    with pytest.raises(InvalidModule, match=named):
        decode(answer(400, envelope("INVALID_MODULE")), request_)


def test_a_long_body_is_shown_in_part() -> None:
    with pytest.raises(UnreadableResponse) as caught:
        decode(answer(200, "x" * 100_000), READ)

    assert len(str(caught.value)) < 400


def test_an_unexpected_answer_names_what_is_missing() -> None:
    error = unexpected("job_id", answer(202, {"status": "success"}), SUBMIT)

    assert isinstance(error, UnreadableResponse)
    assert "no job_id" in str(error)
    assert isinstance(submission_error(error), SubmissionUncertain)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["code", "status", "details", "message", "data"]), inner),
    max_leaves=12,
)


@given(st.integers(100, 599), JSON.map(json.dumps).map(str.encode) | st.binary())
def test_whatever_zoho_answers_is_a_value_or_an_error_of_ours(status: int, body: bytes) -> None:
    try:
        value = decode(ApiResponse(status, {}, body), READ)
    except ZohoCrmError as error:
        json.dumps([str(error), error.as_dict()])
    else:
        assert value is None or 200 <= status < 300


# --- the classes themselves ----------------------------------------------------------------------------------------------


def classes(root: type[ZohoCrmError] = ZohoCrmError) -> list[type[ZohoCrmError]]:
    own = [child for child in root.__subclasses__() if child.__module__ in (errors.__name__, rules_errors.__name__)]
    return [root, *(descendant for child in own for descendant in classes(child))]


each_class = pytest.mark.parametrize("kind", sorted(set(classes()), key=str))


def example(kind: type[ZohoCrmError]) -> ZohoCrmError:
    extras: dict[Any, dict[str, Any]] = {TooManyRequests: {"retry_after": 12.5}, ConnectionFailed: {"sent": False}}
    where: dict[str, Any] = {
        "status": 400,
        "code": "CODE",
        "details": {"id": "1", "deep": [1, {"two": None}]},
        "method": "GET",
        "path": "settings/tags",
    }
    return kind("It happened.", advice="Change it.", **where, **extras.get(kind, {}))


@each_class
def test_an_error_survives_pickle(kind: type[ZohoCrmError]) -> None:
    error = example(kind)
    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is kind
    assert copy.__dict__ == error.__dict__
    assert str(copy) == str(error)


@each_class
def test_an_error_survives_json(kind: type[ZohoCrmError]) -> None:
    error = example(kind)
    copy = ZohoCrmError.from_dict(json.loads(json.dumps(error.as_dict())))

    assert type(copy) is (PermanentError if kind is ZohoCrmError else kind)
    assert copy.__dict__ == error.__dict__
    assert str(copy) == str(error)


def test_an_error_of_an_unknown_type_becomes_a_permanent_one() -> None:
    error = ZohoCrmError.from_dict({"type": "FromTheFuture", "message": "It happened.", "status": 418, "colour": "teal"})

    assert type(error) is PermanentError
    assert (error.message, error.status, error.advice) == ("It happened.", 418, "")
    assert not hasattr(error, "colour")


def test_an_error_of_little_content_can_be_rebuilt() -> None:
    error = ZohoCrmError.from_dict({"type": "TooManyRequests"})

    assert isinstance(error, TooManyRequests)
    assert error.retry_after is None
    assert (error.message, error.advice) == ("", TooManyRequests.default_advice)


@pytest.mark.parametrize("before", ["Zoho-oauthtoken ", "zoho-oauthtoken\t", "token="])
@pytest.mark.parametrize("offset", [0, 120, 150, 199, 230])
def test_a_page_that_quotes_a_token_shows_no_part_of_it_wherever_it_is_cut(before: str, offset: int) -> None:
    token = "1000." + "a1b2c3d4" * 4 + "." + "e5f6a7b8" * 4
    body = f"<html>{'x' * offset} {before}{token}</html>"
    with pytest.raises(ZohoCrmError) as caught:
        decode(ApiResponse(502, {}, body.encode()), ApiRequest("GET", "settings/tags", scope="ZohoCRM.settings.tags.READ"))

    assert "a1b2" not in str(caught.value)
    assert "<html>" in str(caught.value)


def test_an_error_without_a_call_is_its_sentence_and_its_advice() -> None:
    assert str(PermanentError("It happened.")) == "It happened."
    assert str(PermanentError("It happened.", advice="Change it.")) == "It happened. Change it."
    assert str(PermanentError("It happened.", method="GET", path="org")) == "It happened. [GET org]"


def test_each_class_answers_what_now() -> None:
    """A class is retryable, permanent, or one of the few whose caller must look before doing either."""
    neither = {kind for kind in classes() if not issubclass(kind, (RetryableError, PermanentError))}

    assert not [kind for kind in classes() if issubclass(kind, RetryableError) and issubclass(kind, PermanentError)]
    assert neither == {
        ZohoCrmError,
        TokenRejected,
        SubmissionUncertain,
        JobFailed,
        TagsLeftBehind,
        rules_errors.RecordsLeftBehind,
        rules_errors.RecordsNotRestored,
        rules_errors.BackupShort,
        rules_errors.ListShort,
        rules_errors.RestoreShort,
        rules_errors.DeadlineReached,
    }


# --- a 401, and permissions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("request_", [READ, SUBMIT], ids=["GET", "POST"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        HTML,
        envelope("invalid_oauthtoken"),
        envelope("SOMETHING_NEW"),
        {"code": "INVALID_TOKEN"},
        {"data": {"errorCode": "INVALID_OAUTHTOKEN"}},
        {"error": "invalid_token"},
        [],
        "null",
    ],
    ids=repr,
)
def test_any_401_that_is_not_about_something_else_is_about_the_token_and_certainly_refused(request_: ApiRequest, body: Any) -> None:
    with pytest.raises(TokenRejected) as caught:
        decode(answer(401, body), request_)

    assert certainly_not_taken(caught.value)


@pytest.mark.parametrize(
    ("code", "error"),
    [("OAUTH_SCOPE_MISMATCH", ScopeMissing), ("oauth_scope_mismatch", ScopeMissing), ("REQUIRED_PARAM_MISSING", InvalidRequest)],
)
def test_a_401_about_a_scope_or_a_parameter_is_not_about_the_token(code: str, error: type[ZohoCrmError]) -> None:
    with pytest.raises(error):
        decode(answer(401, envelope(code)), READ)


def test_a_module_that_zoho_does_not_accept_may_be_a_tab_that_the_user_may_not_see() -> None:
    with pytest.raises(InvalidModule, match="lacks the permission for the module's tab"):
        decode(answer(400, envelope("INVALID_MODULE")), READ)


@pytest.mark.parametrize("permissions", [["Crm_Implied_Api_Access"], "Crm_Implied_Api_Access", ["X", "crm_implied_api_access"]])
def test_a_user_without_the_api_is_told_which_switch_of_the_profile_is_off(permissions: Any) -> None:
    with pytest.raises(PermissionDenied, match='profile of the Zoho user lacks "Zoho CRM API Access"'):
        decode(answer(403, envelope("NO_PERMISSION", permissions=permissions)), READ)


def test_secrets_are_taken_out_of_all_that_an_error_says() -> None:
    error = ZohoCrmError(
        'a "s3cr€t" b', advice="s3cr€t", code="s3cr€t", details={"s3cr€t": ["s3cr€t", {"x": "-s3cr€t-"}], "n": 1}, method="GET", path="x"
    )
    error.without("", "s3cr€t", "other")

    assert "s3cr€t" not in repr(error.as_dict()) + str(error) + repr(error.args)
    assert error.details == {"***": ["***", {"x": "-***-"}], "n": 1}
