"""`MassDeleteJobSensor` against the emulator: alike in poke, reschedule and deferrable mode."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowSensorTimeout, AirflowSkipException, AirflowTaskTimeout, Asset, TaskDeferred
from airflow.triggers import base as airflow_triggers
from airflow.triggers.base import TaskSuccessEvent

from airflow_provider_zcrm.api.errors import JobNotFound, ScopeMissing, TooManyRequests
from airflow_provider_zcrm.api.mass_delete import submit_records_by_view, submit_tags
from airflow_provider_zcrm.client import retries
from airflow_provider_zcrm.client.tokens import forget_tokens
from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.hooks import settings, triggerer
from airflow_provider_zcrm.hooks.errors import ZohoCrmFailure
from airflow_provider_zcrm.hooks.zcrm import ZohoCrmHook
from airflow_provider_zcrm.rules import job_watch, poll_schedule
from airflow_provider_zcrm.rules.errors import JobFailed
from airflow_provider_zcrm.rules.poll_schedule import PollSchedule
from airflow_provider_zcrm.sensors.mass_delete_job import MassDeleteJobSensor
from airflow_provider_zcrm.triggers import polling
from tests.airflow_task import TaskRun, fire, rebuilt

try:
    from airflow.sdk.exceptions import AirflowRescheduleException
except ImportError:
    from airflow.exceptions import AirflowRescheduleException

MASS_DELETE = "settings/tags/actions/mass_delete"
LEADS_ID = "2276164000000000125"
HOT, COLD = "2276164000001021041", "2276164000001021042"
MODES = {"poke": {"mode": "poke"}, "reschedule": {"mode": "reschedule"}, "deferrable": {"deferrable": True}}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the trigger fire at once: no scheduler has to note the deferral first."""
    monkeypatch.setattr(polling, "_FIRST_EVENT_SECONDS", 0.0)
    monkeypatch.setattr(poll_schedule, "SHORTEST_INTERVAL", 0.05)


@pytest.fixture(params=list(MODES))
def mode(request: pytest.FixtureRequest) -> dict[str, Any]:
    return MODES[request.param]


def submit(*tag_ids: str) -> str:
    return ZohoCrmHook().get_conn().send(submit_tags("Leads", LEADS_ID, tag_ids or (HOT, COLD)))


def wait(
    mode: dict[str, Any], job_id: Any, between: Callable[[], None] = lambda: None, *, unknown_job_grace: float = 0.5, **arguments: Any
) -> Any:
    """Run a sensor to its end, through all its pokes, and return its value.

    :param between: what happens after each poke of a rescheduled sensor.
    """
    defaults: dict[str, Any] = {"task_id": "wait", "poke_interval": 0.1, "timeout": 20}
    run = TaskRun(MassDeleteJobSensor(job_id=job_id, **(defaults | mode | arguments)), unknown_job_grace=unknown_job_grace)
    while True:
        try:
            return run.try_once()
        except AirflowRescheduleException:
            run.ti.first_reschedule = run.ti.first_reschedule or run.ti.start_date
            run.ti.try_number -= 1
            between()


def report(job_id: str, **changes: Any) -> dict[str, Any]:
    done = {"kind": "tags", "module": None, "state": "COMPLETED", "total": 2, "deleted": 2, "failed": 0}
    return {"id": job_id, **done, **changes}


@pytest.mark.smoke
def test_a_job_is_waited_for_and_reported(emulator: Control, mode: dict[str, Any]) -> None:
    job_id = submit()
    assert wait(mode, job_id) == [report(job_id)]


def test_several_jobs_are_reported_in_their_order(emulator: Control, mode: dict[str, Any]) -> None:
    emulator.next_jobs(1, start_delay=0.0, duration=0.0)
    emulator.next_jobs(1, start_delay=0.5, duration=0.2)
    quick, slow = submit(HOT), submit(COLD)
    assert wait(mode, [[slow], [quick]]) == [report(slow, total=1, deleted=1), report(quick, total=1, deleted=1)]


def test_an_empty_list_is_done_at_once_without_a_call(emulator: Control, mode: dict[str, Any]) -> None:
    assert wait(mode, []) == []
    assert emulator.requests() == []


