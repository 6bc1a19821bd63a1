"""Creates tags, and puts them on records. Both may be sent again: what is there already stays as it is.

Zoho: crm/developer/docs/api/v8/create-tag.html, add-tags.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_zcrm.api.answers import decode, details_of, elements, reason_of, unexpected
from airflow_provider_zcrm.api.call import ApiCall, ApiRequest, ApiResponse
from airflow_provider_zcrm.api.errors import InvalidArgument
from airflow_provider_zcrm.api.modules import in_path

# Zoho's documents name 1, 20 and 200; for more than it takes, Zoho names its maximum
TAGS_PER_CALL = 20
RECORDS_PER_CALL = 500


@dataclass(frozen=True)
class NewTag:
    """A tag to create."""

    name: str
    color_code: str | None = None


@dataclass(frozen=True)
class Created:
    """What Zoho did with a tag that was to be created.

    :param id: of the tag that is there now, new or not; empty if it is not known.
    :param code: Zoho's code; ``SUCCESS``, or ``DUPLICATE_DATA`` for a tag that was there.
    :param reason: why it was not created.
    """

    id: str
    code: str
    reason: str = ""


@dataclass(frozen=True)
class Tagged:
    """The records that carry a tag now, and those that do not, with the reason; of others Zoho has said nothing."""

    done: frozenset[str]
    failed: Mapping[str, str] = field(default_factory=dict)


def create_tags(module: str, tags: Sequence[NewTag]) -> ApiCall[tuple[Created, ...]]:
    """Return the call that creates tags in a module; its value has one entry per tag, in their order."""
    body = {"tags": [{"name": tag.name} | ({"color_code": tag.color_code} if tag.color_code else {}) for tag in tags]}
    scope, params = "ZohoCRM.settings.tags.CREATE", {"module": module}
    # sent again, Zoho answers DUPLICATE_DATA and the id for each tag that the first one created
    request = ApiRequest("POST", "settings/tags", scope=scope, params=params, json=body, may_repeat=True)

    def parse(response: ApiResponse) -> tuple[Created, ...]:
        items = elements(response, "tags")
        if len(items) != len(tags):
            decode(response, request)
            raise unexpected("tags", response, request)
        return tuple(_created(item) for item in items)

    return ApiCall(request, parse)


def add_tag(module: str, tag_id: str, tag_name: str, record_ids: Sequence[str]) -> ApiCall[Tagged]:
    """Return the call that puts a tag on up to 500 records, beside the tags that they have."""
    if not 1 <= len(record_ids) <= RECORDS_PER_CALL:
        raise InvalidArgument(f"One call puts a tag on 1 to {RECORDS_PER_CALL} records, not {len(record_ids)}.")
    body = {"tags": [{"name": tag_name, "id": tag_id}], "ids": list(record_ids), "over_write": False}
    # sent again, it changes nothing: the records keep the tags that they have
    request = ApiRequest("POST", f"{in_path(module)}/actions/add_tags", scope="ZohoCRM.modules.ALL", json=body, may_repeat=True)

    def parse(response: ApiResponse) -> Tagged:
        answered = {str(details_of(item).get("id")): item for item in elements(response, "data")}
        said = {record_id: _why_not_tagged(answered[record_id], tag_id) for record_id in record_ids if record_id in answered}
        if not said:
            decode(response, request)
            raise unexpected("data about these records", response, request)
        failed = {record_id: reason for record_id, reason in said.items() if reason}
        return Tagged(frozenset(said.keys() - failed.keys()), failed)

    return ApiCall(request, parse)


def _created(item: Mapping[str, Any]) -> Created:
    code = str(item.get("code") or "")
    tag_id = str(details_of(item).get("id") or "")
    if item.get("status") == "success" and tag_id:
        return Created(tag_id, code)
    return Created(tag_id if code == "DUPLICATE_DATA" else "", code, reason_of(item))


def _why_not_tagged(item: Mapping[str, Any], tag_id: str) -> str:
    """Return why a record does not carry the tag, empty if it does; a success may yet have left out a tag that did not fit."""
    if item.get("status") != "success":
        return reason_of(item)
    tags = details_of(item).get("tags")
    if not isinstance(tags, list) or not all(isinstance(tag, dict) and tag.get("id") for tag in tags):
        return ""
    return "" if tag_id in {str(tag["id"]) for tag in tags} else "the record holds as many tags as the edition allows"
