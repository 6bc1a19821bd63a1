"""One emulator for all tests of this folder; each test gets a fresh world in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from tests.emulator.user import User


@pytest.fixture(scope="session")
def running() -> Iterator[EmulatorServer]:
    with EmulatorServer() as server:
        yield server


@pytest.fixture
def user(running: EmulatorServer) -> User:
    """A logged-in user of a fresh ``minimal`` emulator: its clock stands still, its jobs start after 10 s and run for 100 s."""
    running.control.seed("minimal")
    running.control.freeze()
    running.control.jobs(start_delay=10, duration=100)
    someone = User(running)
    someone.log_in()
    return someone
