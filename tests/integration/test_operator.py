"""`MassDeleteTagsOperator` against the emulator: what the server saw, and what the task did with it."""

from __future__ import annotations

import threading
import time
from contextlib import nullcontext
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_zcrm.api.errors import ScopeMissing, SubmissionUncertain, TagNotFound
from airflow_provider_zcrm.client import retries, tokens
from airflow_provider_zcrm.deletion import clock, wait_for_jobs
from airflow_provider_zcrm.deletion.tags import TagDeletion
from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from airflow_provider_zcrm.emulator.minimal_seed import minimal_seed
from airflow_provider_zcrm.hooks.errors import ZohoCrmFailure
from airflow_provider_zcrm.operators import base
from airflow_provider_zcrm.operators.find_tags import FindTagsOperator
from airflow_provider_zcrm.operators.mass_delete_tags import MassDeleteTagsOperator
from airflow_provider_zcrm.rules import pauses, poll_schedule, tag_deletion
from airflow_provider_zcrm.rules.errors import TagsLeftBehind
from airflow_provider_zcrm.tag_selection import TagSelection
from airflow_provider_zcrm.triggers import polling
from tests.airflow_task import HAS_TASK_STATE, TaskRun, needs_task_state
from tests.conftest import another_host, connection_json

MASS_DELETE = "settings/tags/actions/mass_delete"
COUNT = "actions/records_count"
HOT, COLD = "2276164000001021041", "2276164000001021042"
WEBINAR, DO_NOT_CALL = "2276164000001021044", "2276164000001021045"
NOT_COUNTED = "Zoho did not say how many records carry it, or what uses it"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at the list again after parts of a second instead of a minute, and let the trigger fire at once."""
    monkeypatch.setattr(tag_deletion, "LIST_FOLLOWS", (0.2, 0.6, 1.2))
    monkeypatch.setattr(tag_deletion, "NOT_FOUND_PAUSES", (0.2, 0.4, 0.6))
    monkeypatch.setattr(polling, "_FIRST_EVENT_SECONDS", 0.0)
    monkeypatch.setenv("AIRFLOW__ZOHO_CRM__SETTLE", "1.0")
    monkeypatch.setattr(poll_schedule, "SHORTEST_INTERVAL", 0.05)


def task(**arguments: Any) -> MassDeleteTagsOperator:
    defaults: dict[str, Any] = {"task_id": "delete", "module": "Leads", "poke_interval": 0.1, "retries": 2}
    return MassDeleteTagsOperator(**(defaults | arguments))


def posts(emulator: Control) -> list[list[str]]:
    """Return the tag ids of each mass delete that reached the server."""
    return [[tag["id"] for tag in seen["body"]["mass_delete"][0]["tags"]] for seen in emulator.requests(MASS_DELETE, "POST")]


def accepted(emulator: Control) -> list[list[str]]:
    """Return the tag ids of each job that the server accepted."""
    return [job["items"] for job in emulator.counters()["jobs"]]


def many(emulator: Control, count: int) -> list[str]:
    """Add tags to Leads past the API."""
    emulator.change_org(tags_per_module=1000)
    return emulator.add_tags("Leads", [f"campaign-{number}" for number in range(count)])


# --- what is deleted ---------------------------------------------------------------------------------------------------


def test_tags_given_by_name_are_deleted_and_the_job_id_is_pushed(emulator: Control) -> None:
    run = TaskRun(task(tag_names=["hot", "VIP"]))
    job_ids = run.try_once()
    assert accepted(emulator) == [["2276164000001021041", "2276164000001021043"]]
    assert job_ids == [emulator.counters()["jobs"][0]["job_id"]]
    assert run.ti.xcoms["job_id"] == job_ids[0]


def test_the_calls_are_the_least_possible(emulator: Control) -> None:
    TaskRun(task(tag_names=["hot"])).try_once()
    calls = {path: sum(statuses.values()) for path, statuses in emulator.counters()["calls"].items()}
    assert calls == {
        "POST /oauth/v2/token": 1,
        "GET /crm/{version}/settings/tags": 1,
        "GET /crm/{version}/settings/modules": 1,
        f"POST /crm/{{version}}/{MASS_DELETE}": 1,
    }


@pytest.mark.parametrize(
    "tag_ids",
    [
        "2276164000001021041",
        2276164000001021041,
        {"id": "2276164000001021041", "name": "hot"},
        ["2276164000001021041", "2276164000001021041"],
        [["2276164000001021041"], [{"id": 2276164000001021041}]],
        ("2276164000001021041",),
    ],
)
def test_every_way_to_give_an_id_means_the_same(emulator: Control, tag_ids: Any) -> None:
    TaskRun(task(tag_ids=tag_ids)).try_once()
    assert posts(emulator) == [["2276164000001021041"]]


def test_more_than_200_tags_become_several_jobs_of_at_most_200(emulator: Control) -> None:
    ids = many(emulator, 450)
    run = TaskRun(task(tag_ids=ids, max_share=1.0))
    job_ids = run.try_once()
    assert [len(batch) for batch in accepted(emulator)] == [200, 200, 50]
    assert sorted(tag for batch in accepted(emulator) for tag in batch) == sorted(ids)
    pushed = [value for key, value in run.ti.pushed if key == "job_id"]
    assert pushed == [job_ids[0], job_ids[:2], job_ids, job_ids]


def test_no_tag_left_to_delete_is_a_success_without_a_post(emulator: Control) -> None:
    run = TaskRun(task(tag_names=["nobody has this"]))
    assert run.try_once() == []
    assert run.ti.xcoms["job_id"] == []
    assert posts(emulator) == []


def test_an_answer_without_a_body_is_not_taken_for_an_empty_module(emulator: Control) -> None:
    emulator.fault("empty_204", "settings/tags$", method="GET")
    assert len(TaskRun(task(tag_names=["hot"])).try_once()) == 1


@pytest.mark.parametrize("reading", ["list", "204"])
def test_a_module_without_tags_is_a_success(emulator: Control, reading: str) -> None:
    emulator.readings(empty_tags=reading)
    emulator.remove_tags("Leads", list(emulator.tags("Leads").values()))
    assert TaskRun(task(tag_names=["hot"])).try_once() == []


@pytest.mark.parametrize("nothing", [{"tag_ids": []}, {"tag_names": []}, {"tag_ids": [[], []]}], ids=str)
@pytest.mark.parametrize("arguments", [{}, {"wait_for_completion": True, "deferrable": True}, {"dry_run": True}], ids=str)
def test_an_empty_list_deletes_nothing_and_costs_no_call(emulator: Control, nothing: dict[str, Any], arguments: dict[str, Any]) -> None:
    run = TaskRun(task(**nothing, **arguments))
    for _ in range(2):
        assert run.try_once() == []
        assert run.ti.xcoms["api_calls"] == 0
    assert emulator.requests() == []


@pytest.mark.parametrize(("names", "warned"), [(["nobody", "no one"], True), (["hot", "nobody"], False)])
def test_only_a_task_of_which_no_tag_is_there_warns(
    emulator: Control, caplog: pytest.LogCaptureFixture, names: list[str], warned: bool
) -> None:
    with caplog.at_level("WARNING"):
        TaskRun(task(tag_names=names, max_share=1)).try_once()
    assert ("Leads has none of these tags: they are deleted already, or" in caplog.text) is warned


def test_missing_tags_fail_before_anything_is_sent_if_asked_for(emulator: Control) -> None:
    with pytest.raises(ZohoCrmFailure, match="nobody"):
        TaskRun(task(tag_names=["hot", "nobody"], missing_tags="fail")).try_once()
    with pytest.raises(ZohoCrmFailure, match="999"):
        TaskRun(task(tag_ids=["2276164000001021041", "999"], missing_tags="fail")).try_once()
    assert posts(emulator) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"tag_ids": "['1', '2']"}, r"tag_ids.*\.output"),
        ({"tag_ids": None, "tag_names": None}, "either tag_ids or tag_names"),
        ({"tag_ids": ["1"], "tag_names": ["hot"]}, "either tag_ids or tag_names"),
        ({"tag_names": "['hot']"}, r"looks like a list"),
        ({"tag_ids": ["1"], "missing_tags": "ignore"}, "missing_tags"),
        ({"tag_ids": ["1"], "undeletable_tags": "set_aside"}, "undeletable_tags .* skip, fail"),
        ({"tag_ids": [{"id": "1", "name": None}]}, "whose name is None"),
        ({"tag_ids": [{"id": "1", "max_records": "few"}]}, "max_records in tag_ids"),
        ({"tag_ids": [{"id": "1", "used_by_automation": "often"}]}, "used_by_automation in tag_ids"),
        ({"tag_ids": ["1"], "on_partial_failure": "skip"}, "on_partial_failure"),
        ({"tag_ids": [[["1"]]]}, "nested too deep"),
        ({"tag_ids": ["1"], "max_share": "half"}, "max_share"),
        ({"tag_ids": ["1"], "max_tags": "None"}, "max_tags"),
        ({"tag_ids": ["1"], "dry_run": "maybe"}, "dry_run"),
        ({"tag_ids": ["1"], "dry_run": ""}, "dry_run"),
        ({"tag_ids": ["1"], "timeout": None}, "timeout is None"),
        ({"tag_ids": ["1"], "execution_timeout": timedelta(seconds=0.9)}, "execution_timeout is 0.9 s, less than settle, which is 1 s"),
        ({"tag_ids": ["1"], "poke_interval": "10"}, "poke_interval is '10'"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_sent(emulator: Control, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ZohoCrmFailure, match=said):
        TaskRun(task(**arguments)).try_once()
    assert emulator.requests() == []


@pytest.mark.parametrize("number", ["nan", "inf", "٥"])
def test_a_setting_that_no_clock_can_count_to_is_refused(emulator: Control, monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    monkeypatch.setenv("AIRFLOW__ZOHO_CRM__SETTLE", number)
    with pytest.raises(ZohoCrmFailure, match="it must be a number"):
        TaskRun(task(tag_names=["hot"])).try_once()
    assert emulator.requests() == []


@pytest.mark.parametrize("setting", ["settle", "unknown_job_grace"])
def test_a_setting_that_is_no_number_is_refused_before_anything_is_sent(
    emulator: Control, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.setenv(f"AIRFLOW__ZOHO_CRM__{setting.upper()}", "soon")
    with pytest.raises(ZohoCrmFailure, match=rf"\[zoho_crm\] {setting} .* 'soon'; it must be a number"):
        TaskRun(task(tag_names=["hot"])).try_once()
    assert emulator.requests() == []


def test_an_unknown_module_is_refused_with_where_to_look(emulator: Control) -> None:
    with pytest.raises(ZohoCrmFailure, match=r"the module 'leads': .* case-sensitive"):
        TaskRun(task(module="leads", tag_names=["hot"])).try_once()
    assert posts(emulator) == []


def test_a_failure_tells_once_what_to_change_and_in_which_connection(emulator: Control) -> None:
    emulator.fault(
        "status", MASS_DELETE, method="POST", status=401, body={"code": "OAUTH_SCOPE_MISMATCH", "details": {}, "status": "error"}
    )
    with pytest.raises(ZohoCrmFailure, match=r"Connection zoho_crm_default: .* needs ZohoCRM\.settings\.tags\.DELETE") as caught:
        TaskRun(task(tag_names=["hot"])).try_once()

    assert isinstance(caught.value.__cause__, ScopeMissing)
    assert caught.value.__cause__.__traceback__ is None
    assert "connect zoho_crm_default --replace" in str(caught.value)


# --- guards -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "3 of the 5 tags of Leads.* max_share=0.5, which is 2 tags.* max_share=0.6"),
        ({"max_share": "1.0", "max_tags": "2"}, "max_tags=2 .* max_tags=3"),
    ],
)
@pytest.mark.parametrize("journal", [True, False])
def test_a_delete_of_more_than_the_guards_allow_fails_for_good_before_anything_is_sent(
    emulator: Control, arguments: dict[str, Any], said: str, journal: bool
) -> None:
    run = TaskRun(task(tag_names=["hot", "cold", "VIP", "nobody has this"], **arguments), state=journal)
    for _ in range(2):
        with pytest.raises(ZohoCrmFailure, match=said):
            run.try_once()
    assert posts(emulator) == []


def test_a_guard_that_was_given_and_comes_out_as_none_is_refused(emulator: Control) -> None:
    run = TaskRun(task(tag_names=["hot"], max_tags="{{ what gives None }}"))
    run.task.max_tags = None  # type: ignore[attr-defined]
    with pytest.raises(ZohoCrmFailure, match="max_tags came out empty"):
        run.try_once()
    assert emulator.requests("/crm/") == []


def test_guards_count_the_tags_that_are_there(emulator: Control) -> None:
    ids = ["2276164000001021041", "2276164000001021042", *(str(number) for number in range(100))]
    TaskRun(task(tag_ids=ids, max_tags=2)).try_once()
    assert len(accepted(emulator)) == 1


@needs_task_state
def test_a_retry_is_not_stopped_by_a_guard_because_others_have_deleted_tags(emulator: Control) -> None:
    emulator.fault("drop_before", MASS_DELETE, method="POST", times=2)
    run = TaskRun(task(tag_names=["hot", "cold"]), settle=0.5)
    with pytest.raises(SubmissionUncertain):
        run.try_once()
    emulator.remove_tags("Leads", [emulator.tags("Leads")[name] for name in ("VIP", "do-not-call", "webinar-2024-03")])
    assert len(run.try_once()) == 1


CHANGED = r"The requested tags changed between retries\. Now:"


@needs_task_state
@pytest.mark.parametrize(
    ("first", "then", "said"),
    [
        ({"tag_ids": [HOT]}, {"tag_ids": [COLD]}, rf"{CHANGED} 1 tag of Leads\. Nothing was sent\. Clear the task"),
        ({"tag_ids": [HOT]}, {"tag_ids": [HOT, COLD]}, rf"{CHANGED} 2 tags of Leads\. Nothing was sent\. Clear the task"),
        ({"tag_ids": [HOT]}, {"tag_ids": []}, rf"{CHANGED} 0 tags of Leads\. Nothing was sent\. Clear the task"),
        ({"tag_names": ["VIP"]}, {"tag_names": ["hot"]}, rf"{CHANGED} 1 tag of Leads\. Nothing was sent\. Clear the task"),
        ({"tag_names": ["VIP"]}, {"module": "Contacts"}, r"jobs of this task are of Leads, but module is Contacts now\. Nothing was sent"),
    ],
    ids=str,
)
def test_a_retry_that_requests_something_else_fails_for_good_and_the_next_run_judges_it_again(
    emulator: Control, first: dict[str, Any], then: dict[str, Any], said: str
) -> None:
    emulator.next_jobs(1, outcome="failed")
    run = TaskRun(task(**first, wait_for_completion=True))
    with pytest.raises(TagsLeftBehind):
        run.try_once()
    vars(run.task).update(then)
    for _ in range(2):
        with pytest.raises(ZohoCrmFailure, match=said):
            run.try_once()
    assert len(posts(emulator)) == 1
    run.clear()
    wanted = then.get("tag_ids", then.get("tag_names", ["VIP"]))
    run.try_once()
    tags = emulator.tags(then.get("module", "Leads"))
    assert not set(wanted) & {*tags, *tags.values()}


@needs_task_state
def test_a_retry_may_give_its_tags_in_another_order_and_a_first_attempt_that_saw_no_list_binds_nobody(emulator: Control) -> None:
    emulator.fault("status", "settings/tags$", method="GET", status=403, body={"code": "NO_PERMISSION", "details": {}, "status": "error"})
    emulator.next_jobs(1, outcome="failed")
    run = TaskRun(task(tag_ids=[COLD], wait_for_completion=True))
    with pytest.raises(ZohoCrmFailure, match="may not do this"):
        run.try_once()
    for wanted, outcome in (([COLD, HOT], pytest.raises(TagsLeftBehind)), ([HOT, COLD], nullcontext())):
        run.task.tag_ids = wanted  # type: ignore[attr-defined]
        with outcome:
            run.try_once()
    assert not {"hot", "cold"} & set(emulator.tags("Leads"))


@needs_task_state
@pytest.mark.parametrize("cleared", [False, True])
def test_a_connection_that_points_elsewhere_by_then_fails_for_good(
    emulator: Control, monkeypatch: pytest.MonkeyPatch, cleared: bool
) -> None:
    emulator.next_jobs(1, outcome="failed")
    run = TaskRun(task(tag_ids=[HOT], wait_for_completion=True))
    with pytest.raises(TagsLeftBehind):
        run.try_once()
    with another_host(monkeypatch) as other:
        if cleared:
            run.clear()
        with pytest.raises(ZohoCrmFailure, match=rf"now points to {other.url}, but this task started on http://127.*clear the task"):
            run.try_once()
        assert other.control.requests("/crm/") == []
    run.clear()
    assert len(run.try_once()) == 1
    assert "hot" not in emulator.tags("Leads")


def test_a_connection_that_points_elsewhere_after_the_wait_is_not_asked_what_became_of_the_tags(
    emulator: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = TaskRun(task(tag_ids=[HOT], wait_for_completion=True, deferrable=True), unknown_job_grace=0.3)
    run.start()
    with another_host(monkeypatch) as other:
        other.control.remove_tags("Leads", [HOT])
        with pytest.raises(ZohoCrmFailure, match=rf"now points to {other.url}, but this task started on http://127"):
            run.resume()
    assert "counts" not in run.ti.xcoms or run.ti.xcoms["counts"]["deleted"] is None


def test_a_refresh_token_that_is_replaced_during_the_wait_does_no_harm(
    emulator: Control, emulator_server: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = minimal_seed()
    seed["orgs"][0]["refresh_tokens"].append({"token": "1000.another"})
    emulator.seed(seed)
    run = TaskRun(task(tag_ids=[HOT], wait_for_completion=True, deferrable=True))
    run.start()
    monkeypatch.setenv("AIRFLOW_CONN_ZOHO_CRM_DEFAULT", connection_json(emulator_server.url, refresh_token="1000.another"))
    assert len(run.resume()) == 1


def test_a_module_that_is_another_one_after_the_wait_is_not_asked_what_became_of_the_tags(emulator: Control) -> None:
    run = TaskRun(task(tag_names=["VIP"], wait_for_completion=True, deferrable=True))
    run.start()
    run.task.module = "Contacts"  # type: ignore[attr-defined]
    with pytest.raises(ZohoCrmFailure, match=r"jobs of this task are of Leads, but module is Contacts now"):
        run.resume()


def test_tags_that_are_gone_with_a_job_that_zoho_does_not_know_are_a_warning(
    emulator: Control, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    emulator.jobs(start_delay=0.1, duration=0.1, forgotten_after=0.0)
    run = TaskRun(task(tag_names=["hot"], wait_for_completion=True), unknown_job_grace=0.3)
    assert len(run.try_once()) == 1
    assert "connection zoho_crm_default points to another org now" in caplog.text + capsys.readouterr().out


@needs_task_state
def test_a_cleared_task_that_has_another_module_keeps_what_it_has_submitted_of_the_first(emulator: Control) -> None:
    emulator.jobs(start_delay=60)
    run = TaskRun(task(tag_names=["VIP"]))
    (of_leads,) = run.try_once()
    run.task.module = "Contacts"  # type: ignore[attr-defined]
    run.clear()
    (of_contacts,) = run.try_once()
    assert run.try_once() == [of_contacts]
    run.task.module = "Leads"  # type: ignore[attr-defined]
    run.clear()
    assert run.try_once() == [of_leads]
    assert [job["module"] for job in emulator.counters()["jobs"]] == ["Leads", "Contacts"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_asked_for_no_more_is_accepted_than_the_guards_allow(emulator: Control, data: st.DataObject) -> None:
    emulator.seed("minimal")
    tags = emulator.tags("Leads")
    emulator.remove_tags("Leads", data.draw(st.lists(st.sampled_from(sorted(tags.values())), unique=True, max_size=3), label="gone"))
    tags = emulator.tags("Leads")
    wanted = data.draw(st.lists(st.sampled_from([*tags, "nobody has this"])), label="wanted")
    max_tags, max_share = data.draw(st.none() | st.integers(0, 5), label="max_tags"), data.draw(st.floats(0, 1), label="max_share")
    run = TaskRun(
        task(tag_names=wanted, max_tags=max_tags, max_share=max_share),
        state=data.draw(st.booleans() if HAS_TASK_STATE else st.just(False), label="journal"),
    )
    to_delete = len(set(wanted) & set(tags))
    allowed = to_delete <= Decimal(repr(max_share)) * len(tags) and (max_tags is None or to_delete <= max_tags)
    with nullcontext() if allowed else pytest.raises(ZohoCrmFailure, match="would be deleted"):
        run.try_once()
    assert sum(len(batch) for batch in accepted(emulator)) == (to_delete if allowed else 0)


# --- waiting ------------------------------------------------------------------------------------------------------------


@pytest.mark.smoke
@pytest.mark.parametrize("deferrable", [False, True])
def test_a_waiting_task_returns_when_the_tags_are_gone_and_reports(emulator: Control, deferrable: bool) -> None:
    run = TaskRun(task(tag_names=["hot", "cold"], wait_for_completion=True, deferrable=deferrable))
    job_ids = run.try_once()
    job = {"kind": "tags", "module": "Leads", "state": "COMPLETED", "total": 2, "deleted": 2, "failed": 0}
    assert run.ti.xcoms["report"] == [{"id": job_ids[0], **job}]
    assert set(emulator.tags("Leads")) == {"VIP", "webinar-2024-03", "do-not-call"}
    assert bool(run.events) is deferrable


@pytest.mark.parametrize("deferrable", [False, True])
def test_tags_left_behind_fail_the_task_and_the_next_try_sends_only_them(emulator: Control, deferrable: bool) -> None:
    emulator.next_jobs(1, failing=["cold"])
    run = TaskRun(task(tag_names=["hot", "cold"], wait_for_completion=True, deferrable=deferrable))
    with pytest.raises(TagsLeftBehind, match="2276164000001021042 = cold"):
        run.try_once()
    job_ids = run.try_once()
    assert accepted(emulator) == [["2276164000001021041", "2276164000001021042"], ["2276164000001021042"]]
    assert job_ids == [emulator.counters()["jobs"][1]["job_id"]]
    assert "cold" not in emulator.tags("Leads")


def test_tags_left_behind_can_be_ignored(emulator: Control) -> None:
    emulator.next_jobs(1, failing=["cold"])
    run = TaskRun(task(tag_names=["hot", "cold"], wait_for_completion=True, on_partial_failure="ignore"))
    assert len(run.try_once()) == 1
    assert run.ti.xcoms["report"][0]["failed"] == 1


def test_a_failed_job_with_tags_left_is_never_ignored(emulator: Control) -> None:
    emulator.next_jobs(1, outcome="failed")
    run = TaskRun(task(tag_names=["hot", "cold"], wait_for_completion=True, on_partial_failure="ignore"))
    with pytest.raises(TagsLeftBehind, match="FAILED"):
        run.try_once()


def test_a_list_that_follows_the_job_late_is_read_again(emulator: Control) -> None:
    emulator.next_jobs(1, removal_lag=0.5)
    assert len(TaskRun(task(tag_names=["hot"], wait_for_completion=True)).try_once()) == 1


@needs_task_state
@pytest.mark.parametrize("deferrable", [False, True])
def test_the_timeout_is_one_for_all_tries_and_fails_without_retry(emulator: Control, deferrable: bool) -> None:
    emulator.jobs(start_delay=60)
    run = TaskRun(task(tag_names=["hot"], wait_for_completion=True, deferrable=deferrable, timeout=8))
    with pytest.raises(ZohoCrmFailure, match="timeout is over"):
        run.try_once()
    with pytest.raises(ZohoCrmFailure, match="timeout is over"):
        run.try_once()
    assert len(posts(emulator)) == 1


@needs_task_state
def test_clearing_a_task_gives_it_a_new_deadline_and_takes_the_running_job_up(emulator: Control) -> None:
    emulator.jobs(start_delay=1.5)
    run = TaskRun(task(tag_names=["hot"], wait_for_completion=True, timeout=0.5))
    with pytest.raises(ZohoCrmFailure):
        run.try_once()
    run.clear()
    run.task.timeout = 30  # type: ignore[attr-defined]
    assert len(run.try_once()) == 1
    assert len(posts(emulator)) == 1
    assert "hot" not in emulator.tags("Leads")


@pytest.mark.parametrize("deferrable", [False, True])
@pytest.mark.parametrize("on_partial_failure", ["fail", "ignore"])
def test_a_waiting_task_believes_the_list_and_not_what_the_job_says(emulator: Control, deferrable: bool, on_partial_failure: str) -> None:
    emulator.jobs(removal_lag=60)
    run = TaskRun(task(tag_names=["hot"], wait_for_completion=True, deferrable=deferrable, on_partial_failure=on_partial_failure))
    with nullcontext() if on_partial_failure == "ignore" else pytest.raises(TagsLeftBehind, match=f"{HOT} = hot, after .* COMPLETED"):
        run.try_once()
    assert run.ti.xcoms["report"][0]["deleted"] == 1
    assert (run.ti.xcoms["counts"]["deleted"], run.ti.xcoms["counts"]["failed"]) == (0, 1)


@pytest.mark.parametrize("deferrable", [False, True])
def test_the_calls_of_a_waiting_task_are_the_least_possible(emulator: Control, deferrable: bool) -> None:
    emulator.jobs(start_delay=0, duration=0)
    TaskRun(task(tag_names=["hot"], wait_for_completion=True, deferrable=deferrable)).try_once()
    seen = [(entry["method"], entry["path"].rpartition("/crm/v8/")[2]) for entry in emulator.requests("/crm/")]
    assert seen == [
        ("GET", "settings/tags"),
        ("GET", "settings/modules"),
        ("POST", MASS_DELETE),
        ("GET", MASS_DELETE),
        ("GET", "settings/tags"),
    ]


def test_a_waiting_task_with_nothing_to_delete_reports_nothing_with_one_call(emulator: Control) -> None:
    run = TaskRun(task(tag_names=["nobody has this"], wait_for_completion=True, deferrable=True))
    assert run.try_once() == []
    assert run.ti.xcoms["report"] == []
    assert len(emulator.requests("/crm/")) == 1


def test_killing_a_task_says_that_its_jobs_go_on(emulator: Control, caplog: pytest.LogCaptureFixture) -> None:
    run = TaskRun(task(tag_names=["hot"]))
    run.task.on_kill()
    assert "goes on" not in caplog.text
    (job_id,) = run.try_once()
    run.task.on_kill()
    assert f"job {job_id} goes on" in caplog.text


# --- submitted once -----------------------------------------------------------------------------------------------------


@needs_task_state
def test_a_retry_does_not_submit_what_an_earlier_attempt_submitted(emulator: Control) -> None:
    emulator.jobs(start_delay=60)
    ids = many(emulator, 250)
    run = TaskRun(task(tag_ids=ids, max_share=1.0))
    emulator.fault(
        "status",
        MASS_DELETE,
        method="POST",
        after=1,
        status=400,
        body={"code": "NOT_ALLOWED", "details": {}, "message": "tags has been associated to features", "status": "error"},
    )
    with pytest.raises(ZohoCrmFailure, match="feature"):
        run.try_once()
    first = run.ti.xcoms["job_id"]
    job_ids = run.try_once()
    assert job_ids[0] == first
    assert [len(batch) for batch in accepted(emulator)] == [200, 50]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop_after"},
        {"kind": "status", "status": 500, "effect": True},
        {"kind": "html", "effect": True},
        {"kind": "cut_json"},
        {"kind": "slow", "seconds": 1.5},
    ],
    ids=lambda fault: str(fault["kind"]),
)
def test_a_submission_whose_answer_is_lost_is_not_sent_again(
    emulator: Control, monkeypatch: pytest.MonkeyPatch, emulator_server: Any, fault: dict[str, Any]
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ZOHO_CRM_DEFAULT", connection_json(emulator_server.url, request_timeout=0.8))
    emulator.fault(path=MASS_DELETE, method="POST", **fault)
    run = TaskRun(task(tag_names=["hot", "cold"], wait_for_completion=True), settle=5.0)
    assert run.try_once() == []
    assert len(posts(emulator)) == 1
    assert not {"hot", "cold"} & set(emulator.tags("Leads"))


def test_a_submission_that_never_arrived_is_sent_again_once_the_list_has_settled(emulator: Control) -> None:
    emulator.fault("drop_before", MASS_DELETE, method="POST")
    run = TaskRun(task(tag_names=["hot"]), settle=1.0)
    assert len(run.try_once()) == 1
    assert len(accepted(emulator)) == 1


def test_a_submission_whose_answer_is_lost_twice_fails_the_attempt_and_the_next_one_goes_on(emulator: Control) -> None:
    emulator.fault("drop_before", MASS_DELETE, method="POST", times=2)
    run = TaskRun(task(tag_names=["hot"]), settle=0.5)
    with pytest.raises(SubmissionUncertain, match="2276164000001021041 = hot"):
        run.try_once()
    assert len(run.try_once()) == 1
    assert len(accepted(emulator)) == 1


def test_a_job_that_starts_late_is_given_time_before_its_tags_are_sent_again(emulator: Control) -> None:
    emulator.jobs(start_delay=1.0, duration=1.0)
    emulator.fault("drop_after", MASS_DELETE, method="POST")
    run = TaskRun(task(tag_names=["hot", "cold", "VIP"], max_share=1.0), settle=3.0)
    assert run.try_once() == []
    assert len(accepted(emulator)) == 1


@needs_task_state
def test_a_worker_that_dies_between_the_answer_and_the_journal_does_not_double_the_job(emulator: Control) -> None:
    run = TaskRun(task(tag_names=["hot"]), settle=3.0)
    assert run.store is not None
    run.store.fail_on_write = 4  # after the opening, the request, and the intent: the write of the job id
    with pytest.raises(RuntimeError):
        run.try_once()
    run.try_once()
    assert len(posts(emulator)) == 1


@needs_task_state
@pytest.mark.parametrize("write", [1, 2, 3])
def test_nothing_is_sent_if_the_journal_cannot_be_written(emulator: Control, write: int) -> None:
    run = TaskRun(task(tag_names=["hot"]))
    assert run.store is not None
    run.store.fail_on_write = write
    with pytest.raises(RuntimeError):
        run.try_once()
    assert posts(emulator) == []


def test_without_a_journal_a_retry_waits_before_it_sends(emulator: Control) -> None:
    emulator.jobs(start_delay=0.5, duration=0.5)
    run = TaskRun(task(tag_names=["hot", "cold"], missing_tags="fail"), state=False)
    run.ti.try_number = 0
    run.try_once()
    assert run.try_once() == []
    assert len(posts(emulator)) == 1


@pytest.mark.parametrize("deferrable", [False, True])
def test_without_a_task_state_store_a_waiting_task_returns_and_verifies(emulator: Control, deferrable: bool) -> None:
    emulator.next_jobs(1, failing=["cold"])
    run = TaskRun(task(tag_names=["hot", "cold"], wait_for_completion=True, deferrable=deferrable), state=False)
    with pytest.raises(TagsLeftBehind, match=f"{COLD} = cold"):
        run.try_once()
    assert (run.ti.xcoms["counts"]["deleted"], run.ti.xcoms["counts"]["failed"]) == (1, 1)
    assert len(run.try_once()) == 1
    assert accepted(emulator) == [[HOT, COLD], [COLD]]
    assert run.ti.xcoms["counts"]["deleted"] == 1


@pytest.mark.parametrize("journal", [True, False])
def test_a_task_whose_journal_is_gone_when_it_returns_from_the_triggerer_fails_for_good(emulator: Control, journal: bool) -> None:
    run = TaskRun(task(tag_names=["hot"], wait_for_completion=True, deferrable=True), state=journal)
    run.start()
    kept_in = run.ti.xcoms if run.store is None else run.store.values
    del kept_in["zoho_crm_mass_delete_tags"]
    with pytest.raises(ZohoCrmFailure, match=r"The journal of the task is gone, .* Look at the tags of Leads in Zoho CRM"):
        run.resume()
    assert len(posts(emulator)) == 1


def test_without_a_journal_a_first_attempt_sends_at_once(emulator: Control) -> None:
    assert len(TaskRun(task(tag_names=["hot"]), settle=300.0, state=False).try_once()) == 1


@needs_task_state
def test_a_cleared_store_is_treated_like_none(emulator: Control) -> None:
    emulator.jobs(start_delay=0.5, duration=0.2)
    run = TaskRun(task(tag_names=["hot"]))
    run.try_once()
    assert run.store is not None
    run.store.values.clear()
    assert run.try_once() == []
    assert len(posts(emulator)) == 1


@needs_task_state
@pytest.mark.parametrize("dies", ["while the list is read", "while it waits", "after a dry run"])
def test_a_cleared_store_is_treated_like_none_also_by_the_attempt_after_the_next(
    emulator: Control, monkeypatch: pytest.MonkeyPatch, dies: str
) -> None:
    emulator.jobs(start_delay=0.8, duration=0.1)
    run = TaskRun(task(tag_names=["hot"]), settle=2.0)
    run.try_once()
    assert run.store is not None
    run.store.values.clear()
    run.clear()
    if dies == "after a dry run":
        run.task.is_dry_run = True  # type: ignore[attr-defined]
        run.try_once()
        run.task.is_dry_run = False  # type: ignore[attr-defined]
    else:
        where = (TagDeletion, "_read_list" if dies == "while the list is read" else "_wait")
        with monkeypatch.context() as killed:
            killed.setattr(*where, None)
            with pytest.raises(TypeError):
                run.try_once()
    assert run.try_once() == []
    assert len(posts(emulator)) == 1


@needs_task_state
def test_what_is_missing_is_judged_once_per_run_also_if_the_first_attempt_sent_nothing(
    emulator: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator.jobs(start_delay=0.5, duration=0.1)
    run = TaskRun(task(tag_ids=[HOT], missing_tags="fail", wait_for_completion=True))
    with monkeypatch.context() as killed:
        killed.setattr(wait_for_jobs, "poll_until_ended", None)
        with pytest.raises(TypeError):
            run.try_once()
        run.clear()
        with pytest.raises(TypeError):
            run.try_once()
    while "hot" in emulator.tags("Leads"):
        time.sleep(0.05)
    assert run.try_once() == []


def test_tags_are_given_time_from_the_moment_at_which_their_answer_was_lost(emulator: Control) -> None:
    emulator.jobs(start_delay=1.5, duration=0.1)
    emulator.fault("status", MASS_DELETE, method="POST", status=429, headers={"Retry-After": "2"})
    emulator.fault("drop_after", MASS_DELETE, method="POST")
    assert TaskRun(task(tag_names=["hot"]), settle=2.0).try_once() == []
    assert len(accepted(emulator)) == 1


@needs_task_state
def test_tags_whose_answer_was_lost_are_given_time_also_if_the_worker_dies(emulator: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    emulator.jobs(start_delay=1.5, duration=0.1)
    emulator.fault("status", MASS_DELETE, method="POST", status=429, headers={"Retry-After": "2"})
    emulator.fault("drop_after", MASS_DELETE, method="POST")
    run = TaskRun(task(tag_names=["hot"]), settle=2.0)
    wait = TagDeletion._wait

    def wait_or_die(deletion: TagDeletion, step: Any) -> None:
        if len(posts(emulator)) == 2:
            raise RuntimeError("killed")
        wait(deletion, step)

    with monkeypatch.context() as killed:
        killed.setattr(TagDeletion, "_wait", wait_or_die)
        with pytest.raises(RuntimeError, match="killed"):
            run.try_once()
    assert run.try_once() == []
    assert len(accepted(emulator)) == 1


@needs_task_state
@pytest.mark.parametrize("ahead", [-600.0, 600.0])
def test_a_clock_that_differs_from_the_last_attempts_does_not_shorten_settle(
    emulator: Control, monkeypatch: pytest.MonkeyPatch, ahead: float
) -> None:
    emulator.jobs(start_delay=1.5, duration=0.1)
    emulator.fault("drop_after", MASS_DELETE, method="POST")
    run = TaskRun(task(tag_names=["hot"]), settle=3.0)
    dies_while_it_waits(run, monkeypatch)
    set_clock(monkeypatch, ahead)
    assert run.try_once() == []
    assert accepted(emulator) == [[HOT]]


@needs_task_state
@pytest.mark.parametrize("ahead", [-600.0, 600.0])
def test_a_clock_that_differs_from_the_last_attempts_does_not_lengthen_settle(
    emulator: Control, monkeypatch: pytest.MonkeyPatch, ahead: float
) -> None:
    emulator.fault("drop_before", MASS_DELETE, method="POST")
    run = TaskRun(task(tag_names=["hot"]), settle=2.0)
    dies_while_it_waits(run, monkeypatch)
    set_clock(monkeypatch, ahead)
    started = time.monotonic()
    assert len(run.try_once()) == 1
    assert 2.0 <= time.monotonic() - started < 60
    assert accepted(emulator) == [[HOT]]


def dies_while_it_waits(run: TaskRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run an attempt whose worker dies when it waits for the first time."""
    with monkeypatch.context() as killed:
        killed.setattr(TagDeletion, "_wait", None)
        with pytest.raises(TypeError):
            run.try_once()


