"""How a call is sent: each test plays the client, step by step."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_zcrm.api.call import ApiCall, ApiResponse
from airflow_provider_zcrm.api.data_centers import hosts_of
from airflow_provider_zcrm.api.errors import (
    ConnectionFailed,
    InvalidModule,
    ServiceUnavailable,
    SubmissionUncertain,
    TokenRejected,
    TooManyRequests,
    ZohoCrmError,
)
from airflow_provider_zcrm.api.mass_delete import submit_tags
from airflow_provider_zcrm.api.modules import list_modules
from airflow_provider_zcrm.api.oauth import AccessToken, Credentials, RefreshTokenGrant
from airflow_provider_zcrm.client.backoff import SharedBackoff
from airflow_provider_zcrm.client.call_exchange import CallExchange
from airflow_provider_zcrm.client.config import ClientConfig
from airflow_provider_zcrm.client.credits import CreditsWatch
from airflow_provider_zcrm.client.steps import Exchange, GetToken, SendRequest
from airflow_provider_zcrm.client.tokens import Tokens
from tests.unit.client.conftest import Chance, Clock

READ: ApiCall[Any] = list_modules()
SUBMIT: ApiCall[Any] = submit_tags("Leads", "1", ["2"])
CONFIG = ClientConfig(Credentials("1000.CLIENT", "s3cret", RefreshTokenGrant("1000.refresh")), hosts_of("us", "production"))


def answer(http: int, **body: Any) -> ApiResponse:
    return ApiResponse(http, {}, json.dumps(body).encode())


def error(http: int, code: str, message: str = "no") -> ApiResponse:
    return answer(http, code=code, message=message, details={}, status="error")


MODULES = answer(200, modules=[{"id": "1", "api_name": "Leads"}])
REJECTED = error(401, "INVALID_TOKEN")


class Client:
    """The parts of a client between a call and the network."""

    def __init__(self) -> None:
        self.tokens = Tokens(CONFIG)
        self.backoff = SharedBackoff(2.0, 60.0)
        self.credits = CreditsWatch()
        self.exchange = CallExchange(self.tokens, self.backoff, self.credits)


@pytest.fixture
def client(clock: Clock, chance: Chance) -> Client:
    return Client()


def ends(exchange: Exchange[Any], answer: Any) -> Any:
    """Answer the last step, and return the value of the exchange."""
    with pytest.raises(StopIteration) as end:
        exchange.send(answer)
    return end.value.value


def test_a_call_is_sent_with_a_token_and_counted(client: Client) -> None:
    sent: list[str] = []
    call = client.exchange.call(READ, lambda: sent.append("now"))

    assert next(call) == GetToken(None)
    assert sent == []
    assert call.send("token 1") == SendRequest(READ.request, "token 1")
    assert sent == ["now"]
    response = ApiResponse(200, {"x-api-credits-remaining": "4000"}, MODULES.body)
    assert [module.api_name for module in ends(call, response)] == ["Leads"]
    assert (client.credits.calls, client.credits.left) == (1, 4000)


def test_what_must_hold_right_before_a_call_can_stop_it(client: Client) -> None:
    call = client.exchange.call(READ, lambda: (_ for _ in ()).throw(InvalidModule("Too late.")))
    next(call)

    with pytest.raises(InvalidModule):
        call.send("token 1")

    assert client.credits.calls == 0


def test_a_rejected_token_is_replaced_until_zoho_rejects_one_that_it_has_just_granted(client: Client) -> None:
    client.tokens.hold(AccessToken("token 1", 3600.0))
    call = client.exchange.call(READ)
    next(call)
    call.send("token 1")

    assert call.send(REJECTED) == GetToken("token 1")
    call.send("token 2")  # another process's
    assert call.send(REJECTED) == GetToken("token 2")
    client.tokens.hold(AccessToken("token 3", 3600.0))
    assert call.send("token 3") == SendRequest(READ.request, "token 3")
    with pytest.raises(TokenRejected):
        call.send(REJECTED)
    assert client.credits.calls == 3


def test_secrets_that_zoho_quotes_are_taken_out(client: Client) -> None:
    call = client.exchange.call_with(READ, "token 1")
    next(call)

    with pytest.raises(InvalidModule) as caught:
        call.send(error(400, "INVALID_MODULE", "token 1, s3cret and 1000.refresh"))

    assert "***, *** and ***" in str(caught.value)


def test_after_a_429_no_call_is_sent_until_zoho_has_had_its_pause(client: Client, clock: Clock) -> None:
    for pause in (2.0, 4.0):
        call = client.exchange.call_with(READ, "token 1")
        next(call)
        with pytest.raises(TooManyRequests) as caught:
            call.send(error(429, "TOO_MANY_REQUESTS"))
        assert caught.value.retry_after == pause
        with pytest.raises(TooManyRequests, match="429"):
            next(client.exchange.call_with(READ, "token 1"))
        clock.now += pause

    assert client.credits.calls == 2
    call = client.exchange.call_with(READ, "token 1")
    next(call)
    ends(call, MODULES)
    refusal = TooManyRequests("No more.")
    client.backoff.refused(refusal)
    assert refusal.retry_after == 2.0  # the answer has ended the doubling


def test_any_other_error_closes_nothing(client: Client) -> None:
    call = client.exchange.call_with(READ, "token 1")
    next(call)

    with pytest.raises(ServiceUnavailable):
        call.send(error(500, "INTERNAL_ERROR"))

    assert next(client.exchange.call_with(READ, "token 1")) == SendRequest(READ.request, "token 1")


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (ServiceUnavailable("Zoho cannot answer.", status=500), SubmissionUncertain),
        (ConnectionFailed("No answer.", sent=True), SubmissionUncertain),
        (ConnectionFailed("No answer.", sent=False), ConnectionFailed),
        (InvalidModule("No.", status=400), InvalidModule),
        (TooManyRequests("No more.", status=429), TooManyRequests),
    ],
    ids=repr,
)
def test_a_submission_is_uncertain_where_zoho_may_have_taken_it(failure: ZohoCrmError, outcome: type, client: Client) -> None:
    call = client.exchange.call_with(SUBMIT, "token 1")
    next(call)

    with pytest.raises(ZohoCrmError) as caught:
        call.throw(failure)

    assert type(caught.value) is outcome
    assert caught.value.__context__ is None
