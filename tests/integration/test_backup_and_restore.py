"""Backing tags up and restoring them, against the emulator and a real object storage of Airflow's."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import ObjectStoragePath
from fsspec.implementations.memory import MemoryFileSystem

from airflow_provider_zcrm.backup import restoration, tag_reader, writing
from airflow_provider_zcrm.backup.backup_file import BackupFile
from airflow_provider_zcrm.backup.tag_reader import TagReader
from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.minimal_seed import CLIENT, REFRESH_TOKEN, empty_seed
from airflow_provider_zcrm.hooks.errors import ZohoCrmFailure
from airflow_provider_zcrm.operators.backup_tags import BackupTagsOperator
from airflow_provider_zcrm.operators.mass_delete_tags import MassDeleteTagsOperator
from airflow_provider_zcrm.operators.report_tag_cleanup import ReportTagCleanupOperator
from airflow_provider_zcrm.operators.restore_tags import RestoreTagsOperator
from airflow_provider_zcrm.rules.errors import BackupShort, RestoreShort
from airflow_provider_zcrm.rules.poll_schedule import PollSchedule
from airflow_provider_zcrm.rules.tag_backup import LONGEST_LINE, backup_lines, check
from tests.airflow_task import TaskRun

PACKAGE = "airflow_provider_zcrm"
HOT, COLD, VIP = "2276164000001021041", "2276164000001021042", "2276164000001021043"
LIST_TAGS = "GET /crm/{version}/settings/tags"
CREATE_TAGS = "POST /crm/{version}/settings/tags"
COUNT = "GET /crm/{version}/settings/tags/{id}/actions/records_count"
ORG = "GET /crm/{version}/org"
PAGE = "GET /crm/{version}/{module}"
ADD_TAGS = "POST /crm/{version}/{module}/actions/add_tags"
EXPORT = "POST /crm/bulk/{version}/read"
POLL = "GET /crm/bulk/{version}/read/{job}"
DOWNLOAD = "GET /crm/bulk/{version}/read/{job}/result"


@pytest.fixture(autouse=True)
def _short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "_LOOKS", (0.05, 0.05))
    monkeypatch.setattr(tag_reader, "_EXPORT", PollSchedule(shortest=0.2, longest=0.5))


@pytest.fixture
def path(tmp_path: Path) -> str:
    return f"file://{tmp_path}/a_run/Leads.jsonl"


def backup(path: Any, tag_ids: Any, module: str = "Leads", **arguments: Any) -> TaskRun:
    return TaskRun(BackupTagsOperator(task_id="back_up", module=module, tag_ids=tag_ids, backup_path=path, **arguments))


def restore(path: Any, **arguments: Any) -> TaskRun:
    return TaskRun(RestoreTagsOperator(task_id="restore", backup_path=path, **arguments))


def delete(emulator: Control, tag_ids: list[str], module: str = "Leads") -> None:
    """Delete tags, and let the time pass that Zoho takes for it."""
    task = MassDeleteTagsOperator(task_id="delete", module=module, tag_ids=tag_ids, max_share=1.0)
    TaskRun(task, state=False).try_once()
    emulator.advance(10.0)


def tags(emulator: Control, module: str = "Leads", zgid: str | None = None) -> dict[str, str | None]:
    """Return the colours by name."""
    found = next(item for item in emulator.org(zgid)["modules"] if item["api_name"] == module)
    return {tag["name"]: tag["color_code"] for tag in found["tags"]}


def holders(emulator: Control, module: str = "Leads") -> dict[str, set[str]]:
    return {name: set(records) for name, records in emulator.tagged(module).items()}


def calls(emulator: Control) -> dict[str, int]:
    """Return how often each operation was called, without tokens."""
    counted = emulator.counters()["calls"]
    return {operation: sum(statuses.values()) for operation, statuses in counted.items() if "/crm/" in operation}


def written(path: str) -> Any:
    return check(Path(path.removeprefix("file://")).read_text().splitlines(keepends=True))


def many(emulator: Control, number: int, each: int = 1) -> None:
    emulator.add_records("Leads", {"number": number, "tags_each": each})


# --- there and back ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, 450, 1200])
def test_what_is_deleted_comes_back_with_its_colours_and_records(emulator: Control, path: str, number: int) -> None:
    many(emulator, number, 2)
    emulator.add_tags("Leads", [{"name": "nobody's", "color_code": None}, {"name": "Grün; so to say", "color_code": "#1DB9B4"}])
    colours, records = tags(emulator), holders(emulator)
    ids = list(emulator.tags("Leads").values())

    summary = backup(path, ids).try_once()
    assert summary == {"path": path, "tags": len(ids), "records": sum(map(len, records.values()))}
    delete(emulator, ids)
    assert tags(emulator) == {}
    restored = restore(path)
    assert restored.try_once() == {
        "path": path,
        "module": "Leads",
        "tags": len(ids),
        "created": len(ids),
        "records": summary["records"],
        "not_restored": 0,
    }
    assert restored.ti.xcoms["not_restored"] == []
    assert restored.ti.xcoms["api_calls"] > 3
    assert tags(emulator) == colours
    assert holders(emulator) == records


def test_only_the_given_tags_are_touched_and_others_stay_on_their_records(emulator: Control, path: str) -> None:
    records = holders(emulator)
    backup(path, [{"id": VIP, "name": "VIP", "reason": "unused"}]).try_once()
    assert [tag.name for tag in written(path).tags] == ["VIP"]
    delete(emulator, [VIP])
    restore(path).try_once()
    assert holders(emulator) == records
    assert emulator.tags("Leads")["hot"] == HOT


def test_the_header_says_where_it_comes_from(emulator: Control, path: str) -> None:
    backup(path, [HOT]).try_once()
    header = written(path).header
    assert (header.module, header.zgid, header.environment, header.made_by) == (
        "Leads", "808232144", "production", "a_dag/a_run/back_up/-1",
    )  # fmt: skip


def in_memory() -> str:
    """Tell Airflow of fsspec's object storage in memory, because it knows none besides files that needs no server; return its folder."""
    try:
        from airflow.sdk.io import attach
    except ImportError:
        from airflow.io.store import attach
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]
    attach("memory", conn_id="my_storage", fs=MemoryFileSystem())
    return "memory://backups"


def test_any_object_storage_will_do(emulator: Control) -> None:
    path, records = f"{in_memory()}/a_run/Leads.jsonl", holders(emulator)
    assert backup(path, [HOT, COLD], object_storage_conn_id="my_storage").try_once()["records"] == 10
    delete(emulator, [HOT, COLD])
    assert restore(path, object_storage_conn_id="my_storage").try_once()["created"] == 2
    assert holders(emulator) == records


def test_a_path_of_airflows_object_storage_will_do_with_its_connection_and_templates(emulator: Control) -> None:
    run = backup(ObjectStoragePath(f"{in_memory()}/{{{{ run_id }}}}/Leads.jsonl", conn_id="my_storage"), [HOT])
    run.task.render_template_fields({"run_id": "a_run"})
    path = run.try_once()["path"]
    assert path.startswith("memory://my_storage@")
    assert path.endswith("backups/a_run/Leads.jsonl")
    delete(emulator, [HOT])
    # what the backup returned, and the same as an object
    assert restore(path).try_once()["created"] == 1
    assert restore(ObjectStoragePath(path)).try_once()["records"] == 5


