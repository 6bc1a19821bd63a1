"""The two clients behind one face, so that every test of this folder holds for both."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from airflow_provider_zcrm.api.call import ApiCall
from airflow_provider_zcrm.api.data_centers import hosts_of
from airflow_provider_zcrm.api.oauth import Credentials, RefreshTokenGrant
from airflow_provider_zcrm.client.async_client import AsyncZohoCrmClient
from airflow_provider_zcrm.client.config import ClientConfig
from airflow_provider_zcrm.client.retries import RetryPolicy
from airflow_provider_zcrm.client.sync_client import ZohoCrmClient
from airflow_provider_zcrm.client.token_sharing import TokenSharing
from tests.conftest import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN

CREDENTIALS = Credentials(CLIENT_ID, CLIENT_SECRET, RefreshTokenGrant(REFRESH_TOKEN))
PATIENT = RetryPolicy(give_up_after=5.0, first=0.01, longest=0.02, token_patience=0.0)
HASTY = RetryPolicy(give_up_after=0.6, first=0.01, longest=0.02, token_patience=0.0)


def config_for(accounts_url: str, api_url: str | None = None, **settings: Any) -> ClientConfig:
    """Return the settings for servers on loopback, where no certificate is looked at unless ``verify`` says so."""
    hosts = hosts_of("us", "production", accounts_url, api_url or accounts_url)
    return ClientConfig(**{"credentials": CREDENTIALS, "hosts": hosts, "request_timeout": 5.0, "verify": False, **settings})


class Side(Protocol):
    """A client, open."""

    secrets: list[str]

    def send(self, call: ApiCall[Any]) -> Any:
        """Send a call and return its value."""

    def send_together(self, calls: Sequence[ApiCall[Any]]) -> list[Any]:
        """Send several calls at the same time and return their values."""

    def close(self) -> None:
        """Close the client."""


class SyncSide:
    """`ZohoCrmClient`; calls at the same time come from threads."""

    def __init__(self, config: ClientConfig, retries: RetryPolicy, sharing: TokenSharing | None = None) -> None:
        self.secrets: list[str] = []
        self._client = ZohoCrmClient(config, retries, on_secret=self.secrets.append, sharing=sharing)

    def send(self, call: ApiCall[Any]) -> Any:
        return self._client.send(call)

    def send_together(self, calls: Sequence[ApiCall[Any]]) -> list[Any]:
        with ThreadPoolExecutor(len(calls)) as threads:
            return list(threads.map(self._client.send, calls))

    def close(self) -> None:
        self._client.close()


class AsyncSide:
    """`AsyncZohoCrmClient` in an event loop of its own."""

    def __init__(self, config: ClientConfig, retries: RetryPolicy, sharing: TokenSharing | None = None) -> None:
        self.secrets: list[str] = []
        self._runner = asyncio.Runner()
        self._client = AsyncZohoCrmClient(config, retries, on_secret=self._note, sharing=sharing)
        try:
            self._runner.run(self._client.open())
        except BaseException:
            self._runner.close()
            raise

    def send(self, call: ApiCall[Any]) -> Any:
        return self._runner.run(self._client.send(call))

    def send_together(self, calls: Sequence[ApiCall[Any]]) -> list[Any]:
        return self._runner.run(self._send_together(calls))

    def close(self) -> None:
        self._runner.run(self._client.close())
        self._runner.close()

    async def _send_together(self, calls: Sequence[ApiCall[Any]]) -> list[Any]:
        return list(await asyncio.gather(*(self._client.send(call) for call in calls)))

    async def _note(self, secret: str) -> None:
        self.secrets.append(secret)


SIDES: dict[str, type[SyncSide] | type[AsyncSide]] = {"sync": SyncSide, "async": AsyncSide}
