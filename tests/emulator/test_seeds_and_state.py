"""Seeds, the state file, the command line."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_zcrm.emulator import __main__
from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from airflow_provider_zcrm.emulator.minimal_seed import CLIENT, REFRESH_TOKEN
from airflow_provider_zcrm.emulator.model import State
from airflow_provider_zcrm.emulator.seeds import load_seed
from tests.emulator.user import User


def ids_of(state: State) -> list[str]:
    modules = [module for org in state.orgs.values() for module in org.modules]
    return [item for module in modules for item in (module.id, *module.tags, *module.records, *module.custom_views)]


@pytest.mark.parametrize("seed", ["demo", "minimal", "empty"])
def test_ids_have_19_digits_the_prefix_of_their_org_and_are_unique(seed: str) -> None:
    state = load_seed(seed)

    ids = ids_of(state)

    prefixes = tuple(org.id_prefix for org in state.orgs.values())
    assert all(len(item) == 19 and item.isdecimal() and item.startswith(prefixes) for item in ids)
    assert len(set(ids)) == len(ids)


def test_the_demo_is_the_same_on_every_start() -> None:
    assert load_seed("demo") == load_seed("demo")


def test_the_demo_has_a_few_hundred_tags_on_thousands_of_records() -> None:
    production = next(iter(load_seed("demo").orgs.values()))
    modules = {module.api_name: module for module in production.modules}
    tags = [tag for module in production.modules for tag in module.tags.values()]
    names = {tag.name for tag in tags}

    assert len(tags) > 250
    assert sum(len(module.records) for module in production.modules) > 15_000
    assert {"webinar-2024-03", "hot", "VIP", "do-not-call", "test", "TEST", "asdf", "Sarahs list"} <= names
    assert all(len(tag.name) <= 25 for tag in tags)
    assert any(tag.features for tag in tags)
    assert max(tag.created_time for tag in tags) - min(tag.created_time for tag in tags) > 900 * 24 * 3600
    assert modules[None].generated_type == "web"
    assert not modules["Forecasts"].tags_supported
    assert modules["Site_Surveys"].generated_type == "custom"
    assert all(len(module.tags) <= 200 for module in production.modules)


def test_a_seed_can_be_a_file(tmp_path: Path) -> None:
    path = tmp_path / "seed.json"
    seed = {"orgs": [{"zgid": "1234567890", "modules": [{"api_name": "Leads", "tags": ["a"], "records": [{"tags": ["a"]}]}]}]}
    path.write_text(json.dumps(seed))

    (org,) = load_seed(str(path)).orgs.values()

    (tag_id,) = org.modules[0].tags
    assert list(org.modules[0].records.values()) == [[tag_id]]
    assert tag_id.startswith("1234567")


@pytest.mark.parametrize(
    "seed",
    [
        "nonsense",
        {"orgs": [{"zgid": "1234567", "edition": "Platinum"}]},
        {"orgs": [{"zgid": "1234567", "data_center": "mars"}]},
        {"orgs": [], "readings": {"nonsense": "on"}},
        {"orgs": [], "jobs": {"outcome": "nonsense"}},
    ],
)
def test_a_bad_seed_is_refused(seed: str | dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"seed|edition|data_center|reading|outcome"):
        load_seed(seed)


def test_the_state_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with EmulatorServer("minimal", state_file=path) as server:
        server.control.freeze()
        server.control.jobs(start_delay=10, duration=100)
        server.control.readings(counts="absent")
        user = User(server)
        user.log_in()
        job_id = user.submit("hot", "cold").json()["details"]["job_id"]
        server.control.advance(60)
        assert user.job(job_id)["status"] == "RUNNING"

    with EmulatorServer("empty", state_file=path) as server:
        server.control.freeze()
        user.server = server
        assert user.job(job_id) == {"job_id": job_id, "status": "RUNNING"}
        server.control.advance(60)
        assert user.job(job_id)["status"] == "COMPLETED"
        assert user.tag_names() == ["VIP", "webinar-2024-03", "do-not-call"]
        assert server.control.overview()["jobs"]["duration"] == 100


def test_a_change_is_in_the_state_file_before_it_is_answered(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with EmulatorServer("minimal", state_file=path) as server:
        user = User(server)
        user.log_in()
        job_id = user.submit("hot").json()["details"]["job_id"]

        assert job_id in json.loads(path.read_text())["orgs"]["808232144"]["jobs"]


def test_the_command_line_starts_it_and_sigterm_ends_it_cleanly(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "airflow_provider_zcrm.emulator", "--port", "0", "--seed", "minimal"]
    command += ["--state-file", str(tmp_path / "state.json")]
    (tmp_path / "readings.json").write_text('{"readings": {"counts": "absent"}, "jobs": {"removal_lag": 7}, "for people": "a note"}')
    command += ["--readings", str(tmp_path / "readings.json")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ})
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        url = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert url is not None
        assert all(part in line for part in (*CLIENT.values(), REFRESH_TOKEN))
        overview = Control(url.group()).overview()
        assert overview["orgs"] == ["808232144"]
        assert (overview["readings"]["counts"], overview["readings"]["created_time"]) == ("absent", "off")
        assert (overview["jobs"]["removal_lag"], overview["jobs"]["duration"]) == (7, 0.15)
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(20)
        process.stdout.close()
    assert code == 0
    assert (tmp_path / "state.json").is_file()


def test_a_bad_seed_ends_the_command_with_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(["--seed", "nonsense"]) == 2

    assert "no seed 'nonsense'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "content", "said"),
    [
        ("--seed", '{"orgs": [{}]}', "seed FILE: KeyError: 'zgid'"),
        ("--seed", "[]", "seed FILE: AttributeError"),
        ("--seed", '{"orgs": [', "seed FILE: JSONDecodeError"),
        ("--state-file", "{", "state file FILE: JSONDecodeError"),
        ("--readings", "{", "readings FILE: JSONDecodeError"),
        ("--readings", "[]", "readings FILE: ValueError: a JSON object"),
        ("--readings", '{"readings": []}', "readings FILE: ValueError: readings is a JSON object"),
        ("--readings", '{"readings": {"count": "absent"}}', "readings FILE: ValueError: no reading 'count'"),
        ("--readings", '{"readings": {"counts": "none"}}', "readings FILE: ValueError: reading 'counts' is one of"),
        ("--readings", '{"jobs": {"outcome": "failed"}}', "readings FILE: ValueError: jobs takes appears_after"),
        ("--readings", '{"jobs": {"duration": "4"}}', "readings FILE: ValueError: the times under jobs are seconds"),
        ("--readings", '{"jobs": {"duration": -4}}', "readings FILE: ValueError: a job's times are seconds of 0 or more"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, option: str, content: str, said: str
) -> None:
    path = tmp_path / "broken.json"
    path.write_text(content)

    assert __main__.main([option, str(path)]) == 2

    assert f"cannot start: {said.replace('FILE', str(path))}" in capsys.readouterr().err


def test_a_port_in_use_ends_the_command_with_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with EmulatorServer("empty") as server:
        port = server.url.rpartition(":")[2]

        assert __main__.main(["--seed", "empty", "--port", port]) == 2

    assert capsys.readouterr().err == f"cannot start: port {port} is in use; give --port\n"
