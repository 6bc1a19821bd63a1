"""The recycle bin of an org: what is in it, and its restore by ids, at once or (with more than 1,000 records) in the background.

A restored record has the id and the tags that it had. Its children (notes and attachments, of which a seed says how many there are) come
back with it and count for the limit. After 60 days a record is gone for good. Deleting from the bin and restoring by ``filters`` are
not served.
Zoho: v8/get-recycle-bin-records.html, v8/restore-recycle-bin-records.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from airflow_provider_zcrm.emulator.answers import Answer, Refused, envelope, refuse
from airflow_provider_zcrm.emulator.call import Call
from airflow_provider_zcrm.emulator.clock import iso
from airflow_provider_zcrm.emulator.model import Module, Org, Restore
from airflow_provider_zcrm.emulator.records_api import bad_param, number_of

MAX_IDS = 200
MAX_PER_PAGE = 200
MAX_PAGE = 2**31 - 1
MAX_AT_ONCE = 1_000
KEPT_SECONDS = 60 * 24 * 60 * 60.0
PARAMS = {"ids", "page", "per_page", "sort_by", "sort_order"}
WAYS = ("ids", "filters", "restore_all_records")


def list_records(call: Call) -> Answer:
    """Answer ``GET /settings/recycle_bin``."""
    for name in call.query:
        if name not in PARAMS:
            raise bad_param(name)
    per_page, page = number_of(call, "per_page", MAX_PER_PAGE, MAX_PER_PAGE), number_of(call, "page", 1, MAX_PAGE)
    ids = call.query["ids"].split(",") if "ids" in call.query else None
    found = [(module, record) for module, record in _in_bin(call) if ids is None or record in ids]
    shown = found[(page - 1) * per_page : page * per_page]
    if not shown:
        return Answer(204)
    info = {"per_page": per_page, "count": len(shown), "page": page, "more_records": len(found) > page * per_page}
    return Answer(200, {"recycle_bin": [_as_json(call, module, record) for module, record in shown], "info": info})


def get_record(call: Call) -> Answer:
    """Answer ``GET /settings/recycle_bin/{id}``."""
    found = [(module, record) for module, record in _in_bin(call) if record == call.names["id"]]
    return Answer(200, {"recycle_bin": [_as_json(call, *found[0])], "info": _one_page()}) if found else Answer(204)


def restore_one(call: Call) -> Answer:
    """Answer ``POST /settings/recycle_bin/{id}/actions/restore``."""
    return _restore(call, [call.names["id"]])


def restore(call: Call) -> Answer:
    """Answer ``POST /settings/recycle_bin/actions/restore``, in exactly one of three ways."""
    body = call.json_object()
    for name in body:
        if name not in WAYS:
            raise _invalid(name)
    ways = [{"api_name": name, "json_path": f"$.{name}"} for name in WAYS if name in body]
    if len(ways) > 1:
        raise refuse(400, "AMBIGUITY_DURING_PROCESSING", "ambiguity while processing the request", {"ambiguity_due_to": ways})
    if not ways:
        expected = [{"api_name": name, "json_path": f"$.{name}"} for name in WAYS]
        raise refuse(400, "EXPECTED_FIELD_MISSING", "expected field is missing", {"expected_fields": expected})
    if "ids" in body:
        return _restore(call, _ids(body["ids"]))
    if body.get("restore_all_records") is not True:
        raise _invalid(ways[0]["api_name"])
    return _schedule(call, [record for _, record in _in_bin(call)], [envelope("SCHEDULED", "scheduled", status="success")])


def _ids(ids: Any) -> list[str]:
    if not isinstance(ids, list):
        raise _invalid("ids", expected_data_type="jsonarray")
    if not 1 <= len(ids) <= MAX_IDS:
        raise _invalid("ids", maximum_length=MAX_IDS)
    for index, record in enumerate(ids):
        if not isinstance(record, str) or not record.isdecimal():
            raise _invalid("ids", json_path=f"$.ids[{index}]")
    return ids


def _invalid(name: str, **details: Any) -> Refused:
    return refuse(400, "INVALID_DATA", "invalid data", {"api_name": name, "json_path": f"$.{name}", **details})


def settle(org: Org, now: float) -> None:
    """Do what the restores in the background have done by now, and let go what has been in the bin for too long."""
    for task in [task for task in org.restores if task.ends_at <= now]:
        org.restores.remove(task)
        for module in org.modules:
            module.restore_records(record for record in task.ids if record in module.recycle_bin)
    for module in org.modules:
        for record in [record for record, entry in module.recycle_bin.items() if entry.deleted_at <= now - KEPT_SECONDS]:
            del module.recycle_bin[record]


def _in_bin(call: Call) -> list[tuple[Module, str]]:
    """Return all records of the bin with their modules, the one that was deleted last first."""
    entries = [(entry.deleted_at, module, record) for module in call.org.modules for record, entry in module.recycle_bin.items()]
    return [(module, record) for _, module, record in sorted(entries, key=lambda entry: (-entry[0], entry[2]))]


def _restore(call: Call, ids: list[str]) -> Answer:
    modules = {record: module for module, record in _in_bin(call) if record in ids}
    refused = {record: _refusal(modules.get(record), record) for record in ids}
    good = [record for record in dict.fromkeys(ids) if refused[record] is None]
    total = sum(1 + modules[record].children.get(record, 0) for record in good)
    if total > MAX_AT_ONCE:
        said = {record: _element("SCHEDULED", "record has been scheduled for restoration", record) for record in good}
        return _schedule(call, good, [refused[record] or said[record] for record in ids])
    for record in good:
        modules[record].restore_records([record])
    elements = [refused[record] or _element("SUCCESS", "record restored", record) for record in ids]
    return Answer(200 if len(good) == len(ids) else 207 if good else 400, {"recycle_bin": elements})


def _refusal(module: Module | None, record: str) -> dict[str, Any] | None:
    if module is None:
        return envelope("INVALID_DATA", "the id given seems to be invalid", {"id": record})
    if record in module.refusing_restores:
        return envelope(module.refusing_restores[record], "the record cannot be restored", {"id": record})
    return None


def _schedule(call: Call, ids: Iterable[str], elements: list[dict[str, Any]]) -> Answer:
    """Restore in the background, after the time that a mass delete takes; there is no job to ask for."""
    plan = call.world.job_defaults
    call.org.restores.append(Restore(list(ids), call.now + plan.start_delay + plan.duration))
    return Answer(202, {"recycle_bin": elements})


def _element(code: str, message: str, record: str) -> dict[str, Any]:
    return envelope(code, message, {"id": record}, status="success")


def _as_json(call: Call, module: Module, record: str) -> dict[str, Any]:
    user = {"name": call.org.owner.name, "id": call.org.owner.id}
    return {
        "display_name": module.name_of(record),
        "deleted_time": iso(module.recycle_bin[record].deleted_at, call.org.utc_offset),
        "owner": user,
        "module": {"api_name": module.api_name, "id": module.id},
        "deleted_by": user,
        "id": record,
    }


def _one_page() -> dict[str, Any]:
    return {"per_page": MAX_PER_PAGE, "count": 1, "page": 1, "more_records": False}
