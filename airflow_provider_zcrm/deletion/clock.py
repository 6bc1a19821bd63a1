"""The clock of one attempt: what the computer's clock said at its start, and then seconds that only go forward."""

from __future__ import annotations

import time


class AttemptClock:
    """Epoch seconds of one attempt; a clock that is set meanwhile does not move it."""

    def __init__(self) -> None:
        self._started = time.time()
        self._monotonic = time.monotonic()

    def now(self) -> float:
        """Return the epoch seconds."""
        return self._started + time.monotonic() - self._monotonic

    def sleep_until(self, at: float) -> None:
        """Return when a time is reached."""
        while (left := at - self.now()) > 0:
            time.sleep(left)
