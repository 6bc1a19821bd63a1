"""The group of tasks `tag_cleanup`, run by Airflow's own ``dag.test()`` against the emulator: safe by default."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from tests.dag_test.conftest import Airflow

Run = Callable[..., str]


@pytest.fixture
def run(airflow: Airflow, tmp_path: Path) -> Run:
    def run(dag_id: str = "clean_one", *, well: bool = True, **conf: Any) -> str:
        """Run a DAG with its backups in a fresh folder."""
        return airflow.log_of(dag_id, {"folder": f"file://{tmp_path}", **conf}, well=well)

    return run


def submitted(emulator: Control) -> list[dict[str, Any]]:
    jobs: list[dict[str, Any]] = emulator.counters()["jobs"]
    return jobs


def test_it_finds_backs_up_deletes_and_reports_and_the_second_run_finds_nothing(run: Run, emulator: Control, tmp_path: Path) -> None:
    log = run(selection={"names": ["hot", "cold"]})

    assert set(emulator.tags("Leads")) == {"VIP", "webinar-2024-03", "do-not-call"}
    assert "| 5         | 2      |" in log  # the table of the report
    assert '"name": "hot"' in (tmp_path / "one.jsonl").read_text()

    again = run(selection={"names": ["hot", "cold"]}, folder=f"file://{tmp_path}/again")
    assert "nothing to delete" in again
    assert len(submitted(emulator)) == 1


def test_an_empty_module_is_a_success_with_nothing_done(run: Run, emulator: Control) -> None:
    emulator.remove_tags("Leads", list(emulator.tags("Leads").values()))
    assert "nothing to delete" in run(selection={"max_records": "unused"})


def test_a_module_of_which_every_tag_matches_is_left_alone(run: Run, emulator: Control) -> None:
    before = emulator.tags("Leads")
    log = run(selection={"everything": True}, well=False)

    assert "max_share" in log
    assert "5 of 5" in log
    assert emulator.tags("Leads") == before
    assert submitted(emulator) == []


def test_a_selection_that_costs_more_than_its_budget_is_refused_before_the_first_call(run: Run, emulator: Control) -> None:
    log = run(selection={"max_records": "unused", "max_api_calls": 3}, well=False)

    assert "max_api_calls" in log
    assert emulator.requests("records_count") == []
    assert submitted(emulator) == []


def test_a_selection_without_a_criterion_chooses_nothing(run: Run, emulator: Control) -> None:
    assert "nothing to delete" in run(selection={})


def test_a_dry_run_says_what_it_would_do(run: Run, emulator: Control) -> None:
    before = emulator.tags("Leads")
    log = run(selection={"names": ["hot"]}, dry_run=True)

    assert "dry run: nothing was deleted" in log
    assert emulator.tags("Leads") == before
    assert submitted(emulator) == []


def test_a_backup_that_cannot_be_made_stops_the_delete(run: Run, emulator: Control) -> None:
    emulator.fault(
        "status", "bulk/v8/read", status=403, times=None, body={"code": "NO_PERMISSION", "details": {}, "message": "x", "status": "error"}
    )
    emulator.fault(
        "status", "/crm/v8/Leads", status=403, times=None, body={"code": "NO_PERMISSION", "details": {}, "message": "x", "status": "error"}
    )
    before = emulator.tags("Leads")
    log = run(selection={"names": ["hot"]}, well=False)

    assert emulator.tags("Leads") == before
    assert "not finished" in log
    assert submitted(emulator) == []


def test_it_can_be_mapped_over_modules(run: Run, emulator: Control, tmp_path: Path) -> None:
    run("clean_several", selection={"names": ["hot", "partner"]})

    assert "hot" not in emulator.tags("Leads")
    assert "partner" not in emulator.tags("Contacts")
    assert {path.name for path in tmp_path.glob("*.jsonl")} == {"Leads.jsonl", "Contacts.jsonl"}


def test_what_a_dag_says_everywhere_neither_hides_what_was_deleted_nor_is_lost(
    run: Run, airflow: Airflow, emulator_server: EmulatorServer, emulator: Control
) -> None:
    airflow.connect(emulator_server, "crm/zoho#1")
    log = run("clean_if_wanted", selection={"names": ["hot"]})

    assert "hot" not in emulator.tags("Leads")
    assert "**Tags of Leads**: done." in log
    assert {"x-mine://report", "zohocrm://CRM%2FZOHO%231/Leads/tags"} <= airflow.assets_with_events()


def test_a_group_that_was_skipped_reports_that(run: Run, airflow: Airflow, emulator_server: EmulatorServer, emulator: Control) -> None:
    airflow.connect(emulator_server, "crm/zoho#1")
    log = run("clean_if_wanted", wanted=False)

    assert "skipped, because its tasks were skipped: nothing was deleted" in log
    assert emulator.requests("settings/tags") == []


def test_a_task_that_returns_nothing_is_named(run: Run, emulator: Control) -> None:
    log = run("clean_in_silence")

    assert "tag_ids came out empty" in log
    assert "or has do_xcom_push=False, returns nothing" in log
    assert "Not all is known: find returned nothing" in log
    assert submitted(emulator) == []
