"""The bookkeeping of access tokens: when one is used, when Zoho may be asked, and what the others are told."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from airflow_provider_zcrm.api.data_centers import hosts_of
from airflow_provider_zcrm.api.errors import ServiceUnavailable, TokenThrottled
from airflow_provider_zcrm.api.oauth import TOKEN_PATH, AccessToken, Credentials, RefreshTokenGrant
from airflow_provider_zcrm.client.config import ClientConfig
from airflow_provider_zcrm.client.token_seal import TokenSeal
from airflow_provider_zcrm.client.tokens import HeldToken, Tokens, forget_tokens, tokens_of
from tests.unit.client.conftest import Chance, Clock

CREDENTIALS = Credentials("1000.CLIENT", "s3cret", RefreshTokenGrant("1000.refresh"))
CONFIG = ClientConfig(CREDENTIALS, hosts_of("us", "production"))
SEAL = TokenSeal(CONFIG)


@pytest.fixture
def tokens(clock: Clock, chance: Chance) -> Tokens:
    """A process's tokens, which are replaced five minutes before their end."""
    return Tokens(CONFIG)


def new(value: str = "1000.new", life: float = 3600.0) -> AccessToken:
    return AccessToken(value, life, "ZohoCRM.settings.ALL")


def token(clock: Clock, value: str = "1000.shared", **values: Any) -> dict[str, Any]:
    return {"token": value, "issued_at": clock.now, "expires_at": clock.now + 3600.0, "scope": "s", **values}


def may_ask(tokens: Tokens) -> bool:
    try:
        tokens.check()
    except (TokenThrottled, ServiceUnavailable):
        return False
    return True


def pause(tokens: Tokens, clock: Clock) -> float:
    """Let time pass until Zoho may be asked, and return the seconds, to the half minute."""
    since = clock.now
    while not may_ask(tokens):
        clock.now += 30.0
        assert clock.now - since < 5000.0
    return clock.now - since


# --- which token is used -------------------------------------------------------------------------------------------------


def test_a_token_is_held_until_it_is_to_be_replaced(tokens: Tokens, clock: Clock, chance: Chance) -> None:
    assert tokens.held() is None
    tokens.hold(new())
    assert tokens.present == HeldToken("1000.new", clock.now, clock.now + 3600.0, "ZohoCRM.settings.ALL")
    assert chance.bounds == [(60.0, 300.0)]

    clock.now += 3299.0
    assert tokens.held() == "1000.new"
    clock.now += 1.0

    assert tokens.held() is None


def test_a_short_token_is_replaced_half_way(tokens: Tokens, clock: Clock) -> None:
    tokens.hold(new(life=100.0))

    clock.now += 49.0
    assert tokens.held() == "1000.new"
    clock.now += 1.0

    assert tokens.held() is None


def test_a_rejected_token_is_never_used_again_and_another_one_is(tokens: Tokens) -> None:
    tokens.hold(new())

    assert tokens.held("1000.other") == "1000.new"
    for rejected in ["1000.new", "1000.other", "", None] * 10:
        assert tokens.held(rejected) is None
    tokens.hold(new("1000.newer"))
    assert tokens.held("1000.new") == "1000.newer"


def test_the_token_that_zoho_granted_here_last_is_known(tokens: Tokens, clock: Clock) -> None:
    tokens.hold(new("1000.first"))
    tokens.hold(new())
    tokens.take(SEAL.seal(token(clock)))

    assert [tokens.granted_here(value) for value in ("1000.first", "1000.new", "1000.shared")] == [False, True, False]
    assert not Tokens(CONFIG).granted_here("1000.new")


@pytest.mark.parametrize("why", ["refused", "failed", "serve_on"])
def test_where_zoho_grants_none_a_token_is_used_until_its_last_minute(why: str, tokens: Tokens, clock: Clock) -> None:
    tokens.hold(new())
    clock.now += 3450.0
    assert tokens.held() is None

    tokens.serve_on(TokenThrottled("No more.")) if why == "serve_on" else getattr(tokens, why)()

    assert tokens.held() == "1000.new"
    clock.now += 59.0
    assert tokens.held() == "1000.new"
    clock.now += 31.0
    assert tokens.held() is None


def test_a_minute_after_a_failure_a_new_token_is_tried_for_again(tokens: Tokens, clock: Clock) -> None:
    tokens.hold(new())
    clock.now += 3350.0
    tokens.failed()

    clock.now += 59.0
    assert tokens.held() == "1000.new"
    clock.now += 1.0

    assert tokens.held() is None


