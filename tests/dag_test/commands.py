"""Runs ``airflow`` commands one after the other in this process, because most of a command's time is the start of Airflow.

Each line of stdin is an order: ``arguments``, ``env`` (the environment variables to set first), and ``outputs``, the files for stdout
and stderr of the command. Each line of stdout is the exit code of a command.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path

from airflow.__main__ import main


def run(arguments: list[str]) -> int:
    """Run a command as Python would run it, and return its exit code."""
    sys.argv = ["airflow", *arguments]
    try:
        main()
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(end.code)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except Exception:  # noqa: BLE001 - what Python does with an error that nobody catches
        traceback.print_exc()
        return 1
    return 0


def serve() -> None:
    """Carry out the orders until there are no more."""
    with os.fdopen(os.dup(1), "w") as answers:
        for line in sys.stdin:
            order = json.loads(line)
            os.environ.update(order["env"])
            for number, path in enumerate(order["outputs"], start=1):
                with Path(path).open("wb") as output:
                    os.dup2(output.fileno(), number)
            code = run(order["arguments"])
            sys.stdout.flush()
            sys.stderr.flush()
            print(code, file=answers, flush=True)


if __name__ == "__main__":
    serve()
