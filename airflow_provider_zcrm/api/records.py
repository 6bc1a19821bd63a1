"""The records of a module (Get Records): all with the tags on each, page by page, and which of some ids there are.

Zoho ends the pages after 100,000 records. ``docs/records-of-a-tag.md`` says how it compares to the other ways.
Zoho: crm/developer/docs/api/v8/get-records.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from airflow_provider_zcrm.api.answers import decode, id_of, unexpected
from airflow_provider_zcrm.api.call import ApiCall, ApiRequest, ApiResponse
from airflow_provider_zcrm.api.errors import InvalidArgument
from airflow_provider_zcrm.api.modules import in_path

RECORDS_PER_PAGE = 200
RECORDS_PER_LOOK = 100


class TaggedRecord(NamedTuple):
    """A record and its tags: their ids, or their names where Zoho tells nothing else. There may be a million, so it is a tuple."""

    id: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class RecordsPage:
    """Up to 200 records with the ids of their tags, and the token of the next page, None for the last one."""

    records: tuple[TaggedRecord, ...]
    next_page_token: str | None = None


def list_records(module: str, page_token: str | None = None) -> ApiCall[RecordsPage]:
    """Return the call for a page of the module's records; the first one without a token."""
    params = {"fields": "Tag", "per_page": str(RECORDS_PER_PAGE)} | _all_of_them(module)
    if page_token:
        params["page_token"] = page_token
    request = ApiRequest("GET", in_path(module), scope="ZohoCRM.modules.ALL", params=params)

    def parse(response: ApiResponse) -> RecordsPage:
        body = decode(response, request)
        if body is None:
            return RecordsPage(())
        data, info = (body.get("data"), body.get("info")) if isinstance(body, dict) else (None, None)
        if not isinstance(data, list) or not isinstance(info, dict) or not all(_is_record(record) for record in data):
            raise unexpected("data with id and Tag, and info", response, request)
        token = info.get("next_page_token") if info.get("more_records") else None
        if info.get("more_records") and not (isinstance(token, str) and token):
            raise unexpected("next_page_token", response, request)
        records = tuple(TaggedRecord(str(record["id"]), tuple(str(tag["id"]) for tag in record["Tag"] or ())) for record in data)
        return RecordsPage(records, token)

    return ApiCall(request, parse)


@dataclass(frozen=True)
class IdsPage:
    """Up to 200 ids, and the token of the next page, None for the last one."""

    ids: tuple[str, ...]
    next_page_token: str | None = None


def list_ids(module: str, cvid: str, page_token: str | None = None) -> ApiCall[IdsPage]:
    """Return the call for a page of the ids that a custom view shows; the first one without a token."""
    params = {"fields": "id", "cvid": cvid, "per_page": str(RECORDS_PER_PAGE)} | _all_of_them(module)
    if page_token:
        params["page_token"] = page_token
    request = ApiRequest("GET", in_path(module), scope="ZohoCRM.modules.READ", params=params)

    def parse(response: ApiResponse) -> IdsPage:
        body = decode(response, request)
        if body is None and page_token:
            raise unexpected("records, of which the page before has promised more", response, request)
        if body is None:
            return IdsPage(())
        data, info = (body.get("data"), body.get("info")) if isinstance(body, dict) else (None, None)
        found = [id_of(item.get("id")) if isinstance(item, dict) else None for item in data] if isinstance(data, list) else [None]
        token = info.get("next_page_token") if isinstance(info, dict) and info.get("more_records") else None
        more = not isinstance(info, dict) or bool(info.get("more_records"))
        # a record that is not read could not be brought back
        if None in found or (more and not (isinstance(token, str) and token)):
            raise unexpected("data with an id each, and info", response, request)
        return IdsPage(tuple(record_id for record_id in found if record_id), token)

    return ApiCall(request, parse)


def present_records(module: str, record_ids: Sequence[str]) -> ApiCall[frozenset[str]]:
    """Return the call for those of up to 100 ids that meet a record, as far as the token's user may see it."""
    if not 1 <= len(record_ids) <= RECORDS_PER_LOOK:
        raise InvalidArgument(f"One call looks for 1 to {RECORDS_PER_LOOK} records, not {len(record_ids)}.")
    params = {"fields": "id", "ids": ",".join(record_ids)}
    request = ApiRequest("GET", in_path(module), scope="ZohoCRM.modules.READ", params=params | _all_of_them(module))

    def parse(response: ApiResponse) -> frozenset[str]:
        body = decode(response, request)
        if body is None:
            return frozenset()
        if not isinstance(body, dict) or not isinstance(body.get("data"), list):
            raise unexpected("data", response, request)
        found = [id_of(item.get("id")) if isinstance(item, dict) else None for item in body["data"]]
        # a record that is not read would seem to be deleted
        if None in found:
            raise unexpected("data with an id each", response, request)
        return frozenset(record_id for record_id in found if record_id)

    return ApiCall(request, parse)


def is_record_id(value: str) -> bool:
    """Return whether it is an id as Zoho's are: a whole number that a computer holds in 64 bits."""
    return value.isascii() and value.isdecimal() and len(value) <= 19


def _all_of_them(module: str) -> dict[str, str]:
    """Return the parameters without which Zoho leaves out records that wait for approval, and converted leads."""
    return {"approved": "both", "converted": "both"} if module == "Leads" else {"approved": "both"}


def _is_record(value: Any) -> bool:
    """Return whether it has an id and says which tags it has: one that is silent about them must not count as one without."""
    if not isinstance(value, dict) or not is_record_id(id_of(value.get("id")) or "") or "Tag" not in value:
        return False
    tags = value["Tag"]
    return tags is None or (isinstance(tags, list) and all(isinstance(tag, dict) and id_of(tag.get("id")) for tag in tags))
