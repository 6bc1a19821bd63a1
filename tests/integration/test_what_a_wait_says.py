"""What a wait for jobs says when its time is over, in each way of waiting."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowSensorTimeout

from airflow_provider_zcrm.api.errors import UnexpectedAnswer
from airflow_provider_zcrm.api.mass_delete import submit_tags
from airflow_provider_zcrm.client.retries import RetryPolicy
from airflow_provider_zcrm.deletion.wait_for_jobs import poll_until_ended
from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.hooks.errors import ZohoCrmFailure
from airflow_provider_zcrm.hooks.zcrm import ZohoCrmHook
from airflow_provider_zcrm.rules import job_watch, poll_schedule
from airflow_provider_zcrm.rules.errors import DeadlineReached
from airflow_provider_zcrm.sensors.mass_delete_job import MassDeleteJobSensor
from airflow_provider_zcrm.triggers import polling
from airflow_provider_zcrm.triggers.job_wait import JobWait
from tests.airflow_task import TaskRun

STATUS = "settings/tags/actions/mass_delete"
WAYS = ["operator's worker", "poke", "deferrable"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the trigger fire at once, and poll quickly."""
    monkeypatch.setattr(polling, "_FIRST_EVENT_SECONDS", 0.0)
    monkeypatch.setattr(poll_schedule, "SHORTEST_INTERVAL", 0.05)


def submit() -> str:
    return ZohoCrmHook().get_conn().send(submit_tags("Leads", "2276164000000000125", ["2276164000001021041"]))


def wait(way: str, job_id: str, seconds: float) -> None:
    """Wait in one of the ways until the time is over."""
    if way == "operator's worker":
        jobs, started = [{"kind": "tags", "id": job_id, "module": "Leads"}], time.time()
        times = {"started_at": started, "deadline": started + seconds, "poke_interval": 0.2}
        client = ZohoCrmHook(retries=RetryPolicy(until=started + seconds)).get_conn()
        poll_until_ended(client, JobWait(zoho_crm_conn_id="zoho_crm_default", jobs=jobs, **times))
    mode: dict[str, Any] = {"deferrable": True} if way == "deferrable" else {"mode": way}
    TaskRun(MassDeleteJobSensor(task_id="wait", job_id=job_id, poke_interval=0.2, timeout=seconds, **mode)).try_once()


@pytest.mark.parametrize("way", WAYS)
def test_a_wait_that_was_refused_says_how_often_it_asked_and_what_was_answered(emulator: Control, way: str) -> None:
    job_id = submit()
    emulator.fault("status", STATUS, times=None, status=403, body={})

    with pytest.raises((AirflowSensorTimeout, DeadlineReached)) as caught:
        wait(way, job_id, 2.0)

    said = str(caught.value)
    assert re.search(rf"job {job_id} without a status, asked [1-9]\d* times?; last answer: HTTP 403", said)
    assert "not asked yet" not in said


@pytest.mark.parametrize("way", [*WAYS, "reschedule"])
def test_a_wait_for_a_job_that_goes_on_says_what_it_said_last(emulator: Control, way: str) -> None:
    emulator.jobs(start_delay=60)
    job_id = submit()

    with pytest.raises((AirflowSensorTimeout, DeadlineReached), match=rf"job {job_id} SCHEDULED.*, asked [1-9]\d* times?"):
        wait(way, job_id, 0.0 if way == "reschedule" else 1.0)


def test_one_and_the_same_refusal_ends_a_deferred_wait_before_its_time(emulator: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_watch, "_REFUSED_SECONDS", 0.0)
    monkeypatch.setattr(poll_schedule, "_FAILURE_CEILING", 0.05)
    emulator.jobs(start_delay=60)
    job_id = submit()
    emulator.fault("status", STATUS, times=None, status=403, body={})

    with pytest.raises(ZohoCrmFailure, match="same answer at 10 polls in a row") as caught:
        wait("deferrable", job_id, 60.0)

    assert isinstance(caught.value.__cause__, UnexpectedAnswer)
    # one by the worker, before it deferred
    assert len([entry for entry in emulator.requests(STATUS, "GET") if entry["status"] == 403]) == 1 + 10


def test_a_rejected_token_does_not_end_a_wait_and_a_404_without_a_body_makes_a_job_unknown(emulator: Control) -> None:
    emulator.jobs(start_delay=0.0, duration=0.0)
    job_id = submit()
    emulator.fault("status", STATUS, status=401, body={"data": {"errorCode": "INVALID_OAUTHTOKEN"}})
    emulator.fault("status", STATUS, status=404, body=None)
    wait("deferrable", job_id, 20.0)
    assert [entry["status"] for entry in emulator.requests(STATUS, "GET")] == [401, 404, 200]
