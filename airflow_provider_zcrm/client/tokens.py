"""The access tokens of this process, shared by all its clients.

Zoho grants few tokens (10 in 10 minutes, 10 active at once), so a token is asked for once and used until shortly before it ends.
"""

from __future__ import annotations

import logging
import random
import time
from dataclasses import dataclass, field

from airflow_provider_zcrm.api.oauth import AccessToken
from airflow_provider_zcrm.client.config import ClientConfig

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HeldToken:
    """A token and the moment (monotonic seconds) from which it is replaced."""

    value: str = field(repr=False)
    replace_at: float


_held: dict[object, HeldToken] = {}


def held_token(config: ClientConfig, rejected: str | None = None) -> str | None:
    """Return this process's token for the connection, None if there is none that can be used.

    :param rejected: a token that Zoho has just rejected; if another user of the connection has replaced it, theirs is returned.
    """
    held = _held.get(_key(config))
    if held is None or held.value == rejected or time.monotonic() >= held.replace_at:
        return None
    return held.value


def hold_token(config: ClientConfig, token: AccessToken) -> str:
    """Keep a new token for this process and return its value."""
    if token.foreign_api_domain:
        log.warning("Zoho names the API host %s, which is none of its known ones; ignored.", token.foreign_api_domain)
    _held[_key(config)] = HeldToken(token.value, time.monotonic() + token.expires_in - _early(token.expires_in))
    return token.value


def forget_tokens() -> None:
    """Drop all tokens of this process."""
    _held.clear()


def _early(expires_in: float) -> float:
    """Seconds before the end at which a token is replaced: at random, so that a crowd does not wake at once."""
    return min(random.uniform(60.0, 300.0), expires_in / 2)  # noqa: S311 (jitter, not cryptography)


def _key(config: ClientConfig) -> object:
    return (config.credentials, config.hosts.accounts_url, config.hosts.api_url)