def test_a_path_without_a_scheme_is_a_file_of_the_worker(emulator: Control, tmp_path: Path) -> None:
    path = f"{tmp_path}/a run: 1+1/Leads.jsonl"
    assert backup(path, [HOT]).try_once()["path"] == path
    assert Path(path).is_file()
    assert restore(path).try_once()["records"] == 5


# --- the backup ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tag_ids", [[], [[], []]])
def test_without_tags_there_is_neither_a_file_nor_a_call(emulator: Control, path: str, tag_ids: Any) -> None:
    assert backup(path, tag_ids).try_once() == {"path": None, "tags": 0, "records": 0}
    assert emulator.requests() == []
    assert not Path(path.removeprefix("file://")).exists()


def test_tags_that_are_gone_are_left_out_after_a_second_look(emulator: Control, path: str) -> None:
    assert backup(path, [HOT, "1"]).try_once()["tags"] == 1
    assert (calls(emulator)[LIST_TAGS], calls(emulator)[COUNT]) == (2, 2)
    assert backup(path + "2", ["1"]).try_once() == {"path": None, "tags": 0, "records": 0}


# a list that comes empty is read twice, and the backup reads it again after a while
@pytest.mark.parametrize("empty", [1, 2, 4])
def test_an_empty_list_does_not_mean_that_there_is_nothing_to_back_up(emulator: Control, path: str, empty: int) -> None:
    emulator.fault("empty_204", "settings/tags$", times=empty)
    run = backup(path, [HOT])
    if empty == 4:
        with pytest.raises(BackupShort, match=f"lacks tags that are there: {HOT}"):
            run.try_once()
    assert run.try_once()["records"] == 5


def test_a_tag_that_is_not_listed_on_a_later_look_stays_in_the_backup(emulator: Control, path: str) -> None:
    emulator.fault("status", "records_count", status=200, body={"count": "7"})
    emulator.fault("empty_204", "settings/tags$", after=1)
    assert backup(path, [HOT]).try_once() == {"path": path, "tags": 1, "records": 5}


def test_tags_without_records_cost_no_reading_of_records(emulator: Control, path: str) -> None:
    many(emulator, 300)
    unused = emulator.add_tags("Leads", ["a", "b"])
    emulator.reset_counters()
    backup(path, unused).try_once()
    assert emulator.requests("/Leads") == []
    assert emulator.requests("/bulk/") == []


@pytest.mark.parametrize("include_records", [False, "False"])
def test_without_records_only_the_tags_are_written_and_restored(emulator: Control, path: str, include_records: Any) -> None:
    backup(path, [HOT, COLD], include_records=include_records).try_once()
    assert emulator.requests("records_count") == []
    delete(emulator, [HOT, COLD])
    restore(path).try_once()
    assert {"hot", "cold"} <= tags(emulator).keys()
    assert holders(emulator)["hot"] == set()
    assert emulator.requests("add_tags") == []


@pytest.mark.parametrize("reading", ["ignored", "supported"])
def test_a_small_module_costs_one_page_and_a_count_per_tag(emulator: Control, path: str, reading: str) -> None:
    emulator.readings(include_counts=reading)
    backup(path, [HOT, COLD]).try_once()
    assert calls(emulator) == {LIST_TAGS: 1, ORG: 1, PAGE: 1, COUNT: 2}


def listed(emulator: Control, count: str) -> None:
    """Let the list of tags have one tag, which it says is on so many records."""
    body = {"tags": [{"id": HOT, "name": "hot", "color_code": None, "associated_record_count": count}]}
    emulator.fault("status", "settings/tags$", times=None, status=200, body=body)


def test_a_list_that_says_that_no_record_carries_a_tag_is_not_believed(emulator: Control, path: str) -> None:
    listed(emulator, "0")
    assert backup(path, [HOT]).try_once()["records"] == 5


@pytest.mark.parametrize(("in_list", "counted"), [("7", "5"), ("5", "7")])
def test_fewer_records_than_the_higher_of_zohos_figures_are_too_few(emulator: Control, path: str, in_list: str, counted: str) -> None:
    listed(emulator, in_list)
    emulator.fault("status", "records_count", times=None, status=200, body={"count": counted})
    with pytest.raises(BackupShort, match=r"hot \(5 of 7\)"):
        backup(path, [HOT]).try_once()


def test_a_tag_that_zoho_counts_as_unused_has_its_records_if_others_are_read(emulator: Control, path: str) -> None:
    emulator.fault("status", f"{HOT}/actions/records_count", status=200, body={"count": "0"})
    assert backup(path, [HOT, COLD]).try_once()["records"] == 10


@pytest.mark.parametrize("number", [0, 450])
def test_names_that_differ_by_outer_blanks_are_two_tags(emulator: Control, path: str, number: int) -> None:
    many(emulator, number)
    ids = emulator.add_tags("Leads", ["VIP ", "VIP\N{NO-BREAK SPACE}"])
    emulator.add_records("Leads", [{"tags": ["VIP "]}, {"tags": ["VIP "]}, {"tags": ["VIP\N{NO-BREAK SPACE}"]}])
    before = holders(emulator)
    assert backup(path, [*ids, VIP]).try_once()["records"] == 3 + len(before["VIP"])
    assert emulator.requests("/bulk/") == []
    delete(emulator, [*ids, VIP])
    assert restore(path).try_once()["created"] == 3
    assert holders(emulator) == before


def test_a_large_module_is_exported_in_one_job_whatever_its_size(emulator: Control, path: str) -> None:
    many(emulator, 5000, 3)
    backup(path, [HOT, COLD, VIP]).try_once()
    made = calls(emulator)
    assert (made[PAGE], made[EXPORT], made[DOWNLOAD]) == (1, 1, 1)


def test_an_export_of_several_files_is_read_to_its_end(emulator: Control, path: str) -> None:
    many(emulator, 900)
    emulator.change_org(bulk_read_page=300)
    assert backup(path, [HOT, COLD, VIP]).try_once()["records"] == sum(len(holders(emulator)[name]) for name in ("hot", "cold", "VIP"))
    assert calls(emulator)[EXPORT] == 4
    # the next one is made while one is read
    asked = [
        entry["path"].endswith("/result") for entry in emulator.requests("/bulk/") if entry["method"] == "POST" or "result" in entry["path"]
    ]
    assert asked == [False, False, True, False, True, False, True, True]


@pytest.mark.parametrize("why", ["refused", "absent", "scope", "failed", "module"])
def test_records_are_read_page_by_page_where_there_is_no_export(emulator: Control, path: str, why: str) -> None:
    seed = leads_seed(450)
    if why == "scope":
        seed["orgs"][0]["refresh_tokens"] = [{"token": REFRESH_TOKEN, "scopes": ["ZohoCRM.settings.ALL", "ZohoCRM.modules.ALL"]}]
    seed["orgs"][0]["modules"][0]["bulk_read_supported"] = why != "module"
    emulator.seed(seed)
    if why in ("refused", "absent"):
        emulator.readings(bulk_tag_column=why)
    if why == "failed":
        emulator.next_bulk_reads(outcome="failed")
    ids = list(emulator.tags("Leads").values())
    assert backup(path, ids).try_once()["records"] == 450
    assert calls(emulator)[PAGE] == 3
    assert written(path).header.zgid == ("" if why == "scope" else "808232144")


