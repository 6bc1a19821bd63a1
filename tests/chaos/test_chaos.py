"""Ten chaos runs with known seeds and two with fresh ones, which are printed; ``make chaos RUNS=200`` makes others."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from tests.chaos.run import run_all
from tests.e2e.conftest import restored_signals


@pytest.mark.timeout(1500)
def test_whatever_breaks_every_tag_is_submitted_once_and_nothing_is_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seeds = [*range(1, 11), secrets.randbelow(10**9), secrets.randbelow(10**9)]
    with capsys.disabled():
        print(f"\nChaos with the seeds {' '.join(map(str, seeds))}; python -m tests.chaos --seeds ... repeats one.")
    with restored_signals():
        assert run_all(tmp_path, seeds, 5, lambda text: None) == []
