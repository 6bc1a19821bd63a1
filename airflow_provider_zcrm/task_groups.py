"""`tag_cleanup`: the clean-up of one module's tags as a group of tasks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import TaskGroup

from airflow_provider_zcrm.operators.backup_tags import BackupTagsOperator
from airflow_provider_zcrm.operators.base import DEFAULT_MAX_SHARE
from airflow_provider_zcrm.operators.find_tags import FindTagsOperator
from airflow_provider_zcrm.operators.mass_delete_tags import MassDeleteTagsOperator
from airflow_provider_zcrm.operators.report_tag_cleanup import ReportTagCleanupOperator

if TYPE_CHECKING:
    from airflow_provider_zcrm.tag_selection import TagSelection


def tag_cleanup(
    group_id: str,
    module: str,
    selection: TagSelection | dict[str, Any],
    *,
    zoho_crm_conn_id: str = "zoho_crm_default",
    max_tags: int | str | None = None,
    max_share: float | str = DEFAULT_MAX_SHARE,
    backup_path: str | None = None,
    dry_run: bool | str = False,
    timeout: float | timedelta = timedelta(hours=6),
    **delete_arguments: Any,
) -> TaskGroup:
    """Return a group of tasks that finds tags, backs them up, deletes them, waits for Zoho in the triggerer, verifies, and reports.

    Its tasks are ``find``, ``back_up`` (with ``backup_path``), ``delete`` and ``report``. The report is a teardown: it runs also when
    another task has failed, and does not hide that. To clean several modules or orgs, call it in a ``@task_group`` that is expanded.

    .. seealso:: docs/cleanup.md

    :param group_id: id of the group.
    :param module: API name of the module (templated).
    :param selection: which tags are to go: a `TagSelection` or its dict (templated).
    :param zoho_crm_conn_id: id of the Airflow connection (templated).
    :param max_tags: fail, before anything is deleted, if more tags are chosen (templated).
    :param max_share: fail, before anything is deleted, if more than this share of the module's tags is chosen (templated).
    :param backup_path: where tags and the ids of their records are written before the delete; None makes no backup (templated).
    :param dry_run: do everything but the delete (templated).
    :param timeout: seconds for the deletion.
    :param delete_arguments: further arguments of the `MassDeleteTagsOperator`.
    """
    guards: dict[str, Any] = {"max_tags": max_tags, "max_share": max_share}
    common: dict[str, Any] = {"module": module, "zoho_crm_conn_id": zoho_crm_conn_id}
    with TaskGroup(group_id) as group:
        find = FindTagsOperator(task_id="find", selection=selection, **guards, **common)
        delete = MassDeleteTagsOperator(
            task_id="delete",
            tag_ids=find.output,
            dry_run=dry_run,
            wait_for_completion=True,
            deferrable=True,
            timeout=timeout,
            **guards,
            **common,
            **delete_arguments,
        )
        back_up = None
        if backup_path:
            back_up = BackupTagsOperator(task_id="back_up", tag_ids=find.output, backup_path=backup_path, **common)
            back_up >> delete
        report = ReportTagCleanupOperator(
            task_id="report",
            find_task_id=find.task_id,
            delete_task_id=delete.task_id,
            backup_task_id=back_up.task_id if back_up else None,
            **common,
        )
        delete >> report.as_teardown()
    return group
