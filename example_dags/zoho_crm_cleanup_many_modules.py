"""Delete tags of several modules at once: one mapped task per module, each waiting in the triggerer for its own job.

Needs the connection ``zoho_crm_default``. Started by hand or by another DAG; a schedule is one argument away. ``make demo`` runs it.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_zcrm.operators.mass_delete_tags import MassDeleteTagsOperator

CLEAN_UP = [
    {"module": "Leads", "tag_names": ["test", "TEST", "Test 2", "test import", "asdf", "xxx", "delete me", "tmp", "temp2", "copy of hot"]},
    {"module": "Contacts", "tag_names": ["test", "TEST", "asdf", "xxx", "from excel", "from excel (2)", "bounced?"]},
    {"module": "Deals", "tag_names": ["test deal", "Q4-2023", "Q1-2024", "Q2-2024", "Q3-2024"]},
]

with DAG(
    "zoho_crm_cleanup_many_modules",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
    tags=["zoho_crm"],
):
    # [START cleanup_many_modules]
    MassDeleteTagsOperator.partial(
        task_id="clean_up",
        wait_for_completion=True,
        deferrable=True,
        timeout=timedelta(hours=6),
        map_index_template="{{ task.module }}",
    ).expand_kwargs(CLEAN_UP)
    # [END cleanup_many_modules]
