"""The switches for what Zoho's documents leave open or contradict: a name, the choices (first = default), and what it is about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reading:
    """One open question; `choices[0]` is what the emulator does by default."""

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
    "unknown_job_status": Reading(("400", "404"), "HTTP status of the error for an unknown tag job"),
    "records_unknown_job": Reading(
        ("400", "404", "404_empty"), "400 INVALID_DATA, 404 NOT_FOUND, or 404 without a body for an unknown records job"
    ),
    "records_error_wrapping": Reading(("bare", "data"), "errors of mass delete records: bare envelope, or in data[]"),
    "records_scope": Reading(("mass_delete", "modules_all"), "modules_all: ZohoCRM.modules.ALL may delete records too"),
    "counts": Reading(("present", "at_end", "absent"), "the status of a tag job has the three counts, from the start or once it has ended"),
    "created_time": Reading(("off", "on"), "the status of a tag job has created_time"),
    "gone_tag": Reading(
        ("one_of_the_tags", "tags_not_found", "accepted"), "a submission with a deleted tag: refused in which words, or accepted"
    ),
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
    "no_tags": Reading(("list", "null"), "field Tag of a record that has none"),
    "count_converted": Reading(("on", "off"), "records_count counts converted records too"),
    "bulk_converted": Reading(("on", "off"), "a bulk read exports converted records too"),
    "bulk_tag_column": Reading(("names", "absent", "refused"), "field Tag of a bulk read: names in a column, no column, or a refusal"),
    "bulk_id_header": Reading(("Id", "id"), "header of the first column of a bulk read's CSV"),
    "bulk_result_early": Reading(("off", "on"), "the status of a bulk read has a result before it is COMPLETED"),
    "bulk_not_found_status": Reading(("404", "400"), "HTTP status of a bulk read's file that is not there"),
    "search_equals": Reading(("contains", "exact"), "what equals finds in a search"),
    "search_lag": Reading(("0", "60"), "seconds from one renewal of the search's index to the next; 0 is none"),
    "add_tags_by_name": Reading(("creates", "refused"), "add_tags with a name that no tag has"),
    "tags_per_call": Reading(("any", "3", "1"), "tags that one add_tags or remove_tags takes"),
    "mixed_tagging_status": Reading(("200", "207"), "HTTP status of add_tags when some of the records failed"),
    "missing_record": Reading(("failure", "invalid_data"), "add_tags for a record that does not exist: FAILURE or INVALID_DATA"),
    "full_record": Reading(("not_added_tags", "failure"), "add_tags for a record that is full: SUCCESS with what did not fit, or FAILURE"),
    "locked_record": Reading(("element", "whole_call"), "what a locked record refuses: its own change, or the whole call"),
    "tags_per_create": Reading(("20", "any", "1"), "tags that one call creates"),
    "other_color": Reading(("mapping_mismatch", "duplicate_data"), "error for creating a tag that is there in another color"),
    "tag_colors": Reading(("any", "documented"), "colors that a tag can have: any, or the 13 of the documentation"),
    "merge_keeps": Reading(("conflict_id", "id"), "the tag that a merge leaves: that of the body, or that of the path"),
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
