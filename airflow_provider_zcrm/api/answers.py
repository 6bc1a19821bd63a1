"""What Zoho's answers say: the JSON of a good one, and the exception that another one means.

Which class of `api.errors` a response becomes stands in a table, keyed by Zoho's ``code`` and the shape of ``details``, never by
``message`` (Zoho's documents disagree about messages).
Zoho: crm/developer/docs/api/v8/status-codes.html, mass-delete-tags.html, mass-delete-status.html
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_zcrm.api.call import ApiRequest, ApiResponse
from airflow_provider_zcrm.api.errors import (
    InvalidModule,
    InvalidRequest,
    JobAlreadyRunning,
    JobNotFound,
    LimitExceeded,
    NoRecordsFound,
    NotSupported,
    PermissionDenied,
    ScopeMissing,
    ServiceUnavailable,
    TagInUse,
    TagNotFound,
    TokenRejected,
    TooManyRequests,
    UnexpectedAnswer,
    UnreadableResponse,
    ZohoCrmError,
)

# Zoho's deepest answers have some ten levels
_DEEPEST = 50


def decode(response: ApiResponse, request: ApiRequest) -> Any:
    """Return the JSON of a good answer, None for an empty one (204, or 304), or raise what the answer means.

    :raises ZohoCrmError: the class that the table below gives
    """
    if response.status in (204, 304):
        return None
    body = read_json(response.body)
    envelope = _error_envelope(body) if response.status != 207 else None
    if envelope is not None or not 200 <= response.status < 300:
        raise _error(response, request, envelope or {})
    if body is None:
        raise UnreadableResponse(f"Zoho answered with something that is not JSON: {_glimpse(response.body)}", **_where(response, request))
    return body


def read_json(body: bytes) -> Any:
    """Return the JSON of an answer; None for what is none, nests too deeply, or has a number of more digits than Python reads."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            child
            for item in level
            if isinstance(item, (dict, list))
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, (dict, list))
        ]
    return None if level else value


def id_of(value: Any) -> str | None:
    """Return an id, which Zoho sends as text and sometimes as a number; None if it is neither, such as a number with an exponent."""
    known = isinstance(value, (str, int)) and not isinstance(value, bool)
    return str(value) if known and str(value).strip() else None


def count_of(value: Any) -> int | None:
    """Return a count, which Zoho sends as a number or as text, also as 3.0; None if it is neither, negative, or no whole number."""
    whole = re.fullmatch(r"([0-9]{1,15})(\.0*)?", str(value).strip())
    return int(whole[1]) if whole and not isinstance(value, bool) else None


def elements(response: ApiResponse, key: str) -> list[dict[str, Any]]:
    """Return what an answer says of each item on its own, successes and errors, or nothing if it is about the call as a whole."""
    body = read_json(response.body) if response.status in (200, 201, 202, 207, 400) else None
    items = body.get(key) if isinstance(body, dict) else None
    return items if isinstance(items, list) and all(isinstance(item, dict) for item in items) else []


def elements_by_id(response: ApiResponse, key: str, ids: Sequence[str], *, whole_call: bool = False) -> list[tuple[str, dict[str, Any]]]:
    """Return what an answer says of single records, each with the requested id that it is about; keys in lower case.

    An element that is no object, or about no requested id, costs the others nothing.

    :param whole_call: return instead those that name no id, with an empty one.
    """
    body = plain_keys(read_json(response.body)) if response.status in (200, 201, 202, 207, 400) else {}
    items = body.get(key)
    found = []
    for item in items if isinstance(items, list) else []:
        element = plain_keys(item)
        element["details"] = plain_keys(element.get("details"))
        record_id = (id_of(element["details"].get("id")) or "").strip()
        if (not record_id and "status" in element) if whole_call else record_id in ids:
            found.append((record_id, element))
    return found


def plain_keys(value: Any) -> dict[str, Any]:
    """Return an object with its keys in lower case and without blanks, an empty one for anything else."""
    return {str(name).strip().lower(): item for name, item in value.items()} if isinstance(value, dict) else {}


