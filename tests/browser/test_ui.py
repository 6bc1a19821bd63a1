"""What a user does in Airflow's UI: makes the connection, tests it, runs an example, reads its log, follows its links."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("playwright", reason="the tests in a browser need the extra `browser`")

from playwright.sync_api import Page, expect

from airflow_provider_zcrm.links.zcrm import GUIDES
from tests.browser.conftest import Ui
from tests.browser.screenshots import take
from tests.conftest import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN

DAG_ID = "zoho_crm_cleanup_many_modules"
CONNECTION_ID = "zoho_crm_default"


@pytest.mark.timeout(900)  # Airflow's start is part of it
def test_from_the_connection_form_to_the_log_of_a_clean_up(ui: Ui) -> None:
    fill_in_the_form(ui.page)
    try_the_connection(ui)
    run = run_the_example(ui)
    assert "test" not in ui.zoho.tags("Contacts")
    read_the_log(ui.page, run)
    see_the_rendered_templates(ui.page, run)
    follow_the_links(ui.page, run)


def fill_in_the_form(page: Page) -> None:
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


def run_the_example(ui: Ui) -> str:
    """Trigger the DAG, watch it to its end, and return the address of the run's page."""
    page = ui.page
    ui.airflow.wait_for_dag(DAG_ID)
    page.goto(f"/dags/{DAG_ID}")
    page.get_by_role("button", name="Trigger Dag").click()
    page.get_by_role("dialog").get_by_role("button", name="Trigger").click()
    page.wait_for_url(re.compile(rf"/dags/{DAG_ID}/runs/"))
    run = page.url.partition("?")[0]
    expect(page.get_by_text("Success", exact=True).first).to_be_visible()
    page.get_by_role("button", name="Show Graph").click()
    expect(page.locator(".react-flow__node").first).to_be_visible()
    take("graph", page)
    return run


def read_the_log(page: Page, run: str) -> None:
    page.goto(f"{run}/tasks/clean_up/mapped/0")
    expect(page.get_by_text("Done with")).to_be_visible()
    take("log", page)


def see_the_rendered_templates(page: Page, run: str) -> None:
    page.goto(f"{run}/tasks/clean_up/mapped/0/rendered_templates")
    expect(page.get_by_text('"copy of hot"')).to_be_visible()


def follow_the_links(page: Page, run: str) -> None:
    page.goto(f"{run}/tasks/clean_up/mapped/2/details")
    expect(page.get_by_role("link", name="Open in Zoho CRM")).to_have_attribute("href", "https://crm.zoho.com/crm/tab/Potentials")
    expect(page.get_by_role("link", name="Guide")).to_have_attribute("href", f"{GUIDES}/operators/")
