"""``python -m benchmarks.triggerer``: what does it cost a triggerer to wait for jobs?

Seconds of CPU for 1,000 polls and memory for each waiting job: this provider's trigger, aiohttp written by hand with one session (the
floor) or with a session for each poll (as many providers do), requests in a pool of threads, and the triggers of other providers.
Exit code 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import requests

from benchmarks.environments import CannotMeasure, peer_python
from benchmarks.report import console, keep, machine, spread, table
from tests.conftest import connection_json

HERE = Path(__file__).parent
OURS, FLOOR = "this provider", "aiohttp by hand, one session"
# name, way of programs/pollers.py, pins of the environment
WAYS = (
    (FLOOR, "aiohttp_one_session", None),
    (OURS, "ours", None),
    ("aiohttp by hand, a session for each poll", "aiohttp_session_per_poll", None),
    ("requests in 8 threads", "requests_in_threads", None),
    ("HTTP 6.3.0", "http_provider", "http.txt"),
    ("dbt Cloud 4.11.1", "dbt_cloud", "dbt_cloud.txt"),
)
PROVIDERS = [name for name, _, pins in WAYS if pins]
# of the floor's CPU, and bytes
CPU_TARGET, MEMORY_TARGET = 1.3, 20_000
HEADER = ("Way to wait", "CPU seconds for 1,000 polls", "Times the floor", "kB for one more job")

Figures = defaultdict[str, list[float]]


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.triggerer", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--jobs", type=int, default=300, help="that are waited for at once, asked for every second")
    parser.add_argument("--no-readme", action="store_true", help="leave benchmarks/README.md as it is")
    options = parser.parse_args()
    cpu, memory = measure(options.rounds, options.jobs)
    rows = [
        (name, spread(cpu[name]), f"{_ratio(cpu, name):.2f}", spread([each / 1000 for each in memory[name]], 1))
        for name, *_ in WAYS
        if cpu[name]
    ]
    console().print(table(f"{options.jobs} jobs, asked for every second", HEADER, rows))
    if not options.no_readme:
        note = f"{options.rounds} rounds, interleaved, medians (smallest to largest), {options.jobs} jobs. {machine('aiohttp', 'requests')}"
        keep("triggerer.py", note, HEADER, rows)
    missed = list(_missed(cpu, memory))
    for what in missed:
        console().print(f"[bold red]Missed[/]: {what}.")
    return 1 if missed else 0


def measure(rounds: int, jobs: int) -> tuple[Figures, Figures]:
    """Return the seconds of CPU for 1,000 polls and the bytes for each job, of each round, by way."""
    cpu, memory = Figures(list), Figures(list)
    with ExitStack() as stack:
        url = stack.enter_context(stub())
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="zcrm-triggerer-"))
        programs = Programs(stack, environment(url, folder))
        for number in range(rounds):
            console().print(f"round {number + 1} of {rounds}")
            for name, way, pins in WAYS:
                try:
                    answer = programs.ask(pins, {"way": way, "url": url, "jobs": jobs})
                except CannotMeasure as error:
                    console().print(f"{name} {error}")
                    continue
                polls = sum(answer["since"] <= came < answer["until"] for moments in counts(url)["asked"].values() for came, *_ in moments)
                cpu[name].append(1000 * answer["cpu"] / polls)
                memory[name].append(answer["memory"])
    return cpu, memory


class Programs:
    """programs/pollers.py, running in each of the environments."""

    def __init__(self, stack: ExitStack, env: dict[str, str]) -> None:
        self._stack, self._env = stack, env
        self._running: dict[str | None, subprocess.Popen[str]] = {}

    def ask(self, pins: str | None, order: dict[str, Any]) -> dict[str, float]:
        """Have an order carried out, and return the answer.

        :raises CannotMeasure: the environment cannot be made here, or the order could not be carried out
        """
        process = self._running.get(pins) or self._start(pins)
        assert process.stdin is not None  # noqa: S101 - for the type checker
        assert process.stdout is not None  # noqa: S101
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        answer: dict[str, Any] = json.loads(process.stdout.readline())
        if error := answer.get("error"):
            raise CannotMeasure(f"cannot be measured: {error}")
        return answer

    def _start(self, pins: str | None) -> subprocess.Popen[str]:
        python = peer_python(HERE / "peers" / pins, over_airflow=True) if pins else sys.executable
        process = subprocess.Popen(  # noqa: S603 - a program of this folder
            [python, HERE / "programs" / "pollers.py"],
            env=self._env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._stack.enter_context(process)
        self._stack.callback(process.kill)
        self._running[pins] = process
        return process


@contextmanager
def stub(*arguments: str) -> Iterator[str]:
    """Run the server that is polled, and yield its URL."""
    command = [sys.executable, HERE / "programs" / "stub.py", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - a program of this folder
        assert process.stdout is not None  # noqa: S101 - for the type checker
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def environment(url: str, folder: str, **connections: str) -> dict[str, str]:
    """Return the environment of a triggerer whose connections lead to the stub."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTHON"))}
    port = int(url.rpartition(":")[2])
    return kept | {
        "AIRFLOW_HOME": folder,
        "NO_PROXY": "127.0.0.1",
        # as many calls at once as Zoho allows at most
        "AIRFLOW_CONN_ZOHO_CRM_DEFAULT": connection_json(url, max_concurrency=25),
        "AIRFLOW_CONN_DBT_CLOUD_DEFAULT": json.dumps({"conn_type": "dbt_cloud", "host": "127.0.0.1", "password": "token"}),
        "AIRFLOW_CONN_HTTP_DEFAULT": json.dumps({"conn_type": "http", "host": "127.0.0.1", "port": port, "schema": "http"}),
        **{f"AIRFLOW_CONN_{name.upper()}": connection for name, connection in connections.items()},
    }


def counts(url: str) -> dict[str, Any]:
    """Return what the stub has noted."""
    answer: dict[str, Any] = requests.get(f"{url}/counts", timeout=30, proxies={"no_proxy": "127.0.0.1"}).json()
    return answer


def _ratio(cpu: Figures, name: str) -> float:
    """Return the median of the ratios to the floor, round by round: the machine may be another one in the next round."""
    return median(one / floor for one, floor in zip(cpu[name], cpu[FLOOR], strict=True))


def _missed(cpu: Figures, memory: Figures) -> Iterator[str]:
    ratio = _ratio(cpu, OURS)
    if ratio > CPU_TARGET:
        yield f"{ratio:.2f} times the floor's CPU, and not {CPU_TARGET}"
    cheaper = [name for name in PROVIDERS if cpu[name] and median(cpu[name]) <= median(cpu[OURS])]
    if cheaper:
        yield f"{' and '.join(cheaper)} takes no more CPU"
    if median(memory[OURS]) > MEMORY_TARGET:
        yield f"{median(memory[OURS]):.0f} bytes for each job, and not {MEMORY_TARGET}"


if __name__ == "__main__":
    sys.exit(main())
