"""Mass-delete jobs of both kinds: what is sent, and the two shapes in which Zoho answers."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_zcrm.api.call import ApiCall
from airflow_provider_zcrm.api.errors import (
    InvalidArgument,
    InvalidModule,
    InvalidRequest,
    JobNotFound,
    ServiceUnavailable,
    SubmissionUncertain,
    TagNotFound,
    UnreadableResponse,
    submission_error,
)
from airflow_provider_zcrm.api.mass_delete import (
    JobStatus,
    MassDeleteJob,
    RecordsDeleted,
    delete_records,
    job_status,
    refused_record,
    refused_tag,
    submit_records_by_view,
    submit_tags,
)
from airflow_provider_zcrm.api.tags import list_tags
from tests.unit.api.answers import HTML, answer, envelope

TAGS_PATH = "settings/tags/actions/mass_delete"
MODULE_ID = "2276164000000000125"
TAG_JOB = MassDeleteJob("tags", "2276164000001035002")
RECORDS_JOB = MassDeleteJob("records", "3652397000009565021", "Leads")
SCHEDULED = {
    "code": "SCHEDULED",
    "details": {"job_id": "2276164000001035002"},
    "message": "tags scheduled successfully",
    "status": "success",
}
VIEW_SCHEDULED = {
    "data": [{"code": "SUCCESS", "details": {"job_id": "3652397000009565021"}, "message": "scheduled successfully", "status": "success"}]
}
submissions = pytest.mark.parametrize(
    ("call", "status", "body"),
    [(submit_tags("Leads", MODULE_ID, ["1"]), 202, SCHEDULED), (submit_records_by_view("Leads", "1"), 200, VIEW_SCHEDULED["data"][0])],
    ids=["tags", "records"],
)


# --- what is sent --------------------------------------------------------------------------------------------------------


def test_tags_are_sent_with_id_and_name_of_their_module() -> None:
    request = submit_tags("Leads", MODULE_ID, ["2", "1"]).request

    assert (request.method, request.path, request.scope) == ("POST", TAGS_PATH, "ZohoCRM.settings.tags.DELETE")
    assert request.json == {"mass_delete": [{"module": {"id": MODULE_ID, "api_name": "Leads"}, "tags": [{"id": "2"}, {"id": "1"}]}]}
    assert request.may_repeat is False


def test_a_view_is_sent_by_its_id() -> None:
    request = submit_records_by_view("Leads", "3652397000000538003").request

    assert (request.method, request.path, request.scope) == ("POST", "Leads/actions/mass_delete", "ZohoCRM.mass_delete.DELETE")
    assert request.json == {"cvid": "3652397000000538003"}
    assert request.may_repeat is False


@pytest.mark.parametrize("include_child", [True, False])
def test_a_view_may_be_narrowed_to_a_territory(include_child: bool) -> None:
    request = submit_records_by_view("Leads", "1", "2", include_child=include_child).request

    assert request.json == {"cvid": "1", "territory": {"id": "2", "include_child": include_child}}


def test_records_are_sent_by_their_ids() -> None:
    request = delete_records("Leads", ("2", "1")).request

    assert (request.method, request.path, request.json) == ("POST", "Leads/actions/mass_delete", {"ids": ["2", "1"]})
    assert request.may_repeat is False


@pytest.mark.parametrize(
    ("job", "path", "scope"),
    [(TAG_JOB, TAGS_PATH, "ZohoCRM.settings.tags.READ"), (RECORDS_JOB, "Leads/actions/mass_delete", "ZohoCRM.mass_delete.READ")],
)
def test_a_job_is_asked_for_by_its_id(job: MassDeleteJob, path: str, scope: str) -> None:
    request = job_status(job).request

    assert (request.method, request.path, request.scope, dict(request.params)) == ("GET", path, scope, {"job_id": job.id})
    assert request.json is None
    assert request.may_repeat is True


@pytest.mark.parametrize("number", [0, 201])
def test_a_job_of_tags_takes_1_to_200(number: int) -> None:
    with pytest.raises(InvalidArgument, match=f"1 to 200 tags, not {number}"):
        submit_tags("Leads", MODULE_ID, ["1"] * number)


def test_200_tags_and_500_records_are_allowed() -> None:
    assert len(submit_tags("Leads", MODULE_ID, ["1"] * 200).request.json["mass_delete"][0]["tags"]) == 200
    assert len(delete_records("Leads", ["1"] * 500).request.json["ids"]) == 500


@pytest.mark.parametrize("number", [0, 501])
def test_one_call_deletes_1_to_500_records(number: int) -> None:
    with pytest.raises(InvalidArgument, match=f"1 to 500 records, not {number}"):
        delete_records("Leads", ["1"] * number)


@pytest.mark.parametrize(
    ("job", "says"), [(MassDeleteJob("leads", "1"), "job 1 is .leads."), (MassDeleteJob("records", "1"), "needs its module")]
)
def test_a_job_that_cannot_be_asked_for_is_refused(job: MassDeleteJob, says: str) -> None:
    with pytest.raises(InvalidArgument, match=says):
        job_status(job)


# --- the answer to a submission ------------------------------------------------------------------------------------------


def test_both_shapes_of_an_accepted_submission_give_the_job_id() -> None:
    assert submit_tags("Leads", MODULE_ID, ["1"]).parse(answer(202, SCHEDULED)) == "2276164000001035002"
    assert submit_records_by_view("Leads", "1").parse(answer(200, VIEW_SCHEDULED)) == "3652397000009565021"


@submissions
@pytest.mark.parametrize("code", ["SCHEDULED", "QUEUED", "RUNNING", "COMPLETED", "FAILED", "SUCCESS", "SOMETHING_NEW"])
def test_what_counts_is_success_and_a_job_id_whatever_the_code(call: ApiCall[str], status: int, body: dict[str, Any], code: str) -> None:
    assert call.parse(answer(status, {**body, "code": code})) == body["details"]["job_id"]


@submissions
def test_a_numeric_job_id_stays_exact(call: ApiCall[str], status: int, body: dict[str, Any]) -> None:
    assert call.parse(answer(status, {**body, "details": {"job_id": 2276164000001035002}})) == "2276164000001035002"


@submissions
@pytest.mark.parametrize(
    "changes",
    [
        {"status": "pending"},
        {"status": None},
        {"details": {}},
        {"details": None},
        {"details": []},
        {"details": {"job_id": ""}},
        {"details": {"job_id": None}},
        {"details": {"job_id": {"id": "1"}}},
        {"details": {"job_id": True}},
    ],
)
def test_a_submission_without_success_or_job_id_is_uncertain(call: ApiCall[str], status: int, body: Any, changes: Any) -> None:
    with pytest.raises(UnreadableResponse) as caught:
        call.parse(answer(status, {**body, **changes}))

    assert isinstance(submission_error(caught.value), SubmissionUncertain)


@submissions
@pytest.mark.parametrize("wrong", [[], {}, "x", {"data": []}, {"data": ["x"]}, {"data": {"status": "success"}}, [SCHEDULED]])
def test_a_submission_answered_in_another_shape_is_unreadable(call: ApiCall[str], status: int, body: Any, wrong: Any) -> None:
    with pytest.raises(UnreadableResponse):
        call.parse(answer(status, wrong if wrong != "x" else '"x"'))


def test_a_submission_answered_with_nothing_is_unreadable() -> None:
    with pytest.raises(UnreadableResponse):
        submit_tags("Leads", MODULE_ID, ["1"]).parse(answer(204))


# --- records at once -----------------------------------------------------------------------------------------------------


def element(record_id: str) -> dict[str, Any]:
    return {"code": "SUCCESS", "details": {"id": record_id}, "message": "record is deleted", "status": "success"}


def test_records_that_went_and_records_that_did_not_are_told_apart() -> None:
    body = {"data": [element("1"), envelope("INVALID_DATA", "Record locked", id="2"), envelope("INVALID_DATA", "", id="3"), element("4")]}

    assert delete_records("Leads", ["1", "2", "3", "4"]).parse(answer(207, body)) == RecordsDeleted(
        ("1", "4"), {"2": "Record locked", "3": "INVALID_DATA"}
    )


def test_all_records_may_go() -> None:
    assert delete_records("Leads", ["1"]).parse(answer(200, {"data": [element("1")]})) == RecordsDeleted(("1",))


def test_a_call_in_which_every_record_failed_is_no_error_of_the_call() -> None:
    body = {"data": [envelope("INVALID_DATA", "Record locked", id="1"), envelope("INVALID_DATA", "the id is invalid", id="2")]}

    assert delete_records("Leads", ["1", "2"]).parse(answer(400, body)) == RecordsDeleted(
        (), {"1": "Record locked", "2": "the id is invalid"}
    )


def test_of_a_record_that_the_answer_does_not_name_nothing_is_said() -> None:
    assert delete_records("Leads", ["1", "2"]).parse(answer(207, {"data": [element("1")]})) == RecordsDeleted(("1",))


@pytest.mark.parametrize(
    "odd",
    [
        {"code": "SUCCESS", "status": "success"},
        {"code": "SUCCESS", "details": {"id": "2"}, "status": "queued"},
        envelope("INVALID_DATA", "m", json_path="$.ids[1]"),
        {"details": None},
        {"details": {"id": ["2"]}, "status": None},
    ],
)
def test_an_odd_element_does_not_cost_what_the_others_say(odd: dict[str, Any]) -> None:
    assert delete_records("Leads", ["1", "2"]).parse(answer(207, {"data": [odd, element("1")]})) == RecordsDeleted(("1",))


def test_a_status_in_capitals_is_read() -> None:
    assert delete_records("Leads", ["1"]).parse(answer(200, {"data": [element("1") | {"status": "SUCCESS "}]})).deleted == ("1",)


@pytest.mark.parametrize("wrap", [lambda error: error, lambda error: {"data": [error]}])
@pytest.mark.parametrize("details", [{"api_name": "ids", "json_path": "$.ids[1]", "id": "2"}, {"api_name": "ids"}])
def test_a_refusal_of_the_whole_call_is_an_error(wrap: Any, details: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        delete_records("Leads", ["1", "2"]).parse(
            answer(400, wrap(envelope("INVALID_DATA", "the id given seems to be invalid", **details)))
        )

    assert refused_record(caught.value, ["1", "2"]) == ("2" if "id" in details else None)


def test_a_record_that_was_not_asked_for_is_a_child_that_went_with_its_parent() -> None:
    assert delete_records("Leads", ["1"]).parse(answer(200, {"data": [element("99"), element("1")]})) == RecordsDeleted(("1",))


def test_records_of_somebody_else_alone_are_unreadable() -> None:
    with pytest.raises(UnreadableResponse, match="no data"):
        delete_records("Leads", ["1"]).parse(answer(200, {"data": [element("99")]}))


def test_a_server_error_with_elements_is_uncertain() -> None:
    with pytest.raises(ServiceUnavailable) as caught:
        delete_records("Leads", ["1"]).parse(answer(500, {"data": [envelope("INVALID_DATA", "x", id="1")]}))

    assert isinstance(submission_error(caught.value), SubmissionUncertain)


@pytest.mark.parametrize("body", [{}, {"data": {}}, {"data": ["x"]}, [element("1")]])
def test_an_answer_without_records_is_unreadable(body: Any) -> None:
    with pytest.raises(UnreadableResponse, match="no data"):
        delete_records("Leads", ["1"]).parse(answer(200, body))


# --- status --------------------------------------------------------------------------------------------------------------


def tag_status(**fields: Any) -> JobStatus:
    return job_status(TAG_JOB).parse(answer(200, {"mass_delete": [{"job_id": TAG_JOB.id, **fields}]}))


def records_status(**fields: Any) -> JobStatus:
    return job_status(RECORDS_JOB).parse(answer(200, {"data": [fields]}))


def test_both_shapes_of_a_status_become_one() -> None:
    of_tags = tag_status(total_count=8, failed_count=1, deleted_count=7, status="COMPLETED", created_time="2026-01-01T00:00:00Z")
    of_records = records_status(Status="COMPLETED", Failed_Count=1, Deleted_Count=7, Total_Count=8)

    assert of_tags == of_records == JobStatus("COMPLETED", 8, 7, 1)


@pytest.mark.parametrize("word", ["SCHEDULED", "RUNNING", "QUEUED", "SUSPENDED", "in_progress", "In Progress", "ERROR", "completing"])
def test_only_completed_and_failed_end_a_job(word: str) -> None:
    assert tag_status(status=word) == JobStatus(word.upper())
    assert tag_status(status=word).ended is False


@pytest.mark.parametrize("word", ["COMPLETED", "FAILED", "completed", "Failed"])
def test_an_end_is_an_end_in_any_case(word: str) -> None:
    assert tag_status(status=word).ended is True
    assert records_status(Status=word).ended is True


@pytest.mark.parametrize(
    ("wire", "count"), [(8, 8), ("8", 8), (0, 0), ("0", 0), (None, None), ("", None), ("many", None), (-1, None), (1.5, None), (True, None)]
)
def test_a_count_may_be_a_string_or_missing(wire: Any, count: int | None) -> None:
    assert tag_status(status="RUNNING", total_count=wire, deleted_count=wire, failed_count=wire) == JobStatus(
        "RUNNING", count, count, count
    )


@pytest.mark.parametrize(
    "wrong", [{}, {"mass_delete": []}, {"mass_delete": [[]]}, {"mass_delete": {}}, [], {"data": [{"Status": "COMPLETED"}]}]
)
def test_a_status_in_another_shape_is_unreadable(wrong: Any) -> None:
    with pytest.raises(UnreadableResponse, match="no status"):
        job_status(TAG_JOB).parse(answer(200, wrong))


@pytest.mark.parametrize("word", [None, "", 5])
def test_a_status_without_a_word_is_unreadable(word: Any) -> None:
    with pytest.raises(UnreadableResponse, match="no status"):
        tag_status(status=word)


def test_an_empty_answer_is_no_end() -> None:
    with pytest.raises(UnreadableResponse):
        job_status(TAG_JOB).parse(answer(204))


def test_an_unknown_job_is_told_from_a_failed_one() -> None:
    with pytest.raises(JobNotFound):
        job_status(TAG_JOB).parse(answer(400, {"mass_delete": [envelope("INVALID_DATA", "job details not found", job_id=TAG_JOB.id)]}))


@pytest.mark.parametrize(
    ("status", "progress"),
    [
        (JobStatus("RUNNING"), None),
        (JobStatus("RUNNING", 10), None),
        (JobStatus("RUNNING", 0, 0, 0), None),
        (JobStatus("RUNNING", None, 5), None),
        (JobStatus("RUNNING", 10, 0), 0.0),
        (JobStatus("RUNNING", 10, 5), 0.5),
        (JobStatus("RUNNING", 10, 5, 3), 0.8),
        (JobStatus("RUNNING", 10, 15, 3), 1.0),
    ],
)
def test_progress_is_a_share_where_the_counts_allow_one(status: JobStatus, progress: float | None) -> None:
    assert status.progress == progress


# --- the tag that refused a batch ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "tag"),
    [
        ("$.mass_delete[0].tags[0].id", "a"),
        ("$.mass_delete[0].tags[2].id", "c"),
        ("$.mass_delete[0].tags[2]", "c"),
        ("$.mass_delete[0].tags[3].id", None),
        ("$.mass_delete[0].tags", None),
        ("$.mass_delete[0].tags[].id", None),
        ("$.mass_delete[0].tags[-1].id", None),
        ("$.mass_delete[0].tags[x].id", None),
        ("", None),
        (None, None),
    ],
)
def test_zohos_path_points_at_the_tag(path: str | None, tag: str | None) -> None:
    assert refused_tag(TagNotFound("gone", details={"json_path": path}), ["a", "b", "c"]) == tag


def test_without_a_path_no_tag_is_blamed() -> None:
    assert refused_tag(TagNotFound("gone"), ["a"]) is None


@pytest.mark.parametrize("module", ["settings/tags", "../org", "", "Leads?x=1", "L\u00e9ads"])
def test_a_module_that_would_change_the_path_is_refused(module: str) -> None:
    with pytest.raises((InvalidArgument, InvalidModule), match=r"API name|needs its module"):
        job_status(MassDeleteJob("records", "1", module))


# --- odd answers to a status request -------------------------------------------------------------------------------------

TAG_JOB, RECORD_JOB = MassDeleteJob("tags", "5"), MassDeleteJob("records", "5", "Leads")
COUNTS = {"total_count": 8, "deleted_count": 8, "failed_count": 0}


def status(*items: Any, job: MassDeleteJob = TAG_JOB, key: str = "mass_delete") -> JobStatus:
    return job_status(job).parse(answer(200, {key: list(items)}))


@pytest.mark.parametrize(
    ("item", "read"),
    [
        ({"Status": " Completed ", "TOTAL_COUNT": "8", "Deleted_Count": 7.0, " failed_count": "1.0"}, JobStatus("COMPLETED", 8, 7, 1)),
        ({"STATUS": "completed"}, JobStatus("COMPLETED")),
        ({"status": "COMPLETED", "total_count": "many", "deleted_count": -1, "failed_count": True}, JobStatus("COMPLETED")),
        ({"status": "COMPLETED", "total_count": "9" * 5000}, JobStatus("COMPLETED")),
        ({"job_id": 5, "status": "in_progress"}, JobStatus("IN_PROGRESS")),
    ],
)
def test_a_status_is_read_whatever_the_case_of_its_keys_and_the_type_of_its_counts(item: Any, read: JobStatus) -> None:
    assert status(item) == read
    assert status(item, job=RECORD_JOB, key="data") == read
    assert status(item, key=" Mass_Delete") == read


@pytest.mark.parametrize(
    ("items", "read"),
    [
        ([{"status": "COMPLETED", **COUNTS}, {"status": "FAILED", **COUNTS}], JobStatus("FAILED", 16, 16, 0)),
        ([{"status": "COMPLETED", **COUNTS}, {"status": "COMPLETED"}], JobStatus("COMPLETED")),
        ([{"status": "COMPLETED", **COUNTS}, {"status": "RUNNING", **COUNTS}], JobStatus("RUNNING", 16, 16, 0)),
        ([{"status": "FAILED"}, {"status": "RUNNING"}], JobStatus("RUNNING")),
        ([{"job_id": "6", "status": "COMPLETED"}, {"job_id": "5", "status": "FAILED"}], JobStatus("FAILED")),
        ([{"status": "COMPLETED"}, {"code": "INVALID_DATA", "status": "error"}], JobStatus("ERROR")),
    ],
)
def test_no_element_of_an_answer_is_passed_over(items: list[Any], read: JobStatus) -> None:
    assert status(*items) == read


@pytest.mark.parametrize(
    "items",
    [
        [],
        [{}],
        [{"status": None}],
        [{"status": "COMPLETED"}, "x"],
        [{"status": "COMPLETED", "job_id": "6"}],
        [{"status": "1000.aa\x1b[2J"}],
    ],
)
def test_an_answer_that_does_not_say_how_far_the_job_is_is_unreadable(items: list[Any]) -> None:
    with pytest.raises(UnreadableResponse, match="no status of job 5"):
        status(*items)


@pytest.mark.parametrize("job", [TAG_JOB, RECORD_JOB], ids=lambda job: job.kind)
@pytest.mark.parametrize("body", [b"", b" \n", b'{"message": "not found"}', b'["x"]'])
def test_a_job_of_which_a_404_says_no_more_is_unknown(job: MassDeleteJob, body: bytes) -> None:
    with pytest.raises(JobNotFound, match="does not know job 5"):
        job_status(job).parse(answer(404, body))


def test_a_404_page_of_a_gateway_says_nothing_of_the_job() -> None:
    with pytest.raises(UnreadableResponse, match="HTTP 404"):
        job_status(TAG_JOB).parse(answer(404, HTML))


def test_a_404_without_a_body_to_another_call_is_no_unknown_job() -> None:
    with pytest.raises(UnreadableResponse, match="HTTP 404"):
        list_tags("Leads").parse(answer(404))


@pytest.mark.parametrize(
    "job_id",
    ["", " ", "a/b", "50000\n6", "1000.ab.cd", "job_789", "9" * 21, "9999", 9999, "٩٩٩٩٩", 50000.5, True, None, ["50000"], {"id": "5"}],
)
def test_a_job_id_that_is_none_makes_no_job(job_id: Any) -> None:
    with pytest.raises(UnreadableResponse, match="no job_id"):
        submit_tags("Leads", "1", ["2"]).parse(answer(202, {"status": "success", "details": {"job_id": job_id}}))


@pytest.mark.parametrize(
    ("call", "body"),
    [
        (submit_tags("Leads", "1", ["2"]), {" Status": " SUCCESS ", "Details": {"JOB_ID ": " 50000 "}}),
        (submit_records_by_view("Leads", "1"), {"Data": [{"STATUS": "Success", "DETAILS": {"Job_Id": 50000}}]}),
    ],
)
def test_a_job_id_is_read_whatever_the_case_of_the_keys(call: ApiCall[str], body: dict[str, Any]) -> None:
    assert call.parse(answer(202, body)) == "50000"


def test_blanks_about_a_job_id_in_a_status_do_not_hide_the_job() -> None:
    body = {"Mass_Delete ": [{" Job_ID": " 5 ", "Status": " completed\n", "FAILED_COUNT": " 0"}]}
    assert job_status(TAG_JOB).parse(answer(200, body)) == JobStatus("COMPLETED", failed=0)
