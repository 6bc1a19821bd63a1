"""What the demo does and what must come of it: the run of the example DAG, and the checks of what it left behind."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.minimal_seed import CLIENT, REFRESH_TOKEN
from demo.local_airflow import LocalAirflow
from demo.processes import DemoFailed, Processes

DAG_ID = "zoho_crm_cleanup_many_modules"
CONNECTION_ID = "zoho_crm_default"

Tags = dict[str, list[str]]


@dataclass
class Outcome:
    """What the demo shows.

    `asked`, `before` and `after` are names of tags by module; `reports` is what the tasks say of their jobs; `counters` is what the
    emulator has counted meanwhile.
    """

    asked: Tags
    before: Tags
    after: Tags = field(default_factory=dict)
    reports: list[dict[str, Any]] = field(default_factory=list)
    emulator_jobs: list[dict[str, Any]] = field(default_factory=list)
    counters: dict[str, Any] = field(default_factory=dict)


def start_emulator(processes: Processes, env: dict[str, str]) -> str:
    """Start the emulator with the demo org on a free port and return its address."""
    emulator = processes.start("emulator", [sys.executable, "-m", "airflow_provider_zcrm.emulator", "--port", "0", "--seed", "demo"], env)
    processes.wait_until(lambda: b" at http" in emulator.log.read_bytes(), 20, "the emulator")
    found = re.search(r" at (http://\S+)", emulator.log.read_text())
    if not found:
        raise DemoFailed("The emulator does not say where it listens.")
    return found[1]


def wanted_tags(dag_file: Path) -> Tags:
    """Read the table of the example DAG without running it."""
    for node in ast.parse(dag_file.read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "CLEAN_UP":
            return {row["module"]: row["tag_names"] for row in ast.literal_eval(node.value)}
    raise DemoFailed(f"{dag_file} has no table CLEAN_UP.")


def tags_by_module(control: Control) -> Tags:
    """Return the names of all tags of the demo org by module."""
    return {module["api_name"]: [tag["name"] for tag in module["tags"]] for module in control.org()["modules"] if module["tags"]}


def connect(airflow: LocalAirflow, emulator_url: str) -> None:
    """Make the connection that the DAG uses, as a user would in the form."""
    extra = {"refresh_token": REFRESH_TOKEN, "data_center": "us", "accounts_url": emulator_url, "api_url": emulator_url}
    body = {
        "connection_id": CONNECTION_ID,
        "conn_type": "zoho_crm",
        "login": CLIENT["client_id"],
        "password": CLIENT["client_secret"],
        "extra": json.dumps(extra),
    }
    airflow.call("POST", "/connections", body)


def run_dag(processes: Processes, airflow: LocalAirflow, seconds: float, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """Run the DAG to its end and return the reports of its tasks; the demo has no patience with retries."""
    airflow.call("PATCH", f"/dags/{DAG_ID}", {"is_paused": False})
    run = airflow.call("POST", f"/dags/{DAG_ID}/dagRuns", {"logical_date": None})
    path = f"/dags/{DAG_ID}/dagRuns/{run['dag_run_id']}"

    def ended() -> bool:
        instances = airflow.call("GET", f"{path}/taskInstances")["task_instances"]
        tell(_states(instances))
        troubled = [instance for instance in instances if instance["state"] in ("failed", "upstream_failed", "up_for_retry")]
        if troubled:
            raise DemoFailed(f"Task {_name(troubled[0])} is {troubled[0]['state']}.")
        state = airflow.call("GET", path)["state"]
        if state == "failed":
            raise DemoFailed("The DAG run has failed.")
        return bool(state == "success")

    processes.wait_until(ended, seconds, "the DAG run to end")
    instances = airflow.call("GET", f"{path}/taskInstances")["task_instances"]
    return [report for instance in instances for report in _report(airflow, path, instance)]


def _report(airflow: LocalAirflow, path: str, instance: dict[str, Any]) -> list[dict[str, Any]]:
    entry = f"{path}/taskInstances/{instance['task_id']}/xcomEntries/report"
    reports: list[dict[str, Any]] = airflow.call("GET", entry, map_index=str(instance["map_index"]), stringify="false")["value"]
    return reports


def _name(instance: dict[str, Any]) -> str:
    # Airflow shows the index as long as the task has not run
    label, index = instance.get("rendered_map_index"), str(instance["map_index"])
    return str(label) if label and label != index else f"{instance['task_id']}[{index}]"


def _states(instances: list[dict[str, Any]]) -> str:
    return ", ".join(f"{_name(instance)} {instance['state'] or 'waiting'}" for instance in instances)


def problems(outcome: Outcome) -> list[str]:
    """Return what is not as it should be, as sentences."""
    found = [sentence for module in outcome.before for sentence in _problems_of_tags(outcome, module)]
    found += [
        f"A job did not do what it was asked for: {report}."
        for report in outcome.reports
        if report["state"] != "COMPLETED" or report["failed"] or report["deleted"] != len(outcome.asked[report["module"]])
    ]
    if sorted(report["module"] for report in outcome.reports) != sorted(outcome.asked):
        found.append(f"There are {len(outcome.reports)} jobs for {len(outcome.asked)} modules, where each should have one.")
    if sorted(report["id"] for report in outcome.reports) != sorted(job["id"] for job in outcome.emulator_jobs):
        found.append("The jobs of the tasks are not those of the emulator.")
    if refused := sum(outcome.counters["tokens_refused"].values()):
        found.append(f"{refused} requests for an access token were refused.")
    return found


def _problems_of_tags(outcome: Outcome, module: str) -> list[str]:
    before, after = set(outcome.before[module]), set(outcome.after.get(module, ()))
    asked = set(outcome.asked.get(module, ()))
    sentences = {
        "never had the tags": asked - before,
        "still has the tags": asked & after,
        "has lost tags that nobody asked for": before - asked - after,
    }
    return [f"{module} {sentence}: {', '.join(sorted(names))}." for sentence, names in sentences.items() if names]
