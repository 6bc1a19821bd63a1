"""Mass delete of tags: ``POST`` schedules a job (202, a bare object), ``GET`` tells how it stands (``mass_delete[]``).

The first bad element refuses the whole request, before anything is done. The order is not documented; here it is: structure, module, tags.
Zoho: v8/mass-delete-tags.html, v8/get-mass-delete-tags-status.html
"""

from __future__ import annotations

from typing import Any

from airflow_provider_zcrm.emulator import job_calls
from airflow_provider_zcrm.emulator.answers import Answer, Refused, envelope, refuse
from airflow_provider_zcrm.emulator.call import Call
from airflow_provider_zcrm.emulator.clock import iso
from airflow_provider_zcrm.emulator.jobs import visible
from airflow_provider_zcrm.emulator.model import ID_LENGTH, Module

MAX_TAGS = 200
MAX_MODULES = 1
ROOT = "$.mass_delete"
MODULE = f"{ROOT}[0].module"
TAGS = f"{ROOT}[0].tags"
PERMISSION = "Crm_Implied_Edit_Tags"


def submit(call: Call) -> Answer:
    """Answer ``POST /settings/tags/actions/mass_delete``."""
    call.require(PERMISSION)
    module_wanted, tags_wanted = _read_structure(call)
    module = _resolve_module(call, module_wanted)
    ids = _resolve_tags(call, module, tags_wanted)
    _check_other_jobs(call, module)
    job = job_calls.accept(call, module, "tags", ids)
    details = {"job_id": job_calls.written_id(call, job.id)}
    return Answer(202, envelope(call.world.readings["submit_code"], "tags scheduled successfully", details, status="success"))


def _missing(name: str, path: str) -> Refused:
    return refuse(400, "MANDATORY_NOT_FOUND", "required field not found", {"api_name": name, "json_path": path})


def _invalid(name: str, path: str, **more: object) -> Refused:
    return refuse(400, "INVALID_DATA", "invalid data", {"api_name": name, "json_path": path, **more})


def _read_structure(call: Call) -> tuple[dict[str, Any], list[Any]]:
    """Return the module and the tags of the body, both of the right type and length."""
    body = call.json_object()
    if "mass_delete" not in body:
        raise _missing("mass_delete", ROOT)
    orders = _list(body["mass_delete"], "mass_delete", ROOT, MAX_MODULES)
    order = _object(orders[0], "mass_delete", f"{ROOT}[0]")
    for name in ("module", "tags"):
        if name not in order:
            raise _missing(name, f"{ROOT}[0].{name}")
    module = _object(order["module"], "module", MODULE)
    return module, _list(order["tags"], "tags", TAGS, MAX_TAGS)


def _list(value: Any, name: str, path: str, longest: int) -> list[Any]:
    if not isinstance(value, list):
        raise _invalid(name, path, expected_data_type="jsonarray")
    if not value:
        raise _invalid(name, path)
    if len(value) > longest:
        raise _invalid(name, path, maximum_length=longest)
    return value


