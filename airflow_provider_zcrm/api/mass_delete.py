"""Mass-delete jobs: what to send to schedule one, and how to read its status.

Two APIs answer in two shapes, and both become a `JobStatus`. Tags: HTTP 202 with a bare object, its status under
``mass_delete[]`` with lower-case keys. Records: HTTP 200 with ``data[]``, its status there too, with capitals and no job id.
Zoho: crm/developer/docs/api/v8/mass-delete-tags.html, get-mass-delete-tags-status.html, mass-delete.html, mass-delete-status.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_zcrm.api.answers import count_of, decode, elements_by_id, id_of, plain_keys, unexpected
from airflow_provider_zcrm.api.call import ApiCall, ApiRequest, ApiResponse
from airflow_provider_zcrm.api.errors import InvalidArgument, ZohoCrmError
from airflow_provider_zcrm.api.modules import in_path

TAGS_PER_JOB = 200
RECORDS_PER_JOB = 50_000
RECORDS_PER_CALL = 500
KINDS = ("tags", "records")
# it goes into addresses and logs
JOB_ID = re.compile(r"[0-9]{5,20}")
_TAGS_PATH = "settings/tags/actions/mass_delete"


@dataclass(frozen=True)
class MassDeleteJob:
    """A job of Zoho's.

    :param kind: ``tags`` or ``records``.
    :param id: the job id.
    :param module: the module's API name; needed for ``records``.
    """

    kind: str
    id: str
    module: str | None = None


@dataclass(frozen=True)
class JobStatus:
    """How far a job is.

    :param state: Zoho's word in capitals. COMPLETED and FAILED end a job; anything else, also a word never seen, means go on polling.
    :param total: tags or records in the job, None where Zoho does not say; so are ``deleted`` and ``failed``.
    """

    state: str
    total: int | None = None
    deleted: int | None = None
    failed: int | None = None

    @property
    def ended(self) -> bool:
        """Whether the job will not change any more."""
        return self.state in ("COMPLETED", "FAILED")

    @property
    def progress(self) -> float | None:
        """The share that is done, 0 to 1, or None where the counts do not say."""
        if not self.total or self.deleted is None:
            return None
        return min(1.0, (self.deleted + (self.failed or 0)) / self.total)


@dataclass(frozen=True)
class RecordsDeleted:
    """The outcome of a mass delete by record ids, which is synchronous: what went, and what did not with Zoho's reason.

    An id in neither is a record that may be deleted or not: the answer does not say.
    """

    deleted: tuple[str, ...]
    failed: Mapping[str, str] = field(default_factory=dict)


def submit_tags(module: str, module_id: str, tag_ids: Sequence[str]) -> ApiCall[str]:
    """Return the call that schedules the delete of up to 200 tags of one module; its value is the job id.

    Zoho wants both the API name and the id of the module, and refuses the whole batch for one tag that it cannot delete.
    """
    if not 1 <= len(tag_ids) <= TAGS_PER_JOB:
        raise InvalidArgument(f"A mass-delete job takes 1 to {TAGS_PER_JOB} tags, not {len(tag_ids)}.")
    tags = [{"id": tag_id} for tag_id in tag_ids]
    body = {"mass_delete": [{"module": {"id": module_id, "api_name": module}, "tags": tags}]}
    request = ApiRequest("POST", _TAGS_PATH, scope="ZohoCRM.settings.tags.DELETE", json=body, may_repeat=False)
    return ApiCall(request, lambda response: _job_id(response, request))


def submit_records_by_view(module: str, cvid: str, territory_id: str | None = None, *, include_child: bool = False) -> ApiCall[str]:
    """Return the call that schedules the delete of all records of a custom view (up to 50,000); its value is the job id."""
    territory = {"territory": {"id": territory_id, "include_child": include_child}} if territory_id else {}
    request = _records_request("POST", module, "DELETE", json={"cvid": cvid, **territory}, may_repeat=False)
    return ApiCall(request, lambda response: _job_id(response, request))


def delete_records(module: str, record_ids: Sequence[str]) -> ApiCall[RecordsDeleted]:
    """Return the call that deletes up to 500 records at once; Zoho skips the ids that it cannot delete and names them.

    Elements for single records may come with 200, 207, and with 400 where none could be deleted. Each is read by itself, whatever the
    others look like.
    """
    if not 1 <= len(record_ids) <= RECORDS_PER_CALL:
        raise InvalidArgument(f"One call deletes 1 to {RECORDS_PER_CALL} records, not {len(record_ids)}.")
    # sent again, it would report as unknown the records that it deleted the first time
    request = _records_request("POST", module, "DELETE", json={"ids": list(record_ids)}, may_repeat=False)

    def parse(response: ApiResponse) -> RecordsDeleted:
        said = elements_by_id(response, "data", record_ids)
        named = elements_by_id(response, "data", record_ids, whole_call=True)
        pointed = [element for _, element in (*said, *named) if "json_path" in element["details"]]
        whole_call = response.status >= 400 and bool(pointed) and not any(_succeeded(element) for _, element in (*said, *named))
        if not said or whole_call:
            decode(response, request)
            raise unexpected("data", response, request)
        deleted = {record_id for record_id, element in said if _succeeded(element)}
        failed = {record_id: _reason(element) for record_id, element in said if _failed(element)}
        return RecordsDeleted(
            tuple(i for i in record_ids if i in deleted), {i: failed[i] for i in record_ids if i in failed and i not in deleted}
        )

    return ApiCall(request, parse)


def job_status(job: MassDeleteJob) -> ApiCall[JobStatus]:
    """Return the call for the status of a job of either kind.

    :raises InvalidArgument: a kind that does not exist, or a job of records without its module
    """
    if job.kind not in KINDS:
        raise InvalidArgument(f"The kind of job {job.id} is {job.kind!r}.", advice=f"It is one of {', '.join(KINDS)}.")
    if job.kind == "tags":
        scope = "ZohoCRM.settings.tags.READ"
        request = ApiRequest("GET", _TAGS_PATH, scope=scope, params={"job_id": job.id})
        return ApiCall(request, lambda response: _status(response, request, "mass_delete", job.id))
    if not job.module:
        raise InvalidArgument("A job of kind records needs its module, because Zoho keeps such jobs per module.")
    request = _records_request("GET", job.module, "READ", params={"job_id": job.id})
    return ApiCall(request, lambda response: _status(response, request, "data", job.id))


def refused_tag(error: ZohoCrmError, tag_ids: Sequence[str]) -> str | None:
    """Return the tag id at which Zoho's ``json_path`` points, or None."""
    return _pointed_at(error, "tags", tag_ids)


