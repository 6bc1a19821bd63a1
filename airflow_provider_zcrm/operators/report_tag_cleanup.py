"""`ReportTagCleanupOperator`: reports what the other tasks of a clean-up have done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import Asset, AssetAlias, BaseOperator

from airflow_provider_zcrm.assets import tags_uri
from airflow_provider_zcrm.links.zcrm import ZohoCrmGuideLink

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_zcrm.rules.cleanup_report import CleanupReport

CLEANED_TAGS = AssetAlias("zohocrm-tags")


class ReportTagCleanupOperator(BaseOperator):
    """Reports in the log, and as a Markdown text that it returns, what the tasks of a clean-up have done, also if some have failed.

    XCom ``numbers`` has the same as JSON values. When tags were deleted, an asset event ``zohocrm://<connection>/<module>/tags`` is
    added to the alias ``zohocrm-tags``, with the numbers as ``extra``, so that other DAGs can be scheduled on it.

    .. seealso:: docs/cleanup.md

    :param module: API name of the module (templated).
    :param find_task_id: the task of the `FindTagsOperator`.
    :param delete_task_id: the task of the `MassDeleteTagsOperator`.
    :param backup_task_id: the task of the `BackupTagsOperator`, None if there is none.
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
        zoho_crm_conn_id: str = "zoho_crm_default",
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("outlets", [CLEANED_TAGS])
        super().__init__(**kwargs)
        self.module = module
        self.find_task_id = find_task_id
        self.delete_task_id = delete_task_id
        self.backup_task_id = backup_task_id
        self.zoho_crm_conn_id = zoho_crm_conn_id

    def execute(self, context: Context) -> str:
        """Gather what the tasks have pushed, and return it as Markdown."""
        report = self._report(context)
        text = report.as_markdown()
        self.log.info("What was done:\n\n%s\n", text)
        context["ti"].xcom_push(key="numbers", value=report.as_dict())
        if report.deleted:
            asset = Asset(tags_uri(self.zoho_crm_conn_id, self.module))
            context["outlet_events"][CLEANED_TAGS].add(asset, extra=report.as_dict())
        return text

    def _report(self, context: Context) -> CleanupReport:
        from airflow_provider_zcrm.rules.cleanup_report import CleanupReport

        find, delete = _Pushed(context, self.find_task_id), _Pushed(context, self.delete_task_id)
        back_up = _Pushed(context, self.backup_task_id)
        tasks = (find, delete, back_up)
        counts = delete.get("counts") or {}
        calls = [task.get("api_calls") for task in tasks]
        credits_left = [left for task in tasks if (left := task.get("credits_left")) is not None]
        return CleanupReport(
            module=self.module,
            looked_at=find.get("looked_at"),
            chosen=find.get(),
            kept=find.get("kept") or {},
            skipped=delete.get("skipped") or (),
            deleted=counts.get("deleted"),
            failed=counts.get("failed"),
            ended=delete.get() is not None,
            dry_run=delete.get("would_delete") is not None,
            backup=(back_up.get() or {}).get("path"),
            api_calls=sum(filter(None, calls)) or None,
            # the last that Zoho said
            credits_left=min(credits_left, default=None),
        )


class _Pushed:
    """What a task of this clean-up has pushed; in a mapped task group, the task of the same map index."""

    def __init__(self, context: Context, task_id: str | None) -> None:
        self._ti: Any = context["ti"]
        self._task_id = task_id

    def get(self, key: str = "return_value") -> Any:
        return self._ti.xcom_pull(task_ids=self._task_id, key=key, map_indexes=self._ti.map_index) if self._task_id else None
