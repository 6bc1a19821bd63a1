"""Every code block of the documentation runs: Python in one namespace per page, shell commands in one script, JSON is JSON.

What stands in a block without a language, or in ``text``, is output or a sketch.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from tests.conftest import connection_json

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "example_dags"
# tests/emulator/test_the_guide.py runs the first, with its server and its orders; tests/dag_test/test_users_own_test.py the other
PAGES_WITH_TESTS_OF_THEIR_OWN = ("emulator.md", "testing.md")
PAGES = sorted(
    page
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    if page.name not in PAGES_WITH_TESTS_OF_THEIR_OWN
)
# What would install into this environment, run the suite within the suite, or never end: looked at instead.
# `connect` and the probe ask a person, which their own tests do; here their options must be known.
PRELUDE = """
set -euo pipefail
pip() { test "$1" = install; }
make() { command make -C "$ROOT" --dry-run --no-print-directory "$@" > /dev/null; }
python() {
  if [ "$2" = airflow_provider_zcrm.emulator ]; then set -- -m airflow_provider_zcrm.emulator --help; fi
  if [ "$2" = airflow_provider_zcrm.emulator.probe ]; then set -- "$@" --help; fi
  if [ "$3" = connect ] && [ "${!#}" != - ]; then set -- "$@" --help; fi
  command python "$@"
}
airflow() {
  if [ "$1 $2" = "zoho-crm connect" ]; then set -- "$@" --help; fi
  command airflow "$@"
}
"""


def blocks(page: Path, language: str) -> list[str]:
    found = re.findall(rf"^ *```{language}\n(.*?)^ *```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [re.sub(r'--8<-- "(.*?)"', lambda name: (EXAMPLES / name[1]).read_text(encoding="utf-8"), block) for block in found]


def with_block(language: str) -> list[Path]:
    return [page for page in PAGES if blocks(page, language)]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def test_a_block_says_what_it_is_in_words_that_are_known() -> None:
    languages = {
        language for page in PAGES for language in re.findall(r"^ *```([a-z0-9-]+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert languages <= {"python", "bash", "json", "text", "ini", "console"}


@pytest.mark.parametrize("page", with_block("python"), ids=name)
def test_the_python_of_a_page_runs(page: Path, emulator: Control, capsys: pytest.CaptureFixture[str]) -> None:
    emulator.seed("demo")
    scope: dict[str, object] = {"__name__": "page"}
    for block in blocks(page, "python"):
        exec(compile(block, name(page), "exec"), scope)


@pytest.mark.parametrize("page", with_block("json"), ids=name)
def test_the_json_of_a_page_is_json(page: Path) -> None:
    for block in blocks(page, "json"):
        json.loads(block)


@pytest.mark.parametrize("page", with_block("bash"), ids=name)
def test_the_commands_of_a_page_run(
    page: Path, emulator: Control, emulator_server: EmulatorServer, airflow_env: dict[str, str], tmp_path: Path
) -> None:
    script = PRELUDE + "\n".join(blocks(page, "bash"))
    emulator.seed("minimal" if "--seed minimal" in script else "demo")
    emulator.jobs(start_delay=0.1, duration=0.2)
    script = re.sub(r"http://127\.0\.0\.1:80\d\d|https://accounts\.zoho\.com", emulator_server.url, script)
    script = script.replace("file:///tmp/", f"file://{tmp_path}/")
    connection = connection_json(emulator_server.url)
    env = airflow_env | {"AIRFLOW_CONN_ZOHO_CRM_DEFAULT": connection, "AIRFLOW_CONN_ZOHO_EU": connection}

    run = subprocess.run(["bash", "-c", script], env=env, cwd=env["AIRFLOW_HOME"], capture_output=True, text=True, timeout=600, check=False)

    assert run.returncode == 0, f"{run.stdout[-2000:]}\n{run.stderr[-4000:]}"


@pytest.fixture(scope="module")
def airflow_env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a fresh Airflow with the example DAGs, and with this Python first in the path."""
    home = tmp_path_factory.mktemp("airflow")
    env = {key: value for key, value in os.environ.items() if not key.startswith("AIRFLOW")} | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(EXAMPLES),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "ROOT": str(ROOT),
    }
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], env=env, capture_output=True, check=True, timeout=600)
    return env
