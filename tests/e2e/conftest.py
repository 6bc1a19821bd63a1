"""One real Airflow for all end-to-end tests: scheduler, dag-processor, triggerer, api-server, on SQLite with the LocalExecutor."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from demo.local_airflow import COMPONENTS, LocalAirflow
from demo.processes import Processes
from tests.conftest import CLIENT_SECRET, REFRESH_TOKEN, connection_json

DAGS = Path(__file__).parent / "dags"
_OVER = ("success", "failed", "upstream_failed", "skipped")


class RealAirflow:
    """A running Airflow, and the emulator that its connection points at."""

    def __init__(self, airflow: LocalAirflow, processes: Processes, emulator: EmulatorServer) -> None:
        self.airflow = airflow
        self.processes = processes
        self.emulator = emulator.control
        self._world = emulator._emulator
        self._tokens: set[str] = set()

    @property
    def access_tokens(self) -> set[str]:
        """Every access token that the emulator has granted for this Airflow, in all its worlds."""
        self._tokens |= set(self._world.world.state.access_tokens)
        return self._tokens

    def start(self, dag_id: str, **conf: Any) -> DagRun:
        """Start a run of a DAG."""
        self.airflow.wait_for_dag(dag_id)
        self.airflow.call("PATCH", f"/dags/{dag_id}", {"is_paused": False})
        run = self.airflow.call("POST", f"/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf})
        return DagRun(self, f"/dags/{dag_id}/dagRuns/{run['dag_run_id']}")

    def connect(self, conn_id: str, server: EmulatorServer) -> None:
        """Make a connection to an emulator, as a user would in the form."""
        value = json.loads(connection_json(server.url, shared_store="variable"))
        self.airflow.call("POST", "/connections", {"connection_id": conn_id, **value, "extra": json.dumps(value["extra"])})

    def restart(self, component: str) -> None:
        """Kill a component with SIGKILL and start it again."""
        self.processes.kill(component)
        self.processes.start(component, self.airflow.command(*COMPONENTS[component]), self.airflow.env)

    def secrets_in_files(self) -> list[tuple[str, str]]:
        """Search every file that Airflow has written (database, logs of tasks and of components) for every secret that it was given."""
        secrets = [CLIENT_SECRET, REFRESH_TOKEN, "Zoho-oauthtoken", *self.access_tokens]
        files = {path: path.read_bytes() for path in self.airflow.home.parent.rglob("*") if path.is_file()}
        return [(path.name, secret[:12]) for path, content in files.items() for secret in secrets if secret.encode() in content]


class DagRun:
    """A run of a DAG, seen through the REST API."""

    def __init__(self, real: RealAirflow, path: str) -> None:
        self._real = real
        self._path = path

    def tasks(self) -> dict[str, dict[str, Any]]:
        """Return the task instances by id, mapped ones as ``id[index]``."""
        found = self._real.airflow.call("GET", f"{self._path}/taskInstances")["task_instances"]
        return {each["task_id"] + (f"[{each['map_index']}]" if each["map_index"] >= 0 else ""): each for each in found}

    def wait(self, done: Callable[[], bool] | None = None, seconds: float = 120) -> str:
        """Wait until the run is over, or something else is true, and return the run's state."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            state: str = self._real.airflow.call("GET", self._path)["state"]
            if done() if done else state in _OVER:
                return state
            self._real.processes.check()
            time.sleep(0.5)
        raise AssertionError(f"in vain: { ({name: task['state'] for name, task in self.tasks().items()}) }")

    def wait_for(self, task: str, state: str) -> None:
        """Wait until a task is in a state."""
        self.wait(lambda: self.tasks().get(task, {}).get("state") == state)

    def xcom(self, task: str, key: str = "return_value", map_index: int = -1) -> Any:
        """Return an XCom of a task."""
        path = f"{self._path}/taskInstances/{task}/xcomEntries/{key}"
        value = self._real.airflow.call("GET", path, map_index=str(map_index), stringify="false")["value"]
        return json.loads(value) if isinstance(value, str) and value[:1] in "[{" else value

    def clear(self, task: str) -> None:
        """Clear a task, as a user does in the UI."""
        dag, _, run = self._path.removeprefix("/dags/").partition("/dagRuns/")
        body = {"dry_run": False, "task_ids": [task], "dag_run_id": run, "only_failed": False, "reset_dag_runs": True}
        self._real.airflow.call("POST", f"/dags/{dag}/clearTaskInstances", body)

    def log(self, task: str) -> str:
        """Return what all tries of a task have logged."""
        run = self._path.rpartition("/")[2]
        return "".join(
            path.read_text() for path in self._real.airflow.task_logs() if f"run_id={run}" in str(path) and f"task_id={task}/" in f"{path}/"
        )

    def starts(self, task: str) -> int:
        """Return how often a task was started on a worker."""
        return self.log(task).count("::group::Pre Execute")


@contextmanager
def restored_signals() -> Iterator[None]:
    """Give the handlers of signals back to pytest, which `Processes` takes."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.fixture(scope="session")
def running_airflow(tmp_path_factory: pytest.TempPathFactory, emulator_server: EmulatorServer) -> Iterator[RealAirflow]:
    folder = tmp_path_factory.mktemp("real")
    with restored_signals():
        processes = Processes(folder)
        airflow = LocalAirflow(processes, folder / "home", DAGS)
        airflow.env["AIRFLOW__ZOHO_CRM__SETTLE"] = "8"
        try:
            airflow.migrate()
            airflow.start()
            real = RealAirflow(airflow, processes, emulator_server)
            real.connect("zoho_crm_default", emulator_server)
            yield real
            assert real.secrets_in_files() == []
        finally:
            processes.stop()


@pytest.fixture
def real(running_airflow: RealAirflow) -> Iterator[RealAirflow]:
    """The running Airflow with a fresh org in the emulator, for whose credentials Airflow has stored no token yet."""
    variables = running_airflow.airflow.call("GET", "/variables")["variables"]
    for variable in variables:
        running_airflow.airflow.call("DELETE", f"/variables/{variable['key']}")
    running_airflow.emulator.seed("minimal")
    yield running_airflow
    _ = running_airflow.access_tokens  # the next test starts with a new org, which has none


@pytest.fixture
def zoho(real: RealAirflow) -> Control:
    return real.emulator
