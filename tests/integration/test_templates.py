"""Template fields as Airflow renders them, with ``render_template_as_native_obj=True``: what is a name stays one, or is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from unittest import mock

import pytest
from airflow.providers.common.compat.sdk import DAG, BaseOperator

from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.hooks.errors import ZohoCrmFailure
from airflow_provider_zcrm.operators.backup_tags import BackupTagsOperator
from airflow_provider_zcrm.operators.delete_records import DeleteRecordsOperator
from airflow_provider_zcrm.operators.find_tags import FindTagsOperator
from airflow_provider_zcrm.operators.mass_delete_records import MassDeleteRecordsOperator
from airflow_provider_zcrm.operators.mass_delete_tags import MassDeleteTagsOperator
from airflow_provider_zcrm.operators.report_tag_cleanup import ReportTagCleanupOperator
from airflow_provider_zcrm.operators.restore_records import RestoreRecordsOperator
from airflow_provider_zcrm.operators.restore_tags import RestoreTagsOperator
from airflow_provider_zcrm.sensors.mass_delete_job import MassDeleteJobSensor
from tests.airflow_task import IS_AIRFLOW_2, TaskRun

# a Python literal each, or what Airflow would strip or read otherwise
LOOKS_LIKE_SOMETHING_ELSE = ["2024_01", "202401", "1e5", "True", "None", "'hot'", "(1)", "[1]", "1, 2", "0x10", " hot ", "hot\n"]


def rendered(make: Callable[[], BaseOperator], *, native: bool = True, **params: Any) -> Any:
    with DAG("a_dag", schedule=None, start_date=datetime(2026, 1, 1), render_template_as_native_obj=native):  # noqa: DTZ001
        task = make()
    task.render_template_fields({"params": params})
    return task


def find(**selection: Any) -> FindTagsOperator:
    return FindTagsOperator(task_id="find", module="Leads", selection=selection, max_share=1.0)


OPERATORS: dict[str, Callable[[str], BaseOperator]] = {
    "find": lambda text: FindTagsOperator(task_id="t", module=text, selection={"names": [text], "keep": text}, zoho_crm_conn_id=text),
    "delete": lambda text: MassDeleteTagsOperator(task_id="t", module=text, tag_names=[text], zoho_crm_conn_id=text),
    "records": lambda text: DeleteRecordsOperator(task_id="t", module=text, record_ids=[text], zoho_crm_conn_id=text),
    "restore records": lambda text: RestoreRecordsOperator(task_id="t", module=text, record_ids=[text], zoho_crm_conn_id=text),
    "view": lambda text: MassDeleteRecordsOperator(task_id="t", module=text, cvid=text, zoho_crm_conn_id=text),
    "back_up": lambda text: BackupTagsOperator(task_id="t", module=text, tag_ids=[[text]], backup_path=text, zoho_crm_conn_id=text),
    "restore": lambda text: RestoreTagsOperator(task_id="t", backup_path=text, zoho_crm_conn_id=text),
    "sensor": lambda text: MassDeleteJobSensor(task_id="t", module=text, job_id=[text], kind=text, zoho_crm_conn_id=text),
    "report": lambda text: ReportTagCleanupOperator(
        task_id="t", module=text, find_task_id="find", delete_task_id="delete", zoho_crm_conn_id=text
    ),
}


@pytest.mark.smoke
@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("name", OPERATORS)
def test_a_string_without_jinja_stays_as_the_dag_wrote_it(name: str, native: bool) -> None:
    for text in LOOKS_LIKE_SOMETHING_ELSE:
        written = OPERATORS[name](text)
        task = rendered(lambda: OPERATORS[name](text), native=native)  # noqa: B023
        for field in task.template_fields:
            assert getattr(task, field) == getattr(written, field), (field, text)


def test_what_holds_jinja_is_rendered_as_airflow_does() -> None:
    task = rendered(
        lambda: find(names=["{{ params.prefix }}-1", "{# a comment #}x", "{% if True %}y{% endif %}"], limit="{{ params.limit }}"),
        prefix="tmp",
        limit=5,
    )
    assert task.selection == {"names": ["tmp-1", "x", "y"], "limit": 5}
    assert rendered(lambda: find(names="{{ params.names }}"), names=["2024_01", "b"]).selection == {"names": ["2024_01", "b"]}


@pytest.mark.skipif(IS_AIRFLOW_2, reason="A mapped task of Airflow 2 is expanded in the database")
def test_a_mapped_task_keeps_strings_without_jinja() -> None:
    params: Any = {"name": "hot"}
    with DAG("a_dag", schedule=None, start_date=datetime(2026, 1, 1), render_template_as_native_obj=True, params=params) as dag:  # noqa: DTZ001
        selection = {"keep": ["2024_01"], "names": "{{ params.name }}"}
        mapped: Any = FindTagsOperator.partial(task_id="find", selection=selection).expand(module=["2024_02"])
    context: Any = {"dag": dag, "dag_run": mock.Mock(conf={}), "ti": mock.Mock(map_index=0), "task": mapped}
    mapped.render_template_fields(context)
    assert context["task"].module == "2024_02"
    assert context["task"].selection == {"keep": ["2024_01"], "names": "hot"}


def test_a_sensor_keeps_the_arguments_of_airflows_own() -> None:
    sensor = rendered(lambda: MassDeleteJobSensor(task_id="t", job_id="1", timeout=7, mode="reschedule", soft_fail=True))
    assert (sensor.timeout, sensor.mode, sensor.soft_fail) == (7, "reschedule", True)


@pytest.mark.parametrize("keep", ["2024_01", ["2024_01"]])
def test_a_kept_name_that_looks_like_a_number_is_kept(emulator: Control, keep: Any) -> None:
    emulator.add_tags("Leads", ["2024_01", "2024_02"])
    found = TaskRun(rendered(lambda: find(name_glob="2024*", keep=keep))).try_once()
    assert [tag["name"] for tag in found] == ["2024_02"]


@pytest.mark.parametrize("written", ["{{ [params.keep] }}", "'{{ params.keep }}'"])
def test_what_the_refusal_advises_keeps_the_text(emulator: Control, written: str) -> None:
    emulator.add_tags("Leads", ["2024_01", "2024_02"])
    found = TaskRun(rendered(lambda: find(name_glob="2024*", keep=written), keep="2024_01")).try_once()
    assert [tag["name"] for tag in found] == ["2024_02"]


@pytest.mark.parametrize("value", ["2024_01", "1e5", "True", "None", None, 5, ""])
@pytest.mark.parametrize("field", ["names", "name_glob", "name_regex", "keep", "keep_regex", "tag_names", "module", "zoho_crm_conn_id"])
def test_what_jinja_has_made_no_text_is_refused_where_a_name_is_expected(emulator: Control, field: str, value: Any) -> None:
    template = "{{ params.value }}"
    if field in ("tag_names", "module", "zoho_crm_conn_id"):
        arguments: dict[str, Any] = {"module": "Leads", "tag_names": ["hot"], field: [template] if field == "tag_names" else template}
        task = rendered(lambda: MassDeleteTagsOperator(task_id="delete", **arguments), value=value)
    else:
        task = rendered(lambda: find(**{"names": ["hot"], field: [template]}), value=value)
    with pytest.raises(ZohoCrmFailure, match=f"{field} (holds|is) .*(not text.*'{{{{ ... }}}}'|came out empty)"):
        TaskRun(task).try_once()
    assert emulator.requests() == []


@pytest.mark.parametrize("name", [name for name in OPERATORS if name not in ("restore", "report")])
def test_a_module_that_came_out_as_a_number_is_refused(emulator: Control, name: str) -> None:
    task: Any = OPERATORS[name]("1")
    task.module, task.zoho_crm_conn_id, task.kind = 202401, "zoho_crm_default", "tags"
    with pytest.raises(ZohoCrmFailure, match="module holds 202401, which is not text"):
        TaskRun(task).try_once()
    assert emulator.requests() == []


@pytest.mark.parametrize("name", [name for name in OPERATORS if name != "report"])
def test_a_connection_that_came_out_as_a_number_is_refused(name: str) -> None:
    task: Any = OPERATORS[name]("Leads")
    task.zoho_crm_conn_id, task.kind, task.on_partial_failure = 202401, "tags", "fail"
    with pytest.raises(ZohoCrmFailure, match="zoho_crm_conn_id holds 202401, which is not text"):
        TaskRun(task).try_once()


def test_an_empty_prefix_does_not_choose_everything(emulator: Control) -> None:
    for native in (True, False):
        task = rendered(lambda: find(name_glob=["{{ params.prefix }}*"]), native=native, prefix="")
        with pytest.raises(ZohoCrmFailure, match=r"name_glob holds .* matches names of every kind"):
            TaskRun(task).try_once()
    assert emulator.requests() == []


@pytest.mark.parametrize(
    "operator", [BackupTagsOperator, DeleteRecordsOperator, FindTagsOperator, MassDeleteRecordsOperator, MassDeleteTagsOperator]
)
def test_a_mapped_task_has_the_defaults_that_airflow_gives_it(operator: Any) -> None:
    with DAG("mapped", schedule=None):
        mapped = operator.partial(task_id="t").expand(module=["Leads"])
    assert (mapped.inlets, mapped.outlets) == ([], [])
