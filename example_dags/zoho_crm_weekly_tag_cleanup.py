"""Every Sunday night: delete tags of Leads by name, and wait in the triggerer until Zoho has done it.

Needs the connection ``zoho_crm_default``. The operator submits once and returns the job ids at once; the sensor waits for them
without a worker. Tags that are no longer there are skipped, so that the DAG may run every week.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_zcrm.operators.mass_delete import MassDeleteTagsOperator
from airflow_provider_zcrm.sensors.mass_delete import MassDeleteJobSensor

with DAG(
    "zoho_crm_weekly_tag_cleanup",
    schedule="0 3 * * 0",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
    tags=["zoho_crm"],
):
    # [START weekly_tag_cleanup]
    delete = MassDeleteTagsOperator(
        task_id="delete",
        module="Leads",
        tag_names=["test", "asdf", "delete me", "test import"],
    )
    MassDeleteJobSensor(
        task_id="wait",
        job_id=delete.output,
        deferrable=True,
        timeout=timedelta(hours=6),
    )
    # [END weekly_tag_cleanup]
