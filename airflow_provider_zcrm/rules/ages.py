"""Ages (ISO-8601 durations, or days) and moments, as a user writes them, and the moment that an age means at a given ``now``.

Both are kept as text, so that they travel as JSON. Years and months are those of the calendar, counted in UTC: P1M before 31 March is
the last day of February. What has no offset is UTC.
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from airflow_provider_zcrm.api.errors import InvalidArgument
from airflow_provider_zcrm.rules.arguments import shown

AGE_FORMS = "an ISO-8601 duration (P90D, P12W, P1Y6M, PT36H) or a number of days, more than 0 and at most 100 years"
MOMENT_FORMS = f"{AGE_FORMS}; or an ISO-8601 date or datetime (2026-01-31, 2026-01-31T08:00:00+01:00)"

_DURATION = re.compile(
    r"P(?=.)(?:(?P<years>[0-9]{1,4})Y)?(?:(?P<months>[0-9]{1,4})M)?(?:(?P<weeks>[0-9]{1,4})W)?(?:(?P<days>[0-9]{1,5})D)?"
    r"(?:T(?=.)(?:(?P<hours>[0-9]{1,6})H)?(?:(?P<minutes>[0-9]{1,8})M)?(?:(?P<seconds>[0-9]{1,10})S)?)?"
)
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ].+)?")
_MAX_DAYS = 36_500


def age_of(value: Any, argument: str) -> str:
    """Return an age as an ISO-8601 duration.

    :param value: a duration, days as a number or as text, or a timedelta.
    :raises InvalidArgument: for anything else, for 0 and less, and for more than 100 years
    """
    refusal = InvalidArgument(f"{argument} is {shown(value)}, which is not an age.", advice=f"It is {AGE_FORMS}.")
    text = value.strip() if isinstance(value, str) else ""
    if found := _DURATION.fullmatch(text):
        parts = _parts(found)
        months = parts["years"] * 12 + parts["months"]
        if 0 < months * _MAX_DAYS / 1200 + _rest(parts) / timedelta(days=1) <= _MAX_DAYS:
            return text
        raise refusal
    if _NUMBER.fullmatch(text):
        value = float(text)
    if isinstance(value, timedelta):
        value = value / timedelta(days=1)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= _MAX_DAYS:
        raise refusal
    seconds = round(value * 86_400)
    if seconds == 0:
        raise refusal
    return f"PT{seconds}S" if seconds % 86_400 else f"P{seconds // 86_400}D"


def moment_of(value: Any, argument: str) -> str:
    """Return an age as `age_of` does, or a date or datetime as ISO-8601 text.

    :raises InvalidArgument: for anything else, and for a number of days that is as likely a year
    """
    if isinstance(value, date):
        return value.isoformat()
    refusal = InvalidArgument(f"{argument} is {shown(value)}, which is neither an age nor a date.", advice=f"It is {MOMENT_FORMS}.")
    if isinstance(value, str) and _DATE.fullmatch(value.strip()):
        if _read(value.strip()) is None:
            raise refusal
        return value.strip()
    try:
        age = age_of(value, argument)
    except InvalidArgument:
        raise refusal from None
    if not isinstance(value, timedelta) and re.fullmatch(r"\s*(19|20|21)[0-9]{2}(\.0+)?\s*", str(value)):
        raise InvalidArgument(
            f"{argument} is {shown(value)}, which may be a year or a number of days.",
            advice=f"Write {age} for the days, or {str(value).strip()[:4]}-01-01 for the year.",
        )
    return age


def moment_at(text: str, now: datetime) -> datetime:
    """Return the moment that the text of `age_of` or `moment_of` means, with its offset: an age is counted back from ``now``."""
    found = _DURATION.fullmatch(text)
    if found is None:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    parts = _parts(found)
    return _months_before(now.astimezone(UTC), parts["years"] * 12 + parts["months"]) - _rest(parts)


def time_of(text: str) -> datetime | None:
    """Return a time as Zoho sends it; None if it is missing, unreadable, or without an offset."""
    moment = _read(text)
    return moment if moment is not None and moment.tzinfo is not None else None


def _read(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _parts(found: re.Match[str]) -> dict[str, int]:
    return {unit: int(number or 0) for unit, number in found.groupdict().items()}


def _rest(parts: dict[str, int]) -> timedelta:
    return timedelta(**{unit: number for unit, number in parts.items() if unit not in ("years", "months")})


def _months_before(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, calendar.monthrange(year, month + 1)[1]))
