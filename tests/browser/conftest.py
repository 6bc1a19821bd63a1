"""Chromium in front of a real Airflow with the example DAGs, and behind Zoho's host names the emulator."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from demo.local_airflow import LocalAirflow
from demo.processes import Processes
from tests.client.servers import zohos_names
from tests.e2e.conftest import restored_signals

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).parents[2]
# the machine may be slow, and so may Airflow
_PATIENCE_MS = 180_000
_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Ui:
    """A page of the browser, the Airflow that it shows, and the Zoho CRM behind that."""

    page: Page
    airflow: LocalAirflow
    zoho: Control


@pytest.fixture(scope="module")
def chromium() -> str:
    """The path of a browser; looked for before Airflow is started for nothing."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("the tests in a browser need Chromium or Chrome")
    return found


@pytest.fixture(scope="module")
def airflow_and_zoho(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalAirflow, Control]]:
    folder = tmp_path_factory.mktemp("browser")
    with EmulatorServer() as emulator, zohos_names(folder, emulator.url) as environment, restored_signals():
        emulator.control.seed("demo")
        processes = Processes(folder)
        airflow = LocalAirflow(processes, folder / "home", ROOT / "example_dags")
        airflow.env |= environment | {"AIRFLOW__CORE__TEST_CONNECTION": "Enabled"}
        try:
            airflow.migrate()
            airflow.start()
            yield airflow, emulator.control
        finally:
            processes.stop()


@pytest.fixture
def ui(chromium: str, airflow_and_zoho: tuple[LocalAirflow, Control], request: pytest.FixtureRequest) -> Iterator[Ui]:
    """An open page; if the test fails, what it shows is kept in ``build/reports/``."""
    from playwright.sync_api import expect, sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        page = browser.new_page(base_url=airflow_and_zoho[0].url, device_scale_factor=1.5)
        page.set_default_timeout(_PATIENCE_MS)
        expect.set_options(timeout=_PATIENCE_MS)
        failed = request.session.testsfailed
        try:
            yield Ui(page, *airflow_and_zoho)
        finally:
            if request.session.testsfailed > failed:
                page.screenshot(path=ROOT / "build" / "reports" / f"{request.node.name}.png")
            browser.close()


@pytest.fixture
def backup() -> Iterator[Path]:
    """Where a DAG may write a backup; the name is short, because it stands in a screenshot."""
    with tempfile.TemporaryDirectory(prefix="backups-") as folder:
        yield Path(folder) / "contacts.jsonl"
