"""Bulk read: ``POST /crm/bulk/v8/read`` takes a job on, ``GET .../read/{job}`` tells how it stands, ``GET .../result`` is the zipped CSV.

The emulator exports whole modules: criteria, custom views, callbacks and ICS files are refused.
Zoho: v8/bulk-read/create-job.html, job-details.html, download-result.html, limitations.html
"""

from __future__ import annotations

import io
import zipfile
from typing import Any

from airflow_provider_zcrm.emulator import access, bulk_reads
from airflow_provider_zcrm.emulator.answers import Answer, Refused, envelope, refuse
from airflow_provider_zcrm.emulator.call import Call
from airflow_provider_zcrm.emulator.clock import iso
from airflow_provider_zcrm.emulator.model import BulkRead, Module, User

CREDITS = 50
MAX_PAGE = 50
MAX_DOWNLOADS = 10
MINUTE = 60.0
ZIP_TYPE = "application/zip"
READ_RECORDS = ("ZohoCRM.modules.ALL", "ZohoCRM.modules.READ", "ZohoCRM.modules.{module}.ALL", "ZohoCRM.modules.{module}.READ")


def create(call: Call) -> Answer:
    """Answer ``POST /crm/bulk/v8/read``."""
    if call.incoming.headers.get("Content-Type", "").partition(";")[0] != "application/json":
        raise refuse(415, "MEDIA_TYPE_NOT_SUPPORTED", "Media type is not supported")
    body = call.json_object()
    query = body.get("query")
    if not isinstance(query, dict) or not body.keys() <= {"query", "file_type", "callback"}:
        raise refuse(400, "REQUEST_BODY_NOT_SUPPORTED", "The request body is not supported.")
    if "callback" in body:
        raise refuse(400, "INVALID_CALLBACK_URL", "The callback url is invalid: the emulator calls nobody back.")
    if body.get("file_type", "csv") != "csv":
        raise refuse(400, "INVALID_REQUEST", "The file type is not supported.")
    module, asked, page = _further_page(call, query) if "page_token" in query else _first_page(call, query)
    access.check_scope(call.world, call.incoming, call.token, [scope.format(module=module.scope_name) for scope in READ_RECORDS])
    call.require(f"Crm_Implied_View_{module.api_name}")
    call.charge(CREDITS)
    user = User(call.token.user_id, call.org.owner.name)
    job = bulk_reads.schedule(call.org, module, asked, page, user, call.world.next_bulk_read_plan(), call.now)
    details = {
        "id": job.id,
        "operation": "read",
        "state": "ADDED",
        "created_by": {"id": user.id, "name": user.name},
        "created_time": iso(job.created_at, call.org.utc_offset),
    }
    return Answer(201, {"data": [envelope("ADDED_SUCCESSFULLY", "Added successfully.", details, status="success")], "info": {}})


def _first_page(call: Call, query: dict[str, Any]) -> tuple[Module, dict[str, Any], int]:
    """Return the module, what the job is asked for, and the number of the page."""
    if not query.keys() <= {"module", "fields", "page", "criteria", "cvid"}:
        raise refuse(400, "REQUEST_BODY_NOT_SUPPORTED", "The request body is not supported.")
    module = _module(call, query.get("module"))
    if "cvid" in query:
        raise refuse(400, "CVID_NOT_SUPPORTED", "The custom view is not supported.")
    if "criteria" in query:
        raise refuse(400, "FIELD_IN_CRITERIA_NOT_SUPPORTED", "The field in the criteria is not supported.")
    page = query.get("page", 1)
    if type(page) is not int or not 1 <= page <= MAX_PAGE:
        raise refuse(400, "PAGE_RANGE_EXCEEDED", "The page range is exceeded.", {"max_limit": MAX_PAGE})
    return module, {"fields": _fields(call, query.get("fields", bulk_reads.FIELDS))}, page


def _module(call: Call, wanted: Any) -> Module:
    name = wanted.get("api_name") if isinstance(wanted, dict) else None
    module = call.org.module_named(str(name))
    if module is None:
        raise refuse(400, "MODULE_NOT_AVAILABLE", "The module is not available.", {"api_name": name})
    if not module.bulk_read_supported:
        raise refuse(400, "MODULE_NOT_SUPPORTED", "The module is not supported.", {"api_name": name})
    return module


