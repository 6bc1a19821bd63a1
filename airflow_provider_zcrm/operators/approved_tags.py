"""`ApprovedTagsOperator`: of what a person has approved for all modules, the tags of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowSkipException, BaseOperator

from airflow_provider_zcrm.links.zcrm import ZohoCrmGuideLink
from airflow_provider_zcrm.templates import KeepsPlainStrings

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class ApprovedTagsOperator(KeepsPlainStrings, BaseOperator):
    """Returns, of the tags that `ApproveTagsOfModulesOperator` returns, those of one module; for tasks mapped over modules.

    It goes by the module's name, which each tag carries, and not by its place in a list. Rejected, the task is skipped; a module that the
    question was not about fails.

    .. seealso:: docs/org-cleanup.md

    :param module: API name of the module (templated).
    :param approved: the tags that were approved, None if they were rejected (templated).
    :param asked_modules: API names of the modules that the question was about (templated).
    """

    template_fields: Sequence[str] = ("module", "approved", "asked_modules")
    template_fields_renderers: ClassVar[dict[str, str]] = {"approved": "json"}
    ui_color = "#f9f2d2"
    operator_extra_links = (ZohoCrmGuideLink("org-cleanup"),)

    def __init__(self, *, module: str, approved: Any, asked_modules: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.module = module
        self.approved = approved
        self.asked_modules = asked_modules

    def execute(self, context: Context) -> list[dict[str, Any]]:  # noqa: ARG002 - Airflow's signature
        """Return the tags of the module.

        :raises AirflowSkipException: the tags were rejected
        :raises ZohoCrmFailure: the question was not about this module
        """
        from airflow_provider_zcrm.api.errors import InvalidArgument
        from airflow_provider_zcrm.hooks.errors import airflow_errors

        with airflow_errors(""):
            self._check_text("module")
            if self.module not in list(self.asked_modules or ()):
                raise InvalidArgument(
                    f"The question was not about {self.module}, because the task that finds its tags had failed. Nothing is deleted there.",
                    advice="See the log of that task; then start a new DAG run.",
                )
        if self.approved is None:
            raise AirflowSkipException(f"The delete of tags of {self.module} was not approved, so nothing is deleted.")
        return [dict(tag) for tag in self.approved if isinstance(tag, Mapping) and tag.get("module") == self.module]
