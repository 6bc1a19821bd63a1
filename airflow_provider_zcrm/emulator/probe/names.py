"""Which tags and records are the probe's own: those whose whole name is the run's random prefix and two digits.

The prefix has one form only, with 50 random bits. So no prefix that somebody types can be empty or short, and no name that somebody gave
to a tag of theirs can begin like one; a name that goes on in another way than with two digits is not the probe's either.
"""

from __future__ import annotations

import re
import secrets

ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
PREFIX = re.compile(r"zprobe-[a-z0-9]{10}-")
MAX_TAGS = 15
MAX_RECORDS = 50


class Refusal(Exception):
    """The probe does not do it; the message says why, and what to do."""


def new_prefix() -> str:
    """Return a prefix that no other run has."""
    return f"zprobe-{''.join(secrets.choice(ALPHABET) for _ in range(10))}-"


def checked_prefix(text: str) -> str:
    """Return a prefix that was typed, perhaps without its last dash.

    :raises Refusal: it is none of the probe's
    """
    text = text if text.endswith("-") else f"{text}-"
    if not PREFIX.fullmatch(text):
        raise Refusal(
            f"{text!r} is no prefix of the probe's. A run prints its own before it makes anything: zprobe-, ten characters, and a dash."
        )
    return text


def name_of(prefix: str, number: int) -> str:
    """Return the name of the tag or record with this number."""
    return f"{prefix}{number:02}"


def is_own(prefix: str, name: object) -> bool:
    """Return whether a name is one that `name_of` gives."""
    return isinstance(name, str) and re.fullmatch(re.escape(prefix) + "[0-9]{2}", name) is not None
