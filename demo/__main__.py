"""``python -m demo``: start the emulator and Airflow, run the clean-up, show and check what came of it, stop everything.

Exit code 0 if all went well, 1 if anything did not, 130 if it was told to end.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from rich.console import Console

from airflow_provider_zcrm.emulator.control import Control
from demo import clean_up, tables
from demo.local_airflow import LocalAirflow
from demo.processes import DemoFailed, Interrupted, Processes, stop_noted

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".demo"
DAGS = ROOT / "example_dags"
RUN_SECONDS = 180.0


def main() -> int:
    """Run the demo, or stop one that was left running."""
    parser = argparse.ArgumentParser(prog="python -m demo")
    parser.add_argument("--keep", action="store_true", help="leave Airflow and the emulator running")
    parser.add_argument("--stop", action="store_true", help="stop what --keep left running")
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 120)
    stopped = stop_noted(FOLDER)
    if options.stop or stopped:
        console.print(f"Stopped what an earlier demo had left running ({stopped} programs)." if stopped else "Nothing was running.")
    return 0 if options.stop else Demo(console, keep=options.keep).run()


class Demo:
    """One run."""

    def __init__(self, console: Console, *, keep: bool) -> None:
        self._console = console
        self._keep = keep
        self._started = time.monotonic()
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir()
        self._processes = Processes(FOLDER)
        self._airflow = LocalAirflow(self._processes, FOLDER / "airflow", DAGS)

    def run(self) -> int:
        """Do everything and return the exit code."""
        code = 1
        try:
            code = self._run()
        except Interrupted:
            self._console.print("[yellow]Told to end.[/]")
            code = 130
        except (DemoFailed, requests.RequestException, OSError) as error:
            tables.show_tails(self._console, [*self._processes.logs(), *self._airflow.task_logs()])
            self._console.rule()
            self._console.print("[bold red]The demo has failed.[/]", end=" ")
            self._console.print(str(error), markup=False)
            self._console.print(f"The logs are in {FOLDER.relative_to(ROOT)}/; their ends stand above.")
        finally:
            if not (self._keep and code == 0):
                self._processes.stop()
        return code

    def _run(self) -> int:
        with self._step("The emulator: a Zoho CRM with three years of tags"):
            emulator_url = clean_up.start_emulator(self._processes, dict(os.environ))
        control = Control(emulator_url)
        outcome = clean_up.Outcome(clean_up.wanted_tags(DAGS / f"{clean_up.DAG_ID}.py"), clean_up.tags_by_module(control))
        with self._step("Airflow's database"):
            self._airflow.migrate()
        with self._step("Airflow: api-server, scheduler, dag-processor, triggerer"):
            self._airflow.start()
        with self._step("The connection and the DAG"):
            clean_up.connect(self._airflow, emulator_url)
            self._airflow.wait_for_dag(clean_up.DAG_ID)
        self._console.print(f"Airflow's UI is at [link]{self._airflow.url}[/link]")
        with self._step(f"The DAG {clean_up.DAG_ID}") as tell:
            outcome.reports = clean_up.run_dag(self._processes, self._airflow, RUN_SECONDS, tell)
        outcome.after = clean_up.tags_by_module(control)
        outcome.emulator_jobs = control.org()["jobs"]
        outcome.counters = control.counters()
        self._processes.check()
        tables.show(self._console, outcome)
        if found := clean_up.problems(outcome):
            raise DemoFailed(" ".join(found))
        self._console.print(f"[bold green]All as it should be[/], in {time.monotonic() - self._started:.0f} s.")
        if self._keep:
            self._console.print(f"Left running: Airflow's UI at {self._airflow.url}, the emulator at {emulator_url}.")
            self._console.print("[bold]make demo-stop[/] stops both.")
        return 0

    @contextmanager
    def _step(self, title: str) -> Iterator[Callable[[str], None]]:
        """Show a step while it is under way, and how long it took; gives a function that tells what it is at."""
        started = time.monotonic()
        last = ""

        def tell(what: str) -> None:
            nonlocal last
            if what != last:
                last = what
                status.update(f"{title}: {what}")
                if not self._console.is_terminal:
                    self._console.print(f"  {time.monotonic() - started:5.1f} s  {what}", highlight=False)

        with self._console.status(title) as status:
            yield tell
        self._console.print(f"[green]✓[/] {title} ({time.monotonic() - started:.1f} s)", highlight=False)


if __name__ == "__main__":
    sys.exit(main())