@pytest.mark.parametrize("broken", ["cut", "count"])
def test_an_export_that_is_not_whole_gives_way_to_the_pages(emulator: Control, path: str, broken: str) -> None:
    many(emulator, 400)
    emulator.bulk_reads(start_delay=0, duration=0)
    if broken == "cut":
        emulator.fault("cut_json", "/result")
    else:
        status = {"data": [{"state": "COMPLETED", "result": {"count": 1000, "more_records": False}}]}
        emulator.fault("status", r"/bulk/v8/read/\d+$", status=200, body=status)
    assert backup(path, [HOT]).try_once()["records"] == len(holders(emulator)["hot"])
    assert calls(emulator)[PAGE] == 3


def leads_seed(number: int, locked: Sequence[str] = ()) -> dict[str, Any]:
    """Return a seed whose records are hot and cold in turn, from `record(0)` on."""
    seed = empty_seed()
    records = [{"id": record(n), "tags": [("hot", "cold")[n % 2]]} for n in range(number)]
    seed["orgs"][0]["modules"] = [{"api_name": "Leads", "tags": ["hot", "cold"], "records": records, "locked_records": list(locked)}]
    return seed


def record(number: int) -> str:
    return f"2276164000007{number:06}"


def test_an_export_that_lacks_records_is_noticed_and_the_pages_have_them(emulator: Control, path: str) -> None:
    many(emulator, 400)
    emulator.next_bulk_reads(missing=30)
    backup(path, [HOT, COLD, VIP]).try_once()
    assert {tag.name: written(path).records[tag.id] for tag in written(path).tags} == {
        name: len(holders(emulator)[name]) for name in ("hot", "cold", "VIP")
    }
    assert calls(emulator)[COUNT] == 6


def test_converted_leads_are_records_too(emulator: Control, path: str) -> None:
    emulator.add_records("Leads", [{"tags": ["hot"], "converted": True}] * 3)
    assert backup(path, [HOT]).try_once()["records"] == 8
    many(emulator, 300)
    emulator.readings(bulk_converted="off")
    assert backup(path + "2", [HOT]).try_once()["records"] == len(holders(emulator)["hot"])


def test_fewer_records_than_there_must_be_fail_the_task_so_that_no_delete_follows(emulator: Control, path: str) -> None:
    emulator.fault("status", f"{HOT}/actions/records_count", times=None, status=200, body={"count": "7"})
    run = backup(path, [HOT, COLD])
    with pytest.raises(BackupShort, match=r"hot \(5 of 7\)") as short:
        run.try_once()
    assert "cold" not in str(short.value)
    assert not Path(path.removeprefix("file://")).exists()
    assert len(emulator.requests(f"{HOT}/actions/records_count")) == 3
    emulator.clear_faults()
    assert run.try_once()["records"] == 10


def test_a_tag_in_the_middle_of_the_wait_is_counted_anew(emulator: Control, path: str) -> None:
    emulator.fault("status", f"{HOT}/actions/records_count", times=1, status=200, body={"count": "7"})
    assert backup(path, [HOT]).try_once()["records"] == 5


# --- what stands there already -------------------------------------------------------------------------------------------


def test_another_run_never_overwrites_a_backup(emulator: Control, path: str) -> None:
    backup(path, [HOT]).try_once()
    before = Path(path.removeprefix("file://")).read_bytes()
    other = backup(path, [HOT])
    other.ti.run_id = "another_run"
    emulator.reset_counters()
    with pytest.raises(ZohoCrmFailure, match=r"a_dag/a_run/back_up/-1.*not overwritten"):
        other.try_once()
    with pytest.raises(ZohoCrmFailure, match="not overwritten"):
        backup(path, ["2276164000001021051"], module="Contacts").try_once()
    assert Path(path.removeprefix("file://")).read_bytes() == before
    assert emulator.requests() == []


def test_a_retry_keeps_what_an_earlier_try_has_written_even_after_the_delete(emulator: Control, path: str) -> None:
    run = backup(path, [HOT, COLD])
    summary = run.try_once()
    before = Path(path.removeprefix("file://")).read_bytes()
    assert run.try_once() == summary
    delete(emulator, [HOT, COLD])
    run.clear()
    assert run.try_once() == summary
    assert Path(path.removeprefix("file://")).read_bytes() == before


@pytest.mark.parametrize(("owner", "step"), [(TagReader, "counts"), (BackupFile, "create")], ids=["while it reads", "before it writes"])
def test_of_two_runs_that_write_at_once_the_second_fails(
    emulator: Control, path: str, monkeypatch: pytest.MonkeyPatch, owner: Any, step: str
) -> None:
    quicker = backup(path, [HOT, COLD])
    quicker.ti.run_id = "another_run"
    as_it_is = getattr(owner, step)

    def later(*arguments: Any) -> Any:
        """Let the other run write its backup first; both have found the place free."""
        monkeypatch.setattr(owner, step, as_it_is)
        quicker.try_once()
        return as_it_is(*arguments)

    monkeypatch.setattr(owner, step, later)
    with pytest.raises(ZohoCrmFailure, match=r"a_dag/another_run/back_up/-1.*not overwritten"):
        backup(path, [HOT]).try_once()
    assert len(written(path).tags) == 2
    assert files(path) == ["Leads.jsonl"]


