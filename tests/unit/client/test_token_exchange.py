"""How an access token is got: each test plays the client, step by step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_zcrm.api.call import ApiResponse
from airflow_provider_zcrm.api.data_centers import hosts_of
from airflow_provider_zcrm.api.errors import (
    ConnectionFailed,
    CredentialsRejected,
    InvalidConnection,
    ServiceUnavailable,
    TokenThrottled,
    ZohoCrmError,
)
from airflow_provider_zcrm.api.oauth import AccessToken, Credentials, RefreshTokenGrant
from airflow_provider_zcrm.client.config import ClientConfig
from airflow_provider_zcrm.client.steps import Alone, Exchange, NewSecret, ReadStore, RequestToken, Sleep, WriteStore
from airflow_provider_zcrm.client.token_exchange import TokenExchange
from airflow_provider_zcrm.client.token_seal import TokenSeal
from airflow_provider_zcrm.client.token_sharing import FileTokenStore, TokenSharing
from airflow_provider_zcrm.client.tokens import Tokens
from tests.unit.client.conftest import Chance, Clock

CONFIG = ClientConfig(Credentials("1000.CLIENT", "clients_secret", RefreshTokenGrant("1000.refresh")), hosts_of("us", "production"))
HOURS = 3600.0
THROTTLED = {"error": "Access Denied", "error_description": "too many requests", "status": "failure"}


def answer(**body: Any) -> ApiResponse:
    return ApiResponse(200, {}, json.dumps(body).encode())


def granted(token: str) -> ApiResponse:
    return answer(access_token=token, expires_in=3600)


class Process:
    """A process with its own memory; the store is its test's to play."""

    def __init__(self, folder: Path | None, spread: float = 0.0) -> None:
        self.tokens = Tokens(CONFIG)
        self.sharing = TokenSharing(FileTokenStore(folder), folder, spread) if folder else None
        self.exchange = TokenExchange(self.tokens, CONFIG.hosts, self.sharing)

    def read(self) -> ReadStore:
        assert self.sharing
        return ReadStore(self.sharing, self.tokens.name)

    def behind_lock(self, rejected: str | None = None) -> Exchange[str]:
        """Look at the store, in vain, and return the exchange that begins when the lock is there."""
        token = self.exchange.token(rejected)
        assert next(token) == self.read()
        alone = token.send(None)
        assert isinstance(alone, Alone)
        assert (alone.sharing, alone.name) == (self.sharing, self.tokens.name)
        return alone.exchange

    def asks(self, rejected: str | None = None) -> Exchange[str]:
        """Come to the request for a token."""
        inner = self.behind_lock(rejected)
        assert next(inner) == Sleep(0.0)
        assert inner.send(None) == self.read()
        assert inner.send(None) == RequestToken()
        return inner


@pytest.fixture
def process(clock: Clock, chance: Chance, tmp_path: Path) -> Process:
    return Process(tmp_path)


@pytest.fixture
def alone(clock: Clock, chance: Chance) -> Process:
    """A process that shares nothing."""
    return Process(None)


def ends(exchange: Exchange[str], answer: Any) -> str:
    """Answer the last step, and return the token."""
    with pytest.raises(StopIteration) as end:
        exchange.send(answer)
    return str(end.value.value)


def stored(step: Any) -> Any:
    """Return what a step puts into the store."""
    assert isinstance(step, WriteStore)
    return TokenSeal(CONFIG).open(step.value)


def sealed(clock: Clock, token: str) -> str:
    value = {"token": token, "issued_at": clock.now, "expires_at": clock.now + HOURS, "scope": ""}
    return TokenSeal(CONFIG).seal(value)


def test_a_token_that_is_held_costs_nothing(process: Process) -> None:
    process.tokens.hold(AccessToken("1000.held", HOURS))

    assert ends(process.exchange.token(None), None) == "1000.held"


def test_without_a_store_zoho_is_asked(alone: Process) -> None:
    token = alone.exchange.token(None)

    assert next(token) == RequestToken()
    assert token.send(granted("1000.new")) == NewSecret("1000.new")
    assert ends(token, None) == "1000.new"
    assert alone.tokens.held() == "1000.new"


def test_a_token_that_is_rejected_is_replaced(alone: Process) -> None:
    alone.tokens.hold(AccessToken("1000.held", HOURS))

    assert next(alone.exchange.token("1000.held")) == RequestToken()


def test_a_token_of_the_store_is_masked_and_used(process: Process, clock: Clock) -> None:
    token = process.exchange.token(None)

    assert next(token) == process.read()
    assert token.send(sealed(clock, "1000.shared")) == NewSecret("1000.shared")
    assert ends(token, None) == "1000.shared"


def test_a_rejected_token_of_the_store_is_not_used(process: Process, clock: Clock) -> None:
    token = process.exchange.token("1000.shared")
    next(token)

    assert isinstance(token.send(sealed(clock, "1000.shared")), Alone)
    assert process.tokens.present is None


