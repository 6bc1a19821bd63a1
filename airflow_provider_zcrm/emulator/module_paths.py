"""The module in the path of a call about its records, and the records as they are written."""

from __future__ import annotations

from typing import Any

from airflow_provider_zcrm.emulator.answers import refuse
from airflow_provider_zcrm.emulator.call import Call
from airflow_provider_zcrm.emulator.model import Module

MODULE_IN_PATH = 0


def module_of_path(call: Call, details: dict[str, Any] | None = None) -> Module:
    """Return the module that the path names; `details` are those of the refusal."""
    module = call.org.module_named(call.names["module"])
    if module is None:
        at = {"resource_path_index": MODULE_IN_PATH} if details is None else details
        raise refuse(400, "INVALID_MODULE", "the module name given seems to be invalid", at)
    return module


def tags_as_json(module: Module, tag_ids: list[str]) -> list[dict[str, Any]]:
    """Return tags as the field ``Tag`` of a record has them."""
    tags = [module.tags[tag_id] for tag_id in tag_ids]
    return [{"name": tag.name, "id": tag.id, "color_code": tag.color_code} for tag in tags]


def record_as_json(call: Call, module: Module, record_id: str, tag_ids: list[str], fields: list[str], converted: bool) -> dict[str, Any]:
    """Return the fields of a record; the id comes unasked."""
    values: dict[str, Any] = {"Tag": tags_as_json(module, tag_ids), "Converted__s": converted, "$converted": converted}
    values[module.name_field] = module.name_of(record_id)
    if not values["Tag"] and call.reads("no_tags", "null"):
        values["Tag"] = None
    return {name: values[name] for name in fields if name in values} | {"id": record_id}
