"""What 0.1.0 has left behind, word for word, is understood: whoever changes a format gives it a new version, and reads this one on."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from airflow_provider_zcrm.operators.mass_delete_records import MassDeleteRecordsOperator
from airflow_provider_zcrm.operators.mass_delete_tags import MassDeleteTagsOperator
from airflow_provider_zcrm.operators.restore_tags import RestoreTagsOperator
from airflow_provider_zcrm.sensors.mass_delete_job import MassDeleteJobSensor
from airflow_provider_zcrm.triggers.mass_delete_job import MassDeleteJobTrigger
from tests.airflow_task import TaskRun, fire

HOT, COLD = "2276164000001021041", "2276164000001021042"
VIEW = "2276164000000538003"
NEVER = 4102444800.0

TAGS_JOURNAL = f"""{{"v": 2, "host": "HOST", "module": "Leads", "run": 1, "deadline": {NEVER}, "request": "d34608ac2bef3275",
    "requested": 1, "existing": 5, "tags": {{"{HOT}": ["7f5d1618e7d2", 1]}}, "others": {{"{COLD}": ["e272deecde72", 2, "renamed"]}},
    "submissions": [{{"number": 1, "run": 1, "attempt": 1, "job_id": "JOB"}},
        {{"number": 2, "run": 1, "attempt": 1, "job_id": "2276164000010000009", "superseded": true}}],
    "last_number": 2}}"""
VIEW_JOURNAL = f"""{{"v": 2, "run": 1, "deadline": {NEVER}, "host": "HOST", "submissions": [
    {{"view": {{"module": "Leads", "cvid": "{VIEW}", "territory_id": null, "include_child": false}},
     "state": "accepted", "at": 1795362918.4, "run": 1, "host": "HOST", "job_id": "JOB"}}]}}"""
TRIGGER = f"""{{"zoho_crm_conn_id": "zoho_crm_default", "jobs": [{{"kind": "tags", "id": "JOB", "module": "Leads"}}],
    "started_at": 1795362911.3, "deadline": {NEVER}, "limit": "timeout", "poke_interval": null, "unknown_job_grace": 60.0,
    "carry": {{"reports": []}}, "finish": false, "push_xcom": true}}"""
EVENT = """{"v": 1, "kind": "mass_delete_jobs", "status": "ended", "limit": "timeout", "api_calls": 1, "error": null,
    "carry": CARRY, "jobs": [
    {"id": "2276164000010000001", "kind": "KIND", "module": "Leads", "state": "COMPLETED", "total": 4, "deleted": 4, "failed": 0}]}"""
CARRIED = {
    "tags": "{}",
    "records": "{}",
    "sensor": """{"reports": [{"id": "2276164000010000001", "kind": "tags", "module": "Leads",
        "state": null, "total": null, "deleted": null, "failed": null}]}""",
}
BACKUP = """\
{"format": "zoho-crm-tags", "version": 2, "module": "Leads", "zgid": "", "environment": "production", \
"created_at": "2026-11-22T15:55:40+00:00", "made_by": "a_dag.back_up", "include_records": true}
{"tag": {"id": "1", "name": "long gone", "color_code": "#F48435"}}
{"tag_id": "1", "record_ids": ["2276164000006064001"]}
{"end": {"tags": 1, "records": {"1": 1}, \
"sha256": "7b8cff2103d251151bd4058f776cb93f125bc6572a610522e9ba4bdae17c362b"}}
"""
TASKS: dict[str, BaseOperator] = {
    "tags": MassDeleteTagsOperator(task_id="delete", module="Leads", tag_names=["hot"]),
    "records": MassDeleteRecordsOperator(task_id="delete", module="Leads", cvid=VIEW),
    "sensor": MassDeleteJobSensor(task_id="wait", job_id="2276164000010000001"),
}


def job_of(emulator: Control, kind: str) -> str:
    """Submit, and return the id of the job."""
    TaskRun(TASKS[kind]).try_once()
    (job,) = emulator.counters()["jobs"]
    return str(job["job_id"])


def keep_journal(run: TaskRun, kind: str, journal: str) -> None:
    """Put a journal where this Airflow keeps it."""
    key = f"zoho_crm_mass_delete_{kind}"
    if run.store is None:
        run.ti.xcoms[key] = json.loads(journal)
    else:
        run.store.values[key] = journal


@pytest.mark.parametrize(("kind", "journal"), [("tags", TAGS_JOURNAL), ("records", VIEW_JOURNAL)], ids=["tags", "records"])
def test_a_retry_takes_up_the_job_that_stands_in_the_journal(
    emulator: Control, emulator_server: EmulatorServer, kind: str, journal: str
) -> None:
    emulator.jobs(duration=3600)
    job_id = job_of(emulator, kind)
    retry = TaskRun(TASKS[kind], state=True)
    keep_journal(retry, kind, journal.replace("JOB", job_id).replace("HOST", emulator_server.url))
    retry.ti.try_number = 1

    assert retry.try_once() == [job_id]
    assert len(emulator.counters()["jobs"]) == 1


def test_a_wait_in_the_triggerer_goes_on(emulator: Control) -> None:
    kwargs = json.loads(TRIGGER.replace("JOB", job_of(emulator, "tags")))
    event = asyncio.run(fire(MassDeleteJobTrigger(**kwargs | {"started_at": time.time()}))).payload

    assert event["status"] == "ended"
    assert event["carry"] == kwargs["carry"]


@pytest.mark.parametrize("kind", TASKS)
def test_a_task_understands_the_event_that_was_waiting_for_it(emulator: Control, emulator_server: EmulatorServer, kind: str) -> None:
    event = json.loads(EVENT.replace("CARRY", CARRIED[kind]).replace("KIND", kind.replace("sensor", "tags")))
    emulator.remove_tags("Leads", [HOT])
    run = TaskRun(TASKS[kind])
    if kind == "tags":
        keep_journal(run, kind, TAGS_JOURNAL.replace("JOB", "2276164000010000001").replace("HOST", emulator_server.url))
    run.ti.try_number = 1
    returned: Any = run.fresh_task().resume_execution("execute_complete", {"event": event}, run.context())

    assert [job["id"] if kind == "sensor" else job for job in returned] == ["2276164000010000001"]


def test_a_backup_is_restored(emulator: Control, tmp_path: Path) -> None:
    (tmp_path / "Leads.jsonl").write_text(BACKUP)
    run = TaskRun(RestoreTagsOperator(task_id="restore", backup_path=str(tmp_path / "Leads.jsonl")))

    assert run.try_once()["created"] == 1
    assert "long gone" in emulator.tags("Leads")
