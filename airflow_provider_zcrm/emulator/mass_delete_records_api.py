"""Mass delete of records: by ids at once (200, 207), or by custom view as a job (200, ``data[]``, capitalised keys in its status).

Zoho: v8/mass-delete.html, v8/mass-delete-status.html
"""

from __future__ import annotations

from typing import Any

from airflow_provider_zcrm.emulator import job_calls
from airflow_provider_zcrm.emulator.answers import Answer, Refused, envelope, refuse
from airflow_provider_zcrm.emulator.call import Call
from airflow_provider_zcrm.emulator.editions import edition_of
from airflow_provider_zcrm.emulator.jobs import visible
from airflow_provider_zcrm.emulator.model import Module, Org
from airflow_provider_zcrm.emulator.record_count_api import shown

MAX_IDS = 500
MAX_RECORDS = 50_000
RECORDS_PER_CREDIT = 100
MODULE_IN_PATH = 0


def submit(call: Call) -> Answer:
    """Answer ``POST /{module}/actions/mass_delete``."""
    module = _module(call)
    body = call.json_object()
    if "ids" in body and "cvid" in body:
        fields = [{"api_name": name, "json_path": f"$.{name}"} for name in ("ids", "cvid")]
        raise refuse(400, "AMBIGUITY_DURING_PROCESSING", "Ambiguity during processing", {"ambiguity_due_to": fields})
    if "cvid" in body:
        return _delete_view(call, module, body)
    if "ids" in body:
        return _delete_ids(call, module, body)
    raise _wrapped(call, "MANDATORY_NOT_FOUND", "required field not found", api_name="ids", expected_data_type="jsonarray")


def _module(call: Call) -> Module:
    """Return the module of the path, which must exist and take mass deletes that the user may do."""
    name = call.names["module"]
    module = call.org.module_named(name)
    if module is None:
        raise _wrapped(call, "INVALID_MODULE", "the module name given seems to be invalid", resource_path_index=MODULE_IN_PATH)
    if not module.mass_delete_supported:
        details = {"resource_path_index": MODULE_IN_PATH}
        raise refuse(400, "NOT_SUPPORTED", "Mass delete is not supported for this module", details)
    call.require(f"Crm_Implied_Mass_Delete_{name}")
    return module


def _wrapped(call: Call, code: str, message: str, **details: object) -> Refused:
    """Return a refusal that is a bare envelope in one of Zoho's descriptions, and inside ``data`` in the other."""
    error = envelope(code, message, details)
    return Refused(Answer(400, {"data": [error]} if call.reads("records_error_wrapping", "data") else error))


def _reject_other_keys(body: dict[str, Any], allowed: set[str]) -> None:
    for key in body:
        if key not in allowed:
            raise refuse(400, "INVALID_DATA", "invalid data", {"api_name": key, "json_path": f"$.{key}"})


def _delete_ids(call: Call, module: Module, body: dict[str, Any]) -> Answer:
    """Delete records at once. An id that cannot be one refuses the request; one that meets no record is an element that failed."""
    _reject_other_keys(body, {"ids"})
    ids = body["ids"]
    details: dict[str, Any] = {"api_name": "ids", "json_path": "$.ids"}
    if not isinstance(ids, list):
        raise refuse(400, "INVALID_DATA", "invalid data", details | {"expected_data_type": "jsonarray"})
    if not ids:
        raise refuse(400, "INVALID_DATA", "invalid data", details)
    if len(ids) > MAX_IDS:
        raise refuse(400, "INVALID_DATA", "invalid data", details | {"maximum_length": MAX_IDS})
    for index, record_id in enumerate(ids):
        if not isinstance(record_id, str) or not record_id.isdecimal():
            at = {"api_name": "ids", "json_path": f"$.ids[{index}]", "id": str(record_id)}
            raise refuse(400, "INVALID_DATA", "the id given seems to be invalid", at)
    if call.reads("record_ids_refused", "whole_call"):
        _refuse_unknown(module, ids)
    for code in (module.refusing_records[record_id] for record_id in ids if record_id in module.refusing_records):
        # which record it is, Zoho's list of errors does not say
        raise refuse(403 if code == "NO_PERMISSION" else 400, code, "the records cannot be deleted")
    elements = [_delete_one(module, record_id, call.now) for record_id in ids]
    call.charge_for(len(ids), RECORDS_PER_CREDIT)
    deleted = sum(element["status"] == "success" for element in elements)
    return Answer(200 if deleted == len(ids) else 207 if deleted else 400, {"data": elements})


