"""The probe finds the readings that the emulator follows: each one alone, and all of a row of choices at once."""

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

ASKED = sorted({*(name for one in EXPERIMENTS for name in one.readings), *BY_THE_WAY})
EVERYTHING = ("--second-module", "Contacts", "--provoke-429", "--provoke-throttle")
MOST_CHOICES = max(len(reading.choices) for reading in READINGS.values())
ALONE = [(name, choice) for name in ASKED for choice in READINGS[name].choices[1:]]


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


@pytest.mark.parametrize("row", range(MOST_CHOICES))
def test_it_finds_a_whole_row_of_choices(visitor: Visitor, row: int) -> None:
    readings = {name: READINGS[name].choices[row % len(READINGS[name].choices)] for name in READINGS}
    start_again(visitor.control, without_bulk_reads if row % 2 else lambda seed: None)

    found = probed(visitor, readings)

    hidden = {"bulk_not_found_status"} if row % 2 else {*BY_THE_WAY}
    assert found == {name: readings[name] for name in ASKED if name not in hidden}


@pytest.mark.parametrize(("name", "choice"), ALONE)
def test_it_finds_a_reading_alone(visitor: Visitor, name: str, choice: str) -> None:
    start_again(visitor.control, without_bulk_reads if name in BY_THE_WAY else lambda seed: None)

    found = probed(visitor, {name: choice})

    assert (found[name], [other for other in found if other != name and found[other] != READINGS[other].choices[0]]) == (choice, [])


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
