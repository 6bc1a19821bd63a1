"""`ListModulesOperator`: the modules of an org that can have tags."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_zcrm.links.zcrm import ZohoCrmGuideLink
from airflow_provider_zcrm.operators.base import RefusesWhatCameOutEmpty

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class ListModulesOperator(RefusesWhatCameOutEmpty):
    """Finds the modules of the org that can have tags, with one API call.

    Returns their API names, those of the oldest modules first, so that other tasks can be mapped over them. XCom ``modules`` has, for each,
    ``module`` (its API name), ``id``, ``label`` and ``new``: whether it was not there when an earlier run of the DAG listed the modules,
    which an Airflow Variable remembers for the task. ``api_calls`` and ``credits_left`` say what it has cost. A module of which only Zoho's
    list of tags says that it cannot have any is among them; `FindTagsOfModuleOperator` finds nothing there.

    .. seealso:: docs/org-cleanup.md, and Zoho's crm/developer/docs/api/v8/modules-api.html

    :param modules: only these: API names, or patterns of them with ``*`` and ``?``; None for all (templated).
    :param exclude_modules: not these: API names or labels, or patterns of them; case does not count (templated).
    :param zoho_crm_conn_id: id of the Airflow connection (templated).
    """

    template_fields: Sequence[str] = ("modules", "exclude_modules", "zoho_crm_conn_id")
    template_fields_renderers: ClassVar[dict[str, str]] = {"modules": "json", "exclude_modules": "json"}
    ui_color = "#f9f2d2"
    operator_extra_links = (ZohoCrmGuideLink("org-cleanup"),)

    def __init__(
        self,
        *,
        modules: Any = None,
        exclude_modules: Any = (),
        zoho_crm_conn_id: str = "zoho_crm_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.modules = modules
        self.exclude_modules = exclude_modules
        self.zoho_crm_conn_id = zoho_crm_conn_id
        self._note_given("modules")
        self._written = modules

    def execute(self, context: Context) -> list[str]:
        """List the modules, and choose.

        :raises ZohoCrmFailure: an entry matches no module, or no module is left
        """
        from airflow_provider_zcrm.api.modules import list_modules
        from airflow_provider_zcrm.hooks.errors import airflow_errors
        from airflow_provider_zcrm.hooks.zcrm import ZohoCrmHook
        from airflow_provider_zcrm.operators.base import push_api_usage
        from airflow_provider_zcrm.rules.log_lists import log_list
        from airflow_provider_zcrm.rules.org_modules import check_patterns, choose_modules, with_tags

        with airflow_errors(self.zoho_crm_conn_id):
            self._check_text("zoho_crm_conn_id")
            self._check_given()
            check_patterns(self._written, self.modules)
            client = ZohoCrmHook(self.zoho_crm_conn_id).get_conn()
            listed = client.send(list_modules())
            chosen = choose_modules(listed, self.modules, self.exclude_modules)
            push_api_usage(context, client)
        new = self._new(context, [str(module.api_name) for module in with_tags(listed)])
        details = [{"module": m.api_name, "id": m.id, "label": m.label, "new": m.api_name in new} for m in chosen]
        context["ti"].xcom_push(key="modules", value=details)
        names = [str(module.api_name) for module in chosen]
        log_list(self.log, f"{len(names)} of the {len(listed)} modules", [f"{n} (new)" if n in new else n for n in names])
        return names

    def _new(self, context: Context, names: list[str]) -> set[str]:
        """Return the modules that an earlier run of the DAG has not seen, and remember those of this one."""
        from airflow_provider_zcrm.version_compat import get_variable, set_variable

        ti = context["ti"]
        key = f"zoho_crm_modules_{ti.dag_id}.{ti.task_id}"
        try:
            seen = _as_object(get_variable(key))
            # a retry or a clear compares with the same run as the first attempt did
            before = seen.get("before") if seen.get("run_id") == ti.run_id else seen.get("modules")
            before = before if isinstance(before, list) else None
            value = json.dumps({"run_id": ti.run_id, "modules": names, "before": before})
            set_variable(key, value, "Modules of Zoho CRM that a clean-up has seen. If it is deleted, the next run names none as new.")
        except Exception:  # what is new is for people; nothing depends on it
            self.log.warning("Which modules are new is not known.", exc_info=True)
            return set()
        return set() if before is None else set(names).difference(before)


def _as_object(value: str | None) -> dict[str, Any]:
    """Return the JSON object, an empty one for anything else."""
    try:
        found = json.loads(value or "{}")
    except ValueError:
        found = {}
    return found if isinstance(found, dict) else {}
