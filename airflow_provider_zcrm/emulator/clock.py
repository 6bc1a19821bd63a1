"""The emulator's own clock: the machine's time plus an offset, so that a test of an expiry need not wait for it.

A frozen clock moves only on command, so that no test depends on how fast the machine is.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone


class Clock:
    """Seconds since the epoch, which `advance` can move forward and `freeze` can stop."""

    def __init__(self, offset: float = 0.0) -> None:
        self.offset = offset
        self._frozen_at: float | None = None

    def now(self) -> float:
        """Return the emulator's time in seconds since the epoch."""
        return (time.time() if self._frozen_at is None else self._frozen_at) + self.offset

    def freeze(self) -> None:
        """Stop the clock, but for `advance`."""
        self._frozen_at = time.time() if self._frozen_at is None else self._frozen_at

    def run(self) -> None:
        """Let the clock go on from where it stands."""
        if self._frozen_at is not None:
            self.offset -= time.time() - self._frozen_at
            self._frozen_at = None

    def advance(self, seconds: float) -> float:
        """Move the clock forward by `seconds` and return the new time."""
        self.offset += seconds
        return self.now()


def iso(moment: float, utc_offset: str) -> str:
    """Write a moment as Zoho does: ISO 8601, whole seconds, numeric offset (``2025-12-29T10:43:05+05:30``)."""
    sign = -1 if utc_offset.startswith("-") else 1
    hours, minutes = utc_offset[1:].split(":")
    zone = timezone(sign * timedelta(hours=int(hours), minutes=int(minutes)))
    return datetime.fromtimestamp(int(moment), UTC).astimezone(zone).isoformat()


def from_iso(text: str) -> float:
    """Read an ISO 8601 time with an offset into seconds since the epoch."""
    return datetime.fromisoformat(text).timestamp()
