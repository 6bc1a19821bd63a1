"""The probe finds the readings that are set: in rows in which every choice stands; in `make readings` also alone and in pairs."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_zcrm.emulator import readings_file
from airflow_provider_zcrm.emulator.minimal_seed import ALL_SCOPES
from airflow_provider_zcrm.emulator.probe.experiments import EXPERIMENTS
from airflow_provider_zcrm.emulator.probe.findings import BY_THE_WAY, NOT_ASKED
from airflow_provider_zcrm.emulator.readings import READINGS
from airflow_provider_zcrm.emulator.seeds import load_seed
from tests.emulator.probe.visitor import Visitor, start_again, state
from tests.readings import worlds

ASKED = sorted({*(name for one in EXPERIMENTS for name in one.readings), *BY_THE_WAY})
EVERYTHING = ("--second-module", "Contacts", "--provoke-429", "--provoke-throttle")
MOST_CHOICES = max(len(reading.choices) for reading in READINGS.values())
# each row has the next choice of every reading, so that every choice stands in one of them
ROWS = {f"row {row}": {name: READINGS[name].choices[row % len(READINGS[name].choices)] for name in READINGS} for row in range(MOST_CHOICES)}
WORLDS = ROWS | worlds()


def without_bulk_reads(seed: dict[str, Any]) -> None:
    seed["orgs"][0]["refresh_tokens"][0]["scopes"] = [scope for scope in ALL_SCOPES if "bulk" not in scope]


def test_each_reading_is_asked_or_it_is_said_why_not() -> None:
    assert {*ASKED, *NOT_ASKED} == READINGS.keys()
    assert not {*ASKED} & NOT_ASKED.keys()


def probed(visitor: Visitor, readings: dict[str, str]) -> dict[str, str]:
    visitor.control.readings(**readings)
    visitor.control.change_org(concurrency=3)
    before = state(visitor.control)

    assert visitor.probe(*EVERYTHING) == 0, visitor.text

    assert state(visitor.control) == before
    found: dict[str, str] = visitor.found()["readings"]
    return found


@pytest.mark.parametrize("scopes", ["all", "no bulk read"])
@pytest.mark.parametrize("world", WORLDS)
def test_it_finds_exactly_the_readings_that_were_set(visitor: Visitor, world: str, scopes: str) -> None:
    """A token without a scope shows how that is reported, but not what lies behind the scope."""
    readings = {name: reading.choices[0] for name, reading in READINGS.items()} | WORLDS[world]
    start_again(visitor.control, without_bulk_reads if scopes != "all" else lambda seed: None)

    found = probed(visitor, readings)

    hidden = {*BY_THE_WAY} if scopes == "all" else {"bulk_not_found_status"}
    assert found == {name: readings[name] for name in ASKED if name not in hidden}


def test_the_emulator_then_behaves_as_the_org(visitor: Visitor) -> None:
    """What a probe wrote, an emulator follows, and the next probe finds the same there."""
    visitor.control.readings(counts="at_end", gone_tag="accepted", unknown_job_status="404", merge_keeps="id")
    visitor.control.jobs(start_delay=4.0, duration=10.0, removal_lag=8.0)
    assert visitor.probe() == 0
    first = visitor.found()

    follower = load_seed("minimal")
    readings_file.apply(visitor.file, follower)
    start_again(visitor.control)
    visitor.control.readings(**follower.readings)
    visitor.control.jobs(**follower.job_defaults)
    assert visitor.probe() == 0

    second = visitor.found()
    assert first["readings"] == second["readings"]
    assert first["jobs"]["removal_lag"] > 0
    for name, seconds in first["jobs"].items():
        assert abs(second["jobs"][name] - seconds) <= 6, name
