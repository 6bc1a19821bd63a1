"""The promise of docs/reliability.md, with a journal (Airflow 3.3+) and without, and what it excludes, tested as excluded.

`make readings` tests the promise in every reading of Zoho's documents, alone and in pairs; what is excluded may be otherwise there.
"""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.operators.mass_delete_tags import MassDeleteTagsOperator
from airflow_provider_zcrm.rules import poll_schedule, tag_deletion
from airflow_provider_zcrm.rules.errors import TagsLeftBehind
from airflow_provider_zcrm.triggers import polling
from tests.airflow_task import TaskRun
from tests.readings import worlds

MASS_DELETE = "settings/tags/actions/mass_delete"
HOT, COLD = "2276164000001021041", "2276164000001021042"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tag_deletion, "LIST_FOLLOWS", (0.2, 0.6, 1.2))
    monkeypatch.setattr(polling, "_FIRST_EVENT_SECONDS", 0.0)
    monkeypatch.setattr(poll_schedule, "SHORTEST_INTERVAL", 0.05)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if not metafunc.function.__name__.startswith("test_excluded"):
        metafunc.parametrize("in_readings", worlds().values(), ids=worlds().keys(), indirect=True)


@pytest.fixture(autouse=True)
def in_readings(request: pytest.FixtureRequest, emulator: Control) -> None:
    emulator.readings(**getattr(request, "param", {}))


@pytest.fixture(params=[True, False], ids=["journal", "no journal"])
def journal(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def run(journal: bool, *, settle: float = 2.0, unknown_job_grace: float = 60.0, **arguments: Any) -> TaskRun:
    defaults: dict[str, Any] = {"task_id": "delete", "module": "Leads", "poke_interval": 0.1, "retries": 2}
    task = MassDeleteTagsOperator(**(defaults | arguments))
    return TaskRun(task, state=journal, settle=settle, unknown_job_grace=unknown_job_grace)


def accepted(emulator: Control) -> list[list[str]]:
    return [job["items"] for job in emulator.counters()["jobs"]]


@pytest.mark.smoke
def test_a_retry_does_not_submit_again(emulator: Control, journal: bool) -> None:
    emulator.jobs(start_delay=0.5, duration=0.5)
    task = run(journal, tag_names=["hot", "cold"])
    task.try_once()
    task.try_once()
    assert accepted(emulator) == [[HOT, COLD]]


def test_a_clear_while_the_job_runs_does_not_submit_again(emulator: Control, journal: bool) -> None:
    emulator.jobs(start_delay=0.5, duration=0.5)
    task = run(journal, tag_names=["hot", "cold"], wait_for_completion=True, deferrable=True)
    task.start()
    task.clear()
    task.try_once()
    assert accepted(emulator) == [[HOT, COLD]]


def test_a_clear_after_success_finds_nothing_to_do(emulator: Control, journal: bool) -> None:
    task = run(journal, tag_names=["hot"], wait_for_completion=True, missing_tags="skip")
    task.try_once()
    task.clear()
    assert task.try_once() == []
    assert accepted(emulator) == [[HOT]]


def test_a_clear_after_a_failure_sends_only_what_was_left(emulator: Control, journal: bool) -> None:
    emulator.next_jobs(1, failing=["cold"])
    task = run(journal, tag_names=["hot", "cold"], wait_for_completion=True)
    with pytest.raises(TagsLeftBehind):
        task.try_once()
    task.clear()
    task.try_once()
    assert accepted(emulator) == [[HOT, COLD], [COLD]]


@pytest.mark.smoke
@pytest.mark.parametrize("fault", ["drop_after", "cut_json"])
def test_an_answer_that_is_lost_is_not_followed_by_a_second_submission(emulator: Control, journal: bool, fault: str) -> None:
    emulator.jobs(start_delay=0.5, duration=0.5)
    emulator.fault(fault, MASS_DELETE, method="POST")
    run(journal, tag_names=["hot", "cold"], wait_for_completion=True).try_once()
    assert accepted(emulator) == [[HOT, COLD]]


def test_a_job_that_shows_up_late_is_waited_for(emulator: Control, journal: bool) -> None:
    emulator.jobs(appears_after=0.5, start_delay=0.6, duration=0.2)
    assert len(run(journal, tag_names=["hot"], wait_for_completion=True, deferrable=True).try_once()) == 1


def test_a_job_that_zoho_forgets_is_judged_by_the_list(emulator: Control, journal: bool) -> None:
    emulator.jobs(start_delay=0.2, duration=0.2, forgotten_after=0.3)
    task = run(journal, tag_names=["hot"], wait_for_completion=True, unknown_job_grace=0.5)
    (job_id,) = task.try_once()
    assert task.ti.xcoms["report"][0] | {"state": ""} == task.ti.xcoms["report"][0] | {"id": job_id, "state": ""}
    assert "hot" not in emulator.tags("Leads")


# --- what the promise excludes ------------------------------------------------------------------------------------------


def test_excluded_two_runs_at_once_submit_the_same_tag_and_the_second_job_only_fails_to_find_it(emulator: Control, journal: bool) -> None:
    emulator.jobs(start_delay=0.3, duration=0.3)
    first = run(journal, tag_names=["hot"], wait_for_completion=True, deferrable=True)
    second = run(journal, tag_names=["hot"], wait_for_completion=True, deferrable=True)
    first.start()
    second.start()
    first.resume()
    second.resume()
    assert accepted(emulator) == [[HOT], [HOT]]
    assert second.ti.xcoms["report"][0]["failed"] == 1
    assert set(emulator.tags("Leads")) == {"cold", "VIP", "webinar-2024-03", "do-not-call"}


def test_excluded_an_unconfirmed_job_that_starts_after_settle_is_doubled(emulator: Control, journal: bool) -> None:
    emulator.jobs(start_delay=3.0, duration=0.1)
    emulator.fault("drop_after", MASS_DELETE, method="POST")
    run(journal, tag_names=["hot"], settle=1.0).try_once()
    assert accepted(emulator) == [[HOT], [HOT]]


def test_excluded_without_a_journal_a_retry_resolves_names_anew(emulator: Control) -> None:
    task = run(False, tag_names=["hot"], settle=0.5, wait_for_completion=True)
    task.try_once()
    new = emulator.add_tags("Leads", ["hot"])
    task.try_once()
    assert accepted(emulator) == [[HOT], new]
