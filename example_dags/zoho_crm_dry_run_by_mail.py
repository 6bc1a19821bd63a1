"""Every Monday: find out what a clean-up would delete, delete nothing, and mail the report.

Needs the connections ``zoho_crm_default`` and ``smtp_default``, and apache-airflow-providers-smtp. With the param ``dry_run`` set to
false the same run deletes.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.providers.common.compat.sdk import DAG
from airflow.providers.smtp.operators.smtp import EmailOperator

from airflow_provider_zcrm.tag_selection import TagSelection
from airflow_provider_zcrm.task_groups import tag_cleanup

with DAG(
    "zoho_crm_dry_run_by_mail",
    schedule="0 7 * * 1",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
    params={"dry_run": True},
    tags=["zoho_crm"],
):
    # [START dry_run_by_mail]
    cleanup = tag_cleanup("clean_leads", "Leads", TagSelection(max_records="unused"), dry_run="{{ params.dry_run }}")
    mail = EmailOperator(
        task_id="mail",
        from_email="airflow@example.com",
        to="crm-team@example.com",
        subject="Tags of Leads that nobody uses",
        html_content="<pre>{{ ti.xcom_pull(task_ids='clean_leads.report') | e }}</pre>",
    )
    cleanup.get_child_by_label("report") >> mail
    # [END dry_run_by_mail]
