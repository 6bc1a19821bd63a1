"""``python -m benchmarks.imports``: what does a DAG file pay for importing operators and sensors?

This provider, a sensor that comes with Airflow, and other providers of the kind "submit a job, then wait", each in an environment of its
own over the same Airflow. Every import happens in a fork of a process that has imported what every DAG file has (``airflow.sdk``), so
that the seconds for Airflow itself are not in it. Exit code 1 if the target is missed.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import airflow_provider_zcrm
from airflow_provider_zcrm.get_provider_info import get_provider_info
from benchmarks.environments import CannotMeasure, peer_python
from benchmarks.report import console, keep, machine, spread, table

HERE = Path(__file__).parent
# milliseconds over airflow.sdk
TARGET = 10.0
NEVER = ("requests", "aiohttp", "airflow_provider_zcrm.hooks.zcrm", "airflow_provider_zcrm.emulator")


@dataclass(frozen=True)
class Side:
    """What is imported.

    :param pins: of the environment, a file of peers/; none for this one.
    """

    name: str
    modules: tuple[str, ...]
    pins: str = ""


def _ours(kind: str) -> tuple[str, ...]:
    return tuple(module for part in get_provider_info()[kind] for module in part["python-modules"])


SIDES = (
    Side("Airflow's DateTimeSensor", ("airflow.providers.standard.sensors.date_time",)),
    Side("this provider, the sensor", _ours("sensors")),
    Side("this provider, all operators and sensors", (*_ours("operators"), *_ours("sensors"))),
    Side("this provider, `tag_cleanup`", ("airflow_provider_zcrm.task_groups",)),
    Side("HTTP 6.3.0", ("airflow.providers.http.operators.http", "airflow.providers.http.sensors.http"), "http"),
    Side("dbt Cloud 4.11.1", ("airflow.providers.dbt.cloud.operators.dbt", "airflow.providers.dbt.cloud.sensors.dbt"), "dbt_cloud"),
    Side("Airbyte 6.2.0", ("airflow.providers.airbyte.operators.airbyte", "airflow.providers.airbyte.sensors.airbyte"), "airbyte"),
)


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imports", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--no-readme", action="store_true", help="leave benchmarks/README.md as it is")
    options = parser.parse_args()
    answers = measure(options.rounds)
    header = ("Imported over `airflow.sdk`", "Milliseconds of CPU", "Times the built-in sensor", "Modules")
    rows = list(_rows(answers))
    console().print(table("What importing costs", header, rows))
    if not options.no_readme:
        keep("imports.py", f"{options.rounds} rounds, interleaved, medians (smallest to largest). {machine()}", header, rows)
    missed = list(_missed(answers))
    for what in missed:
        console().print(f"[bold red]Missed[/]: {what}.")
    return 1 if missed else 0


def measure(rounds: int) -> dict[str, list[dict[str, Any]]]:
    """Return the answers of each side, or why it has none."""
    # what an installer has not compiled would be compiled at every import, and what is not written never is
    compileall.compile_dir(Path(airflow_provider_zcrm.__file__).parent, quiet=2)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTHON"))}
    answers: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    with ExitStack() as stack:
        programs = {}
        for side in SIDES:
            try:
                programs[side] = stack.enter_context(_program(side, env))
            except CannotMeasure as error:
                console().print(f"{side.name} {error}")
        for number in range(rounds + 1):
            for side, program in programs.items():
                answer = _ask(program, side)
                # the first one fills the caches of the file system
                answers[side.name] += [answer] if number else []
    return answers


@contextmanager
def _program(side: Side, env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    python = peer_python(HERE / "peers" / f"{side.pins}.txt", over_airflow=True) if side.pins else sys.executable
    command = [python, HERE / "programs" / "import_cost.py"]
    with subprocess.Popen(  # noqa: S603 - a program of this folder
        command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _ask(program: subprocess.Popen[str], side: Side) -> dict[str, Any]:
    assert program.stdin is not None  # noqa: S101 - for the type checker
    assert program.stdout is not None  # noqa: S101 - for the type checker
    program.stdin.write(" ".join(side.modules) + "\n")
    program.stdin.flush()
    while line := program.stdout.readline():
        # some libraries print when they are imported
        if line.startswith("{"):
            answer: dict[str, Any] = json.loads(line)
            return answer
    raise RuntimeError(f"{side.name} cannot be imported")


def _rows(answers: dict[str, list[dict[str, Any]]]) -> Iterator[tuple[str, ...]]:
    floor = median(answer["cpu"] for answer in answers[SIDES[0].name])
    for name, found in answers.items():
        cpu = [1000 * answer["cpu"] for answer in found]
        yield name, spread(cpu, 1), f"{median(cpu) / (1000 * floor):.1f}", str(len(found[0]["modules"]))


def _missed(answers: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    for name in (side.name for side in SIDES if side.name.startswith("this provider")):
        cost = 1000 * median(answer["cpu"] for answer in answers[name])
        if cost > TARGET:
            yield f"{name}: {cost:.1f} ms, and not {TARGET:g}"
        heavy = [module for module in answers[name][0]["modules"] if module.startswith(NEVER)]
        if heavy:
            yield f"{name} imports {', '.join(heavy[:5])}"


if __name__ == "__main__":
    sys.exit(main())
