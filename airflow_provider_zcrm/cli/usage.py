"""The error for what a command was not given."""

from __future__ import annotations


class Usage(Exception):
    """A command cannot go on with what it was given; the message says what is missing or wrong."""
