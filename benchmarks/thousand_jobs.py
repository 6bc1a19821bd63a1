"""``python -m benchmarks.thousand_jobs``: what if as many tasks as a triggerer takes are deferred at the same moment?

1,000 jobs of ten minutes on 10 connections in Airflow's own triggerer, whose database is left out; the server takes 0.2 to 2 s for each
answer. Exit code 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from airflow_provider_zcrm.api.mass_delete import JobStatus
from airflow_provider_zcrm.rules.poll_schedule import PollSchedule
from benchmarks.plot import chart
from benchmarks.programs.stub import TOTAL
from benchmarks.report import console, keep, machine, table
from benchmarks.triggerer import counts, environment, stub
from tests.conftest import connection_json

HERE = Path(__file__).parent
PLOT = HERE.parent / "docs" / "thousand-jobs.svg"
TRIGGER = "airflow_provider_zcrm.triggers.mass_delete_job.MassDeleteJobTrigger"
BLOCKED = "async thread was blocked"
CONCURRENCY, LENGTH = 10, 600.0
# seconds
ALL_STARTED, LATE = 30.0, 2.0
HEADER = ("What", "Measured", "Target")
TICKS = (1, 3, 10, 30, 60, 180)


def main() -> int:
    """Run, judge, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.thousand_jobs", description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--no-readme", action="store_true", help="leave benchmarks/README.md and docs/ as they are")
    options = parser.parse_args()
    without_us = sleepers(options.jobs)
    deferred_at, noted, starts, blocked = run(options.jobs, options.connections, options.seconds)
    late = sorted(lateness(noted["asked"].values(), deferred_at))
    most = max(noted["most_at_once"].values())
    slowest = max(starts) - deferred_at
    results = (
        ("warnings of a blocked event loop", str(blocked), str(without_us), blocked <= without_us),
        ("triggers that have started", str(len(starts)), str(options.jobs), len(starts) == options.jobs),
        ("seconds until the last has started", f"{slowest:.1f}", f"{ALL_STARTED:g}", slowest <= ALL_STARTED),
        ("polls", str(len(late)), "", True),
        ("seconds late, median", f"{median(by for _, by in late):.2f}", f"{LATE:g}", median(by for _, by in late) <= LATE),
        ("seconds late, the latest", f"{max(by for _, by in late):.1f}", "", True),
        ("calls at once of one connection, the most", str(most), str(CONCURRENCY), most <= CONCURRENCY),
    )
    rows = [(what, measured, target) for what, measured, target, _ in results]
    console().print(table(f"{options.jobs} jobs, {options.connections} connections, {options.seconds:g} s", HEADER, rows))
    if not options.no_readme:
        note = f"{options.jobs} jobs on {options.connections} connections for {options.seconds:g} s. {machine('aiohttp')}"
        keep("thousand_jobs.py", note, HEADER, rows)
        PLOT.write_text(_plot(late))
    for what, measured, target, kept in results:
        if not kept:
            console().print(f"[bold red]Missed[/]: {what} {measured}, and not {target}.")
    return 0 if all(kept for *_, kept in results) else 1


def run(jobs: int, connections: int, seconds: float) -> tuple[float, dict[str, Any], list[float], int]:
    """Return when the tasks were deferred, what the server noted, when each trigger started, and how often the loop was blocked."""
    with ExitStack() as stack:
        url = stack.enter_context(stub("--fastest=0.2", "--slowest=2", f"--length={LENGTH:g}"))
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="zcrm-thousand-"))
        names = [f"org_{number}" for number in range(connections)]
        orgs = {name: connection_json(url, refresh_token=f"1000.{name}", max_concurrency=CONCURRENCY) for name in names}
        triggers = [
            {
                "classpath": TRIGGER,
                "kwargs": {
                    "zoho_crm_conn_id": names[number % connections],
                    "jobs": [{"kind": "tags", "id": str(number), "module": "Leads"}],
                    "deadline": time.time() + 3600,
                },
            }
            for number in range(jobs)
        ]
        blocked = triggerer(triggers, seconds, folder, environment(url, folder, **orgs))
        return float(Path(folder, "began.txt").read_text()), counts(url), list(_starts(Path(folder))), blocked


def triggerer(triggers: list[dict[str, Any]], seconds: float, folder: str, env: dict[str, str]) -> int:
    """Run Airflow's triggerer, and return how often its event loop was blocked."""
    program = [sys.executable, HERE / "programs" / "airflow_triggerer.py", str(seconds), folder]
    orders = "\n".join(map(json.dumps, triggers))
    done = subprocess.run(  # noqa: S603 - a program of this folder
        program, input=orders, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True
    )
    return done.stdout.count(BLOCKED)


def sleepers(jobs: int) -> int:
    """Return how often the event loop is blocked when as many triggers only sleep."""
    with tempfile.TemporaryDirectory(prefix="zcrm-thousand-") as folder:
        triggers = [{"classpath": "sleeper.Sleeper", "kwargs": {}} for _ in range(jobs)]
        return triggerer(triggers, ALL_STARTED / 2, folder, environment("http://127.0.0.1:1", folder))


def _starts(folder: Path) -> Iterator[float]:
    for log in folder.glob("*.log"):
        first = json.loads(log.read_text().partition("\n")[0])
        if first["event"].endswith("starting"):
            yield datetime.fromisoformat(first["timestamp"]).timestamp()


def lateness(jobs: Any, deferred_at: float) -> Iterator[tuple[float, float]]:
    """Yield for each poll when it came, in seconds since the tasks were deferred, and how much later than the schedule wants."""
    schedule = PollSchedule()
    for polls in jobs:
        wanted = deferred_at + schedule.next_wait(0.0)
        earlier: tuple[float, JobStatus] | None = None
        for came, answered, done in polls:
            yield came - deferred_at, max(0.0, came - wanted)
            elapsed, status = answered - deferred_at, JobStatus("RUNNING", TOTAL, done, 0)
            wanted = answered + schedule.next_wait(elapsed, status, earlier)
            earlier = elapsed, status


def _plot(late: list[tuple[float, float]]) -> str:
    """Return how late polls were, by the time at which they came."""
    middles = [5 * 1.2**step for step in range(21) if 5 * 1.2**step < TICKS[-1]]
    around = {middle: [by for came, by in late if middle / 1.1 <= came < middle * 1.1] for middle in middles}
    lines = {
        name: [(middle, part(found)) for middle, found in around.items() if found]
        for name, part in (("the latest", max), ("median", median))
    }
    title = "1,000 tasks deferred at once: how late are polls?"
    return chart(title, "seconds since they were deferred", "seconds late", lines, TICKS, (0.01, 0.1, 1, 10, 30))


if __name__ == "__main__":
    sys.exit(main())
