"""`zoho_crm`, a fixture with which users test their own DAGs: an emulator, and Airflow connections that point to it.

It is no plugin that loads by itself: a test file, or a ``conftest.py``, imports it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from airflow_provider_zcrm.emulator.minimal_seed import CLIENT, REFRESH_TOKEN

MOST_TAGS = 20


class ZohoCrm(Control):
    """An emulator of its own for one test. `url` is its address; for the rest see `Control`."""

    def __init__(self, url: str, set_variable: Callable[[str, str], None]) -> None:
        super().__init__(url)
        self.url = url
        self._set_variable = set_variable
        self._names: dict[str, str] = {}

    def connect(self, conn_id: str, **extra: Any) -> None:
        """Let an Airflow connection point to the emulator until the test ends.

        :param conn_id: id of the connection; the fixture has done so for ``zoho_crm_default``.
        :param extra: further fields of the connection, or a ``refresh_token`` of another org of the seed.
        """
        values = {"refresh_token": REFRESH_TOKEN, "accounts_url": self.url, "api_url": self.url, "shared_store": "memory", **extra}
        connection = {"conn_type": "zoho_crm", "login": CLIENT["client_id"], "password": CLIENT["client_secret"], "extra": values}
        self._set_variable(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))

    def seed(self, seed: str | dict[str, Any]) -> None:
        """Start again with another seed, and remember the names of its tags for `described`."""
        super().seed(seed)
        self.remember_names()

    def add_tags(self, module: str, tags: list[Any], zgid: str | None = None) -> list[str]:
        """Add tags as `Control.add_tags` does, and remember their names."""
        made = super().add_tags(module, tags, zgid)
        self.remember_names()
        return made

    def remember_names(self) -> None:
        """Note which name each tag has now, so that a deleted one can be named."""
        modules = [module for org in self.orgs() for module in org["modules"]]
        self._names |= {tag["id"]: tag["name"] for module in modules for tag in module["tags"]}

    def described(self) -> str:
        """Return what is in the emulator as text for people: the tags of each module, the jobs, and the calls."""
        self.remember_names()
        lines = []
        for org in self.orgs():
            lines.append(f"{org['name']} ({org['environment']})")
            for module in org["modules"]:
                tags = [tag["name"] for tag in module["tags"]]
                more = f", and {len(tags) - MOST_TAGS} more" if len(tags) > MOST_TAGS else ""
                lines.append(
                    f"  {module['api_name']}: {module['records']} records, {len(tags)} tags: {', '.join(tags[:MOST_TAGS]) or '-'}{more}"
                )
            for job in org["jobs"]:
                items = ", ".join(self._names.get(item, item) for item in job["items"][:MOST_TAGS])
                counts = f"{job['deleted']} deleted, {job['failed']} failed"
                lines.append(f"  mass delete of {len(job['items'])} {job['kind']} ({items}): {job['state']}, {counts}")
        calls = self.counters()["calls"]
        lines += [f"  {operation}: {_times(statuses)}" for operation, statuses in calls.items()]
        return "\n".join(lines)


def _times(statuses: dict[str, int]) -> str:
    return ", ".join(f"{times} x {'no answer' if status == '0' else status}" for status, times in statuses.items())


@pytest.fixture
def zoho_crm(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[ZohoCrm]:
    """An emulator with the seed ``minimal``, to which the connection ``zoho_crm_default`` points; its state is shown if the test fails."""
    with EmulatorServer("minimal") as server:
        crm = ZohoCrm(server.url, monkeypatch.setenv)
        crm.connect("zoho_crm_default")
        crm.remember_names()
        yield crm
        # shown by pytest with a test that failed, and only with one
        request.node.add_report_section("teardown", "Zoho CRM emulator", crm.described())
