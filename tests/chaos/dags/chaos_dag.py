"""The DAG of the chaos runs: deletes tags and waits for the jobs, in processes that are killed when the run's conf says so."""

from __future__ import annotations

import os
import signal
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_zcrm.operators.mass_delete_tags import MassDeleteTagsOperator
from airflow_provider_zcrm.sensors.mass_delete_job import MassDeleteJobSensor
from tests.chaos.scenario import RETRIES


class MortalOperator(MassDeleteTagsOperator):
    """Is killed some seconds after it has begun, in the tries for which the conf says so."""

    def execute(self, context: Any) -> Any:
        self.wait_for_completion = context["params"]["waits"]
        _arm(context)
        return super().execute(context)

    def execute_complete(self, context: Any, event: Any = None) -> Any:
        _arm(context)
        return super().execute_complete(context, event)


def _arm(context: Any) -> None:
    kills, number = context["params"]["kills"], context["ti"].try_number
    if number <= len(kills) and kills[number - 1] is not None:
        bomb = threading.Timer(kills[number - 1], os.kill, (os.getpid(), signal.SIGKILL))
        bomb.daemon = True
        bomb.start()


with DAG(
    "chaos",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=100,
    max_active_tasks=100,
    render_template_as_native_obj=True,
    params={"tags": [], "kills": [], "conn_id": "", "waits": True},
    default_args={"retries": RETRIES, "retry_delay": timedelta(seconds=1), "zoho_crm_conn_id": "{{ params.conn_id }}"},
):
    delete = MortalOperator(
        task_id="delete",
        module="Leads",
        tag_names="{{ params.tags }}",
        max_share=1.0,
        deferrable=True,
    )
    MassDeleteJobSensor(task_id="wait", job_id=delete.output, deferrable=True, timeout=120)
