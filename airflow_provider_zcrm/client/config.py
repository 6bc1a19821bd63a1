"""What a client needs to know: credentials, hosts, limits. Made of an Airflow connection by the hook."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from pathlib import Path

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from airflow_provider_zcrm import __version__
from airflow_provider_zcrm.api.data_centers import Hosts
from airflow_provider_zcrm.api.errors import InvalidConnection
from airflow_provider_zcrm.api.oauth import Credentials

USER_AGENT = f"airflow-provider-zcrm/{__version__}"


@dataclass(frozen=True)
class ClientConfig:
    """The settings of a client.

    :param request_timeout: seconds that one call may take.
    :param max_concurrency: calls at once in this process; Zoho allows an org 5 to 25.
    :param verify: a CA bundle's path, True for the usual ones, False for no verification, as in requests.
    :param shared_store: where processes share access tokens: ``variable``, ``file`` or ``memory``.
    """

    credentials: Credentials
    hosts: Hosts
    api_version: str = "v8"
    request_timeout: float = 30.0
    max_concurrency: int = 5
    verify: bool | str = True
    shared_store: str = "memory"

    def url(self, path: str, *, bulk: bool = False) -> str:
        """Return the URL of a path of the REST API, or of its bulk calls."""
        return f"{self.hosts.api_url}/crm/{'bulk/' if bulk else ''}{self.api_version}/{path}"

    def ca_bundle(self) -> bool | str:
        """Return the path of the CA bundle, a file or a directory, or False for no verification.

        It is ``verify``, or where that is True REQUESTS_CA_BUNDLE, SSL_CERT_FILE or the one that comes with requests.

        :raises InvalidConnection: the path does not exist on this machine
        """
        if self.verify is False:
            return False
        variables = {name: os.environ.get(name) for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")}
        for name, path in variables.items() if self.verify is True else [("verify", str(self.verify))]:
            if path and not Path(path).exists():
                raise InvalidConnection(f"{name} names the CA bundle {path}, which does not exist on this machine.")
            if path:
                return path
        return DEFAULT_CA_BUNDLE_PATH


def tls_context(ca_bundle: str) -> ssl.SSLContext:
    """Return a TLS context that trusts a CA bundle.

    :raises InvalidConnection: the bundle cannot be read
    """
    try:
        folder = Path(ca_bundle).is_dir()
        return ssl.create_default_context(capath=ca_bundle) if folder else ssl.create_default_context(cafile=ca_bundle)
    except OSError as error:
        raise InvalidConnection(f"The CA bundle {ca_bundle} cannot be read: {error}.") from None
