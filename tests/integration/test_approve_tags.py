"""`ApproveTagsOperator` with Airflow's own operator below it; the answer is what Airflow's API would hand over. A real one: tests/e2e."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowSkipException

from airflow_provider_zcrm.api.errors import InvalidArgument
from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.hooks.errors import ZohoCrmFailure
from airflow_provider_zcrm.operators import approve_tags
from airflow_provider_zcrm.operators.approve_tags import APPROVE, REJECT, ApproveTagsOperator
from airflow_provider_zcrm.operators.mass_delete_tags import MassDeleteTagsOperator
from airflow_provider_zcrm.task_groups import tag_cleanup
from airflow_provider_zcrm.version_compat import hitl_operator
from tests.airflow_task import TaskRun

FOUND = [{"id": "1", "name": "hot", "reason": "0 records carry it", "max_records": 0}, {"id": "2", "name": "cold", "max_records": 0}]
can_ask = pytest.mark.skipif(hitl_operator() is None, reason="This Airflow cannot ask a person")


class Ti:
    """The XComs of one task instance."""

    id, task_id, map_index = "ti", "approve", 2

    def __init__(self) -> None:
        self.xcoms: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcoms[key] = value

    def xcom_pull(self, task_ids: str, key: str, map_indexes: int) -> Any:
        assert (task_ids, map_indexes) == (self.task_id, self.map_index)
        return self.xcoms.get(key)


def approve(**arguments: Any) -> ApproveTagsOperator:
    return ApproveTagsOperator(**({"task_id": "approve", "module": "Leads", "tag_ids": FOUND} | arguments))


def ask(task: ApproveTagsOperator, ti: Ti) -> dict[str, Any]:
    """Let the task ask, and return what Airflow's API gets: a server for it takes half a minute to start."""
    context = {"ti": ti, "task_instance": ti, "task": task}
    with mock.patch("airflow.providers.standard.operators.hitl.upsert_hitl_detail") as asked, pytest.raises(BaseException) as waits:
        task.execute(context)
    assert type(waits.value).__name__ in ("TaskAwaitingInput", "TaskDeferred")
    return dict(asked.call_args.kwargs)


def answer(task: ApproveTagsOperator, ti: Ti, option: str) -> list[dict[str, Any]]:
    event = {"chosen_options": [option], "params_input": {}, "responded_at": mock.MagicMock(), "responded_by_user": None}
    return task.execute_complete({"ti": ti, "task_instance": ti, "task": task}, event)


@can_ask
def test_what_was_approved_is_what_was_asked_and_not_what_is_found_by_then() -> None:
    ti = Ti()
    asked = ask(approve(), ti)
    assert "hot: 0 records carry it" in asked["body"]
    assert (asked["subject"], asked["options"], asked["defaults"]) == ("Delete 2 tags of Leads?", [APPROVE, REJECT], [REJECT])
    later = approve(tag_ids=[{"id": "3", "name": "VIP"}])
    assert answer(later, ti, APPROVE) == FOUND


@can_ask
def test_what_was_rejected_reaches_nobody() -> None:
    ti = Ti()
    ask(approve(), ti)
    with pytest.raises(AirflowSkipException, match="not approved"):
        answer(approve(), ti, REJECT)


@can_ask
def test_an_approval_whose_tags_are_gone_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="are gone"):
        answer(approve(), Ti(), APPROVE)


@can_ask
@pytest.mark.parametrize("arguments", [{"tag_ids": []}, {"dry_run": True}, {"dry_run": "true"}])
def test_nobody_is_asked_where_nothing_is_deleted(arguments: dict[str, Any]) -> None:
    task, ti = approve(**arguments), Ti()
    returned = task.execute({"ti": ti, "task_instance": ti, "task": task})
    assert returned == [{**tag, "only_dry_run": True} for tag in arguments.get("tag_ids", FOUND)]


@can_ask
def test_after_a_dry_run_a_delete_that_is_none_deletes_nothing_that_nobody_was_asked_about(emulator: Control) -> None:
    before = emulator.tags("Leads")
    found = [{"id": before["hot"], "name": "hot"}]
    unasked = TaskRun(approve(tag_ids=found, dry_run="True")).try_once()
    arguments: dict[str, Any] = {"task_id": "delete", "module": "Leads", "tag_ids": unasked}

    assert TaskRun(MassDeleteTagsOperator(**arguments, dry_run="True")).try_once() == []
    with pytest.raises(ZohoCrmFailure, match="nobody was asked"):
        TaskRun(MassDeleteTagsOperator(**arguments)).try_once()
    assert emulator.tags("Leads") == before


