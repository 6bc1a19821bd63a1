"""The access tokens of a connection: process memory, then a store that others share, then Zoho.

Zoho grants 10 tokens in 10 minutes per refresh token and keeps 10 active, and in Airflow each task is a process. So a token is
asked for once an hour for all of them. This is the bookkeeping; `token_exchange` does the asking.
Zoho: accounts/protocol/oauth/token-limits.html
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from airflow_provider_zcrm.api.errors import ServiceUnavailable, TokenThrottled, cleaned
from airflow_provider_zcrm.api.oauth import TOKEN_PATH, AccessToken
from airflow_provider_zcrm.client.config import ClientConfig
from airflow_provider_zcrm.client.token_seal import TokenSeal

log = logging.getLogger(__name__)

# after Zoho's throttle has answered, it is asked again after 10 minutes, and then after 15 more
_FIRST_PAUSE, _NEXT_PAUSE = 600.0, 900.0
# while requests fail: the first time once more at once, then after a minute, and then no more than 3 in 10 minutes
_FAILURES, _FAILURE_WINDOW, _FAILURE_PAUSE = 3, 600.0, 60.0
# where Zoho grants no new token, the old one is used until so many seconds before its end
_LAST_SECONDS = 60.0


@dataclass(frozen=True)
class HeldToken:
    """A token with the epoch seconds of its life, and its scopes where Zoho has reported them."""

    value: str = field(repr=False)
    issued_at: float
    expires_at: float
    scope: str = ""


class Tokens:
    """The bookkeeping for one connection in this process, shared by all its clients.

    :ivar name: under which the token is shared.
    :ivar lock: held by the one thread that asks for a token.
    :ivar secrets: what nobody may see, besides the tokens.
    """

    def __init__(self, config: ClientConfig) -> None:
        self.secrets = config.credentials.secrets()
        self._accounts_url = config.hosts.accounts_url
        self._seal = TokenSeal(config)
        self.name = self._seal.name
        self.lock = threading.Lock()
        self._held: HeldToken | None = None
        self._granted: str | None = None
        self._refused_at: tuple[float, ...] = ()
        # requests that failed since the last token: the first one, and the last three
        self._failed_at: tuple[float, ...] = ()
        self._postponed_until = 0.0
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
        return self._held.value if self._held.expires_at - time.time() > self._replaced_early(self._held) else None

    def _replaced_early(self, token: HeldToken) -> float:
        """Return how many seconds before its end a token is to be replaced."""
        if self._pause_left() > 0 or time.time() < self._postponed_until:
            return _LAST_SECONDS
        return min(self._early, (token.expires_at - token.issued_at) / 2)

    def take(self, stored: str | None) -> str | None:
        """Take over what a store holds and return its token, None if there is none that can be used."""
        value = self._seal.open(stored)
        # the last refusal counts, whoever met it
        self._refused_at = max(self._refused_at, tuple(value.get("refused_at", ())), key=lambda refused_at: refused_at[-1:])
        token = _token(value)
        issued_at = token.issued_at if token else 0.0
        reported = {min(at, time.time()) for at in value.get("failed_at", ())}
        self._failed_at = _first_and_last(at for at in {*self._failed_at, *reported} if at > issued_at)
        if token is not None and token.value not in self._rejected:
            self._held = token
        return self.held()

    @property
    def present(self) -> HeldToken | None:
        """What is known of this process's token, whether or not it can still be used."""
        return self._held

    def granted_here(self, token: str) -> bool:
        """Return whether this is the token that Zoho granted to this process last."""
        return token == self._granted

    def check(self) -> None:
        """Refuse to ask Zoho while its throttle has answered not long enough ago, or while requests fail.

        :raises TokenThrottled: with the time at which Zoho may be asked again
        :raises ServiceUnavailable: with the time since when requests have failed
        """
        left = self._pause_left()
        if left > 0:
            raise TokenThrottled(
                f"Zoho grants no more access tokens for now; it is asked again in {left / 60:.0f} minutes at the earliest."
            )

        left = self._failure_pause_left()
        if left > 0:
            since = datetime.fromtimestamp(self._failed_at[0], UTC).isoformat(sep=" ", timespec="minutes")
            raise ServiceUnavailable(
                f"Zoho Accounts ({self._accounts_url}) has given no access token since {since}; it is asked again in "
                f"{max(1, round(left / 60))} minutes at the earliest.",
                method="POST",
                path=TOKEN_PATH,
            )

    def _failure_pause_left(self) -> float:
        """Return the seconds until Zoho may be asked again after failed requests, 0 or less if it may."""
        now = time.time()
        recent = [at for at in self._failed_at if now - at < _FAILURE_WINDOW]
        if len(recent) >= _FAILURES:
            return recent[-_FAILURES] + _FAILURE_WINDOW - now
        return recent[-1] + _FAILURE_PAUSE - now if len(recent) == _FAILURES - 1 else 0.0

    def _pause_left(self) -> float:
        """Return the seconds until Zoho may be asked again after its throttle has answered, 0 or less if it may."""
        if not self._refused_at:
            return 0.0
        pause = _FIRST_PAUSE if len(self._refused_at) == 1 else _NEXT_PAUSE
        return self._refused_at[-1] + pause - time.time()

    def refused(self) -> str:
        """Note that Zoho's throttle has answered, and return the note for the store, with the token that is still good."""
        recent = tuple(at for at in self._refused_at if time.time() - at < 2 * _NEXT_PAUSE)
        self._refused_at = (*recent, time.time())
        return self._note()

    def failed(self) -> str:
        """Note that a request for a token has failed, and return the note for the store, with the token that is still good."""
        self._failed_at = _first_and_last({*self._failed_at, time.time()})
        self._postponed_until = time.time() + _LAST_SECONDS
        return self._note()

    def _note(self) -> str:
        old = _stored(self._held) if self._held and self.held() else {}
        return self._seal.seal({"refused_at": self._refused_at, "failed_at": self._failed_at, **old})

    def serve_on(self, error: Exception) -> str | None:
        """Return the token that was to be replaced early, if it is still good, because no new one is to be had for now.

        :param error: why; it is logged.
        """
        self._postponed_until = time.time() + _LAST_SECONDS
        old = self.held()
        if old:
            log.warning("%s The present access token serves on.", error)
        return old

    def hold(self, token: AccessToken) -> str:
        """Keep a new token, and return it for the store."""
        if token.foreign_api_domain:
            host = cleaned(token.foreign_api_domain, token.value, *self.secrets)
            log.warning("Zoho names the API host %.100r, which is none of its known ones; ignored.", host)
        now = time.time()
        self._refused_at = self._failed_at = ()
        self._granted = token.value
        self._held = HeldToken(token.value, now, now + token.expires_in, token.scope)
        return self._seal.seal(_stored(self._held))


_tokens: dict[object, Tokens] = {}


def tokens_of(config: ClientConfig) -> Tokens:
    """Return the bookkeeping of this process for a connection."""
    key = (config.credentials, config.hosts)
    # deriving the keys of a seal takes longer than the look
    return _tokens.get(key) or _tokens.setdefault(key, Tokens(config))


def forget_tokens() -> None:
    """Drop all tokens of this process."""
    _tokens.clear()


def _first_and_last(times: Iterable[float]) -> tuple[float, ...]:
    ordered = sorted(times)
    return tuple(ordered if len(ordered) <= _FAILURES else (ordered[0], *ordered[-_FAILURES:]))


def _stored(token: HeldToken) -> dict[str, Any]:
    return {"token": token.value, "issued_at": token.issued_at, "expires_at": token.expires_at, "scope": token.scope}


def _token(value: Mapping[str, Any]) -> HeldToken | None:
    try:
        return HeldToken(str(value["token"]), float(value["issued_at"]), float(value["expires_at"]), str(value.get("scope", "")))
    except (KeyError, TypeError, ValueError):
        return None
