"""The access tokens of a connection: process memory, then a store that others share, then Zoho.

Zoho grants 10 tokens in 10 minutes per refresh token and keeps 10 active, and in Airflow each task is a process. So a token is
asked for once an hour for all of them. This is the bookkeeping; the clients do the asking.
Zoho: accounts/protocol/oauth/token-limits.html
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_zcrm.api.errors import TokenThrottled
from airflow_provider_zcrm.api.oauth import AccessToken
from airflow_provider_zcrm.client.config import ClientConfig
from airflow_provider_zcrm.client.token_seal import TokenSeal

log = logging.getLogger(__name__)

# after Zoho's throttle has answered, it is asked again after 10 minutes, and then after 15 more
_FIRST_PAUSE, _NEXT_PAUSE = 600.0, 900.0


@dataclass(frozen=True)
class HeldToken:
    """A token with the epoch seconds of its life."""

    value: str = field(repr=False)
    issued_at: float
    expires_at: float


class Tokens:
    """The bookkeeping for one connection in this process, shared by all its clients.

    :ivar name: under which the token is shared.
    :ivar lock: held by the one thread that asks for a token.
    """

    def __init__(self, config: ClientConfig) -> None:
        self._seal = TokenSeal(config)
        self.name = self._seal.name
        self.lock = threading.Lock()
        self._held: HeldToken | None = None
        self._granted: str | None = None
        self._refused_at: tuple[float, ...] = ()
        # Zoho keeps ten, so older ones do not come back
        self._rejected: deque[str] = deque(maxlen=20)
        # replaced at another moment by each process, so that a crowd does not wake at once
        self._early = random.uniform(60.0, 300.0)  # noqa: S311 - jitter, not cryptography

    def held(self, rejected: str | None = None) -> str | None:
        """Return this process's token, None if there is none that can be used.

        :param rejected: a token that Zoho has just rejected; if it has been replaced meanwhile, the new one is returned. It is
            never returned again, also not to a later call while there is no other.
        """
        if rejected and rejected not in self._rejected:
            self._rejected.append(rejected)
        if self._held is None or self._held.value in self._rejected:
            return None
        left = self._held.expires_at - time.time()
        life = self._held.expires_at - self._held.issued_at
        return self._held.value if left > min(self._early, life / 2) else None

    def take(self, stored: str | None, rejected: str | None = None) -> str | None:
        """Take over what a store holds and return its token, None if there is none that can be used."""
        value = self._seal.open(stored)
        # the last refusal counts, whoever met it
        self._refused_at = max(self._refused_at, tuple(value.get("refused_at", ())), key=lambda refused_at: refused_at[-1:])
        token = _token(value)
        if token is not None and token.value not in (rejected, *self._rejected):
            self._held = token
        return self.held(rejected)

    def granted_here(self, token: str) -> bool:
        """Tell whether this is the token that Zoho granted to this process last."""
        return token == self._granted

    def check_throttle(self) -> None:
        """Refuse to ask Zoho while its throttle has answered not long enough ago.

        :raises TokenThrottled: with the time at which Zoho may be asked again
        """
        if not self._refused_at:
            return
        pause = _FIRST_PAUSE if len(self._refused_at) == 1 else _NEXT_PAUSE
        left = self._refused_at[-1] + pause - time.time()
        if left > 0:
            raise TokenThrottled(
                f"Zoho grants no more access tokens for now; it is asked again in {left / 60:.0f} minutes at the earliest."
            )

    def refused(self) -> str:
        """Note that Zoho's throttle has answered, and return the note for the store."""
        recent = tuple(at for at in self._refused_at if time.time() - at < 2 * _NEXT_PAUSE)
        self._refused_at = (*recent, time.time())
        return self._seal.seal({"refused_at": self._refused_at})

    def hold(self, token: AccessToken) -> str:
        """Keep a new token, and return it for the store."""
        if token.foreign_api_domain:
            log.warning("Zoho names the API host %s, which is none of its known ones; ignored.", token.foreign_api_domain)
        now = time.time()
        self._refused_at = ()
        self._granted = token.value
        self._held = HeldToken(token.value, now, now + token.expires_in)
        return self._seal.seal({"token": token.value, "issued_at": now, "expires_at": now + token.expires_in})


_tokens: dict[object, Tokens] = {}


def tokens_of(config: ClientConfig) -> Tokens:
    """Return the bookkeeping of this process for a connection."""
    key = (config.credentials, config.hosts)
    return _tokens.setdefault(key, Tokens(config))


def forget_tokens() -> None:
    """Drop all tokens of this process."""
    _tokens.clear()


def _token(value: Mapping[str, Any]) -> HeldToken | None:
    try:
        return HeldToken(str(value["token"]), float(value["issued_at"]), float(value["expires_at"]))
    except (KeyError, TypeError, ValueError):
        return None
