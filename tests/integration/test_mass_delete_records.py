"""`MassDeleteRecordsOperator` against the emulator: what the server saw, and what the task did with it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from airflow_provider_zcrm.api import mass_delete as api_mass_delete
from airflow_provider_zcrm.api.mass_delete import submit_records_by_view
from airflow_provider_zcrm.deletion.clock import AttemptClock
from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from airflow_provider_zcrm.hooks.errors import ZohoCrmFailure
from airflow_provider_zcrm.hooks.zcrm import ZohoCrmHook
from airflow_provider_zcrm.operators.mass_delete_records import MassDeleteRecordsOperator
from airflow_provider_zcrm.rules import pauses, poll_schedule
from airflow_provider_zcrm.sensors.mass_delete_job import MassDeleteJobSensor
from airflow_provider_zcrm.triggers import polling
from tests.airflow_task import TaskRun
from tests.conftest import another_host, connection_json

MASS_DELETE = "Leads/actions/mass_delete"
ALL_LEADS, OLD_LEADS = "2276164000000538001", "2276164000000538003"
LEADS = [f"22761640000060640{number:02}" for number in range(1, 11)]
NEW, UNKNOWN = "2276164000006064099", "2276164999999999999"
ORG = {"zgid": "808232144", "refresh_tokens": [{"token": "1000.emulator-refresh-token"}]}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait parts of a second for other jobs, and let the trigger fire at once."""
    monkeypatch.setattr(pauses, "OTHER_JOB_PAUSES", (0.1,))
    monkeypatch.setattr(polling, "_FIRST_EVENT_SECONDS", 0.0)
    monkeypatch.setattr(poll_schedule, "SHORTEST_INTERVAL", 0.05)


def run(*, state: bool = True, unknown_job_grace: float = 60.0, **arguments: Any) -> TaskRun:
    defaults: dict[str, Any] = {"task_id": "delete", "module": "Leads", "poke_interval": 0.1, "retries": 3, "max_share": 1.0}
    return TaskRun(MassDeleteRecordsOperator(**(defaults | arguments)), state=state, unknown_job_grace=unknown_job_grace)


def by_view(**arguments: Any) -> TaskRun:
    return run(**({"cvid": OLD_LEADS} | arguments))


def posts(emulator: Control) -> list[Any]:
    """Return the body of each delete that reached the server."""
    return [seen["body"] for seen in emulator.requests(MASS_DELETE, "POST")]


def accepted(emulator: Control) -> list[list[str]]:
    return [job["items"] for job in emulator.counters()["jobs"]]


def calls(emulator: Control) -> list[tuple[str, str]]:
    return [(entry["method"], entry["path"].rpartition("/crm/v8/")[2]) for entry in emulator.requests("/crm/")]


def confirm(task: TaskRun) -> None:
    """Do what a person does who has looked: set the argument, and clear the task."""
    task.task.confirm_resubmit = True  # type: ignore[attr-defined]
    task.clear()


# --- a custom view --------------------------------------------------------------------------------------------------------


def test_a_view_is_submitted_and_the_job_id_is_there_for_a_sensor(emulator: Control) -> None:
    task = by_view()
    (job_id,) = task.try_once()
    assert accepted(emulator) == [LEADS[:4]]
    assert posts(emulator) == [{"cvid": OLD_LEADS}]
    assert task.ti.xcoms["job_id"] == job_id == emulator.counters()["jobs"][0]["job_id"]

    sensor = MassDeleteJobSensor(task_id="wait", kind="records", module="Leads", job_id=task.ti.xcoms["job_id"], deferrable=True)
    (report,) = TaskRun(sensor).try_once()
    assert (report["state"], report["deleted"]) == ("COMPLETED", 4)
    assert emulator.records("Leads") == LEADS[4:]


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_waiting_task_reports_what_became_of_the_job(emulator: Control, deferrable: bool) -> None:
    task = by_view(wait_for_completion=True, deferrable=deferrable)
    (job_id,) = task.try_once()
    counts = {"state": "COMPLETED", "total": 4, "deleted": 4, "failed": 0}
    assert task.ti.xcoms["report"] == [{"id": job_id, "kind": "records", "module": "Leads", **counts}]
    assert bool(task.events) is deferrable
    assert task.ti.xcoms["api_calls"] == len(calls(emulator))


