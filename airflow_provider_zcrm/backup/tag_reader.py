"""Reads tags of a module, how many records carry each, and which records those are.

Zoho has no call for the records of a tag: all records of the module are read, with their tags. ``docs/records-of-a-tag.md`` says why
by Bulk Read, and page by page (Get Records) where that is refused.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_zcrm.api.bulk_read import BulkReadStatus, bulk_read_result, bulk_read_status, start_bulk_read
from airflow_provider_zcrm.api.errors import PermanentError
from airflow_provider_zcrm.api.records import RecordsPage, TaggedRecord, list_records
from airflow_provider_zcrm.api.tags import Tag
from airflow_provider_zcrm.backup.export_file import read_export
from airflow_provider_zcrm.rules.errors import JobFailed
from airflow_provider_zcrm.rules.poll_schedule import PollSchedule
from airflow_provider_zcrm.tag_list import count_tags, read_tags

if TYPE_CHECKING:
    from airflow_provider_zcrm.client.sync_client import ZohoCrmClient

log = logging.getLogger(__name__)

# an export takes some seconds, and Zoho makes one after the other
_EXPORT = PollSchedule(shortest=2.0, longest=30.0)
_EXPORT_SECONDS = 1800.0


@dataclass(frozen=True)
class _Export:
    """A job of Bulk Read, and when it was started."""

    job_id: str
    started_at: float


class TagReader:
    """Reads some of the tags of one module."""

    def __init__(self, client: ZohoCrmClient, module: str) -> None:
        self._client = client
        self._module = module
        self._listed: dict[str, Tag] = {}

    def look(self, tag_ids: Sequence[str]) -> list[Tag]:
        """Read the list of tags and return those of the given ones that are in it."""
        self._listed = read_tags(self._client, self._module, include_usage=True)
        return [self._listed[tag_id] for tag_id in tag_ids if tag_id in self._listed]

    def unlisted(self, tag_ids: Sequence[str]) -> list[str]:
        """Return those of the tags that Zoho finds by their ids, although the list lacks them."""
        return [tag_id for tag_id, answer in count_tags(self._client, self._module, tag_ids).items() if answer is not None]

    def counts(self, tags: Sequence[Tag]) -> dict[str, int]:
        """Return how many records carry each tag, by its id: the highest figure that Zoho gives, with a call per tag. 0 if it is gone."""
        counted = count_tags(self._client, self._module, [tag.id for tag in tags])
        return {tag.id: max(answer.count, tag.record_count or 0) if (answer := counted[tag.id]) else 0 for tag in tags}

    def carried(self, tag_ids: Sequence[str], *, page_by_page: bool = False) -> Iterator[tuple[str, str]]:
        """Yield pairs of the id of one of the tags and the id of a record that carries it; some perhaps twice.

        :param page_by_page: do not even try Bulk Read.
        """
        requested = frozenset(tag_ids)
        for record in self._records(page_by_page=page_by_page) if requested else ():
            for tag_id in requested.intersection(record.tags):
                yield tag_id, record.id

    def _records(self, *, page_by_page: bool) -> Iterator[TaggedRecord]:
        """Yield all records with the ids of their tags; some of them twice if one way had to give way to the other."""
        first = self._client.send(list_records(self._module))
        if first.next_page_token and not page_by_page and self._names_are_clear():
            try:
                yield from self._exported()
            except (JobFailed, PermanentError) as error:
                log.warning("%s Instead of exporting the records of %s, they are read in pages of 200.", error, self._module)
            else:
                return
        yield from self._pages(first)

    def _names_are_clear(self) -> bool:
        """Return whether the export's names say which tags are meant: it has commas between them, and perhaps blanks beside these."""
        names = [tag.name.strip() for tag in self._listed.values()]
        return len(names) == len(set(names)) and not any("," in name for name in names)

    def _pages(self, page: RecordsPage) -> Iterator[TaggedRecord]:
        yield from page.records
        while page.next_page_token:
            page = self._client.send(list_records(self._module, page.next_page_token))
            yield from page.records

    def _exported(self) -> Iterator[TaggedRecord]:
        """Yield all records by way of Bulk Read.

        :raises JobFailed: an export failed, took too long, or is not whole
        :raises PermanentError: Zoho refuses it
        """
        ids = {tag.name.strip(): tag.id for tag in self._listed.values()}
        export: _Export | None = self._start()
        while export:
            job_id, status = export.job_id, self._wait_for(export)
            # Zoho makes it while this one is read
            export = self._start(status.next_page_token) if status.next_page_token else None
            rows = 0
            with self._client.send(bulk_read_result(job_id)) as file:
                for record in read_export(file):
                    rows += 1
                    yield TaggedRecord(record.id, tuple(ids[name] for name in record.tags if name in ids))
            if status.count not in (None, rows):
                raise JobFailed(f"Zoho's export {job_id} of {self._module} should have {status.count} records and has {rows}.")

    def _start(self, page_token: str | None = None) -> _Export:
        return _Export(self._client.send(start_bulk_read(self._module, page_token)), time.monotonic())

    def _wait_for(self, export: _Export) -> BulkReadStatus:
        next_poll = export.started_at + _EXPORT.next_wait(0.0)
        while True:
            time.sleep(max(0.0, next_poll - time.monotonic()))
            status = self._client.send(bulk_read_status(export.job_id))
            elapsed = time.monotonic() - export.started_at
            if status.state == "COMPLETED":
                return status
            if status.failed or elapsed > _EXPORT_SECONDS:
                raise JobFailed(f"Zoho's export {export.job_id} of {self._module} is {status.state} after {elapsed:.0f} s.")
            next_poll = time.monotonic() + _EXPORT.next_wait(elapsed)
