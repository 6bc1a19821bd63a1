"""The result of an export: the rows of the one CSV file in a ZIP file, read as a stream, whatever the file claims to be."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from airflow_provider_zcrm.api.bulk_read import LONGEST_ROW, read_rows
from airflow_provider_zcrm.api.records import TaggedRecord
from airflow_provider_zcrm.rules.errors import JobFailed

# Of the CSV file, in bytes: 200,000 records with 10 tags each have some 60 MiB
LARGEST = 1024 * 1024 * 1024
# Of what is read of the ZIP file at once, in bytes: its list of files is, and that of one file has some hundred bytes
_AT_ONCE = 1024 * 1024
# zipfile raises each of these for one or another kind of damage, and RuntimeError for a password
_DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, OverflowError, RuntimeError)


def read_export(file: BinaryIO) -> Iterator[TaggedRecord]:
    """Yield the records of an export with the names of their tags.

    :raises JobFailed: it is no ZIP file with a CSV file in it, damaged, or larger than Zoho's are
    :raises NotSupported: the CSV file is not about records and tags
    """
    try:
        with zipfile.ZipFile(_ReadInParts(file)) as archive:
            infos = archive.infolist()
            if len(infos) != 1:
                raise JobFailed(f"The result of Zoho's export is a ZIP file with {len(infos)} files in it, and not one.")
            if infos[0].file_size > LARGEST:
                raise JobFailed(f"The result of Zoho's export is larger than {LARGEST // 1024**2} MiB when it is unpacked.")
            # of others zipfile may unpack much at once
            if infos[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise JobFailed(f"The result of Zoho's export is packed by method {infos[0].compress_type}, which Zoho does not use.")
            with archive.open(infos[0]) as packed:
                text = io.TextIOWrapper(packed, encoding="utf-8-sig", newline="")
                yield from read_rows(iter(partial(text.readline, LONGEST_ROW), ""))
    except _DAMAGED as error:
        raise JobFailed(f"The result of Zoho's export is no whole ZIP file: {error}.") from None


class _ReadInParts:
    """A file of which nobody reads much at once, so that a long list of files is refused and not held."""

    def __init__(self, file: BinaryIO) -> None:
        self.seek, self.tell, self.seekable, self._read = file.seek, file.tell, file.seekable, file.read

    def read(self, size: int = -1) -> bytes:
        if size > _AT_ONCE:
            raise JobFailed("The result of Zoho's export is a ZIP file with many files in it, and not one.")
        # zipfile reads to the end only what is near it
        return self._read(size if size >= 0 else _AT_ONCE)
