"""A client of either kind, open, against the emulator; and an environment without proxies, CA bundles or a .netrc."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from airflow_provider_zcrm.client.config import ClientConfig
from airflow_provider_zcrm.client.retries import RetryPolicy
from airflow_provider_zcrm.client.token_sharing import TokenSharing
from airflow_provider_zcrm.client.tokens import forget_tokens
from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from tests.client.servers import Certificates, make_certificates
from tests.client.sides import PATIENT, SIDES, Side, config_for

SETTINGS = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"]
Connect = Callable[..., Side]


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))
    forget_tokens()
    yield
    forget_tokens()


@pytest.fixture(params=list(SIDES))
def kind(request: pytest.FixtureRequest) -> str:
    """``sync``, then ``async``."""
    name: str = request.param
    return name


@pytest.fixture
def connect(kind: str) -> Iterator[Connect]:
    """Make clients of this kind, and close them in the end."""
    made: list[Side] = []

    def make(config: ClientConfig, retries: RetryPolicy = PATIENT, sharing: TokenSharing | None = None) -> Side:
        made.append(SIDES[kind](config, retries, sharing))
        return made[-1]

    yield make
    for side in made:
        side.close()


@pytest.fixture
def config(emulator: Control, emulator_server: EmulatorServer) -> ClientConfig:
    """The settings for the emulator, fresh with the seed ``minimal``."""
    return config_for(emulator_server.url)


@pytest.fixture
def side(config: ClientConfig, connect: Connect) -> Side:
    """A client of the emulator that retries for long enough."""
    return connect(config)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """A private CA, and a certificate for Zoho's hosts and this machine."""
    return make_certificates(tmp_path_factory.mktemp("tls"), "www.zohoapis.com", "accounts.zoho.com", "localhost")
