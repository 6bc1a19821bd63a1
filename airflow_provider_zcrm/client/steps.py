"""The steps of an exchange with Zoho, and how an exchange and a client work together.

An exchange is a generator: it decides, and yields a step. The client does the step and sends back what came of it, or throws in the
`ZohoCrmError` that it met. So all that is decided is written once, without I/O, and drives both clients.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from airflow_provider_zcrm.api.call import ApiRequest
from airflow_provider_zcrm.client.token_sharing import TokenSharing

T = TypeVar("T")


@dataclass(frozen=True)
class SendRequest:
    """Send a request with an access token; send back the `ApiResponse`."""

    request: ApiRequest
    token: str


@dataclass(frozen=True)
class GetToken:
    """Send back an access token that works.

    :param rejected: a token that Zoho has just rejected.
    """

    rejected: str | None


@dataclass(frozen=True)
class RequestToken:
    """Ask Zoho Accounts for an access token; send back the `ApiResponse`."""


@dataclass(frozen=True)
class ReadStore:
    """Send back what the shared store holds under a name, or None."""

    sharing: TokenSharing
    name: str


@dataclass(frozen=True)
class WriteStore:
    """Put a value into the shared store."""

    sharing: TokenSharing
    name: str
    value: str


@dataclass(frozen=True)
class Alone:
    """Carry out an exchange while the other processes of this host wait; send back its value."""

    sharing: TokenSharing
    name: str
    exchange: Exchange[Any]


@dataclass(frozen=True)
class Sleep:
    """Wait for some seconds."""

    seconds: float


@dataclass(frozen=True)
class NewSecret:
    """Say that a token is known from now on, so that logs can mask it."""

    token: str


Step: TypeAlias = SendRequest | GetToken | RequestToken | ReadStore | WriteStore | Alone | Sleep | NewSecret
Exchange: TypeAlias = Generator[Step, Any, T]
