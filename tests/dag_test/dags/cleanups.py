"""The group of tasks with everything from params, once alone and once per module."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.providers.common.compat.sdk import DAG, Asset, task, task_group

from airflow_provider_zcrm.operators.find_tags import FindTagsOperator
from airflow_provider_zcrm.operators.mass_delete_tags import MassDeleteTagsOperator
from airflow_provider_zcrm.operators.report_tag_cleanup import ReportTagCleanupOperator
from airflow_provider_zcrm.task_groups import org_tag_cleanup, tag_cleanup

COMMON = {
    "schedule": None,
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "catchup": False,
    "render_template_as_native_obj": True,
    "default_args": {"retries": 1, "retry_delay": timedelta(seconds=1)},
    "params": {"module": "Leads", "selection": {"names": ["hot"]}, "max_share": 0.5, "dry_run": False, "folder": "file:///tmp"},
}
ARGUMENTS = {"selection": "{{ params.selection }}", "max_share": "{{ params.max_share }}", "dry_run": "{{ params.dry_run }}"}

with DAG("clean_one", **COMMON):
    tag_cleanup("clean", "{{ params.module }}", backup_path="{{ params.folder }}/one.jsonl", **ARGUMENTS)

with DAG("clean_several", **COMMON):

    @task_group
    def clean_module(module: str) -> None:
        tag_cleanup("clean", module, backup_path="{{ params.folder }}/{{ ti.task.module }}.jsonl", **ARGUMENTS)

    clean_module.expand(module=["Leads", "Contacts"])

# what a whole DAG says, and what a secrets backend calls a connection
EVERYWHERE = {"do_xcom_push": False, "outlets": [Asset("x-mine://report")], "zoho_crm_conn_id": "CRM/ZOHO#1"}
with DAG("clean_if_wanted", **COMMON | {"default_args": EVERYWHERE, "params": COMMON["params"] | {"wanted": True}}):

    @task.short_circuit(ignore_downstream_trigger_rules=False)
    def wanted(params: dict[str, bool] | None = None) -> bool:
        """Whether to clean at all."""
        return bool(params and params["wanted"])

    wanted() >> tag_cleanup("clean", "{{ params.module }}", **ARGUMENTS)

# tasks that are not in the group may forget to return what they have found
with DAG("clean_in_silence", **COMMON):
    find = FindTagsOperator(task_id="find", module="Leads", selection={"names": ["hot"]}, do_xcom_push=False)
    delete = MassDeleteTagsOperator(task_id="delete", module="Leads", tag_ids=find.output)
    delete >> ReportTagCleanupOperator(
        task_id="report", module="Leads", find_task_id="find", delete_task_id="delete", trigger_rule="all_done"
    )

# a whole org, whose selection may be one for all or one for each
with DAG("clean_org", **COMMON | {"params": COMMON["params"] | {"exclude": [], "modules": ["*"]}}):
    org_tag_cleanup(
        "org",
        "{{ params.selection }}",
        modules="{{ params.modules }}",
        exclude_modules="{{ params.exclude }}",
        backup_folder="{{ params.folder }}",
        max_share="{{ params.max_share }}",
        dry_run="{{ params.dry_run }}",
    )
