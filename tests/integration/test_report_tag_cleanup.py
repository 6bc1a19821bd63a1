"""`ReportTagCleanupOperator` where Airflow does not do its part; tests/dag_test runs it in whole clean-ups."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import Asset

from airflow_provider_zcrm.operators.report_tag_cleanup import CLEANED_TAGS, ReportTagCleanupOperator

PUSHED = {
    ("find", "return_value"): ["2276164000001021041"],
    ("delete", "return_value"): ["17"],
    ("delete", "counts"): {"deleted": 1, "failed": 0},
}


class Ti(SimpleNamespace):
    """A task instance whose Airflow knows what other tasks have pushed, and not their states."""

    map_index = -1

    def xcom_pull(self, task_ids: str, key: str, map_indexes: int) -> Any:
        return PUSHED.get((task_ids, key))

    def xcom_push(self, key: str, value: Any) -> None:
        setattr(self, key, value)

    def get_task_states(self, **_arguments: Any) -> Any:
        raise RuntimeError("the API server is down")


def test_neither_unknown_states_nor_a_refused_event_hide_what_was_deleted(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    task = ReportTagCleanupOperator(task_id="report", module="Leads", find_task_id="find", delete_task_id="delete", zoho_crm_conn_id="")
    ti = Ti()
    with caplog.at_level(logging.INFO):
        text = task.execute({"ti": ti, "outlet_events": {}})  # type: ignore[arg-type]

    assert "**Tags of Leads**: done." in text
    assert "2276164000001021041" in text
    assert ti.numbers["deleted"] == 1
    assert "No asset event is added for the deleted tags of Leads." in caplog.text + capsys.readouterr().out


def test_outlets_of_the_user_stand_beside_our_own() -> None:
    mine = Asset("x-mine://report")
    task = ReportTagCleanupOperator(task_id="report", module="Leads", find_task_id="find", delete_task_id="delete", outlets=[mine])
    assert task.outlets == [mine, CLEANED_TAGS]


def report_of(pushed: dict[tuple[str, str], Any], **states: str) -> dict[str, Any]:
    """Return the numbers of a report, given what the tasks have pushed and their states."""

    class KnowsStates(Ti):
        dag_id, run_id = "a_dag", "a_run"

        def xcom_pull(self, task_ids: str, key: str, map_indexes: int) -> Any:
            return pushed.get((task_ids, key))

        def get_task_states(self, **_arguments: Any) -> Any:
            return {"a_run": states}

    ti = KnowsStates()
    task = ReportTagCleanupOperator(
        task_id="report", module="Leads", find_task_id="find", delete_task_id="delete", backup_task_id="back_up", approve_task_id="approve"
    )
    task.execute({"ti": ti, "outlet_events": {}})  # type: ignore[arg-type]
    numbers: dict[str, Any] = ti.numbers
    return numbers


@pytest.mark.parametrize("key", ["counts", "would_delete"])
def test_what_a_delete_has_pushed_before_a_clear_does_not_hide_that_the_backup_failed_after_it(key: str) -> None:
    pushed = PUSHED | {("delete", key): {"deleted": 1, "failed": 0}}
    assert report_of(pushed, find="success", back_up="success", delete="success")["state"] in ("done", "dry run")
    assert report_of(pushed, find="success", back_up="failed", delete="upstream_failed")["state"] == "failed"


def test_a_module_without_chosen_tags_has_failed_if_a_task_has() -> None:
    nothing = {("find", "return_value"): []}
    assert report_of(nothing, find="success", delete="success")["state"] == "nothing to delete"
    failed = report_of(nothing, find="success", delete="failed")
    assert (failed["state"], failed["outcome"]) == ("failed", "not finished: see the log of the task that deletes")


def test_a_delete_that_ended_below_its_jobs_says_that_tags_may_be_gone() -> None:
    pushed = {("find", "return_value"): PUSHED["find", "return_value"], ("delete", "job_id"): "17"}
    failed = report_of(pushed, find="success", delete="failed")
    assert "how many tags its jobs delete is not known" in failed["outcome"]
    assert failed["deleted"] is None
