"""`tag_cleanup`: the clean-up of one module's tags as a group of tasks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import TaskGroup

from airflow_provider_zcrm.operators.backup_tags import BackupTagsOperator
from airflow_provider_zcrm.operators.find_tags import FindTagsOperator
from airflow_provider_zcrm.operators.mass_delete_tags import MassDeleteTagsOperator
from airflow_provider_zcrm.operators.report_tag_cleanup import ReportTagCleanupOperator
from airflow_provider_zcrm.version_compat import NOTSET

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseOperator

    from airflow_provider_zcrm.tag_selection import TagSelection

# what a DAG's default_args say of these does not reach the tasks: with all_done a delete would follow a backup that failed, and the
# chosen tags are passed on as XComs
_PINNED: dict[str, Any] = {"trigger_rule": "all_success", "do_xcom_push": True}


def tag_cleanup(
    group_id: str,
    module: str,
    selection: TagSelection | dict[str, Any],
    *,
    zoho_crm_conn_id: str = NOTSET,
    max_tags: int | str | None = NOTSET,
    max_share: float | str = NOTSET,
    min_fullness: float | str | None = NOTSET,
    backup_path: str | None = None,
    approval: bool = False,
    dry_run: bool | str = NOTSET,
    timeout: float | timedelta = NOTSET,
    **delete_arguments: Any,
) -> TaskGroup:
    """Return a group of tasks that finds tags, asks a person, backs them up, deletes them, waits for Zoho, verifies, and reports.

    Its tasks are ``find``, ``approve`` (with ``approval``), ``back_up`` (with ``backup_path``), ``delete`` and ``report``. The report is a
    teardown: it runs also when another task has failed, and does not hide that. To clean several modules or orgs, call it in a
    ``@task_group`` that is expanded. What is not given here, ``default_args`` of the DAG or of a group around it may say.

    .. seealso:: docs/cleanup.md

    :param group_id: id of the group.
    :param module: API name of the module (templated).
    :param selection: which tags are to be deleted: a `TagSelection` or its dict (templated).
    :param zoho_crm_conn_id: id of the Airflow connection (templated).
    :param max_tags: fail, before anything is deleted, if more tags are chosen (templated).
    :param max_share: fail, before anything is deleted, if more than this share of the module's tags is chosen (templated).
    :param min_fullness: choose nothing while the module has less than this share of the tags that Zoho allows it (templated).
    :param backup_path: where tags and the ids of their records are written before the delete; None makes no backup (templated).
    :param approval: ask a person before anything is deleted (`ApproveTagsOperator`, Airflow 3.1 or newer).
    :param dry_run: do everything but the delete (templated).
    :param timeout: seconds for all attempts of the deletion together.
    :param delete_arguments: further arguments of the `MassDeleteTagsOperator`.
    """
    common = _given(module=module, zoho_crm_conn_id=zoho_crm_conn_id)
    guards = _given(max_tags=max_tags, max_share=max_share)
    with TaskGroup(group_id) as group:
        find = FindTagsOperator(task_id="find", selection=selection, **_given(min_fullness=min_fullness), **guards, **common, **_PINNED)
        before: BaseOperator = find
        tags: Any = find.output
        if approval:
            # costs more to import than all the others together
            from airflow_provider_zcrm.operators.approve_tags import ApproveTagsOperator

            given: dict[str, Any] = {"unmatched_keep": tags["unmatched_keep"], **_given(dry_run=dry_run), **_PINNED}
            before = ApproveTagsOperator(task_id="approve", module=module, tag_ids=tags, **given)
            tags = before.output
        delete = MassDeleteTagsOperator(
            task_id="delete",
            tag_ids=tags,
            wait_for_completion=True,
            **{"deferrable": True, **_given(dry_run=dry_run, timeout=timeout), **guards, **common, **delete_arguments, **_PINNED},
        )
        back_up = None
        if backup_path:
            back_up = BackupTagsOperator(task_id="back_up", tag_ids=tags, backup_path=backup_path, **common, **_PINNED)
            before >> back_up >> delete
        report = ReportTagCleanupOperator(
            task_id="report",
            find_task_id=find.task_id,
            delete_task_id=delete.task_id,
            backup_task_id=back_up.task_id if back_up else None,
            approve_task_id=before.task_id if approval else None,
            **common,
        )
        delete >> report.as_teardown()
    return group


def _given(**arguments: Any) -> dict[str, Any]:
    """Return the arguments that the caller gave: the others are for ``default_args``, which lose against anything that is passed on."""
    return {name: value for name, value in arguments.items() if value is not NOTSET}
