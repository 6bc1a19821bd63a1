"""One emulator for the probe's tests; each test gets a fresh org in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from tests.emulator.probe.visitor import Visitor, start_again


@pytest.fixture
def visitor(running: EmulatorServer, tmp_path: Path) -> Iterator[Visitor]:
    start_again(running.control)
    yield Visitor(running, tmp_path)
    running.control.seed("minimal")
