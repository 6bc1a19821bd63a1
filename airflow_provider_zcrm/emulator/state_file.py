"""Keeps the state across restarts: one JSON file, replaced as a whole so that a crash leaves the old or the new one."""

from __future__ import annotations

import json
from pathlib import Path

from airflow_provider_zcrm.emulator.codec import decode
from airflow_provider_zcrm.emulator.model import State
from airflow_provider_zcrm.emulator.world import World


def write_state(path: Path, world: World) -> None:
    """Write the world's state, with the clock's offset as it is now."""
    world.state.clock_offset = world.clock.offset
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(world.state, default=vars), encoding="utf-8")
    partial.replace(path)


def read_state(path: Path) -> State:
    """Read a state that `write_state` wrote."""
    return decode(State, json.loads(path.read_text(encoding="utf-8")))
