"""Faults that a test orders: the next requests that match are answered wrongly, late, or not at all.

A fault is used up by `times` matching requests, after letting `after` of them pass; faults are tried in the order in which they came.
Requests that a fault holds back are let go when the faults are cleared, so that a test can hold them for as long as it needs.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

# kind -> (does the server do the work?, default status)
KINDS: dict[str, tuple[bool, int]] = {
    "status": (False, 500),
    "html": (False, 502),
    "cut_json": (True, 200),
    "empty_204": (False, 204),
    "redirect": (False, 302),
    "token_throttle": (False, 200),
    "slow": (True, 200),
    "drop_before": (False, 0),
    "drop_after": (True, 0),
    "evict_token": (True, 401),
}
FIXED_EFFECT = {"drop_before", "drop_after", "evict_token"}


@dataclass
class Fault:
    """One order. `path` is searched as a regular expression; `times` None means for ever; `effect` None means as the kind has it."""

    kind: str
    path: str = ""
    method: str | None = None
    times: int | None = 1
    after: int = 0
    status: int | None = None
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    effect: bool | None = None
    id: int = 0
    seen: int = 0
    used: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no fault {self.kind!r}; there are: {', '.join(KINDS)}")
        if self.effect is not None and self.kind in FIXED_EFFECT:
            raise ValueError(f"fault {self.kind!r} says by its name whether the work is done; it takes no 'effect'")
        try:
            re.compile(self.path)
        except re.error as error:
            raise ValueError(f"path {self.path!r} is no regular expression: {error}") from None

    @property
    def does_the_work(self) -> bool:
        """Return whether the server acts on the request before the fault happens."""
        return KINDS[self.kind][0] if self.effect is None else self.effect

    @property
    def http_status(self) -> int:
        """Return the status to answer with."""
        return KINDS[self.kind][1] if self.status is None else self.status

    def takes(self, method: str, path: str) -> bool:
        """Return whether this request is one that the fault is for, and use the fault up by one if so."""
        if self.method not in (None, method) or not re.search(self.path, path):
            return False
        self.seen += 1
        if self.seen <= self.after or (self.times is not None and self.used >= self.times):
            return False
        self.used += 1
        return True


class Faults:
    """The faults in the order in which they were ordered."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._released = asyncio.Event()

    def add(self, order: dict[str, Any]) -> Fault:
        """Add a fault; raises ValueError or TypeError for an order that makes no sense."""
        fault = Fault(**order)
        fault.id = len(self._faults) + 1
        self._faults.append(fault)
        return fault

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault that this request meets."""
        return next((fault for fault in self._faults if fault.takes(method, path)), None)

    async def hold(self, seconds: float) -> None:
        """Wait for so many seconds, or until the faults are cleared."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._released.wait(), seconds)

    def clear(self) -> None:
        """Drop all faults, and let go the requests that they hold back. To be called in the event loop."""
        self._faults.clear()
        self._released.set()
        self._released = asyncio.Event()

    def listing(self) -> list[dict[str, Any]]:
        """Return all faults with how often they were seen and used."""
        return [asdict(fault) for fault in self._faults]
