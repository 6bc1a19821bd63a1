"""Where processes and hosts share access tokens, and how one of them asks Zoho while the others wait.

A store that fails costs a warning and a token request, never the task. filelock is imported where there is a token to be asked for, once
an hour for all tasks: importing it takes as long as the calls of a task.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

log = logging.getLogger(__name__)

# longer than a holder needs for one token request
_LOCK_SECONDS = 90.0


class TokenStore(Protocol):
    """Keeps sealed values by name."""

    def get(self, name: str) -> str | None:
        """Return the value, None if there is none."""

    def put(self, name: str, value: str) -> None:
        """Keep the value, instead of an earlier one."""


class FileTokenStore:
    """Keeps sealed values as files of a directory that only its owner can read."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def get(self, name: str) -> str | None:
        """Return the value, None if there is none."""
        try:
            return (private_directory(self._directory) / name).read_text()
        except FileNotFoundError:
            return None

    def put(self, name: str, value: str) -> None:
        """Keep the value; a reader sees the old one or the new one, never a half."""
        directory = private_directory(self._directory)
        handle, unfinished = tempfile.mkstemp(dir=directory)  # mode 0600
        with os.fdopen(handle, "w") as file:
            file.write(value)
        Path(unfinished).replace(directory / name)


@dataclass(frozen=True)
class TokenSharing:
    """A store, and the directory of this host's locks.

    :param spread: upper bound of a random wait before the last look at the store, for a store that several hosts share.
    :param run: how to call the store from an event loop.
    """

    store: TokenStore
    directory: Path
    spread: float = 0.0
    run: Callable[..., Awaitable[Any]] = asyncio.to_thread

    def get(self, name: str) -> str | None:
        """Return what is stored, None also if the store fails."""
        try:
            return self.store.get(name)
        except Exception as error:  # noqa: BLE001 - a store is whatever the deployment has
            log.warning("The shared token store cannot be read (%s); Zoho is asked for a token.", _kind(error))
            return None

    def put(self, name: str, value: str) -> None:
        """Store a value, if the store can."""
        try:
            self.store.put(name, value)
        except Exception as error:  # noqa: BLE001 - a store is whatever the deployment has
            log.warning(
                "The shared token store cannot be written (%s); other processes will ask Zoho for tokens of their own.", _kind(error)
            )

    async def aget(self, name: str) -> str | None:
        """`get`, from an event loop."""
        value: str | None = await self.run(self.get, name)
        return value

    async def aput(self, name: str, value: str) -> None:
        """`put`, from an event loop."""
        await self.run(self.put, name, value)

    def waits(self) -> tuple[float, ...]:
        """Return the seconds to wait before each look at the store by the process that has the lock.

        First none: who stood in the queue finds the token there, and must not add a wait of its own to those of all behind it.
        """
        return (0.0, random.uniform(0.0, self.spread)) if self.spread else (0.0,)  # noqa: S311 - jitter, not cryptography

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Keep the other processes of this host out, if the file system allows it."""
        from filelock import FileLock

        lock = self._lock(name, FileLock)
        try:
            lock and lock.acquire(timeout=_LOCK_SECONDS)
        except OSError as error:  # filelock's time-out, too
            log.warning("No lock for the token request (%s); going on without.", _kind(error))
        try:
            yield
        finally:
            lock and lock.release()

    @asynccontextmanager
    async def aalone(self, name: str) -> AsyncIterator[None]:
        """`alone`, from an event loop."""
        from filelock import AsyncFileLock

        lock = self._lock(name, AsyncFileLock)
        try:
            lock and await lock.acquire(timeout=_LOCK_SECONDS)
        except OSError as error:  # filelock's time-out, too
            log.warning("No lock for the token request (%s); going on without.", _kind(error))
        try:
            yield
        finally:
            lock and await lock.release()

    def _lock(self, name: str, kind: Any) -> Any:
        try:
            return kind(private_directory(self.directory) / f"{name}.lock")
        except OSError as error:
            log.warning("No directory for locks (%s); going on without.", _kind(error))
            return None


def private_directory(path: Path) -> Path:
    """Return the directory, made if needed, that belongs to this user and that nobody else can read.

    :raises PermissionError: it belongs to somebody else, or is open to others
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if found.st_uid != os.getuid() or found.st_mode & 0o077 or path.is_symlink():
        raise PermissionError(f"{path} must be a directory of this user's, closed to others (mode 0700)")
    return path


def _kind(error: BaseException) -> str:
    """Return an error without its text where that is not ours: a store might quote what it was given."""
    return str(error) if isinstance(error, OSError) else type(error).__name__
