"""The probe's own few lines between it and Zoho: an access token, calls, and a budget that no run exceeds.

Redirects are not followed, a ``.netrc`` is not read, an answer is read up to 16 MiB. Nothing is sent twice, but a call whose token was
refused.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from airflow_provider_zcrm.emulator.probe.credentials import Credentials
from airflow_provider_zcrm.emulator.probe.names import Refusal

MAX_BODY = 16 * 1024 * 1024
TIMEOUT = aiohttp.ClientTimeout(total=60)
NO_TOKEN = {"INVALID_TOKEN", "AUTHENTICATION_FAILURE"}


class Lost(Exception):
    """No answer came. Whether the server did what was asked is unknown."""


class BudgetSpent(Exception):
    """The calls that the run was allowed are used up."""


class Clock:
    """Time, which a test may let pass faster."""

    def now(self) -> float:
        """Return seconds that only go forward."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True)
class Reply:
    """An answer; `body` is None where there is none, and text where it is no JSON."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def error(self) -> dict[str, Any]:
        """Return Zoho's envelope, wherever in the answer it stands; an empty one if there is none."""
        return next((item for item in _objects(self.body) if "code" in item), {})

    @property
    def code(self) -> str:
        """Return the code of the envelope, or an empty text."""
        return str(self.error.get("code", ""))

    @property
    def details(self) -> dict[str, Any]:
        """Return the details of the envelope; an empty object if there are none."""
        details = self.error.get("details")
        return details if isinstance(details, dict) else {}

    @property
    def message(self) -> str:
        """Return the message of the envelope, or an empty text."""
        return str(self.error.get("message", ""))

    @property
    def unserved(self) -> bool:
        """Return whether the server does not have this call, or not for this token."""
        return self.status in (401, 403) or self.code in ("INVALID_URL_PATTERN", "INVALID_REQUEST_METHOD")

    def elements(self, key: str) -> list[dict[str, Any]]:
        """Return the objects under a key of the answer."""
        items = self.body.get(key) if isinstance(self.body, dict) else None
        return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _objects(node: Any) -> list[dict[str, Any]]:
    """Return the objects of an answer from the outside in, but not those that an envelope holds."""
    if isinstance(node, list):
        return [found for item in node for found in _objects(item)]
    if not isinstance(node, dict):
        return []
    return [node] if "code" in node else [node, *(found for item in node.values() for found in _objects(item))]


@dataclass
class Calls:
    """Calls to one org. `allowed` is how many there may be in all, `heard` is shown every answer."""

    session: aiohttp.ClientSession
    credentials: Credentials
    allowed: int
    made: int = 0
    heard: list[Callable[[Reply], None]] = field(default_factory=list)
    _token: str = field(default="", repr=False)

    def allow(self, more: int) -> None:
        """Let so many more calls be made, and no others."""
        self.allowed = self.made + more

    async def log_in(self) -> Reply:
        """Get an access token, which the calls from now on carry, and return the answer that held it.

        :raises Refusal: there is none
        """
        reply = await self.ask_token()
        if not self._token:
            error = reply.body.get("error") if isinstance(reply.body, dict) else None
            raise Refusal(
                f"Zoho gives no access token: HTTP {reply.status}, {_short(error)}. "
                "Are the credentials good, and made for this data center?"
            )
        return reply

    async def ask_token(self) -> Reply:
        """Ask for an access token; if it is granted, the calls from now on carry it, otherwise none."""
        reply = await self.accounts("token", self.credentials.grant)
        token = reply.body.get("access_token") if isinstance(reply.body, dict) else None
        self._token = token if isinstance(token, str) else ""
        return reply

    @property
    def has_token(self) -> bool:
        """Return whether the last request for a token was granted."""
        return bool(self._token)

    async def accounts(self, path: str, form: Mapping[str, str]) -> Reply:
        """Ask Zoho Accounts; `path` stands behind ``/oauth/v2/``."""
        return await self._send("POST", f"{self.credentials.accounts_url}/oauth/v2/{path}", data=dict(form))

    async def get(self, path: str, **query: str) -> Reply:
        """Read something; `path` stands behind the version."""
        return await self._call("GET", path, query, None)

    async def post(self, path: str, body: Any, **query: str) -> Reply:
        """Send a body. What may be in it is for `own` to say."""
        return await self._call("POST", path, query, body)

    async def delete(self, path: str) -> Reply:
        """Delete what the path names. What that may be is for `own` to say."""
        return await self._call("DELETE", path, {}, None)

    async def _call(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Reply:
        version = self.credentials.version
        url = self.credentials.api_url + (f"/crm/bulk/{version}{path[5:]}" if path.startswith("/bulk/") else f"/crm/{version}{path}")
        data = None if body is None else json.dumps(body)
        reply = await self._authorised(method, url, query, data)
        if reply.status == 401 and reply.code in NO_TOKEN:  # evicted by another program of the same credentials
            await self.log_in()
            reply = await self._authorised(method, url, query, data)
        return reply

    async def _authorised(self, method: str, url: str, query: Mapping[str, str], data: str | None) -> Reply:
        headers = {"Authorization": f"Zoho-oauthtoken {self._token}"} | ({} if data is None else {"Content-Type": "application/json"})
        return await self._send(method, url, params=dict(query), data=data, headers=headers)

    async def _send(self, method: str, url: str, **options: Any) -> Reply:
        if self.made >= self.allowed:
            raise BudgetSpent(f"The {self.allowed} calls of the budget are used up.")
        self.made += 1
        try:
            async with self.session.request(method, url, allow_redirects=False, timeout=TIMEOUT, proxy=_proxy(url), **options) as response:
                reply = Reply(response.status, _decoded(await _read(response)), dict(response.headers))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Lost(f"{method} {urlsplit(url).path}: no answer ({type(error).__name__})") from None
        for hear in self.heard:
            hear(reply)
        return reply


async def _read(response: aiohttp.ClientResponse) -> str:
    body = bytearray()
    async for chunk in response.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > MAX_BODY:
            raise Lost("the answer is longer than 16 MiB")
    return body.decode("utf-8", "replace")


def _decoded(text: str) -> Any:
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def _proxy(url: str) -> str | None:
    parts = urlsplit(url)
    here = parts.hostname in ("127.0.0.1", "localhost", "::1")
    return None if here or proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)


def _short(error: object) -> str:
    return str(error)[:80] if isinstance(error, str) else "without a reason"
