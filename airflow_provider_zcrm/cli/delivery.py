"""What becomes of a connection: created in Airflow, or written as JSON or URI.

It holds secrets in clear. A file is made with mode 0600; a terminal, whose scrollback and recordings outlive the moment, gets it only
on the explicit ``--file -``. It is created in Airflow through Airflow's own model and session, as ``airflow connections add`` does:
so only where that command works, which on Airflow 3 is not in tasks, workers or the triggerer.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from airflow_provider_zcrm.cli.stdout import is_terminal, print_out
from airflow_provider_zcrm.cli.usage import Usage

STDOUT = "-"


class Destination(Protocol):
    """Where a connection goes."""

    def prepare(self) -> Mapping[str, Any]:
        """Make sure that `deliver` will work, before a code is used up, and return ``extra`` of the connection that is replaced, if any.

        :raises Usage: it will not
        """

    def deliver(self, connection: Mapping[str, Any]) -> str:
        """Bring the connection there, and say in a sentence what was done."""


def destination_of(to: str, conn_id: str, file: str | None, *, replace: bool) -> Destination:
    """Return where a connection goes.

    :param to: ``airflow``, ``json`` or ``uri``.
    :param file: a path, ``-`` for stdout, or None for stdout if that is no terminal.
    :param replace: whether a connection or a file that is there may be replaced.
    :raises Usage: the arguments do not go together
    """
    if not re.fullmatch(r"[\w.-]{1,200}", conn_id, re.ASCII):
        raise Usage(f"{conn_id!r} cannot be the id of a connection: letters, digits, _, - and . are allowed, at most 200.")
    if to == "airflow":
        if file:
            raise Usage("--file goes with --to json or --to uri.")
        return InAirflow(conn_id, replace)
    if file in (None, STDOUT):
        return OnStdout(conn_id, to, explicit=file == STDOUT)
    return InFile(conn_id, to, Path(str(file)), replace)


@dataclass(frozen=True)
class InAirflow:
    """Airflow's metadata database."""

    conn_id: str
    replace: bool

    def prepare(self) -> Mapping[str, Any]:
        """See whether the database answers, and whether the id is free."""
        from airflow.models.connection import Connection
        from airflow.utils.session import create_session

        try:
            with create_session() as session:
                old = session.query(Connection).filter_by(conn_id=self.conn_id).first()
                extra = _extra(old)
        except Exception as error:
            raise Usage(
                f"Airflow's metadata database does not answer ({type(error).__name__}). A new Airflow needs 'airflow db migrate'. Run "
                "this where 'airflow connections add' works, or write the connection to a file: --to json --file connection.json"
            ) from error
        if old and not self.replace:
            raise Usage(f"Airflow has a connection {self.conn_id} already. --replace puts the new one in its place; or give another id.")
        return extra

    def deliver(self, connection: Mapping[str, Any]) -> str:
        """Create it.

        :raises Usage: another one has come to be since `prepare`
        """
        from airflow.models.connection import Connection
        from airflow.utils.session import create_session

        try:
            with create_session() as session:
                replaced = session.query(Connection).filter_by(conn_id=self.conn_id).delete() if self.replace else 0
                session.add(Connection(conn_id=self.conn_id, **{**connection, "extra": json.dumps(connection["extra"])}))
        except Exception as error:
            # SQLAlchemy's word for an id that is taken
            if type(error).__name__ == "IntegrityError":
                raise Usage(f"somebody else has just created a connection {self.conn_id} in Airflow") from None
            raise
        variable = f"AIRFLOW_CONN_{self.conn_id.upper()}"
        shadow = f" But the environment variable {variable} is set, and Airflow uses that one first." if variable in os.environ else ""
        return f"The connection {self.conn_id} is {'replaced' if replaced else 'created'} in Airflow.{shadow}"


@dataclass(frozen=True)
class OnStdout:
    """Standard output."""

    conn_id: str
    form: str
    explicit: bool

    def prepare(self) -> Mapping[str, Any]:
        """Refuse a terminal that was not asked for."""
        if is_terminal() and not self.explicit:
            raise Usage(
                "The connection holds secrets, and stdout is a terminal. Write it to a file with --file connection.json (mode 0600), or "
                "show it all the same with --file -"
            )
        return {}

    def deliver(self, connection: Mapping[str, Any]) -> str:
        """Print it."""
        print_out(_text(self.form, connection))
        return f"The connection is printed, for AIRFLOW_CONN_{self.conn_id.upper()} or a secrets backend."


@dataclass(frozen=True)
class InFile:
    """A file of this user's, closed to others."""

    conn_id: str
    form: str
    path: Path
    replace: bool

    def prepare(self) -> Mapping[str, Any]:
        """See whether the file can be made."""
        if self.path.exists() and not self.replace:
            raise Usage(f"{self.path} is there already. --replace overwrites it; or give another name.")
        if self.path.is_dir() or not os.access(self.path.parent, os.W_OK | os.X_OK):
            raise Usage(f"{self.path} cannot be written.")
        return _extra(_read(self.path)) if self.path.exists() else {}

    def deliver(self, connection: Mapping[str, Any]) -> str:
        """Write it; who reads the name sees the old file or the new one.

        :raises Usage: another file has come to be since `prepare`
        """
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")  # mode 0600
        unfinished = Path(name)
        try:
            with os.fdopen(handle, "w") as file:
                file.write(f"{_text(self.form, connection)}\n")
                file.flush()
                os.fsync(file.fileno())
            if self.replace:
                unfinished.replace(self.path)
            else:
                self._put(unfinished)
        finally:
            unfinished.unlink(missing_ok=True)
        return f"The connection is in {self.path} (mode 0600), for AIRFLOW_CONN_{self.conn_id.upper()} or a secrets backend."

    def _put(self, finished: Path) -> None:
        try:
            self.path.hardlink_to(finished)
        except FileExistsError:
            raise Usage(f"{self.path} has just been created by somebody else") from None
        except OSError:
            # some file systems have no links
            with os.fdopen(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(finished.read_text())
                file.flush()
                os.fsync(file.fileno())


def _read(path: Path) -> Any:
    """Return the connection in a file, as `_text` writes one; None if there is none in it."""
    from airflow.models.connection import Connection

    try:
        text = path.read_text().strip()
        return Connection.from_json(text) if text.startswith("{") else Connection(uri=text)
    except Exception:  # noqa: BLE001 - the kinds differ between the versions of Airflow
        return None


def _extra(old: Any) -> dict[str, Any]:
    """Return the fields of a connection of Airflow's; none of one of another type, or one that cannot be read any more."""
    try:
        extra = old.extra_dejson if old and old.conn_type == "zoho_crm" else {}
    except Exception:  # noqa: BLE001 - the kinds differ between the versions of Airflow
        return {}
    return {name: value for name, value in extra.items() if value not in (None, "")} if isinstance(extra, dict) else {}


def _text(form: str, connection: Mapping[str, Any]) -> str:
    if form == "json":
        return json.dumps(connection)
    from airflow.providers.common.compat.sdk import Connection

    return str(Connection(conn_id="any", **{**connection, "extra": json.dumps(connection["extra"])}).get_uri())
