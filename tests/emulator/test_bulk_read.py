"""A whole module as a zipped CSV."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import Any

import pytest
import requests

from tests.emulator.user import TWO_USERS, User

READ = "/crm/bulk/v8/read"
DAY = 24 * 60 * 60
UNKNOWN = "2276164999999999999"


@pytest.fixture(autouse=True)
def _slow(user: User) -> None:
    user.control.bulk_reads(start_delay=2, duration=4)


def create(user: User, module: str = "Leads", **query: Any) -> requests.Response:
    return user.post(READ, {"query": {"module": {"api_name": module}, "fields": ["Tag"], **query}})


def created(user: User, module: str = "Leads", **query: Any) -> str:
    job_id: str = create(user, module, **query).json()["data"][0]["details"]["id"]
    return job_id


def details(user: User, job_id: str) -> dict[str, Any]:
    (job,) = user.get(f"{READ}/{job_id}").json()["data"]
    found: dict[str, Any] = job
    return found


def rows(user: User, job_id: str) -> list[list[str]]:
    answer = user.get(f"{READ}/{job_id}/result")
    assert answer.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == [f"{job_id}.csv"]
        return list(csv.reader(io.StringIO(archive.read(f"{job_id}.csv").decode())))


def test_a_job_is_taken_on(user: User) -> None:
    answer = create(user)

    (element,) = answer.json()["data"]
    person = {"id": "2276164000000225013", "name": "Patricia Boyle"}
    assert (answer.status_code, answer.json()["info"]) == (201, {})
    assert (element["status"], element["code"], element["message"]) == ("success", "ADDED_SUCCESSFULLY", "Added successfully.")
    assert element["details"].keys() == {"id", "operation", "state", "created_by", "created_time"}
    assert (element["details"]["operation"], element["details"]["state"], element["details"]["created_by"]) == ("read", "ADDED", person)


def test_a_job_goes_through_its_states(user: User) -> None:
    job_id = created(user)
    states = []
    for seconds in (1, 2, 3):
        user.control.advance(seconds)
        states.append(details(user, job_id)["state"])

    job = details(user, job_id)
    assert states == ["ADDED", "IN PROGRESS", "COMPLETED"]
    assert job["query"] == {"module": {"id": "2276164000000000125", "api_name": "Leads"}, "fields": ["Tag"], "page": 1}
    assert job["result"] == {
        "page": 1,
        "per_page": 200_000,
        "count": 10,
        "download_url": f"{READ}/{job_id}/result",
        "more_records": False,
    }


def test_the_file_has_the_names_of_the_tags(user: User) -> None:
    user.control.add_records("Leads", 1)
    job_id = created(user)
    user.control.advance(10)

    header, first, second, *_, last = rows(user, job_id)

    assert header == ["Id", "Tag"]
    assert (first, second) == (["2276164000006064001", "hot,VIP"], ["2276164000006064002", "cold"])
    assert last[1] == ""


def test_the_file_is_of_the_end_of_the_job(user: User) -> None:
    job_id = created(user)
    user.control.advance(5)
    user.post("/Leads/actions/add_tags", {"tags": [{"name": "VIP"}], "ids": ["2276164000006064002"]})
    user.control.advance(5)
    details(user, job_id)
    user.post("/Leads/actions/add_tags", {"tags": [{"name": "hot"}], "ids": ["2276164000006064002"]})

    assert rows(user, job_id)[2] == ["2276164000006064002", "cold,VIP"]


def test_jobs_wait_for_one_another(user: User) -> None:
    first, second = created(user), created(user, "Contacts")
    states = []
    for _ in range(4):
        user.control.advance(3)
        states.append((details(user, first)["state"], details(user, second)["state"]))

    assert states == [
        ("IN PROGRESS", "QUEUED"),
        ("COMPLETED", "IN PROGRESS"),
        ("COMPLETED", "IN PROGRESS"),
        ("COMPLETED", "COMPLETED"),
    ]


def test_more_records_than_a_page_come_by_token(user: User) -> None:
    user.control.change_org(bulk_read_page=4)
    found: list[str] = []
    job_id = created(user)
    for page in (1, 2, 3):
        user.control.advance(10)
        found += [record for record, _ in rows(user, job_id)[1:]]
        result = details(user, job_id)["result"]
        assert (result["page"], result["per_page"], result["more_records"]) == (page, 4, page < 3)
        if page < 3:
            answer = user.post(READ, {"query": {"page_token": result["next_page_token"]}})
            job_id = answer.json()["data"][0]["details"]["id"]

    assert "next_page_token" not in result
    assert found == list(user.control.org(records=True)["modules"][0]["records"])


def test_more_records_than_a_page_come_by_number(user: User) -> None:
    user.control.change_org(bulk_read_page=8)
    job_id = created(user, page=2)
    user.control.advance(10)

    assert [record for record, _ in rows(user, job_id)] == ["Id", "2276164000006064009", "2276164000006064010"]


def test_a_page_token_is_good_for_the_same_user_alone(user: User) -> None:
    user.control.seed(TWO_USERS | {"bulk_reads": {"start_delay": 0, "duration": 0}})
    user.control.change_org(bulk_read_page=4)
    user.log_in()
    token = details(user, created(user))["result"]["next_page_token"]
    user.log_in(grant_type="refresh_token", refresh_token="of-another")

    answer = user.post(READ, {"query": {"page_token": token}})

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST")


def test_a_page_token_ends_after_a_day(user: User) -> None:
    user.control.change_org(bulk_read_page=4)
    job_id = created(user)
    user.control.advance(10)
    token = details(user, job_id)["result"]["next_page_token"]
    user.control.advance(DAY)
    user.log_in()

    assert user.post(READ, {"query": {"page_token": token}}).json()["code"] == "EXPIRED_VALUE"


def test_a_job_can_fail(user: User) -> None:
    user.control.next_bulk_reads(outcome="failed")
    job_id, other = created(user), created(user)
    user.control.advance(20)

    job = details(user, job_id)
    assert (job["state"], job["result"]["error_message"]["code"]) == ("FAILURE", "INTERNAL_SERVER_ERROR")
    assert user.get(f"{READ}/{job_id}/result").status_code == 404
    assert details(user, other)["state"] == "COMPLETED"


def test_a_file_can_be_short_without_a_word(user: User) -> None:
    user.control.next_bulk_reads(missing=3)
    job_id = created(user)
    user.control.advance(10)

    assert (details(user, job_id)["result"]["count"], len(rows(user, job_id))) == (7, 8)


@pytest.mark.parametrize("status", [404, 400])
def test_there_is_no_file_before_the_end_nor_after_a_day(user: User, status: int) -> None:
    user.control.readings(bulk_not_found_status=status)
    job_id = created(user)
    early = user.get(f"{READ}/{job_id}/result")
    user.control.advance(DAY + 6)
    user.log_in()
    late = user.get(f"{READ}/{job_id}/result")

    assert [answer.status_code for answer in (early, late, user.get(f"{READ}/{UNKNOWN}/result"))] == [status] * 3
    assert (early.json()["code"], early.json()["details"]) == ("RESOURCE_NOT_FOUND", {"resource": job_id})
    assert user.get(f"{READ}/{UNKNOWN}").status_code == 404


def test_ten_files_a_minute(user: User) -> None:
    job_id = created(user)
    user.control.advance(10)
    statuses = [user.get(f"{READ}/{job_id}/result").status_code for _ in range(11)]
    user.control.advance(61)

    assert statuses == [200] * 10 + [429]
    assert user.get(f"{READ}/{job_id}/result").status_code == 200


def test_a_job_costs_fifty_credits(user: User) -> None:
    user.control.reset_counters()
    job_id = created(user)
    details(user, job_id)

    assert user.control.counters()["credits_used"] == {"808232144": 51}


@pytest.mark.parametrize(("choice", "columns"), [("names", ["Id", "Tag"]), ("absent", ["Id"])])
def test_the_column_of_the_tags_may_be_absent(user: User, choice: str, columns: list[str]) -> None:
    user.control.readings(bulk_tag_column=choice)
    job_id = created(user)
    user.control.advance(10)

    assert rows(user, job_id)[0] == columns


def test_the_field_of_the_tags_may_be_refused(user: User) -> None:
    user.control.readings(bulk_tag_column="refused")

    answer = create(user)

    assert (answer.status_code, answer.json()["code"], answer.json()["details"]) == (400, "FIELD_NOT_SUPPORTED", {"api_name": "Tag"})


def test_the_first_column_may_be_written_small(user: User) -> None:
    user.control.readings(bulk_id_header="id")
    job_id = created(user)
    user.control.advance(10)

    assert rows(user, job_id)[0][0] == "id"


def test_the_status_may_have_a_result_too_early(user: User) -> None:
    user.control.readings(bulk_result_early="on")

    job = details(user, created(user))

    assert (job["state"], job["result"]["count"], job["result"]["more_records"]) == ("ADDED", 0, False)


@pytest.mark.parametrize(("choice", "number"), [("on", 11), ("off", 10)])
def test_converted_records_are_exported_or_not(user: User, choice: str, number: int) -> None:
    user.control.readings(bulk_converted=choice)
    user.control.add_records("Leads", [{"tags": ["hot"], "converted": True}])
    job_id = created(user, fields=["Tag", "$converted"])
    user.control.advance(10)

    exported = rows(user, job_id)
    assert (exported[0], len(exported) - 1) == (["Id", "Tag", "$converted"], number)
    assert exported[-1][2] == ("true" if choice == "on" else "false")


def test_an_empty_module_has_a_file_with_a_header(user: User) -> None:
    user.control.seed(
        {"orgs": [{"zgid": "808232144", "refresh_tokens": [{"token": "1000.emulator-refresh-token"}], "modules": [{"api_name": "Deals"}]}]}
    )
    user.control.freeze()
    user.log_in()
    job_id = created(user, "Deals")
    user.control.advance(10)

    assert rows(user, job_id) == [["Id", "Tag"]]


LEADS: dict[str, Any] = {"module": {"api_name": "Leads"}, "fields": ["Tag"]}
REFUSALS: dict[str, tuple[Any, str]] = {
    "no query": ({}, "REQUEST_BODY_NOT_SUPPORTED"),
    "an unknown key": ({"query": {**LEADS, "x": 1}}, "REQUEST_BODY_NOT_SUPPORTED"),
    "an unknown module": ({"query": {"module": {"api_name": "leads"}}}, "MODULE_NOT_AVAILABLE"),
    "an unknown field": ({"query": {**LEADS, "fields": ["Tags"]}}, "FIELD_NOT_AVAILABLE"),
    "fields no list": ({"query": {**LEADS, "fields": "Tag"}}, "REQUEST_BODY_NOT_SUPPORTED"),
    "page 51": ({"query": {**LEADS, "page": 51}}, "PAGE_RANGE_EXCEEDED"),
    "a criterion": ({"query": {**LEADS, "criteria": {}}}, "FIELD_IN_CRITERIA_NOT_SUPPORTED"),
    "a view": ({"query": {**LEADS, "cvid": "1"}}, "CVID_NOT_SUPPORTED"),
    "an unknown token": ({"query": {"page_token": "x"}}, "INVALID_REQUEST"),
    "a calendar": ({"query": LEADS, "file_type": "ics"}, "INVALID_REQUEST"),
    "a callback": ({"query": LEADS, "callback": {"url": "https://example.com", "method": "post"}}, "INVALID_CALLBACK_URL"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_bad_job_is_refused(user: User, case: str) -> None:
    body, code = REFUSALS[case]

    answer = user.post(READ, body)

    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_the_type_of_the_body_must_be_said(user: User) -> None:
    answer = user.call("POST", READ, data=b'{"query": {"module": {"api_name": "Leads"}}}')

    assert (answer.status_code, answer.json()["code"]) == (415, "MEDIA_TYPE_NOT_SUPPORTED")


def test_some_modules_cannot_be_exported(user: User) -> None:
    org = {"zgid": "808232144", "refresh_tokens": [{"token": "1000.emulator-refresh-token"}]}
    user.control.seed({"orgs": [{**org, "modules": [{"api_name": "Notes", "bulk_read_supported": False}]}]})
    user.log_in()

    assert create(user, "Notes").json()["code"] == "MODULE_NOT_SUPPORTED"


@pytest.mark.parametrize(
    ("scope", "status"),
    [
        ("ZohoCRM.bulk.READ,ZohoCRM.modules.leads.READ", 201),
        ("ZohoCRM.bulk.ALL,ZohoCRM.modules.ALL", 201),
        ("ZohoCRM.bulk.READ", 401),
        ("ZohoCRM.bulk.READ,ZohoCRM.modules.contacts.READ", 401),
        ("ZohoCRM.modules.ALL", 401),
    ],
)
def test_a_job_needs_two_scopes(user: User, scope: str, status: int) -> None:
    user.log_in(grant_type="client_credentials", scope=scope, soid="ZohoCRM.808232144")

    assert create(user).status_code == status
