"""`ReportOrgCleanupOperator`: reports what the clean-ups of the modules of an org have done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from airflow.providers.common.compat.sdk import Asset, BaseOperator

from airflow_provider_zcrm.assets import all_tags_uri
from airflow_provider_zcrm.links.zcrm import ZohoCrmGuideLink
from airflow_provider_zcrm.operators.report_tag_cleanup import CLEANED_TAGS
from airflow_provider_zcrm.templates import KeepsPlainStrings

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_zcrm.rules.org_report import OrgReport


class ReportOrgCleanupOperator(KeepsPlainStrings, BaseOperator):
    """Reports in the log, and as a Markdown text that it returns, what was done in all modules, with the totals last.

    XCom ``numbers`` has the same as JSON values: ``totals``, ``states`` (how many modules there are of each), ``modules`` with the numbers
    of each, ``new_modules`` and ``unmatched_keep``. When tags were deleted, one asset event ``zohocrm://<connection>/tags`` is added to the
    alias ``zohocrm-tags``, with the totals as ``extra``; an event that Airflow does not accept is a warning.

    .. seealso:: docs/org-cleanup.md

    :param list_task_id: the task of the `ListModulesOperator`.
    :param find_task_id: the mapped task of the `FindTagsOfModuleOperator`.
    :param report_task_id: the mapped task of the `ReportTagCleanupOperator`.
    :param zoho_crm_conn_id: id of the Airflow connection, for the asset (templated).
    """

    template_fields: Sequence[str] = ("zoho_crm_conn_id",)
    ui_color = "#dbe9d8"
    operator_extra_links = (ZohoCrmGuideLink("org-cleanup"),)

    def __init__(
        self,
        *,
        list_task_id: str,
        find_task_id: str,
        report_task_id: str,
        zoho_crm_conn_id: str = "zoho_crm_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        # beside those of the user, which may also come from default_args
        self.outlets = [*self.outlets, CLEANED_TAGS]
        self.list_task_id = list_task_id
        self.find_task_id = find_task_id
        self.report_task_id = report_task_id
        self.zoho_crm_conn_id = zoho_crm_conn_id

    def execute(self, context: Context) -> str:
        """Gather what the reports have pushed, and return it as Markdown."""
        report = self._report(context)
        numbers, text = report.as_dict(), report.as_markdown()
        context["ti"].xcom_push(key="numbers", value=numbers)
        if numbers["totals"]["deleted"]:
            try:
                extra = {**numbers["totals"], "states": numbers["states"]}
                context["outlet_events"][CLEANED_TAGS].add(Asset(all_tags_uri(self.zoho_crm_conn_id)), extra=extra)
            except Exception:  # a report must not fail for it
                self.log.warning("No asset event is added for the deleted tags.", exc_info=True)
        self.log.info("What was done:\n\n%s\n", text)
        return text

    def _report(self, context: Context) -> OrgReport:
        from airflow_provider_zcrm.operators.base import pushed_by_all
        from airflow_provider_zcrm.rules.org_modules import unmatched_in_all
        from airflow_provider_zcrm.rules.org_report import OrgReport

        ti = cast("Any", context["ti"])
        return OrgReport(
            modules=ti.xcom_pull(task_ids=self.list_task_id, key="modules") or (),
            reports=pushed_by_all(context, self.report_task_id, "numbers"),
            unmatched_keep=unmatched_in_all(pushed_by_all(context, self.find_task_id, "keep")),
            api_calls=ti.xcom_pull(task_ids=self.list_task_id, key="api_calls") or 0,
        )
