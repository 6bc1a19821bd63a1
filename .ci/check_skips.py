"""Fail if pytest skipped a test that is not on the list: ``check_skips.py JUNIT_XML ALLOWED_SKIPS``.

A line of the list is ``<pattern of node ids> | <when> | <reason>``. `when` is ``always``; ``no-openapi``: only where Zoho's OpenAPI
files are absent; or ``before-airflow-3.2`` and
``before-airflow-3.3``: only in an environment with such an Airflow. A test that is expected to fail counts as skipped.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from fnmatch import fnmatchcase
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.contract.openapi_folder import FOLDER


def main(junit_xml: str, allowed_skips: str) -> int:
    """Print every skipped test with its reason and return the exit code."""
    patterns = list(_patterns(Path(allowed_skips)))
    skipped = list(_skipped(Path(junit_xml)))
    strangers = [(node, why) for node, why in skipped if not any(fnmatchcase(node, pattern) for pattern in patterns)]
    print(f"{len(skipped)} tests were skipped, {len(skipped) - len(strangers)} of them by the list {allowed_skips}.")
    for node, why in strangers:
        print(f"SKIPPED, and not on the list: {node}: {why}")
    return 1 if strangers else 0


def _patterns(file: Path) -> Iterator[str]:
    holds = {
        "always": True,
        "no-openapi": not (FOLDER.is_dir() and any(FOLDER.iterdir())),
        "before-airflow-3.2": _airflow() < (3, 2),
        "before-airflow-3.3": _airflow() < (3, 3),
    }
    for line in file.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        pattern, when, reason = (part.strip() for part in line.split("|", 2))
        if when not in holds or not reason:
            raise SystemExit(f"{file}: not '<pattern> | {' or '.join(holds)} | <reason>': {line}")
        if holds[when]:
            # the brackets of a parametrised test are no character class
            yield pattern.replace("[", "[[]")


def _airflow() -> tuple[int, ...]:
    return tuple(int(part) for part in version("apache-airflow").split(".")[:2])


def _skipped(file: Path) -> Iterator[tuple[str, str]]:
    for case in ET.parse(file).iter("testcase"):
        for skip in case.iter("skipped"):
            # a whole module that was skipped has no file, and its name is the module's
            where = case.get("file") or case.get("name", "").replace(".", "/") + ".py"
            parts = [where, *case.get("classname", "").split(".")[len(Path(where).with_suffix("").parts) :], case.get("name", "")]
            yield "::".join(part for part in parts if part), skip.get("message") or skip.get("type") or "no reason given"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