def _fields(call: Call, fields: Any) -> list[str]:
    """Return the fields to export; the id is exported anyway."""
    if not isinstance(fields, list) or not all(isinstance(field, str) for field in fields):
        raise refuse(400, "REQUEST_BODY_NOT_SUPPORTED", "The request body is not supported.")
    for field in fields:
        if field not in (*bulk_reads.FIELDS, "id"):
            raise refuse(400, "FIELD_NOT_AVAILABLE", "The field is not available.", {"api_name": field})
        if field == "Tag" and call.reads("bulk_tag_column", "refused"):
            raise refuse(400, "FIELD_NOT_SUPPORTED", "The field is not supported.", {"api_name": field})
    return [field for field in fields if field != "id"]


def _further_page(call: Call, query: dict[str, Any]) -> tuple[Module, dict[str, Any], int]:
    token = call.org.page_tokens.get(str(query["page_token"]))
    if query.keys() != {"page_token"} or token is None or "query" not in token.request or token.user_id != call.token.user_id:
        raise refuse(400, "INVALID_REQUEST", "The page token is invalid.", {"api_name": "page_token"})
    if token.expires_at <= call.now:
        raise refuse(400, "EXPIRED_VALUE", "Page token expired", {"api_name": "page_token", "json_path": "$.query.page_token"})
    module = call.org.module_with_id(token.request["module"])
    if module is None:
        raise refuse(400, "MODULE_NOT_AVAILABLE", "The module is not available.")
    return module, {**token.request["query"], "after": token.after}, token.request["page"]


def _job(call: Call, status: int = 404) -> BulkRead:
    job = call.org.bulk_reads.get(call.names["job"])
    if job is None:
        raise _not_found(call, status)
    return job


def _not_found(call: Call, status: int) -> Refused:
    return refuse(status, "RESOURCE_NOT_FOUND", "The requested resource doesn't exist.", {"resource": call.names["job"]})


def details(call: Call) -> Answer:
    """Answer ``GET /crm/bulk/v8/read/{job}``."""
    job = _job(call)
    module = call.org.module_with_id(job.module)
    query: dict[str, Any] = {"module": {"id": job.module, "api_name": module.api_name if module else None}, "page": job.page}
    described = {
        "id": job.id,
        "operation": "read",
        "state": bulk_reads.state_of(call.org, job, call.now),
        "query": query | {"fields": job.query["fields"]},
        "created_by": {"id": job.user.id, "name": job.user.name},
        "created_time": iso(job.created_at, call.org.utc_offset),
        "file_type": "csv",
    }
    if job.done or call.reads("bulk_result_early", "on"):
        described["result"] = _result(call, job)
    return Answer(200, {"data": [described]})


def _result(call: Call, job: BulkRead) -> dict[str, Any]:
    if job.done and job.fails:
        return {"error_message": envelope("INTERNAL_SERVER_ERROR", "Internal server error occurred.")}
    result = {
        "page": job.page,
        "per_page": call.org.bulk_read_page,
        "count": job.count,
        "download_url": f"/crm/bulk/{call.names['version']}/read/{job.id}/result",
        "more_records": job.next_page_token is not None,
    }
    return result | ({"next_page_token": job.next_page_token} if job.next_page_token else {})


def result(call: Call) -> Answer:
    """Answer ``GET /crm/bulk/v8/read/{job}/result``: the file, at most ten in a minute."""
    org = call.org
    org.downloads = [moment for moment in org.downloads if moment > call.now - MINUTE] + [call.now]
    if len(org.downloads) > MAX_DOWNLOADS:
        raise Refused(access.too_many_requests(call.world))
    not_found = int(call.world.readings["bulk_not_found_status"])
    job = _job(call, not_found)
    if job.csv is None:
        raise _not_found(call, not_found)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{job.id}.csv", job.csv)
    return Answer(200, file.getvalue(), ZIP_TYPE, {"Content-Disposition": f"attachment; filename={job.id}.zip"})
