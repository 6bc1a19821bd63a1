"""``python -m benchmarks.submit``: how long from the start of a task's process until Zoho has the job?

Each side runs in a fresh process that submits a mass delete of one tag to the emulator and tells when that was done. The floor is the
least that a task can do: read the token, look up the module and its tags, POST. Exit code 1 if this provider takes more than 1.1 times
the floor's CPU.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import requests

from airflow_provider_zcrm.api.oauth import TOKEN_PATH
from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from airflow_provider_zcrm.emulator.minimal_seed import CLIENT, REFRESH_TOKEN
from benchmarks.environments import CannotMeasure, peer_python
from benchmarks.report import console, keep, machine, spread, table

HERE = Path(__file__).parent
TARGET = 1.1


@dataclass(frozen=True)
class Side:
    """Who submits.

    :param program: of programs/.
    :param pins: of the environment, a file of peers/ or token_crowds/; none for this one.
    :param airflow: what it is called in the program, if it is a task of Airflow.
    """

    name: str
    program: str
    pins: str = ""
    airflow: str = ""


EMPTY = Side("an empty task", "submit_in_airflow", airflow="nothing")
FLOOR = Side("by hand in a task: the floor", "submit_in_airflow", airflow="by hand")
OURS = Side("this provider", "submit_in_airflow", airflow="ours")
SIDES = (
    EMPTY,
    FLOOR,
    OURS,
    Side("HttpOperator 6.3.0, token and ids by hand: the POST alone", "submit_in_airflow", "peers/http.txt", "http"),
    Side("Zoho's SDK 7.0.0 without Airflow", "submit_with_sdk", "token_crowds/zohos_sdk.txt"),
    Side("requests without Airflow", "submit_by_hand"),
)
HEADER = (
    "Process start to job submitted",
    "Seconds",
    "Seconds of CPU",
    "Times the floor",
    "Of these, without importing Airflow",
    "Times the floor",
)


@dataclass(frozen=True)
class Run:
    """One run of a side.

    :param seconds: from the start of the process.
    :param cpu: seconds of CPU since then.
    :param task: those that are not spent on importing Airflow.
    """

    seconds: float
    cpu: float
    task: float


Figures = dict[str, list[Run]]


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.submit", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--no-readme", action="store_true", help="leave benchmarks/README.md as it is")
    options = parser.parse_args()
    figures = measure(options.rounds)
    rows = list(_rows(figures))
    console().print(table("What submitting costs", HEADER, rows))
    if not options.no_readme:
        keep("submit.py", f"{options.rounds} rounds, interleaved, medians (smallest to largest). {machine('requests')}", HEADER, rows)
    times = _times_the_floor(figures, OURS.name, "cpu")
    if times > TARGET:
        console().print(f"[bold red]Missed[/]: {times:.2f} times the floor, and not {TARGET:g}.")
    return int(times > TARGET)


def measure(rounds: int) -> Figures:
    """Return the figures of each side that can be measured here."""
    figures: defaultdict[str, list[Run]] = defaultdict(list)
    with EmulatorServer("minimal") as emulator, tempfile.TemporaryDirectory(prefix="zcrm-submit-") as folder:
        # as Zoho's SDK wants it
        emulator.control.change_org(api_domain=emulator.url, concurrency=1000)
        emulator.control.readings(request_ids="numbers_too")
        emulator.control.jobs(start_delay=0.0, duration=0.0)
        env = _environment(emulator, Path(folder))
        pythons = {side: python for side in SIDES if (python := _python(side))}
        for number in range(rounds + 1):
            for side, python in pythons.items():
                (tag,) = emulator.control.add_tags("Leads", [f"{side.program} {side.airflow} {number}"])
                figure = _run(side, [python, *_arguments(side, emulator.url, Path(folder), tag)], env)
                submitted = tag not in emulator.control.tags("Leads").values()
                assert submitted == (side is not EMPTY)  # noqa: S101 - what was timed must have been the delete
                # the first round gets the tokens, and fills the caches of the file system
                figures[side.name] += [figure] if number else []
    return figures


def new_token(url: str) -> str:
    """Return an access token of the emulator."""
    with requests.Session() as session:
        session.trust_env = False
        form = {"grant_type": "refresh_token", "refresh_token": REFRESH_TOKEN, **CLIENT}
        token: str = session.post(url + TOKEN_PATH, data=form, timeout=30).json()["access_token"]
        return token


def _environment(emulator: EmulatorServer, folder: Path) -> dict[str, str]:
    """Return the environment of all sides; the token by hand is in the file of Variables and in one of its own."""
    token = new_token(emulator.url)
    (folder / "token").write_text(token)
    (folder / "variables.json").write_text(json.dumps({"by_hand": token}))
    extra = {"refresh_token": REFRESH_TOKEN, "accounts_url": emulator.url, "api_url": emulator.url}
    ours = {"conn_type": "zoho_crm", "login": CLIENT["client_id"], "password": CLIENT["client_secret"], "extra": extra}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTHON"))}
    return kept | {
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__ZOHO_CRM__TOKEN_DIRECTORY": str(folder / "tokens"),
        "AIRFLOW_CONN_ZOHO_CRM_DEFAULT": json.dumps(ours),
        "AIRFLOW_CONN_BY_HAND": json.dumps({"conn_type": "http", "host": emulator.url}),
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "PYTHONPATH": str(HERE.parent),
    }


def _python(side: Side) -> str | None:
    """Return the Python of a side, None if it cannot be made here."""
    if not side.pins:
        return sys.executable
    try:
        return peer_python(HERE / side.pins, over_airflow=bool(side.airflow))
    except CannotMeasure as error:
        console().print(f"{side.name} {error}")
        return None


def _arguments(side: Side, url: str, folder: Path, tag_id: str) -> list[str]:
    program = str(HERE / "programs" / f"{side.program}.py")
    if side.airflow:
        return [program, side.airflow, str(folder / "variables.json"), tag_id]
    return [program, url, str(folder / "token") if side.program == "submit_by_hand" else str(folder), tag_id]


def _run(side: Side, command: list[str], env: dict[str, str]) -> Run:
    started = time.time()
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603 - of this folder
    if done.returncode:
        raise RuntimeError(f"{side.name} has failed: {done.stderr[-2000:]}")
    submitted, cpu, airflow_imported = (float(number) for number in done.stdout.splitlines()[-1].split())
    return Run(submitted - started, cpu, cpu - airflow_imported)


def _times_the_floor(figures: Figures, name: str, what: str) -> float:
    """Return the median of the rounds' ratios."""
    return median(getattr(run, what) / getattr(floor, what) for run, floor in zip(figures[name], figures[FLOOR.name], strict=True))


def _rows(figures: Figures) -> Iterator[tuple[str, ...]]:
    for name, runs in figures.items():
        seconds, cpu, task = ([getattr(run, what) for run in runs] for what in ("seconds", "cpu", "task"))
        times, task_times = (f"{_times_the_floor(figures, name, what):.2f}" for what in ("cpu", "task"))
        yield name, spread(seconds), spread(cpu), times, spread(task, 3), task_times


if __name__ == "__main__":
    sys.exit(main())
