"""Every example DAG, run by Airflow's own ``airflow dags test`` against the emulator."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_zcrm.api.mass_delete import submit_records_by_view
from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.server import EmulatorServer
from airflow_provider_zcrm.hooks.zcrm import ZohoCrmHook
from airflow_provider_zcrm.operators.backup_tags import BackupTagsOperator
from demo.local_airflow import LocalAirflow
from demo.processes import Processes
from tests.airflow_task import TaskRun
from tests.conftest import connection_json
from tests.e2e.conftest import restored_signals

EXAMPLES = Path(__file__).parents[2] / "example_dags"


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAirflow]:
    folder = tmp_path_factory.mktemp("examples")
    with restored_signals():
        processes = Processes(folder)
        made = LocalAirflow(processes, folder / "home", EXAMPLES)
        try:
            made.migrate()
            yield made
        finally:
            processes.stop()


def run(airflow: LocalAirflow, emulator_server: EmulatorServer, dag_id: str, conf: dict[str, Any] | None = None) -> None:
    """Run a DAG to its end; fails if the run does."""
    env = {**airflow.env, "AIRFLOW_CONN_ZOHO_CRM_DEFAULT": connection_json(emulator_server.url)}
    conf_arguments = ["--conf", json.dumps(conf)] if conf else []
    done = subprocess.run(airflow.command("dags", "test", *conf_arguments, dag_id), env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_there_is_a_test_for_every_example() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {
        "zoho_crm_weekly_tag_cleanup",
        "zoho_crm_cleanup_many_modules",
        "zoho_crm_wait_for_records_job",
        "zoho_crm_restore_tags",
        "zoho_crm_delete_records_by_view",
    }


def test_the_weekly_clean_up_deletes_its_tags(airflow: LocalAirflow, emulator: Control, emulator_server: EmulatorServer) -> None:
    emulator.add_tags("Leads", ["test", "asdf"])
    run(airflow, emulator_server, "zoho_crm_weekly_tag_cleanup")
    assert set(emulator.tags("Leads")) == {"hot", "cold", "VIP", "webinar-2024-03", "do-not-call"}
    run(airflow, emulator_server, "zoho_crm_weekly_tag_cleanup")
    assert len(emulator.counters()["jobs"]) == 1


def test_the_clean_up_of_many_modules_deletes_in_each(airflow: LocalAirflow, emulator_server: EmulatorServer, emulator: Control) -> None:
    emulator.seed("demo")
    before = {module: emulator.tags(module) for module in ("Leads", "Contacts", "Deals")}
    run(airflow, emulator_server, "zoho_crm_cleanup_many_modules")
    gone = {module: set(before[module]) - set(emulator.tags(module)) for module in before}
    assert {"test", "asdf"} <= gone["Leads"]
    assert {"test", "bounced?"} <= gone["Contacts"]
    assert {"test deal", "Q4-2023"} <= gone["Deals"]


def test_the_restore_brings_back_what_a_backup_holds(
    airflow: LocalAirflow, emulator: Control, emulator_server: EmulatorServer, tmp_path: Path
) -> None:
    path, hot = f"file://{tmp_path}/Leads.jsonl", emulator.tags("Leads")["hot"]
    TaskRun(BackupTagsOperator(task_id="back_up", module="Leads", tag_ids=[hot], path=path)).try_once()
    before = set(emulator.tagged("Leads")["hot"])
    emulator.remove_tags("Leads", [hot])
    run(airflow, emulator_server, "zoho_crm_restore_tags", {"path": path})
    assert "hot" not in emulator.tags("Leads")
    run(airflow, emulator_server, "zoho_crm_restore_tags", {"path": path, "dry_run": False})
    assert set(emulator.tagged("Leads")["hot"]) == before


def test_the_wait_for_records_ends_with_the_job(airflow: LocalAirflow, emulator: Control, emulator_server: EmulatorServer) -> None:
    job_id = ZohoCrmHook().get_conn().send(submit_records_by_view("Leads", "2276164000000538003"))
    run(airflow, emulator_server, "zoho_crm_wait_for_records_job", {"job_id": job_id, "module": "Leads"})
    assert emulator.requests("Leads/actions/mass_delete", "GET")


def test_the_records_of_a_view_are_deleted_after_a_dry_run(
    airflow: LocalAirflow, emulator: Control, emulator_server: EmulatorServer
) -> None:
    view = {"cvid": "2276164000000538003", "max_records": 4}
    run(airflow, emulator_server, "zoho_crm_delete_records_by_view", {**view, "dry_run": True})
    assert len(emulator.records("Leads")) == 10
    run(airflow, emulator_server, "zoho_crm_delete_records_by_view", view)
    assert len(emulator.records("Leads")) == 6
