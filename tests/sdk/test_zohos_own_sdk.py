"""Zoho's own Python SDK as a client of the emulator: nobody here wrote it, so it shares none of our misreadings."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def emulator() -> Iterator[EmulatorServer]:
    """An emulator for the SDK: it follows the api_domain of the token response, and sends ids as JSON numbers."""
    with EmulatorServer("minimal") as server:
        server.control.change_org(api_domain=server.url)
        server.control.readings(request_ids="numbers_too")
        yield server


def run_sdk(python: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [python, "-m", "tests.sdk.mass_delete_with_sdk", folder, *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=600, check=False)


def test_zohos_sdk_deletes_tags_of_the_emulator(emulator: EmulatorServer, sdk_python: Path, tmp_path: Path) -> None:
    run = run_sdk(sdk_python, tmp_path, emulator.url, "hot", "VIP")

    assert run.returncode == 0, run.stderr
    seen: dict[str, Any] = json.loads(run.stdout)
    assert list(seen["before"]) == ["hot", "cold", "VIP", "webinar-2024-03", "do-not-call"]
    assert seen["states"][-1] == ["COMPLETED", 2, 2, 0]
    assert {state[0] for state in seen["states"]} <= {"SCHEDULED", "RUNNING", "COMPLETED"}
    assert list(seen["after"]) == ["cold", "webinar-2024-03", "do-not-call"]
    (job,) = emulator.control.counters()["jobs"]
    assert job["job_id"] == seen["job_id"]
    assert job["items"] == ["2276164000001021041", "2276164000001021043"]


def test_zohos_sdk_understands_the_emulators_refusal(emulator: EmulatorServer, sdk_python: Path, tmp_path: Path) -> None:
    emulator.control.seed("minimal")
    emulator.control.change_org(api_domain=emulator.url)

    run = run_sdk(sdk_python, tmp_path, emulator.url, "hot")

    assert run.returncode == 1
    assert "AssertionError: invalid data" in run.stderr
    assert emulator.control.counters()["jobs"] == []
