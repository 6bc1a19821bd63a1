"""A dozen chaos runs: ten with known seeds, two with fresh ones. ``make chaos RUNS=200`` makes more."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from tests.chaos.run import run_all
from tests.e2e.conftest import restored_signals


@pytest.mark.timeout(900)
def test_whatever_breaks_every_tag_is_submitted_once_and_nothing_is_lost(tmp_path: Path) -> None:
    seeds = [*range(1, 11), *(secrets.randbelow(10**9) for _ in range(2))]
    with restored_signals():
        assert run_all(tmp_path, seeds, 6, lambda text: None) == [], f"seeds {seeds}"
