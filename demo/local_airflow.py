"""An Airflow on this machine: SQLite, LocalExecutor, one process per component, and its REST API."""

from __future__ import annotations

import base64
import os
import secrets
import socket
import sys
from pathlib import Path
from typing import Any

import requests
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_fixed

from demo.processes import DemoFailed, Processes

COMPONENTS = {
    "api-server": ["api-server"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}
_HEALTHY = {"metadatabase", "scheduler", "triggerer", "dag_processor"}
# longer than SQLite waits for its lock
_REQUEST_TIMEOUT = 90.0


def reserved_port() -> int:
    """Return a port of loopback that nobody else will be given for the next minute.

    A connection that was made and closed leaves it in TIME_WAIT: the system hands it out to nobody, but a server that asks for this
    very port gets it. Without that, two demos that start at the same time could get the same one.
    """
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        accepted, _ = server.accept()
        with accepted:
            return int(server.getsockname()[1])


class _Busy(DemoFailed):
    """Airflow could not answer, as happens when SQLite is locked for long."""


class LocalAirflow:
    """An Airflow whose home is a fresh folder.

    :param processes: starts the components.
    :param home: AIRFLOW_HOME.
    :param dags: the folder of DAGs.
    """

    def __init__(self, processes: Processes, home: Path, dags: Path) -> None:
        self._processes = processes
        self.home = home
        self.url = f"http://127.0.0.1:{reserved_port()}"
        self.env = _environment(home, dags, self.url)
        self._http = requests.Session()
        self._http.trust_env = False

    def migrate(self) -> None:
        """Make the database."""
        self.home.mkdir(parents=True)
        self._processes.run("db-migrate", self.command("db", "migrate"), self.env, 120)

    def start(self) -> None:
        """Start the components, and wait until all of them are healthy."""
        for name, arguments in COMPONENTS.items():
            self._processes.start(name, self.command(*arguments), self.env)
        self._processes.wait_until(self._healthy, 120, "Airflow's components to be healthy")
        answer = self._http.get(f"{self.url}/auth/token", timeout=_REQUEST_TIMEOUT)
        answer.raise_for_status()
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def _healthy(self) -> bool:
        try:
            health = self._http.get(f"{self.url}/api/v2/monitor/health", timeout=_REQUEST_TIMEOUT).json()
        except (requests.RequestException, ValueError):
            return False
        return all((health.get(name) or {}).get("status") == "healthy" for name in _HEALTHY)

    def wait_for_dag(self, dag_id: str) -> None:
        """Wait until the DAG is parsed; fails on an import error of any DAG."""

        def parsed() -> bool:
            errors = self.call("GET", "/importErrors")["import_errors"]
            if errors:
                raise DemoFailed(f"{errors[0]['filename']} cannot be imported:\n{errors[0]['stack_trace']}")
            return any(dag["dag_id"] == dag_id for dag in self.call("GET", "/dags")["dags"])

        self._processes.wait_until(parsed, 60, f"the DAG {dag_id}")

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of an ``airflow`` command."""
        return [sys.executable, "-m", "airflow", *arguments]

    @retry(retry=retry_if_exception_type(_Busy), stop=stop_after_attempt(4), wait=wait_fixed(2), reraise=True)
    def call(self, method: str, path: str, body: dict[str, Any] | None = None, **query: str) -> Any:
        """Call the REST API and return its JSON."""
        answer = self._http.request(method, f"{self.url}/api/v2{path}", json=body, params=query, timeout=_REQUEST_TIMEOUT)
        if not answer.ok:
            trouble = _Busy if answer.status_code >= 500 else DemoFailed
            raise trouble(f"Airflow answered {answer.status_code} to {method} {path}: {answer.text[:500]}")
        return answer.json() if answer.content else None

    def task_logs(self) -> list[Path]:
        """Return the files of the task logs, the one written last at the end."""
        return sorted((self.home / "logs").glob("dag_id=*/**/*.log"), key=lambda path: path.stat().st_mtime)


def _environment(home: Path, dags: Path, url: str) -> dict[str, str]:
    """Return the environment of every component: the user's, without any Airflow settings of theirs."""
    port = url.rpartition(":")[2]
    settings = {
        "CORE__DAGS_FOLDER": str(dags),
        "CORE__LOAD_EXAMPLES": "False",
        # SQLite lets one write at a time; who comes second waits, and does not fail after 5 seconds
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db?timeout=60",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": "3",
        # a worker gives up after four answers that took longer; a busy machine takes longer than the 5 seconds that are the default
        "WORKERS__EXECUTION_API_TIMEOUT": "30",
        "CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "API__HOST": "127.0.0.1",
        "API__PORT": port,
        "API__BASE_URL": url,
        "API__WORKERS": "1",
        "API__SECRET_KEY": secrets.token_urlsafe(32),
        # every component must have the same one
        "API_AUTH__JWT_SECRET": secrets.token_urlsafe(64),
        "DAG_PROCESSOR__REFRESH_INTERVAL": "5",
        "DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "TRIGGERER__DEFAULT_CAPACITY": "20",
        "LOGGING__COLORED_CONSOLE_LOG": "False",
        # nothing of the demo leaves this machine
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    ours = {
        "AIRFLOW_HOME": str(home),
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "SCARF_ANALYTICS": "false",
        "PYTHONUNBUFFERED": "1",
        "NO_COLOR": "1",
    }
    return kept | ours | {f"AIRFLOW__{name}": value for name, value in settings.items()}
