"""`FindTagsOperator` against the emulator, and what the delete makes of its output."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.hooks.errors import ZohoCrmFailure
from airflow_provider_zcrm.operators.backup_tags import BackupTagsOperator
from airflow_provider_zcrm.operators.find_tags import FindTagsOperator
from airflow_provider_zcrm.operators.mass_delete_tags import MassDeleteTagsOperator
from airflow_provider_zcrm.tag_selection import TagSelection
from tests.airflow_task import TaskRun


def find(selection: Any, **arguments: Any) -> TaskRun:
    return TaskRun(FindTagsOperator(task_id="find", module="Leads", selection=selection, **arguments))


def names(found: list[dict[str, Any]]) -> set[str]:
    return {tag["name"] for tag in found}


@pytest.mark.parametrize("reading", ["ignored", "supported"])
def test_unused_tags_are_found_counted_by_the_list_or_one_by_one(emulator: Control, reading: str) -> None:
    emulator.readings(include_counts=reading)
    run = find(TagSelection(max_records="unused", keep=["do-not-*"]))
    found = run.try_once()
    assert names(found) == {"webinar-2024-03"}
    assert found[0]["records"] == 0
    assert found[0]["reason"]
    assert run.ti.xcoms["looked_at"] == 5
    # hot, cold, VIP and webinar; what is kept by name is not counted
    assert len(emulator.requests("actions/records_count")) == (4 if reading == "ignored" else 0)


@pytest.mark.smoke
def test_what_is_found_can_be_deleted_as_it_is(emulator: Control) -> None:
    found = find({"name_glob": ["*o*"], "keep": ["do-not-call"]}).try_once()
    TaskRun(MassDeleteTagsOperator(task_id="delete", module="Leads", tag_ids=found)).try_once()
    (job,) = emulator.counters()["jobs"]
    assert set(job["items"]) == {tag["id"] for tag in found}
    assert names(found) == {"hot", "cold"}


def test_a_selection_without_criteria_finds_nothing(emulator: Control) -> None:
    assert find(TagSelection()).try_once() == []
    assert len(find(TagSelection.all(), max_share=1.0).try_once()) == 5


def test_an_answer_without_a_body_is_not_taken_for_an_empty_module(emulator: Control) -> None:
    emulator.fault("empty_204", "settings/tags$", method="GET")
    assert names(find({"names": ["hot"]}).try_once()) == {"hot"}


def test_a_module_without_tags_is_read_twice_before_it_is_believed(emulator: Control) -> None:
    emulator.remove_tags("Leads", list(emulator.tags("Leads").values()))
    run = find({"names": ["hot"]})
    assert run.try_once() == []
    assert (run.ti.xcoms["looked_at"], run.ti.xcoms["api_calls"]) == (0, 2)


def test_a_selection_that_is_not_understood_or_too_costly_fails_for_good(emulator: Control) -> None:
    with pytest.raises(ZohoCrmFailure, match="colour"):
        find({"colour": "red"}).try_once()
    with pytest.raises(ZohoCrmFailure, match="max_api_calls"):
        find({"max_records": 0, "max_api_calls": 2}).try_once()
    assert emulator.requests("actions/records_count") == []


def test_a_tag_that_goes_while_it_is_counted_is_kept(emulator: Control) -> None:
    body = {"code": "INVALID_DATA", "details": {"api_name": "id"}, "message": "tags not found", "status": "error"}
    emulator.fault("status", "2276164000001021044/actions/records_count", status=404, body=body)
    assert names(find({"max_records": 0}).try_once()) == {"do-not-call"}


def test_a_refused_count_fails(emulator: Control) -> None:
    body = {"code": "INVALID_DATA", "details": {"api_name": "id"}, "message": "no", "status": "error"}
    emulator.fault("status", "actions/records_count", status=400, body=body)
    with pytest.raises(ZohoCrmFailure, match="refuses the request"):
        find({"max_records": 0}).try_once()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "3 of the 5 tags of Leads.* max_share=0.5, which is 2 tags.* max_share=0.6"),
        ({"max_share": "0.8", "max_tags": "2"}, "max_tags=2 .* max_tags=3"),
    ],
)
def test_more_than_the_guards_allow_fails_for_good_and_says_what_would_allow_it(
    emulator: Control, arguments: dict[str, Any], said: str
) -> None:
    run = find({"name_glob": ["*o*", "V*"], "keep": ["do-not-call"]}, **arguments)
    with pytest.raises(ZohoCrmFailure, match=said):
        run.try_once()
    assert run.ti.xcoms["looked_at"] == 5
    assert len(find({"name_glob": ["*o*", "V*"], "keep": ["do-not-call"]}, max_share=0.6, max_tags=3).try_once()) == 3


def test_guards_that_are_not_understood_cost_no_call(emulator: Control) -> None:
    for arguments in ({"max_share": "half"}, {"max_tags": "None"}, {"max_share": None}):
        with pytest.raises(ZohoCrmFailure, match="max_"):
            find({"everything": True}, **arguments).try_once()
    assert emulator.requests() == []


def test_a_guard_that_was_given_and_comes_out_as_none_is_refused(emulator: Control) -> None:
    run = find({"everything": True}, max_share=1.0, max_tags="{{ what gives None }}")
    run.task.max_tags = None  # type: ignore[attr-defined]
    with pytest.raises(ZohoCrmFailure, match="max_tags came out empty"):
        run.try_once()
    assert emulator.requests() == []


def test_it_tells_why_tags_are_kept_in_numbers_and_what_it_cost(emulator: Control) -> None:
    emulator.change_org(credits=8)
    run = find({"name_glob": ["*o*", "V*"], "max_records": 4, "keep": ["do-not-call"]})
    assert names(run.try_once()) == {"VIP"}
    assert run.ti.xcoms["looked_at"] == 5
    assert run.ti.xcoms["kept"] == {"max_records": 2, "keep": 1, "name_glob": 1}
    assert run.ti.xcoms["api_calls"] == 1 + len(emulator.requests("actions/records_count")) == 4
    assert run.ti.xcoms["credits_left"] == 4


def test_an_entry_of_keep_that_matches_no_tag_is_reported(
    emulator: Control, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    run = find({"names": ["hot"], "keep": ["VPI*", "do-not-*", "VIP,hot"], "keep_regex": ["^VIP$", "x$"]})
    assert names(run.try_once()) == {"hot"}
    assert run.ti.xcoms["unmatched_keep"] == ["VPI*", "VIP,hot", "x$"]
    said = "These entries of keep and keep_regex match no tag of Leads and protect nothing: 'VPI*', 'VIP,hot', 'x$'."
    assert said in caplog.text + capsys.readouterr().out
    caplog.clear()
    run = find({"names": ["hot"], "keep": ["do-not-*", "VIP "]})
    run.try_once()
    assert run.ti.xcoms["unmatched_keep"] == []
    assert "protect nothing" not in caplog.text + capsys.readouterr().out


def test_a_kept_name_is_reported_also_when_a_guard_trips(emulator: Control) -> None:
    run = find(TagSelection.all(keep="VPI*"))
    with pytest.raises(ZohoCrmFailure, match="max_share"):
        run.try_once()
    assert run.ti.xcoms["unmatched_keep"] == ["VPI*"]


def test_a_guard_that_trips_has_told_all_the_same(emulator: Control) -> None:
    run = find(TagSelection.all(keep="do-not-*", limit=3))
    with pytest.raises(ZohoCrmFailure, match="max_share"):
        run.try_once()
    assert run.ti.xcoms["kept"] == {"keep": 1, "limit": 1}
    assert run.ti.xcoms["api_calls"] == 1


def test_without_a_criterion_the_kept_say_so(emulator: Control) -> None:
    run = find(TagSelection(keep="VIP"))
    run.try_once()
    assert run.ti.xcoms["kept"] == {"no criterion": 4, "keep": 1}


def test_the_room_is_said_at_no_extra_call(emulator: Control) -> None:
    run = find({"names": ["hot"]})
    run.try_once()

    assert [run.ti.xcoms[key] for key in ("tags", "allowed", "room")] == [5, 100, 95]
    assert len(emulator.requests("settings/tags")) == 1


def test_a_module_that_is_nearly_full_is_warned_of(
    emulator: Control, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    emulator.change_org(tags_per_module=5)
    find({"names": ["hot"]}).try_once()
    assert "Leads has 5 of the 5 tags that Zoho allows, and refuses new ones" in caplog.text + capsys.readouterr().out


@pytest.mark.parametrize(("fullness", "found"), [(0.8, set()), ("0.05", {"hot"}), (1, set()), (None, {"hot"})])
def test_nothing_is_found_while_the_module_is_less_full(emulator: Control, fullness: Any, found: set[str]) -> None:
    run = find({"names": ["hot"]}, min_fullness=fullness)
    assert names(run.try_once()) == found
    (why,) = [why for why in run.ti.xcoms["kept"] if why.startswith("min_fullness")] or [None]
    assert why == (None if found else f"min_fullness: Leads has 5 of the 100 tags that Zoho allows, and min_fullness is {fullness}")


def test_nothing_is_found_where_zoho_does_not_say_how_full_the_module_is(emulator: Control) -> None:
    tag = {"id": emulator.tags("Leads")["hot"], "name": "hot"}
    emulator.fault("status", "settings/tags$", status=200, body={"tags": [tag]}, times=None)
    assert find({"names": ["hot"]}, min_fullness=0.1, max_share=1.0).try_once() == []


@pytest.mark.parametrize("wrong", ["", "None", 1.5, -0.1, "full"])
def test_a_fullness_that_is_none_is_refused(emulator: Control, wrong: Any) -> None:
    with pytest.raises(ZohoCrmFailure, match="min_fullness is"):
        find({"names": ["hot"]}, min_fullness=wrong).try_once()


@pytest.mark.parametrize("operator", [MassDeleteTagsOperator, BackupTagsOperator])
def test_tags_of_another_module_are_refused(emulator: Control, operator: Any) -> None:
    """As when the list of modules has changed below a mapped task."""
    found = find({"names": ["hot"]}).try_once()
    more = {"backup_path": "/nowhere/x.jsonl"} if operator is BackupTagsOperator else {}
    with pytest.raises(ZohoCrmFailure, match=r"were chosen in 'Leads', and this task is for Contacts\. Nothing was sent"):
        TaskRun(operator(task_id="other", module="Contacts", tag_ids=found, **more)).try_once()
    assert emulator.counters()["jobs"] == []
