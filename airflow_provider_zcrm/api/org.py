"""The org behind a connection. Reading it needs a scope of its own, so nothing may depend on it.

Zoho: crm/developer/docs/api/v8/get-org-data.html
"""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_zcrm.api.answers import decode, unexpected
from airflow_provider_zcrm.api.call import ApiCall, ApiRequest, ApiResponse


@dataclass(frozen=True)
class Org:
    """An org: ``zgid``, by which web addresses and ``zsoid`` name it, and the company's name."""

    zgid: str
    company_name: str


def get_org() -> ApiCall[Org]:
    """Return the call for the org's name and id."""
    request = ApiRequest("GET", "org", scope="ZohoCRM.org.READ")

    def parse(response: ApiResponse) -> Org:
        body = decode(response, request)
        orgs = body.get("org") if isinstance(body, dict) else None
        if not isinstance(orgs, list) or not orgs or not isinstance(orgs[0], dict):
            raise unexpected("org", response, request)
        return Org(str(orgs[0].get("zgid") or ""), str(orgs[0].get("company_name") or ""))

    return ApiCall(request, parse)
