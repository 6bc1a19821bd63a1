"""The seeds ``minimal`` and ``empty``: one production org of the Enterprise edition, zgid 808232144, one client.

Client id ``1000.EMULATORCLIENT``, secret ``emulator-secret``, refresh token ``1000.emulator-refresh-token`` with all scopes, grant code
``1000.emulator-grant-code`` (one use).

``minimal`` has two modules:

========  ===================  ==================================================================================
module    id                   tags (ids in this order)
========  ===================  ==================================================================================
Leads     2276164000000000125  2276164000001021041 to ...45: hot, cold, VIP, webinar-2024-03, do-not-call
Contacts  2276164000000000129  2276164000001021051 to ...55: newsletter, partner, VIP, trade-show-2023, test
========  ===================  ==================================================================================

Leads has the records 2276164000006064001 to ...10 (the odd ones are hot, the even ones cold, the first one is VIP too) and two custom
views: 2276164000000538001 "All Leads", and 2276164000000538003 "Old Leads" with the first four. Contacts has 5 records, all with the
tag newsletter: 2276164000006065001 to ...05. No tag is used by a feature. A job is SCHEDULED for 0.05 s and RUNNING for 0.15 s.
"""

from __future__ import annotations

from typing import Any

CLIENT = {"client_id": "1000.EMULATORCLIENT", "client_secret": "emulator-secret"}
REFRESH_TOKEN = "1000.emulator-refresh-token"  # noqa: S105 - opens nothing but the emulator
GRANT_CODE = "1000.emulator-grant-code"
ALL_SCOPES = [
    "ZohoCRM.settings.ALL",
    "ZohoCRM.org.ALL",
    "ZohoCRM.modules.ALL",
    "ZohoCRM.bulk.READ",
    "ZohoCRM.mass_delete.DELETE",
    "ZohoCRM.mass_delete.READ",
    "ZohoSearch.securesearch.READ",
]

LEADS_TAGS = ["hot", "cold", "VIP", "webinar-2024-03", "do-not-call"]
CONTACTS_TAGS = ["newsletter", "partner", "VIP", "trade-show-2023", "test"]


def minimal_seed() -> dict[str, Any]:
    """Return the seed ``minimal``."""
    seed = empty_seed()
    seed["orgs"][0]["modules"] = [_leads(), _contacts()]
    return seed


def empty_seed() -> dict[str, Any]:
    """Return the seed ``empty``: the org and the credentials, no modules."""
    org = {
        "zgid": "808232144",
        "name": "Minimal Org",
        "id_prefix": "2276164",
        "refresh_tokens": [{"token": REFRESH_TOKEN}],
        "grant_codes": [{"code": GRANT_CODE}],
    }
    return {"clients": [CLIENT], "orgs": [org], "jobs": {"start_delay": 0.05, "duration": 0.15}}


def _leads() -> dict[str, Any]:
    records = [f"22761640000060640{number:02}" for number in range(1, 11)]
    tags = {record: ["hot" if number % 2 else "cold"] for number, record in enumerate(records, start=1)}
    tags[records[0]].append("VIP")
    return {
        "api_name": "Leads",
        "id": "2276164000000000125",
        "tags": [{"id": f"227616400000102104{n}", "name": name} for n, name in enumerate(LEADS_TAGS, start=1)],
        "records": [{"id": record, "tags": tags[record]} for record in records],
        "custom_views": [
            {"id": "2276164000000538001", "name": "All Leads"},
            {"id": "2276164000000538003", "name": "Old Leads", "records": records[:4]},
        ],
    }


def _contacts() -> dict[str, Any]:
    return {
        "api_name": "Contacts",
        "id": "2276164000000000129",
        "tags": [{"id": f"227616400000102105{n}", "name": name} for n, name in enumerate(CONTACTS_TAGS, start=1)],
        "records": [{"id": f"227616400000606500{n}", "tags": ["newsletter"]} for n in range(1, 6)],
    }
