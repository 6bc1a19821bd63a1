"""The group of tasks with everything from params, once alone and once per module."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.providers.common.compat.sdk import DAG, task_group

from airflow_provider_zcrm.task_groups import tag_cleanup

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
