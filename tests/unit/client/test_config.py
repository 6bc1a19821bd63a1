"""Where a client sends its calls, and whom it trusts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import certifi
import pytest

from airflow_provider_zcrm.api.data_centers import hosts_of
from airflow_provider_zcrm.api.errors import InvalidConnection
from airflow_provider_zcrm.api.oauth import Credentials, RefreshTokenGrant
from airflow_provider_zcrm.client.config import ClientConfig, tls_context

CREDENTIALS = Credentials("1000.CLIENT", "s3cret", RefreshTokenGrant("1000.refresh"))


def config(**values: Any) -> ClientConfig:
    return ClientConfig(CREDENTIALS, hosts_of("eu", "sandbox"), **values)


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A CA bundle of one certificate; the environment names none."""
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    end = "-----END CERTIFICATE-----\n"
    path = tmp_path / "one.pem"
    path.write_text(Path(certifi.where()).read_text().partition(end)[0] + end)
    return str(path)


def test_a_path_is_below_the_host_and_the_version_of_the_api() -> None:
    assert config().url("settings/tags") == "https://sandbox.zohoapis.eu/crm/v8/settings/tags"
    assert config(api_version="v9").url("read", bulk=True) == "https://sandbox.zohoapis.eu/crm/bulk/v9/read"


def test_certificates_are_not_looked_at_only_where_the_connection_says_so(bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)

    assert config(verify=False).ca_bundle() is False
    assert config(verify=True).ca_bundle() == bundle


def test_the_connection_names_the_bundle_before_the_environment_does(bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert config().ca_bundle() == certifi.where()
    monkeypatch.setenv("SSL_CERT_FILE", bundle)
    assert config().ca_bundle() == bundle
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    assert config().ca_bundle() == certifi.where()
    assert config(verify=bundle).ca_bundle() == bundle


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "verify"])
def test_a_bundle_that_does_not_exist_is_named(name: str, bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"verify": "/nowhere/ca.pem"} if name == "verify" else {}
    monkeypatch.setenv(name, "/nowhere/ca.pem")

    with pytest.raises(InvalidConnection, match=f"{name} names the CA bundle /nowhere/ca.pem"):
        config(**values).ca_bundle()


def test_a_context_trusts_the_bundle_and_nobody_else(bundle: str) -> None:
    assert tls_context(bundle).cert_store_stats()["x509"] == 1
    # the certificates of a folder are read when one is needed
    assert tls_context(str(Path(bundle).parent)).cert_store_stats()["x509"] == 0


def test_a_bundle_that_cannot_be_read_is_named(bundle: str) -> None:
    Path(bundle).write_text("no certificate")

    with pytest.raises(InvalidConnection, match=f"CA bundle {bundle} cannot be read: "):
        tls_context(bundle)
