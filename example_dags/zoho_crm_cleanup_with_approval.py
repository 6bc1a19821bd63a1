"""Find tags, ask a person, and delete only what the person has seen. Needs Airflow 3.1 or newer.

Needs the connection ``zoho_crm_default``. The question stands in Airflow's UI under Required Actions, with the tags in its text. A
rejection deletes nothing, and the run waits until there is an answer.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.providers.common.compat.sdk import DAG
from airflow.providers.standard.operators.hitl import ApprovalOperator

from airflow_provider_zcrm.operators.find_tags import FindTagsOperator
from airflow_provider_zcrm.operators.mass_delete_tags import MassDeleteTagsOperator
from airflow_provider_zcrm.tag_selection import TagSelection

with DAG(
    "zoho_crm_cleanup_with_approval",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
    tags=["zoho_crm"],
):
    # [START cleanup_with_approval]
    find = FindTagsOperator(task_id="find", module="Leads", selection=TagSelection(max_records="unused"))
    approve = ApprovalOperator(
        task_id="approve",
        subject="Delete these tags of Leads?",
        body="{% for tag in ti.xcom_pull(task_ids='find') %}- {{ tag.name }}: {{ tag.reason }}\n{% endfor %}",
    )
    delete = MassDeleteTagsOperator(task_id="delete", module="Leads", tag_ids=find.output, wait_for_completion=True, deferrable=True)
    find >> approve >> delete
    # [END cleanup_with_approval]
