"""An org that answers as no reading has it: the probe says so, finds out the rest, and cleans up all the same."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.probe.visitor import Visitor, state

ODD = {"code": "ODD", "details": {}, "message": "odd", "status": "error"}
# path, method, status and body of the answer, the readings that none fits, and a word of the reason
STRANGE: list[tuple[str, str, int, Any, list[str], str]] = [
    ("token/revoke$", "POST", 200, {"status": "success"}, ["revoke_error_body"], "HTTP 200, {status: str}"),
    ("tags/actions/mass_delete$", "GET", 404, "<html>", ["unknown_job_status", "unknown_job_nesting", "missing_job_id_status"], "no JSON"),
    ("Leads/actions/mass_delete$", "GET", 418, ODD, ["records_unknown_job"], "HTTP 418, {code: ODD"),
    ("tags/.*/actions/merge$", "POST", 400, ODD, ["merge_keeps"], "2 of the two tags are left"),
    ("Leads/search$", "GET", 400, ODD, ["search_lag", "search_equals"], "the search is refused"),
    ("Leads/actions/add_tags$", "POST", 409, ODD, ["tags_per_call", "mixed_tagging_status", "missing_record"], "HTTP 409"),
    (
        "crm/v8/Leads$",
        "POST",
        400,
        {"data": [ODD]},
        ["no_tags", "tags_per_call", "full_record"],
        "could not be made: HTTP 400, {data: [{code: ODD",
    ),
    ("crm/v8/Leads$", "GET", 400, [[ODD]], ["no_tags", "record_ids_refused"], "cannot be read"),
    ("bulk/v8/read/.*", "GET", 410, ODD, ["bulk_not_found_status"], "HTTP 410"),
]


@pytest.mark.parametrize(("path", "method", "status", "body", "readings", "why"), STRANGE, ids=[f"{row[1]} {row[0]}" for row in STRANGE])
def test_an_answer_that_fits_no_reading(
    visitor: Visitor, path: str, method: str, status: int, body: Any, readings: list[str], why: str
) -> None:
    before = state(visitor.control)
    visitor.control.fault("status", path, method=method, times=None, status=status, body=body)

    assert visitor.probe() == 0, visitor.text

    assert state(visitor.control) == before
    found = visitor.found()
    assert not found["readings"].keys() & set(readings)
    assert all(why in found["not_known"][name] for name in readings), found["not_known"]
    assert found["readings"]["wrong_secret"] == "invalid_client_secret"


JOBS: list[tuple[dict[str, Any], dict[str, str], str]] = [
    ({"start_delay": 0.0, "duration": 0.0}, {"running_word": "too short", "tag_jobs_at_once": "had ended"}, "COMPLETED"),
    ({"outcome": "failed", "deletes": 0}, {"gone_tag": "did not go"}, "FAILED"),
    ({"start_delay": 5000.0}, {"running_word": "too short"}, "ends within"),
    ({"appears_after": 5000.0}, {"counts": "never known", "running_word": "never known"}, "ends within"),
]


@pytest.mark.parametrize(("plan", "unknown", "said"), JOBS, ids=["short", "fails", "never starts", "never known"])
def test_jobs_that_go_otherwise(visitor: Visitor, plan: dict[str, Any], unknown: dict[str, str], said: str) -> None:
    before = state(visitor.control)
    visitor.control.jobs(**plan)

    assert visitor.probe() == 0, visitor.text

    visitor.control.advance(20_000)
    assert state(visitor.control) == before
    found = visitor.found()
    assert not found["readings"].keys() & unknown.keys()
    assert all(why in found["not_known"][name] for name, why in unknown.items()), found["not_known"]
    assert said in str(found["other_answers"])


def test_a_job_that_shows_up_late_and_tags_that_leave_late(visitor: Visitor) -> None:
    visitor.control.jobs(appears_after=3.0, start_delay=5.0, duration=5.0, removal_lag=30.0)

    assert visitor.probe() == 0, visitor.text

    jobs = visitor.found()["jobs"]
    assert jobs["appears_after"] == pytest.approx(3, abs=2)
    assert jobs["removal_lag"] == pytest.approx(30, abs=6)
    assert any(
        answer["question"].startswith("COMPLETED") and answer["verdict"] == "different" for answer in visitor.found()["other_answers"]
    )


def test_one_job_at_a_time_is_not_told_apart_without_a_second_module(visitor: Visitor) -> None:
    visitor.control.readings(tag_jobs_at_once="one_per_org")

    assert visitor.probe() == 0, visitor.text

    assert "--second-module" in visitor.found()["not_known"]["tag_jobs_at_once"]
    assert visitor.found()["readings"]["gone_tag"] == "one_of_the_tags"


def test_an_org_that_answers_everything_at_once_has_shown_no_429(visitor: Visitor) -> None:
    visitor.control.change_org(concurrency=1000)

    assert visitor.probe("--provoke-429") == 0, visitor.text

    assert "were all answered" in visitor.found()["not_known"]["retry_after"]


def test_single_deletes_that_are_not_there_are_done_by_a_job(visitor: Visitor) -> None:
    before = state(visitor.control)
    visitor.control.fault("status", "settings/tags/[0-9]+$", method="DELETE", times=None, status=404, body=ODD)

    assert visitor.probe() == 0, visitor.text

    assert state(visitor.control) == before
