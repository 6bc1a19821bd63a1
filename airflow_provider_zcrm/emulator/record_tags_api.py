"""Tags of records: ``POST /{module}/actions/add_tags`` and ``remove_tags``, for up to 500 records or for the one in the path.

Each record has an element of its own in ``data[]``; one that is full says SUCCESS and names the tags that it did not take.
Zoho: v8/add-tags.html, v8/remove-tags.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from airflow_provider_zcrm.emulator.answers import Answer, Refused, envelope, refuse
from airflow_provider_zcrm.emulator.call import Call
from airflow_provider_zcrm.emulator.editions import tags_per_module, tags_per_record
from airflow_provider_zcrm.emulator.model import Module, Tag
from airflow_provider_zcrm.emulator.module_paths import module_of_path, tags_as_json
from airflow_provider_zcrm.emulator.tags_api import bad_color, bad_name, new_tag

MAX_RECORDS = 500
MAX_NAME = 25  # what the error of these endpoints says; creating tags says 26
RECORDS_PER_CREDIT = 50
Change = Callable[[list[str]], list[str]]


def add_tags(call: Call) -> Answer:
    """Answer ``POST /{module}/actions/add_tags`` and ``/{module}/{record}/actions/add_tags``."""
    module, body, records = _read(call)
    over_write = _over_write(body) or call.query.get("over_write") == "true"
    tag_ids = [_resolve(call, module, wanted, index).id for index, wanted in enumerate(_tags(call, body))]
    return _answer(call, module, records, lambda held: list(dict.fromkeys([*([] if over_write else held), *tag_ids])))


def remove_tags(call: Call) -> Answer:
    """Answer ``POST /{module}/actions/remove_tags`` and ``/{module}/{record}/actions/remove_tags``; an unknown tag changes nothing."""
    module, body, records = _read(call)
    wanted = _tags(call, body)
    ids = {tag["id"] for tag in wanted if tag.get("id") is not None}
    names = {tag["name"] for tag in wanted if tag.get("id") is None}
    gone = {tag.id for tag in module.tags.values() if tag.id in ids or tag.name in names}
    return _answer(call, module, records, lambda held: [tag_id for tag_id in held if tag_id not in gone])


def _read(call: Call) -> tuple[Module, dict[str, Any], list[str]]:
    """Return the module, the body and the ids of the records; a record in the path wins, but ids in the body must be ids then too."""
    module = module_of_path(call, details={})
    if not module.tags_supported:
        raise refuse(400, "INVALID_MODULE", "the given module is not supported for this api")
    call.require(f"Crm_Implied_Edit_{module.api_name}", f"Crm_Implied_Tags_{module.api_name}")
    body = call.json_object()
    one = call.names.get("record")
    ids = _ids(body) if one is None or "ids" in body else []
    return module, body, ids if one is None else [one]


def _bad(name: str, path: str, **more: object) -> Refused:
    return refuse(400, "INVALID_DATA", "invalid data", {"api_name": name, "json_path": path, **more})


def _ids(body: dict[str, Any]) -> list[str]:
    """Return the ids of the body: an array, or, as the newer specification has it, a string that holds one."""
    if "ids" not in body:
        raise refuse(400, "MANDATORY_NOT_FOUND", "required field not found", {"api_name": "ids", "json_path": "$.ids"})
    ids = body["ids"]
    if isinstance(ids, str):
        try:
            ids = json.loads(ids)
        except ValueError:
            ids = None
    if not isinstance(ids, list) or not ids:
        raise _bad("ids", "$.ids", expected_data_type="jsonarray")
    if len(ids) > MAX_RECORDS:
        raise _bad("ids", "$.ids", maximum_length=MAX_RECORDS)
    for index, record_id in enumerate(ids):
        if not isinstance(record_id, str) or not record_id.isdecimal():
            raise _bad("ids", f"$.ids[{index}]")
    return ids


def _over_write(body: dict[str, Any]) -> bool:
    over_write = body.get("over_write")
    if over_write is not None and not isinstance(over_write, bool):
        raise _bad("over_write", "$.over_write", expected_data_type="boolean")
    return over_write is True


def _tags(call: Call, body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the tags of the body, each with an id or a name that a tag can have."""
    if "tags" not in body:
        raise refuse(400, "MANDATORY_NOT_FOUND", "required field not found", {"api_name": "tags", "json_path": "$.tags"})
    tags = body["tags"]
    if not isinstance(tags, list) or not tags or not all(isinstance(tag, dict) for tag in tags):
        raise _bad("tags", "$.tags", expected_data_type="jsonarray")
    allowed = call.world.readings["tags_per_call"]
    if allowed != "any" and len(tags) > int(allowed):
        raise _bad("tags", "$.tags", maximum_length=int(allowed))
    for index, tag in enumerate(tags):
        _check(call, tag, index)
    return tags


