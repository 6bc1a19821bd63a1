"""A crowd of processes that start together: forked from a parent that has imported everything, released by one stroke.

That is how Airflow's LocalExecutor starts tasks, and it lets two cores bear a hundred of them. What a library makes for itself (client,
session, store) is made after the fork. Only the standard library, because it runs in the virtual environment of every library.

On stdin come orders, one JSON object a line; the answer to each is one JSON object. The end of stdin is the end of the program.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

FirstCall = Callable[[dict[str, Any]], int]
# longer than any library waits for its lock
_PATIENCE = 120.0
# what a library prints, also when it is imported, is no answer
_ANSWERS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def serve(first_call: FirstCall) -> None:
    """Answer orders: ``size`` processes make `first_call` together; it returns how many modules the org has.

    An answer holds the failed processes, the seconds until the last one was through, and a sample of the errors.
    """
    gc.freeze()  # what the parent holds is shared by the children, and need not be looked through by each
    for line in sys.stdin:
        order = json.loads(line)
        _ANSWERS.write(json.dumps(_run(int(order["size"]), first_call, order)) + "\n")
        _ANSWERS.flush()


def _run(size: int, first_call: FirstCall, order: dict[str, Any]) -> dict[str, Any]:
    ready, tell_ready = os.pipe()
    gate, open_gate = os.pipe()
    errors, tell_error = os.pipe()
    pids = []
    for _ in range(size):
        pid = os.fork()
        if not pid:
            os.close(open_gate)
            _wait_and_call(tell_ready, gate, tell_error, first_call, order)
        pids.append(pid)
    os.close(tell_error)
    os.close(gate)
    for _ in range(size):
        os.read(ready, 1)
    started = time.monotonic()
    os.close(open_gate)
    failed = _reap(pids, started + _PATIENCE)
    seconds = time.monotonic() - started
    said = os.read(errors, 4000).decode(errors="replace")
    for pipe in (ready, tell_ready, errors):
        os.close(pipe)
    return {"failed": failed, "seconds": seconds, "error": said.splitlines()[0] if said else ""}


def _wait_and_call(tell_ready: int, gate: int, tell_error: int, first_call: FirstCall, order: dict[str, Any]) -> None:
    code = 1
    try:
        os.write(tell_ready, b"x")
        os.read(gate, 1)
        if first_call(order) < 1:
            raise RuntimeError("no modules")  # noqa: TRY301 - counted like any other failure
        code = 0
    except BaseException as error:  # noqa: BLE001 - whatever it was, this process has failed
        os.set_blocking(tell_error, False)
        os.write(tell_error, f"{type(error).__name__}: {error!s:.200}\n".encode())
    finally:
        os._exit(code)


def _reap(pids: list[int], deadline: float) -> int:
    """Wait for all processes, kill those that outstay the deadline, and return how many failed."""
    failed = 0
    waiting = set(pids)
    while waiting:
        for pid in list(waiting):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            ended, status = os.waitpid(pid, 0 if time.monotonic() > deadline else os.WNOHANG)
            if ended:
                waiting.remove(pid)
                failed += status != 0
        time.sleep(0.005)
    return failed
