"""Ten chaos runs with known seeds; ``make chaos RUNS=200`` makes others, each with a fresh one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.run import run_all
from tests.e2e.conftest import restored_signals


@pytest.mark.timeout(900)
def test_whatever_breaks_every_tag_is_submitted_once_and_nothing_is_lost(tmp_path: Path) -> None:
    with restored_signals():
        assert run_all(tmp_path, range(1, 11), 5, lambda text: None) == []
