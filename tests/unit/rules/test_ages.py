"""Ages and moments: what is understood, what is refused, and the moment that is meant."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_zcrm.api.errors import InvalidArgument
from airflow_provider_zcrm.rules.ages import age_of, moment_at, moment_of, time_of

NOW = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given_as", "text", "moment"),
    [
        ("P90D", "P90D", "2025-12-31T12:00:00+00:00"),
        (" P90D\n", "P90D", "2025-12-31T12:00:00+00:00"),
        (90, "P90D", "2025-12-31T12:00:00+00:00"),
        ("90", "P90D", "2025-12-31T12:00:00+00:00"),
        (timedelta(days=90), "P90D", "2025-12-31T12:00:00+00:00"),
        ("P1Y6M", "P1Y6M", "2024-09-30T12:00:00+00:00"),  # there is no 31 September
        ("P1M", "P1M", "2026-02-28T12:00:00+00:00"),
        ("P25M", "P25M", "2024-02-29T12:00:00+00:00"),  # a leap year
        ("P3M", "P3M", "2025-12-31T12:00:00+00:00"),
        ("P2W", "P2W", "2026-03-17T12:00:00+00:00"),
        ("P1W1D", "P1W1D", "2026-03-23T12:00:00+00:00"),
        ("PT36H", "PT36H", "2026-03-30T00:00:00+00:00"),
        ("P1DT1H1M1S", "P1DT1H1M1S", "2026-03-30T10:58:59+00:00"),
        (1.5, "PT129600S", "2026-03-30T00:00:00+00:00"),
        ("0.5", "PT43200S", "2026-03-31T00:00:00+00:00"),
        ("P100Y", "P100Y", "1926-03-31T12:00:00+00:00"),
        (36_500, "P36500D", "1926-04-25T12:00:00+00:00"),
    ],
)
def test_an_age_is_understood(given_as: Any, text: str, moment: str) -> None:
    assert age_of(given_as, "a") == moment_of(given_as, "a") == text
    assert moment_at(text, NOW).isoformat() == moment


@pytest.mark.parametrize(
    "value",
    [
        *(0, -1, 36_501, 0.000001, 1e300, float("inf"), float("nan"), 10**400, timedelta(0), timedelta.max),
        *("0", "-5", "36501", "9" * 5000, "٩٠", "90 days", "", " ", "{{ params.age }}", "2026-01-31", date(2026, 1, 1)),
        *("P0D", "PT0S", "P", "PT", "P1YT", "P1H", "p90d", "-P90D", "P-1D", "P1.5D", "P101Y", "P1201M", "P1200M1D"),
        *(True, None, [], [90], {"days": 90}, b"P90D"),
    ],
)
def test_what_is_not_an_age_is_refused(value: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"not_accessed_for is .*ISO-8601 duration.*100 years"):
        age_of(value, "not_accessed_for")


@pytest.mark.parametrize(
    ("given_as", "text", "moment"),
    [
        ("2026-01-31", "2026-01-31", "2026-01-31T00:00:00+00:00"),
        (date(2026, 1, 31), "2026-01-31", "2026-01-31T00:00:00+00:00"),
        ("2026-01-31T08:00:00+05:30", "2026-01-31T08:00:00+05:30", "2026-01-31T08:00:00+05:30"),
        (" 2026-01-31 08:00:00+00:00 ", "2026-01-31 08:00:00+00:00", "2026-01-31T08:00:00+00:00"),
        ("2026-01-31T08:00:00Z", "2026-01-31T08:00:00Z", "2026-01-31T08:00:00+00:00"),
        ("2026-01-31T08:00:00", "2026-01-31T08:00:00", "2026-01-31T08:00:00+00:00"),
        (datetime(2026, 1, 31, 8, tzinfo=UTC), "2026-01-31T08:00:00+00:00", "2026-01-31T08:00:00+00:00"),
    ],
)
def test_a_date_is_understood_and_is_utc_unless_it_says_otherwise(given_as: Any, text: str, moment: str) -> None:
    assert moment_of(given_as, "a") == text
    assert moment_at(text, NOW).isoformat() == moment


@pytest.mark.parametrize(
    "value", ["2026-02-30", "2026-13-01", "2026-1-1", "20260131", "31.01.2026", "yesterday", "2026-01-31T25:00", None, []]
)
def test_what_is_neither_an_age_nor_a_date_is_refused(value: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"created_before is .*neither.*P90D.*2026-01-31T08"):
        moment_of(value, "created_before")


@pytest.mark.parametrize("value", [2026, "2026", " 2026 ", 2026.0, "1999"])
def test_a_number_that_may_be_a_year_is_refused(value: Any) -> None:
    year = str(value).strip()[:4]

    with pytest.raises(InvalidArgument, match=f"P{year}D for the days, or {year}-01-01 for the year"):
        moment_of(value, "created_before")


def test_as_many_days_may_be_said_otherwise() -> None:
    assert moment_of("P2026D", "a") == moment_of(timedelta(days=2026), "a") == age_of(2026, "a") == "P2026D"


def test_an_age_does_not_depend_on_the_zone_of_now() -> None:
    now = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)
    elsewhere = now.astimezone(timezone(timedelta(hours=-1)))  # where it is February still

    assert moment_at("P1M", elsewhere) == moment_at("P1M", now) == datetime(2026, 2, 1, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-01-31", "2026-01-31T08:00:00", "1769846400000", "None"])
def test_a_time_without_offset_is_no_time(text: str) -> None:
    assert time_of(text) is None


def test_a_time_as_zoho_sends_it() -> None:
    assert time_of("2025-12-29T10:43:05+05:30") == datetime(2025, 12, 29, 5, 13, 5, tzinfo=UTC)


@given(st.timedeltas(timedelta(seconds=1), timedelta(days=36_500)))
def test_a_timedelta_means_itself_to_the_second(age: timedelta) -> None:
    assert abs(NOW - moment_at(age_of(age, "a"), NOW) - age) < timedelta(seconds=1)


@given(st.text() | st.floats() | st.integers() | st.from_regex(r"P[0-9YMWDTHS]*", fullmatch=True))
def test_an_age_is_refused_or_lies_before_now(value: Any) -> None:
    try:
        text = age_of(value, "a")
    except InvalidArgument:
        return
    assert moment_at(text, NOW) < NOW
    assert age_of(text, "a") == text
