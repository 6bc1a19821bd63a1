"""The place of a backup in an object storage."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from airflow_provider_zcrm.api.errors import InvalidArgument
from airflow_provider_zcrm.rules.errors import InvalidBackup
from airflow_provider_zcrm.rules.tag_backup import Contents, check

# the file systems in which a folder must be there before a file can be written into it
_HAVE_FOLDERS = ("", "file", "local")


class BackupFile:
    """A backup of tags in an object storage that Airflow knows: ``file``, ``s3``, ``gs``, ``abfs`` and so on.

    :param path: such as ``s3://bucket/tags/Leads.jsonl``; a path without a scheme is a file of the worker.
    :param conn_id: the Airflow connection to the object storage, None for one that needs none.
    :raises InvalidArgument: there is no path
    """

    def __init__(self, path: str, conn_id: str | None) -> None:
        from airflow.providers.common.compat.sdk import ObjectStoragePath

        if not isinstance(path, str) or path in ("", "None"):
            raise InvalidArgument(f"path is {path!r}; it must be the path of a backup, such as s3://bucket/tags/Leads.jsonl.")
        self.path = path
        self._storage: Any = ObjectStoragePath(path, conn_id=conn_id)

    def exists(self) -> bool:
        """Tell whether something stands there."""
        return bool(self._storage.exists())

    @contextmanager
    def lines(self) -> Iterator[Iterator[str]]:
        """Give the lines one by one."""
        with self._storage.open("r", encoding="utf-8", newline="\n") as file:
            # before 3.1 Airflow's wrapper of a file is no iterator
            yield iter(file.readline, "")

    def contents(self) -> Contents:
        """Read the whole backup and return what it holds.

        :raises InvalidBackup: it is none, or not whole
        """
        try:
            with self.lines() as lines:
                return check(lines)
        except InvalidBackup as error:
            error.message = f"{self.path}: {error.message}"
            raise

    def write(self, source: IO[str]) -> None:
        """Write the rest of a text file that was opened for reading, in one go."""
        if self._storage.protocol in _HAVE_FOLDERS:
            self._storage.parent.mkdir(parents=True, exist_ok=True)
        with self._storage.open("w", encoding="utf-8", newline="\n") as file:
            shutil.copyfileobj(source, file)
