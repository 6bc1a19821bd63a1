"""How many records a module has, or a custom view of it shows.

Zoho: v8/module_record_count.html
"""

from __future__ import annotations

from airflow_provider_zcrm.emulator.access import check_scope
from airflow_provider_zcrm.emulator.answers import Answer, refuse
from airflow_provider_zcrm.emulator.call import Call
from airflow_provider_zcrm.emulator.model import CustomView, Module
from airflow_provider_zcrm.emulator.module_paths import module_of_path

LATE_SECONDS = 600.0
SEARCH_SCOPES = ("ZohoSearch.securesearch.READ",)
LAYOUT_SCOPES = ("ZohoCRM.settings.ALL", "ZohoCRM.settings.layouts.ALL", "ZohoCRM.settings.layouts.READ")
SEARCH_PARAMS = ("criteria", "email", "phone", "word")


def count_records(call: Call) -> Answer:
    """Answer ``GET /{module}/actions/count``, which the documents want to have three scopes."""
    module = module_of_path(call)
    if call.reads("view_count_scopes", "three"):
        for scopes in (SEARCH_SCOPES, LAYOUT_SCOPES):
            check_scope(call.world, call.incoming, call.token, scopes)
    cvid = call.query.get("cvid")
    if cvid is None:
        return Answer(200, {"count": len(module.records)})
    others = [name for name in SEARCH_PARAMS if name in call.query]
    if others:
        message = "Please use either Cvid or Search Params. Combination of both the params is not allowed"
        due_to = [{"param_name": name} for name in ("cvid", *others)]
        raise refuse(400, "AMBIGUITY_DURING_PROCESSING", message, {"ambiguity_due_to": due_to})
    view = module.custom_views.get(cvid)
    if view is None:
        raise refuse(400, "INVALID_DATA", "the cvid given seems to be invalid", {"param_name": "cvid"})
    return Answer(200, {"count": _count(call, module, view)})


def _count(call: Call, module: Module, view: CustomView) -> int:
    """Count what a view shows; if the reading says so, as it was up to ten minutes ago."""
    late = call.reads("view_count", "late") and view.counted_at is not None and call.now < view.counted_at + LATE_SECONDS
    if not late:
        view.counted, view.counted_at = len(shown(module, view)), call.now
    return view.counted


def shown(module: Module, view: CustomView) -> list[str]:
    """Return the records that a custom view shows now."""
    return list(module.records) if view.records is None else [record for record in view.records if record in module.records]