def test_a_job_of_records_is_waited_for(emulator: Control, mode: dict[str, Any]) -> None:
    job_id = ZohoCrmHook().get_conn().send(submit_records_by_view("Leads", "2276164000000538003"))
    expected = report(job_id, kind="records", module="Leads", total=4, deleted=4)
    assert wait(mode, job_id, kind="records", module="Leads") == [expected]


@pytest.mark.parametrize("word", ["in_progress", "QUEUED", "SUSPENDED"])
def test_a_state_that_nobody_documents_means_go_on(emulator: Control, mode: dict[str, Any], word: str) -> None:
    emulator.readings(running_word=word)
    job_id = submit()
    assert wait(mode, job_id) == [report(job_id)]


def test_a_status_without_counts_is_understood(emulator: Control, mode: dict[str, Any]) -> None:
    emulator.readings(counts="absent")
    job_id = submit()
    assert wait(mode, job_id) == [report(job_id, total=None, deleted=None, failed=None)]


def test_a_failed_job_fails_the_task_for_good_with_counts(emulator: Control, mode: dict[str, Any]) -> None:
    emulator.next_jobs(1, outcome="failed")
    with pytest.raises(ZohoCrmFailure, match=r"FAILED \(1 deleted, 1 failed of 2\)") as caught:
        wait(mode, submit())
    assert isinstance(caught.value.__cause__, JobFailed)
    assert caught.value.advice


def test_a_partial_failure_fails_or_is_ignored_as_asked(emulator: Control, mode: dict[str, Any]) -> None:
    emulator.jobs(failing=["cold"])
    with pytest.raises(ZohoCrmFailure, match="left something behind"):
        wait(mode, submit())
    emulator.seed("minimal")
    emulator.jobs(failing=["cold"])
    assert wait(mode, submit(), on_partial_failure="ignore")[0]["failed"] == 1


def test_a_failed_delete_is_skipped_with_soft_fail(emulator: Control, mode: dict[str, Any]) -> None:
    emulator.next_jobs(1, outcome="failed")
    with pytest.raises(AirflowSkipException):
        wait(mode, submit(), soft_fail=True)


@pytest.mark.smoke
def test_the_timeout_ends_the_sensor_as_airflow_means_it(emulator: Control, mode: dict[str, Any]) -> None:
    emulator.jobs(start_delay=60)
    job_id = submit()
    with pytest.raises(AirflowSensorTimeout):
        wait(mode, job_id, timeout=0.6)
    with pytest.raises(AirflowSkipException):
        wait(mode, job_id, timeout=0.6, soft_fail=True)


def test_the_execution_timeout_holds_while_deferred(emulator: Control) -> None:
    emulator.jobs(start_delay=60)
    with pytest.raises(AirflowTaskTimeout, match="execution_timeout is over"):
        wait(MODES["deferrable"], submit(), execution_timeout=timedelta(seconds=0.6))


@pytest.mark.parametrize(
    "job_id", ["['10001', '10002']", "null", "", None, "1234", "123456789012345678901", "١٢٣٤٥٦", 1.5, True, {"job": "10001"}]
)
def test_a_malformed_job_id_fails_at_once_without_a_call(emulator: Control, mode: dict[str, Any], job_id: Any) -> None:
    with pytest.raises(ZohoCrmFailure, match=r"not the id of a job|job_id holds None: it came out empty"):
        wait(mode, job_id)
    assert emulator.requests() == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"kind": "leads"}, "kind"),
        ({"kind": "records"}, "module"),
        ({"kind": "records", "module": "None"}, "module"),
        ({"on_partial_failure": "skip"}, "on_partial_failure"),
    ],
)
def test_bad_arguments_are_refused(emulator: Control, mode: dict[str, Any], arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ZohoCrmFailure, match=said):
        wait(mode, "10001", **arguments)
    assert emulator.requests() == []


@pytest.mark.parametrize("nesting", ["1", "2"])
def test_a_job_that_zoho_does_not_know_fails_after_the_grace(emulator: Control, mode: dict[str, Any], nesting: str) -> None:
    emulator.readings(unknown_job_nesting=nesting)
    started = datetime.now(UTC)
    with pytest.raises(ZohoCrmFailure, match="99999") as caught:
        wait(mode, "99999", unknown_job_grace=0.7)
    assert isinstance(caught.value.__cause__, JobNotFound)
    assert datetime.now(UTC) - started >= timedelta(seconds=0.7)


