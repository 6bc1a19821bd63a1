"""A world that can start from another seed, and that a state file can keep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airflow_provider_zcrm.emulator.model import State
from airflow_provider_zcrm.emulator.seeds import load_seed
from airflow_provider_zcrm.emulator.state_file import write_state
from airflow_provider_zcrm.emulator.world import World


class Emulator:
    """What the HTTP server and the control endpoint share: the world of this moment, and its state file."""

    def __init__(self, state: State, state_file: Path | None = None) -> None:
        self.world = World(state)
        self._state_file = state_file

    def reseed(self, seed: str | dict[str, Any]) -> None:
        """Start again with another state, and with no fault, count, reading or advanced clock of before."""
        state = load_seed(seed)
        self.world.faults.clear()
        self.world = World(state)
        self.save()

    def save(self) -> None:
        """Write the state file, if there is one."""
        if self._state_file is not None:
            write_state(self._state_file, self.world)
