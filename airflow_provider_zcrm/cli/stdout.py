"""stdout, kept for results: Airflow 3 logs to it, through `sys.stdout` and through handles that it opened when it was imported."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

_results: TextIO | None = None


@contextmanager
def results_only() -> Iterator[None]:
    """Lead stdout to stderr, the descriptor itself too, for all but `print_out`."""
    global _results
    stdout = sys.stdout
    stdout.flush()
    with os.fdopen(os.dup(1), "w") as kept:
        os.dup2(2, 1)
        sys.stdout, _results = sys.stderr, kept
        try:
            yield
        finally:
            kept.flush()
            os.dup2(kept.fileno(), 1)
            sys.stdout, _results = stdout, None


def is_terminal() -> bool:
    """Return whether results are shown to a person."""
    return (_results or sys.stdout).isatty()


def print_out(text: str) -> None:
    """Write a line of results.

    :raises OSError: not all of it was written
    """
    if _results is None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
        return
    # without a buffer, which would be written once more at the end
    left = f"{text}\n".encode(_results.encoding, "backslashreplace")
    while left:
        left = left[os.write(_results.fileno(), left) :]


def print_json(value: Any) -> None:
    """Write a JSON value as the result, in ASCII: what a server says must not steer the terminal."""
    print_out(json.dumps(value, indent=2))
