"""The types of the package as a user's mypy sees them, through ``py.typed``; in `make matrix` it is the wheel that is looked at."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_a_users_dag_is_clean_under_mypy_strict(tmp_path: Path) -> None:
    dag = Path(__file__).with_name("user_dag.py")
    (tmp_path / "mypy.ini").write_text("[mypy]\n")
    # what mypy knows of Airflow is kept for the next run
    cache = Path(__file__).parents[2] / ".mypy_cache" / "user_dag"
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", "mypy.ini", "--cache-dir", str(cache), str(dag)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.startswith("Success: no issues found"), done.stdout + done.stderr
