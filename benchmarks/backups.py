"""``python -m benchmarks.backups``: how long do a backup and its restore take, and how much memory, by the number of records?

Each runs in a process of its own against the emulator, which is in this one. Exit code 1 if one takes more memory than it may.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from airflow_provider_zcrm.emulator.minimal_seed import empty_seed
from benchmarks.report import console, keep, machine, table
from tests.conftest import connection_json

SIZES = (20_000, 200_000, 1_000_000)
TAGS = 20
MOST_MEGABYTES = 60.0
MEGABYTE = 1_000_000
HEADER = ("Records", "Backup, seconds", "Backup, MB", "Restore, seconds", "Restore, MB", "File, MB")


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backups", description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of records (default: %(default)s)")
    parser.add_argument("--no-readme", action="store_true", help="leave benchmarks/README.md as it is")
    options = parser.parse_args()
    measured = {size: _measure(size) for size in options.sizes}
    rows = [[f"{size:,}", *(f"{value:.1f}" for value in values)] for size, values in measured.items()]
    console().print(table("A backup of all tags of a module, and its restore", HEADER, rows))
    if not options.no_readme:
        keep("backups.py", machine(), HEADER, rows)
    missed = [size for size, (_, backup, _, restore, _) in measured.items() if max(backup, restore) > MOST_MEGABYTES]
    for size in missed:
        console().print(f"[bold red]Missed[/]: more than {MOST_MEGABYTES:.0f} MB for {size:,} records.")
    return 1 if missed else 0


def _measure(size: int) -> tuple[float, ...]:
    """Back up and restore a module of so many records with one tag each; return what stands under the header."""
    with tempfile.TemporaryDirectory() as folder, EmulatorServer(_seed(size)) as emulator:
        environment = {**os.environ, "AIRFLOW_HOME": folder, "AIRFLOW_CONN_ZOHO_CRM_DEFAULT": connection_json(emulator.url)}
        # what Zoho needs for an export is not ours
        emulator.control.bulk_reads(start_delay=0.0, duration=0.0)
        file = Path(folder, "Leads.jsonl")
        values = []
        for what, tag_ids in (("backup", emulator.control.tags("Leads").values()), ("restore", ())):
            measured = _run(environment, what, str(file), *tag_ids)
            assert measured["returned"]["records"] == size  # noqa: S101 - what was measured must have been all of them
            values += [measured["seconds"], measured["bytes"] / MEGABYTE]
        return *values, file.stat().st_size / MEGABYTE


def _seed(size: int) -> dict[str, Any]:
    seed = empty_seed()
    names = [f"tag {number}" for number in range(TAGS)]
    seed["orgs"][0]["modules"] = [{"api_name": "Leads", "tags": names, "records": {"number": size, "tags_each": 1}}]
    return seed


def _run(environment: dict[str, str], *arguments: str) -> Any:
    command = (sys.executable, "-m", "benchmarks.programs.back_up_or_restore", *arguments)
    return json.loads(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout)  # noqa: S603 - our own


if __name__ == "__main__":
    sys.exit(main())