def test_a_token_that_serves_on_is_returned_with_a_word_in_the_log(tokens: Tokens, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    assert tokens.serve_on(TokenThrottled("No more.")) is None
    tokens.hold(new())
    clock.now += 3450.0
    assert caplog.messages == []

    assert tokens.serve_on(ServiceUnavailable("Zoho cannot answer.")) == "1000.new"
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "Zoho cannot answer. " in caplog.text
    assert "access token" in caplog.text
    tokens.held("1000.new")
    assert tokens.serve_on(TokenThrottled("No more.")) is None


def test_the_pause_of_the_throttle_over_a_token_is_replaced_early_again(tokens: Tokens, clock: Clock) -> None:
    tokens.hold(new(life=7200.0))
    clock.now += 6400.0
    tokens.refused()

    clock.now += 599.5
    assert tokens.held() == "1000.new"
    clock.now += 0.5

    assert tokens.held() is None


# --- when Zoho may be asked ----------------------------------------------------------------------------------------------


def test_after_the_throttle_zoho_is_asked_ten_minutes_later_and_then_fifteen(tokens: Tokens, clock: Clock) -> None:
    assert may_ask(tokens)
    for seconds in (600.0, 900.0, 900.0):
        tokens.refused()
        clock.now += 0.5
        assert not may_ask(tokens)
        clock.now += seconds - 1.0
        assert not may_ask(tokens)
        clock.now += 0.5
        assert may_ask(tokens)


def test_a_refusal_of_half_an_hour_ago_does_not_count(tokens: Tokens, clock: Clock) -> None:
    tokens.refused()
    clock.now += 1799.0
    tokens.refused()
    assert pause(tokens, clock) == 900.0
    clock.now += 900.0

    tokens.refused()

    assert pause(tokens, clock) == 600.0


def test_who_may_not_ask_is_told_how_long_it_takes(tokens: Tokens, clock: Clock) -> None:
    tokens.refused()
    clock.now += 28.0

    with pytest.raises(TokenThrottled, match="again in 10 minutes"):
        tokens.check()


def test_after_failures_it_is_told_since_when_and_by_whom(tokens: Tokens, clock: Clock) -> None:
    for seconds in (0.0, 10.0, 20.0):
        clock.now = 1_000_000.0 + seconds
        tokens.failed()

    clock.now = 1_000_000.0 + 28.0
    with pytest.raises(ServiceUnavailable) as caught:
        tokens.check()

    assert "Zoho Accounts (https://accounts.zoho.com)" in str(caught.value)
    assert "since 1970-01-12 13:46+00:00; it is asked again in 10 minutes" in str(caught.value)
    assert (caught.value.method, caught.value.path) == ("POST", TOKEN_PATH)
    clock.now = 1_000_000.0 + 599.0
    with pytest.raises(ServiceUnavailable, match="in 1 minutes"):
        tokens.check()


def test_of_many_failures_the_first_and_the_last_three_are_kept(tokens: Tokens, clock: Clock) -> None:
    for number in range(6):
        clock.now = 1_000_000.0 + 700.0 * number
        note = tokens.failed()

    assert SEAL.open(note)["failed_at"] == [1_000_000.0, 1_002_100.0, 1_002_800.0, 1_003_500.0]


def test_failures_longer_ago_than_ten_minutes_do_not_keep_from_asking(tokens: Tokens, clock: Clock) -> None:
    tokens.failed()
    clock.now += 600.0
    tokens.failed()

    assert may_ask(tokens)


def test_after_a_new_token_nothing_keeps_from_asking(tokens: Tokens) -> None:
    tokens.refused()
    for _ in range(3):
        tokens.failed()

    tokens.hold(new())

    assert may_ask(tokens)


# --- what is shared ------------------------------------------------------------------------------------------------------


def test_a_new_token_is_shared_with_all_that_is_known_of_it(tokens: Tokens, clock: Clock) -> None:
    stored = tokens.hold(new())
    other = Tokens(CONFIG)

    assert other.take(stored) == "1000.new"
    assert other.present == tokens.present
    assert SEAL.open(stored).items() >= token(clock, "1000.new", scope="ZohoCRM.settings.ALL").items()


def test_a_note_holds_the_token_that_is_still_good(tokens: Tokens, clock: Clock) -> None:
    tokens.hold(new())
    for note in (tokens.refused(), tokens.failed()):
        assert SEAL.open(note)["token"] == "1000.new"
    assert SEAL.open(note)["refused_at"] == SEAL.open(note)["failed_at"] == [clock.now]

    clock.now += 3600.0
    for note in (tokens.refused(), tokens.failed()):
        assert "token" not in SEAL.open(note)


def test_a_token_that_was_rejected_is_not_taken_from_the_store(tokens: Tokens, clock: Clock) -> None:
    tokens.hold(new())
    tokens.held("1000.shared")

    assert tokens.take(SEAL.seal(token(clock))) == "1000.new"
    assert tokens.take(SEAL.seal(token(clock, "1000.other"))) == "1000.other"


@pytest.mark.parametrize(
    "values",
    [
        {"token": 5, "issued_at": None},
        {"token": "t", "expires_at": 1.0},
        {"token": "t", "issued_at": "x", "expires_at": 1.0},
        {},
    ],
    ids=str,
)
def test_what_is_no_token_is_not_taken(values: dict[str, Any], tokens: Tokens) -> None:
    assert tokens.take(SEAL.seal(values)) is None
    assert tokens.present is None
    assert tokens.take(None) is None


def test_a_token_without_scopes_may_be_stored(tokens: Tokens, clock: Clock) -> None:
    value = token(clock)
    del value["scope"]

    assert tokens.take(SEAL.seal(value)) == "1000.shared"
    assert tokens.present == HeldToken("1000.shared", clock.now, clock.now + 3600.0, "")


def test_refusals_that_others_met_count(tokens: Tokens, clock: Clock) -> None:
    tokens.take(SEAL.seal({"refused_at": [clock.now - 700.0, clock.now - 100.0]}))
    assert pause(tokens, clock) == 810.0  # 900 since the last one, in steps of 30

    tokens.take(SEAL.seal({}))
    tokens.refused()
    assert pause(tokens, clock) == 900.0


def test_of_two_notes_the_one_with_the_last_refusal_counts_however_few_it_has(tokens: Tokens, clock: Clock) -> None:
    tokens.take(SEAL.seal({"refused_at": [clock.now - 700.0, clock.now - 650.0]}))
    tokens.take(SEAL.seal({"refused_at": [clock.now - 120.0]}))

    assert pause(tokens, clock) == 480.0


def test_failures_that_others_met_count_since_the_last_token(tokens: Tokens, clock: Clock) -> None:
    failed_at = [clock.now - seconds for seconds in (50.0, 40.0, 30.0)]
    tokens.take(SEAL.seal({"failed_at": failed_at}))
    assert not may_ask(tokens)

    tokens.take(SEAL.seal(token(clock, issued_at=failed_at[0])))
    assert SEAL.open(tokens.failed())["failed_at"] == [*failed_at[1:], clock.now]
    tokens.take(SEAL.seal(token(clock, "1000.newer")))
    assert may_ask(tokens)


def test_a_failure_of_a_host_whose_clock_is_ahead_is_one_of_now(tokens: Tokens, clock: Clock) -> None:
    tokens.take(SEAL.seal({"failed_at": [clock.now + 5000.0]}))

    assert SEAL.open(tokens.refused())["failed_at"] == [clock.now]


def test_a_host_that_is_none_of_zohos_is_named_without_secrets(tokens: Tokens, caplog: pytest.LogCaptureFixture) -> None:
    tokens.hold(new())
    assert caplog.messages == []

    tokens.hold(AccessToken("1000.new", 3600.0, foreign_api_domain="https://1000.new.s3cret.1000.refresh/" + "x" * 200))

    (message,) = caplog.messages
    assert "'https://***.***.***/xxx" in message
    assert len(message) < 200
    assert caplog.records[0].levelno == logging.WARNING


def test_a_connection_has_one_bookkeeping_until_it_is_forgotten() -> None:
    forget_tokens()
    first = tokens_of(CONFIG)

    assert tokens_of(ClientConfig(CREDENTIALS, CONFIG.hosts, request_timeout=1.0)) is first
    assert tokens_of(ClientConfig(CREDENTIALS, hosts_of("eu", "production"))) is not first
    assert (first.name, first.secrets) == (SEAL.name, ["s3cret", "1000.refresh"])
    forget_tokens()
    assert tokens_of(CONFIG) is not first
    forget_tokens()
