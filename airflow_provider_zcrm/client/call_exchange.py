"""How a call is sent: with a token that works, counted, and not while Zoho refuses more calls; as an exchange."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from airflow_provider_zcrm.api.call import ApiCall
from airflow_provider_zcrm.api.errors import TokenRejected, TooManyRequests, ZohoCrmError, submission_error
from airflow_provider_zcrm.client.backoff import SharedBackoff
from airflow_provider_zcrm.client.credits import CreditsWatch
from airflow_provider_zcrm.client.steps import Exchange, GetToken, SendRequest
from airflow_provider_zcrm.client.tokens import Tokens

T = TypeVar("T")


class CallExchange:
    """Sends the calls of one client."""

    def __init__(self, tokens: Tokens, backoff: SharedBackoff, watch: CreditsWatch) -> None:
        self._tokens = tokens
        self._backoff = backoff
        self._watch = watch

    def call(self, call: ApiCall[T], before: Callable[[], None] | None = None) -> Exchange[T]:
        """Send a call; a token that Zoho rejects is replaced, until Zoho rejects one that it has just granted.

        :param before: called when there is a token, right before the call is sent; if it raises, nothing is sent.
        """
        rejected: str | None = None
        while True:
            token: str = yield GetToken(rejected)
            if before:
                before()
            try:
                return (yield from self.call_with(call, token))
            except TokenRejected:
                if rejected and self._tokens.granted_here(token):
                    raise
                rejected = token

    def call_with(self, call: ApiCall[T], token: str) -> Exchange[T]:
        """Send a call once, with this very token.

        :raises SubmissionUncertain: the call may not be repeated and Zoho may have taken it
        :raises ZohoCrmError: what the answer means, or that there was none
        """
        self._backoff.check()
        try:
            self._watch.sending()
            response = yield SendRequest(call.request, token)
            self._watch.saw(response)
            value = call.parse(response)
        except ZohoCrmError as error:
            error.without(token, *self._tokens.secrets)
            if isinstance(error, TooManyRequests):
                self._backoff.refused(error)
            if call.request.may_repeat:
                raise
            failure = submission_error(error)
        else:
            self._backoff.answered()
            return value
        raise failure