@can_ask
@pytest.mark.parametrize("tag_ids", [None, "None", "[{'id': '1'}]"])
def test_no_tags_at_all_are_refused(tag_ids: Any) -> None:
    ti = Ti()
    with pytest.raises(InvalidArgument):
        approve(tag_ids=tag_ids).execute({"ti": ti})


def test_an_airflow_that_cannot_ask_says_so_when_the_dag_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approve_tags, "_HITL", None)
    with pytest.raises(InvalidArgument, match="which needs Airflow"):
        approve()


DEFAULTS = {
    "zoho_crm_conn_id": "zoho_sandbox",
    "dry_run": True,
    "max_tags": 3,
    "max_share": 0.1,
    "timeout": 99,
    "trigger_rule": "all_done",
    "path": "/etc/passwd",
    "verify": False,
}


def tasks(**arguments: Any) -> dict[str, Any]:
    """Return the tasks of a clean-up in a DAG with these defaults."""
    with DAG("a_dag", schedule=None, default_args=DEFAULTS) as dag:
        tag_cleanup("clean", "Leads", {"max_records": "unused"}, backup_path="/tmp/Leads.jsonl", **arguments)
    return {task_id.partition(".")[2]: task for task_id, task in dag.task_dict.items()}


def rule_of(task: Any) -> str:
    return str(getattr(task.trigger_rule, "value", task.trigger_rule))


def test_default_args_reach_the_tasks_of_a_clean_up() -> None:
    found = tasks()
    assert {task.zoho_crm_conn_id for task in found.values()} == {"zoho_sandbox"}
    delete = found["delete"]
    assert (delete.is_dry_run, delete.max_tags, delete.max_share, delete.timeout) == (True, 3, 0.1, 99)
    assert (found["find"].max_tags, found["find"].max_share) == (3, 0.1)
    assert found["back_up"].backup_path == "/tmp/Leads.jsonl"


def test_what_the_caller_of_a_clean_up_says_wins() -> None:
    found = tasks(zoho_crm_conn_id="zoho", dry_run=False, max_tags=None, max_share=1.0, timeout=7)
    assert {task.zoho_crm_conn_id for task in found.values()} == {"zoho"}
    delete = found["delete"]
    assert (delete.is_dry_run, delete.max_tags, delete.max_share, delete.timeout) == (False, None, 1.0, 7)


def test_a_trigger_rule_of_a_dag_does_not_let_a_delete_follow_a_failed_backup() -> None:
    found = tasks()
    assert {str(getattr(found[name].trigger_rule, "value", found[name].trigger_rule)) for name in ("find", "back_up", "delete")} == {
        "all_success"
    }
    assert found["delete"].wait_for_completion


@can_ask
def test_what_was_not_approved_does_not_reach_the_backup_and_the_delete() -> None:
    found = tasks(approval=True)
    for name in ("back_up", "delete"):
        assert found[name].tag_ids.operator is found["approve"]
    assert found["approve"].is_dry_run is True
    assert rule_of(found["approve"]) == "all_success"


class TiAfterFind(Ti):
    """Knows what tasks that find tags have pushed, in the order of the tasks, and their states."""

    dag_id, run_id = "a_dag", "a_run"

    def __init__(self, modules: list[str], states: list[str]) -> None:
        super().__init__()
        self.modules = modules
        self.states = {f"choose.find_{index}": state for index, state in enumerate(states)}

    def xcom_pull(self, task_ids: str, key: str, **_map_indexes: Any) -> Any:
        assert task_ids == "choose.find"
        return [{"module": name} if key == "module" else {"matched": [], "unmatched": []} for name in self.modules]

    def get_task_states(self, **_arguments: Any) -> Any:
        return {"a_run": self.states}


@can_ask
@pytest.mark.parametrize(
    ("states", "is_fine"),
    [
        (["success", "success"], True),
        (["failed", "success", "success"], True),
        (["success", "removed"], False),
        (["upstream_failed", "upstream_failed"], False),
    ],
)
def test_what_a_task_that_was_removed_has_found_is_not_asked_about(states: list[str], *, is_fine: bool) -> None:
    from airflow_provider_zcrm.operators.approve_tags_of_modules import ApproveTagsOfModulesOperator

    found = [[{"id": "1", "module": "Leads"}], [{"id": "2", "module": "Deals"}]]
    task = ApproveTagsOfModulesOperator(task_id="approve", find_task_id="choose.find", tag_ids=found)
    ti = TiAfterFind(["Leads", "Deals"], states)
    if is_fine:
        assert ask(task, ti)["subject"] == "Delete 2 tags of 2 modules?"
    else:
        with pytest.raises(InvalidArgument, match="the list of modules was cleared and has changed"):
            task.execute({"ti": ti, "task_instance": ti, "task": task})
