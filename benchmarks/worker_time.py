"""``python -m benchmarks.worker_time``: what does a waited-for job cost the workers, with and without ``finish_in_triggerer``?

A real Airflow (SQLite, LocalExecutor) waits for jobs of the emulator. Counted is what the executor's processes do: their CPU, and how long
the tasks' processes live. Exit code 1 if a wait that ends in the triggerer starts more than once on a worker, or costs no less.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil

from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from benchmarks.programs.submit_by_hand import submit
from benchmarks.report import console, keep, machine, spread, table
from benchmarks.submit import new_token
from demo.local_airflow import LocalAirflow
from demo.processes import Processes
from tests.conftest import connection_json

DAGS = Path(__file__).with_name("dags")
DAG_IDS = {"ends_on_a_worker": "on a worker", "ends_in_the_triggerer": "in the triggerer (`finish_in_triggerer=True`)"}
HEADER = ("Where the wait ends", "Task starts per job", "Worker CPU per job, seconds", "Times the first", "Worker slot per job, seconds")
# longer than all tasks of a run take to get to the triggerer
JOB_SECONDS = 900.0
PATIENCE = 300.0


@dataclass(frozen=True)
class Waited:
    """What one run cost the workers, per job."""

    starts: float
    cpu: float
    slot: float


class Workers:
    """The processes of the LocalExecutor, which are children of the scheduler; the tasks' processes are theirs.

    :ivar busy: seconds for which tasks have run while somebody looked, added up.
    """

    def __init__(self, scheduler: psutil.Process) -> None:
        self._scheduler = scheduler
        self._looked = time.monotonic()
        self.busy = 0.0

    def cpu(self) -> float:
        """Return the seconds of CPU of the workers and of all tasks that have ended."""
        return sum(sum(worker.cpu_times()[:4]) for worker in self._scheduler.children())

    def are_idle(self) -> bool:
        """Look at how many tasks run."""
        running = sum(len(worker.children()) for worker in self._scheduler.children())
        now = time.monotonic()
        self.busy += running * (now - self._looked)
        self._looked = now
        return not running


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worker_time", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--jobs", type=int, default=5)
    parser.add_argument("--no-readme", action="store_true", help="leave benchmarks/README.md as it is")
    options = parser.parse_args()
    found = measure(options.rounds, options.jobs)
    rows = list(_rows(found))
    console().print(table("What a waited-for job costs the workers", HEADER, rows))
    if not options.no_readme:
        note = f"{options.rounds} rounds of {options.jobs} jobs each way, interleaved, medians (smallest to largest). {machine()}"
        keep("worker_time.py", note, HEADER, rows)
    once = all(run.starts == 1 for run in found["ends_in_the_triggerer"])
    if not once or _times(found, "ends_in_the_triggerer") >= 1:
        console().print("[bold red]Missed[/]: finish_in_triggerer spares the workers nothing.")
        return 1
    return 0


def measure(rounds: int, jobs: int) -> dict[str, list[Waited]]:
    """Let both DAGs wait, in turn."""
    found: defaultdict[str, list[Waited]] = defaultdict(list)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="zcrm-worker-time-")))
        emulator = stack.enter_context(EmulatorServer("minimal"))
        emulator.control.jobs(start_delay=0.0, duration=JOB_SECONDS)
        emulator.control.change_org(concurrency=1000)
        processes = Processes(folder)
        stack.callback(processes.stop)
        airflow = LocalAirflow(processes, folder / "airflow", DAGS)
        value = connection_json(emulator.url, shared_store="variable")
        airflow.env |= {"WAITS": str(jobs), "AIRFLOW_CONN_ZOHO_CRM_DEFAULT": value}
        airflow.migrate()
        airflow.start()
        for number in range(rounds + 1):
            for dag_id in DAG_IDS:
                console().print(f"round {number} of {rounds}: {dag_id}")
                waited = _wait_for(_submitted(emulator, jobs), dag_id, airflow, processes, emulator.control)
                # in the first round Airflow and its workers load what they need
                found[dag_id] += [waited] if number else []
    return found


def _submitted(emulator: EmulatorServer, jobs: int) -> list[str]:
    """Submit jobs by hand, and return their ids."""
    tag_ids = emulator.control.add_tags("Leads", [f"{time.time()} {number}" for number in range(jobs)])
    token = new_token(emulator.url)
    return [submit(emulator.url, token, tag_id) for tag_id in tag_ids]


def _wait_for(job_ids: list[str], dag_id: str, airflow: LocalAirflow, processes: Processes, zoho: Control) -> Waited:
    """Let all tasks of a run defer, then end the jobs, and tell what it cost until the run was over."""
    airflow.wait_for_dag(dag_id)
    airflow.call("PATCH", f"/dags/{dag_id}", {"is_paused": False})
    (scheduler,) = (each for each in psutil.Process().children() if "scheduler" in each.cmdline())
    workers = Workers(scheduler)
    before = workers.cpu()
    run_id = airflow.call("POST", f"/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": {"job_ids": job_ids}})["dag_run_id"]

    def all_are(state: str) -> bool:
        tasks = airflow.call("GET", f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]
        assert not {task["state"] for task in tasks} & {"failed", "up_for_retry"}, tasks  # noqa: S101 - a run that failed costs something else
        return all(task["state"] == state for task in tasks)

    processes.wait_until(lambda: workers.are_idle() and all_are("deferred"), PATIENCE, "the tasks to defer")
    zoho.advance(JOB_SECONDS)
    processes.wait_until(lambda: workers.are_idle() and all_are("success"), PATIENCE, "the tasks to end")
    logs = [path.read_text() for path in airflow.task_logs() if f"run_id={run_id}" in str(path)]
    starts = sum(log.count("::group::Pre Execute") for log in logs)
    return Waited(starts / len(job_ids), (workers.cpu() - before) / len(job_ids), workers.busy / len(job_ids))


def _times(found: dict[str, list[Waited]], dag_id: str) -> float:
    """Return the median of the rounds' ratios."""
    return median(run.cpu / first.cpu for run, first in zip(found[dag_id], found["ends_on_a_worker"], strict=True))


def _rows(found: dict[str, list[Waited]]) -> Iterator[tuple[str, ...]]:
    for dag_id, runs in found.items():
        starts, cpu, slot = ([getattr(run, what) for run in runs] for what in ("starts", "cpu", "slot"))
        yield DAG_IDS[dag_id], spread(starts, 0), spread(cpu), f"{_times(found, dag_id):.2f}", spread(slot)


if __name__ == "__main__":
    sys.exit(main())
