"""The file of a backup of tags: JSON lines, written and read line by line, so that nobody holds more than a part of it.

    {"format": "zoho-crm-tags", "version": 2, "module": "Leads", ...}    the header
    {"tag": {"id": "1", "name": "hot", "color_code": "#F48435"}}         a line per tag
    {"tag_id": "1", "record_ids": ["11", "12", ...]}                     up to 500 records that carry it; as many lines as that takes,
                                                                         by the numbers of the tags and then of the records
    {"end": {"tags": 1, "records": {"1": 2}, "sha256": "5f1c..."}}       the footer: how many tags, how many records each has, and
                                                                         the checksum of all lines before it

`check` refuses a file without its footer, or of which anything was changed, before anything is restored.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import chain, groupby, islice, zip_longest
from operator import itemgetter
from typing import Any

from airflow_provider_zcrm.rules.errors import BackupUnfinished, InvalidBackup

# as many as one call takes that puts a tag on records
RECORDS_PER_LINE = 500
# Of a line, in characters: the footer of 100,000 tags has 4 million. A longer line is not read to its end.
LONGEST_LINE = 8 * 1024 * 1024
_FORMAT = "zoho-crm-tags"
_VERSION = 2


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
    """What a whole backup holds.

    :param records: the number of records per tag id, without the tags that have none.
    :param sha256: the checksum, so that the contents of two files are equal only if the files are.
    """

    header: Header
    tags: tuple[SavedTag, ...]
    records: Mapping[str, int]
    sha256: str


def backup_lines(header: Header, tags: Iterable[SavedTag], carried: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield the lines of a backup, each with its line feed.

    :param tags: each once.
    :param carried: pairs of a tag's id and the id of a record that carries it, each once, by the number of the tag and then of the record.
    """
    checksum = hashlib.sha256()

    def line(value: Mapping[str, Any]) -> str:
        text = _line(value)
        checksum.update(_bytes(text))
        return text

    yield line({"format": _FORMAT, "version": _VERSION, **asdict(header)})
    saved = Counter[str]()
    for tag in tags:
        saved["tags"] += 1
        yield line({"tag": asdict(tag)})
    records = Counter[str]()
    for tag_id, pairs in groupby(carried, key=itemgetter(0)):
        while record_ids := [record_id for _, record_id in islice(pairs, RECORDS_PER_LINE)]:
            records[tag_id] += len(record_ids)
            yield line({"tag_id": tag_id, "record_ids": record_ids})
    yield _line({"end": {"tags": saved["tags"], "records": records, "sha256": checksum.hexdigest()}})


def check(lines: Iterable[str]) -> Contents:
    """Read a backup to its end and return what it holds.

    :param lines: with their line feeds; bytes that are no UTF-8 as ``surrogateescape`` reads them.
    :raises BackupUnfinished: it breaks off before its footer
    :raises InvalidBackup: it is no backup, one of another version, or damaged
    """
    header: Header | None = None
    footer: _Footer | None = None
    tags: dict[str, SavedTag] = {}
    records = Counter[str]()
    checksum = hashlib.sha256()
    for line, part in _parts(lines):
        if isinstance(part, _Footer):
            footer = part
            continue
        checksum.update(_bytes(line))
        if isinstance(part, Header):
            header = part
        elif isinstance(part, RecordsOfTag):
            records[part.tag_id] += len(part.record_ids)
        elif part.id in tags:
            raise InvalidBackup(f"The backup holds the tag {part.id} twice.", advice=_DAMAGED)
        else:
            tags[part.id] = part
    if header is None or footer is None:
        raise BackupUnfinished("The backup breaks off before its last line.")
    sha256 = checksum.hexdigest()
    if footer != _Footer(len(tags), dict(records), sha256) or not records.keys() <= tags.keys():
        raise InvalidBackup("The backup is not as it was written: its lines do not match the checksum in its last line.", advice=_DAMAGED)
    return Contents(header, tuple(tags.values()), records, sha256)


def holds_the_same(earlier: Iterable[str], now: Iterable[str], requested: Collection[str]) -> bool:
    """Return whether an earlier backup holds the same as one of now: the same tags with their names, colours and records.

    Besides, it may hold requested tags that are gone by now.

    :param earlier: the lines of a backup that `check` has found whole.
    :param now: likewise.
    :param requested: ids of the tags of which a backup is made now.
    """
    (of_earlier, before, lines_before), (of_now, after, lines_after) = _substance(earlier), _substance(now)
    ids = {tag.id for tag in after}
    return (
        of_earlier == of_now
        and {tag.id for tag in before} <= set(requested)
        and after <= before
        and all(one == other for one, other in zip_longest((line for line in lines_before if line.tag_id in ids), lines_after))
    )


