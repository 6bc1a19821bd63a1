"""How an access token is got: from this process, from the store that others share, or from Zoho; as an exchange.

One process of a host asks Zoho, and the others find its token in the store.
"""

from __future__ import annotations

from airflow_provider_zcrm.api.data_centers import Hosts
from airflow_provider_zcrm.api.errors import ConnectionFailed, RetryableError, TokenThrottled, ZohoCrmError
from airflow_provider_zcrm.api.oauth import parse_token
from airflow_provider_zcrm.client.steps import Alone, Exchange, NewSecret, ReadStore, RequestToken, Sleep, WriteStore
from airflow_provider_zcrm.client.token_sharing import TokenSharing
from airflow_provider_zcrm.client.tokens import Tokens


class TokenExchange:
    """Gets the tokens of a connection.

    :param sharing: where tokens are shared with other processes; None keeps them in this one.
    """

    def __init__(self, tokens: Tokens, hosts: Hosts, sharing: TokenSharing | None) -> None:
        self._tokens = tokens
        self._hosts = hosts
        self._sharing = sharing

    def token(self, rejected: str | None) -> Exchange[str]:
        """Return a token that works; never waits for Zoho's throttle.

        :param rejected: a token that Zoho has just rejected.
        :raises ZohoCrmError: there is none to be had now
        """
        # what is rejected here is remembered, so nothing below returns it
        if held := self._tokens.held(rejected):
            return held
        if self._sharing is None:
            return (yield from self._new_token())
        if stored := (yield from self._stored_token(self._sharing)):
            return stored
        token: str = yield Alone(self._sharing, self._tokens.name, self._token_behind_lock(self._sharing))
        return token

    def _token_behind_lock(self, sharing: TokenSharing) -> Exchange[str]:
        for seconds in sharing.waits():
            yield Sleep(seconds)
            if stored := (yield from self._stored_token(sharing)):
                return stored
        return (yield from self._new_token())

    def _stored_token(self, sharing: TokenSharing) -> Exchange[str | None]:
        stored = self._tokens.take((yield ReadStore(sharing, self._tokens.name)))
        if stored:
            yield NewSecret(stored)
        return stored

    def _new_token(self) -> Exchange[str]:
        """Ask Zoho; if it cannot answer now, a token that was to be replaced early serves on."""
        try:
            return (yield from self._ask_zoho())
        except RetryableError as error:
            if old := self._tokens.serve_on(error):
                return old
            raise

    def _ask_zoho(self) -> Exchange[str]:
        self._tokens.check()
        try:
            response = yield RequestToken()
            token = parse_token(response, self._hosts)
        except ZohoCrmError as error:
            error.without(*self._tokens.secrets)
            throttled = isinstance(error, TokenThrottled)
            if not throttled and not _has_cost_a_request(error):
                raise
            # another host may have got one
            if self._sharing and (other := (yield from self._stored_token(self._sharing))):
                return other
            yield from self._share(self._tokens.refused() if throttled else self._tokens.failed())
            raise
        yield from self._share(self._tokens.hold(token))
        yield NewSecret(token.value)
        return token.value

    def _share(self, sealed: str) -> Exchange[None]:
        if self._sharing:
            yield WriteStore(self._sharing, self._tokens.name, sealed)


def _has_cost_a_request(error: ZohoCrmError) -> bool:
    """Return whether it is a passing fault for which Zoho may have counted the request."""
    return isinstance(error, RetryableError) and not (isinstance(error, ConnectionFailed) and not error.sent)
