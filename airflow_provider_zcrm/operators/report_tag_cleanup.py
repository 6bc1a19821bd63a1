"""`ReportTagCleanupOperator`: reports what the other tasks of a clean-up have done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import Asset, AssetAlias, BaseOperator

from airflow_provider_zcrm.assets import tags_uri
from airflow_provider_zcrm.links.zcrm import ZohoCrmGuideLink
from airflow_provider_zcrm.templates import KeepsPlainStrings

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_zcrm.rules.cleanup_report import CleanupReport

CLEANED_TAGS = AssetAlias("zohocrm-tags")


class ReportTagCleanupOperator(KeepsPlainStrings, BaseOperator):
    """Reports in the log, and as a Markdown text that it returns, what the tasks of a clean-up have done, also if some have failed.

    XCom ``numbers`` has the same as JSON values. When tags were deleted, an asset event ``zohocrm://<connection>/<module>/tags`` is
    added to the alias ``zohocrm-tags``, with the numbers as ``extra``, so that other DAGs can be scheduled on it. The event comes last, and
    one that Airflow does not accept is a warning: what was deleted is in the log and in the XComs already.

    .. seealso:: docs/cleanup.md

    :param module: API name of the module (templated).
    :param find_task_id: the task of the `FindTagsOperator`.
    :param delete_task_id: the task of the `MassDeleteTagsOperator`.
    :param backup_task_id: the task of the `BackupTagsOperator`, None if there is none.
    :param approve_task_id: the task of the `ApproveTagsOperator`, None if there is none.
    :param asset_event: whether to add the event.
    :param zoho_crm_conn_id: id of the Airflow connection, for the asset (templated).
    """

    template_fields: Sequence[str] = ("module", "zoho_crm_conn_id")
    ui_color = "#dbe9d8"
    operator_extra_links = (ZohoCrmGuideLink("cleanup"),)

    def __init__(
        self,
        *,
        module: str,
        find_task_id: str,
        delete_task_id: str,
        backup_task_id: str | None = None,
        approve_task_id: str | None = None,
        asset_event: bool = True,
        zoho_crm_conn_id: str = "zoho_crm_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        # beside those of the user, which may also come from default_args
        self.outlets = [*self.outlets, *([CLEANED_TAGS] if asset_event else [])]
        self.module = module
        self.find_task_id = find_task_id
        self.delete_task_id = delete_task_id
        self.backup_task_id = backup_task_id
        self.approve_task_id = approve_task_id
        self.asset_event = asset_event
        self.zoho_crm_conn_id = zoho_crm_conn_id

    def execute(self, context: Context) -> str:
        """Gather what the tasks have pushed, and return it as Markdown."""
        report = self._report(context)
        text = report.as_markdown()
        self.log.info("What was done:\n\n%s\n", text)
        context["ti"].xcom_push(key="numbers", value=report.as_dict())
        if self.asset_event and report.deleted and not report.not_run:
            try:
                asset = Asset(tags_uri(self.zoho_crm_conn_id, self.module))
                context["outlet_events"][CLEANED_TAGS].add(asset, extra=report.as_dict())
            except Exception:  # a report must not fail for it
                self.log.warning("No asset event is added for the deleted tags of %s.", self.module, exc_info=True)
        return text

    def _report(self, context: Context) -> CleanupReport:
        from airflow_provider_zcrm.rules.cleanup_report import CleanupReport

        find, delete = _Pushed(context, self.find_task_id), _Pushed(context, self.delete_task_id)
        back_up, approve = _Pushed(context, self.backup_task_id), _Pushed(context, self.approve_task_id)
        chosen = _as_tags(find.get())
        if any(tag.get("module", self.module) != self.module for tag in chosen or ()):
            self.log.warning("The tags that %s has found are of another module: the list of modules has changed.", self.find_task_id)
            find, chosen = _Pushed(context, None), None
        tasks = (find, delete, back_up)
        states = self._states(context)
        counts = delete.get("counts") or {}
        calls = [task.get("api_calls") for task in tasks]
        credits_left = [left for task in tasks if (left := task.get("credits_left")) is not None]
        return CleanupReport(
            module=self.module,
            looked_at=find.get("looked_at"),
            allowed=find.get("allowed"),
            chosen=chosen,
            kept=find.get("kept") or {},
            unmatched_keep=find.get("unmatched_keep") or (),
            skipped=delete.get("skipped") or (),
            deleted=counts.get("deleted"),
            failed=counts.get("failed"),
            ended=delete.get() is not None or states.get(delete.task_id) == "success",
            # a task that failed above the delete leaves it what it has pushed before it was cleared
            stopped=any(states.get(task.task_id) in ("failed", "upstream_failed") for task in (approve, back_up, delete)),
            submitted=bool(delete.get("job_id")),
            not_run=_why_not_run(states, find, approve, delete),
            silent=[
                task.task_id for task in (find, back_up) if task.task_id and states.get(task.task_id) == "success" and task.get() is None
            ],
            dry_run=delete.get("would_delete") is not None,
            backup=(back_up.get() or {}).get("path"),
            api_calls=sum(filter(None, calls)) or None,
            # the last that Zoho said
            credits_left=min(credits_left, default=None),
        )

    def _states(self, context: Context) -> dict[str | None, str]:
        """Return the states of the tasks by their ids, as far as Airflow says them."""
        from airflow_provider_zcrm.version_compat import task_states

        task_ids = [task_id for task_id in (self.find_task_id, self.approve_task_id, self.backup_task_id, self.delete_task_id) if task_id]
        try:
            states = task_states(context, task_ids)
        except Exception:  # the numbers say enough without them
            self.log.warning("Airflow does not say the states of the tasks.", exc_info=True)
            return {}
        return {task_id: state for (task_id, index), state in states.items() if index in (-1, context["ti"].map_index)}


class _Pushed:
    """What a task of this clean-up has pushed; in a mapped task group, the task of the same map index."""

    def __init__(self, context: Context, task_id: str | None) -> None:
        self._ti: Any = context["ti"]
        self.task_id = task_id or ""

    def get(self, key: str = "return_value") -> Any:
        return self._ti.xcom_pull(task_ids=self.task_id, key=key, map_indexes=self._ti.map_index) if self.task_id else None


def _as_tags(found: Any) -> list[Mapping[str, Any]] | None:
    """Return the chosen tags as mappings; a task that is no `FindTagsOperator` may have returned bare ids."""
    if found is None:
        return None
    return [tag if isinstance(tag, Mapping) else {"name": tag} for tag in (found if isinstance(found, Sequence) else [found])]


def _why_not_run(states: Mapping[str | None, str], find: _Pushed, approve: _Pushed, delete: _Pushed) -> str:
    """Return why Airflow skipped the task that finds, or the one that deletes; empty if both ran."""
    if states.get(find.task_id) == "skipped":
        return "its tasks were skipped"
    if states.get(approve.task_id) == "skipped":
        return "it was not approved"
    return "the task that deletes was skipped" if states.get(delete.task_id) == "skipped" else ""
