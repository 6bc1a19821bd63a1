"""The tags of a module: list, create, delete one, and how many records carry one. Updates and merges are in `tag_changes_api`.

The list has no pages. The same mistake looks different at each endpoint (``param`` or ``param_name``, 400 or 404), as at Zoho.
Zoho: v8/get-tag-list.html, create-tag.html, delete-tag.html, tag-record-count.html
"""

from __future__ import annotations

from typing import Any

from airflow_provider_zcrm.emulator.answers import Answer, Refused, envelope, refuse
from airflow_provider_zcrm.emulator.call import Call
from airflow_provider_zcrm.emulator.clock import iso
from airflow_provider_zcrm.emulator.editions import tags_per_module, tags_per_record
from airflow_provider_zcrm.emulator.jobs import remove_tags
from airflow_provider_zcrm.emulator.model import Feature, Module, Tag, User

MAX_NAME = 26  # what the error of this endpoint says; adding tags to records says 25
MAX_COLOR = 7
NOT_IN_NAMES = "<>,"
COLORS = {
    "#F17574", "#F48435", "#E7A826", "#A8C026", "#63C57E", "#1DB9B4", "#57B1FD",
    "#879BFC", "#D297EE", "#FD87BD", "#969696", "#658BA8", "#B88562",
}  # fmt: skip
CUSTOM_VIEW = "Custom View"


def list_tags(call: Call) -> Answer:
    """Answer ``GET /settings/tags?module=``."""
    module = module_of_query(call)
    tags = [tag for tag in module.tags.values() if call.query.get("my_tags") != "true" or tag.created_by.id == call.token.user_id]
    if not tags and call.reads("empty_tags", "204"):
        return Answer(204)
    extra = _included(call, module)
    info = {"record_limit": tags_per_record(call.org), "count": len(tags), "allowed_count": tags_per_module(call.org)}
    return Answer(200, {"tags": [describe(call, tag) | extra.get(tag.id, {}) for tag in tags], "info": info})


def module_of_query(call: Call, key: str = "param", message: str = "One of the expected parameter is missing") -> Module:
    """Return the module of the query, which must exist, have tags, and be one whose tags the user may manage."""
    name = call.query.get("module")
    if not name:
        raise refuse(400, "REQUIRED_PARAM_MISSING", message, {key: "module"})
    module = call.org.module_named(name)
    if module is None:
        raise refuse(400, "INVALID_MODULE", "the module name given seems to be invalid")
    if not module.tags_supported:
        raise refuse(400, "INVALID_MODULE", "the given module is not supported for this api")
    call.require(f"Crm_Implied_Edit_{name}", f"Crm_Implied_Tags_{name}")
    return module


def _included(call: Call, module: Module) -> dict[str, dict[str, Any]]:
    """Return what ``include`` adds to each tag, by its id."""
    asked = call.query.get("include", "").split(",")
    if call.reads("include_counts", "ignored"):
        return {}
    extra: dict[str, dict[str, Any]] = {tag_id: {} for tag_id in module.tags}
    for tag in module.tags.values():
        if "associated_record_count" in asked:
            extra[tag.id]["associated_record_count"] = module.tag_counts.get(tag.id, 0)
        if "last_accessed_time" in asked:
            accessed = tag.last_accessed_time
            extra[tag.id]["last_accessed_time"] = None if accessed is None else iso(accessed, call.org.utc_offset)
    return extra


def describe(call: Call, tag: Tag) -> dict[str, Any]:
    """Return a tag as it is listed."""
    return {
        "created_time": iso(tag.created_time, call.org.utc_offset),
        "modified_time": iso(tag.modified_time, call.org.utc_offset),
        "name": tag.name,
        "modified_by": {"name": tag.modified_by.name, "id": tag.modified_by.id},
        "id": tag.id,
        "created_by": {"name": tag.created_by.name, "id": tag.created_by.id},
        "color_code": tag.color_code,
    }


def create_tags(call: Call) -> Answer:
    """Answer ``POST /settings/tags?module=``: 201 if all were made, 207 if some, 400 if none."""
    module = module_of_query(call)
    allowed = call.world.readings["tags_per_create"]
    tags = read_tags(call, None if allowed == "any" else int(allowed))
    return answer_of_each([_create(call, module, tag, f"$.tags[{index}]") for index, tag in enumerate(tags)], when_all=201)


def read_tags(call: Call, longest: int | None = None) -> list[dict[str, Any]]:
    """Return what the body has under ``tags``; what is no object there is an empty one."""
    tags = call.json_object().get("tags")
    if tags is None:
        raise refuse(400, "MANDATORY_NOT_FOUND", "required field not found", {"api_name": "tags", "json_path": "$.tags"})
    if not isinstance(tags, list) or not tags:
        details = {"api_name": "tags", "json_path": "$.tags", "expected_data_type": "jsonarray"}
        raise refuse(400, "INVALID_DATA", "invalid data", details)
    if longest is not None and len(tags) > longest:
        raise refuse(400, "INVALID_DATA", "invalid data", {"api_name": "tags", "json_path": "$.tags", "maximum_length": longest})
    return [tag if isinstance(tag, dict) else {} for tag in tags]


def answer_of_each(elements: list[dict[str, Any]], *, when_all: int) -> Answer:
    """Answer with an element for each tag: `when_all` if none failed, 207 if some did, 400 if all."""
    done = sum(element["status"] == "success" for element in elements)
    return Answer(when_all if done == len(elements) else 207 if done else 400, {"tags": elements})


