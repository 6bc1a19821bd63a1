"""The Airflow of several hosts: Celery workers and triggerers, each with a directory of locks of its own, as on a host of its own."""

from __future__ import annotations

from pathlib import Path

from demo.local_airflow import COMPONENTS, LocalAirflow, reserved_port
from demo.processes import Processes
from distributed.services import PostgreSql, Redis

DAGS = Path(__file__).parent / "dags"
WORKERS = ("worker-1", "worker-2")
TRIGGERERS = ("triggerer-1", "triggerer-2")
_SETTINGS = {
    "CORE__EXECUTOR": "airflow.providers.celery.executors.celery_executor.CeleryExecutor",
    "CORE__PARALLELISM": "12",
    "CORE__MAX_ACTIVE_TASKS_PER_DAG": "100",
    "CELERY__WORKER_CONCURRENCY": "3",
    "CELERY__WORKER_PREFETCH_MULTIPLIER": "1",
    # what a worker had when it was killed is given to another within a minute, and not after a day
    "CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": "60",
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    "SCHEDULER__TASK_QUEUED_TIMEOUT": "60",
    "SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "10",
    "TRIGGERER__DEFAULT_CAPACITY": "100",
    "TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "15",
    # all task instances in one answer
    "API__MAXIMUM_PAGE_LIMIT": "1000",
    "ZOHO_CRM__SETTLE": "90",
}


class Cluster:
    """PostgreSQL, Redis, scheduler, dag-processor, api-server, two workers and two triggerers."""

    def __init__(self, processes: Processes, folder: Path) -> None:
        self._processes = processes
        self._folder = folder
        self._postgresql = PostgreSql(processes)
        self._redis = Redis(processes, folder / "redis")
        self.airflow = LocalAirflow(processes, folder / "airflow", DAGS)

    def start(self) -> None:
        """Start everything, and wait until it is healthy."""
        database = self._postgresql.start()
        self._redis.start()
        settings = {
            **_SETTINGS,
            "DATABASE__SQL_ALCHEMY_CONN": database,
            "CELERY__BROKER_URL": self._redis.url,
            "CELERY__RESULT_BACKEND": f"db+{database.replace('+psycopg2', '')}",
        }
        self.airflow.env |= {f"AIRFLOW__{name}": value for name, value in settings.items()}
        self.airflow.migrate()
        for name in WORKERS:
            self.start_worker(name)
        self.start_triggerer(TRIGGERERS[1])
        self.airflow.start()

    def start_worker(self, name: str) -> None:
        """Start a Celery worker."""
        env = self._host(name) | {"AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(reserved_port())}
        pid_file = self._folder / f"{name}-{reserved_port()}.pid"
        command = self.airflow.command("celery", "worker", "--celery-hostname", f"{name}@%h", "--pid", str(pid_file))
        self._processes.start(name, command, env)

    def start_triggerer(self, name: str) -> None:
        """Start a further triggerer; the first one is among Airflow's components."""
        self._processes.start(name, self.airflow.command(*COMPONENTS["triggerer"]), self._host(name))

    def kill(self, name: str) -> None:
        """Kill a worker or a triggerer with all that it has started."""
        self._processes.kill(name)

    def restart_broker(self) -> None:
        """Kill Redis and start it again with what it has written."""
        self._redis.kill()
        self._redis.start()

    def _host(self, name: str) -> dict[str, str]:
        return self.airflow.env | {"AIRFLOW__ZOHO_CRM__TOKEN_DIRECTORY": str(self._folder / f"tokens-{name}")}
