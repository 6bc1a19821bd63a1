"""A trigger that only sleeps, to see what a triggerer does by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent


class Sleeper(BaseTrigger):
    """Sleeps for an hour."""

    def __init__(self, started_at: float) -> None:
        super().__init__()
        self.started_at = started_at

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the kwargs."""
        return "sleeper.Sleeper", {"started_at": self.started_at}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Sleep."""
        await asyncio.sleep(3600)
        yield TriggerEvent(None)