def records_of_tags(lines: Iterable[str]) -> Iterator[RecordsOfTag]:
    """Yield what a backup, which `check` has found whole, says about records."""
    return (part for _, part in _parts(lines) if isinstance(part, RecordsOfTag))


@dataclass(frozen=True)
class _Footer:
    tags: int
    records: dict[str, int]
    sha256: str


_Part = Header | SavedTag | RecordsOfTag | _Footer
_DAMAGED = "It cannot be restored from; an earlier version in the object storage may be whole."
_NO_BACKUP = "Check the path; a backup that was edited by hand cannot be restored."


def _line(value: Mapping[str, Any]) -> str:
    return json.dumps(value) + "\n"


def _bytes(line: str) -> bytes:
    return line.encode("utf-8", "surrogateescape")


def _substance(lines: Iterable[str]) -> tuple[Header | None, set[SavedTag], Iterator[RecordsOfTag]]:
    """Return from where a backup is, without time, its tags, and its lines about records, which have one order in every backup."""
    parts = (part for _, part in _parts(lines))
    header = next(parts)
    tags: set[SavedTag] = set()
    for part in parts:
        if not isinstance(part, SavedTag):
            break
        tags.add(part)
    records = (part for part in chain([part], parts) if isinstance(part, RecordsOfTag))
    return replace(header, created_at="") if isinstance(header, Header) else None, tags, records


def _parts(lines: Iterable[str]) -> Iterator[tuple[str, _Part]]:
    """Yield each line and what it says, the header first and nothing after the footer."""
    part: _Part | None = None
    for number, line in enumerate(lines, start=1):
        if len(line) >= LONGEST_LINE:
            raise InvalidBackup(f"Line {number} is too long for a backup of tags: {line[:100]!r}.", advice=_NO_BACKUP)
        try:
            value = json.loads(line)
            following = next(read(value) for key, read in _KINDS.items() if key in value)
        except (AttributeError, KeyError, RecursionError, StopIteration, TypeError, ValueError):
            following = None
        if following is None and not line.endswith("\n") and (number > 1 or _may_be_a_header(line)):
            raise BackupUnfinished(f"The backup breaks off in line {number}.")
        if following is None or not _may_follow(part, following):
            raise InvalidBackup(
                f"Line {number} is not what stands there in a backup of tags: {line[:100]!r}.",
                advice=_NO_BACKUP,
            )
        part = following
        yield line, part


def _may_follow(part: _Part | None, following: _Part) -> bool:
    """Return whether a line may stand behind another one, or at the beginning."""
    if part is None or isinstance(following, Header):
        return part is None and isinstance(following, Header)
    return not isinstance(part, _Footer) and not (isinstance(part, RecordsOfTag) and isinstance(following, SavedTag))


def _may_be_a_header(line: str) -> bool:
    start = f'{{"format": "{_FORMAT}"'
    return line.startswith(start) or start.startswith(line)


def _header(value: Mapping[str, Any]) -> Header | None:
    if value["format"] != _FORMAT:
        return None
    if value["version"] != _VERSION:
        raise InvalidBackup(
            f"The backup is of version {repr(value['version'])[:50]} of its format, and this release reads version {_VERSION}.",
            advice="Restore it with the release that wrote it.",
        )
    texts = {name: _text(value[name]) for name in ("module", "zgid", "environment", "created_at", "made_by")}
    return Header(**texts, include_records=value["include_records"] is True)


def _tag(value: Mapping[str, Any]) -> SavedTag:
    tag = value["tag"]
    return SavedTag(_id(tag["id"]), _text(tag["name"]), None if tag["color_code"] is None else _text(tag["color_code"]))


def _records(value: Mapping[str, Any]) -> RecordsOfTag:
    return RecordsOfTag(_id(value["tag_id"]), tuple(map(_id, value["record_ids"])))


def _footer(value: Mapping[str, Any]) -> _Footer:
    return _Footer(value["end"]["tags"], dict(value["end"]["records"]), value["end"]["sha256"])


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _id(value: Any) -> str:
    text = _text(value)
    if not (text.isascii() and text.isdecimal()):
        raise ValueError
    return text


_KINDS: dict[str, Callable[[Mapping[str, Any]], _Part | None]] = {"format": _header, "tag": _tag, "tag_id": _records, "end": _footer}
