"""`RestoreRecordsOperator` against the emulator: what came back, what the server saw, and what is never sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_zcrm.api.errors import SubmissionUncertain, ZohoCrmError
from airflow_provider_zcrm.backup.backup_file import BackupFile
from airflow_provider_zcrm.backup.record_list import RecordList
from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.hooks.errors import ZohoCrmFailure
from airflow_provider_zcrm.hooks.zcrm import ZohoCrmHook
from airflow_provider_zcrm.operators.delete_records import DeleteRecordsOperator
from airflow_provider_zcrm.operators.mass_delete_records import MassDeleteRecordsOperator
from airflow_provider_zcrm.operators.restore_records import RestoreRecordsOperator
from airflow_provider_zcrm.rules import pauses, poll_schedule
from airflow_provider_zcrm.rules.record_list import ListHeader
from airflow_provider_zcrm.triggers import polling
from tests.airflow_task import TaskRun, needs_task_state
from tests.conftest import another_host

RESTORE = "settings/recycle_bin/actions/restore"
LEADS = [f"22761640000060640{number:02}" for number in range(1, 11)]
CONTACT, UNKNOWN = "2276164000006065001", "2276164999999999999"
ALL_LEADS, OLD_LEADS = "2276164000000538001", "2276164000000538003"
ORG = {"zgid": "808232144", "refresh_tokens": [{"token": "1000.emulator-refresh-token"}]}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait parts of a second after lost answers, and let the trigger fire at once."""
    monkeypatch.setattr(pauses, "LOST_PAUSES", (0.1, 0.1, 0.1))
    monkeypatch.setattr(polling, "_FIRST_EVENT_SECONDS", 0.0)
    monkeypatch.setattr(poll_schedule, "SHORTEST_INTERVAL", 0.05)


def restore(*, state: bool = True, **arguments: Any) -> TaskRun:
    defaults: dict[str, Any] = {"task_id": "restore", "module": "Leads", "retries": 3, "poke_interval": 0.1}
    return TaskRun(RestoreRecordsOperator(**(defaults | arguments)), state=state)


def deleted(record_ids: list[str], **arguments: Any) -> Any:
    """Delete records, and return the task's XCom."""
    task = DeleteRecordsOperator(task_id="delete", module="Leads", record_ids=record_ids, max_records=None, **arguments)
    return TaskRun(task).try_once()


def posts(emulator: Control) -> list[Any]:
    """Return the body of each restore that reached the server."""
    return [seen["body"] for seen in emulator.requests(RESTORE, "POST")]


def report(restored: list[str] = [], **others: Any) -> dict[str, Any]:  # noqa: B006
    return {"module": "Leads", "restored": restored, "present": [], "not_found": [], "failed": {}, "waiting": [], **others}


def test_what_was_deleted_comes_back_with_its_tags_with_two_calls(emulator: Control) -> None:
    before = emulator.tagged("Leads")
    gone = deleted(LEADS[:3])
    assert emulator.recycle_bin("Leads") == LEADS[:3]
    emulator.reset_counters()
    task = restore(record_ids=gone)
    assert task.try_once() == LEADS[:3]
    assert task.ti.xcoms["report"] == report(LEADS[:3])
    assert posts(emulator) == [{"ids": LEADS[:3]}]
    assert task.ti.xcoms["api_calls"] == len(emulator.requests("/crm/")) == 2
    assert emulator.tagged("Leads") == before
    assert emulator.recycle_bin("Leads") == []


