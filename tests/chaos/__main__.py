"""``python -m tests.chaos --runs 200``: as many runs with fresh seeds, or ``--seeds 7 8`` for known ones."""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.run import run_all


def main() -> int:
    """Run, print what does not hold, and return 1 if anything does not."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seeds", type=int, nargs="*")
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--folder", type=Path, help="where Airflow's home is kept afterwards")
    options = parser.parse_args()
    seeds = options.seeds or [secrets.randbelow(10**9) for _ in range(options.runs)]
    print(f"{len(seeds)} runs, seeds {' '.join(map(str, seeds))}", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="zcrm-chaos-") as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(exist_ok=True)
        problems = run_all(folder, seeds, options.at_once, lambda text: print(text, flush=True))
    print(f"{len(seeds)} runs in {time.monotonic() - started:.0f} s, {len(problems)} problems", *problems, sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
