"""``GET /crm/v8/org``: the facts of the org. Zoho: v8/get-org-data.html and the OpenAPI file org.json."""

from __future__ import annotations

from typing import Any

from airflow_provider_zcrm.emulator.answers import Answer
from airflow_provider_zcrm.emulator.call import Call
from airflow_provider_zcrm.emulator.clock import iso

SET_UP = 1609459200.0  # 2021-01-01
PAID_UNTIL = 1893456000.0  # 2030-01-01


def get_org(call: Call) -> Answer:
    """Answer with the one org that the token is for."""
    org = call.org
    place = dict.fromkeys(["city", "street", "state", "zip", "fax", "mobile", "description", "alias", "photo_id", "zia_portal_id"])
    body: dict[str, Any] = {
        **place,
        "id": org.id_of(259),
        "zgid": org.zgid,
        "ezgid": org.zgid,
        "zia_zgid": int(org.zgid) % 2**31,
        "primary_zuid": org.zgid,
        "domain_name": f"org{org.zgid}",
        "company_name": org.name,
        "type": org.environment.capitalize(),
        "created_time": iso(SET_UP, org.utc_offset),
        "time_zone": "Asia/Kolkata",
        "country": "India",
        "country_code": "IN",
        "currency": "US Dollar - USD",
        "currency_symbol": "$",
        "currency_locale": "en_US",
        "iso_code": "USD",
        "phone": "",
        "primary_email": "owner@example.com",
        "website": "https://example.com",
        "employee_count": str(org.users),
        "call_icon": "default",
        "max_per_page": 100,
        "license_details": _license(call),
        "hierarchy_preferences": {"type": "Role_Hierarchy", "strictly_reporting": False},
        "checkin_preferences": {"restricted_event_types": None},
    }
    flags = (
        "mc_status gapps_enabled translation_enabled deletable_org_account privacy_settings"
        " hipaa_compliance_enabled lite_users_enabled oauth_presence"
    )
    return Answer(200, {"org": [body | dict.fromkeys(flags.split(), False)]})


def _license(call: Call) -> dict[str, Any]:
    return {
        "paid_expiry": iso(PAID_UNTIL, call.org.utc_offset),
        "users_license_purchased": call.org.users,
        "trial_type": None,
        "trial_expiry": None,
        "paid": True,
        "paid_type": call.org.edition.lower(),
        "trial_action": "",
    }