def test_each_record_is_reported_as_what_became_of_it(emulator: Control) -> None:
    """Back, there already, gone for good, without its parent, and of another module."""
    leads = {
        "api_name": "Leads",
        "records": [{"id": record} for record in LEADS],
        "refusing_restores": {LEADS[2]: "CANNOT_RESTORE_WITHOUT_PARENT"},
    }
    contacts = {"api_name": "Contacts", "records": [{"id": CONTACT}]}
    emulator.seed({"orgs": [{**ORG, "modules": [leads, contacts]}]})
    deleted([LEADS[0], LEADS[2], LEADS[3]])
    TaskRun(DeleteRecordsOperator(task_id="delete", module="Contacts", record_ids=CONTACT)).try_once()
    emulator.empty_bin("Leads", [LEADS[3]])
    task = restore(record_ids=[*LEADS[:1], LEADS[1], LEADS[2], LEADS[3], UNKNOWN, CONTACT])
    with pytest.raises(ZohoCrmFailure, match="1 restored, 1 there already, 2 not in the recycle bin, 2 failed, 0 waiting"):
        task.try_once()
    failed = {LEADS[2]: "Zoho refuses it: CANNOT_RESTORE_WITHOUT_PARENT", CONTACT: "it is a record of Contacts"}
    assert task.ti.xcoms["report"] == report(LEADS[:1], present=[LEADS[1]], not_found=[LEADS[3], UNKNOWN], failed=failed)
    assert CONTACT not in json.dumps(posts(emulator))
    assert emulator.recycle_bin("Contacts") == [CONTACT]
    ignored = restore(record_ids=[LEADS[1], UNKNOWN], on_partial_failure="ignore")
    assert ignored.try_once() == []


def test_more_than_200_ids_are_several_calls(emulator: Control) -> None:
    emulator.seed({"orgs": [{**ORG, "modules": [{"api_name": "Leads", "records": 450}]}]})
    ids = emulator.records("Leads")
    deleted(ids)
    task = restore(record_ids=ids)
    assert task.try_once() == ids
    assert [len(body["ids"]) for body in posts(emulator)] == [200, 200, 50]
    assert emulator.records("Leads") == ids


@pytest.mark.parametrize("state", [pytest.param(True, marks=needs_task_state), False])
@pytest.mark.parametrize("deferrable", [False, True])
def test_what_zoho_restores_in_the_background_is_waited_for(emulator: Control, deferrable: bool, state: bool) -> None:
    leads = {"api_name": "Leads", "records": [{"id": record} for record in LEADS], "children": {LEADS[0]: 2000}}
    emulator.seed({"orgs": [{**ORG, "modules": [leads]}]})
    emulator.jobs(start_delay=0.5, duration=0.5)
    deleted(LEADS[:3])
    task = restore(record_ids=[*LEADS[:3], UNKNOWN], deferrable=deferrable, on_partial_failure="ignore", state=state)
    assert task.try_once() == LEADS[:3]
    assert task.ti.xcoms["report"] == report(LEADS[:3], not_found=[UNKNOWN])
    assert len(posts(emulator)) == 1
    assert bool(task.events) is deferrable
    assert len(task.ti.xcoms["report"]["restored"]) == 3


def test_1500_deleted_records_come_back(emulator: Control) -> None:
    modules = [{"api_name": name, "records": 500} for name in ("Leads", "Contacts", "Deals")]
    emulator.seed({"orgs": [{**ORG, "modules": modules}]})
    for module in ("Leads", "Contacts", "Deals"):
        ids = emulator.records(module)
        gone = TaskRun(DeleteRecordsOperator(task_id="delete", module=module, record_ids=ids)).try_once()
        assert emulator.records(module) == []
        assert restore(module=module, record_ids=gone).try_once() == ids
        assert emulator.records(module) == ids


@pytest.mark.parametrize("deferrable", [False, True])
def test_the_timeout_says_what_is_waited_for(emulator: Control, deferrable: bool) -> None:
    leads = {"api_name": "Leads", "records": [{"id": record} for record in LEADS], "children": {LEADS[0]: 2000}}
    emulator.seed({"orgs": [{**ORG, "modules": [leads]}]})
    emulator.jobs(start_delay=60)
    deleted(LEADS[:1])
    task = restore(record_ids=LEADS[:1], deferrable=deferrable, timeout=1.5)
    with pytest.raises(ZohoCrmFailure, match="timeout is over before all records are back: 0 of 1 records of Leads are back"):
        task.try_once()
    assert task.ti.xcoms["report"] == report(waiting=LEADS[:1])
    emulator.advance(120)
    task.clear()
    assert task.try_once() == LEADS[:1]
    assert len(posts(emulator)) == 1