def _refuse_unknown(module: Module, ids: list[str]) -> None:
    """Refuse the call for the first id that meets no record, as a sample of the newer description has it."""
    for index, record_id in enumerate(ids):
        if record_id not in module.records:
            at = {"api_name": "ids", "json_path": f"$.ids[{index}]", "id": record_id}
            raise refuse(400, "INVALID_DATA", "the id given seems to be invalid", at)


def _delete_one(module: Module, record_id: str, moment: float) -> dict[str, Any]:
    if record_id in module.locked_records:
        return envelope("INVALID_DATA", "Record locked or invalid permissions", {"id": record_id})
    if not module.drop_record(record_id, moment):
        return envelope("INVALID_DATA", "the id given seems to be invalid", {"id": record_id})
    return envelope("SUCCESS", "record is deleted", {"id": record_id}, status="success")


def _delete_view(call: Call, module: Module, body: dict[str, Any]) -> Answer:
    """Schedule the deletion of what a custom view shows now, of one territory if asked."""
    _reject_other_keys(body, {"cvid", "territory"})
    if not edition_of(call.org).deletes_by_view:
        raise refuse(400, "FEATURE_NOT_SUPPORTED", "feature not supported in this edition")
    cvid = body["cvid"]
    if type(cvid) is int and call.reads("request_ids", "numbers_too"):
        cvid = str(cvid)
    if not isinstance(cvid, str):
        raise _wrapped(call, "INVALID_DATA", "the cvid given seems to be invalid", api_name="cvid", expected_data_type="string")
    view = module.custom_views.get(cvid)
    if view is None:
        raise _wrapped(call, "INVALID_DATA", "the cvid given seems to be invalid", api_name="cvid", json_path="$.cvid", id=cvid)
    territory = _territory_records(call.org, body["territory"]) if "territory" in body else None
    records = [record for record in shown(module, view) if territory is None or record in territory][:MAX_RECORDS]
    if not records:
        raise refuse(400, "NO_RECORDS_FOUND", "no record found to update")
    _check_other_jobs(call, cvid)
    call.charge_for(len(records), RECORDS_PER_CREDIT)
    job = job_calls.accept(call, module, "records", records, cvid)
    details = {"job_id": job_calls.written_id(call, job.id)}
    return Answer(200, {"data": [envelope("SUCCESS", "mass delete scheduled successfully", details, status="success")]})


def _territory_records(org: Org, wanted: Any) -> set[str]:
    """Return the records of a territory, and of those below it with ``include_child``. The errors are not documented."""
    path = "$.territory"
    if not isinstance(wanted, dict):
        details = {"api_name": "territory", "json_path": path, "expected_data_type": "jsonobject"}
        raise refuse(400, "INVALID_DATA", "invalid data", details)
    territory = org.territories.get(str(wanted.get("id")))
    if territory is None:
        code, message = ("INVALID_DATA", "invalid data") if "id" in wanted else ("MANDATORY_NOT_FOUND", "required field not found")
        raise refuse(400, code, message, {"api_name": "id", "json_path": f"{path}.id"})
    records = set(territory.records)
    if wanted.get("include_child") is True:
        for child in (other for other in org.territories.values() if other.parent == territory.id):
            records |= _territory_records(org, {"id": child.id, "include_child": True})
    return records


def _check_other_jobs(call: Call, cvid: str) -> None:
    for job in job_calls.unfinished(call, "records"):
        if job.cvid == cvid or call.reads("record_jobs_at_once", "one_per_org"):
            raise refuse(400, "ALREADY_SCHEDULED", "mass delete is already scheduled", {"api_name": "cvid"})


def status(call: Call) -> Answer:
    """Answer ``GET /{module}/actions/mass_delete?job_id=``; the job id is not repeated."""
    module = _module(call)
    job_id = call.query.get("job_id")
    if not job_id:
        raise refuse(400, "MANDATORY_NOT_FOUND", "mandatory param missing", {"param_name": "job_id"})
    if not job_id.isdecimal():
        raise refuse(400, "UNABLE_TO_PARSE_DATA_TYPE", "either the request body or parameters is in wrong format")
    job = call.org.jobs.get(job_id)
    if job is None or job.kind != "records" or job.module != module.id or not visible(job, call.now):
        if call.reads("records_unknown_job", "404_empty"):
            raise Refused(Answer(404))
        if call.reads("records_unknown_job", "404"):
            raise refuse(404, "NOT_FOUND", "The jobid given seems to be invalid", {"param_name": "job_id"})
        raise refuse(400, "INVALID_DATA", "The jobid given seems to be invalid", {"param_name": "job_id"})
    counts = {"Failed_Count": job.failed, "Deleted_Count": job.deleted, "Total_Count": len(job.items)}
    return Answer(200, {"data": [{"Status": job_calls.word(call, job), **counts}]})
