"""All experiments, in the order in which they are made."""

from __future__ import annotations

from airflow_provider_zcrm.emulator.probe import ask_errors, ask_jobs, ask_limits, ask_records, ask_tags
from airflow_provider_zcrm.emulator.probe.run import POLLS, Experiment

EXPERIMENTS = (
    Experiment("making tags", ("tags_per_create", "tag_colors"), 20, ask_tags.make_pool),
    Experiment(
        "the token endpoint", ("scope_in_token_response", "expires_in", "wrong_secret", "revoke_error_body"), 2, ask_errors.ask_accounts
    ),
    Experiment(
        "unknown jobs",
        ("missing_job_id_status", "unknown_job_status", "unknown_job_nesting", "records_unknown_job"),
        3,
        ask_errors.ask_unknown_jobs,
    ),
    Experiment("shapes of errors", ("records_error_wrapping", "bulk_not_found_status"), 2, ask_errors.ask_error_shapes),
    Experiment("a module without tags", ("empty_tags",), ask_errors.OTHER_MODULES, ask_errors.ask_empty_tags),
    Experiment("tags that are there", ("other_color",), 2, ask_tags.ask_duplicates),
    Experiment("records", ask_records.OF_RECORDS, 60, ask_records.ask_records),
    Experiment("counts in the list of tags", ("include_counts",), 2 + 2 * ask_tags.LOOKS_AT_COUNT, ask_tags.ask_included_counts),
    Experiment("merging", ("merge_keeps",), 3, ask_tags.ask_merge),
    Experiment(
        "jobs",
        ("submit_code", "job_id_type", "tag_jobs_at_once", "counts", "created_time", "running_word"),
        4 * POLLS + 8,
        ask_jobs.ask_jobs,
    ),
    Experiment("refused submissions", ("gone_tag", "request_ids", "ambiguity_message"), 3 * POLLS + 26, ask_jobs.ask_refusals),
    Experiment("a tag in use", (), POLLS + 4, ask_jobs.ask_in_use, "in_use"),
    Experiment(
        "too many calls at once",
        ("too_many_requests_body", "retry_after"),
        ask_limits.AT_ONCE,
        ask_limits.ask_429,
        "provoke_429",
        after_clean_up=True,
    ),
    Experiment(
        "the throttle of access tokens",
        ("throttle_status", "throttle_body"),
        ask_limits.TOKENS,
        ask_limits.ask_throttle,
        "provoke_throttle",
        after_clean_up=True,
    ),
)