def test_the_calls_are_the_least_possible(emulator: Control) -> None:
    emulator.jobs(start_delay=0, duration=0)
    by_view(wait_for_completion=True).try_once()
    assert calls(emulator) == [("GET", "Leads/actions/count")] * 2 + [("POST", MASS_DELETE), ("GET", MASS_DELETE)]
    emulator.reset_counters()
    by_view(cvid=ALL_LEADS, max_records=None).try_once()
    assert calls(emulator) == [("POST", MASS_DELETE)]


@pytest.mark.parametrize(("below", "gone"), [(False, LEADS[:1]), (True, LEADS[:2])])
def test_a_territory_narrows_the_view(emulator: Control, below: bool, gone: list[str]) -> None:
    territories = [{"id": "7", "name": "North", "records": LEADS[:1]}, {"id": "8", "name": "Oslo", "records": LEADS[1:2], "parent": "7"}]
    records = [{"id": record} for record in LEADS]
    leads = {"api_name": "Leads", "records": records, "custom_views": [{"id": "1", "name": "All"}]}
    emulator.seed({"orgs": [{**ORG, "modules": [leads], "territories": territories}]})
    run(cvid="1", territory_id="7", include_child=below, max_records=10).try_once()
    assert posts(emulator)[0]["territory"] == {"id": "7", "include_child": below}
    assert accepted(emulator) == [gone]


def test_an_empty_view_is_a_success_without_a_job(emulator: Control) -> None:
    emulator.seed({"orgs": [{**ORG, "modules": [{"api_name": "Leads", "custom_views": [{"id": "1", "name": "All"}]}]}]})
    task = run(cvid="1", wait_for_completion=True)
    assert task.try_once() == []
    assert task.ti.xcoms["job_id"] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"cvid": "old"}, "cvid holds"),
        ({"cvid": [OLD_LEADS, ALL_LEADS]}, "one id, not 2"),
        ({"cvid": []}, "one id, not 0"),
        ({"cvid": OLD_LEADS, "territory_id": ""}, "territory_id holds"),
        ({"cvid": OLD_LEADS, "include_child": True}, "needs territory_id"),
        ({"cvid": OLD_LEADS, "include_child": "perhaps"}, "include_child"),
        ({"cvid": OLD_LEADS, "max_records": "many"}, "max_records"),
        ({"cvid": OLD_LEADS, "confirm_resubmit": "yes"}, "confirm_resubmit"),
        ({"cvid": OLD_LEADS, "dry_run": 1}, "dry_run"),
        ({"cvid": OLD_LEADS, "on_partial_failure": "skip"}, "on_partial_failure"),
        ({"cvid": OLD_LEADS, "timeout": None}, "timeout is None"),
        ({"cvid": OLD_LEADS, "poke_interval": "10"}, "poke_interval is '10'"),
        ({"cvid": OLD_LEADS, "poke_interval": float("nan")}, "poke_interval is nan"),
        ({"cvid": OLD_LEADS, "timeout": float("inf")}, "timeout is inf"),
        ({"cvid": OLD_LEADS, "max_records": "٤"}, "max_records"),
        ({"cvid": OLD_LEADS, "max_share": float("nan")}, "max_share"),
        ({"cvid": OLD_LEADS, "module": None}, "module is None: it is missing"),
        ({"cvid": OLD_LEADS, "max_records": None, "module": "../settings/tags"}, "API name"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_sent(emulator: Control, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ZohoCrmFailure, match=said):
        run(**arguments).try_once()
    assert emulator.requests("/crm/") == []


@pytest.mark.parametrize("lost", ["territory_id", "max_records"])
def test_an_argument_that_was_given_and_comes_out_as_none_is_refused(emulator: Control, lost: str) -> None:
    task = by_view(territory_id="7")
    setattr(task.task, lost, None)
    with pytest.raises(ZohoCrmFailure, match=f"^{lost} came out empty"):
        task.try_once()
    assert emulator.requests("/crm/") == []


def test_arguments_may_be_what_a_template_made_of_them(emulator: Control) -> None:
    task = by_view(cvid=int(OLD_LEADS), include_child="False", max_records="4", confirm_resubmit="False", dry_run="false")
    assert len(task.try_once()) == 1


def test_an_edition_without_it_is_told_what_works(emulator: Control) -> None:
    emulator.change_org(edition="Professional")
    with pytest.raises(ZohoCrmFailure, match="DeleteRecordsOperator works in all editions"):
        by_view().try_once()


def test_an_unknown_view_fails_without_retry(emulator: Control) -> None:
    with pytest.raises(ZohoCrmFailure, match="cvid"):
        by_view(cvid=UNKNOWN, max_records=None).try_once()


@pytest.mark.parametrize("deferrable", [False, True])
@pytest.mark.parametrize(("plan", "said"), [({"outcome": "failed"}, "failed"), ({"failing": [LEADS[0]]}, "left something behind")])
def test_a_job_that_leaves_records_fails_the_task_without_retry(
    emulator: Control, deferrable: bool, plan: dict[str, Any], said: str
) -> None:
    emulator.jobs(**plan)
    task = by_view(wait_for_completion=True, deferrable=deferrable)
    with pytest.raises(ZohoCrmFailure, match=rf"{said}.*confirm_resubmit=True"):
        task.try_once()
    assert task.ti.xcoms["report"][0]["deleted"] < 4


@pytest.mark.parametrize("limit", [4, 5])
def test_a_job_that_was_full_is_told_as_a_warning(
    emulator: Control, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], limit: int
) -> None:
    monkeypatch.setattr(api_mass_delete, "RECORDS_PER_JOB", limit)
    by_view(max_records=None, wait_for_completion=True).try_once()
    assert ("One job deletes at most" in caplog.text + capsys.readouterr().out) is (limit == 4)


