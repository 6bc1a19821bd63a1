"""The clients of the triggerer: one per connection, shared by all triggers that wait on it.

One session, one token, one limit of calls at once. A client is made when the first trigger comes, and closed when the last one leaves.
The connection is read once for triggers that come together, again every few minutes, and at once after an error that an edited
connection might fix; from then on its triggers share a new client, each from its next poll.

An event loop has clients of its own, because an aiohttp session belongs to its loop. That serves a forked process too, whose loop is
another one: it never touches the sockets that it inherits.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from weakref import WeakKeyDictionary

from airflow.providers.common.compat.sdk import mask_secret

from airflow_provider_zcrm.client.async_client import AsyncZohoCrmClient
from airflow_provider_zcrm.client.config import ClientConfig
from airflow_provider_zcrm.client.retries import NO_RETRIES
from airflow_provider_zcrm.hooks.token_stores import token_sharing
from airflow_provider_zcrm.hooks.zcrm import ZohoCrmHook
from airflow_provider_zcrm.version_compat import ask_airflow

# seconds for which what was read of a connection serves a trigger that waits, one that comes, and one that met an error
_READ_AGAIN, _FRESH, _JUST_READ = 300.0, 5.0, 1.0


@dataclass
class _Shared:
    client: AsyncZohoCrmClient
    opening: asyncio.Task[None]
    users: int = 0


@dataclass
class _Reading:
    """What was last read of a connection, and when."""

    config: ClientConfig | None = None
    at: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class _Clients:
    """What belongs to one event loop."""

    def __init__(self) -> None:
        self.shared: dict[ClientConfig, _Shared] = {}
        self.readings: defaultdict[str, _Reading] = defaultdict(_Reading)


_clients: MutableMapping[asyncio.AbstractEventLoop, _Clients] = WeakKeyDictionary()


def _of_this_loop() -> _Clients:
    loop = asyncio.get_running_loop()
    if loop not in _clients:
        _clients[loop] = _Clients()
    return _clients[loop]


class ClientShare:
    """A trigger's share in the client of its connection; an asynchronous context manager.

    The client does not retry, because a trigger's next poll is the retry.
    """

    def __init__(self, zoho_crm_conn_id: str) -> None:
        self._conn_id = zoho_crm_conn_id
        self._held: _Shared | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._leave()

    async def client(self) -> AsyncZohoCrmClient:
        """Return the open client; ask for it before each poll, it may be another one.

        :raises InvalidConnection: the connection cannot work
        """
        config = await self._config(_READ_AGAIN if self._held else _FRESH)
        if self._held is None or self._held.client.config != config:
            await self._leave()
            self._held = self._join(config)
        try:
            await asyncio.shield(self._held.opening)
        except BaseException:
            await self._leave()
            raise
        return self._held.client

    async def edited(self) -> bool:
        """Read the connection again, and return whether the client is out of date."""
        return self._held is not None and await self._config(_JUST_READ) != self._held.client.config

    async def _config(self, age: float) -> ClientConfig:
        """Return the connection's settings as they were read at most so many seconds ago."""
        reading = _of_this_loop().readings[self._conn_id]
        async with reading.lock:
            if reading.config is None or time.monotonic() - reading.at >= age:
                try:
                    reading.config = await ask_airflow(lambda: ZohoCrmHook(self._conn_id).config)
                except Exception:
                    # who has a client goes on with it: Airflow may be down, or the connection in the middle of an edit
                    if self._held is None:
                        raise
                    reading.config = self._held.client.config
                reading.at = time.monotonic()
            return reading.config

    def _join(self, config: ClientConfig) -> _Shared:
        of_loop = _of_this_loop().shared
        shared = of_loop.get(config)
        if shared is None:
            client = AsyncZohoCrmClient(config, NO_RETRIES, on_secret=_mask, sharing=token_sharing(config))
            shared = of_loop[config] = _Shared(client, asyncio.ensure_future(client.open()))
        shared.users += 1
        return shared

    async def _leave(self) -> None:
        shared, self._held = self._held, None
        if shared is None:
            return
        shared.users -= 1
        if not shared.users:
            loop = asyncio.get_running_loop()
            del _clients[loop].shared[shared.client.config]
            if not _clients[loop].shared:
                del _clients[loop]
            # a session that is still being made would never be closed
            shared.opening.cancel()
            await asyncio.wait([shared.opening])
            await shared.client.close()


async def _mask(secret: str) -> None:
    await ask_airflow(mask_secret, secret)
