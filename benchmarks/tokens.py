"""``python -m benchmarks.tokens``: how many access tokens do tasks ask Zoho for that start at the same moment?

This provider with each of its stores, Zoho's own SDK and the package ``zoho``, all against the emulator of this repository, whose
throttle (10 tokens in 10 minutes) and cap (10 active tokens) are on, while its limit of calls at once is not. The last table is written
into benchmarks/README.md. Exit code 1 if the provider misses its target.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import requests
from rich.console import Console
from rich.table import Table

from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from airflow_provider_zcrm.emulator.minimal_seed import CLIENT, minimal_seed
from benchmarks.environments import CannotMeasure, peer_python
from demo.local_airflow import LocalAirflow
from demo.processes import Processes

CROWDS = Path(__file__).with_name("token_crowds")
README = Path(__file__).with_name("README.md")
MARKS = ("<!-- the last table of tokens.py -->", "<!-- end -->")
STARTS = ("cold", "warm")
SECONDS = 180.0


@dataclass(frozen=True)
class Side:
    """A library with one of its stores.

    :param script: of the folder token_crowds.
    :param hosts: to which the processes belong in turn: each with a directory of its own for its lock.
    :param python: the oldest that it runs on.
    """

    name: str
    script: str
    shared_store: str = ""
    hosts: int = 1
    python: tuple[int, int] = (3, 11)


SIDES = (
    Side("this provider, variable", "ours", "variable"),
    Side("this provider, variable, 2 hosts", "ours", "variable", hosts=2),
    Side("this provider, file", "ours", "file"),
    Side("this provider, memory", "ours", "memory"),
    Side("zohocrmsdk8-0, FileStore", "zohos_sdk"),
    Side("zoho, SQLiteTokenStore", "zoho_package", python=(3, 12)),
)


@dataclass
class Counts:
    """What the rounds of one case came to."""

    asked: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    error: str = ""


Case = tuple[str, str, int]


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tokens", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 16, 100])
    parser.add_argument("--no-readme", action="store_true", help="leave benchmarks/README.md as it is")
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 140)
    started = time.monotonic()
    counts, absent = measure(console, options.rounds, options.sizes)
    console.print(_table(counts, absent, options.rounds))
    console.print(f"{time.monotonic() - started:.0f} s")
    if not options.no_readme:
        _write(counts, absent, options.rounds)
    missed = [case for case in counts if not _on_target(case, counts[case])]
    for name, start, size in missed:
        console.print(f"[bold red]Missed[/]: {name}, {start}, {size} processes.")
    return 1 if missed else 0


def measure(console: Console, rounds: int, sizes: list[int]) -> tuple[dict[Case, Counts], dict[str, str]]:
    """Run all cases, round by round, and return their counts and why a side has none."""
    counts: dict[Case, Counts] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="zcrm-tokens-")))
        emulator = stack.enter_context(EmulatorServer())
        processes = Processes(folder)
        stack.callback(processes.stop)
        airflow = _api_server(processes, folder)
        crowds, absent = {}, {}
        for side in SIDES:
            try:
                crowds[side.name] = stack.enter_context(_Crowd.of(side, folder, airflow.env))
            except CannotMeasure as error:
                absent[side.name] = str(error)
                continue
            # what an api-server or a library loads at its first call is not to be measured
            _run(emulator, crowds[side.name], _order(side, emulator, airflow), folder, Counts(), 1, warm=False)
        for number, size, side, start in product(range(rounds), sizes, SIDES, STARTS):
            processes.check()
            if side.name not in crowds:
                continue
            console.print(f"round {number + 1}: {size:3} processes, {start}, {side.name}")
            case = counts.setdefault((side.name, start, size), Counts())
            _run(emulator, crowds[side.name], _order(side, emulator, airflow), folder, case, size, warm=start == "warm")
    return counts, absent


def _order(side: Side, emulator: EmulatorServer, airflow: LocalAirflow) -> dict[str, Any]:
    return {"url": emulator.url, "shared_store": side.shared_store, "hosts": side.hosts, "api_server": airflow.url}


def _run(emulator: EmulatorServer, crowd: _Crowd, order: dict[str, Any], folder: Path, counts: Counts, size: int, *, warm: bool) -> None:
    """Let a crowd start that finds an empty store, or one that a single process has filled just before."""
    refresh_token = f"1000.{os.urandom(16).hex()}"  # another name in the store, so none of an earlier run's tokens
    seed = minimal_seed()
    seed["orgs"][0] |= {"refresh_tokens": [{"token": refresh_token}], "concurrency": 1000, "api_domain": emulator.url}
    control = emulator.control
    control.seed(seed)
    control.readings(request_ids="numbers_too")  # as Zoho's SDK sends them
    own_folder = tempfile.mkdtemp(dir=folder)
    order = {**order, **CLIENT, "refresh_token": refresh_token, "folder": own_folder}
    if warm:
        crowd.run({**order, "size": 1})
        control.reset_counters()
    outcome = crowd.run({**order, "size": size})
    counted = control.counters()
    counts.asked.append(len(control.requests("/oauth/v2/token")))
    counts.refused.append(sum(counted["tokens_refused"].values()))
    counts.failed.append(outcome["failed"])
    counts.seconds.append(outcome["seconds"])
    counts.error = counts.error or outcome["error"]


class _Crowd:
    """The program that starts the processes of a side; lives until its stdin is closed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    @classmethod
    @contextmanager
    def of(cls, side: Side, folder: Path, airflow: Mapping[str, str]) -> Iterator[_Crowd]:
        """Start the program in the environment of the library."""
        ours = side.script == "ours"
        python = sys.executable if ours else peer_python(CROWDS / f"{side.script}.txt", at_least=side.python)
        env = airflow if ours else {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTHON"))}
        local = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "HOME": str(folder), "PYTHONPATH": str(README.parent.parent)}
        with (folder / f"{side.script}-{side.shared_store}.log").open("w") as log:
            process = subprocess.Popen(  # noqa: S603 - a program of this folder
                [python, CROWDS / f"{side.script}.py"],
                env={**env, **local},
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        try:
            yield cls(process)
        finally:
            process.kill()
            process.communicate()

    def run(self, order: dict[str, Any]) -> dict[str, Any]:
        """Let a crowd start, and return what came of it."""
        assert self._process.stdin is not None  # noqa: S101 - for the type checker
        assert self._process.stdout is not None  # noqa: S101 - for the type checker
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"The program of a crowd has ended by itself: {self._process.args}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def _api_server(processes: Processes, folder: Path) -> LocalAirflow:
    """Start the part of Airflow that tasks ask for Variables, over its metadata database."""
    airflow = LocalAirflow(processes, folder / "airflow", folder / "no-dags")
    airflow.migrate()
    processes.start("api-server", airflow.command("api-server"), airflow.env)

    def healthy() -> bool:
        try:
            answer = requests.get(f"{airflow.url}/api/v2/monitor/health", timeout=5, proxies={"no_proxy": "127.0.0.1"})
        except requests.RequestException:
            return False
        return answer.ok

    processes.wait_until(healthy, SECONDS, "Airflow's api-server")
    return airflow


# --- what is shown -------------------------------------------------------------------------------------------------------

HEADER = ("Library and store", "Start", "Processes", "Token requests", "Refused", "Failed processes", "Seconds until the last is through")


def _on_target(case: Case, counts: Counts) -> bool:
    """One request of a cold crowd for each host, none of a warm one, and nobody fails; without a shared store that cannot be."""
    name, start, _ = case
    side = next(side for side in SIDES if side.name == name)
    if side.shared_store not in ("variable", "file"):
        return True
    allowed = range(1, side.hosts + 1) if start == "cold" else range(1)
    return all(asked in allowed for asked in counts.asked) and not any(counts.refused + counts.failed)


def _rows(counts: dict[Case, Counts], absent: dict[str, str]) -> Iterator[tuple[str, ...]]:
    for side in SIDES:
        if side.name in absent:
            yield (side.name, "", "", f"not measured: {absent[side.name]}", "", "", "")
        for (name, start, size), count in counts.items():
            if name == side.name:
                numbers = (_range(count.asked), _range(count.refused), _range(count.failed))
                yield (name, start, str(size), *numbers, _range([round(each, 1) for each in count.seconds]))


def _range(values: list[Any]) -> str:
    return str(min(values)) if min(values) == max(values) else f"{min(values)} to {max(values)}"


def _table(counts: dict[Case, Counts], absent: dict[str, str], rounds: int) -> Table:
    table = Table(title=f"Access tokens that a crowd of tasks asks for ({rounds} rounds, smallest to largest)", title_justify="left")
    for number, name in enumerate(HEADER):
        table.add_column(name, justify="right" if number > 1 else "left")
    for row in _rows(counts, absent):
        table.add_row(*row, end_section=row[1] == "warm" and row[2] == max((case[2] for case in counts), default=0))
    return table


def _write(counts: dict[Case, Counts], absent: dict[str, str], rounds: int) -> None:
    """Put the table into the README, between its marks."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("apache-airflow", "airflow-provider-zcrm", "requests", "filelock"))
    peers = ", ".join(line for pins in ("zohos_sdk.txt", "zoho_package.txt") for line in _own_line(CROWDS / pins))
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    lines = [
        f"{datetime.now(UTC):%Y-%m-%d}, {rounds} rounds, smallest to largest. {machine}; {versions}; {peers}.",
        "",
        "| " + " | ".join(HEADER) + " |",
        "| --- | --- |" + " ---: |" * (len(HEADER) - 2),
        *("| " + " | ".join(row) + " |" for row in _rows(counts, absent)),
    ]
    errors = {f"- {name}: `{count.error.replace('`', '')}`": None for (name, _, _), count in counts.items() if count.error}
    if errors:
        lines += ["", "What the failed processes said, one sample each:", "", *_one_per_side(errors)]
    before, rest = README.read_text().split(MARKS[0])
    README.write_text(before + MARKS[0] + "\n" + "\n".join(lines) + "\n" + MARKS[1] + rest.partition(MARKS[1])[2])


def _one_per_side(errors: Mapping[str, None]) -> list[str]:
    return list({line.partition(":")[0]: line for line in reversed(errors)}.values())


def _own_line(pins: Path) -> Iterator[str]:
    yield from (line for line in pins.read_text().splitlines() if line.startswith("zoho"))


if __name__ == "__main__":
    sys.exit(main())
