"""docs/testing.md: the test that stands there runs as it stands, in an Airflow of its own, and a failing one shows the emulator's state."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.airflow_task import IS_AIRFLOW_2

PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
A_FAILING_ONE = """

def test_something_else_goes(zoho_crm):
    zoho_crm.connect("zoho_eu")
    zoho_crm.add_tags("Leads", ["webinar-2024-04"])
    clean_up.test()
    assert "hot" not in zoho_crm.tags("Leads")
"""


def test_the_test_of_the_page_runs_as_it_stands(tmp_path: Path) -> None:
    test, dag = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "my_dags").mkdir()
    (tmp_path / "my_dags" / "clean_up.py").write_text(dag)
    (tmp_path / "test_clean_up.py").write_text(test + A_FAILING_ONE)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTEST", "COV_"))} | {
        "AIRFLOW_HOME": str(tmp_path / "home"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path / "my_dags"),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "PYTHONPATH": str(tmp_path),
    }
    for command in [["db", "migrate"], *([["dags", "reserialize"]] if IS_AIRFLOW_2 else [])]:
        subprocess.run([sys.executable, "-m", "airflow", *command], env=env, cwd=tmp_path, capture_output=True, check=True, timeout=600)

    pytest = [sys.executable, "-m", "pytest", "-p", "no:randomly", "-p", "no:cacheprovider", "test_clean_up.py"]
    run = subprocess.run(pytest, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False)

    assert "1 failed, 1 passed" in run.stdout, run.stdout[-6000:]
    shown = run.stdout.partition("Captured Zoho CRM emulator teardown")[2]
    expected = PAGE.partition("Captured Zoho CRM emulator teardown")[2].splitlines()
    for line in expected[1:5]:
        assert line in shown, shown[:3000]
    assert all(path in shown for path in re.findall(r"(?:GET|POST) \S+", PAGE.partition("teardown")[2]))