def test_of_two_attempts_that_write_at_once_the_second_keeps_what_the_first_wrote(
    emulator: Control, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = BackupFile.create

    def later(*arguments: Any) -> None:
        monkeypatch.setattr(BackupFile, "create", create)
        backup(path, [HOT]).try_once()
        create(*arguments)

    monkeypatch.setattr(BackupFile, "create", later)
    run = backup(path, [HOT])
    with pytest.raises(FileExistsError):
        run.try_once()
    assert run.try_once()["path"] == path
    assert files(path) == ["Leads.jsonl"]


def test_a_file_that_appears_in_the_last_moment_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, place = tmp_path / "source", BackupFile(f"file://{tmp_path}/Leads.jsonl", None)
    source.write_text("mine")
    Path(tmp_path / "Leads.jsonl").write_text("another's")
    for links in (True, False):
        if not links:
            without_links(monkeypatch)
        with pytest.raises(FileExistsError):
            place.create(source, "a task")
        assert files(place.path) == ["Leads.jsonl", "source"]
    assert Path(tmp_path / "Leads.jsonl").read_text() == "another's"


def test_in_an_object_storage_too_a_file_is_created_only_where_none_is(tmp_path: Path) -> None:
    source, place = tmp_path / "source", BackupFile(f"{in_memory()}/created/Leads.jsonl", "my_storage")
    source.write_text("mine")
    place.create(source, "a task")
    source.write_text("another's")
    with pytest.raises(FileExistsError):
        place.create(source, "another task")
    with place.lines() as lines:
        assert list(lines) == ["mine"]


def test_an_object_storage_that_has_no_condition_is_looked_at_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, place = tmp_path / "source", BackupFile(f"{in_memory()}/created/Leads.jsonl", "my_storage")
    monkeypatch.setattr(MemoryFileSystem, "put_file", lambda fs, local, there, **_: fs.pipe_file(there, Path(local).read_bytes()))
    source.write_text("mine")
    place.create(source, "a task")
    with pytest.raises(FileExistsError):
        place.create(source, "another task")


def test_what_an_object_storage_gets_is_created_with_its_own_condition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 and its kind refuse a file that appears after the look at the place; here nobody looks."""
    source, place = tmp_path / "source", BackupFile(f"{in_memory()}/condition/Leads.jsonl", "my_storage")
    source.write_text("mine")
    place.create(source, "a task")
    monkeypatch.setattr(BackupFile, "exists", lambda _: False)
    with pytest.raises(FileExistsError):
        place.create(source, "another task")


def without_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no file be linked: a file system that cannot do that, such as a bucket that is mounted, cannot be had here."""

    def refused(*_: Any) -> None:
        raise PermissionError("Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refused)


def test_a_file_system_without_links_will_do(emulator: Control, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    without_links(monkeypatch)
    assert backup(path, [HOT]).try_once()["records"] == 5
    assert files(path) == ["Leads.jsonl"]


def files(path: str) -> list[str]:
    return sorted(file.name for file in Path(path.removeprefix("file://")).parent.iterdir())


@pytest.mark.parametrize("store", ["file", "memory"])
def test_a_cleared_task_writes_beside_its_older_file_if_anything_has_changed(emulator: Control, path: str, store: str) -> None:
    if store == "memory":
        path = f"{in_memory()}/cleared/Leads.jsonl"
    second, third = path.replace("Leads", "Leads.2"), path.replace("Leads", "Leads.3")
    run = backup(path, [HOT, COLD], object_storage_conn_id="my_storage" if store == "memory" else None)
    assert run.try_once() == {"path": path, "tags": 2, "records": 10}
    emulator.add_records("Leads", [{"tags": ["hot"]}])
    run.clear()
    assert run.try_once() == {"path": second, "tags": 2, "records": 11}
    # as many records, but others
    gone = sorted(holders(emulator)["hot"])[0]
    remove_records(emulator, [gone])
    emulator.add_records("Leads", [{"tags": ["hot"]}])
    run.clear()
    assert run.try_once() == {"path": third, "tags": 2, "records": 11}
    assert run.try_once()["path"] == third
    # what is gone stands in the newest file
    delete(emulator, [HOT, COLD])
    run.clear()
    assert run.try_once() == {"path": third, "tags": 2, "records": 11}
    assert restore(third, object_storage_conn_id="my_storage" if store == "memory" else None).try_once()["records"] == 11


@pytest.mark.parametrize("change", ["name", "colour"])
def test_a_cleared_task_writes_beside_its_older_file_if_a_tag_has_changed(emulator: Control, path: str, change: str) -> None:
    run = backup(path, [HOT, COLD])
    assert run.try_once()["path"] == path
    before = Path(path.removeprefix("file://")).read_bytes()
    tag = {"id": HOT, "name": "Hot" if change == "name" else "hot", "color_code": "#1DB9B4" if change == "colour" else None}
    old = next(tag for tag in written(path).tags if tag.id == HOT)
    tag["color_code"] = tag["color_code"] or old.color_code
    others = [{"id": COLD, "name": "cold", "color_code": next(tag for tag in written(path).tags if tag.id == COLD).color_code}]
    emulator.fault("status", "settings/tags$", times=None, status=200, body={"tags": [tag, *others]})
    run.clear()
    beside = path.replace("Leads", "Leads.2")
    assert run.try_once() == {"path": beside, "tags": 2, "records": 10}
    assert tag["name" if change == "name" else "color_code"] in Path(beside.removeprefix("file://")).read_text()
    assert Path(path.removeprefix("file://")).read_bytes() == before


def test_the_report_names_the_newer_file(emulator: Control, path: str) -> None:
    run = backup(path, [HOT])
    run.try_once()
    emulator.add_records("Leads", [{"tags": ["hot"]}])
    run.clear()
    returned = run.try_once()
    report = TaskRun(
        ReportTagCleanupOperator(task_id="report", module="Leads", find_task_id="find", delete_task_id="delete", backup_task_id="back_up")
    )
    pulled = {("back_up", "return_value"): returned}
    report.ti.xcom_pull = lambda task_ids, key, **_: pulled.get((task_ids, key))  # type: ignore[method-assign]
    assert "Leads.2.jsonl" in report.try_once()


def test_of_many_that_create_one_file_at_once_one_succeeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for links in (True, False):
        if not links:
            without_links(monkeypatch)
        path, barrier = str(tmp_path / str(links) / "Leads.jsonl"), threading.Barrier(8)

        def create(number: int, path: str = path, barrier: threading.Barrier = barrier) -> int | None:
            source = tmp_path / str(number)
            source.write_text(str(number) * 100_000)
            place = BackupFile(path, None)
            barrier.wait()
            try:
                place.create(source, f"task {number}")
            except FileExistsError:
                return None
            return number

        with ThreadPoolExecutor(8) as threads:
            (winner,) = [number for number in threads.map(create, range(8)) if number is not None]
        assert Path(path).read_text() == str(winner) * 100_000
        assert files(path) == ["Leads.jsonl"]


def test_a_retry_with_other_tags_writes_beside_the_older_file(emulator: Control, path: str) -> None:
    beside = path.replace("Leads", "Leads.2")
    assert backup(path, [HOT, "1"]).try_once()["path"] == path
    assert backup(path, [HOT, "1"]).try_once() == {"path": path, "tags": 1, "records": 5}
    assert backup(path, [HOT, COLD]).try_once() == {"path": beside, "tags": 2, "records": 10}
    # the first one holds what is asked for, and no more
    assert backup(path, [HOT]).try_once()["path"] == path
    assert backup(path, [HOT], include_records=False).try_once()["path"] == path.replace("Leads", "Leads.3")


def test_a_name_beside_that_something_else_has_is_passed_over(emulator: Control, path: str) -> None:
    run = backup(path, [HOT])
    run.try_once()
    other = Path(path.removeprefix("file://")).with_name("Leads.2.jsonl")
    other.write_text("somebody else's")
    emulator.add_records("Leads", [{"tags": ["hot"]}])
    assert run.try_once()["path"] == path.replace("Leads", "Leads.3")
    assert other.read_text() == "somebody else's"


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_backup_that_broke_off_is_neither_restored_nor_replaced(emulator: Control, path: str, share: float) -> None:
    backup(path, [HOT]).try_once()
    file = Path(path.removeprefix("file://"))
    whole = file.read_text()
    file.write_text(whole[: int(len(whole) * share)])
    with pytest.raises(ZohoCrmFailure, match="breaks off"):
        restore(path).try_once()
    other = backup(path, [HOT])
    other.ti.run_id = "another_run"
    beside = path.replace("Leads", "Leads.2")
    assert other.try_once() == {"path": beside, "tags": 1, "records": 5}
    assert file.read_text() == whole[: int(len(whole) * share)]
    assert written(beside).records == {HOT: 5}


def test_a_file_that_is_no_backup_is_never_overwritten(emulator: Control, path: str) -> None:
    file = Path(path.removeprefix("file://"))
    file.parent.mkdir()
    file.write_text("id,name\n1,hot\n")
    with pytest.raises(ZohoCrmFailure, match="not what stands there"):
        backup(path, [HOT]).try_once()
    with pytest.raises(ZohoCrmFailure, match="not what stands there"):
        restore(path).try_once()
    assert file.read_text() == "id,name\n1,hot\n"
    assert emulator.requests() == []


@pytest.mark.parametrize("links", [True, False])
def test_a_write_that_breaks_off_leaves_nothing(emulator: Control, path: str, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    run = backup(path, [HOT])
    # a full disk cannot be had here: the last copy writes half and fails
    with monkeypatch.context() as patch:
        left = [1] if links else [1, 2]
        copy = shutil.copyfileobj
        if not links:
            without_links(patch)

        def half(source: Any, target: Any) -> None:
            if len(left) == 1:
                target.write(source.read(150))
                raise OSError("No space left on device")
            left.pop()
            copy(source, target)

        patch.setattr("airflow_provider_zcrm.backup.backup_file.shutil.copyfileobj", half)
        with pytest.raises(OSError, match="No space"):
            run.try_once()
    assert files(path) == []
    with pytest.raises(ZohoCrmFailure, match="There is no backup"):
        restore(path).try_once()
    assert run.try_once()["records"] == 5
    assert files(path) == ["Leads.jsonl"]


def test_the_draft_of_an_attempt_that_was_killed_is_replaced(emulator: Control, path: str) -> None:
    script = f"""
import os, shutil
from airflow_provider_zcrm.backup.backup_file import BackupFile
shutil.copyfileobj = lambda source, target: (target.write(b"half"), target.flush(), os.kill(os.getpid(), 9))
BackupFile({path!r}, None).create(__import__("pathlib").Path(__file__), "a_dag/a_run/back_up/-1")
"""
    killer = Path(path.removeprefix("file://")).parent.with_name("killed.py")
    killer.write_text(script)
    assert subprocess.run([sys.executable, str(killer)], check=False).returncode == -signal.SIGKILL
    (draft,) = files(path)
    assert draft.endswith(".draft")
    assert backup(path, [HOT]).try_once()["path"] == path
    assert files(path) == ["Leads.jsonl"]


@pytest.mark.parametrize("killed", ["export", "draft"])
def test_a_backup_that_is_killed_leaves_no_temporary_file(emulator: Control, tmp_path: Path, path: str, killed: str) -> None:
    many(emulator, 400)
    emulator.bulk_reads(start_delay=0, duration=0)
    where = {"export": ("backup.tag_reader", "read_export"), "draft": ("backup.backup_file", "_create_local")}
    module, name = where[killed]
    script = f"""
import os, {PACKAGE}.{module} as module
module.{name} = lambda *_: print(sorted(os.listdir({str(tmp_path / "temporary")!r})), flush=True) or os.kill(os.getpid(), 9)
from tests.integration.test_backup_and_restore import backup
backup({path!r}, {list(emulator.tags("Leads").values())!r}).try_once()
"""
    (tmp_path / "temporary").mkdir()
    environment = {**os.environ, "TMPDIR": str(tmp_path / "temporary"), "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"}
    done = subprocess.run([sys.executable, "-c", script], check=False, env=environment, stdout=subprocess.PIPE, text=True)
    assert done.returncode == -signal.SIGKILL
    # tests.conftest makes a folder for Airflow
    left = [file for file in (tmp_path / "temporary").iterdir() if not file.name.startswith("zcrm-airflow-")]
    assert left == []
    assert "[" in done.stdout


@pytest.mark.parametrize("path", ["", " ", "None", None, "s3://bucket/a_folder/", 7])
def test_a_path_is_needed(emulator: Control, path: Any) -> None:
    with pytest.raises(ZohoCrmFailure, match="backup_path is"):
        backup(path, [HOT]).try_once()
    with pytest.raises(ZohoCrmFailure, match="backup_path is"):
        restore(path).try_once()


def made_odd(file: Path, kind: str) -> None:
    """Let something stand in the place of a backup that is none."""
    file.parent.mkdir()
    if kind == "directory":
        file.mkdir()
    elif kind == "other":
        os.mkfifo(file)
    elif kind == "link that points to nothing":
        file.symlink_to("nothing")
    elif kind == "link that points to itself":
        file.symlink_to(file.name)
    elif kind == "path below a link that points to nothing":
        file.parent.rmdir()
        file.parent.symlink_to("nothing")
    else:
        file.parent.rmdir()
        file.parent.touch()


@pytest.mark.parametrize(
    "kind",
    [
        "directory",
        "other",
        "link that points to nothing",
        "link that points to itself",
        "path below a file",
        "path below a link that points to nothing",
    ],
)
def test_what_is_no_file_is_refused_with_a_sentence(emulator: Control, path: str, kind: str) -> None:
    made_odd(Path(path.removeprefix("file://")), kind)
    for run in (backup(path, [HOT]), restore(path)):
        with pytest.raises(ZohoCrmFailure, match=f"is not a file, but a {kind}"):
            run.try_once()
    assert emulator.requests() == []


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/tmp/a\0b", "embedded null byte"),
        ("/tmp/" + "x" * 300, "its name is too long"),
        ("/tmp/\ud800", "surrogates not allowed"),
        ("nowhere://bucket/Leads.jsonl", "nowhere.*apache-airflow-providers-amazon"),
    ],
)
def test_a_path_at_which_no_file_can_be_is_refused_with_a_sentence(emulator: Control, path: str, sentence: str) -> None:
    for run in (backup(path, [HOT]), restore(path)):
        with pytest.raises(ZohoCrmFailure, match=sentence):
            run.try_once()
    assert emulator.requests() == []


def test_a_folder_of_an_object_storage_is_refused_with_a_sentence(emulator: Control) -> None:
    path = f"{in_memory()}/a_folder/Leads.jsonl"
    backup(path, [HOT], object_storage_conn_id="my_storage").try_once()
    with pytest.raises(ZohoCrmFailure, match="is not a file, but a directory"):
        backup(path.removesuffix("/Leads.jsonl"), [HOT], object_storage_conn_id="my_storage").try_once()


@pytest.mark.parametrize(
    "content",
    [b"[" * 1_000_000, b'{"format": ' * 200_000, b"\xff\xfe\x00\n", b"x" * 20_000_000, b"1" * 10_000 + b"\n", b"\n"],
    ids=["deep", "deeper", "bytes", "huge", "number", "empty line"],
)
def test_whatever_stands_in_the_file_is_refused_with_a_sentence(emulator: Control, path: str, content: bytes) -> None:
    file = Path(path.removeprefix("file://"))
    file.parent.mkdir()
    file.write_bytes(content)
    with pytest.raises(ZohoCrmFailure, match=r"Line 1 is|breaks off") as refused:
        restore(path).try_once()
    assert ("too long" in str(refused.value)) is (len(content) > LONGEST_LINE)
    assert len(str(refused.value)) < 1000
    assert emulator.requests() == []


@pytest.mark.parametrize(
    ("old", "new"),
    [('"record_ids": ["2276', '"record_ids": ["2277'), ('"zgid": "808232144"', '"zgid": ""'), ('"name": "hot"', '"name": "not"')],
)
def test_a_backup_that_was_changed_is_refused_before_anything_is_written(emulator: Control, path: str, old: str, new: str) -> None:
    backup(path, [HOT]).try_once()
    file = Path(path.removeprefix("file://"))
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    emulator.reset_counters()
    with pytest.raises(ZohoCrmFailure, match="checksum"):
        restore(path).try_once()
    assert emulator.requests() == []


@pytest.mark.parametrize(("line", "signed"), [(1, False), (1, True), (2, False)], ids=["tag", "tag, with its checksum", "records"])
def test_a_second_line_for_the_same_tag_is_refused_before_anything_is_written(
    emulator: Control, path: str, line: int, signed: bool
) -> None:
    backup(path, [HOT]).try_once()
    file = Path(path.removeprefix("file://"))
    lines = file.read_text().splitlines(keepends=True)
    lines.insert(line, lines[line])
    if signed:
        end = json.loads(lines[-1])
        end["end"] |= {"tags": 2, "sha256": hashlib.sha256("".join(lines[:-1]).encode()).hexdigest()}
        lines[-1] = json.dumps(end) + "\n"
    file.write_text("".join(lines))
    emulator.reset_counters()
    with pytest.raises(ZohoCrmFailure, match="holds the tag 2276164000001021041 twice" if line == 1 else "checksum"):
        restore(path).try_once()
    assert emulator.requests() == []


def test_of_a_line_without_an_end_only_the_beginning_is_held(tmp_path: Path) -> None:
    (tmp_path / "huge").write_bytes(b"x" * (LONGEST_LINE + 100))
    with BackupFile(str(tmp_path / "huge"), None).lines() as lines:
        assert [len(line) for line in lines] == [LONGEST_LINE, 100]


def test_a_backup_that_is_not_there_cannot_be_restored(emulator: Control, path: str) -> None:
    with pytest.raises(ZohoCrmFailure, match="There is no backup"):
        restore(path).try_once()
    assert emulator.requests() == []


# --- the restoration -----------------------------------------------------------------------------------------------------


def test_restoring_twice_changes_nothing_more(emulator: Control, path: str) -> None:
    backup(path, [HOT, COLD]).try_once()
    delete(emulator, [HOT, COLD])
    run = restore(path)
    run.try_once()
    once = emulator.org(records=True)["modules"]
    again = run.try_once()
    assert (again["created"], again["records"], again["not_restored"]) == (0, 10, 0)
    assert emulator.org(records=True)["modules"] == once


@pytest.mark.parametrize("place", ["settings/tags$", "add_tags"])
def test_a_lost_answer_does_no_harm(emulator: Control, path: str, place: str) -> None:
    colours, records = tags(emulator), holders(emulator)
    backup(path, [HOT, COLD]).try_once()
    delete(emulator, [HOT, COLD])
    emulator.fault("drop_after", place, method="POST")
    assert restore(path).try_once()["not_restored"] == 0
    assert tags(emulator) == colours
    assert holders(emulator) == records


def test_a_tag_of_that_name_that_was_made_meanwhile_is_taken(emulator: Control, path: str) -> None:
    backup(path, [HOT]).try_once()
    delete(emulator, [HOT])
    emulator.add_tags("Leads", [{"name": "hot", "color_code": "#B88562"}])
    run = restore(path)
    assert run.try_once()["created"] == 0
    (entry,) = run.ti.xcoms["not_restored"]
    assert (entry["tag"], "#B88562" in entry["reason"], entry["records"]) == ("hot", True, 0)
    assert tags(emulator)["hot"] == "#B88562"
    assert len(holders(emulator)["hot"]) == 5


@pytest.mark.parametrize("reading", ["mapping_mismatch", "duplicate_data"])
def test_a_tag_that_is_made_while_it_is_created_is_taken(emulator: Control, path: str, reading: str) -> None:
    backup(path, [HOT]).try_once()
    delete(emulator, [HOT])
    emulator.readings(other_color=reading)
    emulator.add_tags("Leads", [{"name": "hot", "color_code": "#B88562"}])
    emulator.fault("status", "settings/tags$", method="GET", status=200, body={"tags": []})
    assert restore(path).try_once()["records"] == 5
    assert len(holders(emulator)["hot"]) == 5


@pytest.mark.parametrize("at_once", ["20", "any", "1"])
def test_many_tags_are_created_however_many_a_call_takes(emulator: Control, path: str, at_once: str) -> None:
    ids = emulator.add_tags("Leads", [f"tag {number}" for number in range(45)])
    emulator.readings(tags_per_create=at_once)
    backup(path, ids).try_once()
    delete(emulator, ids)
    emulator.reset_counters()
    assert restore(path).try_once()["created"] == 45
    assert calls(emulator)[CREATE_TAGS] == {"20": 3, "any": 3, "1": 48}[at_once]


def test_a_colour_that_zoho_does_not_take_is_left_out_and_told(emulator: Control, path: str) -> None:
    odd, even = emulator.add_tags("Leads", [{"name": "odd", "color_code": "#AAFE62"}, {"name": "even", "color_code": "#F48435"}])
    backup(path, [odd, even]).try_once()
    delete(emulator, [odd, even])
    emulator.readings(tag_colors="documented")
    run = restore(path)
    assert run.try_once()["created"] == 2
    assert {name: colour for name, colour in tags(emulator).items() if name in ("odd", "even")} == {"odd": None, "even": "#F48435"}
    assert [(entry["tag"], "#AAFE62" in entry["reason"]) for entry in run.ti.xcoms["not_restored"]] == [("odd", True)]
    # a second run says it again
    assert run.try_once()["created"] == 0
    assert [(entry["tag"], "#AAFE62" in entry["reason"]) for entry in run.ti.xcoms["not_restored"]] == [("odd", True)]


def test_a_tag_that_zoho_does_not_create_at_all_is_told_once(emulator: Control, path: str) -> None:
    backup(path, [HOT, COLD]).try_once()
    delete(emulator, [HOT, COLD])
    body = {"code": "INVALID_DATA", "details": {}, "message": "invalid data", "status": "error"}
    # both together, then hot alone, with its colour and without
    emulator.fault("status", "settings/tags$", method="POST", times=2, status=400, body=body)
    emulator.fault("status", "settings/tags$", method="POST", after=1, status=400, body=body)
    run = restore(path)
    with pytest.raises(
        RestoreShort, match=r"^1 of 2 tags of Leads could not be created.*: hot \(it was not created: Zoho refuses"
    ) as short:
        run.try_once()
    assert "cold" not in str(short.value)
    assert len(holders(emulator)["cold"]) == 5
    (entry,) = run.ti.xcoms["not_restored"]
    assert (entry["tag"], entry["records"], entry["reason"]) == ("hot", 5, "it was not created: Zoho refuses the request: invalid data {}.")


def test_tags_beyond_the_limit_of_the_edition_are_told(emulator: Control, path: str) -> None:
    backup(path, [HOT, COLD]).try_once()
    delete(emulator, [HOT, COLD])
    emulator.change_org(tags_per_module=4)
    run = restore(path)
    with pytest.raises(RestoreShort, match=r"cold \(it was not created: LICENSE_LIMIT_EXCEEDED"):
        run.try_once()
    assert len(holders(emulator)["hot"]) == 5
    (entry,) = run.ti.xcoms["not_restored"]
    assert (entry["tag"], entry["records"]) == ("cold", 5)
    assert "LICENSE_LIMIT_EXCEEDED" in entry["reason"]
    emulator.change_org(tags_per_module=5)
    assert run.try_once()["not_restored"] == 0


@pytest.mark.parametrize("missing", ["failure", "invalid_data"])
def test_records_that_are_gone_are_told_and_the_others_restored(emulator: Control, path: str, missing: str) -> None:
    emulator.readings(missing_record=missing)
    gone = sorted(holders(emulator)["hot"])[:2]
    backup(path, [HOT]).try_once()
    delete(emulator, [HOT])
    remove_records(emulator, gone)
    run = restore(path)
    summary = run.try_once()
    assert (summary["records"], summary["not_restored"]) == (3, 2)
    (entry,) = run.ti.xcoms["not_restored"]
    assert (entry["tag"], entry["records"], sorted(entry["record_ids"])) == ("hot", 2, gone)
    assert len(holders(emulator)["hot"]) == 3


def remove_records(emulator: Control, ids: list[str]) -> None:
    from airflow_provider_zcrm.api.mass_delete import delete_records
    from airflow_provider_zcrm.hooks.zcrm import ZohoCrmHook

    assert ZohoCrmHook().get_conn().send(delete_records("Leads", ids)).deleted


@pytest.mark.parametrize("full", ["not_added_tags", "failure"])
def test_a_record_that_is_full_is_told(emulator: Control, path: str, full: str) -> None:
    emulator.readings(full_record=full)
    backup(path, [HOT]).try_once()
    delete(emulator, [HOT])
    emulator.change_org(tags_per_record=1)
    record = next(iter(holders(emulator)["VIP"]))
    run = restore(path)
    assert run.try_once()["records"] == 4
    assert run.ti.xcoms["not_restored"][0]["record_ids"] == [record]


def test_calls_for_locked_records_have_an_end(emulator: Control, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restoration, "_EXTRA_CALLS", 1)
    emulator.seed(leads_seed(40, [record(6), record(8), record(10)]))
    hot = emulator.tags("Leads")["hot"]
    backup(path, hot).try_once()
    emulator.readings(locked_record="whole_call")
    run = restore(path)
    with pytest.raises(RestoreShort, match="further calls are used up"):
        run.try_once()
    assert calls(emulator)[ADD_TAGS] == 2
    assert sorted(entry["records"] for entry in run.ti.xcoms["not_restored"]) == [2, 18]


@pytest.mark.parametrize("locked", ["element", "whole_call"])
def test_locked_records_do_not_keep_the_others_from_their_tags(emulator: Control, path: str, locked: str) -> None:
    kept_off = [record(6), record(8), record(10)]
    emulator.seed(leads_seed(40, kept_off))
    hot = emulator.tags("Leads")["hot"]
    backup(path, hot).try_once()
    delete(emulator, [hot])
    emulator.readings(locked_record=locked)
    run = restore(path)
    assert run.try_once()["records"] == 17
    (entry,) = run.ti.xcoms["not_restored"]
    assert sorted(entry["record_ids"]) == kept_off
    assert "RECORD_LOCKED" in entry["reason"]


def test_records_that_the_answer_does_not_name_are_told(emulator: Control, path: str) -> None:
    emulator.seed(leads_seed(4))
    hot = emulator.tags("Leads")["hot"]
    backup(path, hot).try_once()
    success = {"code": "SUCCESS", "details": {"id": record(0)}, "message": "tags updated successfully", "status": "success"}
    emulator.fault("status", "add_tags", status=200, body={"data": [success]})
    run = restore(path)
    assert run.try_once()["records"] == 1
    assert [entry["record_ids"] for entry in run.ti.xcoms["not_restored"]] == [[record(2)]]


@pytest.mark.parametrize(("extra", "restored"), [(100, 19), (1, 10)])
def test_a_refusal_that_names_no_record_is_narrowed_down(
    emulator: Control, path: str, monkeypatch: pytest.MonkeyPatch, extra: int, restored: int
) -> None:
    monkeypatch.setattr(restoration, "_EXTRA_CALLS", extra)
    emulator.seed(leads_seed(40))
    hot = emulator.tags("Leads")["hot"]
    backup(path, hot).try_once()
    delete(emulator, [hot])
    body = {"code": "INVALID_DATA", "details": {}, "message": "invalid data", "status": "error"}
    # 20 records, then 10, and with more calls 5, 2 and 1
    emulator.fault("status", "add_tags", times=5 if extra > 1 else 2, status=400, body=body)
    run = restore(path)
    summary = run.try_once()
    assert (summary["records"], summary["not_restored"]) == (restored, 20 - restored)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (403, "NO_PERMISSION"),
        (400, "FAILURE"),
        (400, "NOT_ALLOWED"),
        (400, "NOT_APPROVED"),
        (400, "LICENSE_LIMIT_EXCEEDED"),
        (400, "NEVER_HEARD_OF"),
    ],
)
def test_whatever_the_refusal_the_other_records_and_tags_go_on(emulator: Control, path: str, status: int, code: str) -> None:
    emulator.seed(leads_seed(16))
    hot, cold = emulator.tags("Leads")["hot"], emulator.tags("Leads")["cold"]
    backup(path, [hot, cold]).try_once()
    delete(emulator, [hot, cold])
    body = {"code": code, "details": {}, "message": "permission denied to update records", "status": "error"}
    # 8 records, then 4, 2 and 1
    emulator.fault("status", "add_tags", times=4, status=status, body=body)
    run = restore(path)
    summary = run.try_once()
    assert (summary["records"], summary["not_restored"]) == (15, 1)
    (entry,) = run.ti.xcoms["not_restored"]
    assert (entry["tag"] in ("hot", "cold"), entry["records"]) == (True, 1)
    assert code in entry["reason"] or "permission denied" in entry["reason"]
    assert "A tag is used" not in entry["reason"]
    assert sorted(map(len, holders(emulator).values())) == [7, 8]