def _create(call: Call, module: Module, wanted: dict[str, Any], path: str) -> dict[str, Any]:
    name: Any = wanted.get("name")
    color_code = wanted.get("color_code")
    error = bad_name(name, f"{path}.name", MAX_NAME) or bad_color(call, color_code, f"{path}.color_code")
    if error is not None:
        return error
    existing = module.tag_named(name)
    if existing:
        if color_code not in (None, existing.color_code) and call.reads("other_color", "mapping_mismatch"):
            return envelope("MAPPING_MISMATCH", "Given tag present with different color already.")
        return envelope("DUPLICATE_DATA", "duplicate data", {"api_name": "name", "json_path": f"{path}.name", "id": existing.id})
    if len(module.tags) >= tags_per_module(call.org):
        return envelope("LICENSE_LIMIT_EXCEEDED", "tags edition limit exceeded")
    tag = new_tag(call, module, name, color_code)
    return envelope("SUCCESS", "tags created successfully", describe(call, tag), status="success")


def bad_name(name: Any, path: str, longest: int) -> dict[str, Any] | None:
    """Return the error of a name that no tag can have, or None; commas and angle brackets are not for names."""
    at_name = {"api_name": "name", "json_path": path}
    if name is None:
        return envelope("MANDATORY_NOT_FOUND", "required field not found", at_name)
    if not isinstance(name, str) or not name.strip():
        return envelope("INVALID_DATA", "invalid data", {**at_name, "expected_data_type": "text"})
    if len(name) > longest:
        return envelope("INVALID_DATA", "invalid data", {**at_name, "maximum_length": longest})
    if not set(name).isdisjoint(NOT_IN_NAMES):
        return envelope("INVALID_DATA", "invalid data", at_name)
    return None


def bad_color(call: Call, color_code: Any, path: str) -> dict[str, Any] | None:
    """Return the error of a color that no tag can have, or None."""
    at_color = {"api_name": "color_code", "json_path": path}
    if color_code is None:
        return None
    if not isinstance(color_code, str):
        return envelope("INVALID_DATA", "invalid data", {**at_color, "expected_data_type": "text"})
    if len(color_code) > MAX_COLOR:
        return envelope("INVALID_DATA", "invalid data", {**at_color, "maximum_length": MAX_COLOR})
    if color_code not in COLORS and call.reads("tag_colors", "documented"):
        return envelope("INVALID_DATA", "invalid data", at_color)
    return None


def new_tag(call: Call, module: Module, name: str, color_code: str | None) -> Tag:
    """Add a tag of the caller's to the module."""
    author = User(call.token.user_id, call.org.owner.name)
    tag = Tag(call.org.new_id(), name, color_code, call.now, call.now, author, author)
    module.tags[tag.id] = tag
    return tag


def delete_tag(call: Call) -> Answer:
    """Answer ``DELETE /settings/tags/{id}``, which is done at once."""
    tag_id = call.names["id"]
    module = call.org.module_of_tag(tag_id)
    if module is None:
        raise refuse(400, "INVALID_DATA", "tags not found", {"id": tag_id})
    call.require(f"Crm_Implied_Tags_{module.api_name}", f"Crm_Implied_Edit_{module.api_name}")
    features = module.tags[tag_id].features
    if features:
        places = [{"type": kind, "resources": names} for kind, names in _by_type(features).items()]
        refused = envelope("NOT_ALLOWED", "tags has been associated to features", {"associated_places": places})
        raise Refused(Answer(400, {"tags": [refused]}))
    remove_tags(call.org, module, {tag_id})
    return Answer(200, {"tags": [envelope("SUCCESS", "tags deleted successfully", {"id": tag_id}, status="success")]})


def _by_type(features: list[Feature]) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for feature in features:
        names.setdefault(feature.type, []).append(feature.name)
    return names


def count_records(call: Call) -> Answer:
    """Answer ``GET /settings/tags/{id}/actions/records_count``; the count is a string."""
    module = module_of_query(call, "param_name", "One of the expected param is missing")
    tag = module.tags.get(call.names["id"])
    if tag is None:
        raise refuse(404, "INVALID_DATA", "tags not found", {"api_name": "id"})
    count = module.tag_counts.get(tag.id, 0)
    if call.reads("count_converted", "off"):
        count -= sum(tag.id in module.records.get(record, []) for record in module.converted_records)
    return Answer(200, {"count": str(count), "configured_areas": _configured_areas(tag, module)})


def _configured_areas(tag: Tag, module: Module) -> dict[str, Any]:
    """Say where the tag is used, which is what forbids its deletion."""
    actions: dict[str, Any] = {}
    for feature in tag.features:
        if feature.type != CUSTOM_VIEW:
            uses = actions.setdefault(feature.type, {}).setdefault(tag.id, {"AddTags": [], "RemoveTags": []})
            uses["AddTags"].append({"id": feature.id, "name": feature.name})
    views = [feature for feature in tag.features if feature.type == CUSTOM_VIEW]
    return {
        "workflow_tagActionRecords": actions,
        "custom_view": {
            "cvnames": [view.name for view in views],
            "cvids": [view.id for view in views],
            "cvmodules": [module.api_name for _ in views],
            "inaccessible_custom_view_present": False,
        },
    }
