"""The examples that clean a whole org: modules that are approved, rejected, failing, empty and new, side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.minimal_seed import minimal_seed
from tests.e2e.conftest import RealAirflow
from tests.e2e.test_approval import answer

LONG_AGO = "2020-01-01T00:00:00+00:00"


def give_modules(zoho: Control, modules: dict[str, list[str]]) -> None:
    """Give the org these modules; every tag but ``used`` and ``used too`` is on no record."""
    seed = minimal_seed()
    seed["orgs"][0]["modules"] = [
        {
            "api_name": module,
            "tags": [{"name": tag, "created_time": LONG_AGO} for tag in tags],
            "records": [{"tags": [tag for tag in tags if tag.startswith("used")]}],
        }
        for module, tags in modules.items()
    ]
    zoho.seed(seed)


def states(tasks: dict[str, Any], task: str) -> dict[str, str]:
    """Return the states of the instances of a mapped task, by what Airflow shows for each."""
    return {each["rendered_map_index"] or name: each["state"] for name, each in tasks.items() if each["task_id"] == task}


def test_one_question_for_each_module(real: RealAirflow, zoho: Control, tmp_path: Path) -> None:
    """Leads and Late are approved, Contacts is rejected, the guard of Deals trips, Empty has no tags."""
    keep = ["used", "used too", "VIP 1"]
    give_modules(
        zoho,
        {
            "Leads": ["a", "{{ 1/0 }}", *keep],
            "Contacts": ["b", *keep],
            "Deals": ["c", "d", "e", "used"],
            "Empty": [],
            "Late": ["f", *keep],
        },
    )
    known = {"run_id": "earlier", "modules": ["Leads", "Contacts", "Deals", "Empty"]}
    key = "zoho_crm_modules_zoho_crm_cleanup_org.clean_org.list_modules"
    real.airflow.call("POST", "/variables", {"key": key, "value": json.dumps(known)})
    run = real.start("zoho_crm_cleanup_org", folder=f"file://{tmp_path}", dry_run=False)
    answer(real, run, "clean_org.clean.approve", "Approve", 0, says="1/0")
    answer(real, run, "clean_org.clean.approve", "Reject", 1)
    answer(real, run, "clean_org.clean.approve", "Approve", 4)

    assert run.wait(seconds=240) == "failed"  # of Deals
    tasks = run.tasks()
    assert set(zoho.tags("Leads")) == set(zoho.tags("Late")) == set(keep)
    assert set(zoho.tags("Contacts")) == {"b", *keep}
    assert len(zoho.tags("Deals")) == 4
    assert states(tasks, "clean_org.clean.find") == {
        "Leads": "success",
        "Contacts": "success",
        "Deals": "failed",
        "Empty": "success",
        "Late": "success",
    }
    assert states(tasks, "clean_org.clean.report") == dict.fromkeys(("Leads", "Contacts", "Deals", "Empty", "Late"), "success")
    assert {path.name for path in tmp_path.glob("zoho_crm_cleanup_org/*/clean_org/*")} == {"Leads.jsonl", "Late.jsonl"}
    numbers = run.xcom("clean_org.summary", "numbers")
    assert numbers["states"] == {"done": 2, "skipped": 1, "failed": 1, "nothing to delete": 1}
    assert numbers["totals"]["deleted"] == 3
    assert numbers["new_modules"] == ["Late"]
    assert numbers["unmatched_keep"] == []
    last = run.xcom("clean_org.summary").splitlines()[-1]
    assert last == "**5 modules**: 2 done, 1 skipped, 1 failed, 1 nothing to delete."


def test_one_question_for_all_modules(real: RealAirflow, zoho: Control) -> None:
    """What is found again while the question is open reaches no delete, and the module that was not asked about fails."""
    give_modules(zoho, {"Leads": ["old", "used", "used too"], "Contacts": ["test 1", "b", "c"], "Tasks": ["test 2"], "Deals": ["test 3"]})
    run = real.start("zoho_crm_cleanup_org_with_alerts")
    run.wait(lambda: run.tasks().get("clean_org.approve", {}).get("state") in ("awaiting_input", "deferred"))
    zoho.add_tags("Contacts", [{"name": "test 9", "created_time": LONG_AGO}])
    run.clear("clean_org.choose.find")
    answer(real, run, "clean_org.approve", "Approve", says="2 tags of 2 modules to be deleted")

    assert run.wait(seconds=240) == "failed"  # of Tasks, of which all tags would go
    assert set(zoho.tags("Leads")) == {"used", "used too"}
    assert set(zoho.tags("Contacts")) == {"b", "c", "test 9"}
    assert set(zoho.tags("Tasks")) == {"test 2"}
    assert set(zoho.tags("Deals")) == {"test 3"}
    assert run.tasks()["clean_org.clean.approve[2]"]["state"] == "failed"
    assert run.xcom("clean_org.summary", "numbers")["states"] == {"done": 2, "failed": 1}
    messages = (real.airflow.home / "slack.txt").read_text()
    assert "clean_org.choose.find failed for Tasks: 1 of the 1 tags of Tasks would be deleted" in messages


def test_one_question_that_is_rejected(real: RealAirflow, zoho: Control) -> None:
    """Nothing is deleted; a module whose tags were not found fails the run all the same."""
    modules = {"Leads": ["old", "used", "used too"], "Tasks": ["test 2"]}
    give_modules(zoho, {**modules, "Deals": []})
    run = real.start("zoho_crm_cleanup_org_with_alerts")
    answer(real, run, "clean_org.approve", "Reject", says="1 tag of 1 module to be deleted")

    assert run.wait(seconds=240) == "failed"
    assert {module: set(zoho.tags(module)) for module in modules} == {module: set(tags) for module, tags in modules.items()}
    assert run.tasks()["clean_org.clean.approve[0]"]["state"] == "skipped"
    assert run.tasks()["clean_org.clean.approve[1]"]["state"] == "failed"
    assert zoho.counters()["jobs"] == []
    assert run.xcom("clean_org.summary", "numbers")["states"] == {"skipped": 1, "failed": 1}
