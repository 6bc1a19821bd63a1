"""After a 429 all users of a client hold back together, for a random time that doubles with each further 429.

Zoho counts calls per org and app, so what one caller is refused, the next one would be refused too.
"""

from __future__ import annotations

import random
import time

from airflow_provider_zcrm.api.errors import TooManyRequests

# whatever Zoho asks for, it is asked again after 15 minutes
_LONGEST = 900.0


class SharedBackoff:
    """Open until Zoho answers 429; then closed for a while.

    :param first: upper bound in seconds of the first time.
    :param longest: upper bound in seconds of any time.
    """

    def __init__(self, first: float, longest: float) -> None:
        self._first, self._longest = first, longest
        self._refusals = 0
        self._closed_until = 0.0
        self._last: TooManyRequests | None = None

    def check(self) -> None:
        """Refuse a call while the gate is closed; nothing is sent.

        :raises TooManyRequests: with the seconds that are left
        """
        left = self._closed_until - time.monotonic()
        if left > 0 and self._last:
            fields = {name: getattr(self._last, name) for name in ("status", "code", "details", "method", "path")}
            raise TooManyRequests(f"Held back after a 429: {self._last.message}", retry_after=left, **fields)

    def refused(self, error: TooManyRequests) -> None:
        """Close the gate, for as long as Zoho says or for a random time, and tell the error how long that is."""
        # beyond 2 to the 30th every bound is reached, and a float would overflow in the end
        bound = min(self._first * 2.0 ** min(self._refusals, 30), self._longest)
        jittered = random.uniform(0.0, bound)  # noqa: S311 - jitter, not cryptography
        self._closed_until = max(self._closed_until, time.monotonic() + max(jittered, min(error.retry_after or 0.0, _LONGEST)))
        self._refusals += 1
        self._last = error
        error.retry_after = self._closed_until - time.monotonic()

    def answered(self) -> None:
        """Note that Zoho answers again."""
        self._refusals = 0
