"""`DeleteRecordsOperator` against the emulator: what the server saw, and what the task did with it."""

from __future__ import annotations

import math
import re
import sys
from typing import Any

import pytest

from airflow_provider_zcrm.api.errors import SubmissionUncertain
from airflow_provider_zcrm.deletion.records_by_id import RecordDeletion
from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from airflow_provider_zcrm.hooks.errors import ZohoCrmFailure
from airflow_provider_zcrm.operators.delete_records import DeleteRecordsOperator
from airflow_provider_zcrm.rules import pauses
from airflow_provider_zcrm.rules.errors import RecordsLeftBehind
from tests.airflow_task import TaskRun, needs_task_state
from tests.conftest import another_host, connection_json

MASS_DELETE = "Leads/actions/mass_delete"
LEADS = [f"22761640000060640{number:02}" for number in range(1, 11)]
UNKNOWN = "2276164999999999999"
ORG = {"zgid": "808232144", "refresh_tokens": [{"token": "1000.emulator-refresh-token"}]}
LOST = ["drop_before", "drop_after", "cut_json", "status", "html"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait parts of a second after lost answers."""
    monkeypatch.setattr(pauses, "LOST_PAUSES", (0.1, 0.1, 0.1))


def run(*, state: bool = True, **arguments: Any) -> TaskRun:
    defaults: dict[str, Any] = {"task_id": "delete", "module": "Leads", "retries": 3}
    return TaskRun(DeleteRecordsOperator(**(defaults | arguments)), state=state)


def posts(emulator: Control) -> list[Any]:
    """Return the body of each delete that reached the server."""
    return [seen["body"] for seen in emulator.requests(MASS_DELETE, "POST")]


def calls(emulator: Control) -> list[tuple[str, str]]:
    return [(entry["method"], entry["path"].rpartition("/crm/v8/")[2]) for entry in emulator.requests("/crm/")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"record_ids": "['1', '2']"}, "record_ids"),
        ({"record_ids": None}, "record_ids"),
        ({"record_ids": [LEADS[0]], "module": "../settings/tags"}, "API name"),
        ({"record_ids": [LEADS[0]], "max_records": "many"}, "max_records"),
        ({"record_ids": [LEADS[0]], "dry_run": 1}, "dry_run"),
        ({"record_ids": [LEADS[0]], "on_partial_failure": "skip"}, "on_partial_failure"),
        ({"record_ids": [LEADS[0]], "timeout": None}, "timeout is None"),
        ({"record_ids": [LEADS[0]], "timeout": math.nan}, "timeout is nan"),
        ({"record_ids": [LEADS[0]], "timeout": math.inf}, "timeout is inf"),
        ({"record_ids": [LEADS[0]], "module": None}, "module is None: it is missing"),
        ({"record_ids": [LEADS[0]], "max_records": "١"}, "max_records"),
        ({"record_ids": [LEADS[0]], "max_records": math.nan}, "max_records"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_sent(emulator: Control, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ZohoCrmFailure, match=said):
        run(**arguments).try_once()
    assert emulator.requests("/crm/") == []


def test_a_guard_that_was_given_and_comes_out_as_none_is_refused(emulator: Control) -> None:
    task = run(record_ids=LEADS)
    task.task.max_records = None  # type: ignore[attr-defined]
    with pytest.raises(ZohoCrmFailure, match="max_records came out empty"):
        task.try_once()
    assert emulator.requests("/crm/") == []


def test_a_thousand_records_are_the_most_unless_the_user_says_otherwise(emulator: Control) -> None:
    emulator.seed({"orgs": [{**ORG, "modules": [{"api_name": "Leads", "records": 1001}]}]})
    with pytest.raises(ZohoCrmFailure, match="1001 records would be deleted"):
        run(record_ids=emulator.records("Leads")).try_once()
    assert posts(emulator) == []


def test_a_dry_run_does_everything_but_the_post(emulator: Control) -> None:
    task = run(record_ids=LEADS, dry_run=True)
    assert task.try_once() == []
    assert task.ti.xcoms["would_delete"] == 10
    assert task.ti.xcoms["api_calls"] == len(emulator.requests("/crm/"))
    assert posts(emulator) == []


def test_more_ids_than_there_may_be_fail_before_anything_is_sent(emulator: Control) -> None:
    with pytest.raises(ZohoCrmFailure, match="max_records=1 forbids"):
        run(record_ids=LEADS[:2], max_records=1).try_once()
    assert emulator.requests("/crm/") == []


def test_records_that_one_host_has_deleted_are_not_reported_of_another(emulator: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    task = run(record_ids=LEADS[:2])
    task.try_once()
    with another_host(monkeypatch) as other:
        with pytest.raises(ZohoCrmFailure, match=f"now points to {other.url}, but this task started on"):
            task.try_once()
        assert other.control.requests("/crm/") == []


def report(deleted: list[str], not_found: list[str] = [], failed: dict[str, str] | None = None) -> dict[str, Any]:  # noqa: B006
    return {"module": "Leads", "deleted": deleted, "not_found": not_found, "failed": failed or {}}


def locked(emulator: Control, records: list[str]) -> None:
    leads = {"api_name": "Leads", "records": [{"id": record} for record in LEADS], "locked_records": records}
    emulator.seed({"orgs": [{**ORG, "modules": [leads]}]})


def test_records_are_deleted_by_their_ids_with_one_call(emulator: Control) -> None:
    task = run(record_ids=[LEADS[:1], [{"id": int(LEADS[1])}]])
    assert task.try_once() == LEADS[:2]
    assert calls(emulator) == [("POST", MASS_DELETE)]
    assert task.ti.xcoms["report"] == report(LEADS[:2])
    assert emulator.records("Leads") == LEADS[2:]


def test_more_than_500_ids_are_several_calls(emulator: Control) -> None:
    emulator.seed({"orgs": [{**ORG, "modules": [{"api_name": "Leads", "records": 1100}]}]})
    task = run(record_ids=emulator.records("Leads"), max_records=None)
    task.try_once()
    assert [len(body["ids"]) for body in posts(emulator)] == [500, 500, 100]
    assert len(task.ti.xcoms["report"]["deleted"]) == 1100
    assert emulator.records("Leads") == []


def test_no_ids_are_nothing_to_do(emulator: Control) -> None:
    task = run(record_ids=[])
    assert task.try_once() == []
    assert task.ti.xcoms["report"] == report([])
    assert emulator.requests("/crm/") == []


def test_what_is_gone_is_told_from_what_could_not_be_deleted(emulator: Control) -> None:
    locked(emulator, LEADS[1:2])
    task = run(record_ids=[LEADS[0], LEADS[1], UNKNOWN])
    with pytest.raises(RecordsLeftBehind, match=f"1 deleted, 1 not found, 1 failed.*{LEADS[1]}.*locked"):
        task.try_once()
    assert task.ti.xcoms["report"] == report(LEADS[:1], [UNKNOWN], {LEADS[1]: "Record locked or invalid permissions"})


def test_the_next_try_sends_what_was_not_deleted(emulator: Control) -> None:
    locked(emulator, LEADS[1:2])
    task = run(record_ids=[*LEADS[:2], UNKNOWN])
    for _ in range(2):
        with pytest.raises(RecordsLeftBehind):
            task.try_once()
    assert [body["ids"] for body in posts(emulator)] == [[*LEADS[:2], UNKNOWN], [LEADS[1], UNKNOWN]]
    assert task.ti.xcoms["report"]["deleted"] == LEADS[:1]


def test_records_that_stay_can_be_ignored(emulator: Control) -> None:
    locked(emulator, LEADS[:1])
    task = run(record_ids=LEADS[:2], on_partial_failure="ignore")
    assert task.try_once() == LEADS[1:2]
    assert list(task.ti.xcoms["report"]["failed"]) == LEADS[:1]


@pytest.mark.parametrize("ids", [[UNKNOWN], [UNKNOWN, LEADS[0]]])
def test_ids_that_are_not_there_are_no_failure_but_a_warning_if_all_are(
    emulator: Control, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], ids: list[str]
) -> None:
    task = run(record_ids=ids)
    task.try_once()
    assert task.ti.xcoms["report"] == report(ids[1:], [UNKNOWN])
    assert ("Leads has no record with" in caplog.text + capsys.readouterr().out) is (len(ids) == 1)


@pytest.mark.parametrize("fault", LOST)
def test_a_call_whose_answer_is_lost_is_sent_again(emulator: Control, fault: str) -> None:
    emulator.fault(fault, MASS_DELETE, method="POST")
    task = run(record_ids=LEADS[:2])
    task.try_once()
    done = fault in ("drop_after", "cut_json")
    assert task.ti.xcoms["report"] == (report([], LEADS[:2]) if done else report(LEADS[:2]))
    assert emulator.records("Leads") == LEADS[2:]


def test_answers_that_are_lost_again_and_again_are_for_the_next_try(emulator: Control) -> None:
    emulator.fault("drop_before", MASS_DELETE, method="POST", times=4)
    task = run(record_ids=LEADS[:1])
    with pytest.raises(SubmissionUncertain, match="next attempt looks up what is still there"):
        task.try_once()
    task.try_once()
    assert emulator.records("Leads") == LEADS[1:]


@pytest.mark.parametrize("again", ["retry", "clear"])
def test_a_record_that_somebody_has_restored_is_not_deleted_again(emulator: Control, again: str) -> None:
    task = run(record_ids=LEADS[:2])
    task.try_once()
    emulator.add_records("Leads", LEADS[:1])
    if again == "clear":
        task.clear()
    task.try_once()
    assert LEADS[0] in emulator.records("Leads")
    assert task.ti.xcoms["report"] == report(LEADS[:2])


def test_excluded_without_a_journal_a_restored_record_is_deleted_again(emulator: Control) -> None:
    task = run(record_ids=LEADS[:1], state=False)
    task.try_once()
    emulator.add_records("Leads", LEADS[:1])
    task.try_once()
    assert LEADS[0] not in emulator.records("Leads")


def test_what_is_deleted_is_stored_call_by_call(emulator: Control) -> None:
    emulator.seed({"orgs": [{**ORG, "modules": [{"api_name": "Leads", "records": 1000}]}]})
    emulator.fault(
        "status",
        MASS_DELETE,
        method="POST",
        after=1,
        status=401,
        body={"code": "OAUTH_SCOPE_MISMATCH", "details": {}, "message": "m", "status": "error"},
    )
    task = run(record_ids=emulator.records("Leads"))
    with pytest.raises(ZohoCrmFailure):
        task.try_once()
    task.try_once()
    assert [len(body["ids"]) for body in posts(emulator)] == [500, 500, 500]
    assert len(task.ti.xcoms["report"]["deleted"]) == 1000
    assert task.store is not None
    assert max(map(len, task.store.values.values())) < 65_535


def test_an_id_for_which_zoho_refuses_the_call_is_set_aside(emulator: Control) -> None:
    emulator.readings(record_ids_refused="whole_call")
    task = run(record_ids=[LEADS[0], UNKNOWN, LEADS[1], str(int(UNKNOWN) - 1)])
    task.try_once()
    assert task.ti.xcoms["report"] == report(LEADS[:2], [UNKNOWN, str(int(UNKNOWN) - 1)])
    assert [len(body["ids"]) for body in posts(emulator)] == [4, 2]


def test_a_token_that_may_not_look_counts_all_refused_records_as_failed(
    emulator: Control, emulator_server: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant = {"grant_type": "client_credentials", "zsoid": "808232144", "scope": "ZohoCRM.mass_delete.DELETE"}
    monkeypatch.setenv("AIRFLOW_CONN_ZOHO_CRM_DEFAULT", connection_json(emulator_server.url, **grant))
    task = run(record_ids=[LEADS[0], UNKNOWN])
    with pytest.raises(RecordsLeftBehind):
        task.try_once()
    assert list(task.ti.xcoms["report"]["failed"]) == [UNKNOWN]


def test_an_answer_without_a_body_does_not_make_a_failed_record_a_missing_one(emulator: Control) -> None:
    locked(emulator, LEADS[:1])
    emulator.fault("empty_204", "/crm/v8/Leads$", method="GET")
    with pytest.raises(RecordsLeftBehind):
        run(record_ids=LEADS[:1]).try_once()


def test_the_deadline_holds_for_ids_too(emulator: Control) -> None:
    with pytest.raises(ZohoCrmFailure, match="before all records of Leads are deleted"):
        run(record_ids=LEADS[:1], timeout=0).try_once()


# --- what Zoho says of each record -------------------------------------------------------------------------------------


def answered(emulator: Control, *elements: Any, status: int = 200) -> None:
    """Let Zoho answer the next delete with these elements, whatever it has done."""
    emulator.fault("status", MASS_DELETE, method="POST", status=status, body={"data": list(elements)})


def gone(record_id: str, status: str = "success") -> dict[str, Any]:
    return {"code": "SUCCESS", "details": {"id": record_id}, "message": "record is deleted", "status": status}


@pytest.mark.parametrize(
    "odd",
    [
        {"code": "SUCCESS", "details": {}, "message": "record is deleted", "status": "success"},
        {"code": "INVALID_DATA", "details": {"json_path": "$.ids[1]"}, "message": "m", "status": "error"},
        {"code": "SUCCESS", "details": {"id": LEADS[1]}, "message": "m", "status": "queued"},
        gone(UNKNOWN),
        "deleted",
        None,
    ],
    ids=["no id", "json_path", "a word never heard of", "a child that went with its parent", "no object", "null"],
)
def test_an_odd_element_does_not_cost_what_the_others_say(emulator: Control, odd: Any) -> None:
    """The emulator's records stay here, so what it reported as deleted would be found by a look and sent again."""
    answered(emulator, gone(LEADS[0], "SUCCESS"), odd)
    task = run(record_ids=LEADS[:2])
    task.try_once()
    assert [body["ids"] for body in posts(emulator)] == [LEADS[:2], LEADS[1:2]]
    assert task.ti.xcoms["report"]["deleted"] == LEADS[:2]


@needs_task_state
def test_an_attempt_that_dies_before_the_answer_is_noted_is_followed_by_a_look(emulator: Control) -> None:
    task = run(record_ids=LEADS[:3])
    assert task.store is not None
    task.store.fail_on_write = 4  # head, part, head, and the part with the answer
    with pytest.raises(RuntimeError):
        task.try_once()
    assert emulator.records("Leads") == LEADS[3:]
    emulator.reset_counters()
    task.try_once()
    assert posts(emulator) == []
    assert task.ti.xcoms["report"] == report([], LEADS[:3])


@needs_task_state
def test_a_part_of_the_journal_that_is_gone_is_followed_by_a_look(emulator: Control) -> None:
    task = run(record_ids=LEADS[:2])
    task.try_once()
    assert task.store is not None
    del task.store.values["zoho_crm_delete_records_0"]
    emulator.reset_counters()
    task.clear()
    task.try_once()
    assert posts(emulator) == []
    assert task.ti.xcoms["report"] == report([], LEADS[:2])


@needs_task_state
def test_a_journal_whose_head_is_gone_is_not_begun_anew(emulator: Control) -> None:
    task = run(record_ids=LEADS[:2])
    task.try_once()
    assert task.store is not None
    del task.store.values["zoho_crm_delete_records"]
    emulator.add_records("Leads", LEADS[:2])
    emulator.reset_counters()
    task.clear()
    with pytest.raises(ZohoCrmFailure, match=r"journal .* is gone, and its parts are there. Nothing was sent"):
        task.try_once()
    assert posts(emulator) == []


def test_what_is_deleted_is_reported_before_anything_is_looked_up(emulator: Control) -> None:
    """What a worker that is killed during the look leaves."""
    answered(emulator, gone(LEADS[0]))
    emulator.fault("status", "/crm/v8/Leads$", method="GET", status=503, times=None)
    task = run(record_ids=LEADS[:2])
    first: list[Any] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(RecordDeletion, "_look_up", lambda *_: first.append(task.ti.xcoms["report"]) or sys.exit(1))
        with pytest.raises(SystemExit):
            task.try_once()
    assert first == [report(LEADS[:1])]


def test_a_record_that_waits_for_approval_is_not_missing(emulator: Control) -> None:
    leads = {
        "api_name": "Leads",
        "records": [{"id": record} for record in LEADS],
        "locked_records": LEADS[:1],
        "unapproved_records": LEADS[:1],
    }
    emulator.seed({"orgs": [{**ORG, "modules": [leads]}]})
    task = run(record_ids=LEADS[:1], on_partial_failure="ignore")
    task.try_once()
    assert list(task.ti.xcoms["report"]["failed"]) == LEADS[:1]


@pytest.mark.parametrize("code", ["NOT_APPROVED", "NOT_ALLOWED", "LICENSE_LIMIT_EXCEEDED", "NO_PERMISSION"])
def test_a_refusal_of_the_whole_call_holds_up_only_its_culprit(
    emulator: Control, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], code: str
) -> None:
    culprit = LEADS[4]
    leads = {"api_name": "Leads", "records": [{"id": record} for record in LEADS], "refusing_records": {culprit: code}}
    emulator.seed({"orgs": [{**ORG, "modules": [leads]}]})
    task = run(record_ids=LEADS, on_partial_failure="ignore")
    assert task.try_once() == [record for record in LEADS if record != culprit]
    assert task.ti.xcoms["report"]["failed"] == {culprit: f"Zoho refuses it: {code}"}
    assert "tag" not in task.ti.xcoms["report"]["failed"][culprit]
    assert not re.search(r"\b[Tt]ags?\b", caplog.text + capsys.readouterr().out)


