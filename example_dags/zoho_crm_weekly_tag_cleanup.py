"""Every Sunday night: delete the tags of Leads that nobody uses and that are older than half a year.

Needs the connection ``zoho_crm_default``. The tasks find the tags, count each again and delete it if it is still unused, wait for Zoho
in the triggerer, verify that the tags are gone, and report. If more than half of the module's tags were chosen, nothing is deleted and
the run fails.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_zcrm.tag_selection import TagSelection
from airflow_provider_zcrm.task_groups import tag_cleanup

# [START weekly_tag_cleanup]
with DAG(
    "zoho_crm_weekly_tag_cleanup",
    schedule="0 3 * * 0",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
):
    tag_cleanup("clean_leads", "Leads", TagSelection(max_records="unused", created_before="P6M", keep=["VIP*"]))
# [END weekly_tag_cleanup]
