"""The recycle bin: which of some records are in it, and their restore by ids.

Only ids are ever sent: ``filters`` and ``restore_all_records`` restore what nobody named, and a DELETE on the bin is final.
With more than 1,000 records, children included, Zoho restores in the background (202, ``SCHEDULED``) and gives no job id.
Zoho: crm/developer/docs/api/v8/get-recycle-bin-records.html, restore-recycle-bin-records.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_zcrm.api.answers import decode, elements_by_id, id_of, unexpected
from airflow_provider_zcrm.api.call import ApiCall, ApiRequest, ApiResponse
from airflow_provider_zcrm.api.errors import InvalidArgument

RESTORES_PER_CALL = 200
# more would make addresses longer than some proxies take
BINNED_PER_LOOK = 100
_PATH = "settings/recycle_bin"


@dataclass(frozen=True)
class RecordsRestored:
    """What Zoho says of each record of a restore: it is back, it will be back, or it is not restored, with Zoho's reason.

    An id in none of them is a record that may be restored or not: the answer does not say.
    """

    restored: tuple[str, ...] = ()
    scheduled: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)


def binned_records(record_ids: Sequence[str]) -> ApiCall[dict[str, str]]:
    """Return the call for those of up to 100 ids that are in the bin, as far as the user may see it, each with its module's API name."""
    if not 1 <= len(record_ids) <= BINNED_PER_LOOK:
        raise InvalidArgument(f"One call looks for 1 to {BINNED_PER_LOOK} records in the recycle bin, not {len(record_ids)}.")
    params = {"ids": ",".join(record_ids), "per_page": "200"}
    request = ApiRequest("GET", _PATH, scope="ZohoCRM.settings.recycle_bin.READ", params=params)

    def parse(response: ApiResponse) -> dict[str, str]:
        body = decode(response, request)
        if body is None:
            return {}
        items = body.get("recycle_bin") if isinstance(body, dict) else None
        if not isinstance(items, list):
            raise unexpected("recycle_bin", response, request)
        found: dict[str, str] = {}
        for item in items:
            record_id = id_of(item.get("id")) if isinstance(item, dict) else None
            module = item.get("module") if isinstance(item, dict) else None
            name = module.get("api_name") if isinstance(module, dict) else None
            if not record_id or not isinstance(name, str):
                raise unexpected("recycle_bin with an id and a module each", response, request)
            # a server that disregards ids shows the whole bin
            if record_id in record_ids:
                found[record_id] = name
        return found

    return ApiCall(request, parse)


def restore_records(record_ids: Sequence[str]) -> ApiCall[RecordsRestored]:
    """Return the call that restores up to 200 records with their children; each element of the answer is read by itself."""
    if not 1 <= len(record_ids) <= RESTORES_PER_CALL:
        raise InvalidArgument(f"One call restores 1 to {RESTORES_PER_CALL} records, not {len(record_ids)}.")
    # sent again, it would bring back what a person has deleted again
    body = {"ids": list(record_ids)}
    request = ApiRequest("POST", f"{_PATH}/actions/restore", scope="ZohoCRM.settings.recycle_bin.UPDATE", json=body, may_repeat=False)

    def parse(response: ApiResponse) -> RecordsRestored:
        said = elements_by_id(response, "recycle_bin", record_ids)
        of_all = elements_by_id(response, "recycle_bin", record_ids, whole_call=True)
        rest_scheduled = any(_scheduled(element) for _, element in of_all)
        if not said and not rest_scheduled:
            decode(response, request)
            raise unexpected("recycle_bin", response, request)
        named = {record_id for record_id, _ in said}
        scheduled = {record_id for record_id, element in said if _scheduled(element)}
        # one that names no record is about those that the others do not name: they must not be sent again
        scheduled |= set(record_ids) - named if rest_scheduled else set()
        restored = {record_id for record_id, element in said if _is(element, "success") and record_id not in scheduled}
        failed = {record_id: _reason(element) for record_id, element in said if _is(element, "error")}
        return RecordsRestored(
            tuple(i for i in record_ids if i in restored),
            tuple(i for i in record_ids if i in scheduled and i not in restored),
            {i: failed[i] for i in record_ids if i in failed and i not in restored and i not in scheduled},
        )

    return ApiCall(request, parse)


def _scheduled(element: Mapping[str, Any]) -> bool:
    return _is(element, "success") and str(element.get("code")).strip().upper() == "SCHEDULED"


def _is(element: Mapping[str, Any], status: str) -> bool:
    return str(element.get("status")).strip().lower() == status


def _reason(element: Mapping[str, Any]) -> str:
    return str(element.get("code") or element.get("message") or "no reason")
