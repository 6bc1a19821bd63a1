"""`tag_cleanup` and `org_tag_cleanup`: the clean-up of one module's tags, and of those of a whole org, as groups of tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import TaskGroup

from airflow_provider_zcrm.api.errors import InvalidArgument
from airflow_provider_zcrm.operators.approved_tags import ApprovedTagsOperator
from airflow_provider_zcrm.operators.backup_tags import BackupTagsOperator
from airflow_provider_zcrm.operators.find_tags import FindTagsOperator
from airflow_provider_zcrm.operators.find_tags_of_module import FindTagsOfModuleOperator
from airflow_provider_zcrm.operators.list_modules import ListModulesOperator
from airflow_provider_zcrm.operators.mass_delete_tags import MassDeleteTagsOperator
from airflow_provider_zcrm.operators.report_org_cleanup import ReportOrgCleanupOperator
from airflow_provider_zcrm.operators.report_tag_cleanup import ReportTagCleanupOperator
from airflow_provider_zcrm.version_compat import NOTSET

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseOperator, ObjectStoragePath

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
    teardown: it runs also when another task has failed, and does not hide that. For all modules of an org there is `org_tag_cleanup`; to
    clean several orgs, call it in a ``@task_group`` that is expanded. What is not given here, ``default_args`` of the DAG or of a group
    around it may say.

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
    deletion = _Deletion(
        common, backup_path, guards=guards, dry_run=_given(dry_run=dry_run), arguments={**_given(timeout=timeout), **delete_arguments}
    )
    with TaskGroup(group_id) as group:
        _refuse_everywhere(group, approval=approval, backup_path=backup_path)
        find = FindTagsOperator(task_id="find", selection=selection, **_given(min_fullness=min_fullness), **guards, **common, **_PINNED)
        unmatched: Any = find.output
        approve = _ask(find, module, deletion.dry_run, unmatched_keep=unmatched["unmatched_keep"]) if approval else None
        deletion.tasks(find, approve)
    return group


def org_tag_cleanup(
    group_id: str,
    selection: TagSelection | dict[str, Any] | str | None = None,
    *,
    modules: Mapping[str, TagSelection | dict[str, Any] | str] | Sequence[str] | str | None = None,
    exclude_modules: Sequence[str] | str = NOTSET,
    zoho_crm_conn_id: str = NOTSET,
    max_tags: int | str | None = NOTSET,
    max_share: float | str = NOTSET,
    min_fullness: float | str | None = NOTSET,
    backup_folder: str | ObjectStoragePath | None = None,
    approval: bool | str = False,
    dry_run: bool | str = NOTSET,
    timeout: float | timedelta = NOTSET,
    **delete_arguments: Any,
) -> TaskGroup:
    """Return a group of tasks that cleans the tags of all modules of an org, each module by tasks of its own, and sums it up.

    Its tasks are ``list_modules``, then for each module those of `tag_cleanup` in the group ``clean``, mapped, and ``summary``. With
    ``approval="once"``, ``choose.find`` of all modules comes first, then the one question ``approve``. A module that fails, is rejected, or
    whose guard trips does not hold up the others; the run fails if a module failed, and not if one was rejected. The summary is a teardown.
    What is not given here, ``default_args`` of the DAG or of a group around it may say.

    .. seealso:: docs/org-cleanup.md

    :param group_id: id of the group.
    :param selection: which tags are to be deleted: a `TagSelection` or its dict (templated); None if ``modules`` says it of each.
    :param modules: only these: API names, or patterns of them with ``*`` and ``?``, or a dict with a selection for each (templated, but
        for the names in a dict).
    :param exclude_modules: not these: API names or labels, or patterns of them (templated).
    :param zoho_crm_conn_id: id of the Airflow connection (templated).
    :param max_tags: of each module: fail, before anything is deleted there, if more tags are chosen (templated).
    :param max_share: of each module: fail, before anything is deleted there, if more than this share of its tags is chosen (templated).
    :param min_fullness: choose nothing in a module that has less than this share of the tags that Zoho allows it (templated).
    :param backup_folder: where the backups are written, ``<folder>/<DAG>/<run>/<group>/<module>.jsonl``; None makes none (templated).
    :param approval: True asks a person about each module, ``"once"`` about all modules together (Airflow 3.1 or newer).
    :param dry_run: do everything but the delete (templated).
    :param timeout: seconds for all attempts of the deletion of a module together.
    :param delete_arguments: further arguments of the `MassDeleteTagsOperator`.
    :raises InvalidArgument: when the DAG is parsed: the selection is missing or given twice, or ``approval`` is something else
    """
    # Airflow 3.0 imports its API server for it
    from airflow.providers.common.compat.sdk import task_group

    if approval not in (True, False, "once"):
        raise InvalidArgument(f"approval is {approval!r}.", advice="It is True, False or 'once'.")
    if isinstance(modules, Mapping) == (selection is not None):
        raise InvalidArgument("Give either one selection for all modules, or modules as a dict with a selection for each.")
    selections: Mapping[str, Any] = modules if isinstance(modules, Mapping) else {"*": selection}
    org = _given(zoho_crm_conn_id=zoho_crm_conn_id)
    guards = _given(max_tags=max_tags, max_share=max_share)
    finding = {"selections": selections, **guards, **_given(min_fullness=min_fullness)}
    with TaskGroup(group_id) as group:
        _refuse_everywhere(group, approval=approval, backup_folder=backup_folder)
        listed = ListModulesOperator(
            task_id="list_modules",
            **_given(exclude_modules=exclude_modules, modules=NOTSET if modules is None else _names(modules)),
            **org,
            **_PINNED,
        )
        path = None if backup_folder is None else [str(backup_folder), f"{_RUN}/{group.group_id}/{_MODULE}.jsonl"]

        def find(module: str) -> FindTagsOfModuleOperator:
            return FindTagsOfModuleOperator(task_id="find", module=module, map_index_template=_MODULE, **finding, **org, **_PINNED)

        def deletion(module: str) -> _Deletion:
            return _Deletion(
                {"module": module, **org},
                path,
                guards=guards,
                dry_run=_given(dry_run=dry_run),
                arguments={**_given(timeout=timeout), **delete_arguments},
                every={"map_index_template": _MODULE},
                asset_event=False,
            )

        asked = _choose_and_ask_once(listed, find, _given(dry_run=dry_run)) if approval == "once" else None

        @task_group(group_id="clean")
        def clean(module: str) -> None:
            """Clean one module."""
            rest = deletion(module)
            if asked:
                found, question = asked
                answer: Any = question.output
                parts = {"approved": answer, "asked_modules": answer["modules"]}
                # it runs also after a rejection, so that a module that was not asked about fails
                rules = {**_PINNED, "trigger_rule": "none_failed", **rest.every}
                rest.tasks(found, ApprovedTagsOperator(task_id="approve", module=module, **parts, **rules))
            else:
                found = find(module)
                rest.tasks(found, _ask(found, module, rest.dry_run, **rest.every) if approval else None)

        cleaned: Any = clean.expand(module=listed.output)
        report = cleaned.get_child_by_label("report")
        summary = ReportOrgCleanupOperator(
            task_id="summary",
            list_task_id=listed.task_id,
            find_task_id=asked[0].task_id if asked else f"{cleaned.group_id}.find",
            report_task_id=report.task_id,
            **org,
        )
        report >> summary.as_teardown()
    return group


# the names of the run, which a storage may not take as they are, and of the module, both when the task runs
_RUN = "{{ dag.dag_id }}/{{ run_id | replace(':', '') }}"
_MODULE = "{{ ti.task.module }}"


@dataclass(frozen=True)
class _Deletion:
    """What comes after the tags of a module are found.

    :param common: arguments of all tasks.
    :param guards: those of the delete.
    :param arguments: further arguments of the delete.
    :param every: arguments of Airflow's own for all tasks.
    """

    common: Mapping[str, Any]
    backup_path: str | list[str] | None
    guards: Mapping[str, Any]
    dry_run: Mapping[str, Any]
    arguments: Mapping[str, Any]
    every: Mapping[str, Any] = field(default_factory=dict)
    asset_event: bool = True

    def tasks(self, find: BaseOperator, approve: BaseOperator | None) -> None:
        """Make the tasks: a backup, the delete and the report.

        :param find: the task that finds the tags.
        :param approve: the task that returns those of them that were approved, None if nobody is asked.
        """
        before = approve or find
        every = {**self.common, **self.every, **_PINNED}
        given = {**self.dry_run, **self.guards, **self.arguments}
        delete = MassDeleteTagsOperator(
            task_id="delete", tag_ids=before.output, wait_for_completion=True, **{"deferrable": True, **given, **every}
        )
        back_up = None
        if self.backup_path is not None:
            back_up = BackupTagsOperator(task_id="back_up", tag_ids=before.output, backup_path=self.backup_path, **every)
            before >> back_up >> delete
        report = ReportTagCleanupOperator(
            task_id="report",
            find_task_id=find.task_id,
            delete_task_id=delete.task_id,
            backup_task_id=back_up.task_id if back_up else None,
            approve_task_id=approve.task_id if approve else None,
            asset_event=self.asset_event,
            **self.common,
            **self.every,
        )
        delete >> report.as_teardown()


def _ask(find: BaseOperator, module: str, dry_run: Mapping[str, Any], **arguments: Any) -> BaseOperator:
    """Make the task that asks a person about the tags of a module."""
    # costs more to import than all the others together
    from airflow_provider_zcrm.operators.approve_tags import ApproveTagsOperator

    return ApproveTagsOperator(task_id="approve", module=module, tag_ids=find.output, **{**dry_run, **arguments, **_PINNED})


def _choose_and_ask_once(listed: BaseOperator, find: Any, dry_run: Mapping[str, Any]) -> tuple[BaseOperator, BaseOperator]:
    """Make the tasks that find the tags of all modules, and the one that asks about them when all of these have ended."""
    from airflow.providers.common.compat.sdk import task_group

    from airflow_provider_zcrm.operators.approve_tags_of_modules import ApproveTagsOfModulesOperator

    made: list[BaseOperator] = []

    @task_group(group_id="choose")
    def choose(module: str) -> None:
        """Find the tags of one module."""
        made.append(find(module))

    choose.expand(module=listed.output)
    rules = {**_PINNED, "trigger_rule": "all_done"}
    arguments: dict[str, Any] = {"tag_ids": made[0].output, "find_task_id": made[0].task_id, **dry_run}
    return made[0], ApproveTagsOfModulesOperator(task_id="approve", **arguments, **rules)


def _refuse_everywhere(group: TaskGroup, **arguments: Any) -> None:
    """Refuse ``default_args`` with what makes a task of its own: they reach tasks, so there would be none, and nothing would say so.

    :param arguments: of the group, as its caller gives them; one that is given counts.
    :raises InvalidArgument: names the argument
    """
    everywhere = {**(group.dag.default_args or {}), **group.default_args}
    for name, given in arguments.items():
        if not given and everywhere.get(name):
            raise InvalidArgument(
                f"default_args has {name}, which does not reach {group.group_id}: nobody would be asked, or nothing be backed up.",
                advice=f"Pass {name} to the group itself.",
            )


def _names(modules: Any) -> Any:
    return list(modules) if isinstance(modules, Mapping) else modules


def _given(**arguments: Any) -> dict[str, Any]:
    """Return the arguments that the caller gave: the others are for ``default_args``, which lose against anything that is passed on."""
    return {name: value for name, value in arguments.items() if value is not NOTSET}
