"""The group of tasks `org_tag_cleanup`, run by Airflow's own ``dag.test()`` against the emulator; tests/e2e has approvals and failures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.minimal_seed import minimal_seed
from tests.airflow_task import IS_AIRFLOW_2
from tests.dag_test.conftest import Airflow

Run = Callable[..., str]
# Airflow 2's dag.test() resumes a deferred task with the object whose templates are rendered already, and renders names of tags then
JINJA = "old name" if IS_AIRFLOW_2 else "{{ 1/0 }}"
MODULES = {
    "Leads": ["hot", "VIP", "old"],
    "Contacts": ["VIP", JINJA, "b"],
    "Empty": [],
}


def give_modules(emulator: Control, modules: list[dict[str, Any]]) -> None:
    seed = minimal_seed()
    seed["orgs"][0]["modules"] = modules
    emulator.seed(seed)


@pytest.fixture
def run(airflow: Airflow, emulator: Control, tmp_path: Path) -> Run:
    others = [
        {"api_name": "Notes", "tags_supported": False},
        {"api_name": "Forecasts", "status": "system_hidden"},
        {"api_name": None, "plural_label": "Portal", "generated_type": "web"},
    ]
    give_modules(emulator, [{"api_name": name, "tags": tags} for name, tags in MODULES.items()] + others)

    def run(*, well: bool = True, **conf: Any) -> str:
        """Run the DAG with its backups in a fresh folder."""
        return airflow.log_of("clean_org", {"folder": f"file://{tmp_path}/", **conf}, well=well)

    return run


def test_every_module_is_cleaned_and_what_is_new_is_named_the_next_time(
    run: Run, airflow: Airflow, emulator: Control, tmp_path: Path
) -> None:
    before = airflow.assets_with_events()
    log = run(selection={"names": ["hot", JINJA], "keep": ["VIP", "nobody"]})

    assert set(emulator.tags("Leads")) == {"VIP", "old"}
    assert set(emulator.tags("Contacts")) == {"VIP", "b"}
    (leads,) = tmp_path.glob("clean_org/*/org/Leads.jsonl")
    assert '"name": "hot"' in leads.read_text()
    assert "**4 modules**: 2 done, 2 nothing to delete." in log
    assert "**To be kept, but no tag of any module matches**: nobody." in log
    assert "New modules" not in log
    # other tests share the Airflow
    assert not {"zohocrm://zoho_crm_default/Contacts/tags"} & (airflow.assets_with_events() - before)
    assert "zohocrm://zoho_crm_default/tags" in airflow.assets_with_events()

    give_modules(emulator, [{"api_name": name} for name in ("Leads", "Late")])
    assert "**New modules**: Late." in run(selection={"names": ["hot"]})


@pytest.mark.parametrize("wrong", [{"exclude": ["Dels*"]}, {"modules": ["Lead"]}, {"exclude": ["*"]}])
def test_a_list_of_modules_that_cannot_be_meant_stops_all(run: Run, emulator: Control, wrong: dict[str, Any]) -> None:
    log = run(well=False, selection={"names": ["hot"]}, **wrong)

    assert "matches no module of the org" in log or "No module is left" in log
    assert emulator.requests("settings/tags") == []
