"""The operators of `org_tag_cleanup` one by one: what they refuse, and what they remember."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowSkipException, TaskGroup

from airflow_provider_zcrm import version_compat
from airflow_provider_zcrm.api.errors import InvalidArgument
from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.minimal_seed import minimal_seed
from airflow_provider_zcrm.hooks.errors import ZohoCrmFailure
from airflow_provider_zcrm.operators.approved_tags import ApprovedTagsOperator
from airflow_provider_zcrm.operators.backup_tags import BackupTagsOperator
from airflow_provider_zcrm.operators.find_tags_of_module import FindTagsOfModuleOperator
from airflow_provider_zcrm.operators.list_modules import ListModulesOperator
from airflow_provider_zcrm.tag_selection import TagSelection
from airflow_provider_zcrm.task_groups import org_tag_cleanup, tag_cleanup
from tests.airflow_task import TaskRun

HOT = {"id": "1", "name": "hot", "module": "Leads"}
PARTNER = {"id": "2", "name": "partner", "module": "Contacts"}


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    kept: dict[str, str] = {}
    monkeypatch.setattr(version_compat, "get_variable", kept.get)
    monkeypatch.setattr(version_compat, "set_variable", lambda key, value, _description: kept.update({key: value}))
    return kept


def list_modules(run_id: str = "a_run", **arguments: Any) -> TaskRun:
    run = TaskRun(ListModulesOperator(task_id="list_modules", **arguments))
    run.ti.run_id = run_id
    return run


def new_modules(run: TaskRun) -> list[str]:
    return [module["module"] for module in run.ti.xcoms["modules"] if module["new"]]


def give_modules(emulator: Control, *names: str) -> None:
    seed = minimal_seed()
    seed["orgs"][0]["modules"] = [{"api_name": name} for name in names]
    emulator.seed(seed)


def test_the_modules_are_listed_with_one_call(emulator: Control, variables: dict[str, str]) -> None:
    run = list_modules()

    assert run.try_once() == ["Leads", "Contacts"]
    assert run.ti.xcoms["modules"][0] == {"module": "Leads", "id": "2276164000000000125", "label": "Leads", "new": False}
    assert run.ti.xcoms["api_calls"] == len(emulator.requests("/crm/")) == 1


def test_a_module_is_new_in_the_first_run_that_sees_it_and_in_that_runs_retries(emulator: Control, variables: dict[str, str]) -> None:
    list_modules("first").try_once()
    give_modules(emulator, "Leads", "Contacts", "Late")
    second = list_modules("second")
    for _ in range(2):
        second.try_once()
        assert new_modules(second) == ["Late"]
    third = list_modules("third")
    third.try_once()
    assert new_modules(third) == []


@pytest.mark.parametrize("value", ["[]", "{", '{"modules": 7}', "null"])
def test_whatever_the_memory_holds_the_modules_are_listed(emulator: Control, variables: dict[str, str], value: str) -> None:
    variables["zoho_crm_modules_a_dag.list_modules"] = value
    assert list_modules().try_once() == ["Leads", "Contacts"]
    give_modules(emulator, "Leads", "Late")
    second = list_modules("second")
    second.try_once()
    assert new_modules(second) == ["Late"]


@pytest.mark.parametrize("arguments", [{"modules": ["Lead"]}, {"exclude_modules": ["Contcts"]}, {"exclude_modules": None}])
def test_what_matches_no_module_is_refused(emulator: Control, variables: dict[str, str], arguments: dict[str, Any]) -> None:
    with pytest.raises(ZohoCrmFailure):
        list_modules(**arguments).try_once()


def test_modules_that_came_out_empty_do_not_mean_all(emulator: Control, variables: dict[str, str]) -> None:
    run = list_modules(modules=["Leads"])
    run.task.modules = None  # type: ignore[attr-defined]
    with pytest.raises(ZohoCrmFailure, match="modules came out empty"):
        run.try_once()


def test_a_pattern_whose_template_came_out_empty_does_not_mean_all_modules(emulator: Control, variables: dict[str, str]) -> None:
    run = list_modules(modules=["{{ params.prefix }}*"])
    run.task.render_template_fields({"params": {"prefix": ""}})  # type: ignore[arg-type]
    with pytest.raises(ZohoCrmFailure, match="its template came out empty"):
        run.try_once()
    assert emulator.requests("/crm/") == []


@pytest.mark.parametrize("key", ["{{ params.module }}", "Lead{% if x %}s{% endif %}", "", " Leads", None])
def test_a_selection_whose_module_would_never_match_is_refused_when_the_dag_is_parsed(key: Any) -> None:
    modules = {key: {"names": ["hot"]}, "*": {"everything": True}}
    with DAG("a_dag", schedule=None), pytest.raises(InvalidArgument, match="neither the API name of a module nor a pattern"):
        org_tag_cleanup("org", modules=modules)


def test_each_module_is_found_by_its_own_selection(emulator: Control) -> None:
    selections = {"Leads": TagSelection(names=["hot"], keep=["VIP", "x"]), "*": {"names": ["partner"]}}
    runs = [TaskRun(FindTagsOfModuleOperator(task_id="find", module=m, selections=selections)) for m in ("Leads", "Contacts")]

    assert [[(tag["module"], tag["name"]) for tag in run.try_once()] for run in runs] == [[("Leads", "hot")], [("Contacts", "partner")]]
    assert runs[0].ti.xcoms["keep"] == {"matched": ["VIP"], "unmatched": ["x"]}
    assert "unmatched_keep" not in runs[0].ti.xcoms


def test_a_module_that_cannot_have_tags_has_none_and_one_that_is_not_there_fails(emulator: Control) -> None:
    seed = minimal_seed()
    seed["orgs"][0]["modules"].append({"api_name": "Notes", "tags_supported": False})
    emulator.seed(seed)
    find = {"task_id": "find", "selections": {"*": {"names": ["hot"]}}}
    assert TaskRun(FindTagsOfModuleOperator(module="Notes", **find)).try_once() == []
    with pytest.raises(ZohoCrmFailure):
        TaskRun(FindTagsOfModuleOperator(module="Nots", **find)).try_once()


@pytest.mark.parametrize("folder", ["", "None", None, " "])
def test_a_folder_for_backups_that_came_out_empty_is_refused(emulator: Control, tmp_path: Path, folder: Any) -> None:
    with DAG("a_dag", schedule=None) as dag:
        org_tag_cleanup("org", {"names": ["a"]}, backup_folder="{{ params.folder }}")
    back_up: Any = dag.get_task("org.clean.back_up")
    where = [folder if part == "{{ params.folder }}" else part for part in back_up.backup_path]
    found = {"task_id": "back_up", "module": "Leads", "tag_ids": [emulator.tags("Leads")["hot"]]}
    with pytest.raises(ZohoCrmFailure, match="backup_path holds"):
        TaskRun(BackupTagsOperator(backup_path=where, **found)).try_once()
    assert emulator.requests("/crm/") == []

    saved = TaskRun(BackupTagsOperator(backup_path=[f"{tmp_path}/", "a_run/Leads.jsonl"], **found)).try_once()
    assert saved["path"] == f"{tmp_path}/a_run/Leads.jsonl"


def test_an_empty_folder_or_path_in_the_dag_is_not_taken_for_no_backup() -> None:
    with DAG("a_dag", schedule=None) as dag:
        org_tag_cleanup("org", {"names": ["a"]}, backup_folder="")
        tag_cleanup("one", "Leads", {"names": ["a"]}, backup_path="")
    assert {"org.clean.back_up", "one.back_up"} <= set(dag.task_ids)


def pick(module: str, approved: Any, asked: Any = ("Leads", "Contacts")) -> Any:
    return TaskRun(ApprovedTagsOperator(task_id="approve", module=module, approved=approved, asked_modules=asked)).try_once()


def test_of_what_was_approved_a_module_gets_what_is_its_own() -> None:
    assert pick("Leads", [HOT, PARTNER]) == [HOT]
    assert pick("Leads", [PARTNER]) == []
    assert pick("Leads", [{"id": "1"}, "1"]) == []


def test_what_was_rejected_is_skipped_and_what_was_not_asked_about_fails() -> None:
    with pytest.raises(AirflowSkipException):
        pick("Leads", None)
    for asked in (["Contacts"], None, []):
        with pytest.raises(ZohoCrmFailure, match="The question was not about Leads"):
            pick("Leads", [HOT], asked)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"selection": {"names": ["a"]}, "modules": {"Leads": {"names": ["b"]}}},
        {"selection": {"names": ["a"]}, "approval": "twice"},
        {"selection": {"names": ["a"]}, "approval": None},
    ],
)
def test_a_group_that_cannot_be_meant_is_refused_when_the_dag_is_parsed(arguments: dict[str, Any]) -> None:
    with DAG("a_dag", schedule=None), pytest.raises(InvalidArgument):
        org_tag_cleanup("org", **arguments)


def test_what_a_dag_says_everywhere_reaches_the_tasks_but_for_what_would_change_their_order() -> None:
    everywhere = {"zoho_crm_conn_id": "zoho_sandbox", "dry_run": True, "trigger_rule": "all_done", "do_xcom_push": False, "max_share": 0.1}
    everywhere["exclude_modules"] = ["Deals"]
    with DAG("a_dag", schedule=None, default_args=everywhere) as dag:
        org_tag_cleanup("org", {"names": ["a"]}, backup_folder="/x")
    tasks = {task.task_id.removeprefix("org."): task for task in dag.tasks}

    assert {task.zoho_crm_conn_id for task in tasks.values()} == {"zoho_sandbox"}
    assert tasks["list_modules"].exclude_modules == ["Deals"]
    assert tasks["clean.delete"].is_dry_run is True
    assert (tasks["clean.find"].max_share, tasks["clean.delete"].max_share) == (0.1, 0.1)
    for name in ("list_modules", "clean.find", "clean.back_up", "clean.delete"):
        assert tasks[name].trigger_rule == "all_success"
        assert tasks[name].do_xcom_push is True


@pytest.mark.parametrize("everywhere", [{"approval": True}, {"backup_folder": "/x", "backup_path": "/x"}])
@pytest.mark.parametrize("of_a_group", [False, True])
def test_a_question_or_a_backup_that_default_args_would_not_make_is_refused(everywhere: dict[str, Any], *, of_a_group: bool) -> None:
    outer, inner = ({}, everywhere) if of_a_group else (everywhere, {})
    with DAG("a_dag", schedule=None, default_args=outer), TaskGroup("outer", default_args=inner):
        with pytest.raises(InvalidArgument, match="default_args has"):
            org_tag_cleanup("org", {"names": ["a"]})
        with pytest.raises(InvalidArgument, match="default_args has"):
            tag_cleanup("one", "Leads", {"names": ["a"]})


def test_a_backup_that_the_group_is_given_wins_over_default_args() -> None:
    with DAG("a_dag", schedule=None, default_args={"backup_folder": "/x", "backup_path": "/x"}) as dag:
        org_tag_cleanup("org", {"names": ["a"]}, backup_folder="/y")
        tag_cleanup("one", "Leads", {"names": ["a"]}, backup_path="/y/z")
    back_up: Any = dag.get_task("one.back_up")
    assert back_up.backup_path == "/y/z"
