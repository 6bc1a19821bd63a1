"""Undo a clean-up: trigger this DAG with the path of a backup. It changes nothing until ``dry_run`` is set to false.

Needs the connection ``zoho_crm_default``. The path is what `BackupTagsOperator` has returned, in its log and its XCom.
"""

from __future__ import annotations

from datetime import datetime, timezone

from airflow.providers.common.compat.sdk import DAG, Param

from airflow_provider_zcrm.operators.restore_tags import RestoreTagsOperator

with DAG(
    "zoho_crm_restore_tags",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    params={
        "path": Param(type="string", description="Path of the backup, such as s3://bucket/zoho/Leads.jsonl."),
        "dry_run": Param(default=True, type="boolean", description="Change nothing, and say in the log what would be restored."),
    },
    tags=["zoho_crm"],
):
    # [START restore_tags]
    RestoreTagsOperator(
        task_id="restore",
        path="{{ params.path }}",
        dry_run="{{ params.dry_run }}",
    )
    # [END restore_tags]
