"""Truth values, whole numbers and choices as a user writes them, or as the text that a template makes of them."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Sequence
from typing import Any

from airflow_provider_zcrm.api.errors import InvalidArgument

_shortened = reprlib.Repr()
_shortened.maxstring = 100
_shortened.maxlong = 100


def shown(value: Any) -> str:
    """Return the value as an error's sentence shows it: shortened."""
    return _shortened.repr(value)


def check_choice(value: Any, argument: str, allowed: Sequence[str]) -> None:
    """Refuse what is not one of the words that are allowed.

    :raises InvalidArgument: names them
    """
    if value not in allowed:
        raise InvalidArgument(f"{argument} is {shown(value)}.", advice=f"It is one of {', '.join(allowed)}.")


def truth_of(value: Any, argument: str) -> bool:
    """Return a truth value: a bool, or ``true`` or ``false`` in any case.

    :raises InvalidArgument: for anything else
    """
    if isinstance(value, bool):
        return value
    text = value.strip().lower() if isinstance(value, str) else ""
    if text not in ("true", "false"):
        raise InvalidArgument(f"{argument} is {shown(value)}.", advice="It is True or False.")
    return text == "true"


def integer_of(value: Any, argument: str, at_least: int, *, word: str = "") -> int:
    """Return a whole number of at least ``at_least``: an int, or up to nine digits as text.

    :param word: text that stands for 0.
    :raises InvalidArgument: for anything else
    """
    text = value.strip() if isinstance(value, str) else ""
    if text and text == word:
        return 0
    if re.fullmatch(r"[0-9]{1,9}", text):
        value = int(text)
    if not isinstance(value, int) or isinstance(value, bool) or value < at_least:
        allowed = f"It is an integer of at least {at_least}{f', or {word!r} for 0' if word else ''}."
        raise InvalidArgument(f"{argument} is {shown(value)}.", advice=allowed)
    return value
