"""The place of a backup in an object storage."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from airflow_provider_zcrm.api.errors import InvalidArgument
from airflow_provider_zcrm.rules.arguments import shown
from airflow_provider_zcrm.rules.errors import InvalidBackup
from airflow_provider_zcrm.rules.tag_backup import LONGEST_LINE, Contents, check

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath


_STORAGES = "Other storages than files need Airflow's provider for them, such as apache-airflow-providers-amazon[s3fs] for s3://."


class BackupFile:
    """A backup of tags in an object storage that Airflow knows: ``file``, ``s3``, ``gs``, ``abfs`` and so on.

    :param path: such as ``s3://bucket/tags/Leads.jsonl``; a path without a scheme is a file of the worker.
    :param conn_id: the Airflow connection to the object storage, None for one that needs none.
    :raises InvalidArgument: it is no path of a file
    """

    def __init__(self, path: str | ObjectStoragePath, conn_id: str | None) -> None:
        from airflow.providers.common.compat.sdk import ObjectStoragePath

        text = str(path) if isinstance(path, ObjectStoragePath) else path
        if not isinstance(text, str) or text.strip() in ("", "None") or text.endswith("/"):
            raise InvalidArgument(
                f"backup_path is {shown(path)}.", advice="It is the path of a file, such as s3://bucket/tags/Leads.jsonl."
            )
        self.path = text
        self._conn_id = conn_id
        # on Airflow 2 a connection of None wins over the one that stands in the path
        arguments = {"conn_id": conn_id} if conn_id else {}
        try:
            self._storage: Any = ObjectStoragePath(text, **arguments)
        except ValueError as error:
            raise self._impossible(error) from None

    def exists(self) -> bool:
        """Return whether a file stands there.

        :raises InvalidArgument: something else does, or nothing can
        """
        try:
            kind = self._storage.fs.info(self._storage.path)["type"]
        except FileNotFoundError:
            kind = _dangling(Path(self._storage.path)) if self._is_local else None
            if kind is None:
                return False
        except NotADirectoryError:
            kind = "path below a file"
        except ValueError as error:
            raise self._impossible(error) from None
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.ENAMETOOLONG):
                raise
            kind = "link that points to itself" if error.errno == errno.ELOOP else "path: its name is too long"
        if kind != "file":
            raise InvalidArgument(f"{self.path} is not a file, but a {kind}.", advice="Set backup_path to the path of a file.")
        return True

    @contextmanager
    def lines(self) -> Iterator[Iterator[str]]:
        """Give the lines one by one, of a longer one than a backup has its beginning."""
        with self._storage.open("r", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            # before 3.1 Airflow's wrapper of a file is no iterator
            yield iter(partial(file.readline, LONGEST_LINE), "")

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

    def numbered(self, number: int) -> BackupFile:
        """Return the file beside this one that has the number in its name, such as ``Leads.2.jsonl``; this one for 1."""
        if number == 1:
            return self
        folder, slash, name = self.path.rpartition("/")
        parts = PurePosixPath(name)
        return BackupFile(f"{folder}{slash}{parts.stem}.{number}{parts.suffix}", self._conn_id)

    def create(self, source: Path, made_by: str) -> None:
        """Copy a local file to this place. It appears there as a whole, or not at all, and never in the place of another one.

        :param made_by: the task instance that writes; its draft in a folder has a name of its own, so that its next attempt replaces it.
        :raises FileExistsError: there is one already
        """
        if self._is_local:
            _create_local(source, Path(self._storage.path), made_by)
        elif self.exists():
            raise FileExistsError(self.path)
        else:
            # "create" is conditional in S3, Google Cloud Storage and Azure; other storages look before
            self._storage.fs.put_file(str(source), self._storage.path, mode="create")

    def remove_draft(self, made_by: str) -> None:
        """Remove what an attempt that was killed has left."""
        if self._is_local:
            _draft(Path(self._storage.path), made_by).unlink(missing_ok=True)

    def _impossible(self, error: ValueError) -> InvalidArgument:
        return InvalidArgument(f"backup_path is {shown(self.path)}: {error}.", advice=_STORAGES)

    @property
    def _is_local(self) -> bool:
        return self._storage.protocol in ("", "file", "local")


def _dangling(path: Path) -> str | None:
    """Return what a path is that leads over a link to nothing, None for one that does not."""
    link = next((place for place in (path, *path.parents) if place.is_symlink() and not place.exists()), None)
    if link is None:
        return None
    return "link that points to nothing" if link == path else "path below a link that points to nothing"


def _create_local(source: Path, target: Path, made_by: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = _draft(target, made_by)
    try:
        _copy(source, draft)
        try:
            target.hardlink_to(draft)
        except FileExistsError:
            raise
        except OSError:
            # some file systems have no links, such as buckets that are mounted
            _copy(source, target)
    finally:
        draft.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    """Copy a file to a place where none is; what it has of one that breaks off is removed."""
    with source.open("rb") as read, target.open("xb") as written:
        try:
            shutil.copyfileobj(read, written)
            written.flush()
            os.fsync(written.fileno())
        except BaseException:
            target.unlink()
            raise


def _draft(target: Path, made_by: str) -> Path:
    return target.with_name(f"backup-{hashlib.sha256(made_by.encode()).hexdigest()[:16]}.draft")
