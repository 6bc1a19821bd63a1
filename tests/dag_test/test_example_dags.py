"""Every example DAG, run to its end by Airflow's own ``dag.test()`` against the emulator, in whatever Airflow is installed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from airflow_provider_zcrm.api.mass_delete import submit_records_by_view
from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from airflow_provider_zcrm.hooks.zcrm import ZohoCrmHook
from airflow_provider_zcrm.operators.backup_tags import BackupTagsOperator
from tests.airflow_task import TaskRun
from tests.dag_test.conftest import EXAMPLES, Airflow
from tests.dag_test.mail import Mailbox, mail_server


def test_there_is_a_test_for_every_example() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {
        "zoho_crm_weekly_tag_cleanup",
        "zoho_crm_cleanup_many_modules",
        "zoho_crm_wait_for_records_job",
        "zoho_crm_restore_tags",
        "zoho_crm_delete_records_by_view",
        "zoho_crm_delete_and_restore_records",
        "zoho_crm_cleanup_all_modules",
        "zoho_crm_cleanup_many_orgs",
        "zoho_crm_dry_run_by_mail",
        "zoho_crm_first_cleanup",  # its page of the docs runs it
        # in tests/e2e, because a person answers through Airflow's API
        "zoho_crm_cleanup_with_approval",
        "zoho_crm_cleanup_org",
        "zoho_crm_cleanup_org_with_alerts",
    }


@pytest.mark.smoke
def test_the_weekly_clean_up_deletes_old_tags_that_nobody_uses_and_a_second_run_finds_none(airflow: Airflow, emulator: Control) -> None:
    emulator.add_tags("Leads", [{"name": name, "created_time": "2020-01-01T00:00:00+00:00"} for name in ("old", "VIP old")])
    before = set(emulator.tags("Leads"))
    airflow.run("dags", "test", "zoho_crm_weekly_tag_cleanup")
    assert before - set(emulator.tags("Leads")) == {"old", "webinar-2024-03", "do-not-call"}
    airflow.run("dags", "test", "zoho_crm_weekly_tag_cleanup")
    assert len(emulator.counters()["jobs"]) == 1


def test_the_clean_up_of_all_modules_backs_up_and_deletes_in_each(airflow: Airflow, emulator: Control, tmp_path: Path) -> None:
    emulator.seed("demo")
    emulator.jobs(start_delay=0.1, duration=0.2)
    before = {module: emulator.tags(module) for module in ("Leads", "Contacts", "Accounts", "Deals")}
    airflow.run("dags", "test", "--conf", json.dumps({"folder": f"file://{tmp_path}"}), "zoho_crm_cleanup_all_modules")
    gone = {module: set(before[module]) - set(emulator.tags(module)) for module in before}
    assert gone["Leads"]
    assert {path.stem for path in tmp_path.rglob("*.jsonl")} == {module for module, names in gone.items() if names}


def test_the_clean_up_of_many_orgs_deletes_in_each(airflow: Airflow, emulator: Control) -> None:
    with EmulatorServer() as globex, EmulatorServer() as acme:
        for conn_id, org in {"zoho_crm_acme": acme, "zoho_crm_globex": globex}.items():
            airflow.connect(org, conn_id)
            org.control.add_tags("Leads", ["test 1"])
        airflow.run("dags", "test", "zoho_crm_cleanup_many_orgs")
        for org in (acme, globex):
            assert "test 1" not in org.control.tags("Leads")
            assert "test" not in org.control.tags("Contacts")
    assert emulator.counters()["jobs"] == []


def test_the_dry_run_mails_its_report_and_deletes_nothing(airflow: Airflow, emulator: Control) -> None:
    before = emulator.tags("Leads")
    mails = Mailbox()
    with mail_server(mails) as port:
        extra = {"disable_ssl": True, "disable_tls": True}
        airflow.set_connection("smtp_default", json.dumps({"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra}))
        airflow.run("dags", "test", "zoho_crm_dry_run_by_mail")
    assert "dry run: nothing was deleted" in mails.texts[0]
    assert "webinar-2024-03" in mails.texts[0]
    assert emulator.tags("Leads") == before


def test_the_clean_up_of_many_modules_deletes_in_each(airflow: Airflow, emulator: Control) -> None:
    emulator.seed("demo")
    before = {module: emulator.tags(module) for module in ("Leads", "Contacts", "Deals")}
    airflow.run("dags", "test", "zoho_crm_cleanup_many_modules")
    gone = {module: set(before[module]) - set(emulator.tags(module)) for module in before}
    assert {"test", "asdf"} <= gone["Leads"]
    assert {"test", "bounced?"} <= gone["Contacts"]
    assert {"test deal", "Q4-2023"} <= gone["Deals"]


def test_the_restore_brings_back_what_a_backup_holds(airflow: Airflow, emulator: Control, tmp_path: Path) -> None:
    path, hot = f"file://{tmp_path}/Leads.jsonl", emulator.tags("Leads")["hot"]
    TaskRun(BackupTagsOperator(task_id="back_up", module="Leads", tag_ids=[hot], backup_path=path)).try_once()
    before = set(emulator.tagged("Leads")["hot"])
    emulator.remove_tags("Leads", [hot])
    airflow.run("dags", "test", "--conf", json.dumps({"path": path}), "zoho_crm_restore_tags")
    assert "hot" not in emulator.tags("Leads")
    airflow.run("dags", "test", "--conf", json.dumps({"path": path, "dry_run": False}), "zoho_crm_restore_tags")
    assert set(emulator.tagged("Leads")["hot"]) == before


def test_the_wait_for_records_ends_with_the_job(airflow: Airflow, emulator: Control) -> None:
    job_id = ZohoCrmHook().get_conn().send(submit_records_by_view("Leads", "2276164000000538003"))
    airflow.run("dags", "test", "--conf", json.dumps({"job_id": job_id, "module": "Leads"}), "zoho_crm_wait_for_records_job")
    assert emulator.requests("Leads/actions/mass_delete", "GET")


def test_the_records_of_a_view_are_deleted_after_a_dry_run(airflow: Airflow, emulator: Control) -> None:
    view = {"cvid": "2276164000000538003", "max_records": 4}
    airflow.run("dags", "test", "--conf", json.dumps({**view, "dry_run": True}), "zoho_crm_delete_records_by_view")
    assert len(emulator.records("Leads")) == 10
    airflow.run("dags", "test", "--conf", json.dumps(view), "zoho_crm_delete_records_by_view")
    assert len(emulator.records("Leads")) == 6


def test_records_are_deleted_and_brought_back(airflow: Airflow, emulator: Control) -> None:
    before = emulator.tagged("Leads")
    ids = emulator.records("Leads")[:3]
    airflow.run("dags", "test", "--conf", json.dumps({"record_ids": ids}), "zoho_crm_delete_and_restore_records")
    assert emulator.recycle_bin("Leads") == ids
    airflow.run("dags", "test", "--conf", json.dumps({"record_ids": ids, "restore": True}), "zoho_crm_delete_and_restore_records")
    assert emulator.tagged("Leads") == before
