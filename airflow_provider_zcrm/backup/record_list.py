"""Lists the records of a custom view in a file before they are deleted, and reads such a file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_zcrm.api.errors import InvalidArgument
from airflow_provider_zcrm.api.records import list_ids
from airflow_provider_zcrm.rules.errors import BackupUnfinished, InvalidBackup, ListTooLong
from airflow_provider_zcrm.rules.record_list import ListHeader, list_lines, read_list

if TYPE_CHECKING:
    from airflow_provider_zcrm.backup.backup_file import BackupFile
    from airflow_provider_zcrm.client.sync_client import ZohoCrmClient

# one call lists 200 records; a job deletes at most 50,000
MOST_CALLS = 250


def listed_records(file: BackupFile) -> tuple[ListHeader, tuple[str, ...]]:
    """Return what a file holds.

    :raises InvalidArgument: there is none
    :raises InvalidBackup: it is no list of records, or not whole
    """
    if not file.exists():
        raise InvalidArgument(
            f"There is no list of records at {file.path}.",
            advice="XCom record_list of MassDeleteRecordsOperator is the path of what it wrote.",
        )
    try:
        with file.lines() as lines:
            return read_list(lines)
    except InvalidBackup as error:
        error.message = f"{file.path}: {error.message}"
        raise


class RecordList:
    """The list of the records of a custom view.

    :param file: the place that the user names; what stands there is never overwritten, and a later list is written beside it.
    :param header: of a new file; names module and view.
    """

    def __init__(self, client: ZohoCrmClient, file: BackupFile, header: ListHeader) -> None:
        self._client = client
        self._file = file
        self._header = header

    def write(self) -> tuple[str, int]:
        """List the records as the view shows them now, and return the path of a file that holds all of them, and their number.

        :raises ListTooLong: they are more than the calls may list
        """
        ids = self._ids()
        header = self._header
        number = 1
        while (place := self._file.numbered(number)).exists():
            known = self._own(place)
            org = (header.zgid, header.environment)
            if known is not None and (known[0].zgid, known[0].environment) == org and set(known[1]) == set(ids):
                return place.path, len(ids)
            number += 1
        with tempfile.NamedTemporaryFile("w+", encoding="utf-8", newline="\n") as draft:
            draft.writelines(list_lines(header, ids))
            draft.flush()
            place.create(Path(draft.name), header.made_by)
        if listed_records(place)[1] != tuple(ids):
            raise InvalidBackup(f"What was read back from {place.path} is not what was written.", advice="Nothing was deleted.")
        return place.path, len(ids)

    def _ids(self) -> list[str]:
        ids: list[str] = []
        token: str | None = None
        for _ in range(MOST_CALLS):
            call = list_ids(self._header.module, self._header.cvid, token)
            page = self._client.send(call)
            if not page.ids:
                # an answer without a body (204) may come for other reasons
                page = self._client.send(call)
            ids += page.ids
            token = page.next_page_token
            if token is None:
                return list(dict.fromkeys(ids))
        raise ListTooLong(
            f"Custom view {self._header.cvid} of {self._header.module} shows more than {len(ids)} records, and one job deletes no more. "
            "Nothing was sent.",
            advice="Make the view smaller, or leave list_ids_first out.",
        )

    def _own(self, place: BackupFile) -> tuple[ListHeader, tuple[str, ...]] | None:
        """Return what an earlier file of this task holds, None of one that breaks off."""
        try:
            header, ids = listed_records(place)
        except BackupUnfinished:
            return None
        if (header.made_by, header.module, header.cvid) != (self._header.made_by, self._header.module, self._header.cvid):
            raise InvalidArgument(
                f"{place.path} holds a list already, of {len(ids)} records of {header.module}, made by {header.made_by} at "
                f"{header.created_at}. It is not overwritten.",
                advice="Give each run and each view a path of its own, with {{ run_id }} in it.",
            )
        return header, ids
