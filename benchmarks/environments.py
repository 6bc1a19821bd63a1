"""The virtual environments of the others: one for each list of pins, made at the first time and again when the pins change."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from itertools import product
from pathlib import Path

VENVS = Path(__file__).resolve().parent.parent / ".venv-benchmarks"


class CannotMeasure(Exception):
    """A library cannot be measured here; the message says why."""


def peer_python(pins: Path, at_least: tuple[int, int] = (3, 11), *, over_airflow: bool = False) -> str:
    """Return the Python of an environment with these pins and nothing else.

    :param over_airflow: let it also see what this environment has, so that a peer runs on the very same Airflow.
    :raises CannotMeasure: it cannot be made here
    """
    folder = VENVS / pins.stem
    python = folder / "bin" / "python"
    done = folder / "installed.txt"
    if done.is_file() and done.read_text() == pins.read_text():
        return str(python)
    base = sys.executable if over_airflow else _python_of_at_least(at_least)
    try:
        _command(base, "-m", "venv", "--clear", folder)
        _command(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement", pins)
        _command(python, "-m", "compileall", "-q", folder / "lib")
    except subprocess.CalledProcessError as error:
        raise CannotMeasure(f"cannot be installed here: {error.stderr.strip()[-200:]}") from None
    if over_airflow:
        site_packages = next((folder / "lib").glob("python*/site-packages"))
        (site_packages / "airflow_of_the_project.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    done.write_text(pins.read_text())
    return str(python)


def _python_of_at_least(wanted: tuple[int, int]) -> str:
    if sys.version_info[:2] >= wanted:
        return sys.executable
    names = [f"python3.{minor}" for minor in (13, 12) if (3, minor) >= wanted]
    for name, place in product(names, os.get_exec_path()):
        found = shutil.which(name, path=place)
        # a name may be there without a Python behind it
        if found and subprocess.run([found, "--version"], capture_output=True, check=False).returncode == 0:  # noqa: S603
            return found
    raise CannotMeasure(f"needs Python {wanted[0]}.{wanted[1]}, and there is none on PATH")


def _command(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)  # noqa: S603 - our own
