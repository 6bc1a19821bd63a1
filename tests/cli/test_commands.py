"""The commands as processes, in a real Airflow: what they ask, print, create and return."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from airflow.providers_manager import ProvidersManager
from coverage import Coverage

from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from tests.cli.conftest import CODE, Zoho
from tests.conftest import CLIENT_ID, CLIENT_SECRET

SELF_CLIENT = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "code": CODE, "scope": ["x"], "grant_type": "authorization_code"}
SECONDS = 600
ROOT = Path(__file__).parents[2]


def python() -> list[str]:
    """Return the command that runs a module, measured if this process is; pytest-cov adds up what lies beside its own data."""
    measured = ["coverage", "run", f"--rcfile={ROOT}/pyproject.toml", f"--data-file={ROOT}/.coverage", "--parallel-mode", "-m"]
    return [sys.executable, "-m", *(measured if Coverage.current() else [])]


@dataclass
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str


class Airflow:
    """An Airflow home with a database of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_CONN")},
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
            "AIRFLOW__ZOHO_CRM__TOKEN_DIRECTORY": str(home / "tokens"),
            "COLUMNS": "200",
        }

    def run(self, *arguments: str, stdin: Any = None, zoho: Zoho | None = None, module: str = "airflow_provider_zcrm", **env: str) -> Done:
        """Run a command with JSON as its stdin, to its end."""
        done = subprocess.run(
            [*python(), module, *arguments],
            input="" if stdin is None else json.dumps(stdin),
            env={**self.environment, **(zoho.environment if zoho else {}), **env},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str, stdin: Any, zoho: Zoho, **env: str) -> Any:
        """Start a command with JSON as its stdin."""
        process = subprocess.Popen(
            [*python(), "airflow_provider_zcrm", *arguments],
            env={**self.environment, **zoho.environment, **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            # a shell that starts tests in the background has told them to ignore it
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        assert process.stdin
        process.stdin.write(json.dumps(stdin))
        process.stdin.close()
        return process

    def connections(self) -> list[str]:
        """Return the ids of the connections in the database."""
        with sqlite3.connect(self.home / "airflow.db") as database:
            return [row[0] for row in database.execute("select conn_id from connection")]


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Airflow:
    made = Airflow(tmp_path_factory.mktemp("airflow"))
    assert made.run("db", "migrate", module="airflow").code == 0
    return made


def test_a_file_from_zohos_console_becomes_a_connection_in_airflow_that_check_finds_good(zoho: Zoho, airflow: Airflow) -> None:
    zoho.seed("eu", "sandbox")

    made = airflow.run("connect", "zoho_eu", "--credentials", "-", "--output", "json", stdin=SELF_CLIENT, zoho=zoho)

    assert made.code == 0
    # Airflow 3.1 logs what alembic has set up
    assert not [line for line in made.err.splitlines() if "[alembic" not in line]
    told = json.loads(made.out)
    assert told["delivered"] == "The connection zoho_eu is created in Airflow."
    assert (told["data_center"], told["environment"], told["org"]) == ("eu", "sandbox", {"name": "Zylker", "zgid": "808232144"})
    assert zoho.tokens_issued() == 1
    assert "zoho_eu" in airflow.connections()
    checked = airflow.run("check", "zoho_eu", zoho=zoho)
    assert checked.code == 0
    assert checked.out == ""
    assert "✓  data center" in checked.err
    assert CLIENT_SECRET not in made.out + checked.err
    assert CODE not in made.out + checked.err
    assert CLIENT_SECRET not in (airflow.home / "airflow.db").read_bytes().decode(errors="replace")


def test_a_connection_that_is_there_is_not_replaced_unless_asked_and_no_code_is_used_up_on_it(zoho: Zoho, airflow: Airflow) -> None:
    old = {"conn_type": "zoho_crm", "login": "other", "extra": {"data_center": "eu", "max_concurrency": 3}}
    assert airflow.run("connections", "add", "taken", "--conn-json", json.dumps(old), module="airflow").code == 0
    again = {**SELF_CLIENT, "code": zoho.control.grant_code()}
    before = len(zoho.control.requests("/oauth"))

    refused = airflow.run("connect", "taken", "--credentials", "-", stdin=again, zoho=zoho)
    assert (refused.code, refused.out) == (2, "")
    assert "Airflow has a connection taken already. --replace" in refused.err
    assert len(zoho.control.requests("/oauth")) == before

    replaced = airflow.run("connect", "taken", "--replace", "--credentials", "-", stdin=again, zoho=zoho)
    assert replaced.code == 0
    assert "The connection taken is replaced in Airflow. Of the old one stays: max_concurrency=3." in replaced.err
    assert airflow.connections().count("taken") == 1
    exported = airflow.home / "connections.json"
    assert airflow.run("connections", "export", str(exported), module="airflow").code == 0
    new = json.loads(exported.read_text())["taken"]
    extra = json.loads(new["extra"])
    assert (new["login"], extra["data_center"], extra["max_concurrency"]) == (CLIENT_ID, "us", 3)
    assert airflow.run("check", "taken", zoho=zoho).code == 0


def test_a_connection_with_hosts_of_its_own_keeps_them_and_its_secrets_go_nowhere_else(
    zoho: Zoho, airflow: Airflow, emulator_server: EmulatorServer
) -> None:
    url = emulator_server.url
    extra = {"accounts_url": url, "api_url": f"{url}/", "data_center": "eu", "environment": "sandbox"}
    old = {"conn_type": "zoho_crm", "login": "other", "extra": extra}
    assert airflow.run("connections", "add", "own", "--conn-json", json.dumps(old), module="airflow").code == 0
    zoho.seed("eu", "sandbox")

    done = airflow.run("connect", "own", "--replace", "--credentials", "-", stdin=SELF_CLIENT, zoho=zoho)

    assert done.code == 0
    assert f"Of the old one stays: accounts_url={url}, api_url={url}." in done.err
    assert zoho.asked() == []
    exported = airflow.home / "own.json"
    assert airflow.run("connections", "export", str(exported), module="airflow").code == 0
    kept = json.loads(json.loads(exported.read_text())["own"]["extra"])
    assert {name: kept[name] for name in extra} == {**extra, "api_url": url}


def test_of_two_at_once_for_one_id_the_second_fails_and_keeps_what_it_has(zoho: Zoho, airflow: Airflow, tmp_path: Path) -> None:
    zoho.control.fault("slow", "/crm", seconds=6, times=2)
    orders = [{**SELF_CLIENT, "code": zoho.control.grant_code()} for _ in range(2)]
    both = [airflow.start("connect", "both", "--credentials", "-", stdin=order, zoho=zoho, TMPDIR=str(tmp_path)) for order in orders]
    codes = sorted(process.wait(SECONDS) for process in both)

    assert codes == [0, 1]
    assert airflow.connections().count("both") == 1
    (kept,) = tmp_path.glob("zoho-crm-connection-both-*.json")
    assert json.loads(kept.read_text())["extra"]["refresh_token"]
    said = "".join(process.stderr.read() for process in both)
    assert "somebody else has just created a connection both" in said
    assert str(kept) in said
    assert json.loads(kept.read_text())["extra"]["refresh_token"] not in said


@pytest.mark.parametrize(
    ("number", "where"),
    [
        (signal.SIGINT, "/oauth/v2/token"),
        (signal.SIGTERM, "/oauth/v2/token"),
        (signal.SIGINT, "/crm"),
        (signal.SIGTERM, "/crm"),
        (signal.SIGKILL, "/crm"),
    ],
)
def test_a_killed_command_leaves_what_the_code_brought(
    zoho: Zoho, airflow: Airflow, tmp_path: Path, number: signal.Signals, where: str
) -> None:
    zoho.control.fault("slow", where, seconds=6, after=1 if "oauth" in where else 0)
    process = airflow.start("connect", "killed", "--credentials", "-", stdin=SELF_CLIENT, zoho=zoho, TMPDIR=str(tmp_path))
    deadline = time.monotonic() + SECONDS
    while zoho.control.faults()[0]["used"] == 0:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(number)

    assert process.wait(SECONDS) == (-9 if number == signal.SIGKILL else 130)
    (kept,) = tmp_path.glob("zoho-crm-connection-killed-*.json")
    assert kept.stat().st_mode & 0o777 == 0o600
    assert json.loads(kept.read_text())["extra"]["refresh_token"]
    assert str(kept) in process.stderr.read()
    assert "killed" not in airflow.connections()


def test_without_a_database_nothing_is_asked_of_zoho(zoho: Zoho, airflow: Airflow, tmp_path: Path) -> None:
    nowhere = {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path}/none/airflow.db"}
    refused = airflow.run("connect", "--credentials", "-", stdin=SELF_CLIENT, zoho=zoho, **nowhere)
    assert refused.code == 2
    assert "metadata database does not answer" in refused.err
    assert "--to json --file" in refused.err
    assert zoho.asked() == []


# --- at a terminal -----------------------------------------------------------------------------------------------------------


class AtTerminal:
    """A command with a terminal of its own, at which a person reads and types."""

    def __init__(self, arguments: list[str], environment: Mapping[str, str]) -> None:
        self.shown = ""
        self._seen = 0
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            # a shell that starts tests in the background has told them to ignore it
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.execve(sys.executable, [*python(), "airflow_provider_zcrm", *arguments], {**environment, "TERM": "dumb"})

    def read_until(self, words: str) -> None:
        """Read what is shown until some words are there."""
        deadline = time.monotonic() + SECONDS
        while words not in self.shown[self._seen :]:
            assert time.monotonic() < deadline, self.shown
            self._read()
        self._seen = self.shown.index(words, self._seen) + len(words)

    def type(self, words: str) -> None:
        os.write(self._terminal, f"{words}\n".encode())

    def interrupt(self) -> None:
        """Press Ctrl-C until it is heard: Python misses one that comes just before it waits for input."""
        deadline = time.monotonic() + SECONDS
        while "Interrupted." not in self.shown:
            assert time.monotonic() < deadline, self.shown
            os.write(self._terminal, b"\x03")
            again = time.monotonic() + 3
            while "Interrupted." not in self.shown and time.monotonic() < again:
                self._read()

    def end(self) -> int:
        """Read to the end, and return the exit code."""
        while self._read():
            pass
        _, status = os.waitpid(self._pid, 0)
        os.close(self._terminal)
        return os.waitstatus_to_exitcode(status)

    def _read(self) -> bool:
        if not select.select([self._terminal], [], [], 1)[0]:
            return True
        try:
            more = os.read(self._terminal, 4096).decode(errors="replace")
        except OSError:
            return False
        self.shown += more
        return bool(more)


def test_a_person_is_asked_for_everything_and_shown_no_secret(zoho: Zoho, airflow: Airflow) -> None:
    zoho.seed("eu")
    terminal = AtTerminal(["connect", "typed"], {**airflow.environment, **zoho.environment})
    terminal.read_until("eu  crm.zoho.eu")
    terminal.read_until("Data center")
    terminal.type("us")
    terminal.read_until("https://api-console.zoho.com")
    terminal.read_until("Client ID")
    terminal.type(CLIENT_ID)
    terminal.read_until("Client secret")
    terminal.type(CLIENT_SECRET)
    terminal.read_until("Zoho knows this client in the data center eu, not in us.")
    terminal.read_until("https://api-console.zoho.eu")
    terminal.read_until("ZohoCRM.settings.modules.READ,ZohoCRM.settings.tags.READ,ZohoCRM.settings.tags.DELETE,ZohoCRM.org.READ")
    terminal.read_until("Code (not shown)")
    terminal.type("1000.a-code-that-has-expired")
    terminal.read_until("does not accept the grant code: it has expired")
    terminal.read_until("Code (not shown)")
    terminal.type(CODE)
    assert terminal.end() == 0
    assert "The connection typed is created in Airflow." in terminal.shown
    assert "typed" in airflow.connections()
    assert CLIENT_SECRET not in terminal.shown
    assert CODE not in terminal.shown


def test_a_terminal_is_not_shown_the_connection_unless_asked(zoho: Zoho, airflow: Airflow, tmp_path: Path) -> None:
    file = tmp_path / "self_client.json"
    file.write_text(json.dumps(SELF_CLIENT))
    environment = {**airflow.environment, **zoho.environment}
    refused = AtTerminal(["connect", "--to", "json", "--credentials", str(file)], environment)
    assert refused.end() == 2
    assert "stdout is a terminal" in refused.shown
    assert zoho.asked() == []
    shown = AtTerminal(["connect", "--to", "json", "--file", "-", "--credentials", str(file)], environment)
    assert shown.end() == 0
    assert '"refresh_token"' in shown.shown


def test_who_interrupts_gets_the_usual_code(airflow: Airflow) -> None:
    terminal = AtTerminal(["connect", "interrupted"], airflow.environment)
    terminal.read_until("Data center")
    terminal.interrupt()
    assert terminal.end() == 130
    assert "interrupted" not in airflow.connections()


# --- airflow zoho-crm ----------------------------------------------------------------------------------------------------------


def test_airflow_has_the_commands_as_its_own(zoho: Zoho, airflow: Airflow) -> None:
    if not hasattr(ProvidersManager, "initialize_providers_cli_command"):
        pytest.skip("Airflow takes commands of providers from 3.2 on")
    group = airflow.run("zoho-crm", "--help", module="airflow")
    assert group.code == 0
    assert "connect" in group.out
    assert "check" in group.out
    one = airflow.run("zoho-crm", "connect", "--help", module="airflow")
    assert "--credentials" in one.out
    assert "Exit codes: 0 all is well" in " ".join(one.out.split())
    done = airflow.run("zoho-crm", "check", "nobody", "--output", "json", module="airflow")
    assert done.code == 1
    assert json.loads(done.out)["findings"][0]["subject"] == "connection"
