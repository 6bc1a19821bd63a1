"""The worlds of `make readings` leave out no choice and no pair of choices."""

from __future__ import annotations

from itertools import combinations

from airflow_provider_zcrm.emulator.readings import READINGS
from tests.readings import alone, in_pairs


def test_every_pair_of_choices_stands_together_in_a_row() -> None:
    rows = list(in_pairs().values())
    together = {pair for row in rows for pair in combinations(sorted(row.items()), 2)}

    for one, other in combinations(sorted(READINGS), 2):
        for first in READINGS[one].choices:
            assert all(((one, first), (other, second)) in together for second in READINGS[other].choices), (one, other)
    assert len(rows) < 60


def test_every_other_choice_has_a_world_of_its_own() -> None:
    assert len(alone()) == sum(len(reading.choices) - 1 for reading in READINGS.values())
