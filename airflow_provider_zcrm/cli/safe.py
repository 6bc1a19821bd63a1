"""A place for what a grant code brings, until it is delivered.

A code works once, so a refresh token that is lost between Zoho's answer and the connection costs the person all the steps again. The
file is made, with mode 0600 and with its whole size on the disk, before the code is sent: a disk that is full, or a folder that may not
be written, refuses the command while the code is still good. The token stands in it before anything else happens, so it outlives a kill.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from airflow_provider_zcrm.cli.usage import Usage

# more than a connection of Zoho's has
_SIZE = 65_536
_STOPS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Safe:
    """A file that holds the connection until it is delivered.

    :ivar path: of the file.
    :ivar full: whether the connection is in it.
    :ivar reported: whether an error says where it is.
    :raises Usage: the file cannot be made
    """

    def __init__(self, conn_id: str) -> None:
        self.full = False
        self.reported = False
        self._file = -1
        name = ""
        try:
            self._file, name = tempfile.mkstemp(prefix=f"zoho-crm-connection-{conn_id}-", suffix=".json")  # mode 0600
            self._write(b"")
        except OSError as error:
            if name:
                os.close(self._file)
                Path(name).unlink()
            raise Usage(
                f"{tempfile.gettempdir()} cannot be written ({error.strerror}), and what the grant code brings must be safe there until it "
                "is delivered. Zoho was not asked. TMPDIR names another folder."
            ) from None
        self.path = Path(name)

    def keep(self, connection: Mapping[str, Any]) -> None:
        """Put the connection into the file; returns when it is on the disk."""
        self._write(json.dumps(connection).encode())
        self.full = True

    def remove(self) -> None:
        """Remove the file: the connection is delivered, or there is none."""
        self.full = False
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file, and remove it unless it holds a connection."""
        os.close(self._file)
        if not self.full:
            self.remove()

    def _write(self, text: bytes) -> None:
        if len(text) > _SIZE - 1:
            raise OSError(0, "the connection is too long")
        # one write, over what is there already: it needs no more room on the disk, and there is no moment at which the file is empty
        os.pwrite(self._file, text.ljust(_SIZE - 1) + b"\n", 0)
        os.fsync(self._file)


@contextmanager
def safe_for(conn_id: str) -> Iterator[Safe]:
    """Give a safe. Whatever ends the block, what is in it then stays in its file, and the last line says where.

    A request to terminate ends the block as Ctrl-C does.
    """
    safe = Safe(conn_id)
    try:
        with _handled(_interrupt):
            yield safe
    finally:
        # nothing that comes now may hide where it is
        with _handled(lambda _signal, _frame: None):
            safe.close()
            if safe.full and not safe.reported:
                with suppress(OSError):
                    sys.stderr.write(
                        f"\nWhat the grant code brought is kept in {safe.path}, mode 0600: a connection as JSON, which "
                        "'airflow connections add --conn-json' takes. Delete the file when it is no longer needed.\n"
                    )


@contextmanager
def not_interrupted() -> Iterator[None]:
    """Put off Ctrl-C and requests to terminate until the block is done."""
    came: list[int] = []

    def later(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        with suppress(OSError):
            os.write(2, b"\nThe code is on its way: waiting for Zoho's answer, so that it is not lost.\n")

    with _handled(later):
        yield
    if came:
        raise KeyboardInterrupt


@contextmanager
def _handled(handler: Any) -> Iterator[None]:
    before: dict[int, Any] = {}
    # signals are for the main thread alone
    with suppress(ValueError):
        for number in _STOPS:
            if signal.getsignal(number) != signal.SIG_IGN:
                before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
