"""Tags renamed, recolored and merged: ``PUT /settings/tags`` for many, ``PUT /settings/tags/{id}`` for one, ``POST .../actions/merge``.

Zoho: v8/update-tags.html, v8/merge-tags.html
"""

from __future__ import annotations

from typing import Any

from airflow_provider_zcrm.emulator.answers import Answer, Refused, envelope
from airflow_provider_zcrm.emulator.call import Call
from airflow_provider_zcrm.emulator.jobs import remove_tags
from airflow_provider_zcrm.emulator.model import ID_LENGTH, Module, Tag, User
from airflow_provider_zcrm.emulator.tags_api import MAX_NAME, answer_of_each, bad_color, bad_name, describe, module_of_query, read_tags


def update_tags(call: Call) -> Answer:
    """Answer ``PUT /settings/tags?module=``; the ids are in the body."""
    module = module_of_query(call)
    return answer_of_each([_update(call, module, tag, index) for index, tag in enumerate(read_tags(call))], when_all=200)


def update_tag(call: Call) -> Answer:
    """Answer ``PUT /settings/tags/{id}?module=``; an id in the body does not count."""
    module = module_of_query(call)
    (wanted,) = read_tags(call, longest=1)
    return answer_of_each([_update(call, module, {**wanted, "id": call.names["id"]}, 0)], when_all=200)


def _update(call: Call, module: Module, wanted: dict[str, Any], index: int) -> dict[str, Any]:
    """Give a tag the name and the color, which is taken away if none is sent."""
    path = f"$.tags[{index}]"
    name: Any = wanted.get("name")
    color_code, tag_id = wanted.get("color_code"), wanted.get("id")
    error = bad_name(name, f"{path}.name", MAX_NAME) or bad_color(call, color_code, f"{path}.color_code")
    if error is not None:
        return error
    if tag_id is None:
        return envelope("MANDATORY_NOT_FOUND", "required field not found", {"api_name": "id", "json_path": f"{path}.id"})
    tag = _living(module, tag_id)
    if tag is None:
        return envelope("INVALID_DATA", "invalid data", {"api_name": "id", "json_path": f"{path}.id"})
    other = module.tag_named(name)
    if other is not None and other is not tag:
        return envelope("DUPLICATE_DATA", "duplicate data", {"api_name": "name", "json_path": f"{path}.name", "id": other.id})
    tag.name, tag.color_code = name, color_code
    _touch(call, tag)
    return envelope("SUCCESS", "tags updated successfully", describe(call, tag), status="success")


def _living(module: Module, tag_id: Any) -> Tag | None:
    tag = module.tags.get(tag_id) if isinstance(tag_id, str) else None
    return None if tag is None or tag.vanishes_at is not None else tag


def _touch(call: Call, tag: Tag) -> None:
    tag.modified_time, tag.modified_by = call.now, User(call.token.user_id, call.org.owner.name)


def merge(call: Call) -> Answer:
    """Answer ``POST /settings/tags/{id}/actions/merge``: all records of the two tags carry one of them, and the other one is gone."""
    (wanted,) = read_tags(call, longest=1)
    conflict_id = _conflict_id(wanted)
    module = call.org.module_of_tag(call.names["id"])
    if module is None:
        raise _unknown()
    _require(call, f"Crm_Implied_Edit_{module.api_name}", f"Crm_Implied_Tags_{module.api_name}")
    tag, conflict = _living(module, call.names["id"]), _living(module, conflict_id)
    if tag is None or conflict is None or tag is conflict:
        raise _unknown()
    kept, gone = (conflict, tag) if call.reads("merge_keeps", "conflict_id") else (tag, conflict)
    for record, held in module.records.items():
        if gone.id in held:
            module.set_tags(record, list(dict.fromkeys(kept.id if tag_id == gone.id else tag_id for tag_id in held)))
    remove_tags(call.org, module, {gone.id})
    _touch(call, kept)
    details = {key: value for key, value in describe(call, kept).items() if key != "name"}
    return Answer(200, {"tags": [envelope("SUCCESS", "tags merged successfully", details, status="success")]})


def _conflict_id(wanted: dict[str, Any]) -> str:
    conflict_id = wanted.get("conflict_id")
    at_conflict = {"api_name": "conflict_id", "json_path": "$.tags[*].conflict_id"}
    if conflict_id is None:
        raise _in_tags(400, envelope("MANDATORY_NOT_FOUND", "Required field is missing", at_conflict))
    if not isinstance(conflict_id, str) or not conflict_id.isdecimal():
        raise _in_tags(400, envelope("INVALID_DATA", "Invalid data type", {**at_conflict, "expected_data_type": "bigint"}))
    if len(conflict_id) > ID_LENGTH:
        raise _in_tags(400, envelope("INVALID_DATA", "Invalid data", {**at_conflict, "maximum_length": ID_LENGTH}))
    return conflict_id


def _unknown() -> Refused:
    return _in_tags(400, envelope("INVALID_DATA", "Invalid data", {"api_name": "id", "json_path": "$.tags[0].id"}))


def _in_tags(status: int, error: dict[str, Any]) -> Refused:
    return Refused(Answer(status, {"tags": [error]}))


def _require(call: Call, *permissions: str) -> None:
    """Refuse the call as `Call.require` does, but with the envelope in ``tags[]``."""
    try:
        call.require(*permissions)
    except Refused as refused:
        raise _in_tags(refused.answer.status, refused.answer.body) from None