def test_records_that_a_job_has_left_can_be_ignored(emulator: Control) -> None:
    emulator.jobs(failing=[LEADS[0]])
    assert len(by_view(wait_for_completion=True, on_partial_failure="ignore").try_once()) == 1


@pytest.mark.parametrize("deferrable", [False, True])
def test_the_timeout_is_one_for_all_tries_and_fails_without_retry(emulator: Control, deferrable: bool) -> None:
    emulator.jobs(start_delay=60)
    task = by_view(wait_for_completion=True, deferrable=deferrable, timeout=8)
    for _ in range(2):
        with pytest.raises(ZohoCrmFailure, match="timeout is over"):
            task.try_once()
    assert len(posts(emulator)) == 1


def test_a_job_that_zoho_forgets_fails_the_task(emulator: Control) -> None:
    emulator.jobs(start_delay=0.2, duration=0.2, forgotten_after=0.3)
    with pytest.raises(ZohoCrmFailure, match="has not known"):
        by_view(wait_for_completion=True, unknown_job_grace=0.3).try_once()


def test_killing_a_task_says_that_its_job_goes_on(emulator: Control, caplog: pytest.LogCaptureFixture) -> None:
    task = by_view()
    (job_id,) = task.try_once()
    task.task.on_kill()
    assert f"job {job_id} goes on" in caplog.text


# --- how much -------------------------------------------------------------------------------------------------------------


def test_a_view_with_more_records_than_it_may_have_fails_without_retry_and_says_what_would_allow_it(emulator: Control) -> None:
    with pytest.raises(ZohoCrmFailure, match=r"^4 records would be deleted .*max_records=3 forbids.*max_records=4\.$"):
        by_view(max_records=3).try_once()
    assert posts(emulator) == []
    assert len(by_view(max_records=4).try_once()) == 1


def test_a_thousand_records_are_the_most_unless_the_user_says_otherwise(emulator: Control) -> None:
    leads = {"api_name": "Leads", "records": 1001, "custom_views": [{"id": "1", "name": "All"}]}
    emulator.seed({"orgs": [{**ORG, "modules": [leads]}]})
    with pytest.raises(ZohoCrmFailure, match="1001 records would be deleted"):
        run(cvid="1").try_once()
    assert posts(emulator) == []
    assert len(run(cvid="1", max_records=None).try_once()) == 1