@pytest.mark.parametrize("refusal", ["element", "whole_call", "no name"])
def test_a_tag_that_comes_back_on_none_of_its_records_fails_the_task_after_the_others(emulator: Control, path: str, refusal: str) -> None:
    """Nobody reads the log of a task that is green."""
    emulator.seed(leads_seed(8, [] if refusal == "no name" else [record(number) for number in range(0, 8, 2)]))
    hot, cold = emulator.tags("Leads")["hot"], emulator.tags("Leads")["cold"]
    backup(path, [hot, cold]).try_once()
    delete(emulator, [hot, cold])
    if refusal == "no name":
        # all four, two and two of them, and each alone
        body = {"code": "NO_PERMISSION", "details": {}, "message": "permission denied", "status": "error"}
        emulator.fault("status", "add_tags", times=7, status=403, body=body)
    else:
        emulator.readings(locked_record=refusal)
    run = restore(path)
    with pytest.raises(
        RestoreShort, match=r"^1 of 2 tags of Leads could not be created, or be put on any of their records: hot \("
    ) as short:
        run.try_once()
    assert not isinstance(short.value, ZohoCrmFailure)
    assert len(holders(emulator)["cold"]) == 4
    assert sum(entry["records"] for entry in run.ti.xcoms["not_restored"]) == 4
    assert {entry["tag"] for entry in run.ti.xcoms["not_restored"]} == {"hot"}
    if refusal == "no name":
        assert run.try_once()["not_restored"] == 0