def test_what_comes_out_from_behind_the_lock_is_the_token(process: Process) -> None:
    token = process.exchange.token(None)
    next(token)
    token.send(None)

    assert ends(token, "1000.new") == "1000.new"


def test_behind_the_lock_the_store_is_looked_at_again(process: Process, clock: Clock) -> None:
    inner = process.behind_lock()
    next(inner)

    assert inner.send(None) == process.read()
    assert inner.send(sealed(clock, "1000.shared")) == NewSecret("1000.shared")
    assert ends(inner, None) == "1000.shared"


def test_behind_the_lock_a_rejected_token_is_not_used_either(process: Process, clock: Clock) -> None:
    inner = process.behind_lock("1000.shared")
    next(inner)
    inner.send(None)

    assert inner.send(sealed(clock, "1000.shared")) == RequestToken()


def test_a_store_of_several_hosts_is_looked_at_twice_with_a_random_wait_between(
    clock: Clock, chance: Chance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_provider_zcrm.client.token_sharing.random", chance)
    process = Process(tmp_path, spread=3.0)
    inner = process.behind_lock()

    assert next(inner) == Sleep(0.0)
    assert inner.send(None) == process.read()
    assert inner.send(None) == Sleep(3.0)
    assert inner.send(None) == process.read()
    assert inner.send(None) == RequestToken()
    assert chance.bounds[-1] == (0.0, 3.0)


def test_a_new_token_is_stored_and_masked(process: Process, clock: Clock) -> None:
    inner = process.asks()

    step = inner.send(granted("1000.new"))
    assert step == WriteStore(process.sharing, process.tokens.name, step.value)  # type: ignore[arg-type, union-attr]
    assert stored(step).items() >= {"token": "1000.new", "issued_at": clock.now, "expires_at": clock.now + HOURS}.items()
    assert inner.send(None) == NewSecret("1000.new")
    assert ends(inner, None) == "1000.new"


def test_a_refusal_of_the_throttle_is_stored_for_the_others(process: Process, clock: Clock) -> None:
    inner = process.asks()

    assert inner.send(answer(**THROTTLED)) == process.read()
    note = stored(inner.send(None))
    assert (note["refused_at"], note["failed_at"]) == ([clock.now], [])
    with pytest.raises(TokenThrottled):
        inner.send(None)
    with pytest.raises(TokenThrottled):
        next(process.exchange._new_token())


@pytest.mark.parametrize("error", [ServiceUnavailable("Zoho cannot answer."), ConnectionFailed("No answer.", sent=True)], ids=repr)
def test_a_failure_that_may_have_cost_a_request_is_stored_for_the_others(error: ZohoCrmError, process: Process, clock: Clock) -> None:
    inner = process.asks()

    assert inner.throw(error) == process.read()
    note = stored(inner.send(None))
    assert (note["refused_at"], note["failed_at"]) == ([], [clock.now])
    with pytest.raises(type(error)):
        inner.send(None)


def test_a_request_that_never_left_is_not_counted(process: Process) -> None:
    with pytest.raises(ConnectionFailed):
        process.asks().throw(ConnectionFailed("No answer.", sent=False))


def test_what_must_be_changed_is_raised_at_once_without_the_secrets(process: Process) -> None:
    with pytest.raises(CredentialsRejected) as caught:
        process.asks().send(answer(error="not_clients_secret"))

    assert ": not_***." in str(caught.value)


def test_an_account_of_another_data_center_is_named(process: Process) -> None:
    with pytest.raises(InvalidConnection, match="data center eu"):
        process.asks().send(answer(access_token="1000.new", api_domain="https://www.zohoapis.eu"))


@pytest.mark.parametrize("failure", [answer(**THROTTLED), ApiResponse(500, {}, b"{}")], ids=["throttled", "fault"])
def test_where_zoho_grants_none_another_host_may_have_got_one(failure: ApiResponse, process: Process, clock: Clock) -> None:
    inner = process.asks("1000.old")

    assert inner.send(failure) == process.read()
    assert inner.send(sealed(clock, "1000.shared")) == NewSecret("1000.shared")
    assert ends(inner, None) == "1000.shared"


def test_the_token_that_is_rejected_is_not_taken_from_another_host(process: Process, clock: Clock) -> None:
    inner = process.asks("1000.old")
    inner.send(answer(**THROTTLED))

    assert isinstance(inner.send(sealed(clock, "1000.old")), WriteStore)


def test_while_zoho_grants_none_a_token_that_was_to_be_replaced_early_is_used(
    alone: Process, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    alone.tokens.hold(AccessToken("1000.held", HOURS))
    clock.now += 3400.0
    token = alone.exchange.token(None)

    assert next(token) == RequestToken()
    assert ends(token, answer(**THROTTLED)) == "1000.held"
    assert "Zoho grants no more access tokens" in caplog.text


def test_a_token_that_zoho_has_rejected_is_not_used_on(alone: Process) -> None:
    alone.tokens.hold(AccessToken("1000.held", HOURS))
    token = alone.exchange.token("1000.held")
    next(token)

    with pytest.raises(TokenThrottled):
        token.send(answer(**THROTTLED))
