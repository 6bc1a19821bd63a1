"""The operator, the sensor and the trigger in a real Airflow: scheduler, workers, triggerer, database."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from tests.e2e.conftest import DagRun, RealAirflow

MASS_DELETE = "settings/tags/actions/mass_delete"
HOT, COLD = "2276164000001021041", "2276164000001021042"


def accepted(zoho: Control) -> list[list[str]]:
    return [job["items"] for job in zoho.counters()["jobs"]]


def test_operator_and_sensors_delete_tags_and_need_one_access_token(real: RealAirflow, zoho: Control) -> None:
    zoho.jobs(start_delay=2, duration=2)
    run = real.start("operator_and_sensor", tags=["hot", "cold", "nobody has this"])
    assert run.wait() == "success"
    (job,) = zoho.counters()["jobs"]
    assert job["items"] == [HOT, COLD]
    report = {"id": job["job_id"], "kind": "tags", "module": None, "state": "COMPLETED", "total": 2, "deleted": 2, "failed": 0}
    assert run.xcom("delete") == [job["job_id"]]
    assert run.xcom("delete", "job_id") == job["job_id"]
    assert run.xcom("wait") == run.xcom("wait_for_the_key") == run.xcom("wait_for_each", map_index=0) == [report]
    assert set(zoho.tags("Leads")) == {"VIP", "webinar-2024-03", "do-not-call"}
    assert zoho.counters()["tokens_issued"] == {"808232144": 1}


def without_a_lost_try(real: RealAirflow, zoho: Control, dag_id: str, plan: dict[str, Any], **conf: Any) -> DagRun:
    """Return a run in which each task had one try: a busy Airflow may itself cost one (apache/airflow#71580), and with it a start.

    The clock stands still until all sensors have deferred, so that none of them finds its job ended.
    """
    for _ in range(3):
        zoho.seed("minimal")
        zoho.freeze()
        zoho.jobs(**plan)
        run = real.start(dag_id, **conf)
        run.wait(lambda run=run: sensors_have_started(run))
        zoho.unfreeze()
        run.wait()
        if all(task["try_number"] <= 1 for task in run.tasks().values()):
            return run
    raise AssertionError("Airflow has lost a try in each of three runs")


def sensors_have_started(run: DagRun) -> bool:
    states = {task["state"] for name, task in run.tasks().items() if name.startswith("wait")}
    return bool(states) and not states & {None, "scheduled", "queued", "running"}


def test_a_sensor_that_finishes_in_the_triggerer_starts_once_on_a_worker_and_has_its_xcom(real: RealAirflow, zoho: Control) -> None:
    run = without_a_lost_try(real, zoho, "finishes_in_triggerer", {"start_delay": 2, "duration": 2}, tags=["hot", "cold"])
    assert run.wait() == "success"
    (job,) = zoho.counters()["jobs"]
    report = {"id": job["job_id"], "kind": "tags", "module": None, "state": "COMPLETED", "total": 2, "deleted": 2, "failed": 0}
    assert run.xcom("wait") == run.xcom("wait_for_each", map_index=0) == run.xcom("wait_with_outlet") == [report]
    assert run.xcom("what_the_worker_reads") == [report]
    assert run.xcom("what_is_mapped", map_index=0) == report
    starts = {name: run.starts(name) for name in ("wait", "wait_for_each", "wait_with_outlet", "wait_with_mapped_dependant")}
    assert starts == {"wait": 1, "wait_for_each": 1, "wait_with_outlet": 2, "wait_with_mapped_dependant": 2}
    assert "finish_in_triggerer is off, because the task has outlets" in run.log("wait_with_outlet")


def test_a_failed_job_ends_a_sensor_that_finishes_in_the_triggerer_on_a_worker(real: RealAirflow, zoho: Control) -> None:
    plan = {"start_delay": 2, "duration": 2, "outcome": "failed"}
    run = without_a_lost_try(real, zoho, "finishes_in_triggerer", plan, tags=["hot", "cold"])
    assert run.wait() == "failed"
    assert run.tasks()["wait"]["state"] == "failed"
    assert run.starts("wait") == 2
    assert "A mass delete has failed" in run.log("wait")


def test_no_tag_to_delete_skips_a_mapped_sensor_and_satisfies_the_others(real: RealAirflow, zoho: Control) -> None:
    run = real.start("operator_and_sensor", tags=["nobody has this"])
    assert run.wait() == "success"
    states = {name: task["state"] for name, task in run.tasks().items()}
    assert states == {"delete": "success", "wait": "success", "wait_for_the_key": "success", "wait_for_each": "skipped"}
    assert accepted(zoho) == []


def test_a_sensor_waits_for_the_jobs_of_a_mapped_operator(real: RealAirflow, zoho: Control) -> None:
    run = real.start("many_modules")
    assert run.wait() == "success"
    assert {report["id"] for report in run.xcom("wait")} == {job["job_id"] for job in zoho.counters()["jobs"]}
    assert {job["module"] for job in zoho.counters()["jobs"]} == {"Leads", "Contacts"}


def test_a_dry_run_of_mapped_tasks_by_a_template_deletes_nothing_and_satisfies_the_sensor(real: RealAirflow, zoho: Control) -> None:
    run = real.start("dry_run_of_many_modules", dry_run=True)
    assert run.wait() == "success"
    assert run.xcom("delete", "would_delete", map_index=0) == [{"id": zoho.tags("Leads")["VIP"], "name": "VIP"}]
    assert accepted(zoho) == []
    run = real.start("dry_run_of_many_modules", dry_run=False)
    assert run.wait() == "success"
    assert len(accepted(zoho)) == 2


def test_a_deferred_wait_survives_faults_and_the_death_of_the_triggerer(real: RealAirflow, zoho: Control) -> None:
    zoho.jobs(start_delay=15, duration=2)
    run = real.start("waits_for_itself", tags=["hot"])
    run.wait_for("delete", "deferred")
    zoho.fault("status", MASS_DELETE, method="GET", status=500)
    zoho.fault("html", MASS_DELETE, method="GET")
    zoho.fault("evict_token", MASS_DELETE, method="GET")
    real.restart("triggerer")
    assert run.wait() == "success"
    assert accepted(zoho) == [[HOT]]
    assert run.xcom("delete", "report")[0]["deleted"] == 1


# each point of `execute` at which a worker can die, and whether the server answers the POST late, before or after its effect
MOMENTS: dict[str, dict[str, Any]] = {
    "before the intent is stored": {},
    "after the intent is stored": {},
    "before the POST": {},
    "in the POST, before its effect": {"effect": False},
    "in the POST, after its effect": {"effect": True},
    "after the POST": {},
    "before the id is stored": {},
    "after the id is stored": {},
    "before the deferral": {},
    "after the wait": {},
}


def test_a_worker_that_is_killed_at_any_step_loses_and_doubles_nothing(real: RealAirflow) -> None:
    with ExitStack() as emulators:
        servers = {moment: emulators.enter_context(EmulatorServer()) for moment in MOMENTS}
        runs = {}
        for number, (moment, server) in enumerate(servers.items()):
            server.control.jobs(start_delay=2, duration=1)
            if slow := MOMENTS[moment]:
                server.control.fault("slow", MASS_DELETE, method="POST", seconds=4, **slow)
            real.connect(f"kill_{number}", server)
            runs[moment] = real.start("waits_for_itself", tags=["hot", "cold"], die=moment.partition(",")[0], conn_id=f"kill_{number}")
        outcome = {moment: run.wait(seconds=240) for moment, run in runs.items()}
        assert outcome == dict.fromkeys(MOMENTS, "success")
        for moment, server in servers.items():
            assert accepted(server.control) == [[HOT, COLD]], moment
            assert not {"hot", "cold"} & set(server.control.tags("Leads")), moment
            assert runs[moment].tasks()["delete"]["try_number"] >= 2, moment


def test_clearing_a_deferred_task_takes_up_its_job(real: RealAirflow, zoho: Control) -> None:
    zoho.jobs(start_delay=12, duration=1)
    run = real.start("waits_for_itself", tags=["hot"])
    run.wait_for("delete", "deferred")
    run.clear("delete")
    run.wait(lambda: run.tasks()["delete"]["try_number"] >= 2)
    assert run.wait() == "success"
    assert accepted(zoho) == [[HOT]]
    assert run.xcom("delete") == [zoho.counters()["jobs"][0]["job_id"]]


def test_the_records_of_a_view_are_submitted_again_only_when_a_person_says_so(real: RealAirflow, zoho: Control) -> None:
    mass_delete, new = "Leads/actions/mass_delete", "2276164000006064099"
    zoho.jobs(start_delay=2, duration=2)
    zoho.fault("drop_before", mass_delete, method="POST")
    run = real.start("records_by_view", cvid="2276164000000538001")
    assert run.wait() == "failed"
    assert "never sent again by itself" in run.log("delete")
    for confirmed, state in ((False, "failed"), (True, "success"), (True, "success")):
        if confirmed:
            real.airflow.call("POST", "/variables", {"key": "confirm_resubmit", "value": "true"})
        tries = run.tasks()["delete"]["try_number"]
        run.clear("delete")
        run.clear("wait")
        run.wait(lambda tries=tries: run.tasks()["delete"]["try_number"] > tries)
        assert run.wait() == state
        if state == "success":
            real.airflow.call("DELETE", "/variables/confirm_resubmit")
            zoho.add_records("Leads", [new])
    assert len(zoho.requests(mass_delete, "POST")) == 2
    (job,) = zoho.counters()["jobs"]
    assert len(job["items"]) == 10
    assert run.xcom("delete") == [job["job_id"]]
    assert run.xcom("wait")[0]["deleted"] == 10
    assert zoho.records("Leads") == [new]


def test_a_revoked_token_fails_a_deferred_task_without_retry_and_says_what_to_do(real: RealAirflow, zoho: Control) -> None:
    zoho.jobs(start_delay=60)
    run = real.start("waits_for_itself", tags=["hot"])
    run.wait_for("delete", "deferred")
    zoho.fault("status", "/oauth/v2/token", times=None, status=200, body={"error": "invalid_code"})
    zoho.evict_access_tokens()
    assert run.wait() == "failed"
    # of seven tries; a second one is Airflow's own doing, see the DAG's default_args
    assert run.tasks()["delete"]["try_number"] <= 2
    assert "Make a new refresh token" in run.log("delete")
    assert len(zoho.requests("/oauth/v2/token")) <= 4


def test_no_secret_is_written_anywhere(real: RealAirflow, zoho: Control) -> None:
    """Looks into every file that Airflow has written so far; when it stops, `running_airflow` looks once more."""
    for _ in range(2):
        zoho.seed("minimal")
        run = real.start("waits_for_itself", tags=["hot"])
        assert run.wait() == "success"
        assert real.access_tokens
    assert len(real.access_tokens) > 1
    assert real.secrets_in_files() == []