def test_a_missing_permission_is_said_after_few_calls(emulator: Control) -> None:
    emulator.seed({"orgs": [{**ORG, "modules": [{"api_name": "Leads", "records": 500}]}]})
    refusal = {"code": "NO_PERMISSION", "details": {"permissions": ["Crm_Implied_Mass_Delete_Leads"]}, "message": "m", "status": "error"}
    emulator.fault("status", MASS_DELETE, method="POST", times=1000, status=403, body=refusal)
    with pytest.raises(ZohoCrmFailure, match="permission"):
        run(record_ids=emulator.records("Leads")).try_once()
    assert len(posts(emulator)) < 15


def test_the_report_is_there_also_when_the_attempt_gives_up(emulator: Control) -> None:
    emulator.seed({"orgs": [{**ORG, "modules": [{"api_name": "Leads", "records": 600}]}]})
    emulator.fault("drop_before", MASS_DELETE, method="POST", after=1, times=10)
    task = run(record_ids=emulator.records("Leads"))
    with pytest.raises(SubmissionUncertain):
        task.try_once()
    assert len(task.ti.xcoms["report"]["deleted"]) == 500


def test_most_ids_that_are_not_found_are_a_warning(
    emulator: Control, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    strangers = [str(int(UNKNOWN) - number) for number in range(8)]
    run(record_ids=[LEADS[0], *strangers]).try_once()
    assert "no record with 8 of the ids" in caplog.text + capsys.readouterr().out


@needs_task_state
def test_the_same_ids_in_another_module_are_another_request(emulator: Control) -> None:
    task = run(record_ids=LEADS[:1])
    task.try_once()
    task.task.module = "Contacts"  # type: ignore[attr-defined]
    with pytest.raises(ZohoCrmFailure, match="started on records of Leads"):
        task.try_once()
