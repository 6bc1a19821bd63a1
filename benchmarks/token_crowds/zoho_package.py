"""The community's package ``zoho`` with its default store, an SQLite file with a lock in it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import crowd
from zoho import Zoho


def first_call(order: dict[str, Any]) -> int:
    """List the modules."""
    return asyncio.run(_first_call(order))


async def _first_call(order: dict[str, Any]) -> int:
    folder = Path(order["folder"])
    async with Zoho.from_credentials(
        client_id=order["client_id"],
        client_secret=order["client_secret"],
        refresh_token=order["refresh_token"],
        accounts_domain=order["url"],
        api_domain=order["url"],
        token_store_path=folder / "cache.sqlite3",
        discovery_cache_dir=folder / "discovery",
        log_level="ERROR",
    ) as zoho:
        return len(await zoho.crm.modules.list(use_cache=False))


if __name__ == "__main__":
    crowd.serve(first_call)
