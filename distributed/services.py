"""PostgreSQL and Redis from the system's packages, on free ports, with their data in a folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from demo.local_airflow import reserved_port
from demo.processes import DemoFailed, Processes

_POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


class PostgreSql:
    """A database server that ends with the processes. PostgreSQL refuses to run as root, who hands it over to the user postgres.

    Its data lies in a temporary folder, because that user may not be let into this one.
    """

    def __init__(self, processes: Processes) -> None:
        if not _POSTGRES:
            raise DemoFailed("PostgreSQL is not installed: apt-get install postgresql.")
        self._processes = processes
        self._temporary = tempfile.TemporaryDirectory(prefix="zcrm-postgresql-", ignore_cleanup_errors=True)
        self._folder = Path(self._temporary.name)
        self.port = reserved_port()
        self._as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []

    def start(self) -> str:
        """Make the database, and return its URL for SQLAlchemy."""
        if self._as_user:
            shutil.chown(self._folder, "postgres")
        data = self._folder / "data"
        self._run("initdb", "-D", str(data), "-A", "trust", "-U", "airflow", "--no-sync")
        options = ["-D", data, "-p", self.port, "-h", "127.0.0.1", "-k", self._folder, "-c", "fsync=off", "-c", "max_connections=300"]
        self._processes.start("postgresql", [*self._as_user, str(_POSTGRES[-1] / "postgres"), *map(str, options)], dict(os.environ))
        ready = [str(_POSTGRES[-1] / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        self._processes.wait_until(lambda: subprocess.run(ready, check=False).returncode == 0, 30, "PostgreSQL")
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "airflow", "airflow")
        return f"postgresql+psycopg2://airflow@127.0.0.1:{self.port}/airflow"

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as_user, str(_POSTGRES[-1] / program), *arguments]
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise DemoFailed(f"{program} has failed: {done.stderr.strip()}")


class Redis:
    """A broker that keeps its queue over a restart."""

    def __init__(self, processes: Processes, folder: Path) -> None:
        if not shutil.which("redis-server"):
            raise DemoFailed("Redis is not installed: apt-get install redis-server.")
        self._processes = processes
        self._folder = folder
        self.port = reserved_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, with the queue that an earlier one has left."""
        self._folder.mkdir(exist_ok=True)
        options = ["--port", self.port, "--bind", "127.0.0.1", "--dir", self._folder, "--appendonly", "yes", "--save", ""]
        self._processes.start("redis", ["redis-server", *map(str, options)], dict(os.environ))
        ping = ["redis-cli", "-p", str(self.port), "ping"]
        self._processes.wait_until(lambda: b"PONG" in subprocess.run(ping, capture_output=True, check=False).stdout, 30, "Redis")

    def kill(self) -> None:
        """Kill it."""
        self._processes.kill("redis")
