"""What a user does in Airflow's UI: makes the connection, tests it, runs an example, reads its logs, follows its links."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="the tests in a browser need the extra `browser`")

from playwright.sync_api import Page, expect

from airflow_provider_zcrm.links.zcrm import GUIDES
from tests.browser.conftest import Ui
from tests.browser.screenshots import take
from tests.conftest import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN

DAG_ID = "zoho_crm_first_cleanup"
CONNECTION_ID = "zoho_crm_default"


def test_from_the_connection_form_to_the_report_of_a_clean_up(ui: Ui, backup: Path) -> None:
    fill_in_the_form(ui.page)
    try_the_connection(ui)
    run = run_the_example(ui, backup)
    assert backup.exists()
    assert "asdf" not in ui.zoho.tags("Contacts")
    assert "VIP" in ui.zoho.tags("Contacts")
    for log in ui.airflow.task_logs():
        check_that_it_is_short(log)
    read_the_logs(ui.page, run)
    see_the_rendered_templates(ui.page, run)
    follow_the_links(ui.page, run)


def fill_in_the_form(page: Page) -> None:
    page.set_viewport_size({"width": 1000, "height": 840})
    page.goto("/connections")
    page.get_by_role("button", name="Add Connection").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Connection ID").fill(CONNECTION_ID)
    form.get_by_role("combobox").first.click()
    page.keyboard.type("Zoho CRM")
    page.keyboard.press("Enter")
    form.locator("[name=login]").fill(CLIENT_ID)
    form.locator("[name=password]").fill(CLIENT_SECRET)
    form.get_by_role("button", name="Extra Fields", exact=True).click()
    form.locator("[name=element_refresh_token]").fill(REFRESH_TOKEN)
    assert form.locator("[name=element_refresh_token]").get_attribute("type") == "password"
    take("connection-form", page, form)
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("cell", name=CONNECTION_ID)).to_be_visible()


def try_the_connection(ui: Ui) -> None:
    # the button of Airflow 3.3.2 refuses a connection without a port (apache/airflow#73298)
    body = {"connection_id": CONNECTION_ID, "conn_type": "zoho_crm", "port": 0}
    ui.airflow.call("PATCH", f"/connections/{CONNECTION_ID}", body, update_mask="port")
    ui.page.reload()
    ui.page.get_by_role("button", name="Test Connection").click()
    expect(ui.page.get_by_text("Connected to Brightline Solar Inc.")).to_be_visible()


def run_the_example(ui: Ui, backup: Path) -> str:
    """Trigger the DAG for a module, not as a dry run; watch it to its end and return the address of the run's page."""
    page = ui.page
    ui.airflow.wait_for_dag(DAG_ID)
    page.goto(f"/dags/{DAG_ID}")
    page.get_by_role("button", name="Trigger Dag").click()
    form = page.get_by_role("dialog")
    form.locator("[name=element_module]").fill("Contacts")
    form.locator("[name=element_backup]").fill(backup.as_uri())
    form.locator("label:has([name=element_dry_run])").click()
    form.get_by_role("button", name="Trigger").click()
    page.wait_for_url(re.compile(rf"/dags/{DAG_ID}/runs/"))
    run = page.url.partition("?")[0]
    wait_for_success(ui, run)
    page.set_viewport_size({"width": 1000, "height": 420})
    page.get_by_role("button", name="Show Graph").click()
    page.get_by_role("button", name="Collapse Details Panel").click()
    page.get_by_role("button", name="Expand all").click()
    for task in ("find", "back_up", "delete", "report"):
        expect(page.locator(".react-flow__node", has_text=task).get_by_text("success").last).to_be_visible()
    page.add_style_tag(content=".react-flow__minimap { display: none }")  # it would lie over the graph
    page.get_by_role("button", name="Fit View").click()
    page.wait_for_timeout(1000)  # the graph moves
    take("graph", page)
    return run


def wait_for_success(ui: Ui, run: str) -> None:
    """Look at the page of a run until it says success, and ask Airflow, because the page says as much of single tasks."""
    path = run.removeprefix(ui.airflow.url).replace("/runs/", "/dagRuns/")
    deadline = time.monotonic() + 300
    while (state := ui.airflow.call("GET", path)["state"]) != "success":
        assert state in ("queued", "running"), state
        assert time.monotonic() < deadline, state
        ui.page.wait_for_timeout(1000)
    expect(ui.page.get_by_text("Running", exact=True)).to_have_count(0)
    expect(ui.page.get_by_text("Success", exact=True).first).to_be_visible()


def check_that_it_is_short(log: Path) -> None:
    """Check that a user reads a dozen lines, besides what is folded, and no warning but the one that Airflow gives of short values."""
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    depth, open_lines = 0, 0
    for entry in entries:
        assert entry["level"] == "info" or "too short" in entry["event"], entry
        depth += entry["event"].startswith("::group::")
        open_lines += not depth
        depth -= entry["event"].startswith("::endgroup::")
    assert open_lines <= 12, [entry["event"] for entry in entries]


def read_the_logs(page: Page, run: str) -> None:
    for task, text in (("delete", "Done with"), ("report", "What was done")):
        page.set_viewport_size({"width": 1000, "height": 860})
        page.goto(f"{run}/tasks/clean.{task}")
        page.get_by_role("button", name="fullscreen").click()
        log = page.get_by_role("dialog").locator("code", has_text=text).first
        expect(log).to_be_visible()
        take(f"log-{task}", page, down_to=log)


def see_the_rendered_templates(page: Page, run: str) -> None:
    page.goto(f"{run}/tasks/clean.find/rendered_templates")
    expect(page.get_by_text('"max_records": "unused"')).to_be_visible()


def follow_the_links(page: Page, run: str) -> None:
    page.goto(f"{run}/tasks/clean.delete/details")
    expect(page.get_by_role("link", name="Open in Zoho CRM")).to_have_attribute("href", "https://crm.zoho.com/crm/tab/Contacts")
    expect(page.get_by_role("link", name="Guide")).to_have_attribute("href", f"{GUIDES}/operators/")
