"""The emulator in a thread, for tests."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any, Self

from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.emulator import Emulator
from airflow_provider_zcrm.emulator.seeds import load_seed
from airflow_provider_zcrm.emulator.server import Server
from airflow_provider_zcrm.emulator.state_file import read_state

LOOPBACK = "127.0.0.1"
TIMEOUT = 10.0


class EmulatorServer:
    """Runs an emulator in a thread with an event loop of its own; a context manager for tests.

    `url` is its address on loopback, `control` gives it orders.
    """

    def __init__(self, seed: str | dict[str, Any] = "minimal", port: int = 0, state_file: Path | None = None) -> None:
        state = read_state(state_file) if state_file and state_file.exists() else load_seed(seed)
        self._emulator = Emulator(state, state_file)
        self._server = Server(self._emulator)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="zcrm-emulator", daemon=True)
        self._wanted_port = port
        self.url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            port = asyncio.run_coroutine_threadsafe(self._server.start(LOOPBACK, self._wanted_port), self._loop).result(TIMEOUT)
        except BaseException:
            self._end_loop()
            raise
        self.url = f"http://{LOOPBACK}:{port}"
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._server.stop(), self._loop).result(TIMEOUT)
        self._end_loop()

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(TIMEOUT)
        self._loop.close()

    @property
    def control(self) -> Control:
        """Return the control endpoint."""
        return Control(self.url)
