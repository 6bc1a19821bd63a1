"""The synchronous client, for workers: `ZohoCrmClient` over requests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from http.cookiejar import DefaultCookiePolicy
from types import TracebackType
from typing import Any, TypeVar

import requests
from requests.auth import AuthBase
from requests.exceptions import SSLError
from urllib3 import Timeout
from urllib3.exceptions import HTTPError

from airflow_provider_zcrm.api.call import ApiCall, ApiRequest, ApiResponse
from airflow_provider_zcrm.api.errors import ZohoCrmError
from airflow_provider_zcrm.api.oauth import TOKEN_PATH, AccessToken, read_token
from airflow_provider_zcrm.client.answer_body import ACCEPT_ENCODING, CHUNK, AnswerBody
from airflow_provider_zcrm.client.backoff import SharedBackoff
from airflow_provider_zcrm.client.call_exchange import CallExchange
from airflow_provider_zcrm.client.config import USER_AGENT, ClientConfig, tls_context
from airflow_provider_zcrm.client.connections import WatchedAdapter, no_answer, written
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

# what requests lets through is urllib3's, or Python's own about an address or a header that cannot be
_NO_ANSWER = (requests.RequestException, HTTPError, OSError, ValueError)


class ZohoCrmClient:
    """Sends API calls to Zoho CRM; a context manager.

    :param config: credentials, hosts and limits.
    :param retries: what is sent again, and for how long.
    :param on_secret: called with each access token the moment it is known, so that logs can mask it.
    :param sharing: where access tokens are shared with other processes; None keeps them in this one.
    """

    def __init__(
        self,
        config: ClientConfig,
        retries: RetryPolicy | None = None,
        on_secret: Callable[[str], None] | None = None,
        sharing: TokenSharing | None = None,
    ) -> None:
        self.config = config
        self._retries = retries or RetryPolicy()
        self._on_secret = on_secret
        self._session = _new_session()
        self.credits = CreditsWatch()
        self._tokens = tokens_of(config)
        self._token_exchange = TokenExchange(self._tokens, config.hosts, sharing)
        self._call_exchange = CallExchange(self._tokens, SharedBackoff(self._retries.first, self._retries.longest), self.credits)
        self._slots = threading.BoundedSemaphore(config.max_concurrency)

    def send(self, call: ApiCall[T], before: Callable[[], None] | None = None) -> T:
        """Send a call and return its value.

        :param before: called right before each attempt, after any wait; if it raises, nothing is sent.
        :raises SubmissionUncertain: the call is a submission and Zoho may have taken it; it was not sent again
        :raises ZohoCrmError: any other class of `airflow_provider_zcrm.api.errors`, after the retries that make sense
        """
        value: T = self._retries.retrying()(self._send_once, call, before)
        return value

    def send_with(self, call: ApiCall[T], token: str) -> T:
        """Send a call once with this very token: nothing is sent again, and a token that Zoho rejects is not replaced.

        :raises ZohoCrmError: as `send`
        """
        return self._carry_out(self._call_exchange.call_with(call, token))

    def access_token(self, rejected: str | None = None) -> str:
        """Return a token that works: this process's, one that is shared, or a new one; waits while Zoho grants none.

        :param rejected: a token that Zoho has just rejected.
        :raises ZohoCrmError: there is none to be had
        """
        value: str = self._retries.waiting_for_token()(self._token_now, rejected)
        return value

    def request_token(self) -> AccessToken:
        """Ask Zoho for a token, once, and return it as it is: it is not kept or shared, nor is its data centre compared.

        :raises ZohoCrmError: Zoho gives none
        """
        try:
            return read_token(self._token_response(), self.config.hosts)
        except ZohoCrmError as error:
            error.without(*self.config.credentials.secrets())
            raise

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def __enter__(self) -> ZohoCrmClient:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _send_once(self, call: ApiCall[T], before: Callable[[], None] | None) -> T:
        return self._carry_out(self._call_exchange.call(call, before))

    def _token_now(self, rejected: str | None) -> str:
        with self._tokens.lock:
            return self._carry_out(self._token_exchange.token(rejected))

    def _carry_out(self, exchange: Exchange[T]) -> T:
        """Do the steps of an exchange, and return its value."""
        try:
            step = next(exchange)
            while True:
                answer, failure = None, None
                try:
                    answer = self._do(step)
                except ZohoCrmError as error:
                    failure = error
                # outside the handler: what the exchange raises is not raised while this one is handled
                step = exchange.throw(failure) if failure else exchange.send(answer)
        except StopIteration as end:
            value: T = end.value
            return value

    def _do(self, step: Step) -> Any:
        match step:
            case SendRequest(request, token):
                return self._call(request, token)
            case GetToken(rejected):
                return self.access_token(rejected)
            case RequestToken():
                return self._token_response()
            case ReadStore(sharing, name):
                return sharing.get(name)
            case WriteStore(sharing, name, value):
                sharing.put(name, value)
            case Alone(sharing, name, exchange):
                with sharing.alone(name):
                    return self._carry_out(exchange)
            case Sleep(seconds):
                time.sleep(seconds)
            case NewSecret(token) if self._on_secret:
                self._on_secret(token)
        return None

    def _call(self, request: ApiRequest, token: str) -> ApiResponse:
        arguments = {"params": request.params, "json": request.json, "auth": _ZohoToken(token)}
        url = self.config.url(request.path, bulk=request.bulk)
        with self._slots:
            if request.may_repeat:
                return self._http(self._session, request.method, request.path, url, to_file=request.to_file, **arguments)
            # a stale keep-alive connection would make the outcome of a submission ambiguous
            with _new_session() as fresh:
                return self._http(fresh, request.method, request.path, url, **arguments)

    def _token_response(self) -> ApiResponse:
        url, form = self.config.hosts.accounts_url + TOKEN_PATH, self.config.credentials.form()
        # the auth that does nothing keeps a .netrc from adding a header
        return self._http(self._session, "POST", TOKEN_PATH, url, data=form, auth=lambda request: request)

    def _http(self, session: requests.Session, method: str, path: str, url: str, *, to_file: bool = False, **arguments: Any) -> ApiResponse:
        # of urllib3, because one of requests would hold for connecting and for reading each
        arguments["timeout"] = Timeout(total=self.config.request_timeout)
        ca_bundle = self.config.ca_bundle()
        sent: list[bool] = []
        written.set(sent)
        try:
            with (
                session.request(method, url, verify=ca_bundle, allow_redirects=False, stream=True, **arguments) as response,
                AnswerBody(response.status_code, _lower(response.headers), method, path, to_file=to_file) as body,
            ):
                for chunk in response.raw.stream(CHUNK, decode_content=False):
                    body.add(chunk)
                # it is read to its end, so the connection serves on
                response.raw.release_conn()
                return body.response()
        except _NO_ANSWER as error:
            failure = no_answer(url, error, sent=bool(sent), method=method, path=path)
            unsafe = isinstance(error, SSLError)
        # outside the handler: the library's exception holds the request with its secrets, and must not be chained
        if unsafe and ca_bundle:
            # tells a bundle that cannot be read from a server that it does not vouch for
            tls_context(str(ca_bundle))
        raise failure


class _ZohoToken(AuthBase):
    """Sets the header as an auth object, because requests lets a .netrc replace a plain header."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Zoho-oauthtoken {self._token}"
        return request


def _new_session() -> requests.Session:
    session = requests.Session()
    session.headers["User-Agent"] = USER_AGENT
    session.headers["Accept-Encoding"] = ACCEPT_ENCODING
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("https://", "http://"):
        session.mount(scheme, WatchedAdapter())
    return session


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
