"""Zoho's own host names lead to the emulator, through a proxy, so that it can tell data centres and environments apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_zcrm.api.data_centers import DATA_CENTERS, ENVIRONMENTS
from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from tests.client.servers import Certificates, Proxy, TlsFront, make_certificates
from tests.conftest import CLIENT_ID, CLIENT_SECRET

CODE = "1000.the-grant-code"
REFRESH_TOKEN = "1000.the-refresh-token"


class Zoho:
    """The emulator under Zoho's names.

    :ivar environment: the variables with which a process finds it.
    """

    def __init__(self, control: Control, proxy: Proxy, certificates: Certificates) -> None:
        self.control = control
        self.environment = {"HTTPS_PROXY": proxy.url, "REQUESTS_CA_BUNDLE": str(certificates.ca)}
        self._proxy = proxy

    def seed(self, data_center: str = "us", environment: str = "production", scopes: list[str] | None = None, **client: Any) -> None:
        """Start anew with one org, a grant code and a refresh token for it, and a client of its data centre."""
        granted = {"scopes": scopes} if scopes else {}
        org = {
            "zgid": "808232144",
            "name": "Zylker",
            "data_center": data_center,
            "environment": environment,
            "modules": [{"api_name": "Leads", "tags": ["hot", "cold"]}],
            "grant_codes": [{"code": CODE, **granted}],
            "refresh_tokens": [{"token": REFRESH_TOKEN, **granted}],
        }
        self.control.seed(
            {
                "clients": [{"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "data_center": data_center, **client}],
                "orgs": [org],
            }
        )
        self._proxy.asked.clear()

    def asked(self) -> list[str]:
        """Return the hosts that were asked, each connection once."""
        return [target.removeprefix("CONNECT ").removesuffix(":443") for target in self._proxy.asked]

    def accounts_asked(self) -> list[str]:
        """Return the data centres whose accounts servers were asked."""
        by_host = {center.accounts_url.removeprefix("https://"): name for name, center in DATA_CENTERS.items()}
        return [by_host[host] for host in self.asked() if host in by_host]

    def tokens_issued(self) -> int:
        """Return how many tokens Zoho granted."""
        return sum(self.control.counters()["tokens_issued"].values())


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    urls = [url for center in DATA_CENTERS.values() for url in (center.accounts_url, *map(center.api_url, ENVIRONMENTS))]
    return make_certificates(tmp_path_factory.mktemp("certificates"), *(url.removeprefix("https://") for url in urls))


@pytest.fixture
def zoho(emulator: Control, emulator_server: EmulatorServer, certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Iterator[Zoho]:
    with TlsFront(certificates, emulator_server.url) as front, Proxy(front.port) as proxy:
        found = Zoho(emulator, proxy, certificates)
        for name, value in found.environment.items():
            monkeypatch.setenv(name, value)
        found.seed()
        yield found


@pytest.fixture
def private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory for locks and tokens that no other test uses."""
    directory = tmp_path / "tokens"
    monkeypatch.setenv("AIRFLOW__ZOHO_CRM__TOKEN_DIRECTORY", str(directory))
    return directory