@needs_task_state
@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "cut_json", "status", "html"])
def test_after_a_lost_answer_records_are_looked_up_before_anything_is_sent_again(emulator: Control, fault: str) -> None:
    deleted(LEADS[:3])
    emulator.fault(fault, RESTORE, method="POST")
    task = restore(record_ids=LEADS[:3])
    assert task.try_once() == LEADS[:3]
    done = fault in ("drop_after", "cut_json")
    assert len(posts(emulator)) == (1 if done else 2)


@needs_task_state
def test_a_record_that_a_person_deletes_again_stays_deleted(emulator: Control) -> None:
    deleted(LEADS[:2])
    task = restore(record_ids=LEADS[:2])
    task.try_once()
    deleted(LEADS[:1])
    task.clear()
    assert task.try_once() == LEADS[:2]
    assert len(posts(emulator)) == 1
    assert emulator.recycle_bin("Leads") == LEADS[:1]


@needs_task_state
def test_an_attempt_that_dies_before_the_answer_is_noted_is_followed_by_a_look(emulator: Control) -> None:
    deleted(LEADS[:3])
    task = restore(record_ids=LEADS[:3])
    assert task.store is not None
    task.store.fail_on_write = 4  # head, part, head, and the part with the answer
    with pytest.raises(RuntimeError):
        task.try_once()
    assert task.try_once() == LEADS[:3]
    assert len(posts(emulator)) == 1


@needs_task_state
def test_the_intent_is_stored_before_anything_is_sent(emulator: Control) -> None:
    deleted(LEADS[:3])
    task = restore(record_ids=LEADS[:3])
    assert task.store is not None
    task.store.fail_on_write = 2
    with pytest.raises(RuntimeError):
        task.try_once()
    assert posts(emulator) == []


def test_answers_that_are_lost_again_and_again_are_for_the_next_attempt(emulator: Control) -> None:
    deleted(LEADS[:1])
    emulator.fault("drop_before", RESTORE, method="POST", times=None)
    task = restore(record_ids=LEADS[:1])
    with pytest.raises(SubmissionUncertain):
        task.try_once()
    assert task.ti.xcoms["report"] == report(waiting=LEADS[:1])
    assert len(posts(emulator)) == 4
    emulator.clear_faults()
    assert task.try_once() == LEADS[:1]


@pytest.mark.parametrize("code", ["NO_PERMISSION", "NOT_ALLOWED"])
def test_a_refusal_of_the_whole_call_is_halved(emulator: Control, code: str) -> None:
    deleted(LEADS[:4])
    refusal = {"code": code, "details": {}, "message": "m", "status": "error"}
    emulator.fault("status", RESTORE, method="POST", status=403, body=refusal)
    assert restore(record_ids=LEADS[:4]).try_once() == LEADS[:4]
    assert [body["ids"] for body in posts(emulator)] == [LEADS[:4], LEADS[:2], LEADS[2:4]]


def test_a_dry_run_looks_and_restores_nothing(emulator: Control) -> None:
    deleted(LEADS[:3])
    task = restore(record_ids=LEADS[:5], dry_run=True)
    assert task.try_once() == []
    assert task.ti.xcoms["would_restore"] == 3
    assert posts(emulator) == []
    assert emulator.recycle_bin("Leads") == LEADS[:3]


def test_nothing_is_sent_but_reads_and_restores_by_ids(emulator: Control) -> None:
    """Never ``restore_all_records``, never ``filters``, never a DELETE."""
    deleted(LEADS[:3])
    emulator.reset_counters()
    restore(record_ids=[*LEADS[:3], UNKNOWN], on_partial_failure="ignore").try_once()
    for seen in emulator.requests("/crm/"):
        assert seen["method"] in ("GET", "POST")
        assert seen["method"] == "GET" or (seen["path"].endswith(RESTORE) and list(seen["body"]) == ["ids"])


