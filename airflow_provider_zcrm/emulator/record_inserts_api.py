"""Records made through the API: ``POST /{module}``, up to 100 at once, each with an element of its own in ``data[]``.

A record of the emulator has one field of its own, its name; ``Company``, which Zoho's own layout of Leads wants, is taken and dropped.
Nothing is triggered, whatever ``trigger`` says: the emulator has no workflows.
Zoho: v8/insert-records.html
"""

from __future__ import annotations

from typing import Any

from airflow_provider_zcrm.emulator.answers import Answer, Refused, envelope, refuse
from airflow_provider_zcrm.emulator.call import Call
from airflow_provider_zcrm.emulator.clock import iso
from airflow_provider_zcrm.emulator.model import Module
from airflow_provider_zcrm.emulator.module_paths import module_of_path

MAX_RECORDS = 100
MAX_NAME = 80
RECORDS_PER_CREDIT = 10
TRIGGERS = {"approval", "workflow", "blueprint", "pathfinder", "orchestration"}
DROPPED = {"Company"}


def insert_records(call: Call) -> Answer:
    """Answer ``POST /{module}``: 201 if all were made, 207 if some, 400 if none."""
    module = module_of_path(call, details={})
    call.require(f"Crm_Implied_Create_{module.api_name}")
    records = _read(call)
    call.charge_for(len(records), RECORDS_PER_CREDIT)
    elements = [_insert(call, module, record, f"$.data[{index}]") for index, record in enumerate(records)]
    made = sum(element["status"] == "success" for element in elements)
    return Answer(201 if made == len(elements) else 207 if made else 400, {"data": elements})


def _bad(name: str, path: str, **more: object) -> Refused:
    return refuse(400, "INVALID_DATA", "invalid data", {"api_name": name, "json_path": path, **more})


def _read(call: Call) -> list[dict[str, Any]]:
    body = call.json_object()
    for key in body.keys() - {"data", "trigger"}:
        raise _bad(key, f"$.{key}")
    trigger = body.get("trigger", [])
    if not isinstance(trigger, list) or not all(isinstance(name, str) and name in TRIGGERS for name in trigger):
        raise _bad("trigger", "$.trigger", expected_data_type="jsonarray")
    if "data" not in body:
        raise refuse(400, "MANDATORY_NOT_FOUND", "required field not found", {"api_name": "data", "json_path": "$.data"})
    records = body["data"]
    if not isinstance(records, list) or not records or not all(isinstance(record, dict) for record in records):
        raise _bad("data", "$.data", expected_data_type="jsonarray")
    if len(records) > MAX_RECORDS:
        raise _bad("data", "$.data", maximum_length=MAX_RECORDS)
    return records


def _insert(call: Call, module: Module, record: dict[str, Any], path: str) -> dict[str, Any]:
    field = module.name_field
    for key in record.keys() - {field} - DROPPED:
        return envelope("INVALID_DATA", "invalid data", {"api_name": key, "json_path": f"{path}.{key}"})
    name = record.get(field)
    at_name = {"api_name": field, "json_path": f"{path}.{field}"}
    if name is None:
        return envelope("MANDATORY_NOT_FOUND", "required field not found", at_name)
    if not isinstance(name, str) or not name.strip():
        return envelope("INVALID_DATA", "invalid data", {**at_name, "expected_data_type": "text"})
    if len(name) > MAX_NAME:
        return envelope("INVALID_DATA", "invalid data", {**at_name, "maximum_length": str(MAX_NAME)})
    made = call.org.new_id()
    module.add_records({made: []})
    module.record_names[made] = name
    author = {"name": call.org.owner.name, "id": call.token.user_id}
    moment = iso(call.now, call.org.utc_offset)
    details = {"Modified_Time": moment, "Modified_By": author, "Created_Time": moment, "id": made, "Created_By": author}
    return envelope("SUCCESS", "record added", details, status="success")
