"""The example with approval by a person: nothing is deleted before, and nothing after a rejection."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from airflow_provider_zcrm.emulator.control import Control
from demo.processes import DemoFailed
from tests.e2e.conftest import DagRun, RealAirflow

DAG = "zoho_crm_cleanup_with_approval"
UNUSED = {"webinar-2024-03", "do-not-call"}
# Airflow loses the try of a task that is answered before the scheduler has heard that it waits (apache/airflow#71580)
READING_SECONDS = 6


def answer(real: RealAirflow, run: DagRun, task: str, option: str, map_index: int = -1, says: str = "") -> None:
    """Read and answer a question as a person does, again if Airflow has lost the try that asked."""
    name = task if map_index < 0 else f"{task}[{map_index}]"
    path = f"{run._path}/taskInstances/{task}/{map_index}/hitlDetails"

    def answered() -> bool:
        state = run.tasks().get(name, {}).get("state")
        if state in ("awaiting_input", "deferred"):
            assert says in real.airflow.call("GET", path)["body"]
            time.sleep(READING_SECONDS)
            with suppress(DemoFailed):  # it has the answer already
                real.airflow.call("PATCH", path, {"chosen_options": [option], "params_input": {}})
        return state in ("success", "skipped")

    run.wait(answered)


@pytest.mark.parametrize(("option", "deleted", "state"), [("Approve", UNUSED, "success"), ("Reject", set(), "skipped")])
def test_what_the_person_says_is_done(real: RealAirflow, zoho: Control, option: str, deleted: set[str], state: str) -> None:
    before = set(zoho.tags("Leads"))
    run = real.start(DAG)
    answer(real, run, "clean_leads.approve", option, says="webinar-2024-03: 0 records carry it")
    run.wait()

    assert run.tasks()["clean_leads.delete"]["state"] == state
    assert before - set(zoho.tags("Leads")) == deleted


def test_of_mapped_modules_only_what_was_approved_is_deleted(real: RealAirflow, zoho: Control) -> None:
    """Leads is approved, and found again while the question is open; Contacts is not answered in time."""
    before = {module: set(zoho.tags(module)) for module in ("Leads", "Contacts")}
    run = real.start("approved_modules")
    run.wait(lambda: run.tasks().get("clean.tags.approve[0]", {}).get("state") in ("awaiting_input", "deferred"))
    zoho.add_tags("Leads", ["came-later"])
    run.clear("clean.tags.find")
    answer(real, run, "clean.tags.approve", "Approve", 0)
    run.wait(seconds=240)

    tasks = run.tasks()
    assert tasks["clean.tags.delete[1]"]["state"] == "skipped"
    assert set(zoho.tags("Contacts")) == before["Contacts"]
    assert before["Leads"] - set(zoho.tags("Leads")) == UNUSED
    assert {tag["name"] for tag in run.xcom("clean.tags.approve", map_index=0)} == UNUSED

    # cleared after the delete, it asks again; what comes after it runs only if that is approved
    jobs = len(zoho.counters()["jobs"])
    run.clear("clean.tags.approve")
    run.wait(seconds=240)
    assert len(zoho.counters()["jobs"]) == jobs
