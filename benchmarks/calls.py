"""``python -m benchmarks.calls``: how many calls does it take to delete N tags of a module?

Counted by the emulator while the operator runs, beside the least that is possible: the id of the module and those of the tags must be
read, a job takes 200 tags, each job is asked for until it has ended, and the list tells whether the tags are gone. Nothing is timed.
Exit code 1 if there is a call more than that.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile

from rich.table import Table

# before anything imports Airflow
os.environ |= {"AIRFLOW_HOME": tempfile.mkdtemp(prefix="zcrm-calls-"), "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR", "NO_PROXY": "127.0.0.1"}

from airflow_provider_zcrm.client.tokens import forget_tokens
from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from airflow_provider_zcrm.operators.mass_delete_tags import MassDeleteTagsOperator
from benchmarks.report import console, keep, table
from tests.airflow_task import TaskRun
from tests.conftest import connection_json

SIZES = (0, 1, 200, 201, 1000, 2000)
MASS_DELETE = "settings/tags/actions/mass_delete"
HEADER = ("Tags", "Token", "Modules", "List of tags", "Submissions", "Polls", "All", "The least")


def main() -> int:
    """Count, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calls", description=__doc__.partition("\n")[0])
    parser.add_argument("--no-readme", action="store_true", help="leave benchmarks/README.md as it is")
    options = parser.parse_args()
    with EmulatorServer() as emulator:
        os.environ["AIRFLOW_CONN_ZOHO_CRM_DEFAULT"] = connection_json(emulator.url)
        rows = [_count(emulator, size) for size in SIZES]
    shown: Table = table("Calls to delete tags of one module and to wait for it", HEADER, [[str(number) for number in row] for row in rows])
    console().print(shown)
    if not options.no_readme:
        keep("calls.py", "counted by the emulator", HEADER, [[str(number) for number in row] for row in rows])
    missed = [row for row in rows if row[-2] > row[-1]]
    for row in missed:
        console().print(f"[bold red]Missed[/]: {row[-2]} calls for {row[0]} tags, and not {row[-1]}.")
    return 1 if missed else 0


def _count(emulator: EmulatorServer, size: int) -> tuple[int, ...]:
    """Delete so many tags with a cold store of tokens, and return the counts in the order of the header."""
    control = emulator.control
    forget_tokens()
    control.seed("minimal")
    control.jobs(start_delay=0.0, duration=0.0)
    tag_ids = control.add_tags("Leads", [f"old {number}" for number in range(size)])
    arguments = {"module": "Leads", "tag_ids": tag_ids, "max_share": 1.0, "wait_for_completion": True, "poke_interval": 1}
    run = TaskRun(MassDeleteTagsOperator(task_id="delete", **arguments))
    run.try_once()
    left = set(control.tags("Leads").values()) & set(tag_ids)
    assert not left  # noqa: S101 - what was counted must have been the delete
    tokens, polls, submissions = (len(control.requests(*what)) for what in (("/oauth",), (MASS_DELETE, "GET"), (MASS_DELETE, "POST")))
    modules = len(control.requests("settings/modules"))
    lists = len(control.requests("settings/tags", "GET")) - polls
    least = 1 + 1 + 2 + 2 * math.ceil(size / 200) if size else 0
    return size, tokens, modules, lists, submissions, polls, tokens + modules + lists + submissions + polls, least


if __name__ == "__main__":
    sys.exit(main())
