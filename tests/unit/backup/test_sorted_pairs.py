"""Pairs of tags and records: sorted, each once, and not held, whatever their number and order."""

from __future__ import annotations

import tempfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_zcrm.backup import sorted_pairs
from airflow_provider_zcrm.backup.sorted_pairs import SortedPairs

IDS = st.integers(0, 30) | st.integers(0, 10**19 - 1)


@given(st.lists(st.tuples(st.integers(1, 12), IDS), max_size=60), st.integers(1, 20), st.integers(1, 5))
def test_pairs_come_out_sorted_and_each_once(pairs: list[tuple[int, int]], held: int, read: int) -> None:
    with pytest.MonkeyPatch.context() as patch, SortedPairs() as kept:
        patch.setattr(sorted_pairs, "_HELD", held)
        patch.setattr(sorted_pairs, "_READ", read)
        for tag, record in pairs:
            kept.add(str(tag), str(record))
        assert list(kept.sorted()) == [(str(tag), str(record)) for tag, record in sorted(set(pairs))]


def test_most_of_many_pairs_are_on_the_disk_in_a_file_without_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorted_pairs, "_HELD", 1_000)
    monkeypatch.setattr(sorted_pairs, "_READ", 100)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    tracemalloc.start()
    try:
        with SortedPairs() as kept:
            for number in range(30_000):
                kept.add(str(number % 3), str(number * 7 % 30_011))
            assert list(tmp_path.iterdir()) == []
            assert sum(1 for _ in kept.sorted()) == 30_000
        # at 8 bytes each they would be 240,000
        assert tracemalloc.get_traced_memory()[1] < 200_000
    finally:
        tracemalloc.stop()