def _check(call: Call, tag: dict[str, Any], index: int) -> None:
    tag_id = tag.get("id")
    if tag_id is not None and not isinstance(tag_id, str):
        raise _bad("id", f"$.tags[{index}].id", expected_data_type="string")
    named_by_id = tag_id is not None and isinstance(tag.get("name", ""), str)
    error = None if named_by_id else bad_name(tag.get("name"), "$.tags[*].name", MAX_NAME)
    error = error or bad_color(call, tag.get("color_code"), "$.tags[*].color_code")
    if error is not None:
        raise Refused(Answer(400, {"tags": [error]}))


def _resolve(call: Call, module: Module, wanted: dict[str, Any], index: int) -> Tag:
    """Return the tag that is meant: by its id, which wins, or by its name. A name that nothing has makes a tag."""
    if wanted.get("id") is not None:
        tag = module.tags.get(wanted["id"])
        if tag is None or tag.vanishes_at is not None:
            raise _bad("id", f"$.tags[{index}].id")
        return tag
    name: str = wanted["name"]
    tag = module.tag_named(name)
    if tag is not None:
        return tag
    if call.reads("add_tags_by_name", "refused"):
        raise _bad("name", f"$.tags[{index}].name")
    if len(module.tags) >= tags_per_module(call.org):
        raise Refused(Answer(400, {"tags": [envelope("LICENSE_LIMIT_EXCEEDED", "tags edition limit exceeded")]}))
    return new_tag(call, module, name, wanted.get("color_code"))


def _answer(call: Call, module: Module, records: list[str], change: Change) -> Answer:
    """Change the records one by one and tell of each."""
    locked = [record for record in records if record in module.locked_records]
    if locked and call.reads("locked_record", "whole_call"):
        raise Refused(Answer(400, _locked(locked[0])))
    elements = [_change(call, module, record, change) for record in records]
    call.charge_for(len(records), RECORDS_PER_CREDIT)
    done = sum(element["status"] == "success" for element in elements)
    mixed = int(call.world.readings["mixed_tagging_status"])
    status = 200 if done == len(elements) else mixed if done else 400
    return Answer(status, {"data": elements, "success_count": str(done), "locked_count": str(len(locked))})


def _locked(record: str) -> dict[str, Any]:
    message = "Sorry, you cannot perform this operation as the record is locked."
    return envelope("RECORD_LOCKED", message, {"action": "record_locking", "id": record})


def _change(call: Call, module: Module, record: str, change: Change) -> dict[str, Any]:
    if record in module.locked_records:
        return _locked(record)
    if record not in module.records:
        if call.reads("missing_record", "invalid_data"):
            return envelope("INVALID_DATA", "the id given seems to be invalid", {"id": record})
        return envelope("FAILURE", "tags not updated successfully", {"id": record})
    wanted = change(module.records[record])
    allowed = tags_per_record(call.org)
    if len(wanted) > allowed and call.reads("full_record", "failure"):
        return envelope("FAILURE", "tags not updated successfully", {"id": record})
    kept, left_out = wanted[:allowed], wanted[allowed:]
    module.set_tags(record, kept)
    details = {"id": record, "tags": tags_as_json(module, kept)}
    if left_out:
        details["not_added_tags"] = tags_as_json(module, left_out)
    return envelope("SUCCESS", "tags updated successfully", details, status="success")
