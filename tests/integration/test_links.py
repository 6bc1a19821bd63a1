"""The buttons on a task: what a task stores for them, and that Airflow may deserialise them."""

from __future__ import annotations

import json
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from airflow_provider_zcrm.get_provider_info import get_provider_info
from airflow_provider_zcrm.hooks.errors import ZohoCrmFailure
from airflow_provider_zcrm.links.zcrm import GUIDES, ZohoCrmGuideLink, ZohoCrmModuleLink
from airflow_provider_zcrm.operators.backup_tags import BackupTagsOperator
from airflow_provider_zcrm.operators.delete_records import DeleteRecordsOperator
from airflow_provider_zcrm.operators.find_tags import FindTagsOperator
from airflow_provider_zcrm.operators.find_tags_of_module import FindTagsOfModuleOperator
from airflow_provider_zcrm.operators.mass_delete_records import MassDeleteRecordsOperator
from airflow_provider_zcrm.operators.mass_delete_tags import MassDeleteTagsOperator
from airflow_provider_zcrm.operators.report_tag_cleanup import ReportTagCleanupOperator
from airflow_provider_zcrm.operators.restore_records import RestoreRecordsOperator
from airflow_provider_zcrm.operators.restore_tags import RestoreTagsOperator
from airflow_provider_zcrm.sensors.mass_delete_job import MassDeleteJobSensor
from tests.airflow_task import TaskRun
from tests.client.servers import zohos_names
from tests.conftest import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN

ROOT = Path(__file__).parents[2]
LINK = ZohoCrmModuleLink.xcom_key
LEADS = "https://crm.zoho.com/crm/tab/Leads"
HOT = "2276164000001021041"
BACKUPS = tempfile.mkdtemp(prefix="zcrm-backups-")

TASKS: dict[str, Callable[[], BaseOperator]] = {
    "delete": lambda: MassDeleteTagsOperator(task_id="delete", module="Leads", tag_ids=[HOT]),
    "back up": lambda: BackupTagsOperator(task_id="back_up", module="Leads", tag_ids=[HOT], backup_path=f"{BACKUPS}/Leads.jsonl"),
    "delete a view": lambda: MassDeleteRecordsOperator(task_id="delete", module="Leads", cvid="2276164000000538003", max_records=None),
    "delete records": lambda: DeleteRecordsOperator(task_id="delete", module="Leads", record_ids=["2276164000006064001"]),
    "find of several": lambda: FindTagsOfModuleOperator(task_id="find", module="Leads", selections={"*": {"name_glob": ["h*"]}}),
    "find": lambda: FindTagsOperator(task_id="find", module="Leads", selection={"name_glob": ["h*"]}),
    "restore": lambda: RestoreTagsOperator(task_id="restore", backup_path=f"{BACKUPS}/Leads.jsonl"),
    "restore records": lambda: RestoreRecordsOperator(task_id="restore", module="Leads", record_ids=["2276164000006064002"]),
    "wait": lambda: MassDeleteJobSensor(task_id="wait", module="Leads", job_id="2276164000001234567"),
}
# makes no call to Zoho, so it does not know where its module is
REPORT = ReportTagCleanupOperator(task_id="report", module="Leads", find_task_id="find", delete_task_id="delete")


def run(task: str) -> dict[str, Any]:
    """Run a task and return its XComs; the sensor fails, because no job has its id."""
    if task == "restore":
        run("back up")
    started = TaskRun(TASKS[task](), unknown_job_grace=0)
    with pytest.raises(ZohoCrmFailure) if task == "wait" else nullcontext():
        started.start()
    return started.ti.xcoms


@pytest.fixture
def zoho(emulator: Control, emulator_server: EmulatorServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """A connection to Zoho's own US hosts, behind whose names the emulator answers; it is made when a test has had its way with it."""
    connection = {
        "conn_type": "zoho_crm",
        "login": CLIENT_ID,
        "password": CLIENT_SECRET,
        "extra": {"refresh_token": REFRESH_TOKEN, "shared_store": "memory"},
    }
    with zohos_names(tmp_path, emulator_server.url) as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AIRFLOW_CONN_ZOHO_CRM_DEFAULT", json.dumps(connection))
        yield connection


@pytest.mark.parametrize("task", TASKS)
def test_a_task_stores_where_its_module_is_in_zoho_crm_also_if_it_fails(zoho: dict[str, Any], task: str) -> None:
    assert run(task)[LINK] == LEADS


def test_client_credentials_know_the_org(zoho: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    zoho["extra"] = {"grant_type": "client_credentials", "zsoid": "808232144", "scope": "ZohoCRM.settings.ALL", "shared_store": "memory"}
    monkeypatch.setenv("AIRFLOW_CONN_ZOHO_CRM_DEFAULT", json.dumps(zoho))

    assert run("find")[LINK] == "https://crm.zoho.com/crm/org808232144/tab/Leads"


@pytest.mark.parametrize("task", TASKS)
def test_a_connection_to_an_emulator_has_no_button_that_leads_to_zoho(emulator: Control, task: str) -> None:
    assert LINK not in run(task)


@pytest.mark.smoke
@pytest.mark.parametrize("task", [make() for make in TASKS.values()] + [REPORT], ids=[*TASKS, "report"])
def test_airflow_knows_the_buttons_of_every_task_and_the_guides_exist(task: BaseOperator) -> None:
    links = task.operator_extra_links
    known = get_provider_info()["extra-links"]
    (guide,) = (link for link in links if isinstance(link, ZohoCrmGuideLink))

    kinds = {f"{type(link).__module__}.{type(link).__qualname__}" for link in links}
    assert kinds == (set(known) if task is not REPORT else {known[1]})
    assert (ROOT / "docs" / f"{guide.page}.md").exists()
    assert guide.get_link(task, ti_key=None) == f"{GUIDES}/{guide.page}/"


def test_no_operator_or_sensor_is_missing_here() -> None:
    tried = {type(task).__module__ for task in [*(make() for make in TASKS.values()), REPORT]}
    info = get_provider_info()
    # these ask a person, or are about several modules, or ask nothing of Zoho: test_approve_tags.py, test_org_operators.py and tests/e2e
    others = ("approve_tags", "approve_tags_of_modules", "approved_tags", "list_modules", "report_org_cleanup")
    tried |= {f"airflow_provider_zcrm.operators.{name}" for name in others}
    assert tried == {name for kind in ("operators", "sensors") for entry in info[kind] for name in entry["python-modules"]}


def test_the_guides_are_where_the_package_says_that_its_documentation_is() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["urls"]["Documentation"] == GUIDES
