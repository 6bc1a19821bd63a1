"""``python -m benchmarks.counts``: how long does it take to count the records of N tags, one call for each?

Zoho's smallest edition allows five calls at once, which is ``max_concurrency`` of a connection unless it says otherwise. The emulator
answers each call after a set time. The peer in the same run is the least that is possible: N x latency / max_concurrency.
Exit code 1 above 1.2 times that.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time

from rich.table import Table

# before anything imports Airflow
os.environ |= {"AIRFLOW_HOME": tempfile.mkdtemp(prefix="zcrm-counts-"), "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR", "NO_PROXY": "127.0.0.1"}

from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from airflow_provider_zcrm.hooks.zcrm import ZohoCrmHook
from airflow_provider_zcrm.tag_list import count_tags
from benchmarks.report import console, keep, spread, table
from tests.conftest import connection_json

TAGS, LATENCY, ROUNDS, MOST = 100, 0.2, 5, 1.2
HEADER = ("Calls at once", "Seconds for 100 counts of 200 ms", "The least", "Times the least")


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.counts", description=__doc__.partition("\n")[0])
    parser.add_argument("--no-readme", action="store_true", help="leave benchmarks/README.md as it is")
    options = parser.parse_args()
    rows, missed = [], False
    with EmulatorServer() as emulator:
        emulator.control.change_org(tags_per_module=1000)
        tag_ids = emulator.control.add_tags("Leads", [f"old {number}" for number in range(TAGS)])
        for at_once in (1, 5, 10):
            os.environ["AIRFLOW_CONN_ZOHO_CRM_DEFAULT"] = connection_json(emulator.url, max_concurrency=at_once)
            measured = [_seconds(emulator, tag_ids) for _ in range(ROUNDS if at_once > 1 else 1)]
            least = TAGS * LATENCY / at_once
            ratios = [seconds / least for seconds in measured]
            missed = missed or sorted(ratios)[len(ratios) // 2] > MOST
            rows.append([str(at_once), spread(measured, 1), f"{least:.1f}", spread(ratios)])
    shown: Table = table("Counting the records of tags", HEADER, rows)
    console().print(shown)
    if not options.no_readme:
        keep("counts.py", "median of five, smallest and largest in brackets", HEADER, rows)
    if missed:
        console().print(f"[bold red]Missed[/]: more than {MOST} times the least.")
    return int(missed)


def _seconds(emulator: EmulatorServer, tag_ids: list[str]) -> float:
    """Count all tags, with a client that has its token already, and return how long that takes."""
    client = ZohoCrmHook().get_conn()
    client.access_token()
    emulator.control.latency(LATENCY)
    started = time.monotonic()
    counts = count_tags(client, "Leads", tag_ids)
    seconds = time.monotonic() - started
    emulator.control.latency(0.0)
    assert len(counts) == TAGS  # noqa: S101 - what was timed must have been the counts
    return seconds


if __name__ == "__main__":
    sys.exit(main())
