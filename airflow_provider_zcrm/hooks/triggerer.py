"""The clients of the triggerer: one per connection, shared by all triggers that wait on it.

One session, one token, one limit of calls at once. The client is made when the first trigger comes, and closed when the last one
leaves. A trigger that finds the connection edited gets a new client; the others keep theirs until they leave.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from airflow.providers.common.compat.sdk import mask_secret

from airflow_provider_zcrm.client.async_client import AsyncZohoCrmClient
from airflow_provider_zcrm.client.config import ClientConfig
from airflow_provider_zcrm.client.retries import NO_RETRIES
from airflow_provider_zcrm.hooks.token_stores import token_sharing
from airflow_provider_zcrm.hooks.zcrm import ZohoCrmHook
from airflow_provider_zcrm.version_compat import ask_airflow


@dataclass
class _Shared:
    client: AsyncZohoCrmClient
    ready: asyncio.Task[None]
    users: int = 0


_shared: dict[tuple[int, ClientConfig], _Shared] = {}


@asynccontextmanager
async def shared_client(zoho_crm_conn_id: str) -> AsyncIterator[AsyncZohoCrmClient]:
    """Give the client of a connection; it does not retry, because a trigger's next poll is the retry.

    :raises InvalidConnection: the connection cannot work
    """
    config = await ask_airflow(lambda: ZohoCrmHook(zoho_crm_conn_id).config)
    key = (id(asyncio.get_running_loop()), config)
    shared = _shared.get(key)
    if shared is None:
        client = AsyncZohoCrmClient(config, NO_RETRIES, on_secret=_mask, sharing=token_sharing(config))
        shared = _shared[key] = _Shared(client, asyncio.ensure_future(client.open()))
    shared.users += 1
    try:
        await asyncio.shield(shared.ready)
        yield shared.client
    finally:
        shared.users -= 1
        if not shared.users:
            del _shared[key]
            await shared.client.close()


async def _mask(secret: str) -> None:
    await ask_airflow(mask_secret, secret)
