"""What Airflow's provider for OpenLineage sends of a clean-up, to a file instead of a lineage backend."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from airflow_provider_zcrm.emulator.control import Control
from tests.conftest import CLIENT_SECRET, REFRESH_TOKEN
from tests.dag_test.conftest import Airflow

TAGS = "zohocrm://zoho_crm_default Leads/tags"


def test_a_clean_up_tells_openlineage_what_it_reads_and_changes(airflow: Airflow, emulator: Control, tmp_path: Path) -> None:
    told = tmp_path / "events.jsonl"
    transport = {"type": "file", "log_file_path": str(told), "append": True}
    env = {"AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(transport), "AIRFLOW__OPENLINEAGE__NAMESPACE": "test"}
    airflow.log_of("clean_one", {"folder": f"file://{tmp_path}", "selection": {"names": ["hot"]}}, env=env)

    events = [json.loads(line) for line in told.read_text().splitlines()]
    ended = {event["job"]["name"].rpartition(".")[2]: event for event in events if event["eventType"] == "COMPLETE"}
    assert _datasets(ended["find"]) == ([TAGS], [])
    assert _datasets(ended["back_up"]) == ([TAGS], [f"file {tmp_path}/one.jsonl"])
    assert _datasets(ended["delete"]) == ([], [TAGS])
    (job,) = emulator.counters()["jobs"]
    assert ended["delete"]["run"]["facets"]["externalQuery"]["externalQueryId"] == job["job_id"]
    assert CLIENT_SECRET not in told.read_text()
    assert REFRESH_TOKEN not in told.read_text()


def _datasets(event: dict[str, Any]) -> tuple[list[str], ...]:
    return tuple([f"{dataset['namespace']} {dataset['name']}" for dataset in event[kind]] for kind in ("inputs", "outputs"))
