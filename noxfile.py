# /// script
# requires-python = ">=3.11"
# dependencies = ["nox[uv]==2026.8.17"]
#
# [tool.uv]
# exclude-newer = "2026-09-18T00:00:00Z"
# ///
"""Every Airflow that people run, with every Python that it allows: ``make matrix``; the pairs are those of constraints/.

In each pair stands what users install, the wheel, and the tests come from what distributions build from, the sdist; of the source
tree nothing is used. ``make`` has built both into dist/. nox has an environment of its own, because its virtualenv does not go
beside the newest filelock.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ET
from pathlib import Path

import nox

from tests.contract.openapi_folder import FOLDER

ROOT = Path(__file__).parent
TREE = ROOT / "build" / "matrix" / "tree"
REPORTS = ROOT / "build" / "reports" / "matrix"
PAIRS = sorted(
    (re.fullmatch(r"airflow-(.+)-py(.+)", path.stem).groups() for path in (ROOT / "constraints").glob("*.txt")),  # type: ignore[union-attr]
    key=lambda pair: [[int(part) for part in version.split(".")] for version in pair],
)
CHOSEN = [pair for pair in PAIRS if re.search(os.environ.get("ONLY", ""), "airflow-{}-py{}".format(*pair))]
# these need the `dev` extra or start a whole Airflow of the newest version
NOT_IN_THE_MATRIX = {"browser", "chaos", "docs", "e2e", "schemathesis", "sdk"}

nox.options.sessions = ["matrix"]
nox.options.error_on_missing_interpreters = True
if shutil.which("pyenv"):
    # it hides every Python but one
    known = subprocess.run(["pyenv", "versions", "--bare"], capture_output=True, text=True, check=False).stdout
    os.environ["PYENV_VERSION"] = ":".join(line for line in known.split() if re.fullmatch(r"3\.1[1-3]\.\d+", line))


def name(airflow: str, python: str) -> str:
    """Return what a pair is called."""
    return f"{airflow}-py{python}"


@nox.session(venv_backend="none")
def tree(_: nox.Session) -> None:
    """Unpack the sdist, without the package: tests that find it all the same have it from the wheel, which is kept beside it."""
    (sdist,) = (ROOT / "dist").glob("*.tar.gz")
    (wheel,) = (ROOT / "dist").glob("*.whl")
    shutil.rmtree(TREE.parent, ignore_errors=True)
    with tarfile.open(sdist) as archive:
        top = archive.getnames()[0].partition("/")[0]
        archive.extractall(TREE.parent, filter="data")
    (TREE.parent / top).rename(TREE)
    shutil.rmtree(TREE / "airflow_provider_zcrm")
    shutil.copy2(wheel, TREE.parent)


@nox.session(venv_backend="uv", reuse_venv=True, requires=["tree"])
@nox.parametrize("python,airflow", [nox.param(python, airflow, id=name(airflow, python)) for airflow, python in CHOSEN])
def matrix(session: nox.Session, airflow: str) -> None:
    """Test one pair; what stands behind -- goes to pytest."""
    pair = name(airflow, str(session.python))
    (wheel,) = TREE.parent.glob("*.whl")
    report = REPORTS / f"{pair}.xml"
    report.unlink(missing_ok=True)
    constraint = ROOT / "constraints" / f"airflow-{pair}.txt"
    session.install("--quiet", "--constraint", constraint, "--reinstall-package", "airflow-provider-zcrm", f"{wheel}[test]")
    tests = session.posargs if any(argument.startswith("tests") for argument in session.posargs) else [*_folders(), *session.posargs]
    session.chdir(TREE)
    session.run("python", "-m", "pytest", f"--junitxml={report}", *tests, env={"ZOHO_OAS_DIR": str(FOLDER)})
    session.run("python", ROOT / ".ci" / "check_skips.py", report, "tests/allowed_skips.txt", env={"ZOHO_OAS_DIR": str(FOLDER)})


def _folders() -> list[str]:
    found = {path.name for path in (TREE / "tests").iterdir() if path.is_dir() and not path.name.startswith(("_", "."))}
    return [f"tests/{folder}" for folder in sorted(found - NOT_IN_THE_MATRIX)]


def print_table(report: Path) -> None:
    """Print what became of each pair."""
    print(f"\n{'Airflow':10}{'Python':8}{'result':12}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}")
    for session in json.loads(report.read_text())["sessions"]:
        found = re.fullmatch(r"matrix\((.+)-py(.+)\)", session["signatures"][0])
        if found:
            passed, failed, skipped = _counts(REPORTS / f"{name(*found.groups())}.xml")
            airflow, python = found.groups()
            seconds = session.get("duration") or 0
            print(f"{airflow:10}{python:8}{session['result']:12}{passed:>8}{failed:>8}{skipped:>9}{seconds:>9.0f}")


def _counts(report: Path) -> tuple[int, int, int]:
    if not report.exists():
        return 0, 0, 0
    (suite,) = ET.parse(report).getroot().iter("testsuite")
    count = {key: int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")}
    failed = count["failures"] + count["errors"]
    return count["tests"] - failed - count["skipped"], failed, count["skipped"]


if __name__ == "__main__":
    REPORTS.mkdir(parents=True, exist_ok=True)
    told = REPORTS / "sessions.json"
    told.unlink(missing_ok=True)
    sys.argv[1:1] = ["--report", str(told)]
    try:
        nox.main()
    finally:
        if told.exists():
            print_table(told)
