"""A user of the emulator for its own tests: plain HTTP, no client of ours in between."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests

from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from airflow_provider_zcrm.emulator.minimal_seed import CLIENT, REFRESH_TOKEN

LEADS = {"id": "2276164000000000125", "api_name": "Leads"}
MASS_DELETE = "/settings/tags/actions/mass_delete"
TWO_USERS = {
    "orgs": [
        {
            "zgid": "808232144",
            "modules": [{"api_name": "Leads", "records": 10}],
            "refresh_tokens": [{"token": REFRESH_TOKEN}, {"token": "of-another", "user_id": "2276164000000225099"}],
        }
    ]
}


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for something that another thread is about to do."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@dataclass
class User:
    """Sends requests to an emulator with an access token of its own."""

    server: EmulatorServer
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def control(self) -> Control:
        return self.server.control

    def token_response(self, host: str | None = None, **params: str) -> requests.Response:
        grant = {"grant_type": "refresh_token", "refresh_token": REFRESH_TOKEN} if "grant_type" not in params else {}
        return requests.post(
            f"{self.server.url}/oauth/v2/token", data={**CLIENT, **grant, **params}, headers={"Host": host} if host else {}, timeout=10
        )

    def log_in(self, **params: str) -> str:
        token: str = self.token_response(**params).json()["access_token"]
        self.headers = {"Authorization": f"Zoho-oauthtoken {token}"}
        return token

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {**self.headers, **options.pop("headers", {})}
        url = self.server.url + (path if path.startswith("/crm/") else f"/crm/v8{path}")
        return requests.request(method, url, headers=headers, timeout=10, allow_redirects=False, **options)

    def get(self, path: str, **params: str) -> requests.Response:
        return self.call("GET", path, params=params)

    def post(self, path: str, body: Any, **params: str) -> requests.Response:
        return self.call("POST", path, json=body, params=params)

    def tag_names(self, module: str = "Leads") -> list[str]:
        return [tag["name"] for tag in self.get("/settings/tags", module=module).json()["tags"]]

    def submit(self, *names: str, module: dict[str, str] = LEADS) -> requests.Response:
        """Submit a mass delete of tags of the seed ``minimal`` by their names."""
        ids = self.control.tags(module["api_name"])
        tags = [{"id": ids[name]} for name in names]
        return self.post(MASS_DELETE, {"mass_delete": [{"module": module, "tags": tags}]})

    def job(self, job_id: str) -> dict[str, Any]:
        job: dict[str, Any] = self.get(MASS_DELETE, job_id=job_id).json()["mass_delete"][0]
        return job
