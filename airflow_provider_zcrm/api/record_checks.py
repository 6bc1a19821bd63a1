"""What is asked before and after records are deleted: how many a custom view shows, is that too many, and which ids there still are.

The count is made from statistics that follow a change by 1 to 10 minutes, so it is a guard against the wrong view and no proof.
Zoho: crm/developer/docs/api/v8/module_record_count.html, get-records.html
"""

from __future__ import annotations

from collections.abc import Sequence

from airflow_provider_zcrm.api.answers import decode, unexpected
from airflow_provider_zcrm.api.call import ApiCall, ApiRequest, ApiResponse
from airflow_provider_zcrm.api.errors import GuardTripped, InvalidArgument
from airflow_provider_zcrm.api.modules import in_path

RECORDS_PER_LOOK = 100
_READ = "ZohoCRM.modules.READ"


def check_number(number: int, max_records: int | None, what: str) -> None:
    """Judge a delete before anything is sent.

    :raises GuardTripped: names the numbers, and the argument that would allow it
    """
    if max_records is not None and number > max_records:
        raise GuardTripped(
            f"{number} records would be deleted ({what}), and max_records={max_records} forbids that. Nothing was sent.",
            advice=f"If all of them are meant to go: max_records={number}.",
        )


def count_view(module: str, cvid: str) -> ApiCall[int]:
    """Return the call for the number of records that a custom view shows; Zoho cannot count a territory's part of them."""
    scope = f"ZohoSearch.securesearch.READ, {_READ} and ZohoCRM.settings.layouts.READ"
    request = ApiRequest("GET", f"{in_path(module)}/actions/count", scope=scope, params={"cvid": cvid})

    def parse(response: ApiResponse) -> int:
        body = decode(response, request)
        count = body.get("count") if isinstance(body, dict) else None
        if isinstance(count, bool) or not str(count).isdecimal():
            raise unexpected("count", response, request)
        return int(str(count))

    return ApiCall(request, parse)


def present_records(module: str, record_ids: Sequence[str]) -> ApiCall[frozenset[str]]:
    """Return the call for those of up to 100 ids that meet a record, as far as the token's user may see it."""
    if not 1 <= len(record_ids) <= RECORDS_PER_LOOK:
        raise InvalidArgument(f"One call looks for 1 to {RECORDS_PER_LOOK} records, not {len(record_ids)}.")
    params = {"fields": "id", "ids": ",".join(record_ids)}
    if module == "Leads":
        params["converted"] = "both"  # else converted leads are left out
    request = ApiRequest("GET", in_path(module), scope=_READ, params=params)

    def parse(response: ApiResponse) -> frozenset[str]:
        body = decode(response, request)
        if body is None:
            return frozenset()
        if not isinstance(body, dict) or not isinstance(body.get("data"), list):
            raise unexpected("data", response, request)
        return frozenset(str(item["id"]) for item in body["data"] if isinstance(item, dict) and "id" in item)

    return ApiCall(request, parse)
