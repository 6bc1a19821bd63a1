"""The page of versions says what is pinned, and so what is tested."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]


def test_the_documented_versions_are_the_pinned_ones() -> None:
    pinned = {re.fullmatch(r"airflow-(.+)-py(.+)", path.stem).groups() for path in (ROOT / "constraints").glob("*.txt")}  # type: ignore[union-attr]
    rows = re.findall(r"^\| (\d+\.\d+\.\d+) \| ([\d., ]+) \|$", (ROOT / "docs" / "versions.md").read_text(), re.MULTILINE)
    assert {(airflow, python) for airflow, pythons in rows for python in pythons.split(", ")} == pinned


def test_constraints_are_plain() -> None:
    for path in (ROOT / "constraints").glob("*.txt"):
        assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+_-]+", line) for line in path.read_text().splitlines()), path


NEWEST = max((path.stem.split("-")[1] for path in (ROOT / "constraints").glob("*.txt")), key=Version)


@pytest.mark.parametrize("path", sorted((ROOT / "constraints").glob("*.txt")), ids=lambda path: path.stem)
def test_everything_that_is_asked_for_is_pinned_of_the_newest_airflow_every_extra(path: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    chosen = extras.values() if NEWEST in path.stem else [extras["test"]]
    asked = {canonicalize_name(Requirement(line).name) for lines in (project["dependencies"], *chosen) for line in lines} - {
        project["name"]
    }

    assert asked <= {canonicalize_name(line.partition("==")[0]) for line in path.read_text().splitlines()}
