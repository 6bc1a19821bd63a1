"""Deletes tags in modules of several orgs: one mapped task per module, each waiting in the triggerer."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_zcrm.operators.mass_delete_tags import MassDeleteTagsOperator

with DAG(
    "clean_orgs",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_tasks=100,
    default_args={"retries": 6, "retry_delay": timedelta(seconds=3)},
):
    MassDeleteTagsOperator.partial(
        task_id="clean_up",
        wait_for_completion=True,
        deferrable=True,
        map_index_template="{{ task.zoho_crm_conn_id }} {{ task.module }}",
    ).expand_kwargs(json.loads(os.environ["CLEAN_ORGS"]))