def set_clock(monkeypatch: pytest.MonkeyPatch, ahead: float) -> None:
    """Set the clock of the worker, and not the emulator's."""
    shifted = SimpleNamespace(time=lambda: time.time() + ahead, monotonic=time.monotonic, sleep=time.sleep)
    for module in (clock, base, retries, tokens, wait_for_jobs):
        monkeypatch.setattr(module, "time", shifted)


@needs_task_state
def test_a_journal_stays_small_however_often_the_jobs_fail(emulator: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tag_deletion, "LIST_FOLLOWS", (0.02,))
    emulator.jobs(start_delay=0, duration=0, outcome="failed")
    run = TaskRun(task(tag_ids=many(emulator, 200), max_share=1.0, wait_for_completion=True, poke_interval=0.05, retries=20))
    assert run.store is not None
    sizes = []
    for _ in range(15):
        with pytest.raises(TagsLeftBehind):
            run.try_once()
        sizes.append(len(run.store.values["zoho_crm_mass_delete_tags"]))
    assert len(accepted(emulator)) == 15
    assert sizes[-1] < 64_000
    # a submission adds its job id, and not its tags
    assert sizes[-1] - sizes[0] < 14 * 150


@needs_task_state
def test_a_name_whose_tag_came_back_under_a_new_id_is_not_deleted_by_a_retry(emulator: Control) -> None:
    run = TaskRun(task(tag_names=["hot"]))
    run.try_once()
    while "hot" in emulator.tags("Leads"):
        time.sleep(0.05)
    new = emulator.add_tags("Leads", ["hot"])
    run.try_once()
    assert len(posts(emulator)) == 1
    run.clear()
    run.try_once()
    assert accepted(emulator)[-1] == new


