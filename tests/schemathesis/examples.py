"""A small org, and requests that it fulfils: what random text would hardly ever find."""

from __future__ import annotations

from typing import Any

from tests.emulator.user import LEADS, MASS_DELETE, REFRESH_TOKEN, User

TAGS = [f"227616400000102104{number}" for number in range(1, 5)]
HOT, COLD, _, USED = TAGS
RECORDS = [f"22761640000060640{number:02}" for number in range(1, 5)]
ENDED = "2276164000006064005"
BINNED = "2276164000006064006"
VIEW, ENDED_VIEW = "2276164000000538003", "2276164000000538004"
TAG_JOB, RECORD_JOB, BULK_READ = (f"227616400001000000{number}" for number in (4, 5, 6))
SEED = {
    "jobs": {"start_delay": 0, "duration": 0},
    "bulk_reads": {"start_delay": 0, "duration": 0},
    "orgs": [
        {
            "zgid": "2276164",
            "refresh_tokens": [{"token": REFRESH_TOKEN}],
            "modules": [
                {
                    **LEADS,
                    "tags": [
                        {"id": HOT, "name": "hot"},
                        {"id": COLD, "name": "cold"},
                        {"id": TAGS[2], "name": "VIP", "color_code": None},
                        {"id": USED, "name": "used", "features": [{"type": "Workflow", "name": "Notify"}]},
                    ],
                    "records": [{"id": record, "tags": ["hot"]} for record in [*RECORDS, ENDED, BINNED]],
                    "custom_views": [
                        {"id": VIEW, "name": "Old Leads", "records": RECORDS[:2]},
                        {"id": ENDED_VIEW, "name": "Older Leads", "records": [ENDED]},
                    ],
                },
                {"api_name": "Contacts", "tags": ["gone"]},
            ],
        }
    ],
}

# The first value of each is the one that a request has in which another place is to be wrong
PARAMETERS: dict[str, list[str]] = {
    "module": ["Leads", "Contacts"],
    "module_api_name": ["Leads", "Contacts"],
    "api_name": ["Leads", "Contacts", LEADS["id"]],
    "id": TAGS,
    "record_id": RECORDS,
    "ids": [RECORDS[0], ",".join(RECORDS)],
    "cvid": [VIEW],
    "fields": ["Tag", "id,Tag"],
    "criteria": ["(Tag:equals:hot)", "(Tag:in:hot,cold)"],
    "status": ["visible", "user_hidden"],
    "sort_by": ["id"],
    "sort_order": ["asc", "desc"],
}
# What the emulator cannot do without, though the files say that it can be left out
NEEDED = {"fields", "criteria"}
# Where a name means something else than above
PARAMETERS_OF: dict[str, dict[str, list[str]]] = {
    "GET /crm/v8/settings/modules/{id}": {"id": [LEADS["id"]]},
    "GET /crm/v8/settings/tags/actions/mass_delete": {"job_id": [TAG_JOB]},
    "GET /crm/v8/{module}/actions/mass_delete": {"job_id": [RECORD_JOB]},
    "GET /crm/v8/settings/recycle_bin": {"ids": [BINNED]},
    "GET /crm/v8/settings/recycle_bin/{record_id}": {"record_id": [BINNED]},
    "POST /crm/v8/settings/recycle_bin/{record_id}/actions/restore": {"record_id": [BINNED]},
    "GET /crm/bulk/v8/read/{job_id}": {"job_id": [BULK_READ]},
    "GET /crm/bulk/v8/read/{job_id}/result": {"job_id": [BULK_READ]},
}
BODIES: dict[str, Any] = {
    "POST /crm/bulk/v8/read": {"query": {"module": {"api_name": "Leads"}, "fields": ["Tag"]}},
    "POST /crm/v8/settings/tags": {"tags": [{"name": "new", "color_code": "#57B1FD"}]},
    "PUT /crm/v8/settings/tags": {"tags": [{"id": HOT, "name": "new"}]},
    "PUT /crm/v8/settings/tags/{id}": {"tags": [{"name": "new"}]},
    "POST /crm/v8/settings/tags/{id}/actions/merge": {"tags": [{"conflict_id": COLD}]},
    "POST /crm/v8/settings/tags/actions/mass_delete": {"mass_delete": [{"module": LEADS, "tags": [{"id": HOT}]}]},
    "POST /crm/v8/settings/recycle_bin/actions/restore": {"ids": [BINNED]},
    "POST /crm/v8/{module}/actions/mass_delete": {"ids": RECORDS[:2]},
    "POST /crm/v8/{module_api_name}": {"data": [{"Last_Name": "Boyle", "Company": "Zylker"}], "trigger": []},
    "POST /crm/v8/{module_api_name}/actions/add_tags": {"tags": [{"name": "VIP"}], "ids": RECORDS},
    "POST /crm/v8/{module_api_name}/actions/remove_tags": {"tags": [{"name": "hot"}], "ids": RECORDS},
    "POST /crm/v8/{module_api_name}/{record_id}/actions/add_tags": {"tags": [{"name": "VIP"}]},
    "POST /crm/v8/{module_api_name}/{record_id}/actions/remove_tags": {"tags": [{"name": "hot"}]},
}
# Inside of bodies: the values, and where they may stand
IN_BODIES: dict[str, tuple[list[str], list[str]]] = {
    "tag": (TAGS, ["tags[*].id", "tags[*].conflict_id", "mass_delete[*].tags[*].id"]),
    "name": (["hot", "VIP", "new", "n" * 26, "n" * 27], ["tags[*].name"]),
    "record": ([*RECORDS, BINNED], ["ids[*]"]),
    "view": ([VIEW], ["cvid"]),
    "module": (["Leads", "Contacts"], ["mass_delete[*].module.api_name", "query.module.api_name"]),
    "module id": ([LEADS["id"]], ["mass_delete[*].module.id"]),
    "field": (["Tag", "id"], ["query.fields[*]"]),
}


def prepare(user: User) -> None:
    """Give the emulator the org, and the user a token for it."""
    user.control.seed(SEED)
    user.log_in()
    user.post("/Leads/actions/mass_delete", {"ids": [BINNED]})


def let_jobs_end(user: User) -> None:
    """Submit a job of each kind; each has ended by the next request."""
    (contacts,) = (module["id"] for module in user.control.org()["modules"] if module["api_name"] == "Contacts")
    (gone,) = user.control.tags("Contacts").values()
    order = {"mass_delete": [{"module": {"id": contacts, "api_name": "Contacts"}, "tags": [{"id": gone}]}]}
    tag_job = user.post(MASS_DELETE, order).json()["details"]["job_id"]
    record_job = user.post("/Leads/actions/mass_delete", {"cvid": ENDED_VIEW}).json()["data"][0]["details"]["job_id"]
    bulk_read = user.post("/crm/bulk/v8/read", BODIES["POST /crm/bulk/v8/read"]).json()["data"][0]["details"]["id"]
    assert (tag_job, record_job, bulk_read) == (TAG_JOB, RECORD_JOB, BULK_READ)
