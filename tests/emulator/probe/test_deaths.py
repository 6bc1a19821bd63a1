"""A run that dies at any of its calls is cleaned up by its prefix; ``READINGS=all`` lets it die at every one."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from airflow_provider_zcrm.emulator.probe.calls import Calls, Reply
from tests.emulator.probe.visitor import ORG, Visitor, connection_to, start_again, state

# Of the calls of a run; the last of the ten is in its clean-up
CALLS = range(7, 111) if os.environ.get("READINGS") == "all" else (8, 15, 17, 26, 33, 48, 59, 71, 90, 105)


class Killed(BaseException):
    """The process is no more: nothing follows, not even a clean-up."""


def die_at(monkeypatch: pytest.MonkeyPatch, number: int, *, answered: bool) -> None:
    """Let the run end at its call with this number: before the call goes out, or after the server did it."""
    send = Calls._send

    async def dying(self: Calls, method: str, url: str, **options: Any) -> Reply:
        if self.made >= number:
            raise Killed
        reply = await send(self, method, url, **options)
        if self.made == number and not answered:
            raise Killed
        return reply

    monkeypatch.setattr(Calls, "_send", dying)


def prefix_of(text: str) -> str:
    found = re.search(r"--clean-up (zprobe-[a-z0-9]{10}-) --module Leads --second-module Contacts", text)
    assert found is not None, text
    return found[1]


@pytest.mark.parametrize("number", CALLS)
def test_a_run_that_is_killed_is_cleaned_up_by_its_prefix(visitor: Visitor, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    before = state(visitor.control)
    with monkeypatch.context() as killing:
        die_at(killing, number, answered=bool(number % 2))
        with pytest.raises(Killed):
            visitor.probe("--second-module", "Contacts")
    prefix = prefix_of(visitor.text)

    assert visitor.probe("--clean-up", prefix, "--second-module", "Contacts") == 0, visitor.text

    assert state(visitor.control) == before


def test_a_run_that_fails_cleans_up_by_itself(visitor: Visitor) -> None:
    before = state(visitor.control)
    visitor.control.fault("drop_after", "", method="POST", after=4, times=3)

    assert visitor.probe() == 0, visitor.text

    assert state(visitor.control) == before


def test_what_a_job_still_holds_is_gone_in_the_end(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed right after its submission, while the job waits for its turn."""
    visitor.control.jobs(start_delay=30.0, duration=30.0, removal_lag=10.0)
    before = state(visitor.control)
    with monkeypatch.context() as killing:
        die_at(killing, 70, answered=True)
        with pytest.raises(Killed):
            visitor.probe("--second-module", "Contacts")
    assert visitor.control.counters()["jobs"] != []

    assert visitor.probe("--clean-up", prefix_of(visitor.text), "--second-module", "Contacts") == 0, visitor.text

    visitor.control.advance(100)
    assert state(visitor.control) == before


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_process_that_is_ended(visitor: Visitor, end: signal.Signals) -> None:
    """A real one. Only SIGKILL leaves something behind."""
    start_again(visitor.control)
    visitor.control.unfreeze()
    visitor.control.jobs(start_delay=60.0)
    before = state(visitor.control)
    connection = visitor.folder / "connection.json"
    connection.write_text(json.dumps(connection_to(visitor.server.url)))
    command = [sys.executable, "-m", "airflow_provider_zcrm.emulator.probe", "--credentials", str(connection), "--yes"]
    process = subprocess.Popen(
        command,
        cwd=visitor.folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # a shell that starts tests in the background lets them ignore it
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(f"{ORG}\n")
        process.stdin.flush()
        deadline = time.monotonic() + 60
        while not visitor.control.counters()["jobs"]:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(end)
        said = process.stdout.read()
        code = process.wait(60)
    finally:
        process.kill()
        process.wait()
    left = state(visitor.control) != before

    assert (code, left) == ((-9, True) if end is signal.SIGKILL else (1, False))
    if left:
        (prefix,) = set(re.findall(r"--clean-up (zprobe-[a-z0-9]{10}-)", said))
        visitor.control.freeze()
        assert visitor.probe("--clean-up", prefix) == 0, visitor.text
    assert state(visitor.control) == before
