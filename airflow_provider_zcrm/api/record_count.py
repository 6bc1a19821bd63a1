"""How many records a custom view shows, or a module has.

The count is made from statistics that follow a change by 1 to 10 minutes, so it is a guard against the wrong view and no proof.
Zoho: crm/developer/docs/api/v8/module_record_count.html
"""

from __future__ import annotations

from airflow_provider_zcrm.api.answers import count_of, decode, unexpected
from airflow_provider_zcrm.api.call import ApiCall, ApiRequest, ApiResponse
from airflow_provider_zcrm.api.modules import in_path


def count_view(module: str, cvid: str | None) -> ApiCall[int]:
    """Return the call for the number of records that a custom view shows, None for all of the module.

    Zoho cannot count a territory's part of a view.
    """
    scope = "ZohoSearch.securesearch.READ, ZohoCRM.modules.READ and ZohoCRM.settings.layouts.READ"
    params = {"cvid": cvid} if cvid is not None else {}
    request = ApiRequest("GET", f"{in_path(module)}/actions/count", scope=scope, params=params)

    def parse(response: ApiResponse) -> int:
        body = decode(response, request)
        count = count_of(body.get("count")) if isinstance(body, dict) else None
        if count is None:
            raise unexpected("count", response, request)
        return count

    return ApiCall(request, parse)
