"""The body of an answer, up to a limit: a gateway that never ends its page, or packs a gigabyte into a megabyte, fills no memory.

Both clients read here what came over the wire, because their libraries unpack without a limit.
"""

from __future__ import annotations

import zlib
from typing import Any

from airflow_provider_zcrm.api.errors import AnswerTooLarge, UnreadableResponse

LARGEST = 64 * 1024 * 1024
# how an answer may be packed, and what to say to get no other
ACCEPT_ENCODING = "gzip"
_PACKED = ("gzip", "x-gzip", "deflate")
# bytes to read at once
CHUNK = 64 * 1024


class AnswerBody:
    """Takes a body chunk by chunk.

    :param status: of the answer, for errors; so are ``method`` and ``path``.
    :param encoding: the header ``Content-Encoding``.
    :raises UnreadableResponse: it is packed in another way
    """

    def __init__(self, status: int, encoding: str, method: str, path: str) -> None:
        self._where: dict[str, Any] = {"status": status, "method": method, "path": path}
        encoding = encoding.strip().lower()
        if encoding not in ("", "identity", *_PACKED):
            raise UnreadableResponse(f"Zoho's answer is packed as {encoding[:20]!r}, which was not asked for.", **self._where)
        # zlib or gzip, whichever it finds
        self._unpacking = zlib.decompressobj(zlib.MAX_WBITS | 32) if encoding in _PACKED else None
        self._body = bytearray()

    def add(self, chunk: bytes) -> None:
        """Take what came.

        :raises AnswerTooLarge: it is more than `LARGEST` by now
        :raises UnreadableResponse: it cannot be unpacked
        """
        left = LARGEST - len(self._body)
        if self._unpacking:
            try:
                chunk = self._unpacking.decompress(chunk, left + 1)
            except zlib.error as error:
                raise self._broken(error) from None
        if len(chunk) > left:
            raise AnswerTooLarge(f"Zoho's answer is larger than {LARGEST // 1024**2} MiB.", **self._where)
        self._body += chunk

    def whole(self) -> bytes:
        """Return the body, when all has come.

        :raises UnreadableResponse: a packed one was cut off
        """
        if self._unpacking and self._body and not self._unpacking.eof:
            raise self._broken("it was cut off")
        return bytes(self._body)

    def _broken(self, reason: object) -> UnreadableResponse:
        return UnreadableResponse(f"Zoho's answer cannot be unpacked: {reason}.", **self._where)
