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


def answered(real: RealAirflow, option: str) -> DagRun:
    """Return the run after a person has read and answered, again if Airflow has lost the try that asked."""
    run = real.start(DAG)
    path = f"{run._path}/taskInstances/approve/-1/hitlDetails"

    def answer() -> bool:
        state = run.tasks().get("approve", {}).get("state")
        if state in ("awaiting_input", "deferred"):
            assert "webinar-2024-03: 0 records carry it" in real.airflow.call("GET", path)["body"]
            assert real.emulator.counters()["jobs"] == []
            time.sleep(READING_SECONDS)
            with suppress(DemoFailed):  # it has the answer already
                real.airflow.call("PATCH", path, {"chosen_options": [option], "params_input": {}})
        return state == "success"

    run.wait(answer)
    run.wait()
    return run


@pytest.mark.parametrize(("option", "deleted", "state"), [("Approve", UNUSED, "success"), ("Reject", set(), "skipped")])
def test_what_the_person_says_is_done(real: RealAirflow, zoho: Control, option: str, deleted: set[str], state: str) -> None:
    before = set(zoho.tags("Leads"))
    run = answered(real, option)

    assert run.tasks()["delete"]["state"] == state
    assert before - set(zoho.tags("Leads")) == deleted
