"""The body of an answer, up to a limit: a page without an end, or a gigabyte packed into a megabyte, fills no memory and no disk.

Both clients read here what came over the wire, because their libraries unpack without a limit.
"""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, BinaryIO, Self

from airflow_provider_zcrm.api.call import ApiResponse
from airflow_provider_zcrm.api.errors import AnswerTooLarge, UnreadableResponse

LARGEST = 64 * 1024 * 1024
# of an export of 200,000 records with 10 tags each, packed, there are some 20 MiB
LARGEST_FILE = 256 * 1024 * 1024
# how an answer may be packed, and what to say to get no other
ACCEPT_ENCODING = "gzip"
_PACKED = ("gzip", "x-gzip", "deflate")
# bytes to read or unpack at once
CHUNK = 64 * 1024


class AnswerBody:
    """Takes a body chunk by chunk; a context manager that closes the file of one that does not come to its end.

    :param status: of the answer.
    :param headers: of the answer, with their names in lower case.
    :param method: of the request, for errors; so is ``path``.
    :param to_file: keep the body of a good answer in a file that has no name, so that nothing is left of it whatever happens.
    :raises UnreadableResponse: it is packed in a way that was not asked for
    :raises AnswerTooLarge: no file can be made
    """

    def __init__(self, status: int, headers: dict[str, str], method: str, path: str, *, to_file: bool) -> None:
        self._status, self._headers = status, headers
        self._where: dict[str, Any] = {"status": status, "method": method, "path": path}
        encoding = headers.get("content-encoding", "").strip().lower()
        if encoding not in ("", "identity", *_PACKED):
            raise UnreadableResponse(f"Zoho's answer is packed as {encoding[:20]!r}, which was not asked for.", **self._where)
        # zlib or gzip, whichever it finds
        self._unpacking = zlib.decompressobj(zlib.MAX_WBITS + 32) if encoding in _PACKED else None
        self._body = bytearray()
        self._size = 0
        self._file: BinaryIO | None = self._on_disk(tempfile.TemporaryFile) if to_file and status == 200 else None
        self._largest = LARGEST_FILE if self._file else LARGEST

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error and self._file:
            # closing writes what is left, for which there may be no room
            with suppress(OSError):
                self._file.close()

    def add(self, chunk: bytes) -> None:
        """Take what came.

        :raises AnswerTooLarge: it is more by now than may be held, or than the disk has room for
        :raises UnreadableResponse: it cannot be unpacked
        """
        for piece in self._unpacked(self._unpacking, chunk) if self._unpacking else (chunk,):
            self._size += len(piece)
            if self._size > self._largest:
                raise AnswerTooLarge(f"Zoho's answer is larger than {self._largest // 1024**2} MiB.", **self._where)
            if self._file is None or len(self._body) < CHUNK:
                self._body += piece
            if self._file:
                self._on_disk(self._file.write, piece)

    def response(self) -> ApiResponse:
        """Return the answer, when all has come.

        :raises UnreadableResponse: a packed body was cut off
        :raises AnswerTooLarge: the disk has no room for the end of it
        """
        if self._unpacking and self._size and not self._unpacking.eof:
            raise self._broken("it was cut off")
        if self._file:
            self._on_disk(self._file.seek, 0)
        return ApiResponse(self._status, self._headers, bytes(self._body), self._file)

    def _unpacked(self, unpacking: zlib._Decompress, chunk: bytes) -> Iterator[bytes]:
        while True:
            try:
                piece = unpacking.decompress(chunk, CHUNK)
            except zlib.error as error:
                raise self._broken(error) from None
            yield piece
            chunk = unpacking.unconsumed_tail
            # a full piece may have more behind it, even if all that came was taken
            if len(piece) < CHUNK:
                return

    def _on_disk(self, step: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return step(*arguments)
        except OSError as error:
            reason = error.strerror
        raise AnswerTooLarge(
            f"Zoho's answer cannot be kept in a file of this machine: {reason}.",
            advice="The folder for temporary files, which TMPDIR names, needs some hundred megabytes.",
            **self._where,
        )

    def _broken(self, reason: object) -> UnreadableResponse:
        return UnreadableResponse(f"Zoho's answer cannot be unpacked: {reason}.", **self._where)
