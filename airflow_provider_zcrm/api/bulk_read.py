"""Bulk Read: an export of the tags of all records of a module, as a job; up to 200,000 records each.

The result is a ZIP file with one CSV file, in which tags stand by name, joined with commas (no name may hold one).
``docs/records-of-a-tag.md`` says how it compares to the other ways.
Zoho: crm/developer/docs/api/v8/bulk-read/overview.html, create-job.html, job-details.html, download-result.html
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from airflow_provider_zcrm.api.answers import count_of, decode, details_of, id_of, unexpected
from airflow_provider_zcrm.api.call import ApiCall, ApiRequest, ApiResponse
from airflow_provider_zcrm.api.errors import NotSupported
from airflow_provider_zcrm.api.records import TaggedRecord, is_record_id

# Of a row, in characters: it has an id of 19 digits and the names of 10 tags
LONGEST_ROW = 100_000
_SCOPE = "ZohoCRM.bulk.READ and ZohoCRM.modules.ALL"


@dataclass(frozen=True)
class BulkReadStatus:
    """How far a job is.

    :param state: Zoho's word in capitals; COMPLETED, FAILURE and FAILED end a job, with anything else it goes on.
    :param count: records in the result of a completed job, None where Zoho does not say.
    :param next_page_token: with which the next job gets the records that did not fit into this one.
    """

    state: str
    count: int | None = None
    next_page_token: str | None = None

    @property
    def failed(self) -> bool:
        """Whether the job ended without a result."""
        return self.state in ("FAILURE", "FAILED")


def start_bulk_read(module: str, page_token: str | None = None) -> ApiCall[str]:
    """Return the call that starts an export of the tags of a module's records; its value is the job id."""
    query = {"page_token": page_token} if page_token else {"module": {"api_name": module}, "fields": ["Tag"]}
    # sent again, it may make a second export: 50 credits more, but no harm, and without an export the backup would fail
    request = ApiRequest("POST", "read", scope=_SCOPE, json={"query": query}, may_repeat=True, bulk=True)

    def parse(response: ApiResponse) -> str:
        job_id = id_of(details_of(_first(response, request)).get("id"))
        # it goes into addresses and logs
        if not job_id or not re.fullmatch(r"[\w-]{1,64}", job_id, re.ASCII):
            raise unexpected("job id", response, request)
        return job_id

    return ApiCall(request, parse)


def bulk_read_status(job_id: str) -> ApiCall[BulkReadStatus]:
    """Return the call for the status of an export."""
    request = ApiRequest("GET", f"read/{job_id}", scope=_SCOPE, bulk=True)

    def parse(response: ApiResponse) -> BulkReadStatus:
        job = _first(response, request)
        state, result = job.get("state"), job.get("result")
        if not isinstance(state, str) or not state:
            raise unexpected("state", response, request)
        # Zoho's samples have a result in every state
        if state.upper() != "COMPLETED":
            return BulkReadStatus(state.upper())
        if not isinstance(result, dict) or (result.get("more_records") and not isinstance(result.get("next_page_token"), str)):
            raise unexpected("result with a next_page_token", response, request)
        token = result["next_page_token"] if result.get("more_records") else None
        return BulkReadStatus("COMPLETED", count_of(result.get("count")), token)

    return ApiCall(request, parse)


def bulk_read_result(job_id: str) -> ApiCall[BinaryIO]:
    """Return the call for the result of a completed export: a ZIP file with one CSV file. Zoho allows 10 of these in a minute.

    Its value is an open file without a name, which is gone when the caller closes it.
    """
    request = ApiRequest("GET", f"read/{job_id}/result", scope=_SCOPE, bulk=True, to_file=True)

    def parse(response: ApiResponse) -> BinaryIO:
        if response.file and response.body.startswith(b"PK"):
            return response.file
        if response.file:
            response.file.close()
        decode(response, request)
        raise unexpected("ZIP file", response, request)

    return ApiCall(request, parse)


def read_rows(lines: Iterable[str]) -> Iterator[TaggedRecord]:
    """Yield the records of a CSV file with the names of their tags.

    :param lines: with their line ends; of a longer one its first `LONGEST_ROW` characters will do.
    :raises NotSupported: it has no column for the id or for the tags, or rows that are not about a record
    """
    left = LONGEST_ROW

    def of_one_row() -> Iterator[str]:
        nonlocal left
        for line in lines:
            left -= len(line)
            if left <= 0:
                raise NotSupported(f"A row of Zoho's export of the records has {LONGEST_ROW} characters or more: {line[:100]!r}.")
            yield line

    rows = csv.reader(of_one_row())
    try:
        header = [name.strip().lower() for name in next(rows, [])]
        if "id" not in header or "tag" not in header:
            raise NotSupported(f"Zoho's export of the records has no column Id or Tag, but {_shown(header)}.")
        at, tags = header.index("id"), header.index("tag")
        left = LONGEST_ROW
        for row in rows:
            if len(row) != len(header):
                raise NotSupported(f"A row of Zoho's export of the records has {len(row)} columns and not {len(header)}: {_shown(row)}.")
            if not is_record_id(row[at]):
                raise NotSupported(f"A row of Zoho's export of the records has no id of a record: {_shown(row)}.")
            yield TaggedRecord(row[at], tuple(name.strip() for name in row[tags].split(",") if name.strip()))
            left = LONGEST_ROW
    except csv.Error as error:
        raise NotSupported(f"Zoho's export of the records is no CSV file: {error}.") from None


def _shown(row: list[str]) -> str:
    return str(row)[:200]


def _first(response: ApiResponse, request: ApiRequest) -> dict[str, Any]:
    body = decode(response, request)
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, list) or not data or not isinstance(data[0], dict):
        raise unexpected("data", response, request)
    return data[0]
