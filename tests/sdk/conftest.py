"""The virtual environment of Zoho's SDK: its pinned versions must not meet ours. Made once, and reused until the pins change."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
FOLDER = Path(__file__).parents[2] / ".venv-sdk"
INSTALLED = FOLDER / "installed.txt"


@pytest.fixture(scope="session")
def sdk_python() -> Path:
    """Return the interpreter that can import the SDK; skips where it cannot be installed, except in CI."""
    python = FOLDER / "bin" / "python"
    if INSTALLED.is_file() and INSTALLED.read_text() == REQUIREMENTS.read_text():
        return python
    try:
        _run(sys.executable, "-m", "venv", "--clear", str(FOLDER))
        _run(str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--requirement", str(REQUIREMENTS))
    except subprocess.CalledProcessError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"Zoho's SDK cannot be installed here: {error.stderr[-300:]}")
    INSTALLED.write_text(REQUIREMENTS.read_text())
    return python


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
