"""The readings in which the promise is tested: as documented, or, with ``READINGS=all``, every choice alone and all pairs of choices.

The pairs share rows: any two choices of two readings stand together in at least one row, in which the others are not the defaults either.
"""

from __future__ import annotations

import os
from itertools import combinations

from airflow_provider_zcrm.emulator.readings import READINGS

Row = dict[str, str]


def worlds() -> dict[str, Row]:
    """Return the readings of each world, by a name for it."""
    documented: dict[str, Row] = {"as documented": {}}
    return documented | alone() | in_pairs() if os.environ.get("READINGS") == "all" else documented


def alone() -> dict[str, Row]:
    """Return a world for each choice that is no default."""
    return {f"{name}={choice}": {name: choice} for name, reading in READINGS.items() for choice in reading.choices[1:]}


def in_pairs() -> dict[str, Row]:
    """Return worlds that have all pairs, each made greedily: the next choice is the one with the most pairs that are still missing."""
    missing = {
        frozenset([(one, first), (other, second)])
        for one, other in combinations(READINGS, 2)
        for first in READINGS[one].choices
        for second in READINGS[other].choices
    }
    rows: dict[str, Row] = {}
    while missing:
        row = dict(min(missing, key=sorted))
        for name, reading in READINGS.items():
            if name not in row:
                row[name] = max(reading.choices, key=lambda choice: _new_pairs(missing, (name, choice), row))
        missing -= {frozenset(pair) for pair in combinations(row.items(), 2)}
        rows[f"pairs {len(rows) + 1}"] = row
    return rows


def _new_pairs(missing: set[frozenset[tuple[str, str]]], choice: tuple[str, str], row: Row) -> int:
    return sum(frozenset([choice, item]) in missing for item in row.items())
