"""docs/emulator.md: its tables name what there is, and its commands and its example run."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from airflow_provider_zcrm.emulator.faults import KINDS
from airflow_provider_zcrm.emulator.readings import READINGS
from airflow_provider_zcrm.emulator.seeds import load_seed
from tests.emulator.user import User

GUIDE = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


@pytest.mark.parametrize("name", READINGS)
def test_the_guide_has_the_reading(name: str) -> None:
    choices = ", ".join(f"`{choice}`" for choice in READINGS[name].choices)

    assert f"| `{name}` | {choices} | {READINGS[name].about} |" in GUIDE


@pytest.mark.parametrize("kind", KINDS)
def test_the_guide_has_the_fault(kind: str) -> None:
    assert f"| `{kind}` |" in GUIDE


def test_the_commands_of_the_guide_run(user: User) -> None:
    script = "\n".join(blocks("bash")[1:]).replace("http://127.0.0.1:8087", user.server.url).replace("curl -s", "curl -sf --noproxy '*'")

    run = subprocess.run(["bash", "-e", "-c", script], capture_output=True, text=True, timeout=60, check=False)

    assert run.returncode == 0, run.stdout + run.stderr
    assert script.count("curl") == 28
    assert '"name": "hot"' in run.stdout


def test_the_seed_of_the_guide_loads() -> None:
    (org,) = load_seed(json.loads(blocks("json")[0])).orgs.values()

    assert [tag.name for tag in org.modules[0].tags.values()] == ["hot", "used"]


def test_the_example_of_the_guide_runs() -> None:
    exec(compile(blocks("python")[0], "docs/emulator.md", "exec"), {})