def test_a_view_that_holds_more_than_half_of_a_module_fails_unless_the_user_says_otherwise(
    emulator: Control, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ZohoCrmFailure, match=r"That is all 10 records of Leads, and max_share=0\.5 forbids that"):
        by_view(cvid=ALL_LEADS, max_share=0.5).try_once()
    assert posts(emulator) == []
    by_view(cvid=ALL_LEADS, max_share=1.0, dry_run=True).try_once()
    told = caplog.text + capsys.readouterr().out
    assert "shows 10 records" in told
    assert "This view holds all 10 records of Leads." in told
    assert len(by_view(max_share=0.5).try_once()) == 1


def test_a_job_that_deleted_fewer_than_it_counted_has_left_records_and_the_advice_works(emulator: Control) -> None:
    task = by_view(wait_for_completion=True)
    fewer = {"data": [{"Status": "COMPLETED", "Total_Count": 4, "Deleted_Count": 3, "Failed_Count": 0}]}
    emulator.fault("status", MASS_DELETE, method="GET", times=2, status=200, body=fewer)
    with pytest.raises(ZohoCrmFailure, match="left something behind"):
        task.try_once()
    emulator.advance(60)
    emulator.add_records("Leads", [LEADS[0]])
    confirm(task)
    assert len(task.try_once()) == 1
    assert len(posts(emulator)) == 2


