"""The page of versions says what is pinned, and so what is tested."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_documented_versions_are_the_pinned_ones() -> None:
    pinned = {re.fullmatch(r"airflow-(.+)-py(.+)", path.stem).groups() for path in (ROOT / "constraints").glob("*.txt")}  # type: ignore[union-attr]
    rows = re.findall(r"^\| (\d+\.\d+\.\d+) \| ([\d., ]+) \|$", (ROOT / "docs" / "versions.md").read_text(), re.MULTILINE)
    assert {(airflow, python) for airflow, pythons in rows for python in pythons.split(", ")} == pinned


def test_constraints_are_plain() -> None:
    for path in (ROOT / "constraints").glob("*.txt"):
        assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+_-]+", line) for line in path.read_text().splitlines()), path