@pytest.mark.parametrize("reading", ["400", "404"])
def test_an_unknown_job_of_records_fails_after_the_grace(emulator: Control, mode: dict[str, Any], reading: str) -> None:
    emulator.readings(records_unknown_job=reading)
    with pytest.raises(ZohoCrmFailure, match="99999"):
        wait(mode, "99999", kind="records", module="Leads")


def test_a_job_that_shows_up_late_is_waited_for(emulator: Control, mode: dict[str, Any]) -> None:
    emulator.next_jobs(1, appears_after=0.6, start_delay=0.7, duration=0.3)
    job_id = submit()
    assert wait(mode, job_id, unknown_job_grace=5.0) == [report(job_id)]


FAULTS = {
    "429": {
        "kind": "status",
        "status": 429,
        "body": {"code": "TOO_MANY_REQUESTS", "details": {}, "message": "slow down", "status": "error"},
    },
    "500": {"kind": "status", "status": 500},
    "html": {"kind": "html"},
    "drop": {"kind": "drop_before"},
    "cut": {"kind": "cut_json"},
    "evicted": {"kind": "evict_token"},
    "204": {"kind": "empty_204"},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_passing_fault_never_fails_a_deferred_wait(emulator: Control, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    monkeypatch.setattr(PollSchedule, "after_failures", lambda self, failures, **_: 0.1)
    job_id = submit()
    emulator.fault(path=MASS_DELETE, times=3 if fault != "evicted" else 1, **FAULTS[fault])
    assert wait(MODES["deferrable"], job_id) == [report(job_id)]
    assert emulator.faults()[0]["used"] >= 1


def test_a_worker_gives_up_a_429_retryably(emulator: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "RetryPolicy", partial(retries.RetryPolicy, give_up_after=0.5, first=0.05))
    job_id = submit()
    emulator.fault(path=MASS_DELETE, times=None, **FAULTS["429"])
    with pytest.raises(TooManyRequests):
        wait(MODES["poke"], job_id)


def test_a_missing_scope_fails_a_deferred_wait_within_one_poll(emulator: Control) -> None:
    job_id = submit()
    emulator.fault(
        "status",
        MASS_DELETE,
        after=1,
        times=None,
        status=401,
        body={"code": "OAUTH_SCOPE_MISMATCH", "details": {}, "message": "Unauthorized", "status": "error"},
    )
    emulator.jobs(start_delay=60)
    with pytest.raises(ZohoCrmFailure, match=r"ZohoCRM\.settings\.tags\.READ") as caught:
        wait(MODES["deferrable"], job_id)
    assert isinstance(caught.value.__cause__, ScopeMissing)
    assert len(emulator.requests(MASS_DELETE, "GET")) == 2


def test_a_revoked_refresh_token_fails_a_deferred_wait_within_one_poll(emulator: Control) -> None:
    emulator.jobs(start_delay=60)
    job_id = submit()
    emulator.fault("evict_token", MASS_DELETE, after=1)
    emulator.fault("status", "/oauth/v2/token", times=None, status=200, body={"error": "invalid_code"})
    with pytest.raises(ZohoCrmFailure, match="refresh token"):
        wait(MODES["deferrable"], job_id)


def test_a_trigger_that_starts_again_goes_on_where_the_other_was(emulator: Control) -> None:
    emulator.jobs(start_delay=0.4, duration=0.2)
    run = TaskRun(MassDeleteJobSensor(task_id="wait", job_id=submit(), deferrable=True, poke_interval=0.1))
    run.start()
    assert run.resume() == run.resume()


def test_a_trigger_past_its_deadline_fires_at_once(emulator: Control) -> None:
    emulator.jobs(start_delay=60)
    run = TaskRun(MassDeleteJobSensor(task_id="wait", job_id=submit(), deferrable=True, poke_interval=5, timeout=30))
    run.start()
    assert run.deferred is not None
    run.deferred.trigger.wait = replace(run.deferred.trigger.wait, deadline=0.0)
    with pytest.raises(AirflowSensorTimeout, match="timeout is over"):
        run.resume()


@pytest.mark.parametrize("event", [None, {}, {"v": 2, "kind": "mass_delete_jobs"}, {"v": 1, "kind": "something"}])
def test_an_event_that_is_not_understood_fails_loudly(event: Any) -> None:
    sensor = MassDeleteJobSensor(task_id="wait", job_id="1")
    with pytest.raises(ZohoCrmFailure, match="same version"):
        sensor.execute_complete({}, event)


def test_the_trigger_carries_no_secret(emulator: Control) -> None:
    emulator.jobs(start_delay=60)
    run = TaskRun(MassDeleteJobSensor(task_id="wait", job_id=submit(), deferrable=True))
    run.start()
    assert run.deferred is not None
    text = str(run.deferred.trigger.serialize())
    assert "emulator-secret" not in text
    assert "1000." not in text


def deferred(emulator: Control, run: TaskRun) -> TaskDeferred:
    """Let the task of a fresh job defer, and return with what. The clock must be frozen since the submission; now it goes on."""
    run.start()
    emulator.unfreeze()
    assert run.deferred is not None
    return run.deferred


def finished(emulator: Control, job_id: Any, **arguments: Any) -> Any:
    """Return what the trigger of a sensor fires that may finish in the triggerer."""
    defaults: dict[str, Any] = {"task_id": "wait", "deferrable": True, "poke_interval": 0.1, "finish_in_triggerer": True}
    run = TaskRun(MassDeleteJobSensor(job_id=job_id, **(defaults | arguments)))
    return asyncio.run(fire(rebuilt(deferred(emulator, run).trigger)))


def test_a_trigger_ends_the_task_if_it_may_and_all_went_well(emulator: Control) -> None:
    emulator.freeze()
    emulator.next_jobs(1, start_delay=0.0, duration=0.0)
    quick, slow = submit(HOT), submit(COLD)
    event = finished(emulator, [quick, slow])
    assert isinstance(event, TaskSuccessEvent)
    assert event.xcoms == {"return_value": [report(quick, total=1, deleted=1), report(slow, total=1, deleted=1)]}
    emulator.freeze()
    assert finished(emulator, submit("2276164000001021043"), do_xcom_push=False).xcoms == {}


@pytest.mark.parametrize(
    ("plan", "arguments"),
    [({"outcome": "failed"}, {}), ({"failing": ["cold"]}, {"on_partial_failure": "ignore"}), ({"start_delay": 60}, {"timeout": 0.5})],
)
def test_every_other_end_goes_through_the_worker(emulator: Control, plan: dict[str, Any], arguments: dict[str, Any]) -> None:
    emulator.freeze()
    emulator.jobs(**plan)
    event = finished(emulator, submit(), **arguments)
    assert event.payload["kind"] == "mass_delete_jobs"


@pytest.mark.parametrize(
    ("why", "arguments"),
    [
        ("the task has outlets", {"outlets": [Asset("zoho-crm://clean")]}),
        ("post_execute", {"post_execute": print}),
        ("xcom_backend", {}),
        ("this Airflow cannot", {}),
    ],
)
def test_a_sensor_that_only_a_worker_can_end_says_why(
    emulator: Control,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    why: str,
    arguments: dict[str, Any],
) -> None:
    if why == "xcom_backend":
        monkeypatch.setenv("AIRFLOW__CORE__XCOM_BACKEND", "airflow.providers.common.io.xcom.backend.XComObjectStorageBackend")
    if why == "this Airflow cannot":
        monkeypatch.delattr(airflow_triggers, "TaskSuccessEvent")  # as in an Airflow that has none
    caplog.set_level("INFO")
    emulator.freeze()
    event = finished(emulator, submit(), **arguments)
    assert event.payload["status"] == "ended"
    told = caplog.text + capsys.readouterr().out
    assert "finish_in_triggerer is off, because " in told
    assert why in told


def test_no_poke_of_a_rescheduled_sensor_repeats_what_another_one_has_told(
    emulator: Control, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("INFO")
    emulator.freeze()
    emulator.jobs(start_delay=1, duration=0.2)
    job_id = submit()
    wait(MODES["reschedule"], job_id, between=lambda: emulator.advance(0.25))
    assert len(emulator.requests(MASS_DELETE, "GET")) > 3
    # Airflow 2 tells both of them, Airflow 3 one
    told = [caplog.text, capsys.readouterr().out]
    assert max(each.count(f"Job {job_id} is SCHEDULED.") for each in told) == 1
    assert max(each.count("Ended: ") for each in told) == 1


def test_a_worker_asks_for_each_job_when_its_time_has_come(emulator: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "configured_schedule", lambda _interval: PollSchedule(shortest=0.6))
    emulator.next_jobs(1, start_delay=0.0, duration=0.0)
    emulator.next_jobs(1, start_delay=60)
    quick, slow = submit(HOT), submit(COLD)
    with pytest.raises(AirflowSensorTimeout):
        wait(MODES["poke"], [quick, slow], poke_interval=None, timeout=2)
    asked = [entry["at"] for entry in emulator.requests(MASS_DELETE, "GET") if entry["query"]["job_id"] == slow]
    assert len(asked) <= 5
    # the timeout is noticed when it is over, and the job is asked for once more
    assert 1.5 <= asked[-1] - asked[0] <= 10


@pytest.mark.parametrize(("minutes", "seconds"), [(0, 5), (10, 60), (60, 360)])
def test_a_sensor_is_rescheduled_as_the_job_wants_it(emulator: Control, minutes: int, seconds: int) -> None:
    emulator.jobs(start_delay=60)
    run = TaskRun(MassDeleteJobSensor(task_id="wait", job_id=submit(), mode="reschedule"))
    run.ti.first_reschedule = datetime.now(UTC) - timedelta(minutes=minutes) if minutes else None
    with pytest.raises(AirflowRescheduleException) as caught:
        run.try_once()
    assert (caught.value.reschedule_date - datetime.now(UTC)).total_seconds() == pytest.approx(seconds, abs=2)


def test_killing_a_sensor_says_that_the_jobs_go_on(emulator: Control, caplog: pytest.LogCaptureFixture) -> None:
    MassDeleteJobSensor(task_id="wait", job_id=["10001", "10002"]).on_kill()
    assert "job 10001, 10002 goes on" in caplog.text


def test_ending_a_deferred_task_says_that_the_jobs_go_on(
    emulator: Control, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    emulator.freeze()
    run = TaskRun(MassDeleteJobSensor(task_id="wait", job_id=submit(), deferrable=True))
    asyncio.run(deferred(emulator, run).trigger.on_kill())
    # Airflow 3 logs through structlog, which caplog does not see
    assert "goes on" in caplog.text + capsys.readouterr().out


def test_a_trigger_does_not_fire_before_airflow_has_noted_the_deferral(emulator: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "_FIRST_EVENT_SECONDS", 1.5)
    emulator.freeze()
    run = TaskRun(MassDeleteJobSensor(task_id="wait", job_id=submit(), deferrable=True, poke_interval=0.1))
    started = time.monotonic()
    deferred(emulator, run)
    asked = len(emulator.requests(MASS_DELETE, "GET"))
    run.resume()
    assert time.monotonic() - started >= 1.5
    # the event waits, the polls do not
    assert emulator.requests(MASS_DELETE, "GET")[asked]["at"] - emulator.requests(MASS_DELETE, "GET")[0]["at"] < 1.0


def test_an_airflow_that_does_not_give_the_connection_only_delays_a_deferred_wait(
    emulator: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PollSchedule, "after_failures", lambda self, failures, **_: 0.1)
    real, failures = triggerer.ask_airflow, [RuntimeError("the API server is down")] * 2

    async def ask_airflow(*arguments: Any) -> Any:
        if failures:
            raise failures.pop()
        return await real(*arguments)

    emulator.freeze()
    run = TaskRun(MassDeleteJobSensor(task_id="wait", job_id=submit(), deferrable=True, poke_interval=0.1))
    deferred(emulator, run)
    monkeypatch.setattr(triggerer, "ask_airflow", ask_airflow)
    assert run.resume()[0]["state"] == "COMPLETED"
    assert not failures


@pytest.mark.parametrize("broken", [None, "{}"])
def test_a_connection_that_cannot_work_ends_a_deferred_wait(emulator: Control, monkeypatch: pytest.MonkeyPatch, broken: str | None) -> None:
    emulator.jobs(start_delay=60)
    run = TaskRun(MassDeleteJobSensor(task_id="wait", job_id=submit(), deferrable=True, poke_interval=0.1))
    run.start()
    if broken:
        monkeypatch.setenv("AIRFLOW_CONN_ZOHO_CRM_DEFAULT", '{"conn_type": "zoho_crm", "login": "1000.X"}')
    else:
        monkeypatch.delenv("AIRFLOW_CONN_ZOHO_CRM_DEFAULT")
    with pytest.raises(ZohoCrmFailure, match=r"password|isn't defined"):
        run.resume()


def test_triggers_of_one_connection_share_a_client(emulator: Control) -> None:
    async def together() -> list[Any]:
        runs = [TaskRun(MassDeleteJobSensor(task_id="wait", job_id=job, deferrable=True, poke_interval=0.3)) for job in jobs]
        for run in runs:
            run.start()
        events = await asyncio.gather(*(fire(rebuilt(run.deferred.trigger)) for run in runs if run.deferred))
        return [event.payload["status"] for event in events]

    emulator.jobs(start_delay=3, duration=0.2)
    jobs = [submit(HOT), submit(COLD)]
    forget_tokens()
    emulator.evict_access_tokens()
    emulator.reset_counters()
    assert asyncio.run(together()) == ["ended", "ended"]
    gc.collect()  # the loop
    assert not triggerer._clients
    assert len(emulator.requests("/oauth/v2/token")) == 1


@pytest.mark.parametrize("soft_fail", [False, True])
def test_the_timeout_holds_while_zoho_cannot_answer(emulator: Control, mode: dict[str, Any], soft_fail: bool) -> None:
    job_id = submit()
    emulator.fault("status", MASS_DELETE, times=None, status=503)
    started = time.monotonic()
    with pytest.raises(AirflowSkipException if soft_fail else AirflowSensorTimeout):
        wait(mode, job_id, timeout=2.0, soft_fail=soft_fail)
    assert time.monotonic() - started < 20


def test_a_job_that_ended_before_the_timeout_is_a_success_also_for_a_trigger_that_comes_late(emulator: Control) -> None:
    emulator.freeze()
    job_id = submit()
    run = TaskRun(MassDeleteJobSensor(task_id="wait", job_id=job_id, deferrable=True, poke_interval=60, timeout=0.5))
    deferred(emulator, run)
    time.sleep(0.6)
    assert run.resume() == [report(job_id)]


def test_counts_of_which_one_is_missing_are_no_failure(emulator: Control, mode: dict[str, Any]) -> None:
    body = {"mass_delete": [{"job_id": "10001", "status": "COMPLETED", "total_count": 2, "failed_count": 0}]}
    emulator.fault("status", MASS_DELETE, status=200, body=body)
    assert wait(mode, "10001")[0]["deleted"] is None


@pytest.mark.parametrize("word", ["UNKNOWN", "error", "LOST"])
def test_no_word_of_zohos_is_taken_for_one_of_ours(emulator: Control, mode: dict[str, Any], word: str) -> None:
    job_id = submit()
    emulator.fault("status", MASS_DELETE, status=200, body={"mass_delete": [{"job_id": job_id, "status": word}]})
    assert wait(mode, job_id) == [report(job_id)]


ENDS: dict[str, tuple[dict[str, Any], type[BaseException]]] = {
    "fails": ({}, ZohoCrmFailure),
    "soft_fail": ({"soft_fail": True}, AirflowSkipException),
    "never_fail": ({"never_fail": True}, AirflowSkipException),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("failed_first", [True, False])
def test_a_failed_job_ends_the_wait_though_others_go_on(
    emulator: Control,
    mode: dict[str, Any],
    end: str,
    failed_first: bool,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    emulator.next_jobs(1, outcome="failed", start_delay=0.6, duration=0.2)
    emulator.next_jobs(1, start_delay=3600)
    failed, slow = submit(HOT), submit(COLD)
    arguments, error = ENDS[end]
    started = time.monotonic()
    with pytest.raises(error) as caught:
        wait(mode, [failed, slow] if failed_first else [slow, failed], timeout=120, poke_interval=0.2, **arguments)
    assert time.monotonic() - started < 60
    if end == "fails":
        assert f"job {failed} FAILED (" in str(caught.value)
        assert f"job {slow} SCHEDULED (" in str(caught.value)
        assert "Zoho goes on with those that have not ended" in str(caught.value)
    assert f"Job {failed} FAILED (" in caplog.text + capsys.readouterr().out
    # the one that goes on was asked for after the other one had failed
    assert emulator.requests(MASS_DELETE, "GET")[-1]["query"]["job_id"] == slow


def test_a_job_that_left_something_ends_the_wait_unless_that_is_ignored(emulator: Control, mode: dict[str, Any]) -> None:
    emulator.next_jobs(1, failing=["cold"], start_delay=0.0, duration=0.1)
    emulator.next_jobs(1, start_delay=3600)
    partial, slow = submit(HOT, COLD), submit("2276164000001021043")
    with pytest.raises(ZohoCrmFailure, match=rf"left something behind: job {partial} COMPLETED.*job {slow} SCHEDULED"):
        wait(mode, [partial, slow], timeout=120)
    with pytest.raises(AirflowSensorTimeout):
        wait(mode, [partial, slow], timeout=1, on_partial_failure="ignore")


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429}, {"status": 403, "body": {"code": "NO_PERMISSION", "status": "error"}}])
def test_a_failed_job_is_reported_though_the_others_cannot_be_asked_for(
    emulator: Control, mode: dict[str, Any], monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]
) -> None:
    monkeypatch.setattr(job_watch, "LAST_LOOK_SECONDS", 1.0)
    emulator.next_jobs(1, outcome="failed", start_delay=0.0, duration=0.0)
    emulator.next_jobs(1, start_delay=3600)
    failed, slow = submit(HOT), submit(COLD)
    # the poll of the failed job is answered, all that come after it are not
    emulator.fault("status", MASS_DELETE, after=1, times=None, **fault)
    started = time.monotonic()
    with pytest.raises(ZohoCrmFailure, match=f"job {failed} FAILED"):
        wait(mode, [failed, slow], timeout=300)
    assert time.monotonic() - started < 30


def test_what_is_accepted_only_since_the_deferral_does_not_end_the_wait_for_the_others(emulator: Control) -> None:
    """The trigger ended for a job that left something, and the template of on_partial_failure says ignore by now."""
    emulator.next_jobs(1, failing=["cold"], start_delay=0.0, duration=0.1)
    emulator.next_jobs(1, start_delay=3600)
    jobs = [submit(HOT, COLD), submit("2276164000001021043")]
    run = TaskRun(MassDeleteJobSensor(task_id="wait", job_id=jobs, deferrable=True, on_partial_failure="ignore"))
    names = ("id", "kind", "module", "state", "total", "deleted", "failed")
    reports = [dict(zip(names, (job, "tags", None, *end), strict=True)) for job, end in zip(jobs, ENDED_AND_NOT, strict=True)]
    event = {"v": 1, "kind": "mass_delete_jobs", "status": "ended", "jobs": reports, "carry": {"reports": reports}}
    with pytest.raises(TaskDeferred):
        run.task.execute_complete(run.context(), event)  # type: ignore[attr-defined]


ENDED_AND_NOT = (("COMPLETED", 2, 1, 1), ("SCHEDULED", None, None, None))


def test_one_answer_that_does_not_come_hides_none_of_the_other_jobs(emulator: Control) -> None:
    """Of three jobs the first one fails, the second cannot be asked for, and the third one has failed as well."""
    emulator.next_jobs(3, outcome="failed", start_delay=0.0, duration=0.0)
    jobs = [submit(HOT), submit(COLD), submit("2276164000001021043")]
    emulator.fault("status", MASS_DELETE, method="GET", after=1, status=403, body={"code": "NO_PERMISSION", "status": "error"})
    with pytest.raises(ZohoCrmFailure, match=f"job {jobs[0]} FAILED.*job {jobs[2]} FAILED"):
        wait({}, jobs, timeout=30)


def test_an_error_after_the_deferral_skips_with_never_fail(emulator: Control) -> None:
    emulator.jobs(start_delay=60)
    run = TaskRun(MassDeleteJobSensor(task_id="wait", job_id=submit(), deferrable=True, never_fail=True))
    run.start()
    with pytest.raises(AirflowSkipException, match="never_fail"):
        run.task.resume_execution("execute_complete", {"event": {"v": 1, "kind": "mass_delete_jobs", "status": "x"}}, run.context())