def test_a_stale_id_makes_the_list_be_read_again(emulator: Control) -> None:
    emulator.fault(
        "status",
        MASS_DELETE,
        method="POST",
        status=400,
        body={
            "code": "INVALID_DATA",
            "status": "error",
            "message": "tags not found",
            "details": {"api_name": "id", "json_path": "$.mass_delete[0].tags[0].id"},
        },
    )
    assert len(TaskRun(task(tag_names=["hot", "cold"])).try_once()) == 1
    assert len(accepted(emulator)) == 1


NOT_FOUND = {"code": "INVALID_DATA", "status": "error", "message": "tags not found"}


def test_a_tag_that_another_job_is_just_removing_is_not_sent_once_the_list_says_so(emulator: Control) -> None:
    body = NOT_FOUND | {"details": {"api_name": "id", "json_path": "$.mass_delete[0].tags[0].id"}}
    emulator.fault("status", MASS_DELETE, method="POST", status=400, body=body)
    threading.Timer(0.1, emulator.remove_tags, ("Leads", ["2276164000001021041"])).start()
    assert len(TaskRun(task(tag_names=["hot", "cold"])).try_once()) == 1
    assert accepted(emulator) == [["2276164000001021042"]]


@needs_task_state
def test_waiting_for_another_job_neither_floods_the_log_nor_the_journal(
    emulator: Control, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(pauses, "OTHER_JOB_PAUSES", (0.1,))
    emulator.readings(tag_jobs_at_once="one_per_org")
    emulator.jobs(start_delay=0.5, duration=0.5)
    run = TaskRun(task(tag_ids=many(emulator, 250), max_share=1.0))
    with caplog.at_level("INFO"):
        run.try_once()
    assert run.store is not None
    assert len(run.store.get("zoho_crm_mass_delete_tags")["submissions"]) == 2
    assert len([record for record in caplog.records if "= campaign-249" in record.getMessage()]) == 1


@pytest.mark.parametrize("argument", ["timeout", "poke_interval"])
def test_a_duration_that_is_none_is_refused_before_anything_is_sent(emulator: Control, argument: str) -> None:
    with pytest.raises(ZohoCrmFailure, match=argument):
        TaskRun(task(tag_names=["hot"], **{argument: "3600"})).try_once()
    assert posts(emulator) == []


def test_the_timeout_holds_while_zoho_cannot_answer(emulator: Control) -> None:
    emulator.fault("status", "/crm/", times=None, status=503)
    started = time.monotonic()
    with pytest.raises(ZohoCrmFailure, match="timeout is over; the last that happened: Zoho cannot answer"):
        TaskRun(task(tag_names=["hot"], timeout=2.0)).try_once()
    assert time.monotonic() - started < 20


def test_a_job_that_ended_just_before_the_timeout_is_a_success(emulator: Control) -> None:
    emulator.jobs(start_delay=0.3, duration=0.3)
    arguments = {"tag_names": ["hot"], "wait_for_completion": True, "timeout": 4, "poke_interval": 60}
    assert len(TaskRun(task(**arguments)).try_once()) == 1
    emulator.seed("minimal")
    emulator.jobs(start_delay=0.3, duration=0.3)
    assert len(TaskRun(task(**arguments, deferrable=True)).try_once()) == 1


def test_a_refusal_because_another_job_runs_is_waited_out(emulator: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pauses, "OTHER_JOB_PAUSES", (0.3,))
    emulator.readings(tag_jobs_at_once="one_per_org")
    emulator.jobs(start_delay=0.2, duration=0.5)
    ids = many(emulator, 250)
    assert len(TaskRun(task(tag_ids=ids, max_share=1.0)).try_once()) == 2
    assert len(accepted(emulator)) == 2


def test_a_job_that_zoho_has_forgotten_is_judged_by_the_list(emulator: Control) -> None:
    emulator.jobs(start_delay=0.1, duration=0.1, forgotten_after=0.0, failing=["cold"])
    run = TaskRun(task(tag_names=["hot", "cold"]), settle=1.0)
    run.try_once()
    emulator.jobs(failing=[], forgotten_after=None)
    run.clear()
    run.try_once()
    assert accepted(emulator)[1:] == [["2276164000001021042"]]


@needs_task_state
def test_a_journal_of_an_unknown_version_is_refused(emulator: Control) -> None:
    run = TaskRun(task(tag_names=["hot"]))
    assert run.store is not None
    run.store.set("zoho_crm_mass_delete_tags", {"v": 99})
    with pytest.raises(ZohoCrmFailure, match="version 99"):
        run.try_once()
    assert posts(emulator) == []


def test_the_log_names_every_tag_before_it_is_sent(emulator: Control, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        TaskRun(task(tag_names=["hot"])).try_once()
    assert "2276164000001021041 = hot" in caplog.text
    assert "Leads" in caplog.text


# --- refused batches ----------------------------------------------------------------------------------------------------


def used(emulator: Control, *names: str) -> list[str]:
    """Add tags to Leads that a workflow uses."""
    return emulator.add_tags("Leads", [{"name": name, "features": [{"type": "Workflow", "name": "Follow-up"}]} for name in names])


def skipped(tag_id: str, name: str, reason: str = "a feature of Zoho CRM uses it") -> dict[str, str]:
    return {"id": tag_id, "name": name, "reason": reason}


@pytest.mark.parametrize("waits", [{}, {"wait_for_completion": True}, {"wait_for_completion": True, "deferrable": True}], ids=str)
@pytest.mark.parametrize("journal", [True, False])
def test_tags_that_zoho_refuses_to_delete_are_skipped_and_the_others_go(
    emulator: Control, caplog: pytest.LogCaptureFixture, waits: dict[str, Any], journal: bool
) -> None:
    first, second = used(emulator, "used-1", "used-2")
    run = TaskRun(task(tag_names=["used-1", "hot", "used-2", "cold"], max_share=1.0, **waits), state=journal)
    (job_id,) = run.try_once()
    assert accepted(emulator) == [["2276164000001021041", "2276164000001021042"]]
    assert len(posts(emulator)) == 3
    assert run.ti.xcoms["job_id"] == job_id
    assert run.ti.xcoms["skipped"] == [skipped(first, "used-1"), skipped(second, "used-2")]
    assert f"{second} = used-2 of Leads, because a feature of Zoho CRM uses it" in caplog.text


def test_a_task_that_skips_nothing_says_so(emulator: Control) -> None:
    run = TaskRun(task(tag_names=["hot"]))
    run.try_once()
    assert run.ti.xcoms["skipped"] == []


@needs_task_state
def test_all_tags_may_be_skipped_with_one_submission_for_each(emulator: Control) -> None:
    names = [f"used-{number}" for number in range(5)]
    ids = used(emulator, *names)
    run = TaskRun(task(tag_names=names, wait_for_completion=True, deferrable=True))
    for _ in range(2):
        assert run.try_once() == []
    assert len(posts(emulator)) == 5
    assert [tag["id"] for tag in run.ti.xcoms["skipped"]] == ids
    assert run.store is not None
    assert len(run.store.get("zoho_crm_mass_delete_tags")["submissions"]) == 0


@needs_task_state
def test_what_is_skipped_is_not_sent_by_a_retry_but_by_the_next_run(emulator: Control) -> None:
    (tag_id,) = used(emulator, "used")
    emulator.next_jobs(1, failing=["cold"])
    run = TaskRun(task(tag_names=["hot", "used", "cold"], wait_for_completion=True))
    with pytest.raises(TagsLeftBehind, match="1 tags of Leads are still there: 2276164000001021042 = cold"):
        run.try_once()
    run.try_once()
    assert [tag_id in batch for batch in posts(emulator)] == [True, False, False]
    assert run.ti.xcoms["skipped"] == [skipped(tag_id, "used")]
    run.clear()
    run.try_once()
    assert posts(emulator)[3:] == [[tag_id]]


@needs_task_state
def test_a_tag_is_not_skipped_twice_if_the_worker_dies_meanwhile(emulator: Control) -> None:
    (tag_id,) = used(emulator, "used")
    for write in range(2, 7):
        emulator.reset_counters()
        name = emulator.add_tags("Leads", [f"free-{write}"])
        run = TaskRun(task(tag_ids=[tag_id, *name]), settle=0.5)
        assert run.store is not None
        run.store.fail_on_write = write
        with pytest.raises(RuntimeError):
            run.try_once()
        run.try_once()
        assert run.ti.xcoms["skipped"] == [skipped(tag_id, "used")], write
        assert [job["items"] for job in emulator.counters()["jobs"]].count(name) == 1, write


def test_a_lost_submission_whose_tag_is_refused_when_it_is_sent_again_is_settled(emulator: Control) -> None:
    (tag_id,) = used(emulator, "used")
    emulator.fault("drop_before", MASS_DELETE, method="POST")
    run = TaskRun(task(tag_names=["hot", "used"], wait_for_completion=True), settle=0.5)
    assert len(run.try_once()) == 1
    assert accepted(emulator) == [["2276164000001021041"]]
    assert run.ti.xcoms["skipped"] == [skipped(tag_id, "used")]


def test_all_or_nothing_fails_with_the_tag_that_zoho_refuses_although_nothing_seems_to_use_it(emulator: Control) -> None:
    (tag_id,) = used(emulator, "used")
    emulator.fault("status", f"{tag_id}/{COUNT}", status=200, body={"count": "0", "configured_areas": {}})
    run = TaskRun(task(tag_names=["hot", "used", "cold"], undeletable_tags="fail", max_share=1.0))
    with pytest.raises(ZohoCrmFailure, match=f"It is {tag_id} = used"):
        run.try_once()
    assert len(posts(emulator)) == 1
    assert accepted(emulator) == []


def test_a_refusal_that_names_no_tag_fails(emulator: Control) -> None:
    body = {"code": "NOT_ALLOWED", "status": "error", "message": "in use", "details": {"json_path": "$.mass_delete[0].tags[7].id"}}
    emulator.fault("status", MASS_DELETE, method="POST", status=400, body=body)
    with pytest.raises(ZohoCrmFailure, match="in use"):
        TaskRun(task(tag_names=["hot", "cold"])).try_once()
    assert len(posts(emulator)) == 1


@pytest.mark.parametrize("undeletable_tags", ["skip", "fail"])
def test_an_id_that_zoho_never_finds_is_given_up_after_three_resends(emulator: Control, undeletable_tags: str) -> None:
    body = NOT_FOUND | {"details": {"api_name": "id", "json_path": "$.mass_delete[0].tags[0].id"}}
    emulator.fault("status", MASS_DELETE, method="POST", times=4, status=400, body=body)
    run = TaskRun(task(tag_names=["hot", "cold"], undeletable_tags=undeletable_tags))
    with nullcontext() if undeletable_tags == "skip" else pytest.raises(TagNotFound, match="= hot"):
        run.try_once()
        why = "it is in the list of tags, but Zoho does not find it"
        assert run.ti.xcoms["skipped"] == [skipped("2276164000001021041", "hot", why)]
        assert accepted(emulator) == [["2276164000001021042"]]
    assert len(posts(emulator)) == (5 if undeletable_tags == "skip" else 4)


# --- tags that automation uses --------------------------------------------------------------------------------------------


def test_tags_that_automation_uses_fail_before_anything_is_sent_if_asked_for(emulator: Control) -> None:
    (tag_id,) = used(emulator, "used")
    said = rf"{tag_id} = used, because automation uses it \(Workflow\)\. Nothing was sent\. undeletable_tags='skip'"
    with pytest.raises(ZohoCrmFailure, match=said):
        TaskRun(task(tag_names=["used", "hot"], undeletable_tags="fail")).try_once()
    assert posts(emulator) == []
    assert len(TaskRun(task(tag_names=["cold", "hot"], undeletable_tags="fail")).try_once()) == 1


def test_skipping_what_zoho_refuses_costs_no_look_at_the_tags(emulator: Control) -> None:
    used(emulator, "used")
    TaskRun(task(tag_names=["used", "hot"], undeletable_tags="skip")).try_once()
    assert accepted(emulator) == [[HOT]]
    assert emulator.requests(COUNT) == []


def test_a_tag_of_which_zoho_does_not_say_what_uses_it_fails_before_anything_is_sent(emulator: Control) -> None:
    emulator.fault("status", f"1021041/{COUNT}", status=200, body={"count": "0"})
    with pytest.raises(ZohoCrmFailure, match=f"{HOT} = hot, because Zoho does not say what uses it"):
        TaskRun(task(tag_names=["hot", "cold"], undeletable_tags="fail")).try_once()
    assert posts(emulator) == []


@pytest.mark.parametrize(("arguments", "chosen"), [({"undeletable_tags": "fail"}, {}), ({}, {"max_records": 0})], ids=str)
def test_a_tag_that_goes_while_it_is_looked_at_is_no_hindrance(
    emulator: Control, monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any], chosen: dict[str, Any]
) -> None:
    count = TagDeletion._counts

    def count_when_one_is_gone(deletion: TagDeletion, tag_ids: Any) -> Any:
        emulator.remove_tags("Leads", [WEBINAR])
        return count(deletion, tag_ids)

    monkeypatch.setattr(TagDeletion, "_counts", count_when_one_is_gone)
    run = TaskRun(task(tag_ids=[{"id": WEBINAR} | chosen, {"id": DO_NOT_CALL} | chosen], **arguments))
    run.try_once()
    assert accepted(emulator) == [[DO_NOT_CALL]]
    assert run.ti.xcoms["skipped"] == []


def test_a_look_that_zoho_refuses_fails_before_anything_is_sent(emulator: Control, caplog: pytest.LogCaptureFixture) -> None:
    body = {"code": "INVALID_URL_PATTERN", "details": {}, "message": "no such URL", "status": "error"}
    emulator.fault("status", COUNT, status=404, body=body)
    with pytest.raises(ZohoCrmFailure, match="Zoho does not say what uses it"):
        TaskRun(task(tag_names=["hot", "cold"], undeletable_tags="fail")).try_once()
    assert posts(emulator) == []
    assert "no such URL" in caplog.text


@needs_task_state
def test_a_retry_does_not_look_again(emulator: Control) -> None:
    emulator.jobs(start_delay=60)
    emulator.fault("drop_after", MASS_DELETE, method="POST")
    run = TaskRun(task(tag_names=["hot", "cold"], undeletable_tags="fail"), settle=0.3)
    run.try_once()
    looks = len(emulator.requests(COUNT))
    run.try_once()
    assert looks == len(emulator.requests(COUNT)) == 2


# --- renamed tags -----------------------------------------------------------------------------------------------------------

RENAMED = "it was renamed since it was requested"


def rename(emulator: Control, tag_id: str, name: str) -> None:
    """Rename a tag of Leads past the API, as a person in the browser might."""
    emulator.add_tags("Leads", [{"id": tag_id, "name": name}])


@pytest.mark.parametrize("arguments", [{}, {"undeletable_tags": "fail"}, {"dry_run": True}], ids=str)
def test_a_tag_that_was_renamed_since_it_was_chosen_is_skipped(emulator: Control, arguments: dict[str, Any]) -> None:
    chosen = [{"id": HOT, "name": "lukewarm"}, {"id": COLD, "name": "cold"}]
    run = TaskRun(task(tag_ids=chosen, max_tags=1, **arguments))
    for _ in range(2):
        run.try_once()
        assert run.ti.xcoms["skipped"] == [skipped(HOT, "hot", RENAMED)]
        assert run.ti.xcoms.get("would_delete", [{"id": COLD, "name": "cold"}]) == [{"id": COLD, "name": "cold"}]
    assert accepted(emulator) == ([] if "dry_run" in arguments else [[COLD]])


IDS: dict[str, Any] = {"tag_ids": [HOT, COLD]}
NAMES: dict[str, Any] = {"tag_names": ["hot", "cold"]}
BY_ID_OR_NAME = pytest.mark.parametrize("requested", [IDS, NAMES], ids=str)


@needs_task_state
@pytest.mark.parametrize(("requested", "cleared"), [(IDS, False), (IDS, True), (NAMES, False)], ids=str)
def test_a_tag_that_is_renamed_before_the_retry_of_a_failed_job_is_skipped(
    emulator: Control, requested: dict[str, Any], cleared: bool
) -> None:
    emulator.next_jobs(1, outcome="failed")
    run = TaskRun(task(**requested, wait_for_completion=True))
    with pytest.raises(TagsLeftBehind):
        run.try_once()
    rename(emulator, HOT, "VIP customers")
    if cleared:
        run.clear()
    run.try_once()
    assert posts(emulator) == [[HOT, COLD], [COLD]]
    assert run.ti.xcoms["skipped"] == [skipped(HOT, "VIP customers", RENAMED)]
    assert "VIP customers" in emulator.tags("Leads")


@BY_ID_OR_NAME
@pytest.mark.parametrize("journal", [True, False])
def test_a_tag_that_is_renamed_while_another_job_is_waited_for_is_skipped(
    emulator: Control, monkeypatch: pytest.MonkeyPatch, requested: dict[str, Any], journal: bool
) -> None:
    monkeypatch.setattr(pauses, "OTHER_JOB_PAUSES", (0.3,))
    body = {"code": "ALREADY_SCHEDULED", "details": {}, "message": "a job runs", "status": "error"}
    emulator.fault("status", MASS_DELETE, method="POST", status=400, body=body)
    run = TaskRun(task(**requested), state=journal)
    renames_in_the_wait(emulator, monkeypatch)
    run.try_once()
    assert posts(emulator) == [[HOT, COLD], [COLD]]
    assert run.ti.xcoms["skipped"] == [skipped(HOT, "VIP customers", RENAMED)]


@BY_ID_OR_NAME
@pytest.mark.parametrize("journal", [True, False])
def test_a_tag_that_is_renamed_after_a_lost_answer_is_skipped_when_the_list_has_settled(
    emulator: Control, monkeypatch: pytest.MonkeyPatch, requested: dict[str, Any], journal: bool
) -> None:
    emulator.fault("drop_before", MASS_DELETE, method="POST")
    run = TaskRun(task(**requested), state=journal, settle=1.0)
    renames_in_the_wait(emulator, monkeypatch)
    run.try_once()
    assert posts(emulator) == [[HOT, COLD], [COLD]]
    assert run.ti.xcoms["skipped"] == [skipped(HOT, "VIP customers", RENAMED)]


@BY_ID_OR_NAME
@pytest.mark.parametrize("headers", [{}, {"Retry-After": "1"}], ids=str)
def test_a_tag_that_is_renamed_between_a_429_and_the_next_submission_is_skipped(
    emulator: Control, monkeypatch: pytest.MonkeyPatch, requested: dict[str, Any], headers: dict[str, str]
) -> None:
    emulator.fault("status", MASS_DELETE, method="POST", status=429, headers=headers)
    run = TaskRun(task(**requested))
    renames_in_the_wait(emulator, monkeypatch)
    run.try_once()
    assert posts(emulator) == [[HOT, COLD], [COLD]]
    assert run.ti.xcoms["skipped"] == [skipped(HOT, "VIP customers", RENAMED)]


def renames_in_the_wait(emulator: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let somebody rename a tag while the task waits for the first time."""
    wait = TagDeletion._wait

    def wait_and_rename(deletion: TagDeletion, step: Any) -> None:
        rename(emulator, HOT, "VIP customers")
        wait(deletion, step)

    monkeypatch.setattr(TagDeletion, "_wait", wait_and_rename)


# --- tags that were chosen by their count ------------------------------------------------------------------------------------


def unused(tag_id: str, name: str) -> dict[str, Any]:
    """Return a tag as `FindTagsOperator` hands over one that no record carries and no automation uses."""
    return {"id": tag_id, "name": name, "records": 0, "reason": "unused", "max_records": 0, "used_by_automation": False}


UNUSED = [unused(WEBINAR, "webinar-2024-03"), unused(DO_NOT_CALL, "do-not-call")]


@pytest.mark.parametrize("reading", ["ignored", "supported"])
def test_a_tag_that_was_chosen_as_unused_and_gets_records_before_the_delete_is_skipped(emulator: Control, reading: str) -> None:
    emulator.readings(include_counts=reading)
    found = TaskRun(FindTagsOperator(task_id="find", module="Leads", selection=TagSelection(max_records="unused"))).try_once()
    assert [tag["name"] for tag in found] == ["webinar-2024-03", "do-not-call"]
    emulator.tag_records("Leads", emulator.records("Leads")[:3], add=["webinar-2024-03"])
    run = TaskRun(task(tag_ids=found, wait_for_completion=True))
    run.try_once()
    assert posts(emulator) == [[DO_NOT_CALL]]
    assert run.ti.xcoms["skipped"] == [skipped(WEBINAR, "webinar-2024-03", "more records carry it than when it was chosen")]
    assert len(emulator.tagged("Leads")["webinar-2024-03"]) == 3


def test_a_tag_that_was_chosen_and_that_automation_uses_by_then_is_skipped(emulator: Control) -> None:
    feature = [{"type": "Workflow", "name": "Follow-up"}]
    emulator.add_tags("Leads", [{"id": WEBINAR, "name": "webinar-2024-03", "features": feature}])
    run = TaskRun(task(tag_ids=UNUSED))
    run.try_once()
    assert posts(emulator) == [[DO_NOT_CALL]]
    assert run.ti.xcoms["skipped"] == [skipped(WEBINAR, "webinar-2024-03", "automation uses it now")]


NO_SUCH_URL = {"code": "INVALID_URL_PATTERN", "details": {}, "message": "no such URL", "status": "error"}


@pytest.mark.parametrize("answer", [{"status": 200, "body": {"count": "0"}}, {"status": 404, "body": NO_SUCH_URL}], ids=str)
def test_a_count_that_fails_keeps_its_tag_and_the_others_go(emulator: Control, answer: dict[str, Any]) -> None:
    emulator.fault("status", f"{WEBINAR}/{COUNT}", **answer)
    run = TaskRun(task(tag_ids=UNUSED))
    run.try_once()
    assert posts(emulator) == [[DO_NOT_CALL]]
    assert run.ti.xcoms["skipped"] == [skipped(WEBINAR, "webinar-2024-03", NOT_COUNTED)]


def test_counts_that_no_token_may_make_fail_before_anything_is_sent(emulator: Control) -> None:
    body = {"code": "OAUTH_SCOPE_MISMATCH", "details": {}, "status": "error"}
    emulator.fault("status", COUNT, times=None, status=401, body=body)
    with pytest.raises(ZohoCrmFailure, match=r"needs ZohoCRM\.settings\.tags\.READ"):
        TaskRun(task(tag_ids=UNUSED)).try_once()
    assert posts(emulator) == []


def test_only_tags_that_were_chosen_by_their_count_and_are_about_to_be_sent_are_counted(emulator: Control) -> None:
    run = TaskRun(task(tag_ids=[*UNUSED, {"id": HOT, "name": "lukewarm", "max_records": 0}, {"id": COLD, "name": "cold"}], max_share=1.0))
    run.try_once()
    counted = sorted(entry["path"].split("/")[-3] for entry in emulator.requests(COUNT))
    assert counted == [WEBINAR, DO_NOT_CALL]
    assert accepted(emulator) == [[WEBINAR, DO_NOT_CALL, COLD]]


# --- dry run --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dry_run", [True, "True"])
@pytest.mark.parametrize("waits", [{}, {"wait_for_completion": True, "deferrable": True}], ids=str)
@pytest.mark.parametrize("journal", [True, False])
def test_a_dry_run_does_everything_but_the_submission(
    emulator: Control,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    dry_run: Any,
    waits: dict[str, Any],
    journal: bool,
) -> None:
    (tag_id,) = used(emulator, "used")
    chosen = [unused(tag_id, "used"), {"id": HOT, "name": "hot"}, {"id": COLD, "name": "cold"}, {"id": "999"}]
    run = TaskRun(task(tag_ids=chosen, max_share=0.5, dry_run=dry_run, **waits), state=journal)
    caplog.set_level("INFO")
    for _ in range(2):
        assert run.try_once() == []
        hot, cold = {"id": "2276164000001021041", "name": "hot"}, {"id": "2276164000001021042", "name": "cold"}
        assert run.ti.xcoms["would_delete"] == [hot, cold]
        assert run.ti.xcoms["skipped"] == [skipped(tag_id, "used", "automation uses it now")]
        assert run.ti.xcoms["job_id"] == []
        # the log of an operator goes the one way or the other, by the version of Airflow
        logged = capsys.readouterr().out + caplog.text
        assert "2 tags of Leads would be deleted: 2276164000001021041 = hot, 2276164000001021042 = cold" in logged
    assert {request["method"] for request in emulator.requests("/crm/")} == {"GET"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [({"max_tags": 1}, "max_tags=2"), ({"missing_tags": "fail"}, "nobody has this"), ({"undeletable_tags": "fail"}, "= hot, because")],
)
def test_a_dry_run_fails_where_the_task_would(emulator: Control, arguments: dict[str, Any], said: str) -> None:
    body = {"count": "0", "configured_areas": {"workflow_tagActionRecords": {"Workflow": [{"id": "1"}]}}}
    emulator.fault("status", f"1021041/{COUNT}", status=200, body=body)
    with pytest.raises(ZohoCrmFailure, match=said):
        TaskRun(task(tag_names=["hot", "cold", "nobody has this"], dry_run=True, **arguments)).try_once()


@needs_task_state
def test_a_run_after_a_dry_run_starts_from_nothing(emulator: Control) -> None:
    run = TaskRun(task(tag_ids=[{"id": COLD, "name": "lukewarm"}, HOT], dry_run=True), settle=300.0)
    assert run.store is not None
    run.try_once()
    stored = run.store.get("zoho_crm_mass_delete_tags")
    assert (stored["request"], stored["tags"], stored["submissions"]) == (None, {}, [])
    run.task.is_dry_run = False  # type: ignore[attr-defined]
    run.task.max_tags = 0  # type: ignore[attr-defined]
    with pytest.raises(ZohoCrmFailure, match="max_tags=0"):
        run.try_once()
    run.task.max_tags = None  # type: ignore[attr-defined]
    assert len(run.try_once()) == 1
    assert posts(emulator) == [["2276164000001021041"]]


@needs_task_state
def test_a_dry_run_does_not_name_what_a_running_job_holds(emulator: Control) -> None:
    emulator.jobs(start_delay=60)
    run = TaskRun(task(tag_names=["hot"]))
    run.try_once()
    run.clear()
    run.task.tag_names, run.task.is_dry_run = ["hot", "cold"], True  # type: ignore[attr-defined]
    assert run.try_once() == []
    assert run.ti.xcoms["would_delete"] == [{"id": "2276164000001021042", "name": "cold"}]


def test_the_argument_does_not_hide_airflows_own_dry_run() -> None:
    operator = task(tag_names=["hot"], dry_run="{{ params.dry_run }}")
    assert "dry_run" not in vars(operator)
    operator.render_template_fields({"params": {"dry_run": True}})
    assert operator.is_dry_run == "True"


# --- what it reports ----------------------------------------------------------------------------------------------------------


def crm_calls(emulator: Control) -> int:
    return sum(sum(statuses.values()) for path, statuses in emulator.counters()["calls"].items() if "/crm/" in path)


@pytest.mark.parametrize("waits", [{}, {"wait_for_completion": True}, {"wait_for_completion": True, "deferrable": True}], ids=str)
def test_the_task_reports_what_became_of_the_tags_and_what_that_cost(emulator: Control, waits: dict[str, Any]) -> None:
    used(emulator, "used")
    emulator.next_jobs(1, failing=["cold"])
    emulator.fault("status", "settings/tags$", method="GET", status=503)
    run = TaskRun(task(tag_names=["hot", "used", "cold", "nobody has this"], on_partial_failure="ignore", **waits))
    run.try_once()
    outcome = {"deleted": 1, "failed": 1} if waits else {"deleted": None, "failed": None}
    assert run.ti.xcoms["counts"] == {"looked_at": 6, "requested": 4, "missing": 1, "skipped": 1, **outcome}
    assert run.ti.xcoms["api_calls"] == crm_calls(emulator)
    assert "credits_left" not in run.ti.xcoms


@needs_task_state
def test_counts_are_pushed_also_if_tags_are_left(emulator: Control) -> None:
    emulator.next_jobs(1, failing=["cold"])
    run = TaskRun(task(tag_names=["hot", "cold"], wait_for_completion=True))
    with pytest.raises(TagsLeftBehind):
        run.try_once()
    assert (run.ti.xcoms["counts"]["deleted"], run.ti.xcoms["counts"]["failed"]) == (1, 1)
    run.try_once()
    assert (run.ti.xcoms["counts"]["deleted"], run.ti.xcoms["counts"]["failed"]) == (2, 0)


def test_the_credits_that_are_left_are_pushed_once_zoho_names_them(emulator: Control) -> None:
    emulator.change_org(credits=4)
    run = TaskRun(task(tag_names=["hot"]))
    run.try_once()
    assert run.ti.xcoms["credits_left"] == 1
