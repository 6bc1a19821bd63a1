"""A person who runs the probe against an emulator whose time passes when the probe waits."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from airflow_provider_zcrm.emulator.minimal_seed import CLIENT, REFRESH_TOKEN, minimal_seed
from airflow_provider_zcrm.emulator.probe.calls import Clock
from airflow_provider_zcrm.emulator.probe.command import Console, main

ORG = "Minimal Org"


class EmulatorsClock(Clock):
    """Lets the emulator's time pass instead of waiting."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._now = 0.0

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self._now += seconds
        self._control.advance(seconds)


@dataclass
class Visitor:
    """Runs the probe; `answers` are what the person types, `said` is what the probe said."""

    server: EmulatorServer
    folder: Path
    answers: list[str] = field(default_factory=lambda: [ORG])
    said: list[str] = field(default_factory=list)
    prefix: str = ""

    @property
    def control(self) -> Control:
        return self.server.control

    def probe(
        self,
        *arguments: str,
        yes: bool = True,
        extra: dict[str, Any] | None = None,
        clock: Clock | None = None,
        ask: Callable[[str], str] | None = None,
    ) -> int:
        connection = self.folder / "connection.json"
        connection.write_text(json.dumps(connection_to(self.server.url, **(extra or {}))))
        answers = iter(self.answers)
        self.said = []
        console = Console(self.said.append, ask or (lambda _: next(answers, "")), clock or EmulatorsClock(self.control))
        options = ["--credentials", str(connection), "--readings", str(self.file), *(["--yes"] if yes else []), *arguments]
        return main(options, console)

    @property
    def file(self) -> Path:
        return self.folder / "readings.json"

    @property
    def text(self) -> str:
        return "\n".join(self.said)

    def found(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.file.read_text())
        return content


def connection_to(url: str, **extra: Any) -> dict[str, Any]:
    values = {"refresh_token": REFRESH_TOKEN, "accounts_url": url, "api_url": url, **extra}
    return {"conn_type": "zoho_crm", "login": CLIENT["client_id"], "password": CLIENT["client_secret"], "extra": values}


def start_again(control: Control, change: Callable[[dict[str, Any]], None] = lambda seed: None) -> None:
    """Give the emulator a fresh minimal org, with a module without tags, whose time stands still and whose jobs take some seconds."""
    seed = minimal_seed()
    seed["orgs"][0]["modules"].append({"api_name": "Vendors"})
    change(seed)
    control.seed(seed)
    control.freeze()
    control.jobs(start_delay=2.0, duration=6.0)


def state(control: Control) -> Any:
    """Return all that an org holds which a probe might touch: tags and records with their tags, of every module."""
    modules = control.org(records=True)["modules"]
    return {module["api_name"]: (module["tags"], module["records"]) for module in modules}
