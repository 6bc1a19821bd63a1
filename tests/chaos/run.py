"""Runs scenarios in one real Airflow, several at a time, each with an emulator and a connection of its own, and checks what must hold.

Two triggerers run; one of them is killed again and again, so that its triggers are handed to the other.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from demo.local_airflow import COMPONENTS, LocalAirflow
from demo.processes import Processes
from tests.chaos.scenario import REQUEST_TIMEOUT, SETTLE, Scenario
from tests.conftest import CLIENT_SECRET, REFRESH_TOKEN, connection_json

HERE = Path(__file__).parent
# a run of many faults takes three minutes, and more beside others
_RUN_SECONDS = 480.0
_SETTINGS = {
    "CORE__PARALLELISM": "6",
    "CORE__PLUGINS_FOLDER": str(HERE / "plugins"),
    "TRIGGERER__DEFAULT_CAPACITY": "100",
    "TRIGGERER__JOB_HEARTBEAT_SEC": "2",
    "TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "10",
    "SCHEDULER__MAX_DAGRUNS_TO_CREATE_PER_LOOP": "50",
    "ZOHO_CRM__SETTLE": str(SETTLE),
    "ZOHO_CRM__UNKNOWN_JOB_GRACE": "10",
}


class Run:
    """One scenario on its way through Airflow."""

    def __init__(self, airflow: LocalAirflow, scenario: Scenario, server: EmulatorServer) -> None:
        self.scenario = scenario
        self.server = server
        self._airflow = airflow
        self._tokens: set[str] = set()
        scenario.prepare(server.control)
        self.before = server.control.tags("Leads")
        value = json.loads(connection_json(server.url, shared_store="variable", request_timeout=REQUEST_TIMEOUT))
        body = {"connection_id": scenario.conf["conn_id"], **value, "extra": json.dumps(value["extra"])}
        airflow.call("POST", "/connections", body)
        started = airflow.call("POST", "/dags/chaos/dagRuns", {"logical_date": None, "conf": scenario.conf})
        self._path = f"/dags/chaos/dagRuns/{started['dag_run_id']}"
        self._deadline = time.monotonic() + _RUN_SECONDS

    def over(self) -> bool:
        """Look whether the run has ended; raises if it takes too long."""
        self._tokens |= set(self.server._emulator.world.state.access_tokens)
        if self._airflow.call("GET", self._path)["state"] in ("success", "failed"):
            return True
        if time.monotonic() > self._deadline:
            raise AssertionError(f"seed {self.scenario.seed} hangs: {self._states()}")
        return False

    def secrets(self) -> set[str]:
        """Return every secret that Airflow was given."""
        return {CLIENT_SECRET, REFRESH_TOKEN, *self._tokens}

    def problems(self) -> list[str]:
        """Return what does not hold, as sentences."""
        return [*self._wrong_tags(), *self._doubled_tags(), *self._lost_jobs(), *self._wrong_outcome(), *self._wrongly_skipped()]

    def _wrong_tags(self) -> Iterator[str]:
        kept = set(self.before) - set(self.scenario.requested)
        gone = kept - set(self.server.control.tags("Leads"))
        if gone:
            yield f"tags outside the request are gone: {sorted(gone)}"

    def _doubled_tags(self) -> Iterator[str]:
        """A tag may be in a second job only if the first one left it behind, or (drawn so) had not started within ``settle``."""
        jobs = self.server.control.counters()["jobs"]
        counts = Counter(item for job in jobs for item in job["items"])
        failing = {self.before[name] for name in self.scenario.jobs.get("failing", [])}
        doubled = {item for item, count in counts.items() if count > 1} - failing
        if doubled and not self.scenario.late:
            yield f"{len(doubled)} tags are in two accepted jobs: {sorted(doubled)[:5]}, jobs at {[round(job['at'], 1) for job in jobs]}"

    def _lost_jobs(self) -> Iterator[str]:
        """Every accepted job is in the journal, or its tags are gone or in a later job that is."""
        if self._states()["delete"] != "success":
            return
        known = {submission.get("job_id") for submission in self._journal().get("submissions", [])}
        jobs = self.server.control.counters()["jobs"]
        unaccounted = set(self.server.control.tags("Leads").values())
        for job in reversed(jobs):
            if job["job_id"] in known:
                unaccounted -= set(job["items"])
            elif unaccounted & set(job["items"]):
                yield f"job {job['job_id']} is unknown to the task and has left tags"

    def _wrong_outcome(self) -> Iterator[str]:
        states = self._states()
        left = (set(self.scenario.requested) - set(self.scenario.used)) & set(self.server.control.tags("Leads"))
        if left and states["wait"] == "success" and states["delete"] == "success":
            yield f"Airflow says success, but {len(left)} requested tags are there"
        if states["delete"] != "success" and not self.scenario.bad_jobs:
            yield f"the task has failed without a reason: {states}"
        # of two jobs with the same tags, as a late one makes them, the second finds nothing and says so
        excused = self.scenario.bad_jobs or self.scenario.late
        if not left and states["delete"] == "success" and states["wait"] != "success" and not excused:
            yield f"all is done, but the sensor says {states['wait']}"

    def _wrongly_skipped(self) -> Iterator[str]:
        """Tags that automation uses are reported, and no others."""
        if self._states()["delete"] != "success":
            return
        entry = self._airflow.call("GET", f"{self._path}/taskInstances/delete/xcomEntries/skipped", stringify="false")
        named = {tag["name"] for tag in entry["value"]}
        if named != set(self.scenario.used):
            yield f"skipped are {sorted(named)}, and automation uses {sorted(self.scenario.used)}"

    def _states(self) -> dict[str, str]:
        return {task["task_id"]: task["state"] for task in self._airflow.call("GET", f"{self._path}/taskInstances")["task_instances"]}

    def _journal(self) -> dict[str, Any]:
        entries = self._airflow.call("GET", f"{self._path}/taskInstances/delete/state-store")["task_state_store"]
        return next((entry["value"] for entry in entries if entry["key"] == "zoho_crm_mass_delete_tags"), {})


def run_all(folder: Path, seeds: Sequence[int], at_once: int, tell: Callable[[str], None]) -> list[str]:
    """Run the scenarios of the seeds and return the problems, each with its seed.

    :param folder: for Airflow's home; everything in it is searched for secrets in the end.
    """
    problems: list[str] = []
    secrets: set[str] = set()
    with _airflow_under_chaos(folder) as (airflow, processes), ExitStack() as emulators:
        waiting, running = list(seeds), []
        murder = time.monotonic() + random.uniform(10, 25)
        while waiting or running:
            while waiting and len(running) < at_once:
                seed = waiting.pop(0)
                running.append(Run(airflow, Scenario.draw(seed), emulators.enter_context(EmulatorServer())))
            for run in [each for each in running if each.over()]:
                running.remove(run)
                secrets |= run.secrets()
                found = [f"seed {run.scenario.seed}: {problem}" for problem in run.problems()]
                problems += found
                tell("\n".join(found) or f"seed {run.scenario.seed}: well; {len(waiting) + len(running)} to go")
            if time.monotonic() > murder:
                _kill_a_triggerer(airflow, processes)
                murder = time.monotonic() + random.uniform(10, 25)
            processes.check()
            time.sleep(0.5)
        return problems + [f"a secret is written in clear: {where}" for where in _found_in_files(folder, secrets)]


@contextmanager
def _airflow_under_chaos(folder: Path) -> Iterator[tuple[LocalAirflow, Processes]]:
    processes = Processes(folder)
    airflow = LocalAirflow(processes, folder / "home", HERE / "dags")
    airflow.env |= {f"AIRFLOW__{name}": value for name, value in _SETTINGS.items()} | {"PYTHONPATH": str(HERE.parents[1])}
    try:
        airflow.migrate()
        airflow.start()
        processes.start("triggerer-2", airflow.command(*COMPONENTS["triggerer"]), airflow.env)
        airflow.wait_for_dag("chaos")
        airflow.call("PATCH", "/dags/chaos", {"is_paused": False})
        yield airflow, processes
    finally:
        processes.stop()


def _kill_a_triggerer(airflow: LocalAirflow, processes: Processes) -> None:
    processes.kill("triggerer-2")
    processes.start("triggerer-2", airflow.command(*COMPONENTS["triggerer"]), airflow.env)


def _found_in_files(folder: Path, secrets: set[str]) -> Iterator[str]:
    """Search everything that Airflow has written: database, logs of tasks, triggers and components."""
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            yield from (f"{secret[:12]}... in {path.relative_to(folder)}" for secret in secrets if secret.encode() in content)
