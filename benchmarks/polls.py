"""``python -m benchmarks.polls``: how often is a job asked for, and how late is its end noticed?

The schedule that follows the job, beside fixed intervals, over a stated mix of jobs. Nothing is timed: the schedule is a pure function,
and the same figures come out on every machine. Writes the table into benchmarks/README.md and the plots docs/polls-*.svg.
Exit code 1 if a fixed interval is cheaper over the mix, or if a bound is missed.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from airflow_provider_zcrm.api.mass_delete import JobStatus
from airflow_provider_zcrm.rules.poll_schedule import PollSchedule
from benchmarks.plot import chart
from benchmarks.report import console, keep, table

DOCS = Path(__file__).resolve().parent.parent / "docs"
INTERVALS = (1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 150, 180, 240, 300, 450, 600, 900, 1800)
# so many seconds of lateness are as bad as one poll
SECONDS_PER_POLL = 10.0
SIX_HOURS = 6 * 3600.0

# how much is done at a part of the time
PACES: tuple[Callable[[float], float], ...] = (
    lambda part: part,
    lambda part: part,
    lambda part: part * part * (3 - 2 * part),
    lambda part: part**1.5,
    lambda part: part**0.5,
)


@dataclass(frozen=True)
class Job:
    """A job of the mix; times in seconds."""

    length: float
    queued: float = 0.0
    total: int = 200
    counts: bool = True
    pace: Callable[[float], float] = PACES[0]

    def status(self, now: float) -> JobStatus:
        """Return what Zoho would say at a moment before the end."""
        if not self.counts:
            return JobStatus("RUNNING")
        part = max(0.0, now - self.queued) / (self.length - self.queued)
        return JobStatus("RUNNING", self.total, int(self.total * self.pace(part)), 0)


def mix(size: int = 3000) -> list[Job]:
    """Return jobs as they may come: two of three delete tags, the others records; lengths are spread evenly over their logarithm."""
    chance = random.Random(71580)  # noqa: S311 - not cryptography
    jobs = []
    for number in range(size):
        records = number % 3 == 0
        shortest, longest = (60.0, SIX_HOURS) if records else (2.0, 600.0)
        length = math.exp(chance.uniform(math.log(shortest), math.log(longest)))
        queued = min(chance.uniform(0, 30), 0.9 * length)
        total = chance.randint(500, 50_000) if records else chance.randint(1, 200)
        jobs.append(Job(length, queued, total, counts=chance.random() >= 0.1, pace=chance.choice(PACES)))
    return jobs


def outcome(schedule: PollSchedule, job: Job) -> tuple[int, float]:
    """Return how many polls a job takes, the first at its start, and how late its end is noticed."""
    now, polls = 0.0, 1
    earlier: tuple[float, JobStatus] | None = None
    while now < job.length:
        status = job.status(now)
        wait = schedule.next_wait(now, status, earlier)
        now, earlier, polls = now + wait, (now, status), polls + 1
    return polls, now - job.length


def cost(polls: float, late: float) -> float:
    """Return polls and lateness as one number."""
    return polls + late / SECONDS_PER_POLL


def means(schedule: PollSchedule, jobs: Iterable[Job]) -> tuple[float, float]:
    """Return the means of polls and of lateness."""
    outcomes = [outcome(schedule, job) for job in jobs]
    return mean(polls for polls, _ in outcomes), mean(late for _, late in outcomes)


def main() -> int:
    """Simulate, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.polls", description=__doc__.partition("\n")[0])
    parser.add_argument("--no-readme", action="store_true", help="leave benchmarks/README.md and docs/ as they are")
    options = parser.parse_args()
    jobs = mix()
    ours = means(PollSchedule(), jobs)
    fixed = {interval: means(PollSchedule(float(interval)), jobs) for interval in INTERVALS}
    cheapest = min(fixed, key=lambda interval: cost(*fixed[interval]))
    header = ("Polls every", "Polls per job", "Seconds late", f"Cost: polls + lateness / {SECONDS_PER_POLL:g} s")
    shown = [interval for interval in INTERVALS if interval in (5, 10, 30, 60, 300, cheapest)]
    rows = [_row("as the job goes (`poke_interval=None`)", *ours)]
    rows += [_row(f"{interval} s" + (", the cheapest" if interval == cheapest else ""), *fixed[interval]) for interval in shown]
    console().print(table(f"{len(jobs)} jobs", header, rows))
    missed = _missed_bounds()
    if cost(*ours) >= cost(*fixed[cheapest]):
        missed.append(f"a fixed interval of {cheapest} s is cheaper")
    for what in missed:
        console().print(f"[bold red]Missed[/]: {what}.")
    if not options.no_readme:
        keep("polls.py", f"{len(jobs)} simulated jobs, means", header, rows)
        _plots(ours, fixed)
    return 1 if missed else 0


def _row(name: str, polls: float, late: float) -> tuple[str, str, str, str]:
    return name, f"{polls:.1f}", f"{late:.1f}", f"{cost(polls, late):.1f}"


def _missed_bounds() -> list[str]:
    """Return which of the promised bounds do not hold for jobs of 2 s to 6 h that go at one pace, after a queue or without."""
    missed = []
    lengths = [2 * (SIX_HOURS / 2) ** (step / 400) for step in range(401)]
    for job in (
        Job(length, part * length, counts=counts) for length in lengths for part in (0.0, 0.05, 0.5, 0.9) for counts in (True, False)
    ):
        polls, late = outcome(PollSchedule(), job)
        if not 0 <= late <= max(5.0, job.length / 10) * 1.000001:
            missed.append(f"{job} is noticed {late:.0f} s late")
        if polls > 75:
            missed.append(f"{job} takes {polls} polls")
    return missed


def _plots(ours: tuple[float, float], fixed: dict[int, tuple[float, float]]) -> None:
    costs = {
        "as the job goes": [(INTERVALS[0], cost(*ours)), (INTERVALS[-1], cost(*ours))],
        "a fixed interval": [(interval, cost(*both)) for interval, both in fixed.items()],
    }
    svg = chart(
        "Mean cost of a job: polls + lateness / 10 s",
        "fixed interval, seconds",
        "cost",
        costs,
        (1, 10, 60, 300, 1800),
        (5, 10, 20, 50, 100, 500),
    )
    (DOCS / "polls-cost.svg").write_text(svg)
    lengths = [2 * (SIX_HOURS / 2) ** (step / 120) for step in range(121)]
    kinds = {
        "with counts": (PollSchedule(), True),
        "without counts": (PollSchedule(), False),
        "every 10 s": (PollSchedule(10.0), True),
        "every 60 s": (PollSchedule(60.0), True),
    }
    numbers = {
        name: [(length, float(outcome(schedule, Job(length, counts=counts))[0])) for length in lengths]
        for name, (schedule, counts) in kinds.items()
    }
    svg = chart(
        "Polls of a job",
        "length of the job, seconds",
        "polls",
        numbers,
        (2, 10, 60, 600, 3600, 21600),
        (1, 3, 10, 30, 100, 300, 1000, 2000),
    )
    (DOCS / "polls-number.svg").write_text(svg)


if __name__ == "__main__":
    sys.exit(main())
