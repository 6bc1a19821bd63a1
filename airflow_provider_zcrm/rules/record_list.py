"""The file that lists the records of a custom view before they are deleted: JSON lines, for `RestoreRecordsOperator`.

{"format": "zoho-crm-record-ids", "version": 1, "module": "Leads", "cvid": "3652...", ...}    the header
{"ids": ["11", "12", ...]}                                      up to 200 records; as many lines as that takes
{"end": {"records": 2, "sha256": "5f1c..."}}                    the footer, with the checksum of all lines before it
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from airflow_provider_zcrm.rules.errors import BackupUnfinished, InvalidBackup

RECORDS_PER_LINE = 200
_FORMAT = "zoho-crm-record-ids"
_VERSION = 1


@dataclass(frozen=True)
class ListHeader:
    """Where a list comes from.

    :param module: API name of the module.
    :param cvid: id of the custom view.
    :param zgid: the org, empty if it could not be read.
    :param environment: ``production``, ``sandbox`` or ``developer``.
    :param created_at: ISO-8601 with offset.
    :param made_by: the task instance that wrote it.
    """

    module: str
    cvid: str
    zgid: str
    environment: str
    created_at: str
    made_by: str


def list_lines(header: ListHeader, ids: Sequence[str]) -> Iterator[str]:
    """Yield the lines of the file, each with its line feed."""
    checksum = hashlib.sha256()
    parts: list[Mapping[str, Any]] = [{"format": _FORMAT, "version": _VERSION, **asdict(header)}]
    parts += [{"ids": list(ids[start : start + RECORDS_PER_LINE])} for start in range(0, len(ids), RECORDS_PER_LINE)]
    for part in parts:
        line = json.dumps(part) + "\n"
        checksum.update(line.encode())
        yield line
    yield json.dumps({"end": {"records": len(ids), "sha256": checksum.hexdigest()}}) + "\n"


def read_list(lines: Iterable[str]) -> tuple[ListHeader, tuple[str, ...]]:
    """Read a file to its end, and return what it holds.

    :param lines: with their line feeds; bytes that are no UTF-8 as ``surrogateescape`` reads them.
    :raises BackupUnfinished: it breaks off before its footer
    :raises InvalidBackup: it is no such file, one of another version, or damaged
    """
    header: ListHeader | None = None
    ids: list[str] = []
    end: Any = None
    checksum = hashlib.sha256()
    for line in lines:
        part = _part(line)
        if header is None:
            header = _header(part)
        elif end is not None or not part.keys() <= {"ids", "end"}:
            raise _damaged()
        elif "end" in part:
            end = part["end"]
            continue
        else:
            ids += _ids(part)
        checksum.update(line.encode("utf-8", "surrogateescape"))
    if header is None or end is None:
        raise BackupUnfinished("The list of records breaks off before its last line.")
    if end != {"records": len(ids), "sha256": checksum.hexdigest()} or len(set(ids)) != len(ids):
        raise _damaged()
    return header, tuple(ids)


def _part(line: str) -> dict[str, Any]:
    try:
        part = json.loads(line)
    except (ValueError, RecursionError):
        part = None
    if not isinstance(part, dict):
        raise InvalidBackup("It is no list of records.", advice="MassDeleteRecordsOperator(list_ids_first=True) writes one.")
    return part


def _header(part: Mapping[str, Any]) -> ListHeader:
    fields = {name: part.get(name) for name in ListHeader.__dataclass_fields__}
    if part.get("format") != _FORMAT or part.get("version") != _VERSION or not all(isinstance(value, str) for value in fields.values()):
        raise InvalidBackup(
            "It is no list of records that this release can read.", advice="MassDeleteRecordsOperator(list_ids_first=True) writes one."
        )
    return ListHeader(**fields)  # type: ignore[arg-type]


def _ids(part: Mapping[str, Any]) -> list[str]:
    ids = part["ids"]
    if not isinstance(ids, list) or not all(isinstance(i, str) and i.isascii() and i.isdecimal() and len(i) <= 19 for i in ids):
        raise _damaged()
    return ids


def _damaged() -> InvalidBackup:
    return InvalidBackup("The list of records was changed or is damaged.", advice="Nothing was sent.")
