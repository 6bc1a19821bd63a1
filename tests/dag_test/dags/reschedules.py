"""A delete, and a sensor that waits for it in reschedule mode."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_zcrm.operators.mass_delete_tags import MassDeleteTagsOperator
from airflow_provider_zcrm.sensors.mass_delete_job import MassDeleteJobSensor

with DAG("reschedules", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False):
    delete = MassDeleteTagsOperator(task_id="delete", module="Leads", tag_names=["hot"])
    MassDeleteJobSensor(task_id="wait", job_id=delete.output, mode="reschedule", poke_interval=1, timeout=timedelta(minutes=2))
