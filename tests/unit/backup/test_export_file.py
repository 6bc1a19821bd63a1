"""The ZIP file of an export: it is read as a stream, and whatever it is, it is read or refused by one of our errors."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_zcrm.api.bulk_read import LONGEST_ROW
from airflow_provider_zcrm.api.errors import NotSupported, ZohoCrmError
from airflow_provider_zcrm.api.records import TaggedRecord
from airflow_provider_zcrm.backup import export_file
from airflow_provider_zcrm.backup.export_file import read_export
from airflow_provider_zcrm.rules.errors import JobFailed

MIB = 1024 * 1024
# in a list of files, where the size of the first one when it is unpacked stands, and how it is packed
SIZE, METHOD, FLAGS = 24, 10, 8


def packed(*files: str | bytes, method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for number, content in enumerate(files):
            archive.writestr(f"{number}.csv", content)
    return file


def changed(file: io.BytesIO, at: int, value: bytes) -> io.BytesIO:
    """Change what the list of files says of the first one."""
    body = bytearray(file.getvalue())
    start = body.index(b"PK\x01\x02") + at
    body[start : start + len(value)] = value
    return io.BytesIO(bytes(body))


def read(file: io.BytesIO) -> list[TaggedRecord]:
    return list(read_export(file))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("content", ['Id,Tag\n11,"hot,VIP"\n12,\n', b'\xef\xbb\xbfId,Tag\r\n11,"hot,VIP"\r\n12,'])
def test_the_rows_of_the_file_are_read(content: str | bytes, method: int) -> None:
    assert read(packed(content, method=method)) == [TaggedRecord("11", ("hot", "VIP")), TaggedRecord("12", ())]


def test_an_export_is_read_as_a_stream() -> None:
    rows = "".join(f"{1000 + number},{'hot' * 1000}\n" for number in range(3_000))
    file = packed("Id,Tag\n" + rows)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        assert sum(1 for _ in read_export(file)) == 3_000
        assert tracemalloc.get_traced_memory()[1] - before < MIB
    finally:
        tracemalloc.stop()


def test_a_row_without_an_end_is_refused_and_not_held() -> None:
    file = packed(b"Id,Tag\n" + b" " * 16 * MIB)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        with pytest.raises(NotSupported, match="100000 characters or more"):
            read(file)
        assert tracemalloc.get_traced_memory()[1] - before < 2 * MIB
    finally:
        tracemalloc.stop()


def test_a_row_of_many_lines_is_refused_too() -> None:
    with pytest.raises(NotSupported, match="characters or more"):
        read(packed('Id,Tag\n11,"' + "\n" * (LONGEST_ROW + 1) + '"\n'))
    with pytest.raises(NotSupported, match="characters or more"):
        read(packed("Id,Tag\n11,x" + ',"\n"' * LONGEST_ROW))


def test_what_is_too_large_when_it_is_unpacked_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_file, "LARGEST", MIB)
    with pytest.raises(JobFailed, match="larger than 1 MiB when it is unpacked"):
        read(packed("Id,Tag\n" + "11,hot\n" * MIB))


def test_what_is_larger_than_it_says_is_not_read_beyond_that() -> None:
    file = packed("Id,Tag\n" + "11,hot\n" * MIB)
    with pytest.raises(JobFailed, match="no whole ZIP file"):
        read(changed(file, SIZE, struct.pack("<L", 7 * 1000)))


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (packed(), "0 files"),
        (packed("Id,Tag\n", "Id,Tag\n"), "2 files"),
        (packed(*["x"] * 20_000), "many files"),
        (packed("Id,Tag\n", method=zipfile.ZIP_BZIP2), "packed by method 12"),
        (packed("Id,Tag\n", method=zipfile.ZIP_LZMA), "packed by method 14"),
        (changed(packed("Id,Tag\n"), METHOD, b"\x63"), "packed by method 99"),
        (changed(packed("Id,Tag\n"), FLAGS, b"\x01"), "encrypted"),
        (packed(b"Id,Tag\n11,\xff\xfe\n"), "decode"),
        (io.BytesIO(packed("Id,Tag\n" + "11,hot\n" * 100).getvalue()[:-30]), "no whole ZIP file"),
        (io.BytesIO(b"PK\x03\x04"), "no whole ZIP file"),
    ],
)
def test_what_is_no_export_of_zohos_is_refused(file: io.BytesIO, sentence: str) -> None:
    with pytest.raises(JobFailed, match=sentence):
        read(file)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "no column Id or Tag"),
        ("Id,Name\n", "no column Id or Tag"),
        ("Id,Tag\n11\n", "has 1 columns and not 2"),
        ("Id,Tag\n11,hot,VIP\n", r"has 3 columns and not 2: \['11', 'hot', 'VIP'\]"),
        ("Id,Tag\neleven,hot\n", "no id of a record"),
        ("Id,Tag\n,hot\n", "no id of a record"),
        (f"Id,Tag\n{'1' * 20},hot\n", "no id of a record"),
        ("Id,Tag\n\N{ARABIC-INDIC DIGIT ONE},hot\n", "no id of a record"),
    ],
)
def test_a_csv_file_about_something_else_is_refused(content: str, sentence: str) -> None:
    with pytest.raises(NotSupported, match=sentence):
        read(packed(content))


EXPORT = packed('Id,Tag\n11,"hot,VIP"\n12,\n' * 3).getvalue()


@given(st.lists(st.tuples(st.integers(0, len(EXPORT) - 1), st.integers(0, 255)), min_size=1, max_size=6), st.integers(0, len(EXPORT)))
def test_a_damaged_file_is_read_or_refused_by_one_of_our_errors(changes: list[tuple[int, int]], end: int) -> None:
    body = bytearray(EXPORT)
    for at, value in changes:
        body[at] = value
    for damaged in (bytes(body), bytes(body[:end]), bytes(body[end:])):
        with suppress(ZohoCrmError):
            read(io.BytesIO(damaged))


@given(st.text(max_size=40) | st.text(alphabet='"\n\r,\0Idag1', max_size=40))
def test_any_text_is_read_or_refused_by_one_of_our_errors(text: Any) -> None:
    for content in (text, "Id,Tag\n" + text):
        with suppress(ZohoCrmError):
            read(packed(content.encode("utf-8", "surrogatepass")))