def refused_record(error: ZohoCrmError, record_ids: Sequence[str]) -> str | None:
    """Return the record id at which Zoho's ``json_path`` points, or None."""
    return _pointed_at(error, "ids", record_ids)


def _records_request(method: str, module: str, operation: str, **fields: Any) -> ApiRequest:
    return ApiRequest(method, f"{in_path(module)}/actions/mass_delete", scope=f"ZohoCRM.mass_delete.{operation}", **fields)


def _job_id(response: ApiResponse, request: ApiRequest) -> str:
    """Read the job id out of a submission's answer: a bare object for tags, the first of ``data[]`` for records; keys in any case."""
    body = plain_keys(decode(response, request))
    item = plain_keys(_first(body, "data")) if "data" in body else body
    job_id = (id_of(plain_keys(item.get("details")).get("job_id")) or "").strip() if _succeeded(item) else ""
    if not JOB_ID.fullmatch(job_id):
        raise unexpected("job_id", response, request)
    return job_id


def _status(response: ApiResponse, request: ApiRequest, key: str, job_id: str) -> JobStatus:
    """Read what an answer says of a job; keys and words may come in any case, and with blanks.

    Of several elements one that has failed makes the job a failed one, and one that goes on a job that goes on.
    """
    items = plain_keys(decode(response, request)).get(key)
    found = [plain_keys(item) for item in items] if isinstance(items, list) else []
    about_it = [item for item in found if (id_of(item.get("job_id")) or job_id).strip() == job_id]
    statuses = [_one_status(item) for item in about_it]
    known = [status for status in statuses if status]
    if not known or len(known) < len(statuses):
        raise unexpected(f"status of job {job_id}", response, request)
    states = [status.state for status in known if not status.ended] or sorted({status.state for status in known}, key=_WORST.index)
    counts = [[getattr(status, name) for status in known] for name in ("total", "deleted", "failed")]
    return JobStatus(states[0], *(None if None in numbers else sum(numbers) for numbers in counts))


_WORST = ("FAILED", "COMPLETED")


def _one_status(item: Mapping[str, Any]) -> JobStatus | None:
    state = item.get("status")
    # it goes into logs
    if not isinstance(state, str) or not re.fullmatch(r"[A-Z][A-Z0-9_ -]{0,49}", state.strip().upper()):
        return None
    return JobStatus(state.strip().upper(), *(count_of(item.get(f"{name}_count")) for name in ("total", "deleted", "failed")))


def _succeeded(element: Mapping[str, Any]) -> bool:
    return str(element.get("status")).strip().lower() == "success"


def _failed(element: Mapping[str, Any]) -> bool:
    """Return whether an element says that its record was not deleted; one with a word never heard of says nothing."""
    return str(element.get("status")).strip().lower() == "error"


def _reason(element: Mapping[str, Any]) -> str:
    return str(element.get("message") or element.get("code"))


def _pointed_at(error: ZohoCrmError, key: str, ids: Sequence[str]) -> str | None:
    index = str(error.details.get("json_path", "")).rpartition(f"{key}[")[2].partition("]")[0]
    return ids[int(index)] if re.fullmatch(r"[0-9]{1,5}", index) and int(index) < len(ids) else None


def _first(body: Mapping[str, Any], key: str) -> dict[str, Any] | None:
    items = body.get(key)
    return items[0] if isinstance(items, list) and items and isinstance(items[0], dict) else None
