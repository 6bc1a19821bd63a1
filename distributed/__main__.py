"""``python -m distributed``: clean 60 modules of 6 orgs with a distributed Airflow, parts of which are killed, and check what came of it.

``--short``: 12 modules, one worker killed. Exit code 0 if all is as it should be, 1 if anything is not, 130 if it was told to end.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from demo.processes import DemoFailed, Interrupted, Processes, stop_noted
from distributed.cluster import TRIGGERERS, WORKERS, Cluster
from distributed.orgs import Org

FOLDER = Path(__file__).resolve().parent.parent / ".distributed"
RUN_SECONDS = 1800.0
_READING_SECONDS = 6.0
HOSTS = len(WORKERS) + len(TRIGGERERS)


def main() -> int:
    """Run, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m distributed", description=__doc__)
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 120)
    stop_noted(FOLDER)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    processes = Processes(FOLDER)
    try:
        with ExitStack() as stack:
            orgs = [
                Org.make(n, stack.enter_context(EmulatorServer()), 6 if options.short else 10) for n in range(2 if options.short else 6)
            ]
            problems = Run(console, processes, orgs, short=options.short).run()
    except Interrupted:
        return 130
    except DemoFailed as error:
        problems = [f"{error} The logs are in {FOLDER.name}/."]
    finally:
        processes.stop()
    console.print(*(problems or ["[bold green]All as it should be.[/]"]), sep="\n")
    return 1 if problems else 0


@dataclass(frozen=True)
class Act:
    """Something that is done to the cluster.

    :param due: whether it is time, from the number of tasks by state and the seconds since the act before.
    """

    what: str
    do: Callable[[], None]
    due: Callable[[Counter[str], float], bool]


def _script(cluster: Cluster, *, short: bool) -> list[Act]:
    """Return what is done, in this order."""
    worker, triggerer = WORKERS[1], TRIGGERERS[1]
    acts = [
        Act(f"{worker} is killed with what it does", lambda: cluster.kill(worker), lambda states, _: states["running"] >= 3),
        Act(f"{worker} is back", lambda: cluster.start_worker(worker), lambda _, seconds: seconds > 8),
    ]
    if short:
        return acts
    return [
        *acts,
        Act(f"{triggerer} is killed with its triggers", lambda: cluster.kill(triggerer), lambda states, _: states["deferred"] >= 8),
        Act(f"{triggerer} is back", lambda: cluster.start_triggerer(triggerer), lambda _, seconds: seconds > 20),
        Act("the broker is killed and restarts", cluster.restart_broker, lambda states, _: states["queued"] >= 2),
    ]