def details_of(element: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the ``details`` of an element or an envelope, empty where it has none."""
    details = element.get("details")
    return details if isinstance(details, dict) else {}


def reason_of(element: Mapping[str, Any]) -> str:
    """Return why Zoho did not do it, in its own words."""
    return f"{element.get('code') or 'no code'}: {element.get('message') or 'no message'}"


def unexpected(what: str, response: ApiResponse, request: ApiRequest) -> UnreadableResponse:
    """Return the error for JSON that lacks what the call is about."""
    return UnreadableResponse(f"Zoho's answer has no {what}: {_glimpse(response.body)}", **_where(response, request))


def _error_envelope(value: Any, depth: int = 3) -> Mapping[str, Any] | None:
    """Find ``{"code", "status": "error", ...}``, bare or in one or two arrays under a resource key, where all elements are errors.

    An answer with at least one success is not an error as a whole.
    """
    if isinstance(value, dict):
        if (str(value.get("status")).strip().lower() == "error" and "code" in value) or "TOO_MANY_REQUESTS" in (
            value.get("error"),
            value.get("code"),
        ):
            return value
        lists = [item for item in value.values() if isinstance(item, list)]
        return _error_envelope(lists[0], depth) if len(lists) == 1 else None
    if isinstance(value, list) and value and depth:
        found = [_error_envelope(item, depth - 1) for item in value]
        return found[0] if all(found) else None
    return None


def _error(response: ApiResponse, request: ApiRequest, envelope: Mapping[str, Any]) -> ZohoCrmError:
    code = str(envelope.get("code") or "")
    details = details_of(envelope)
    fields = _where(response, request) | {"code": code, "details": details}
    said = str(envelope.get("message") or envelope.get("error_info") or "") or _glimpse(response.body)
    if response.status == 429 or "TOO_MANY_REQUESTS" in (code, envelope.get("error")):
        wait = _retry_after(response, details)
        return TooManyRequests(f"Zoho refuses more calls for now: {said}", retry_after=wait, **fields)
    if response.status >= 500:
        return ServiceUnavailable(f"Zoho cannot answer: {said}", **fields)
    for row in _TABLE:
        if row.error in _OF_TAGS and "tags" not in request.path:
            continue
        if code.strip().upper() in row.codes and row.when(details):
            named = {"scope": request.scope, "module": _module(request), "details": json.dumps(details)}
            return row.error(row.sentence.format(said=said, **named), **fields)
    if response.status == 401:
        return TokenRejected(f"Zoho rejects the access token: {said}", **fields)
    # a page of a gateway says nothing of the job
    if response.status == 404 and "job_id" in request.params and not envelope and (not response.body.strip() or read_json(response.body)):
        return JobNotFound(f"Zoho does not know job {request.params['job_id']}: it answers {said}.", **fields)
    if not envelope:
        return UnreadableResponse(f"Zoho answered HTTP {response.status} without its error format: {said}", **fields)
    return UnexpectedAnswer(f"Zoho refuses the call: {said} {json.dumps(details)}", **fields)


def _module(request: ApiRequest) -> str:
    """Return the module that a request names: as a parameter, or at the beginning of a path about records; others have it in the body."""
    name = request.params.get("module") or request.path.partition("/")[0]
    return "of the request" if name in ("settings", "read") else repr(name)


def _where(response: ApiResponse, request: ApiRequest) -> dict[str, Any]:
    return {"status": response.status, "method": request.method, "path": request.path}


# how a token is sent, and what Zoho's tokens look like
_TOKEN = re.compile(r"Zoho-oauthtoken\s+[^\s<\"']+|1000\.[0-9a-f.]+", re.IGNORECASE)


def _glimpse(body: bytes) -> str:
    # here, because who takes a token out of an error later, such as a log's mask, does not know one of which a part is cut off
    text = _TOKEN.sub("***", body[:200].decode("utf-8", "replace"))
    text = re.sub(r"\s+", " ", text).strip()
    return repr(text) if text else "an empty body"


def _retry_after(response: ApiResponse, details: Mapping[str, Any]) -> float | None:
    """Seconds to wait, where Zoho says so; it documents neither the header nor the field, both have been seen in samples."""
    try:
        seconds = float(response.headers.get("retry-after") or details["retry_after"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds < math.inf else None


@dataclass(frozen=True)
class _Row:
    codes: frozenset[str]
    error: type[ZohoCrmError]
    sentence: str
    when: Callable[[Mapping[str, Any]], bool]


def _always(_details: Mapping[str, Any]) -> bool:
    return True


def _names_a_job(details: Mapping[str, Any]) -> bool:
    return "job_id" in details or details.get("param_name") == "job_id"


def _lacks_api_access(details: Mapping[str, Any]) -> bool:
    return "crm_implied_api_access" in json.dumps(details).lower()


def _points_at_a_tag(details: Mapping[str, Any]) -> bool:
    return bool(re.search(r"\.tags\[[0-9]+\]", str(details.get("json_path")))) and "expected_data_type" not in details


def _row(codes: str, error: type[ZohoCrmError], sentence: str, when: Callable[[Mapping[str, Any]], bool] | None = None) -> _Row:
    return _Row(frozenset(codes.split()), error, sentence, when or _always)


# only what is about tags is refused for them
_OF_TAGS = (TagInUse, TagNotFound)

# First match wins; codes in capitals, however Zoho spells them.
_TABLE = (
    _row("INVALID_TOKEN AUTHENTICATION_FAILURE INVALID_OAUTHTOKEN", TokenRejected, "Zoho rejects the access token: {said}."),
    _row(
        "OAUTH_SCOPE_MISMATCH",
        ScopeMissing,
        "The refresh token lacks a scope: this call needs {scope}.",
    ),
    _row(
        "NO_PERMISSION AUTHORIZATION_FAILED",
        PermissionDenied,
        'The profile of the Zoho user lacks "Zoho CRM API Access" (in Zoho CRM: Setup > Security Control > Profiles): {said} {details}.',
        _lacks_api_access,
    ),
    _row("NO_PERMISSION AUTHORIZATION_FAILED", PermissionDenied, "The Zoho user may not do this: {said} {details}."),
    _row("INVALID_MODULE", InvalidModule, "Zoho does not accept the module {module}: {said}."),
    _row("NOT_SUPPORTED FEATURE_NOT_SUPPORTED FEATURE_NOT_ENABLED", NotSupported, "Zoho does not support this here: {said} {details}."),
    _row("API_NOT_SUPPORTED", NotSupported, "The api_version of the connection is too old for this call: {said} {details}."),
    _row(
        "NOT_ALLOWED ALREADY_USED", TagInUse, "A tag is used by a feature of Zoho CRM, so Zoho refused the whole batch: {said} {details}."
    ),
    _row("ALREADY_SCHEDULED", JobAlreadyRunning, "Another mass delete is still running: {said} {details}."),
    _row("INVALID_DATA", JobNotFound, "Zoho does not know this job: {said} {details}.", _names_a_job),
    _row("NOT_FOUND", JobNotFound, "Zoho does not know this job: {said}."),
    _row("INVALID_DATA", TagNotFound, "A tag of the batch does not exist in this module: {said} {details}.", _points_at_a_tag),
    _row("NO_RECORDS_FOUND", NoRecordsFound, "The custom view shows no record: {said}."),
    _row("INTERNAL_ERROR INTERNAL_SERVER_ERROR SERVICE_UNAVAILABLE", ServiceUnavailable, "Zoho cannot answer: {said}."),
    _row(
        "LIMIT_EXCEEDED LICENSE_LIMIT_EXCEEDED RECORD_LIMIT_EXCEEDED LIMIT_REACHED",
        LimitExceeded,
        "A limit of the Zoho edition is reached: {said} {details}.",
    ),
    _row(
        "INVALID_DATA MANDATORY_NOT_FOUND EXPECTED_FIELD_MISSING AMBIGUITY_DURING_PROCESSING REQUIRED_PARAM_MISSING "
        "UNABLE_TO_PARSE_DATA_TYPE INVALID_REQUEST INVALID_REQUEST_METHOD INVALID_URL_PATTERN BAD_REQUEST DUPLICATE_DATA "
        "MAPPING_MISMATCH NOT_ALLOWED ALREADY_USED NOT_APPROVED RECORD_LOCKED",
        InvalidRequest,
        "Zoho refuses the request: {said} {details}.",
    ),
)
