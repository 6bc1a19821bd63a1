"""Find tags, ask a person, and delete the very tags that the person has approved. Needs Airflow 3.1 or newer.

Needs the connection ``zoho_crm_default``. The question is in Airflow's UI under Required Actions, with the tags in its text. Rejected,
or not answered in two days, nothing is deleted.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_zcrm.tag_selection import TagSelection
from airflow_provider_zcrm.task_groups import tag_cleanup

with DAG(
    "zoho_crm_cleanup_with_approval",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
    tags=["zoho_crm"],
) as dag:
    # [START cleanup_with_approval]
    tag_cleanup("clean_leads", "Leads", TagSelection(max_records="unused"), approval=True)
    # [END cleanup_with_approval]