def test_a_tag_without_records_is_restored_when_it_is_there(emulator: Control, path: str) -> None:
    unused = emulator.add_tags("Leads", ["unused"])
    backup(path, [*unused, HOT]).try_once()
    delete(emulator, unused)
    assert restore(path).try_once()["created"] == 1


def test_the_error_of_a_restore_has_control_characters_as_escapes(emulator: Control, path: str) -> None:
    emulator.seed(leads_seed(2, [record(0)]))
    tag_ids = list(emulator.tags("Leads").values())
    listed = [{"id": tag_ids[0], "name": "hot\x1b[31m\nline", "color_code": None}]
    emulator.fault("status", "settings/tags$", times=None, status=200, body={"tags": listed})
    backup(path, tag_ids[:1]).try_once()
    with pytest.raises(RestoreShort, match=r"hot\\x1b\[31m\\nline \(RECORD_LOCKED"):
        restore(path).try_once()


def test_reasons_that_name_their_records_do_not_fill_the_report(emulator: Control, path: str) -> None:
    emulator.seed(leads_seed(100))
    hot = emulator.tags("Leads")["hot"]
    backup(path, hot).try_once()
    data = [
        {"code": "FAILURE", "details": {"id": record(number)}, "message": f"{number} may not be changed", "status": "error"}
        for number in range(0, 98, 2)
    ]
    success = {"code": "SUCCESS", "details": {"id": record(98)}, "message": "tags updated successfully", "status": "success"}
    emulator.fault("status", "add_tags", status=200, body={"data": [*data, success]})
    run = restore(path)
    assert run.try_once()["not_restored"] == 49
    assert [entry["records"] for entry in run.ti.xcoms["not_restored"]] == [1] * 20 + [29]


