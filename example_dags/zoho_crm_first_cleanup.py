"""A clean-up to try things out: everything is a param, and it deletes nothing until ``dry_run`` is false.

Needs the connection ``zoho_crm_default``. docs/cleanup.md goes through it step by step.
"""

from __future__ import annotations

from datetime import datetime, timezone

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_zcrm.task_groups import tag_cleanup

with DAG(
    "zoho_crm_first_cleanup",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    render_template_as_native_obj=True,
    params={"module": "Leads", "selection": {"max_records": "unused"}, "dry_run": True, "backup": ""},
    tags=["zoho_crm"],
):
    # [START first_cleanup]
    tag_cleanup(
        "clean",
        "{{ params.module }}",
        "{{ params.selection }}",
        # without one of its own, each run has another file: a backup is never overwritten
        backup_path="{{ params.backup or 'file:///tmp/zoho_crm_backups/' ~ (run_id | replace(':', '')) ~ '.jsonl' }}",
        dry_run="{{ params.dry_run }}",
    )
    # [END first_cleanup]