def test_a_bin_that_a_user_may_not_see_is_no_reason_to_give_up(emulator: Control) -> None:
    """The list of the bin only excludes; what it does not show is sent, and Zoho says whether it is there."""
    deleted(LEADS[:2])
    emulator.fault("empty_204", r"settings/recycle_bin\?|settings/recycle_bin$", method="GET", times=None)
    assert restore(record_ids=LEADS[:2]).try_once() == LEADS[:2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "either record_ids or backup_path"),
        ({"record_ids": LEADS, "backup_path": "x"}, "either record_ids or backup_path"),
        ({"record_ids": "['1']"}, "record_ids"),
        ({"record_ids": LEADS, "module": None}, "module is None"),
        ({"record_ids": LEADS, "dry_run": "maybe"}, "dry_run"),
        ({"record_ids": LEADS, "on_partial_failure": "skip"}, "on_partial_failure"),
        ({"record_ids": LEADS, "poke_interval": float("nan")}, "poke_interval"),
        ({"record_ids": LEADS, "timeout": float("inf")}, "timeout"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_sent(emulator: Control, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ZohoCrmFailure, match=said):
        restore(**arguments).try_once()
    assert emulator.requests("/crm/") == []


@needs_task_state
def test_another_module_or_host_is_another_request(emulator: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    deleted(LEADS[:1])
    task = restore(record_ids=LEADS[:1])
    task.try_once()
    task.task.module = "Contacts"  # type: ignore[attr-defined]
    with pytest.raises(ZohoCrmFailure, match="started on records of Leads"):
        task.try_once()
    task.task.module = "Leads"  # type: ignore[attr-defined]
    with another_host(monkeypatch) as other:
        with pytest.raises(ZohoCrmFailure, match="now points to"):
            task.try_once()
        assert other.control.requests("/crm/") == []


# --- records of a custom view -----------------------------------------------------------------------------------------------


def by_view(path: Any, **arguments: Any) -> TaskRun:
    defaults: dict[str, Any] = {"task_id": "delete", "module": "Leads", "cvid": OLD_LEADS, "max_share": 1.0, "poke_interval": 0.1}
    return TaskRun(MassDeleteRecordsOperator(**(defaults | {"list_ids_first": True, "backup_path": str(path)} | arguments)))


def test_the_records_of_a_view_are_listed_before_it_is_submitted_and_come_back(emulator: Control, tmp_path: Path) -> None:
    path = tmp_path / "old.jsonl"
    before = emulator.tagged("Leads")
    task = by_view(path, wait_for_completion=True)
    task.try_once()
    assert task.ti.xcoms["record_list"] == str(path)
    order = [entry["method"] + " " + entry["path"].rpartition("/v8/")[2] for entry in emulator.requests("/crm/")]
    assert order.index("GET Leads") < order.index("POST Leads/actions/mass_delete")
    # the count that the guard judges comes after the list
    assert order[order.index("POST Leads/actions/mass_delete") - 1] == "GET Leads/actions/count"
    assert emulator.records("Leads") == LEADS[4:]

    again = restore(backup_path=str(path))
    assert sorted(again.try_once()) == LEADS[:4]
    assert emulator.tagged("Leads") == before


@needs_task_state
@pytest.mark.parametrize("deferrable", [False, True])
def test_the_path_is_there_after_a_wait_and_in_a_retry(emulator: Control, tmp_path: Path, deferrable: bool) -> None:
    task = by_view(tmp_path / "old.jsonl", wait_for_completion=True, deferrable=deferrable)
    for _ in range(2):
        task.try_once()
        assert task.ti.xcoms["record_list"] == str(tmp_path / "old.jsonl")
    assert len(list(tmp_path.iterdir())) == 1


def test_a_view_of_many_records_is_listed_with_one_call_for_200(emulator: Control, tmp_path: Path) -> None:
    leads = {"api_name": "Leads", "records": 450, "custom_views": [{"id": "1", "name": "All"}]}
    emulator.seed({"orgs": [{**ORG, "modules": [leads]}]})
    ids = emulator.records("Leads")
    by_view(tmp_path / "x.jsonl", cvid="1").try_once()
    assert len([seen for seen in emulator.requests("/crm/v8/Leads", "GET") if seen["path"].endswith("/Leads")]) == 3
    emulator.advance(60)
    assert sorted(restore(backup_path=str(tmp_path / "x.jsonl")).try_once()) == ids


def test_a_view_beyond_the_budget_is_not_submitted(emulator: Control, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airflow_provider_zcrm.backup.record_list.MOST_CALLS", 2)
    leads = {"api_name": "Leads", "records": 450, "custom_views": [{"id": "1", "name": "All"}]}
    emulator.seed({"orgs": [{**ORG, "modules": [leads]}]})
    with pytest.raises(ZohoCrmFailure, match="shows more than 400 records"):
        by_view(tmp_path / "x.jsonl", cvid="1").try_once()
    assert emulator.requests("mass_delete", "POST") == []


def test_the_guard_is_judged_before_anything_is_listed(emulator: Control, tmp_path: Path) -> None:
    with pytest.raises(ZohoCrmFailure, match="max_records=3 forbids"):
        by_view(tmp_path / "x.jsonl", max_records=3).try_once()
    assert list(tmp_path.iterdir()) == []


def test_after_a_wait_the_view_is_listed_again_beside_the_first_file(
    emulator: Control, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = "2276164000006064099"
    monkeypatch.setattr("airflow_provider_zcrm.rules.pauses.OTHER_JOB_PAUSES", (0.1,))
    emulator.fault(
        "status",
        "mass_delete",
        method="POST",
        status=400,
        body={"code": "ALREADY_SCHEDULED", "details": {}, "message": "m", "status": "error"},
    )
    task = by_view(tmp_path / "x.jsonl", cvid=ALL_LEADS)
    write = "airflow_provider_zcrm.deletion.clock.AttemptClock.sleep_until"
    monkeypatch.setattr(write, lambda *_: emulator.add_records("Leads", [new]))
    task.try_once()
    assert task.ti.xcoms["record_list"] == str(tmp_path / "x.2.jsonl")
    emulator.advance(60)
    assert len(restore(backup_path=str(tmp_path / "x.2.jsonl")).try_once()) == 11


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_list_that_is_short_submits_nothing(emulator: Control, tmp_path: Path, after: int) -> None:
    """An empty page where more were promised, or an empty list twice of a view in which Zoho counts records."""
    leads = {"api_name": "Leads", "records": 450, "custom_views": [{"id": "1", "name": "All"}]}
    emulator.seed({"orgs": [{**ORG, "modules": [leads]}]})
    emulator.fault("empty_204", r"/Leads(\?|$)", method="GET", after=after, times=None)
    with pytest.raises(ZohoCrmError, match=r"lists 0 records, and Zoho counts 450 .* Nothing was sent|promised more"):
        by_view(tmp_path / "x.jsonl", cvid="1", timeout=1.5).try_once()
    assert emulator.requests("mass_delete", "POST") == []


def test_an_empty_first_page_is_asked_for_again(emulator: Control, tmp_path: Path) -> None:
    emulator.fault("empty_204", r"/Leads(\?|$)", method="GET")
    by_view(tmp_path / "x.jsonl", max_records=None).try_once()
    emulator.advance(60)
    assert sorted(restore(backup_path=str(tmp_path / "x.jsonl")).try_once()) == LEADS[:4]


@pytest.mark.parametrize(("zgid", "files"), [("808232144", 1), ("9", 2)])
def test_a_list_of_another_org_is_not_taken_for_this_one(emulator: Control, tmp_path: Path, zgid: str, files: int) -> None:
    file = BackupFile(str(tmp_path / "x.jsonl"), None)
    with ZohoCrmHook().get_conn() as client:
        for org in ("808232144", zgid):
            header = ListHeader("Leads", OLD_LEADS, org, "production", "2026-11-29T00:00:00+00:00", "a_dag/a_run/a_task/-1")
            RecordList(client, file, header).write()
    assert len(list(tmp_path.iterdir())) == files


def test_a_view_of_which_nothing_is_listed_is_not_submitted_uncounted(emulator: Control, tmp_path: Path) -> None:
    emulator.fault("empty_204", r"/Leads(\?|$)", method="GET", times=None)
    assert by_view(tmp_path / "x.jsonl", max_records=None).try_once() == []
    assert emulator.requests("mass_delete", "POST") == []


def test_the_guard_is_judged_by_the_list_too_which_is_newer_than_the_count(emulator: Control, tmp_path: Path) -> None:
    emulator.fault("status", "actions/count", times=None, status=200, body={"count": 2})
    with pytest.raises(ZohoCrmFailure, match=r"4 records would be deleted .*max_records=3 forbids"):
        by_view(tmp_path / "x.jsonl", max_records=3).try_once()
    assert emulator.requests("mass_delete", "POST") == []


def test_the_file_of_another_task_is_never_overwritten(emulator: Control, tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    by_view(path, task_id="other").try_once()
    content = path.read_text()
    with pytest.raises(ZohoCrmFailure, match="holds a list already, of 4 records of Leads, made by a_dag/a_run/other"):
        by_view(path, cvid=ALL_LEADS).try_once()
    path.write_text("something else")
    with pytest.raises(ZohoCrmFailure, match="no list of records"):
        by_view(path, cvid=ALL_LEADS).try_once()
    assert path.read_text() == "something else"
    assert content
    assert len(emulator.requests("mass_delete", "POST")) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"backup_path": None}, "go together"),
        ({"list_ids_first": False}, "go together"),
        ({"territory_id": "7"}, "territory's part"),
        ({"list_ids_first": "perhaps"}, "list_ids_first"),
    ],
)
def test_a_list_is_refused_where_it_cannot_be_right(emulator: Control, tmp_path: Path, arguments: dict[str, Any], said: str) -> None:
    task = TaskRun(
        MassDeleteRecordsOperator(
            **(
                {"task_id": "d", "module": "Leads", "cvid": OLD_LEADS, "list_ids_first": True, "backup_path": str(tmp_path / "x")}
                | arguments
            )
        )
    )
    with pytest.raises(ZohoCrmFailure, match=said):
        task.try_once()
    assert emulator.requests("/crm/") == []


def test_a_dry_run_lists_nothing(emulator: Control, tmp_path: Path) -> None:
    by_view(tmp_path / "x.jsonl", dry_run=True).try_once()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace(LEADS[0], LEADS[9]), "changed or is damaged"),
        (lambda text: "".join(text.splitlines(keepends=True)[:-1]), "breaks off"),
        (lambda text: "", "breaks off"),
        (lambda text: "{}\n", "no list of records"),
        (lambda text: "[1]\n", "no list of records"),
        (lambda text: text + text, "changed or is damaged"),
        (lambda text: text.replace('"version": 1', '"version": 9'), "can read"),
        (lambda text: text.replace('"module": "Leads"', '"module": "Deals"'), "changed or is damaged"),
    ],
)
def test_a_list_that_was_changed_restores_nothing(emulator: Control, tmp_path: Path, change: Any, said: str) -> None:
    path = tmp_path / "x.jsonl"
    by_view(path).try_once()
    path.write_text(change(path.read_text()))
    with pytest.raises(ZohoCrmFailure, match=said):
        restore(backup_path=str(path)).try_once()
    assert posts(emulator) == []


