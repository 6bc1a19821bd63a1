"""The life of a bulk read job: ADDED, QUEUED while another is before it, IN PROGRESS, then COMPLETED with a CSV, or FAILURE.

Zoho works on the jobs of an org one after the other. The file is made when the job ends and is there for a day.
Zoho: v8/bulk-read/create-job.html, job-details.html, limitations.html
"""

from __future__ import annotations

import csv
import io
import secrets
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from airflow_provider_zcrm.emulator.jobs import OUTCOMES
from airflow_provider_zcrm.emulator.model import BulkRead, Module, Org, PageToken, User

FILE_LIFETIME = TOKEN_LIFETIME = 24 * 60 * 60.0
FIELDS = ["Tag", "Converted__s", "$converted"]


@dataclass
class BulkReadPlan:
    """How a bulk read will go; times in seconds. `missing` records are left out of the file, and nothing says so."""

    start_delay: float = 0.1
    duration: float = 0.3
    outcome: str = "completed"
    missing: int = 0

    def __post_init__(self) -> None:
        if self.outcome not in OUTCOMES:
            raise ValueError(f"a bulk read's outcome is one of {', '.join(OUTCOMES)}; not {self.outcome!r}")
        if min(self.start_delay, self.duration, self.missing) < 0:
            raise ValueError("a bulk read's times are seconds of 0 or more, and so are its missing records")


def schedule(org: Org, module: Module, query: dict[str, Any], page: int, user: User, plan: BulkReadPlan, now: float) -> BulkRead:
    """Add a job to the org, behind those that are not done, and return it."""
    starts_at = max([now + plan.start_delay, *(job.ends_at for job in org.bulk_reads.values() if not job.done)])
    job = BulkRead(
        id=org.new_id(),
        module=module.id,
        query=query,
        page=page,
        user=user,
        created_at=now,
        starts_at=starts_at,
        ends_at=starts_at + plan.duration,
        fails=plan.outcome == "failed",
        missing=plan.missing,
    )
    org.bulk_reads[job.id] = job
    return job


def state_of(org: Org, job: BulkRead, now: float) -> str:
    """Return ADDED, QUEUED, IN PROGRESS, COMPLETED or FAILURE."""
    if job.done:
        return "FAILURE" if job.fails else "COMPLETED"
    if now >= job.starts_at:
        return "IN PROGRESS"
    before = next((other for other in org.bulk_reads.values() if not other.done), job)
    return "ADDED" if before is job else "QUEUED"


def settle(org: Org, readings: Mapping[str, str], now: float) -> None:
    """Bring the org's bulk reads to where they are by `now`."""
    for job in org.bulk_reads.values():
        if not job.done and job.ends_at <= now:
            job.done = True
            if not job.fails:
                _export(org, job, readings)
        if job.csv is not None and job.ends_at + FILE_LIFETIME <= now:
            job.csv = None


def _export(org: Org, job: BulkRead, readings: Mapping[str, str]) -> None:
    module = org.module_with_id(job.module)
    if module is None:
        return
    records, more = _page(org, module, job, readings)
    if more:
        job.next_page_token = secrets.token_hex(24)
        request = {"module": module.id, "query": job.query, "page": job.page + 1}
        org.page_tokens[job.next_page_token] = PageToken(job.user.id, request, records[-1], 0, job.ends_at + TOKEN_LIFETIME)
    records = records[job.missing :]
    job.count = len(records)
    job.csv = _written(module, records, job.query["fields"], readings)


def _page(org: Org, module: Module, job: BulkRead, readings: Mapping[str, str]) -> tuple[list[str], bool]:
    """Return the ids of the job's page, and whether there are more."""
    converted = set(module.converted_records) if readings["bulk_converted"] == "off" else set()
    records = [record for record in module.records if record not in converted]
    after = job.query.get("after")
    start = bisect_right(records, int(after), key=int) if after else (job.page - 1) * org.bulk_read_page
    page = list(islice(records, start, start + org.bulk_read_page + 1))
    return page[: org.bulk_read_page], len(page) > org.bulk_read_page


def _written(module: Module, records: list[str], fields: list[str], readings: Mapping[str, str]) -> str:
    names = {tag.id: tag.name for tag in module.tags.values()}
    converted = set(module.converted_records)
    columns = [field for field in fields if field != "Tag" or readings["bulk_tag_column"] == "names"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([readings["bulk_id_header"], *columns])
    for record in records:
        tags = ",".join(names[tag_id] for tag_id in module.records[record])
        is_converted = "true" if record in converted else "false"
        writer.writerow([record, *(tags if column == "Tag" else is_converted for column in columns)])
    return text.getvalue()
