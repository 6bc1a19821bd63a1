"""The processes of the demo: each in a process group of its own, with its output in a file, and all of them stopped in the end.

Airflow's components start workers of their own, so what is stopped is the group and every descendant. A file of process ids lets a
later run stop what an earlier one left; a process counts as ours only if it also started at the noted moment.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_SECONDS_TO_END = 8.0
_LOOK_EVERY = 0.25


class DemoFailed(Exception):
    """Something is not as it should be; the message says what."""


class Interrupted(Exception):
    """The user, or the system, has told the demo to end."""


@dataclass
class Component:
    """A running program."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path


class Processes:
    """Starts programs, watches them, and stops them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._components: list[Component] = []
        self._interrupted = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._interrupt)

    def _interrupt(self, *_: object) -> None:
        # only noted, because an exception in the middle of a start could lose a process
        self._interrupted = True

    def start(self, name: str, command: Sequence[str], env: Mapping[str, str]) -> Component:
        """Start a program in a session of its own, and note its id."""
        log = self._folder / f"{name}.log"
        with log.open("ab") as out:
            process = subprocess.Popen(
                command, env=env, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
            )
        component = Component(name, process, log)
        self._components.append(component)
        write_pids(self._folder, [c.process.pid for c in self._components])
        return component

    def kill(self, name: str) -> None:
        """Kill a program and all that it has started, as a machine that fails would."""
        component = next(each for each in self._components if each.name == name)
        self._components.remove(component)
        os.killpg(component.process.pid, signal.SIGKILL)
        component.process.wait()

    def run(self, name: str, command: Sequence[str], env: Mapping[str, str], seconds: float) -> None:
        """Run a program to its end."""
        component = self.start(name, command, env)
        self._components.remove(component)
        try:
            self.wait_until(lambda: component.process.poll() is not None, seconds, f"{name} to end")
        except BaseException:
            self._components.append(component)
            raise
        if component.process.returncode:
            raise DemoFailed(f"{name} ended with exit code {component.process.returncode}.")

    def wait_until(self, done: Callable[[], bool], seconds: float, what: str) -> None:
        """Look again and again until it is done; fails when a component dies or the time is over."""
        deadline = time.monotonic() + seconds
        while True:
            self.check()
            if done():
                return
            if time.monotonic() > deadline:
                raise DemoFailed(f"Waited {seconds:.0f} s for {what}, in vain.")
            time.sleep(_LOOK_EVERY)

    def check(self) -> None:
        """Raise if the demo shall end, or if a component has ended by itself."""
        if self._interrupted:
            raise Interrupted
        for component in self._components:
            code = component.process.poll()
            if code is not None:
                raise DemoFailed(f"The {component.name} has ended by itself, with exit code {code}.")

    def logs(self) -> list[Path]:
        """Return the log files, in the order in which the programs were started."""
        return sorted(self._folder.glob("*.log"), key=lambda path: path.stat().st_ctime)

    def stop(self) -> None:
        """Stop everything; a second Ctrl-C does not stop the stopping."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        stop_noted(self._folder)
        for component in self._components:
            component.process.wait()


def write_pids(folder: Path, pids: Sequence[int]) -> None:
    """Note processes with the moment of their start."""
    noted = []
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            noted.append({"pid": pid, "started": psutil.Process(pid).create_time()})
    new = folder / "pids.json.new"
    new.write_text(json.dumps(noted))
    new.replace(folder / "pids.json")


def stop_noted(folder: Path) -> int:
    """Stop the noted processes with all that they have started, and return how many programs still had something running."""
    file = folder / "pids.json"
    if not file.exists():
        return 0
    families = [_family(item["pid"], item["started"]) for item in json.loads(file.read_text())]
    everybody = {process for family in families for process in family}
    _send(signal.SIGTERM, everybody)
    _, alive = psutil.wait_procs(everybody, timeout=_SECONDS_TO_END)
    # what they may have started while they ended
    late = {process for item in json.loads(file.read_text()) for process in _family(item["pid"], item["started"])}
    _send(signal.SIGKILL, late.union(alive))
    psutil.wait_procs(late.union(alive), timeout=_SECONDS_TO_END)
    file.unlink()
    return sum(bool(family) for family in families)


def _send(number: signal.Signals, processes: Collection[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _family(pid: int, started: float) -> set[psutil.Process]:
    """Return a program, its descendants, and whatever is in its session, even if the program itself has died.

    Nothing if the process id is somebody else's by now.
    """
    family = set()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError, PermissionError):
            if process.pid == pid:
                if abs(process.create_time() - started) > 1.0:
                    return set()
                family |= {process, *process.children(recursive=True)}
            elif os.getsid(process.pid) == pid and process.status() != psutil.STATUS_ZOMBIE:
                family.add(process)
    return family