def test_a_token_that_may_not_count_is_told_from_one_that_may_not_delete(
    emulator: Control, emulator_server: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant = {"grant_type": "client_credentials", "zsoid": "808232144", "scope": "ZohoCRM.mass_delete.DELETE"}
    monkeypatch.setenv("AIRFLOW_CONN_ZOHO_CRM_DEFAULT", connection_json(emulator_server.url, **grant))
    with pytest.raises(
        ZohoCrmFailure, match=r"ZohoSearch\.securesearch\.READ.*max_records=None and max_share=1.0, which deletes without counting"
    ):
        by_view().try_once()
    assert posts(emulator) == []
    assert len(by_view(max_records=None).try_once()) == 1


def test_the_count_may_be_old_and_the_job_takes_what_the_view_shows_then(emulator: Control) -> None:
    """What the guard cannot do: Zoho's count lags by up to ten minutes."""
    emulator.readings(view_count="late")
    by_view(cvid=ALL_LEADS, dry_run=True).try_once()
    emulator.add_records("Leads", [NEW])
    by_view(cvid=ALL_LEADS, max_records=10).try_once()
    assert accepted(emulator) == [[*LEADS, NEW]]


@pytest.mark.parametrize(("arguments", "number"), [({"cvid": OLD_LEADS}, 4), ({"cvid": OLD_LEADS, "max_records": None}, None)])
def test_a_dry_run_does_everything_but_the_post(emulator: Control, arguments: dict[str, Any], number: int | None) -> None:
    task = run(dry_run=True, wait_for_completion=True, **arguments)
    assert task.try_once() == []
    assert (task.ti.xcoms["would_delete"], task.ti.xcoms["job_id"]) == (number, [])
    assert task.ti.xcoms["api_calls"] == len(emulator.requests("/crm/"))
    assert posts(emulator) == []


@pytest.mark.parametrize("again", ["retry", "clear"])
def test_a_run_after_a_dry_run_submits_the_view(emulator: Control, again: str) -> None:
    task = by_view(dry_run=True)
    task.try_once()
    if again == "clear":
        task.clear()
    task.task.is_dry_run = False  # type: ignore[attr-defined]
    assert len(task.try_once()) == 1
    assert accepted(emulator) == [LEADS[:4]]


def test_a_dry_run_trips_the_guard_too(emulator: Control) -> None:
    with pytest.raises(ZohoCrmFailure, match="forbids"):
        by_view(dry_run=True, max_records=1).try_once()


# --- submitted once -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("again", ["retry", "clear"])
@pytest.mark.parametrize("waits", [False, True])
def test_what_comes_after_a_success_takes_up_the_job_and_never_what_has_come_into_the_view(
    emulator: Control, again: str, waits: bool
) -> None:
    task = by_view(cvid=ALL_LEADS, wait_for_completion=waits)
    first = task.try_once()
    emulator.advance(60)
    emulator.add_records("Leads", [NEW])
    if again == "clear":
        task.clear()
    assert task.try_once() == first
    assert task.ti.xcoms["job_id"] == first[0]
    assert len(posts(emulator)) == 1
    assert emulator.records("Leads") == [NEW]


def test_a_clear_while_the_job_runs_takes_it_up(emulator: Control) -> None:
    emulator.jobs(start_delay=0.5, duration=0.5)
    task = by_view(wait_for_completion=True, deferrable=True)
    task.start()
    task.clear()
    assert len(task.try_once()) == 1
    assert len(posts(emulator)) == 1


def test_a_new_dag_run_deletes_what_the_view_shows_then(emulator: Control) -> None:
    by_view(cvid=ALL_LEADS, wait_for_completion=True).try_once()
    emulator.add_records("Leads", [NEW])
    by_view(cvid=ALL_LEADS, wait_for_completion=True).try_once()
    assert accepted(emulator) == [LEADS, [NEW]]


LOST = ["drop_before", "drop_after", "cut_json", "status", "html"]


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("state", [True, False], ids=["journal", "no journal"])
def test_a_view_whose_answer_is_lost_is_never_sent_again_by_itself(emulator: Control, fault: str, state: bool) -> None:
    emulator.fault(fault, MASS_DELETE, method="POST")
    task = by_view(cvid=ALL_LEADS, state=state)
    with pytest.raises(ZohoCrmFailure, match=r"It is not known.*never sent again by itself.*Recycle Bin.*confirm_resubmit=True"):
        task.try_once()
    emulator.advance(60)
    emulator.add_records("Leads", [NEW])
    for again in (None, task.clear, None):
        if again:
            again()
        with pytest.raises(ZohoCrmFailure, match=r"t is not known whether.*Nothing is sent"):
            task.try_once()
    assert len(posts(emulator)) == 1
    assert NEW in emulator.records("Leads")


@pytest.mark.parametrize("state", [True, False], ids=["journal", "no journal"])
def test_a_person_may_confirm_that_the_view_is_sent_once_more(emulator: Control, state: bool) -> None:
    emulator.fault("drop_before", MASS_DELETE, method="POST", times=2)
    task = by_view(state=state)
    with pytest.raises(ZohoCrmFailure):
        task.try_once()
    confirm(task)
    with pytest.raises(ZohoCrmFailure, match="never sent again by itself"):
        task.try_once()
    with pytest.raises(ZohoCrmFailure, match="t is not known"):
        task.try_once()
    assert len(posts(emulator)) == 2
    task.clear()
    assert len(task.try_once()) == 1
    assert accepted(emulator) == [LEADS[:4]]


def test_a_confirmation_counts_for_the_next_run_of_the_task_only(emulator: Control) -> None:
    emulator.fault("drop_before", MASS_DELETE, method="POST")
    task = by_view(confirm_resubmit=True)
    with pytest.raises(ZohoCrmFailure):
        task.try_once()
    with pytest.raises(ZohoCrmFailure, match="counts from the next time that the task is cleared"):
        task.try_once()
    assert len(posts(emulator)) == 1


def test_excluded_a_retry_of_a_task_whose_retries_were_lowered_looks_like_a_clear(emulator: Control) -> None:
    emulator.fault("drop_before", MASS_DELETE, method="POST")
    task = by_view(confirm_resubmit=True)
    with pytest.raises(ZohoCrmFailure):
        task.try_once()
    task.task.retries = 1
    assert len(task.try_once()) == 1
    assert len(posts(emulator)) == 2


def test_a_confirmation_that_is_left_in_does_not_delete_again_after_a_success(emulator: Control) -> None:
    task = by_view(cvid=ALL_LEADS, confirm_resubmit=True, wait_for_completion=True)
    first = task.try_once()
    emulator.add_records("Leads", [NEW])
    task.clear()
    assert task.try_once() == first
    assert emulator.records("Leads") == [NEW]


@pytest.mark.parametrize("plan", [{"outcome": "failed"}, {"failing": [LEADS[0]]}, {"forgotten_after": 0.0}])
def test_a_person_may_confirm_that_what_a_job_has_left_is_submitted(emulator: Control, plan: dict[str, Any]) -> None:
    emulator.next_jobs(1, **plan)
    task = by_view(wait_for_completion=True, unknown_job_grace=0.1)
    for _ in range(2):
        with pytest.raises(ZohoCrmFailure):
            task.try_once()
    assert len(accepted(emulator)) == 1
    confirm(task)
    emulator.advance(60)
    task.try_once()
    assert len(accepted(emulator)) == (1 if "forgotten_after" in plan else 2)
    assert emulator.records("Leads") == LEADS[4:]


@pytest.mark.parametrize("state", [True, False], ids=["journal", "no journal"])
def test_a_confirmed_submission_does_not_wait_for_a_job_that_may_be_its_own(emulator: Control, state: bool) -> None:
    emulator.jobs(start_delay=60)
    emulator.fault("drop_after", MASS_DELETE, method="POST")
    task = by_view(state=state)
    with pytest.raises(ZohoCrmFailure):
        task.try_once()
    confirm(task)
    with pytest.raises(ZohoCrmFailure, match="runs a mass delete now, which may be that one"):
        task.try_once()
    assert len(accepted(emulator)) == 1


def test_a_job_that_zoho_does_not_know_yet_is_taken_up_whatever_a_person_has_confirmed(emulator: Control) -> None:
    emulator.jobs(appears_after=60, start_delay=60)
    task = by_view(confirm_resubmit=True)
    first = task.try_once()
    task.clear()
    assert task.try_once() == first
    assert len(posts(emulator)) == 1


def test_a_confirmed_submission_does_not_follow_a_job_that_zoho_does_not_know_and_may_run(emulator: Control) -> None:
    emulator.jobs(appears_after=60, start_delay=60)
    task = by_view(unknown_job_grace=0)
    (job_id,) = task.try_once()
    confirm(task)
    with pytest.raises(ZohoCrmFailure, match=f"does not know job {job_id}.*may be that one"):
        task.try_once()
    assert len(accepted(emulator)) == 1


@pytest.mark.parametrize("plan", [{"start_delay": 60}, {"start_delay": 0.3, "duration": 0.3}])
def test_a_job_that_zoho_knows_again_is_taken_up_and_not_followed_by_another(emulator: Control, plan: dict[str, Any]) -> None:
    emulator.jobs(**plan)
    unknown = {
        "code": "NOT_FOUND",
        "details": {"param_name": "job_id"},
        "message": "The jobid given seems to be invalid",
        "status": "error",
    }
    emulator.fault("status", MASS_DELETE, method="GET", status=404, body=unknown)
    task = by_view(cvid=ALL_LEADS, unknown_job_grace=0)
    first = task.try_once()
    confirm(task)
    emulator.add_records("Leads", [NEW])
    assert task.try_once() == first
    assert len(accepted(emulator)) == 1


def test_a_job_that_has_failed_does_not_hide_that_what_came_after_it_is_unknown(emulator: Control) -> None:
    emulator.next_jobs(1, outcome="failed")
    task = by_view()
    task.try_once()
    emulator.advance(60)
    confirm(task)
    emulator.fault("drop_before", MASS_DELETE, method="POST")
    with pytest.raises(ZohoCrmFailure, match="never sent again by itself"):
        task.try_once()
    task.task.confirm_resubmit = False  # type: ignore[attr-defined]
    task.clear()
    with pytest.raises(ZohoCrmFailure, match=r"[Ii]t is not known"):
        task.try_once()
    assert len(posts(emulator)) == 2


def test_the_job_of_somebody_else_is_waited_for(emulator: Control) -> None:
    emulator.readings(record_jobs_at_once="one_per_org")
    emulator.next_jobs(1, start_delay=0.3, duration=0.3)
    ZohoCrmHook().get_conn().send(submit_records_by_view("Leads", OLD_LEADS))
    (job_id,) = by_view(cvid=ALL_LEADS).try_once()
    assert accepted(emulator) == [LEADS[:4], LEADS[4:]]
    assert emulator.counters()["jobs"][1]["job_id"] == job_id


def test_the_job_of_somebody_else_is_waited_for_until_the_deadline(emulator: Control) -> None:
    emulator.next_jobs(1, start_delay=60)
    ZohoCrmHook().get_conn().send(submit_records_by_view("Leads", OLD_LEADS))
    task = by_view(timeout=2)
    with pytest.raises(ZohoCrmFailure, match="timeout of the task is reached"):
        task.try_once()
    assert task.store is not None
    assert task.store.get("zoho_crm_mass_delete_records")["submissions"] == []


@pytest.mark.parametrize("lost", [True, False])
def test_a_task_that_gets_another_view_submits_nothing_until_a_person_says_so(emulator: Control, lost: bool) -> None:
    if lost:
        emulator.fault("drop_before", MASS_DELETE, method="POST")
    task = by_view()
    with suppress(ZohoCrmFailure):
        task.try_once()
    task.task.cvid = ALL_LEADS  # type: ignore[attr-defined]
    task.clear()
    said = "It is not known whether Zoho accepted that" if lost else "accepted job"
    for _ in range(2):
        with pytest.raises(ZohoCrmFailure, match=rf"{said}.*Now it is to delete those of custom view {ALL_LEADS}.*same order"):
            task.try_once()
    assert len(posts(emulator)) == 1
    confirm(task)
    emulator.advance(60)
    assert len(task.try_once()) == 1
    assert posts(emulator)[1] == {"cvid": ALL_LEADS}


def test_mapped_views_in_another_order_are_not_submitted_again(emulator: Control) -> None:
    old, everybody = by_view(), by_view(cvid=ALL_LEADS)
    emulator.fault("drop_after", MASS_DELETE, method="POST")
    with pytest.raises(ZohoCrmFailure):
        old.try_once()
    emulator.advance(60)
    everybody.try_once()
    for task, view in ((old, ALL_LEADS), (everybody, OLD_LEADS)):
        task.task.cvid = view  # type: ignore[attr-defined]
        task.clear()
        with pytest.raises(ZohoCrmFailure, match="Now it is to delete those of custom view"):
            task.try_once()
    assert len(posts(emulator)) == 2


@pytest.mark.parametrize("lost", [True, False])
def test_a_view_is_not_submitted_to_another_host_until_a_person_says_so(
    emulator: Control, monkeypatch: pytest.MonkeyPatch, lost: bool
) -> None:
    if lost:
        emulator.fault("drop_before", MASS_DELETE, method="POST")
    task = by_view()
    with suppress(ZohoCrmFailure):
        task.try_once()
    with another_host(monkeypatch) as other:
        with pytest.raises(ZohoCrmFailure, match=rf"That was at http://127\.0.*Now it is to delete .* at {other.url}"):
            task.try_once()
        assert other.control.requests("/crm/") == []
        confirm(task)
        assert len(task.try_once()) == 1
        assert len(posts(other.control)) == 1


def test_a_wait_does_not_believe_another_host(emulator: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    task = by_view(wait_for_completion=True, deferrable=True, unknown_job_grace=0.3)
    task.start()
    with another_host(monkeypatch) as other, pytest.raises(ZohoCrmFailure, match=f"now points to {other.url}, but this task started on"):
        task.resume()


@pytest.mark.parametrize(
    "refusal",
    [
        {"status": 429},
        {"status": 429, "headers": {"Retry-After": "1"}},
        {"status": 400, "body": {"code": "ALREADY_SCHEDULED", "details": {"api_name": "cvid"}, "message": "m", "status": "error"}},
    ],
    ids=str,
)
def test_a_view_that_grows_while_the_task_waits_after_a_refusal_trips_the_guard(
    emulator: Control, monkeypatch: pytest.MonkeyPatch, refusal: dict[str, Any]
) -> None:
    sleep_until = AttemptClock.sleep_until

    def sleep_while_the_view_grows(clock: AttemptClock, at: float) -> None:
        emulator.add_records("Leads", [NEW])
        sleep_until(clock, at)

    monkeypatch.setattr(AttemptClock, "sleep_until", sleep_while_the_view_grows)
    emulator.fault("status", MASS_DELETE, method="POST", **refusal)
    with pytest.raises(ZohoCrmFailure, match=r"11 records would be deleted .*max_records=10 forbids"):
        by_view(cvid=ALL_LEADS, max_records=10).try_once()
    assert len(posts(emulator)) == 1
    assert accepted(emulator) == []


def test_a_view_that_grows_while_the_module_is_counted_trips_the_guard(emulator: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep_while_the_view_grows(_seconds: float) -> None:
        emulator.add_records("Leads", [NEW])

    monkeypatch.setattr("tenacity.nap.time.sleep", sleep_while_the_view_grows)
    # the one for the module or the one for the view: whichever it is, the other must not be acted on
    for before in (0, 1):
        emulator.seed("minimal")
        emulator.fault("status", "actions/count", status=429, after=before)
        with pytest.raises(ZohoCrmFailure, match=r"11 records would be deleted .*max_records=10 forbids"):
            by_view(cvid=ALL_LEADS, max_records=10).try_once()
        assert posts(emulator) == []


def test_a_refusal_leaves_the_way_free(emulator: Control) -> None:
    emulator.fault(
        "status", MASS_DELETE, method="POST", status=403, body={"code": "NO_PERMISSION", "details": {}, "message": "m", "status": "error"}
    )
    task = by_view()
    with pytest.raises(ZohoCrmFailure, match="may not"):
        task.try_once()
    assert len(task.try_once()) == 1


@pytest.mark.parametrize(("write", "sent"), [(1, 0), (2, 0), (3, 1)], ids=["opening", "intent", "job id"])
def test_an_attempt_that_ends_at_any_step_is_followed_by_no_second_submission(emulator: Control, write: int, sent: int) -> None:
    task = by_view(cvid=ALL_LEADS)
    assert task.store is not None
    task.store.fail_on_write = write
    with pytest.raises(RuntimeError):
        task.try_once()
    assert len(posts(emulator)) == sent
    if sent:
        with pytest.raises(ZohoCrmFailure, match="t is not known"):
            task.try_once()
    else:
        assert len(task.try_once()) == 1
    assert len(posts(emulator)) == 1


def test_without_a_task_state_store_a_view_is_refused_in_every_attempt_but_the_first(emulator: Control) -> None:
    task = by_view(state=False)
    task.try_once()
    for again in (None, task.clear, None):
        if again:
            again()
        with pytest.raises(ZohoCrmFailure, match=r"whether an earlier attempt of this task has asked.*Airflow keeps none.*Nothing is sent"):
            task.try_once()
    assert len(posts(emulator)) == 1


@pytest.mark.parametrize("reset_dag_run", [True, False])
def test_a_journal_that_a_clear_has_taken_away_is_a_reason_to_refuse(emulator: Control, reset_dag_run: bool) -> None:
    task = by_view()
    task.try_once()
    task.clear(reset_dag_run=reset_dag_run)
    assert task.store is not None
    task.store.values.clear()
    for _ in range(2):
        with pytest.raises(ZohoCrmFailure, match="its journal is gone"):
            task.try_once()
    assert len(posts(emulator)) == 1
    confirm(task)
    emulator.advance(60)
    emulator.add_records("Leads", LEADS)
    assert len(task.try_once()) == 1
    assert len(posts(emulator)) == 2


def test_excluded_a_journal_that_a_person_deletes_between_two_attempts_is_not_missed(emulator: Control) -> None:
    task = by_view(cvid=ALL_LEADS, wait_for_completion=True)
    task.try_once()
    emulator.add_records("Leads", [NEW])
    assert task.store is not None
    task.store.values.clear()
    task.try_once()
    assert accepted(emulator) == [LEADS, [NEW]]


def test_a_journal_of_another_version_is_not_guessed_at(emulator: Control) -> None:
    task = by_view()
    assert task.store is not None
    task.store.set("zoho_crm_mass_delete_records", {"v": 99})
    with pytest.raises(ZohoCrmFailure, match="version 99"):
        task.try_once()
    assert posts(emulator) == []
