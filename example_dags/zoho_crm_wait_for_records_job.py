"""Wait for a mass delete of records that somebody else has started: trigger this DAG with the job's id and its module.

Needs the connection ``zoho_crm_default``. The sensor returns how the job ended: its state and how many records it deleted.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.providers.common.compat.sdk import DAG, Param

from airflow_provider_zcrm.sensors.mass_delete_job import MassDeleteJobSensor

with DAG(
    "zoho_crm_wait_for_records_job",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    params={
        "job_id": Param(type="string", pattern="^[0-9]+$", description="The job_id that Zoho gave when the delete was scheduled."),
        "module": Param("Leads", type="string", description="API name of the module whose records the job deletes."),
    },
    tags=["zoho_crm"],
):
    # [START wait_for_records_job]
    MassDeleteJobSensor(
        task_id="wait",
        kind="records",
        module="{{ params.module }}",
        job_id="{{ params.job_id }}",
        deferrable=True,
        timeout=timedelta(hours=12),
    )
    # [END wait_for_records_job]
