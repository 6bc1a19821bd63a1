"""Tags of a module: the list, and how many records carry one.

Zoho does not page the list: one answer holds all tags of the module.
Zoho: crm/developer/docs/api/v8/get-tag-list.html, tag-record-count.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_zcrm.api.answers import count_of, decode, id_of, unexpected
from airflow_provider_zcrm.api.call import ApiCall, ApiRequest, ApiResponse

_READ = "ZohoCRM.settings.tags.READ"
_ACTIONS = "workflow_tagActionRecords"


@dataclass(frozen=True)
class Tag:
    """A tag; times are ISO-8601 with offset, as Zoho sends them, empty where it does not.

    :param record_count: how many records carry it; None unless the list was asked for it and Zoho answered.
    :param last_accessed_time: empty, likewise.
    """

    id: str
    name: str
    color_code: str | None = None
    created_time: str = ""
    modified_time: str = ""
    created_by: str = ""
    created_by_id: str = ""
    record_count: int | None = None
    last_accessed_time: str = ""


@dataclass(frozen=True)
class TagList:
    """All tags of a module, and how many it may have: ``info.allowed_count``, by edition; None where Zoho does not say it."""

    tags: tuple[Tag, ...]
    allowed: int | None = None


@dataclass(frozen=True)
class RecordsCount:
    """How many records carry a tag, and the features that use it (``configured_areas``, None where the org's version lacks it)."""

    count: int
    configured_areas: Mapping[str, Any] | None = None

    @property
    def used_by(self) -> tuple[str, ...] | None:
        """What uses the tag: the areas that are not empty, also those that are not documented; None where Zoho does not tell."""
        if self.configured_areas is None:
            return None
        actions = self.configured_areas.get(_ACTIONS)
        named = {name: value for name, value in self.configured_areas.items() if name != _ACTIONS}
        named |= actions if isinstance(actions, Mapping) else {"automation": actions}
        return tuple(str(name).replace("custom_view", "custom view") for name, value in named.items() if _says_something(value))


def list_tags(module: str, *, include_usage: bool = False) -> ApiCall[tuple[Tag, ...]]:
    """Return the call for all tags of a module, given by its API name.

    :param include_usage: as of `list_tags_with_allowance`.
    """
    call = list_tags_with_allowance(module, include_usage=include_usage)
    return ApiCall(call.request, lambda response: call.parse(response).tags)


def list_tags_with_allowance(module: str, *, include_usage: bool = False) -> ApiCall[TagList]:
    """Return the call for all tags of a module, given by its API name, and for how many it may have.

    :param include_usage: ask for ``record_count`` and ``last_accessed_time`` too. Only Zoho's specification of 2026 has this, without
        saying how the answer looks; where Zoho does not answer it, the two stay unknown.
    """
    usage = {"include": "associated_record_count,last_accessed_time"} if include_usage else {}
    request = ApiRequest("GET", "settings/tags", scope=_READ, params={"module": module, **usage})

    def parse(response: ApiResponse) -> TagList:
        body = decode(response, request)
        if body is None:
            return TagList(())
        if not isinstance(body, dict) or not isinstance(body.get("tags"), list):
            raise unexpected("tags", response, request)
        # a tag that is not read would seem to be deleted
        if not all(isinstance(tag, dict) and id_of(tag.get("id")) for tag in body["tags"]):
            raise unexpected("tags with an id each", response, request)
        info = body.get("info")
        allowed = count_of(info.get("allowed_count")) if isinstance(info, dict) else None
        return TagList(tuple(_tag(tag) for tag in body["tags"]), allowed or None)

    return ApiCall(request, parse)


def count_records(module: str, tag_id: str) -> ApiCall[RecordsCount]:
    """Return the call for the number of records that carry a tag; Zoho sends the number as a string."""
    path = f"settings/tags/{tag_id}/actions/records_count"
    request = ApiRequest("GET", path, scope=_READ, params={"module": module})

    def parse(response: ApiResponse) -> RecordsCount:
        body = decode(response, request)
        count = count_of(body.get("count")) if isinstance(body, dict) else None
        if count is None:
            raise unexpected("count", response, request)
        areas = body.get("configured_areas")
        return RecordsCount(count, areas if isinstance(areas, dict) else None)

    return ApiCall(request, parse)


def _says_something(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_says_something(item) for item in value.values())
    if isinstance(value, list):
        return any(_says_something(item) for item in value)
    return value not in (None, False, 0, "", "false", "0")


def _tag(value: Mapping[str, Any]) -> Tag:
    created_by = value.get("created_by")
    created_by = created_by if isinstance(created_by, dict) else {}
    color_code = value.get("color_code")
    return Tag(
        id=str(value["id"]),
        name=str(value.get("name") or ""),
        color_code=color_code if isinstance(color_code, str) else None,
        created_time=str(value.get("created_time") or ""),
        modified_time=str(value.get("modified_time") or ""),
        created_by=str(created_by.get("name") or ""),
        created_by_id=str(created_by.get("id") or ""),
        record_count=count_of(value.get("associated_record_count")),
        last_accessed_time=str(value.get("last_accessed_time") or ""),
    )
