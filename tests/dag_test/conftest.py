"""An Airflow without components, whatever its version: a home, a database, and the command line, which runs whole DAGs in one process."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from tests.airflow_task import IS_AIRFLOW_2
from tests.conftest import connection_json

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "example_dags"


class Airflow:
    """The command line of an Airflow with a database of its own; the connection zoho_crm_default points at the emulator.

    :param folder: an empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self.deprecations = folder / "deprecations.txt"
        self._folder = folder
        self._dags = folder / "dags"
        self._dags.mkdir()
        for dag in (*EXAMPLES.glob("*.py"), *(HERE / "dags").glob("*.py")):
            (self._dags / dag.name).symlink_to(dag)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        self._env = kept | {
            "AIRFLOW_HOME": str(folder / "home"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self._dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder}/airflow.db",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "SCARF_ANALYTICS": "false",
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
            "PYTHONPATH": str(HERE / "watch"),
            "DEPRECATIONS": str(self.deprecations),
        }
        self._commands = subprocess.Popen(
            [sys.executable, HERE / "commands.py"], env=self._env, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def connect(self, emulator: EmulatorServer, conn_id: str = "zoho_crm_default") -> None:
        """Point a connection at an emulator."""
        self.set_connection(conn_id, connection_json(emulator.url))

    def set_connection(self, conn_id: str, value: str) -> None:
        """Make a connection of any type."""
        self._env[f"AIRFLOW_CONN_{conn_id.upper()}"] = value

    def run(self, *arguments: str) -> str:
        """Run an ``airflow`` command, and return what it has written; fails if the command does."""
        done = self._run(*arguments)
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]
        return done.stdout

    def log_of(self, dag_id: str, conf: dict[str, Any], *, well: bool = True, env: Mapping[str, str] | None = None) -> str:
        """Run a DAG to its end, and return all that was logged.

        :param well: whether it ends well; the other end fails here.
        :param env: environment variables of this run.
        """
        done = self._run("dags", "test", "--conf", json.dumps(conf), dag_id, env=env)
        log = done.stdout + done.stderr
        assert (done.returncode == 0) is well, log[-9000:]
        return log

    def assets_with_events(self) -> set[str]:
        """Return the URIs of all assets for which there was an event."""
        kind = "dataset" if IS_AIRFLOW_2 else "asset"
        with closing(sqlite3.connect(self._folder / "airflow.db")) as database:
            found = database.execute(f"SELECT uri FROM {kind} JOIN {kind}_event ON {kind}.id = {kind}_event.{kind}_id")
            return {uri for (uri,) in found}

    def close(self) -> None:
        """End the process of the commands."""
        self._commands.terminate()
        self._commands.communicate()

    def _run(self, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command; one with an environment of its own gets a process of its own, because Airflow reads its settings once."""
        if env:
            command = [sys.executable, "-m", "airflow", *arguments]
            return subprocess.run(command, env=self._env | env, capture_output=True, text=True, timeout=600, cwd=self._folder, check=False)
        outputs = [self._folder / "stdout.txt", self._folder / "stderr.txt"]
        order = {"arguments": arguments, "env": self._env, "outputs": list(map(str, outputs))}
        assert self._commands.stdin
        assert self._commands.stdout
        self._commands.stdin.write(json.dumps(order) + "\n")
        self._commands.stdin.flush()
        code = self._commands.stdout.readline()
        assert code, "the process of the commands has died"
        return subprocess.CompletedProcess(arguments, int(code), *(output.read_text() for output in outputs))


@pytest.fixture(scope="session")
def _airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    made = Airflow(tmp_path_factory.mktemp("dag_test"))
    try:
        made.run("db", "migrate")
        if IS_AIRFLOW_2:
            # dag.test() of Airflow 2 takes it for granted that the database knows the asset aliases of the DAGs
            made.run("dags", "reserialize")
        yield made
    finally:
        made.close()


@pytest.fixture
def airflow(_airflow: Airflow, emulator: Control, emulator_server: EmulatorServer) -> Iterator[Airflow]:
    """The command line, with a fresh emulator; in the end no deprecation warning may have been ours."""
    _airflow.connect(emulator_server)
    yield _airflow
    assert not _airflow.deprecations.exists(), _airflow.deprecations.read_text()
