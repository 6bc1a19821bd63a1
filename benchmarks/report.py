"""What the benchmarks share: the table, where it is kept, and the words about the machine."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

README = Path(__file__).with_name("README.md")


def console() -> Console:
    """Return where tables are printed: as wide as the terminal, or wide enough for a file."""
    return Console(width=None if sys.stdout.isatty() else 140)


def machine(*distributions: str) -> str:
    """Return the machine and the versions in one line."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("apache-airflow", "airflow-provider-zcrm", *distributions))
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}; {versions}"


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Return a table for the terminal; the first column is text, the others are numbers."""
    made = Table(title=title, title_justify="left")
    for number, name in enumerate(header):
        made.add_column(name, justify="right" if number else "left")
    for row in rows:
        made.add_row(*row)
    return made


def keep(script: str, note: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Put a script's last table into benchmarks/README.md, between its marks, with the day and a note."""
    lines = [
        f"{datetime.now(UTC):%Y-%m-%d}, {note}.",
        "",
        "| " + " | ".join(header) + " |",
        "| --- |" + " ---: |" * (len(header) - 1),
        *("| " + " | ".join(row) + " |" for row in rows),
    ]
    keep_lines(script, lines)


def keep_lines(script: str, lines: Sequence[str]) -> None:
    """Put lines into benchmarks/README.md, between the marks of a script."""
    before, rest = README.read_text().split(f"<!-- the last table of {script} -->\n")
    README.write_text(
        before + f"<!-- the last table of {script} -->\n" + "\n".join(lines) + "\n<!-- end -->" + rest.partition("<!-- end -->")[2]
    )


def spread(values: Sequence[float], digits: int = 2, unit: str = "") -> str:
    """Return the median, and smallest to largest in brackets."""
    shown = [f"{value:.{digits}f}" for value in (median(values), min(values), max(values))]
    return f"{shown[0]}{unit} ({shown[1]} to {shown[2]})" if len(set(values)) > 1 else f"{shown[0]}{unit}"
