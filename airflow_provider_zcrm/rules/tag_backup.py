"""The file of a backup of tags: JSON lines, written and read line by line, so that nobody holds more than a part of it.

    {"format": "zoho-crm-tags", "version": 1, "module": "Leads", ...}    the header
    {"tag": {"id": "1", "name": "hot", "color_code": "#F48435"}}         a line per tag
    {"tag_id": "1", "record_ids": ["11", "12", ...]}                     up to 500 records that carry it; as many lines as that takes
    {"end": {"tags": 1, "records": {"1": 2}}}                            the footer: how many tags, and how many records each has

A file without its footer, or with other numbers than its footer's, is no backup, and `check` says so before anything is restored.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from airflow_provider_zcrm.rules.errors import BackupUnfinished, InvalidBackup

# as many as one call takes that puts a tag on records
RECORDS_PER_LINE = 500
_FORMAT = "zoho-crm-tags"
_VERSION = 1


@dataclass(frozen=True)
class Header:
    """Where a backup comes from.

    :param module: API name of the module.
    :param zgid: the org, empty if it could not be read.
    :param environment: ``production``, ``sandbox`` or ``developer``.
    :param created_at: ISO-8601 with offset.
    :param made_by: the task instance that wrote it.
    :param include_records: whether it tells which records carry the tags.
    """

    module: str
    zgid: str
    environment: str
    created_at: str
    made_by: str
    include_records: bool


@dataclass(frozen=True)
class SavedTag:
    """A tag as it was; when it is created again it gets another id."""

    id: str
    name: str
    color_code: str | None = None


@dataclass(frozen=True)
class RecordsOfTag:
    """Some of the records that carry a tag: a line of the backup."""

    tag_id: str
    record_ids: tuple[str, ...]


@dataclass(frozen=True)
class Contents:
    """What a whole backup holds; ``records`` is the number of records per tag id, without the tags that have none."""

    header: Header
    tags: tuple[SavedTag, ...]
    records: Mapping[str, int]


def backup_lines(header: Header, tags: Iterable[SavedTag], carried: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield the lines of a backup, each with its line feed.

    :param tags: each once.
    :param carried: pairs of a tag's id and the id of a record that carries it, in any order, each once.
    """
    yield _line({"format": _FORMAT, "version": _VERSION, **asdict(header)})
    saved = Counter[str]()
    for tag in tags:
        saved["tags"] += 1
        yield _line({"tag": asdict(tag)})
    records = Counter[str]()
    waiting: dict[str, list[str]] = {}
    for tag_id, record_id in carried:
        records[tag_id] += 1
        waiting.setdefault(tag_id, []).append(record_id)
        if len(waiting[tag_id]) == RECORDS_PER_LINE:
            yield _line({"tag_id": tag_id, "record_ids": waiting.pop(tag_id)})
    for tag_id, record_ids in waiting.items():
        yield _line({"tag_id": tag_id, "record_ids": record_ids})
    yield _line({"end": {"tags": saved["tags"], "records": records}})


def check(lines: Iterable[str]) -> Contents:
    """Read a backup to its end and return what it holds.

    :param lines: with their line feeds.
    :raises BackupUnfinished: it breaks off before its footer
    :raises InvalidBackup: it is no backup, one of a later version, or damaged
    """
    header: Header | None = None
    footer: _Footer | None = None
    tags: list[SavedTag] = []
    records = Counter[str]()
    for part in _parts(lines):
        if isinstance(part, Header):
            header = part
        elif isinstance(part, SavedTag):
            tags.append(part)
        elif isinstance(part, RecordsOfTag):
            records[part.tag_id] += len(part.record_ids)
        else:
            footer = part
    if header is None or footer is None:
        raise BackupUnfinished("The backup breaks off before its last line.")
    if footer != _Footer(len(tags), dict(records)) or not records.keys() <= {tag.id for tag in tags}:
        raise InvalidBackup(
            "The backup holds something else than its last line says: lines of it are lost, doubled or changed.",
            advice="It cannot be restored from; an earlier version in the object storage may be whole.",
        )
    return Contents(header, tuple(tags), records)


def records_of_tags(lines: Iterable[str]) -> Iterator[RecordsOfTag]:
    """Yield what a backup, which `check` has found whole, tells about records."""
    return (part for part in _parts(lines) if isinstance(part, RecordsOfTag))


@dataclass(frozen=True)
class _Footer:
    tags: int
    records: dict[str, int]


_Part = Header | SavedTag | RecordsOfTag | _Footer


def _line(value: Mapping[str, Any]) -> str:
    return json.dumps(value) + "\n"


def _parts(lines: Iterable[str]) -> Iterator[_Part]:
    """Yield what each line says, the header first and nothing after the footer."""
    part: _Part | None = None
    for number, line in enumerate(lines, start=1):
        try:
            value = json.loads(line)
            following = next(read(value) for key, read in _KINDS.items() if key in value)
        except (AttributeError, KeyError, StopIteration, TypeError, ValueError):
            following = None
        if following is None and not line.endswith("\n") and (number > 1 or _may_be_a_header(line)):
            raise BackupUnfinished(f"The backup breaks off in line {number}.")
        if following is None or isinstance(following, Header) != (part is None) or isinstance(part, _Footer):
            raise InvalidBackup(
                f"Line {number} is not what stands there in a backup of tags: {line[:100]!r}.",
                advice="Check the path; a backup that was edited by hand cannot be restored.",
            )
        part = following
        yield part


def _may_be_a_header(line: str) -> bool:
    start = f'{{"format": "{_FORMAT}"'
    return line.startswith(start) or start.startswith(line)


def _header(value: Mapping[str, Any]) -> Header | None:
    if value["format"] != _FORMAT:
        return None
    if value["version"] != _VERSION:
        raise InvalidBackup(
            f"The backup is of version {value['version']!r} of its format, and this release reads version {_VERSION}.",
            advice="Restore it with the release that wrote it, or a later one.",
        )
    texts = {name: str(value[name]) for name in ("module", "zgid", "environment", "created_at", "made_by")}
    return Header(**texts, include_records=value["include_records"] is True)


def _tag(value: Mapping[str, Any]) -> SavedTag:
    tag = value["tag"]
    return SavedTag(str(tag["id"]), str(tag["name"]), tag["color_code"])


def _records(value: Mapping[str, Any]) -> RecordsOfTag:
    return RecordsOfTag(str(value["tag_id"]), tuple(map(str, value["record_ids"])))


def _footer(value: Mapping[str, Any]) -> _Footer:
    return _Footer(value["end"]["tags"], dict(value["end"]["records"]))


_KINDS: dict[str, Callable[[Mapping[str, Any]], _Part | None]] = {"format": _header, "tag": _tag, "tag_id": _records, "end": _footer}
