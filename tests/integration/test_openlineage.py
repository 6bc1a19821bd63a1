"""The datasets that tasks report when Airflow's provider for OpenLineage asks them; tests/dag_test has a whole clean-up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import Asset, BaseOperator
from airflow.providers.openlineage.extractors.base import DefaultExtractor, OperatorLineage
from airflow.providers.openlineage.utils.utils import translate_airflow_asset

from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.hooks.errors import ZohoCrmFailure
from airflow_provider_zcrm.lineage import file_at
from airflow_provider_zcrm.operators.backup_tags import BackupTagsOperator
from airflow_provider_zcrm.operators.delete_records import DeleteRecordsOperator
from airflow_provider_zcrm.operators.mass_delete_records import MassDeleteRecordsOperator
from airflow_provider_zcrm.operators.mass_delete_tags import MassDeleteTagsOperator
from airflow_provider_zcrm.operators.restore_tags import RestoreTagsOperator
from tests.airflow_task import TaskRun

ORG = "zohocrm://zoho_crm_default"
HOT = "2276164000001021041"
RECORD = "2276164000006064001"
OLD_LEADS = "2276164000000538003"


Datasets = tuple[list[tuple[str, str]], list[tuple[str, str]]]


def told_by(task: BaseOperator) -> OperatorLineage[Any, Any]:
    """Run a task, and return what it then says."""
    run = TaskRun(task)
    run.try_once()
    lineage = DefaultExtractor(run.task).extract_on_complete(run.ti)
    assert lineage is not None
    return lineage


def datasets(lineage: OperatorLineage[Any, Any]) -> Datasets:
    return [(d.namespace, d.name) for d in lineage.inputs], [(d.namespace, d.name) for d in lineage.outputs]


@pytest.mark.smoke
@pytest.mark.parametrize(("dry_run", "expected"), [(False, ([], [(ORG, "Leads")])), ("True", ([(ORG, "Leads")], []))])
def test_who_deletes_records_changes_the_module_and_a_dry_run_reads_it(emulator: Control, dry_run: Any, expected: Datasets) -> None:
    task = DeleteRecordsOperator(task_id="delete", module="Leads", record_ids=[RECORD], dry_run=dry_run)
    assert datasets(told_by(task)) == expected


@pytest.mark.parametrize("deferrable", [False, True])
def test_the_job_at_zoho_stands_in_the_run_wherever_the_task_waited(emulator: Control, deferrable: bool) -> None:
    task = MassDeleteRecordsOperator(task_id="delete", module="Leads", cvid=OLD_LEADS, wait_for_completion=True, deferrable=deferrable)
    lineage = told_by(task)

    assert lineage.run_facets["externalQuery"].externalQueryId == emulator.counters()["jobs"][0]["job_id"]
    assert lineage.run_facets["externalQuery"].source == ORG


def test_a_backup_is_read_and_its_tags_are_changed(emulator: Control, tmp_path: Path) -> None:
    path = str(tmp_path / "Leads.jsonl")
    back_up = told_by(BackupTagsOperator(task_id="back_up", module="Leads", tag_ids=[HOT], backup_path=path))
    restore = told_by(RestoreTagsOperator(task_id="restore", backup_path=f"file://{path}"))
    rehearse = told_by(RestoreTagsOperator(task_id="restore", backup_path=path, dry_run=True))

    assert datasets(back_up) == ([(ORG, "Leads/tags")], [("file", path)])
    assert datasets(restore) == ([("file", path)], [(ORG, "Leads/tags")])
    assert datasets(rehearse) == ([("file", path), (ORG, "Leads/tags")], [])


def test_a_task_that_has_failed_tells_what_it_may_have_changed(emulator: Control) -> None:
    run = TaskRun(MassDeleteTagsOperator(task_id="delete", module="Leads", tag_ids=[HOT], max_tags=0))
    with pytest.raises(ZohoCrmFailure):
        run.try_once()
    lineage = DefaultExtractor(run.task).extract_on_failure(run.ti)

    assert lineage is not None
    assert datasets(lineage) == ([], [(ORG, "Leads/tags")])


def test_an_asset_is_the_dataset_of_the_task_that_changes_it() -> None:
    dataset = translate_airflow_asset(Asset(f"{ORG}/Leads/tags"), None)
    assert dataset is not None
    assert (dataset.namespace, dataset.name) == (ORG, "Leads/tags")


@pytest.mark.parametrize(
    ("path", "namespace", "name"),
    [
        ("/data/tags.jsonl", "file", "/data/tags.jsonl"),
        ("file:///data/tags.jsonl", "file", "/data/tags.jsonl"),
        ("s3://bucket/a/tags.jsonl", "s3://bucket", "a/tags.jsonl"),
        ("s3://aws_default@bucket/a/tags.jsonl", "s3://bucket", "a/tags.jsonl"),
    ],
)
def test_a_file_is_named_as_openlineage_names_files(path: str, namespace: str, name: str) -> None:
    dataset = file_at(path)
    assert (dataset.namespace, dataset.name) == (namespace, name)


def test_operators_need_no_openlineage() -> None:
    operators = ("backup_tags", "delete_records", "find_tags", "mass_delete_records", "mass_delete_tags", "restore_tags")
    imports = ", ".join(f"airflow_provider_zcrm.operators.{name}" for name in operators)
    absent = "sys.modules['openlineage'] = sys.modules['airflow.providers.openlineage.extractors'] = None"
    subprocess.run([sys.executable, "-c", f"import sys; {absent}; import airflow_provider_zcrm.lineage, {imports}"], check=True)