class Run:
    """One run of the DAG, with what is done to the cluster meanwhile."""

    def __init__(self, console: Console, processes: Processes, orgs: list[Org], *, short: bool) -> None:
        self._console = console
        self._processes = processes
        self._orgs = orgs
        self._cluster = Cluster(processes, FOLDER)
        self._started = time.monotonic()
        self._script = _script(self._cluster, short=short)
        self._acted = 0.0
        self._last = ""
        self._asked: dict[tuple[str, int], float] = {}
        self._told = 0.0

    def run(self) -> list[str]:
        """Run to the end, and return what is not as it should be."""
        airflow = self._cluster.airflow
        airflow.env["CLEAN_ORGS"] = json.dumps([org.group() for org in self._orgs])
        self._cluster.start()
        self._tell(f"Airflow is up: {len(WORKERS)} Celery workers, {len(TRIGGERERS)} triggerers, PostgreSQL, Redis")
        for org in self._orgs:
            airflow.call("POST", "/connections", org.connection())
        airflow.wait_for_dag("clean_orgs")
        airflow.call("PATCH", "/dags/clean_orgs", {"is_paused": False})
        run_id = airflow.call("POST", "/dags/clean_orgs/dagRuns", {"logical_date": None})["dag_run_id"]
        self._started = time.monotonic()
        self._tell(f"the run starts: {sum(len(org.wanted) for org in self._orgs)} modules of {len(self._orgs)} orgs")
        path = f"/dags/clean_orgs/dagRuns/{run_id}"
        self._processes.wait_until(lambda: self._over(path), RUN_SECONDS, "the run to end")
        instances = airflow.call("GET", f"{path}/taskInstances", limit="1000")["task_instances"]
        self._show(instances)
        left_out = [f"The run ended before {act.what}." for act in self._script]
        return (
            left_out
            + [problem for org in self._orgs for problem in org.problems(HOSTS)]
            + [f"{_name(each)} is {each['state']}." for each in instances if each["state"] != self._state_wanted(each)]
        )

    def _state_wanted(self, instance: dict[str, Any]) -> str:
        """Return the state in which a task instance should be in the end."""
        rejected = any(org.is_rejected(instance) for org in self._orgs)
        return "skipped" if rejected and instance["task_id"].endswith((".approve", ".delete")) else "success"

    def _answer(self, path: str, instances: list[dict[str, Any]]) -> None:
        """Answer the questions that have been open for a while, as a person does.

        Airflow loses the try of a task that is answered before the scheduler has heard that it waits (apache/airflow#71580).
        """
        for each in instances:
            waits = each["task_id"].endswith(".approve") and each["state"] in ("awaiting_input", "deferred")
            asked = self._asked.setdefault((each["id"], each["try_number"]), time.monotonic()) if waits else math.inf
            if time.monotonic() - asked > _READING_SECONDS:
                option = "Reject" if any(org.is_rejected(each) for org in self._orgs) else "Approve"
                question = f"{path}/taskInstances/{each['task_id']}/{each['map_index']}/hitlDetails"
                with suppress(DemoFailed):  # it has the answer already
                    self._cluster.airflow.call("PATCH", question, {"chosen_options": [option], "params_input": {}})
                self._asked[each["id"], each["try_number"]] = math.inf

    def _over(self, path: str) -> bool:
        airflow = self._cluster.airflow
        instances = airflow.call("GET", f"{path}/taskInstances", limit="1000")["task_instances"]
        self._answer(path, instances)
        states = Counter(str(each["state"]) for each in instances)
        self._tell(", ".join(f"{count} {state}" for state, count in sorted(states.items())), of_the_run=True)
        if self._script and self._script[0].due(states, time.monotonic() - self._acted):
            act = self._script.pop(0)
            act.do()
            self._acted = time.monotonic()
            self._tell(act.what)
        return bool(airflow.call("GET", path)["state"] in ("success", "failed"))

    def _tell(self, what: str, *, of_the_run: bool = False) -> None:
        """Print a line of the timeline; states of the run only when they change, and at most every two seconds."""
        now = time.monotonic()
        if of_the_run and (what == self._last or now - self._told < 2.0):
            return
        if of_the_run:
            self._last, self._told = what, now
        self._console.print(f"{now - self._started:6.1f} s  {'  ' if of_the_run else '[bold]'}{what}", highlight=False)

    def _show(self, instances: list[dict[str, Any]]) -> None:
        table = Table(title="What came of it")
        for column in ("org", "modules", "jobs", "tags deleted", "token requests", "tries of its tasks"):
            table.add_column(column, justify="left" if column == "org" else "right")
        for org in self._orgs:
            jobs = org.control.counters()["jobs"]
            tries = Counter(each["try_number"] for each in instances if each["task_id"].startswith(f"{org.conn_id}."))
            table.add_row(
                org.conn_id,
                str(len(org.wanted)),
                str(len(jobs)),
                str(sum(len(job["items"]) for job in jobs)),
                str(org.token_requests()),
                ", ".join(f"{count} × {number}" for number, count in sorted(tries.items())),
            )
        self._console.print(table)


def _name(instance: dict[str, Any]) -> str:
    return f"{instance['task_id']} {instance['rendered_map_index'] or ''}".strip()


if __name__ == "__main__":
    sys.exit(main())
