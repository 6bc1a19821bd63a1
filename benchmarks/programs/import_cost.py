"""Imports modules in a fork of a process that has imported ``airflow.sdk``, and tells what that cost. Standard library only.

On stdin come module names, one list a line; the answer to each is one JSON object. The end of stdin is the end of the program.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import time

# what every DAG file has
from airflow.sdk import DAG, BaseHook, BaseOperator, BaseSensorOperator, task  # noqa: F401


def _import(names: list[str]) -> dict[str, object]:
    before = set(sys.modules)
    wall, cpu = time.perf_counter(), time.process_time()
    for name in names:
        importlib.import_module(name)
    cost = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    return {**cost, "modules": sorted(set(sys.modules) - before)}


def main() -> None:
    """Answer until stdin ends."""
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            sys.stdout.write(json.dumps(_import(line.split())) + "\n")
            sys.stdout.flush()
            os._exit(0)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
