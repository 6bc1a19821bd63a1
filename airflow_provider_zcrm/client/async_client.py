"""The asynchronous client, for the triggerer: `AsyncZohoCrmClient` over aiohttp.

Proxies, certificates, cookies, redirects and .netrc behave as in the synchronous client: aiohttp's own reading of the environment
is off, because it would let a .netrc replace the token and ignores REQUESTS_CA_BUNDLE.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from functools import lru_cache
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiohttp
from requests.utils import get_auth_from_url, get_environ_proxies, prepend_scheme_if_needed, select_proxy, urldefragauth
from urllib3.util import make_headers

from airflow_provider_zcrm.api.call import ApiCall, ApiRequest, ApiResponse
from airflow_provider_zcrm.api.errors import ZohoCrmError
from airflow_provider_zcrm.api.oauth import TOKEN_PATH
from airflow_provider_zcrm.client.answer_body import ACCEPT_ENCODING, CHUNK, AnswerBody
from airflow_provider_zcrm.client.backoff import SharedBackoff
from airflow_provider_zcrm.client.call_exchange import CallExchange
from airflow_provider_zcrm.client.config import USER_AGENT, ClientConfig, tls_context
from airflow_provider_zcrm.client.connections import no_answer
from airflow_provider_zcrm.client.credits import CreditsWatch
from airflow_provider_zcrm.client.retries import RetryPolicy
from airflow_provider_zcrm.client.steps import (
    Alone,
    Exchange,
    GetToken,
    NewSecret,
    ReadStore,
    RequestToken,
    SendRequest,
    Sleep,
    Step,
    WriteStore,
)
from airflow_provider_zcrm.client.token_exchange import TokenExchange
from airflow_provider_zcrm.client.token_sharing import TokenSharing
from airflow_provider_zcrm.client.tokens import tokens_of

T = TypeVar("T")


class AsyncZohoCrmClient:
    """Sends API calls to Zoho CRM from an event loop; an asynchronous context manager, bound to the loop that opens it.

    :param config: credentials, hosts and limits.
    :param retries: what is sent again, and for how long.
    :param on_secret: called with each access token the moment it is known, so that logs can mask it.
    :param sharing: where access tokens are shared with other processes; None keeps them in this one.
    """

    def __init__(
        self,
        config: ClientConfig,
        retries: RetryPolicy | None = None,
        on_secret: Callable[[str], Awaitable[None]] | None = None,
        sharing: TokenSharing | None = None,
    ) -> None:
        self.config = config
        self._retries = retries or RetryPolicy()
        self._on_secret = on_secret
        self.credits = CreditsWatch()
        self._tokens = tokens_of(config)
        self._token_exchange = TokenExchange(self._tokens, config.hosts, sharing)
        self._call_exchange = CallExchange(self._tokens, SharedBackoff(self._retries.first, self._retries.longest), self.credits)
        self._token_lock = asyncio.Lock()
        self._slots = asyncio.Semaphore(config.max_concurrency)
        self._tls: ssl.SSLContext | bool = True
        self._session: aiohttp.ClientSession | None = None
        # reading the environment for each call takes a tenth of a poll's time
        self._proxy = lru_cache(maxsize=64)(_proxy)

    async def open(self) -> None:
        """Make the session, in the running loop."""
        # making a TLS context reads and parses a bundle of certificates: tens of milliseconds that would stall the loop
        self._tls = await asyncio.to_thread(_tls, self.config)
        self._session = self._new_session()

    async def close(self) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()

    async def __aenter__(self) -> AsyncZohoCrmClient:
        await self.open()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def send(self, call: ApiCall[T]) -> T:
        """Send a call and return its value.

        :raises SubmissionUncertain: the call is a submission and Zoho may have taken it; it was not sent again
        :raises ZohoCrmError: any other class of `airflow_provider_zcrm.api.errors`, after the retries that make sense
        """
        if not self._retries.give_up_after:
            # a triggerer polls without retries, and tenacity would take a quarter of a poll's time
            return await self._send_once(call)
        return await self._retries.async_retrying()(self._send_once, call)

    async def _send_once(self, call: ApiCall[T]) -> T:
        return await self._carry_out(self._call_exchange.call(call))

    async def _token_now(self, rejected: str | None) -> str:
        async with self._token_lock:
            return await self._carry_out(self._token_exchange.token(rejected))

    async def _carry_out(self, exchange: Exchange[T]) -> T:
        """Do the steps of an exchange, and return its value."""
        try:
            step = next(exchange)
            while True:
                answer, failure = None, None
                try:
                    answer = await self._do(step)
                except ZohoCrmError as error:
                    failure = error
                # outside the handler: what the exchange raises is not raised while this one is handled
                step = exchange.throw(failure) if failure else exchange.send(answer)
        except StopIteration as end:
            value: T = end.value
            return value

    async def _do(self, step: Step) -> Any:
        match step:
            case SendRequest(request, token):
                return await self._call(request, token)
            case GetToken(rejected):
                return await self._token_now(rejected)
            case RequestToken():
                return await self._token_response()
            case ReadStore(sharing, name):
                return await sharing.aget(name)
            case WriteStore(sharing, name, value):
                await sharing.aput(name, value)
            case Alone(sharing, name, exchange):
                async with sharing.aalone(name):
                    return await self._carry_out(exchange)
            case Sleep(seconds):
                await asyncio.sleep(seconds)
            case NewSecret(token) if self._on_secret:
                await self._on_secret(token)
        return None

    async def _call(self, request: ApiRequest, token: str) -> ApiResponse:
        headers = {"Authorization": f"Zoho-oauthtoken {token}"}
        arguments = {"params": dict(request.params), "json": request.json, "headers": headers}
        url = self.config.url(request.path, bulk=request.bulk)
        async with self._slots:
            if request.may_repeat:
                return await self._http(self._session, request.method, request.path, url, to_file=request.to_file, **arguments)
            # a stale keep-alive connection would make the outcome of a submission ambiguous
            written: list[bool] = []
            async with self._new_session(_noting(written)) as fresh:
                return await self._http(fresh, request.method, request.path, url, written, **arguments)

    async def _token_response(self) -> ApiResponse:
        url, form = self.config.hosts.accounts_url + TOKEN_PATH, self.config.credentials.form()
        written: list[bool] = []
        async with self._new_session(_noting(written)) as fresh:
            return await self._http(fresh, "POST", TOKEN_PATH, url, written, data=form)

    async def _http(
        self,
        session: aiohttp.ClientSession | None,
        method: str,
        path: str,
        url: str,
        written: list[bool] | None = None,
        *,
        to_file: bool = False,
        **arguments: Any,
    ) -> ApiResponse:
        if session is None:
            raise RuntimeError("The client is not open.")
        try:
            arguments |= {**self._proxy(url), "ssl": self._tls, "allow_redirects": False}
            async with session.request(method, url, **arguments) as response:
                headers = {name.lower(): value for name, value in response.headers.items()}
                with AnswerBody(response.status, headers, method, path, to_file=to_file) as body:
                    async for chunk in response.content.iter_chunked(CHUNK):
                        body.add(chunk)
                    return body.response()
        # Python's own errors are about an address or a header that cannot be
        except (aiohttp.ClientError, OSError, ValueError) as error:
            failure = no_answer(url, error, sent=written is None or bool(written), method=method, path=path)
        # outside the handler: the library's exception holds the request with its secrets, and must not be chained
        raise failure

    def _new_session(self, *tracing: aiohttp.TraceConfig) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self.config.request_timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": ACCEPT_ENCODING},
            auto_decompress=False,
            trace_configs=list(tracing),
            trust_env=False,
        )


def _noting(written: list[bool]) -> aiohttp.TraceConfig:
    """Note that a request is about to be written; what fails before it (name, connection, proxy, TLS) Zoho has not seen.

    Only submissions and token requests need to know, and the hooks would take a sixth of a poll's time.
    """

    async def note(*_: Any) -> None:
        written.append(True)

    tracing = aiohttp.TraceConfig()
    tracing.on_request_headers_sent.append(note)
    return tracing


def _proxy(url: str) -> dict[str, Any]:
    """Return the environment's proxy for a URL as arguments, its password apart: aiohttp would show it in its exceptions."""
    proxy = select_proxy(url, get_environ_proxies(url))
    if not proxy:
        return {}
    proxy = str(prepend_scheme_if_needed(proxy, "http"))  # type: ignore[no-untyped-call]
    if not urlsplit(proxy).hostname:
        # aiohttp would go without a proxy
        raise ValueError("the proxy of the environment has no host")
    user, password = get_auth_from_url(proxy)
    return {"proxy": urldefragauth(proxy), "proxy_headers": make_headers(proxy_basic_auth=f"{user}:{password}") if user else None}


def _tls(config: ClientConfig) -> ssl.SSLContext | bool:
    ca_bundle = config.ca_bundle()
    return tls_context(str(ca_bundle)) if ca_bundle else False