@pytest.mark.parametrize(("status", "code"), [(401, "OAUTH_SCOPE_MISMATCH"), (400, "INVALID_MODULE")])
def test_a_refusal_that_is_never_about_records_fails_the_task(emulator: Control, path: str, status: int, code: str) -> None:
    backup(path, [HOT]).try_once()
    delete(emulator, [HOT])
    emulator.fault("status", "add_tags", times=None, status=status, body={"code": code, "details": {}, "message": "no", "status": "error"})
    emulator.reset_counters()
    run = restore(path)
    with pytest.raises(ZohoCrmFailure):
        run.try_once()
    assert calls(emulator)[ADD_TAGS] == 1
    assert run.ti.xcoms["not_restored"] == []


def test_what_was_not_restored_before_a_refusal_that_ends_the_task_is_reported(emulator: Control, path: str) -> None:
    emulator.seed(leads_seed(8, [record(0)]))
    ids = list(emulator.tags("Leads").values())
    backup(path, ids).try_once()
    body = {"code": "INVALID_MODULE", "details": {}, "message": "no", "status": "error"}
    emulator.fault("status", "add_tags", after=1, status=400, body=body)
    run = restore(path)
    with pytest.raises(ZohoCrmFailure, match="does not accept the module"):
        run.try_once()
    assert [(entry["tag"], entry["records"]) for entry in run.ti.xcoms["not_restored"]] == [("hot", 1)]


