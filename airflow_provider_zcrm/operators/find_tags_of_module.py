"""`FindTagsOfModuleOperator`: chooses tags of one of the modules of an org."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_zcrm.api.errors import ZohoCrmError
from airflow_provider_zcrm.operators.find_tags import FindTagsOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_zcrm.api.tags import Tag
    from airflow_provider_zcrm.rules.room import Room
    from airflow_provider_zcrm.tag_selection import Candidates


class FindTagsOfModuleOperator(FindTagsOperator):
    """Chooses the tags of one module as `FindTagsOperator` does, by the selection that is meant for it; for tasks mapped over modules.

    What of ``keep`` matches no tag is judged over all modules: XCom ``keep`` has the entries that have ``matched`` and that have not
    (``unmatched``) here. A module of which Zoho says that it cannot have tags has none. XCom ``module`` is pushed when all went well.

    .. seealso:: docs/org-cleanup.md

    :param selections: by API name of a module, or a pattern with ``*`` and ``?``, a `TagSelection` or its dict (templated, but for
        the names).
    :raises InvalidArgument: when the DAG is parsed: a key is neither a name nor a pattern
    """

    template_fields: Sequence[str] = ("module", "selections", "max_tags", "max_share", "min_fullness", "zoho_crm_conn_id")
    template_fields_renderers: ClassVar[dict[str, str]] = {"selections": "json"}

    def __init__(self, *, selections: Mapping[str, Any], **kwargs: Any) -> None:
        from airflow_provider_zcrm.rules.org_modules import check_selections

        super().__init__(selection={}, **kwargs)
        check_selections(selections)
        # a frozen dataclass cannot be rendered, its dict can
        self.selections = {module: one.to_dict() if hasattr(one, "to_dict") else one for module, one in selections.items()}

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Choose as `FindTagsOperator` does.

        :raises ZohoCrmFailure: as there, and when it is not clear which selection is meant
        """
        found = super().execute(context)
        context["ti"].xcom_push(key="module", value={"module": self.module})
        return found

    def _selection(self) -> dict[str, Any]:
        from airflow_provider_zcrm.rules.org_modules import selection_for

        selection: dict[str, Any] = selection_for(self.module, self.selections)
        return selection

    def _read(self, read: Callable[[], tuple[dict[str, Tag], Room]]) -> tuple[dict[str, Tag], Room]:
        from airflow_provider_zcrm.rules.org_modules import cannot_have_tags
        from airflow_provider_zcrm.rules.room import Room

        try:
            return read()
        except ZohoCrmError as error:
            if not cannot_have_tags(error):
                raise
        self.log.info("Zoho does not have tags for %s.", self.module)
        return {}, Room(0)

    def _push_unmatched(self, context: Context, found: Candidates) -> None:
        context["ti"].xcom_push(key="keep", value={"matched": list(found.matched_keep), "unmatched": list(found.unmatched_keep)})
