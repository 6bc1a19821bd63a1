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

from airflow_provider_zcrm.api.call import ApiCall, ApiRequest, ApiResponse
from airflow_provider_zcrm.api.errors import (
    RetryableError,
    TokenRejected,
    TokenThrottled,
    TooManyRequests,
    ZohoCrmError,
    submission_error,
)
from airflow_provider_zcrm.api.oauth import TOKEN_PATH, AccessToken, parse_token, read_token
from airflow_provider_zcrm.client.backoff import SharedBackoff
from airflow_provider_zcrm.client.config import USER_AGENT, ClientConfig, tls_context
from airflow_provider_zcrm.client.connections import WatchedAdapter, no_answer, written
from airflow_provider_zcrm.client.credits import CreditsWatch
from airflow_provider_zcrm.client.retries import RetryPolicy
from airflow_provider_zcrm.client.token_sharing import TokenSharing
from airflow_provider_zcrm.client.tokens import tokens_of

T = TypeVar("T")


class ZohoCrmClient:
    """Sends API calls to Zoho CRM; a context manager.

    :param config: credentials, hosts and limits.
    :param retries: what is sent again, and for how long.
    :param on_secret: told each access token the moment it is known, so that logs can mask it.
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
        self._backoff = SharedBackoff(self._retries.first, self._retries.longest)
        self.credits = CreditsWatch()
        self._sharing = sharing
        self._tokens = tokens_of(config)
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
        return self._exchange(call, token)

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
        return read_token(self._token_response(), self.config.hosts)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def __enter__(self) -> ZohoCrmClient:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _send_once(self, call: ApiCall[T], before: Callable[[], None] | None) -> T:
        """Send a call; a token that Zoho rejects is replaced, until Zoho rejects one that it has just granted."""
        rejected: str | None = None
        while True:
            token = self.access_token(rejected)
            if before:
                before()
            try:
                return self._exchange(call, token)
            except TokenRejected:
                if rejected and self._tokens.granted_here(token):
                    raise
                rejected = token

    def _exchange(self, call: ApiCall[T], token: str) -> T:
        self._backoff.check()
        try:
            self.credits.sending()
            response = self._call(call.request, token)
            self.credits.saw(response)
            value = call.parse(response)
        except ZohoCrmError as error:
            error.without(token)
            if isinstance(error, TooManyRequests):
                self._backoff.refused(error)
            if call.request.may_repeat:
                raise
            failure = submission_error(error)
        else:
            self._backoff.answered()
            return value
        raise failure

    def _call(self, request: ApiRequest, token: str) -> ApiResponse:
        arguments = {"params": request.params, "json": request.json, "auth": _ZohoToken(token)}
        url = self.config.url(request.path, bulk=request.bulk)
        with self._slots:
            if request.may_repeat:
                return self._http(self._session, request.method, request.path, url, **arguments)
            # a stale keep-alive connection would make the outcome of a submission ambiguous
            with _new_session() as fresh:
                return self._http(fresh, request.method, request.path, url, **arguments)

    def _token_now(self, rejected: str | None) -> str:
        tokens, sharing = self._tokens, self._sharing
        with tokens.lock:
            if sharing is None:
                return tokens.held(rejected) or self._new_token(rejected)
            if held := tokens.held(rejected):
                return held
            if stored := tokens.take(sharing.get(tokens.name), rejected):
                return self._tell(stored)
            with sharing.alone(tokens.name):
                for seconds in sharing.waits():
                    time.sleep(seconds)
                    if stored := tokens.take(sharing.get(tokens.name), rejected):
                        return self._tell(stored)
                return self._new_token(rejected)

    def _new_token(self, rejected: str | None) -> str:
        """Ask Zoho; if it cannot answer now, a token that was to be replaced early serves on."""
        try:
            return self._ask_for_token(rejected)
        except RetryableError as error:
            if old := self._tokens.serve_on(error, rejected):
                return old
            raise

    def _ask_for_token(self, rejected: str | None) -> str:
        self._tokens.check_throttle()
        response = self._token_response()
        try:
            token = parse_token(response, self.config.hosts)
        except TokenThrottled:
            # another host may have got the last one
            other = self._sharing and self._tokens.take(self._sharing.get(self._tokens.name), rejected)
            if other:
                return self._tell(other)
            self._share(self._tokens.refused())
            raise
        self._share(self._tokens.hold(token))
        return self._tell(token.value)

    def _token_response(self) -> ApiResponse:
        url, form = self.config.hosts.accounts_url + TOKEN_PATH, self.config.credentials.form()
        # the auth that does nothing keeps a .netrc from adding a header
        return self._http(self._session, "POST", TOKEN_PATH, url, data=form, auth=lambda request: request)

    def _share(self, sealed: str) -> None:
        if self._sharing:
            self._sharing.put(self._tokens.name, sealed)

    def _tell(self, token: str) -> str:
        if self._on_secret:
            self._on_secret(token)
        return token

    def _http(self, session: requests.Session, method: str, path: str, url: str, **arguments: Any) -> ApiResponse:
        # of urllib3, because one of requests would hold for connecting and for reading each
        arguments["timeout"] = Timeout(total=self.config.request_timeout)
        ca_bundle = self.config.ca_bundle()
        sent: list[bool] = []
        written.set(sent)
        try:
            response = session.request(method, url, verify=ca_bundle, allow_redirects=False, **arguments)
            return ApiResponse(response.status_code, _lower(response.headers), response.content)
        except requests.RequestException as error:
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
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("https://", "http://"):
        session.mount(scheme, WatchedAdapter())
    return session


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
