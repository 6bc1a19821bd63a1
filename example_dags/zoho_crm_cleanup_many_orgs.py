"""Every night: delete test tags in several orgs, for agencies that look after many. One Airflow connection per org.

Needs the connections of `ORGS`. Each org has its own access token, its own limit of calls at once and its own report.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.providers.common.compat.sdk import DAG, task_group

from airflow_provider_zcrm.tag_selection import TagSelection
from airflow_provider_zcrm.task_groups import tag_cleanup

ORGS = ["zoho_crm_acme", "zoho_crm_globex"]

with DAG(
    "zoho_crm_cleanup_many_orgs",
    schedule="0 2 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
    tags=["zoho_crm"],
):
    # [START cleanup_many_orgs]
    @task_group
    def clean_org(conn_id: str) -> None:
        """Clean the modules of one org."""
        for module in ("Leads", "Contacts"):
            tag_cleanup(f"clean_{module.lower()}", module, TagSelection(name_glob=["test*", "asdf"]), zoho_crm_conn_id=conn_id)

    clean_org.expand(conn_id=ORGS)
    # [END cleanup_many_orgs]
