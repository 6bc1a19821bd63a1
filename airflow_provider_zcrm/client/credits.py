"""The calls of a client, and the org's API credits of the last 24 hours as far as Zoho tells: only once half of them are used.

Zoho: crm/developer/docs/api/v8/api-limits.html
"""

from __future__ import annotations

import logging
import threading

from airflow_provider_zcrm.api.answers import count_of
from airflow_provider_zcrm.api.call import ApiResponse

log = logging.getLogger(__name__)

LOW = 1000


class CreditsWatch:
    """Counts the calls, logs the credits when Zoho first names them, and warns once when they are below `LOW`.

    :ivar calls: how many calls were sent, also again, and whatever came of them; an access token costs none.
    :ivar left: the credits that Zoho named last, None until it does.
    """

    def __init__(self) -> None:
        self.calls = 0
        self.left: int | None = None
        self._lock = threading.Lock()
        self._told = False
        self._warned = False

    def sending(self) -> None:
        """Count a call."""
        with self._lock:
            self.calls += 1

    def saw(self, response: ApiResponse) -> None:
        """Take note of an answer."""
        left = count_of(response.headers.get("x-api-credits-remaining"))
        if left is None:
            return
        self.left = left
        if self.left < LOW and not self._warned:
            log.warning("The org has %s API credits left for these 24 hours; when they are used up, Zoho answers 429.", left)
            self._told = self._warned = True
        elif not self._told:
            log.info("The org has %s API credits left for these 24 hours.", left)
            self._told = True
