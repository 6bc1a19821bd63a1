"""What an Airflow of any version must make of the provider that is installed beside it."""

from __future__ import annotations

import json
import runpy
from importlib.metadata import version

import pytest

from airflow_provider_zcrm.emulator.control import Control
from tests.dag_test.conftest import EXAMPLES, Airflow

NEEDS = dict.fromkeys(("zoho_crm_cleanup_with_approval", "zoho_crm_cleanup_org", "zoho_crm_cleanup_org_with_alerts"), (3, 1))


@pytest.mark.smoke
def test_airflow_finds_the_provider_and_its_hook(airflow: Airflow) -> None:
    providers = json.loads(airflow.run("providers", "list", "--output", "json"))
    assert "airflow-provider-zcrm" in {each["package_name"] for each in providers}
    (hook,) = [each for each in json.loads(airflow.run("providers", "hooks", "--output", "json")) if each["connection_type"] == "zoho_crm"]
    assert hook["package_name"] == "airflow-provider-zcrm"


@pytest.mark.smoke
@pytest.mark.parametrize("example", sorted(path.stem for path in EXAMPLES.glob("*.py")))
def test_every_example_can_be_imported_where_airflow_has_what_it_needs(example: str) -> None:
    if tuple(map(int, version("apache-airflow").split(".")[:2])) >= NEEDS.get(example, (2, 11)):
        assert "DAG" in runpy.run_path(str(EXAMPLES / f"{example}.py"))


@pytest.mark.skipif(
    version("apache-airflow").startswith("3.0."), reason="its dag.test() gives rescheduled sensors a date as text, and fails on it"
)
def test_a_rescheduled_sensor_waits_for_its_job(airflow: Airflow, emulator: Control) -> None:
    emulator.jobs(start_delay=15, duration=1)
    airflow.run("dags", "test", "reschedules")
    assert "hot" not in emulator.tags("Leads")
    assert len(emulator.requests("settings/tags/actions/mass_delete", "GET")) > 1


def test_a_failed_delete_fails_the_run(airflow: Airflow, emulator: Control) -> None:
    emulator.next_jobs(1, failing=["hot"])
    assert "A mass delete has " in airflow.log_of("reschedules", {}, well=False)
