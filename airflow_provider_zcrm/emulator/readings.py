"""The switches for what Zoho's documents leave open or contradict: a name, the choices (first = default), and what it is about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reading:
    """One open question; `choices[0]` is what the emulator does unless told otherwise."""

    choices: tuple[str, ...]
    about: str


READINGS: dict[str, Reading] = {
    "throttle_status": Reading(("200", "400"), "HTTP status of the token throttle's answer"),
    "throttle_body": Reading(("too_many_requests", "throttle_limit", "localised"), "wording of the token throttle's answer"),
    "throttle_extended_by_retries": Reading(("off", "on"), "a refused token request counts for the throttle too"),
    "wrong_secret": Reading(("invalid_client_secret", "invalid_client"), "error for a wrong client secret"),
    "max_active_tokens": Reading(("10", "15", "30"), "access tokens that a refresh token keeps alive"),
    "scope_in_token_response": Reading(("on", "off"), "the token response names the scopes"),
    "expires_in": Reading(("seconds", "milliseconds"), "unit of expires_in; milliseconds come with expires_in_sec"),
    "revoke_error_body": Reading(("html", "json"), "body of the 400 for revoking a token that is none"),
    "missing_job_id_status": Reading(("400", "401"), "HTTP status of a tag job's status without job_id"),
    "unknown_job_nesting": Reading(("1", "2"), "arrays around the error for an unknown tag job"),
    "records_unknown_job": Reading(("400", "404"), "400 INVALID_DATA or 404 NOT_FOUND for an unknown records job"),
    "records_error_wrapping": Reading(("bare", "data"), "errors of mass delete records: bare envelope, or in data[]"),
    "records_scope": Reading(("mass_delete", "modules_all"), "modules_all: ZohoCRM.modules.ALL may delete records too"),
    "counts": Reading(("present", "absent"), "the status of a tag job has the three counts"),
    "created_time": Reading(("off", "on"), "the status of a tag job has created_time"),
    "submit_code": Reading(("SCHEDULED", "QUEUED", "RUNNING", "COMPLETED", "FAILED"), "code of an accepted mass delete of tags"),
    "running_word": Reading(("RUNNING", "in_progress", "QUEUED", "SUSPENDED", "SCHEDULED"), "status of a job under way"),
    "job_id_type": Reading(("string", "number"), "JSON type of job_id in answers"),
    "request_ids": Reading(("strings", "numbers_too"), "whether ids in request bodies may be JSON numbers"),
    "scope_mismatch_details": Reading(("method_and_url", "empty"), "details of OAUTH_SCOPE_MISMATCH"),
    "ambiguity_message": Reading(("identifiers", "documented"), "'ambiguous module identifiers' or 'Ambiguity during processing'"),
    "tag_jobs_at_once": Reading(("any", "one_per_module", "one_per_org"), "mass deletes of tags that may run together"),
    "record_jobs_at_once": Reading(("one_per_view", "one_per_org"), "mass deletes of records that may run together"),
    "record_ids_refused": Reading(
        ("one_by_one", "whole_call"), "an id that meets no record: an element that failed, or the call is refused"
    ),
    "view_count": Reading(("current", "late"), "count of a custom view: as it is, or as it was up to ten minutes ago"),
    "view_count_scopes": Reading(("three", "modules"), "scopes of the count: those of Zoho's page, or ZohoCRM.modules alone"),
    "too_many_requests_body": Reading(("envelope", "legacy", "trace", "html"), "body of the 429"),
    "retry_after": Reading(("off", "on"), "the 429 has a Retry-After header"),
    "empty_tags": Reading(("list", "204"), "answer for a module without tags"),
    "include_counts": Reading(("ignored", "supported"), "list of tags: include=associated_record_count,last_accessed_time"),
    "unknown_hosts": Reading(("answered", "html"), "answer, or an HTML page, for a Host that is neither loopback nor Zoho's"),
}


def check(changes: dict[str, object]) -> dict[str, str]:
    """Return the changes as strings; raises ValueError for a name or a choice that does not exist."""
    checked: dict[str, str] = {}
    for name, value in changes.items():
        if name not in READINGS:
            raise ValueError(f"no reading {name!r}; there are: {', '.join(sorted(READINGS))}")
        choices = READINGS[name].choices
        if str(value) not in choices:
            raise ValueError(f"reading {name!r} is one of {', '.join(choices)}; not {value!r}")
        checked[name] = str(value)
    return checked


def defaults() -> dict[str, str]:
    """Return the first choice of every reading."""
    return {name: reading.choices[0] for name, reading in READINGS.items()}
