"""``GET /crm/v8/settings/modules``: modules with their ids. One answer without pages; a web tab has no API name.

Zoho: v8/modules-api.html. One module is found by its API name or its id on the same path.
"""

from __future__ import annotations

from typing import Any

from airflow_provider_zcrm.emulator.answers import Answer, refuse
from airflow_provider_zcrm.emulator.call import Call
from airflow_provider_zcrm.emulator.clock import iso
from airflow_provider_zcrm.emulator.model import Module

STATUSES = ["visible", "scheduled_for_deletion", "user_hidden", "system_hidden"]
MODULE_IN_PATH = 2


def list_modules(call: Call) -> Answer:
    """Answer with all modules, or with those of the statuses asked for; 204 if there are none."""
    wanted = call.query["status"].split(",") if "status" in call.query else STATUSES
    for index, status in enumerate(wanted):
        if status not in STATUSES:
            details = {"index": index, "supported_values": STATUSES, "param_name": "status"}
            raise refuse(400, "INVALID_DATA", "invalid data", details)
    found = [(number, module) for number, module in enumerate(call.org.modules) if module.status in wanted]
    if not found:
        return Answer(204)
    return Answer(200, {"modules": [_describe(call, number, module) for number, module in found]})


def get_module(call: Call) -> Answer:
    """Answer with one module; 204 if it is hidden, INVALID_MODULE if there is none."""
    name = call.names["module"]
    module = call.org.module_named(name) or call.org.module_with_id(name)
    if module is None:
        details = {"resource_path_index": MODULE_IN_PATH}
        raise refuse(400, "INVALID_MODULE", "the module name given seems to be invalid", details)
    if module.status != "visible":
        return Answer(204)
    return Answer(200, {"modules": [_describe(call, call.org.modules.index(module), module)]})


def _describe(call: Call, number: int, module: Module) -> dict[str, Any]:
    supported = module.api_name is not None
    modified = None if module.modified_time is None else iso(module.modified_time, call.org.utc_offset)
    flags = (
        "creatable deletable editable viewable convertable quick_create filter_supported show_as_tab presence_sub_menu triggers_supported"
        " webform_supported scoring_supported feeds_required emailTemplate_support email_parser_supported inventory_template_supported"
        " isBlueprintSupported has_more_profiles recycle_bin_on_delete track_current_data"
    )
    return {
        "id": module.id,
        "api_name": module.api_name,
        "module_name": module.module_name,
        "singular_label": module.singular_label,
        "plural_label": module.plural_label,
        "generated_type": module.generated_type,
        "api_supported": supported,
        "visible": module.status == "visible",
        "visibility": 1 if supported else 8192,
        "status": module.status,
        "sequence_number": number,
        "modified_time": modified,
        "modified_by": {"id": call.org.owner.id, "name": call.org.owner.name},
        "profile_count": 2,
        "profiles": [{"id": call.org.id_of(26011), "name": "Administrator"}, {"id": call.org.id_of(26014), "name": "Standard"}],
        "business_card_field_limit": 5,
        "parent_module": {},
        "activity_badge": "Disabled",
        "arguments": [],
        "web_link": "https://intranet.example.com" if module.generated_type == "web" else None,
        "description": None,
        **dict.fromkeys(flags.split(), supported),
    }