def test_a_name_that_zoho_holds_for_that_of_another_tag_is_reported(emulator: Control, path: str) -> None:
    (blank,) = emulator.add_tags("Leads", ["hot "])
    emulator.add_records("Leads", [{"tags": ["hot "]}])
    backup(path, [blank]).try_once()
    delete(emulator, [blank])
    before = holders(emulator)
    there = {"code": "DUPLICATE_DATA", "details": {"id": HOT}, "message": "duplicate data", "status": "error"}
    emulator.fault("status", "settings/tags$", method="POST", status=400, body={"tags": [there]})
    run = restore(path)
    with pytest.raises(RestoreShort, match="DUPLICATE_DATA"):
        run.try_once()
    (entry,) = run.ti.xcoms["not_restored"]
    assert (entry["tag"], entry["records"], entry["reason"]) == ("hot ", 1, "it was not created: DUPLICATE_DATA: duplicate data")
    assert holders(emulator) == before


@pytest.mark.parametrize("dry_run", [True, "True"])
def test_a_dry_run_changes_nothing_and_tells_what_it_would(emulator: Control, path: str, dry_run: Any) -> None:
    backup(path, [HOT, COLD]).try_once()
    delete(emulator, [HOT])
    emulator.reset_counters()
    summary = restore(path, dry_run=dry_run).try_once()
    assert (summary["created"], summary["records"]) == (1, 10)
    assert "hot" not in tags(emulator)
    assert emulator.requests("/crm/", "POST") == []


def test_a_dry_run_does_not_believe_one_empty_list(emulator: Control, path: str) -> None:
    backup(path, [HOT, COLD]).try_once()
    emulator.fault("empty_204", "settings/tags$", method="GET")
    summary = restore(path, dry_run=True).try_once()
    assert (summary["created"], summary["records"]) == (0, 10)


def test_a_backup_of_another_org_is_refused_unless_it_is_wanted(emulator: Control, path: str) -> None:
    backup(path, [HOT]).try_once()
    seed = leads_seed(0)
    seed["orgs"][0] |= {"zgid": "60001234567", "id_prefix": "3060320", "name": "Another Org"}
    seed["orgs"][0]["modules"][0]["tags"] = []
    seed["clients"] = [CLIENT]
    emulator.seed(seed)
    with pytest.raises(ZohoCrmFailure, match=r"808232144.*60001234567"):
        restore(path).try_once()
    assert tags(emulator) == {}
    run = restore(path, other_org=True)
    summary = run.try_once()
    assert (summary["created"], summary["records"], summary["not_restored"]) == (1, 0, 5)
    assert list(tags(emulator)) == ["hot"]


def test_an_org_that_neither_side_may_read_is_no_obstacle(emulator: Control, path: str) -> None:
    body = {"code": "OAUTH_SCOPE_MISMATCH", "details": {}, "message": "invalid oauth scope", "status": "error"}
    emulator.fault("status", "/org$", times=None, status=401, body=body)
    backup(path, [HOT]).try_once()
    assert written(path).header.zgid == ""
    assert restore(path).try_once()["not_restored"] == 0
    assert len(emulator.requests("/org")) == 1


def test_a_backup_of_another_environment_is_refused(emulator: Control, path: str) -> None:
    backup(path, [HOT]).try_once()
    contents = written(path)
    header = replace(contents.header, environment="sandbox")
    Path(path.removeprefix("file://")).write_text("".join(backup_lines(header, contents.tags, [])))
    with pytest.raises(ZohoCrmFailure, match="sandbox"):
        restore(path).try_once()


# --- the promise ---------------------------------------------------------------------------------------------------------


def large_org(rng: random.Random, modules: int, tags_each: int, records: int) -> dict[str, Any]:
    """Describe an org in which every record carries 0 to 3 tags, some tags are on many records and some on none."""
    seed = empty_seed()
    names = [f"tag {number}" for number in range(tags_each)]
    used = names[: int(tags_each * 0.9)]
    colours = [None, "#57B1FD", "#F48435", "#63C57E"]
    seed["orgs"][0]["modules"] = [
        {
            "api_name": f"Module{number}",
            "tags": [{"name": name, "color_code": rng.choice(colours)} for name in names],
            "records": [{"tags": sorted({rng.choice(used) for _ in range(rng.randrange(4))})} for _ in range(records)],
        }
        for number in range(modules)
    ]
    return seed


def test_ten_modules_with_a_hundred_tags_on_twenty_thousand_records_come_back_as_they_were(emulator: Control, tmp_path: Path) -> None:
    emulator.seed(large_org(random.Random(20_000), modules=10, tags_each=100, records=2_000))
    paths = {f"Module{number}": f"file://{tmp_path}/{number}.jsonl" for number in range(10)}
    before = {module: (tags(emulator, module), holders(emulator, module)) for module in paths}
    ids = {module: list(emulator.tags(module).values()) for module in paths}
    emulator.reset_counters()

    for module, path in paths.items():
        backup(path, ids[module], module=module).try_once()
    made = calls(emulator)
    assert made.pop(POLL) <= 30
    assert made == {LIST_TAGS: 10, ORG: 10, COUNT: 1000, PAGE: 10, EXPORT: 10, DOWNLOAD: 10}

    for module in paths:
        delete(emulator, ids[module], module)
        assert tags(emulator, module) == {}
    emulator.reset_counters()

    for path in paths.values():
        restore(path).try_once()
    assert {module: (tags(emulator, module), holders(emulator, module)) for module in paths} == before
    puts = sum(-(-len(records) // 500) for _, held in before.values() for records in held.values())
    # an empty list is read twice
    assert calls(emulator) == {LIST_TAGS: 20, ORG: 10, CREATE_TAGS: 50, ADD_TAGS: puts}