def _object(value: Any, name: str, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _invalid(name, path, expected_data_type="jsonobject")
    return value


def _resolve_module(call: Call, wanted: dict[str, Any]) -> Module:
    """Find the module by id and API name, which are both mandatory and must agree."""
    paths = {"id": f"{MODULE}.id", "api_name": f"{MODULE}.api_name"}
    fields = [{"api_name": name, "json_path": path} for name, path in paths.items()]
    if not wanted:
        # Zoho documents this code without saying when; an object without either identifier is the likely case
        raise refuse(400, "EXPECTED_FIELD_MISSING", "expected field missing", {"expected_fields": fields})
    for name, path in paths.items():
        if name not in wanted:
            raise _missing(name, path)
    module_id = _id(call, wanted["id"], paths["id"])
    if not isinstance(wanted["api_name"], str):
        raise _invalid("api_name", paths["api_name"], expected_data_type="string")
    by_id, by_name = call.org.module_with_id(module_id), call.org.module_named(wanted["api_name"])
    if by_id is not by_name:
        documented = call.reads("ambiguity_message", "documented")
        message = "Ambiguity during processing" if documented else "ambiguous module identifiers"
        raise refuse(400, "AMBIGUITY_DURING_PROCESSING", message, {"ambiguity_due_to": fields})
    if by_id is None:
        raise refuse(400, "INVALID_MODULE", "the module name given seems to be invalid")
    if not by_id.tags_supported:
        raise refuse(400, "INVALID_MODULE", "the given module is not supported for this api")
    return by_id


def _id(call: Call, value: Any, path: str) -> str:
    """Return an id; a JSON number is one only if the reading says so."""
    if type(value) is int and call.reads("request_ids", "numbers_too"):
        return str(value)
    if not isinstance(value, str):
        raise _invalid("id", path, expected_data_type="string")
    return value


def _resolve_tags(call: Call, module: Module, wanted: list[Any]) -> list[str]:
    """Return the ids of the tags, each of which must exist in this module and be used by no feature."""
    ids = []
    for index, element in enumerate(wanted):
        tag = _object(element, "tags", f"{TAGS}[{index}]")
        path = f"{TAGS}[{index}].id"
        if "id" not in tag:
            raise _missing("id", path)
        ids.append(_deletable(call, module, _id(call, tag["id"], path), {"api_name": "id", "json_path": path}))
    return ids


def _deletable(call: Call, module: Module, tag_id: str, details: dict[str, str]) -> str:
    """Keep two failures apart: an id that the org never had, and one that is not (or no longer) in this module."""
    if tag_id not in module.tags:
        deleted = tag_id in call.org.deleted_tags
        if deleted and call.reads("gone_tag", "accepted"):
            return tag_id
        known = call.org.module_of_tag(tag_id) or (deleted and call.reads("gone_tag", "one_of_the_tags"))
        raise refuse(400, "INVALID_DATA", "one of the tags seems not found." if known else "tags not found", details)
    if module.tags[tag_id].features:
        raise refuse(400, "NOT_ALLOWED", "tags has been associated to features", details)
    return tag_id


def _check_other_jobs(call: Call, module: Module) -> None:
    """Refuse a second job at a time where the reading allows only one."""
    allowed = call.world.readings["tag_jobs_at_once"]
    if allowed == "any":
        return
    for job in job_calls.unfinished(call, "tags"):
        if allowed == "one_per_org" or job.module == module.id:
            raise refuse(400, "ALREADY_SCHEDULED", "mass delete is already scheduled")


def status(call: Call) -> Answer:
    """Answer ``GET /settings/tags/actions/mass_delete?job_id=``; the query knows no other spelling of ``job_id``."""
    call.require(PERMISSION)
    job_id = call.query.get("job_id")
    if not job_id:
        code = int(call.world.readings["missing_job_id_status"])
        raise refuse(code, "REQUIRED_PARAM_MISSING", "One of the expected param is missing", {"param_name": "job_id"})
    if not job_id.isdecimal() or len(job_id) > ID_LENGTH:
        raise _no_job(call, "invalid data", job_id)
    job = call.org.jobs.get(job_id)
    if job is None or job.kind != "tags" or not visible(job, call.now):
        raise _no_job(call, "job details not found", job_id)
    body: dict[str, Any] = {"job_id": job_calls.written_id(call, job.id), "status": job_calls.word(call, job)}
    if call.reads("counts", "present") or (call.reads("counts", "at_end") and job.finished):
        body |= {"total_count": len(job.items), "failed_count": job.failed, "deleted_count": job.deleted}
    if call.reads("created_time", "on"):
        body["created_time"] = iso(job.created_at, call.org.utc_offset)
    return Answer(200, {"mass_delete": [body]})


def _no_job(call: Call, message: str, job_id: str) -> Refused:
    """Return the error for a job that is none: not the bare envelope, but one inside ``mass_delete``."""
    error: Any = [envelope("INVALID_DATA", message, {"job_id": job_id})]
    status = int(call.world.readings["unknown_job_status"])
    return Refused(Answer(status, {"mass_delete": [error] if call.reads("unknown_job_nesting", "2") else error}))
