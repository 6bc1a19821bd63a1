"""After a 429 all users of a client hold back together."""

from __future__ import annotations

import pytest

from airflow_provider_zcrm.api.errors import TooManyRequests
from airflow_provider_zcrm.client.backoff import SharedBackoff
from tests.unit.client.conftest import Chance, Clock


def refusal(retry_after: float | None = None) -> TooManyRequests:
    return TooManyRequests(
        "Zoho refuses more calls.", retry_after=retry_after, status=429, code="LIMIT", details={"id": "1"}, method="GET", path="org"
    )


def pauses(backoff: SharedBackoff, clock: Clock, *asked_for: float | None) -> list[float | None]:
    """Let Zoho refuse after each pause, and return the pauses."""
    found = []
    for seconds in asked_for:
        error = refusal(seconds)
        backoff.refused(error)
        found.append(error.retry_after)
        clock.now += error.retry_after or 0.0
    return found


@pytest.mark.parametrize("started", [0.0, 1_000_000.0])
def test_nothing_is_sent_before_the_pause_is_over(started: float, clock: Clock, chance: Chance) -> None:
    clock.now = started
    backoff = SharedBackoff(0.75, 60.0)
    backoff.check()
    error = refusal()
    backoff.refused(error)
    assert error.retry_after == 0.75

    clock.now += 0.5
    with pytest.raises(TooManyRequests, match="429: Zoho refuses more calls") as held:
        backoff.check()

    assert held.value.as_dict() == {**refusal().as_dict(), "message": held.value.message, "retry_after": 0.25}
    clock.now += 0.25
    backoff.check()


def test_the_pause_is_random_up_to_a_bound_that_doubles_with_each_refusal(clock: Clock, chance: Chance) -> None:
    backoff = SharedBackoff(2.0, 20.0)

    assert pauses(backoff, clock, *[None] * 6) == [2.0, 4.0, 8.0, 16.0, 20.0, 20.0]
    assert {low for low, _ in chance.bounds} == {0.0}
    chance.part = 0.0
    assert pauses(backoff, clock, None) == [0.0]


def test_after_an_answer_the_pauses_are_short_again(clock: Clock, chance: Chance) -> None:
    backoff = SharedBackoff(2.0, 20.0)
    pauses(backoff, clock, None, None, None)

    backoff.answered()

    assert pauses(backoff, clock, None, None) == [2.0, 4.0]


def test_zohos_own_word_counts_up_to_a_quarter_of_an_hour(clock: Clock, chance: Chance) -> None:
    backoff = SharedBackoff(2.0, 20.0)

    assert pauses(backoff, clock, 7.0, 1.0, 900.0, 5000.0) == [7.0, 4.0, 900.0, 900.0]


def test_a_shorter_refusal_does_not_shorten_the_pause(clock: Clock, chance: Chance) -> None:
    backoff = SharedBackoff(2.0, 20.0)
    backoff.refused(refusal(100.0))
    clock.now += 30.0
    later = refusal(5.0)

    backoff.refused(later)

    assert later.retry_after == 70.0


def test_any_number_of_refusals_is_counted(clock: Clock, chance: Chance) -> None:
    backoff = SharedBackoff(2.0, 20.0)

    assert pauses(backoff, clock, *[None] * 1100)[-1] == 20.0