def test_a_list_of_another_module_or_org_restores_nothing(emulator: Control, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.jsonl"
    by_view(path).try_once()
    with pytest.raises(ZohoCrmFailure, match="lists records of Leads, and module is Contacts"):
        restore(module="Contacts", backup_path=str(path)).try_once()
    with pytest.raises(ZohoCrmFailure, match="There is no list of records at"):
        restore(backup_path=str(tmp_path / "none")).try_once()
    emulator.seed({"orgs": [{**ORG, "zgid": "999", "modules": [{"api_name": "Leads", "records": LEADS}]}]})
    with pytest.raises(ZohoCrmFailure, match="mean nothing there"):
        restore(backup_path=str(path)).try_once()
    assert posts(emulator) == []


@pytest.mark.parametrize("dry_run", [False, True])
def test_openlineage_is_told_that_the_records_were_changed_or_only_read(emulator: Control, dry_run: bool) -> None:
    pytest.importorskip("airflow.providers.openlineage")
    task = restore(record_ids=LEADS[:1], dry_run=dry_run)
    task.try_once()
    lineage = task.task.get_openlineage_facets_on_complete(task.ti)  # type: ignore[attr-defined]
    assert [len(lineage.inputs), len(lineage.outputs)] == ([1, 0] if dry_run else [0, 1])
