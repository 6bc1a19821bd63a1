"""What the demo prints."""

from __future__ import annotations

import json
from collections import deque
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from demo.clean_up import Outcome

_TAIL = 25


def show(console: Console, outcome: Outcome) -> None:
    """Print what happened."""
    for table in (_tags(outcome), _jobs(outcome), _calls(outcome)):
        console.print(table)
    counters = outcome.counters
    issued, refused = (sum(counters[name].values()) for name in ("tokens_issued", "tokens_refused"))
    console.print(
        f"Access tokens: [bold]{issued}[/] granted, [bold]{refused}[/] refused (Zoho grants 10 in 10 minutes). "
        f"API credits: [bold]{sum(counters['credits_used'].values())}[/]. "
        f"Most requests at once: [bold]{max(counters['most_at_once'].values(), default=0)}[/]."
    )


def _tags(outcome: Outcome) -> Table:
    table = Table("Module", title="Tags", title_justify="left")
    for name in ("Before", "Asked for", "After"):
        table.add_column(name, justify="right")
    table.add_column("Deleted", overflow="fold")
    for module, asked in outcome.asked.items():
        before, after = outcome.before.get(module, []), outcome.after.get(module, [])
        gone = [name for name in before if name not in after]
        table.add_row(module, str(len(before)), str(len(asked)), str(len(after)), escape(", ".join(gone)))
    return table


def _jobs(outcome: Outcome) -> Table:
    table = Table("Module", "Job id", "State", title="Mass-delete jobs, as the tasks report them", title_justify="left")
    for name in ("Total", "Deleted", "Failed"):
        table.add_column(name, justify="right")
    for report in outcome.reports:
        table.add_row(report["module"], report["id"], report["state"], *(str(report[name]) for name in ("total", "deleted", "failed")))
    return table


def _calls(outcome: Outcome) -> Table:
    table = Table("Call", title="What the emulator was asked", title_justify="left")
    table.add_column("Status")
    table.add_column("Times", justify="right")
    for operation, statuses in sorted(outcome.counters["calls"].items()):
        for status, times in sorted(statuses.items()):
            table.add_row(escape(operation), status, str(times))
    return table


def show_tails(console: Console, files: list[Path]) -> None:
    """Print the last lines of log files."""
    for file in files:
        with file.open(errors="replace") as lines:
            tail = deque((_readable(line.rstrip()) for line in lines), _TAIL)
        console.rule("the end of " + (str(file.relative_to(Path.cwd())) if file.is_relative_to(Path.cwd()) else str(file)))
        console.print("\n".join(tail) or "(empty)", markup=False, highlight=False, soft_wrap=True)


def _readable(line: str) -> str:
    """Return a line of a task's log, which is JSON, as a person wants it; any other line as it is."""
    try:
        entry = json.loads(line)
        text = f"{entry['timestamp'][11:19]} {entry.get('level', 'info'):7} {entry['event']}"
    except (ValueError, KeyError, TypeError):
        return line
    return "\n".join([text, *(f"    {error['exc_type']}: {error['exc_value']}" for error in entry.get("error_detail") or ())])
