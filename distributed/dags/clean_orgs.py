"""Cleans the modules of several orgs: a group of tasks for each org, some of which ask before they delete."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_zcrm.tag_selection import TagSelection
from airflow_provider_zcrm.task_groups import org_tag_cleanup

with DAG(
    "clean_orgs",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_tasks=100,
    default_args={"retries": 6, "retry_delay": timedelta(seconds=3)},
):
    for org in json.loads(os.environ["CLEAN_ORGS"]):
        org_tag_cleanup(
            org["conn_id"],
            modules={module: TagSelection(names=names) for module, names in org["wanted"].items()},
            zoho_crm_conn_id=org["conn_id"],
            approval=org["approval"],
        )
