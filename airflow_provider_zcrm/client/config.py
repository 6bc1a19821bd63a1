"""What a client needs to know: credentials, hosts, limits. Made of an Airflow connection by the hook."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from airflow_provider_zcrm.api.data_centers import Hosts
from airflow_provider_zcrm.api.errors import InvalidConnection
from airflow_provider_zcrm.api.oauth import Credentials


@dataclass(frozen=True)
class ClientConfig:
    """The settings of a client.

    :param request_timeout: seconds that one call may take.
    :param max_concurrency: calls at once in this process; Zoho allows an org 5 to 25.
    :param verify: a CA bundle's path, True for the usual ones, False for no verification, as in requests.
    :param token_store: where processes share access tokens: ``variable``, ``file`` or ``memory``.
    """

    credentials: Credentials
    hosts: Hosts
    api_version: str = "v8"
    request_timeout: float = 30.0
    max_concurrency: int = 5
    verify: bool | str = True
    token_store: str = "memory"  # noqa: S105 - not a secret

    def url(self, path: str) -> str:
        """Return the URL of a path of the REST API."""
        return f"{self.hosts.api_url}/crm/{self.api_version}/{path}"

    def ca_bundle(self) -> bool | str:
        """Return ``verify``, or the environment's CA bundle (REQUESTS_CA_BUNDLE, SSL_CERT_FILE) where it is True.

        :raises InvalidConnection: ``verify`` is a path that does not exist on this machine
        """
        if isinstance(self.verify, str) and not Path(self.verify).exists():
            raise InvalidConnection(f"verify names the CA bundle {self.verify}, which does not exist on this machine.")
        if self.verify is not True:
            return self.verify
        return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE") or True
