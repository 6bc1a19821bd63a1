"""What all tests share: an Airflow home of their own, one emulator, and a connection to it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

# before anything imports airflow
_HOME = tempfile.mkdtemp(prefix="zcrm-airflow-")
os.environ.update(
    AIRFLOW_HOME=_HOME,
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{_HOME}/airflow.db",
    AIRFLOW__LOGGING__BASE_LOG_FOLDER=f"{_HOME}/logs",
)
for _name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
    os.environ.pop(_name, None)

from airflow_provider_zcrm.client.tokens import forget_tokens  # noqa: E402
from airflow_provider_zcrm.emulator.control import Control  # noqa: E402
from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer  # noqa: E402

CLIENT_ID = "1000.EMULATORCLIENT"
CLIENT_SECRET = "emulator-secret"
REFRESH_TOKEN = "1000.emulator-refresh-token"


def connection_json(url: str, **extra: object) -> str:
    """Return a connection to the emulator, in the form of AIRFLOW_CONN_ variables."""
    values = {"refresh_token": REFRESH_TOKEN, "accounts_url": url, "api_url": url, "shared_store": "memory", **extra}
    return json.dumps({"conn_type": "zoho_crm", "login": CLIENT_ID, "password": CLIENT_SECRET, "extra": values})


@contextmanager
def another_host(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatorServer]:
    """Let the connection zoho_crm_default lead to an emulator of its own, with the seed ``minimal``, for as long as this lasts."""
    with EmulatorServer() as other, monkeypatch.context() as edited:
        edited.setenv("AIRFLOW_CONN_ZOHO_CRM_DEFAULT", connection_json(other.url))
        yield other


_TESTS = Path(__file__).parent
# The folders and files whose tests take longest. They start first, because the run ends with the longest of them
_LONGEST = ["chaos", "browser", "e2e", "dag_test", "unit/client/test_token_machine.py", "docs", "typed", "cli", "integration"]
# The folders whose tests share what takes long to make (an Airflow, an environment), so that one worker must have all of them
_TOGETHER = {"e2e", "dag_test", "sdk"}


@pytest.hookimpl(tryfirst=True)  # but after pytest-randomly; xdist reads the groups next
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        folder = item.path.relative_to(_TESTS).parts[0]
        if folder == "unit":
            item.add_marker("smoke")
            # hundreds of examples run the lines that other tests count: counting them again takes half of their time
            if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
                item.add_marker("no_cover")
        if folder in _TOGETHER:
            item.add_marker(pytest.mark.xdist_group(folder))
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    turns = (turn for turn, path in enumerate(_LONGEST) if item.path.is_relative_to(_TESTS / path))
    return next(turns, len(_LONGEST))


@pytest.fixture(scope="session")
def emulator_server() -> Iterator[EmulatorServer]:
    with EmulatorServer() as server:
        yield server


@pytest.fixture
def emulator(emulator_server: EmulatorServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Control]:
    """The control of a fresh emulator with the seed ``minimal``; the connection zoho_crm_default points at it."""
    forget_tokens()
    emulator_server.control.seed("minimal")
    monkeypatch.setenv("AIRFLOW_CONN_ZOHO_CRM_DEFAULT", connection_json(emulator_server.url))
    yield emulator_server.control
    forget_tokens()
