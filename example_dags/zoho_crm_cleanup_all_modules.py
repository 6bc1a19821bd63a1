"""Every Sunday night: delete the unused tags of all modules, one group of tasks per module, each with a backup.

Needs the connection ``zoho_crm_default``. The modules and the folder of the backups are params of the DAG. A module that fails, or
whose guard trips, does not hold the others up.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.providers.common.compat.sdk import DAG, task_group

from airflow_provider_zcrm.tag_selection import TagSelection
from airflow_provider_zcrm.task_groups import tag_cleanup

UNUSED = TagSelection(max_records="unused", used_by_automation=False, created_before="P90D", keep=["VIP*", "do-not-call"])

with DAG(
    "zoho_crm_cleanup_all_modules",
    schedule="0 3 * * 0",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
    params={"folder": "file:///tmp/zoho_crm_backups"},
    tags=["zoho_crm"],
):
    # [START cleanup_all_modules]
    @task_group
    def clean_module(module: str) -> None:
        """Clean one module."""
        tag_cleanup(
            "clean",
            module,
            UNUSED,
            backup_path="{{ params.folder }}/{{ run_id | replace(':', '') }}/{{ ti.task.module }}.jsonl",
        )

    clean_module.expand(module=["Leads", "Contacts", "Accounts", "Deals"])
    # [END cleanup_all_modules]
