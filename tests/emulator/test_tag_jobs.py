"""The life of a mass-delete-tags job, seen from outside."""

from __future__ import annotations

import pytest

from tests.emulator.user import LEADS, MASS_DELETE, User

FOUR = ("hot", "cold", "VIP", "do-not-call")


def submitted(user: User, *names: str) -> str:
    answer = user.submit(*names)
    assert answer.status_code == 202
    job_id: str = answer.json()["details"]["job_id"]
    return job_id


def test_a_submission_is_answered_with_202_and_a_bare_object(user: User) -> None:
    answer = user.submit("hot")

    assert answer.status_code == 202
    job_id = answer.json()["details"]["job_id"]
    assert answer.json() == {
        "code": "SCHEDULED",
        "details": {"job_id": job_id},
        "message": "tags scheduled successfully",
        "status": "success",
    }
    assert len(job_id) == 19
    assert job_id.startswith("2276164")


def test_no_tag_vanishes_while_the_job_is_scheduled(user: User) -> None:
    job_id = submitted(user, *FOUR)

    user.control.advance(9)

    assert user.job(job_id) == {
        "job_id": job_id,
        "status": "SCHEDULED",
        "total_count": 4,
        "failed_count": 0,
        "deleted_count": 0,
    }
    assert len(user.tag_names()) == 5


def test_tags_vanish_one_by_one_while_the_job_runs(user: User) -> None:
    job_id = submitted(user, *FOUR)

    user.control.advance(10 + 60)

    assert user.job(job_id)["status"] == "RUNNING"
    assert user.job(job_id)["deleted_count"] == 2
    assert user.tag_names() == ["VIP", "webinar-2024-03", "do-not-call"]


def test_a_job_ends_as_completed_with_all_its_tags_gone(user: User) -> None:
    job_id = submitted(user, *FOUR)

    user.control.advance(110)

    assert user.job(job_id) == {
        "job_id": job_id,
        "status": "COMPLETED",
        "total_count": 4,
        "failed_count": 0,
        "deleted_count": 4,
    }
    assert user.tag_names() == ["webinar-2024-03"]


def test_a_deleted_tag_is_off_its_records(user: User) -> None:
    submitted(user, "hot")

    user.control.advance(110)

    leads = user.control.org(records=True)["modules"][0]
    hot = "2276164000001021041"
    assert all(hot not in tags for tags in leads["records"].values())
    assert leads["records"]["2276164000006064001"] == ["2276164000001021043"]


def test_of_two_jobs_with_the_same_tag_the_second_counts_it_as_failed(user: User) -> None:
    first = submitted(user, "hot", "cold")
    second = submitted(user, "hot", "VIP")

    user.control.advance(110)

    assert user.job(first)["deleted_count"] == 2
    assert (user.job(second)["status"], user.job(second)["deleted_count"], user.job(second)["failed_count"]) == ("COMPLETED", 1, 1)


def test_a_job_that_comes_to_a_tag_first_deletes_it_whenever_one_looks(user: User) -> None:
    user.control.next_jobs(start_delay=50)
    slow = submitted(user, "hot")
    fast = submitted(user, "hot")

    user.control.advance(1000)

    assert user.job(fast)["deleted_count"] == 1
    assert user.job(slow)["failed_count"] == 1


def test_a_job_without_duration_waits_for_its_start(user: User) -> None:
    user.control.next_jobs(start_delay=10, duration=0)
    job_id = submitted(user, "hot", "VIP")
    assert user.job(job_id)["status"] == "SCHEDULED"

    user.control.advance(10)

    assert user.job(job_id)["status"] == "COMPLETED"


def test_a_failed_job_leaves_tags_behind(user: User) -> None:
    user.control.next_jobs(outcome="failed", deletes=1)
    job_id = submitted(user, *FOUR)

    user.control.advance(110)

    assert user.job(job_id)["status"] == "FAILED"
    assert (user.job(job_id)["deleted_count"], user.job(job_id)["failed_count"]) == (1, 3)
    assert "hot" not in user.tag_names()
    assert "cold" in user.tag_names()


def test_a_failed_job_deletes_half_of_its_tags_unless_told_otherwise(user: User) -> None:
    user.control.next_jobs(outcome="failed")
    job_id = submitted(user, *FOUR)

    user.control.advance(110)

    assert user.job(job_id)["deleted_count"] == 2


def test_a_planned_tag_fails_in_a_job_that_completes(user: User) -> None:
    user.control.next_jobs(failing=["VIP"])
    job_id = submitted(user, *FOUR)

    user.control.advance(110)

    assert user.job(job_id)["status"] == "COMPLETED"
    assert user.job(job_id)["failed_count"] == 1
    assert "VIP" in user.tag_names()


def test_a_job_may_say_completed_before_its_tags_leave_the_list(user: User) -> None:
    user.control.next_jobs(removal_lag=30)
    job_id = submitted(user, "hot")

    user.control.advance(111)
    assert user.job(job_id)["status"] == "COMPLETED"
    assert "hot" in user.tag_names()

    user.control.advance(30)
    assert "hot" not in user.tag_names()


def test_a_job_may_be_unknown_at_first(user: User) -> None:
    user.control.next_jobs(appears_after=5)
    job_id = submitted(user, "hot")

    assert user.get(MASS_DELETE, job_id=job_id).json()["mass_delete"][0]["message"] == "job details not found"

    user.control.advance(5)
    assert user.job(job_id)["status"] == "SCHEDULED"


def test_a_job_may_be_forgotten(user: User) -> None:
    user.control.next_jobs(forgotten_after=200)
    job_id = submitted(user, "hot")

    user.control.advance(199)
    assert user.job(job_id)["status"] == "COMPLETED"

    user.control.advance(1)
    assert user.get(MASS_DELETE, job_id=job_id).status_code == 400


def test_plans_are_used_up_one_job_at_a_time(user: User) -> None:
    user.control.next_jobs(times=2, duration=0, start_delay=0)

    jobs = [submitted(user, name) for name in ("hot", "cold", "VIP")]

    assert [user.job(job)["status"] for job in jobs] == ["COMPLETED", "COMPLETED", "SCHEDULED"]


@pytest.mark.parametrize(("reading", "other_module"), [("one_per_module", 202), ("one_per_org", 400)])
def test_a_second_job_at_a_time_can_be_refused(user: User, reading: str, other_module: int) -> None:
    user.control.readings(tag_jobs_at_once=reading)
    submitted(user, "hot")

    again = user.submit("cold")
    contacts = user.submit("test", module={"id": "2276164000000000129", "api_name": "Contacts"})

    assert (again.status_code, again.json()["code"]) == (400, "ALREADY_SCHEDULED")
    assert contacts.status_code == other_module
    user.control.advance(110)
    assert user.submit("cold").status_code == 202


def test_a_tag_twice_in_one_request_is_deleted_once(user: User) -> None:
    hot = {"id": "2276164000001021041"}
    job_id = user.post(MASS_DELETE, {"mass_delete": [{"module": LEADS, "tags": [hot, hot]}]}).json()["details"]["job_id"]

    user.control.advance(110)

    assert (user.job(job_id)["deleted_count"], user.job(job_id)["failed_count"]) == (1, 1)


@pytest.mark.parametrize(("reading", "under_way", "ended"), [("present", True, True), ("at_end", False, True), ("absent", False, False)])
def test_the_counts_are_in_the_status_from_when_the_reading_says(user: User, reading: str, under_way: bool, ended: bool) -> None:
    user.control.readings(counts=reading)
    job = submitted(user, "hot")

    user.control.advance(60)
    assert ("deleted_count" in user.job(job)) is under_way
    user.control.advance(60)
    assert ("deleted_count" in user.job(job)) is ended


@pytest.mark.parametrize(
    ("reading", "status", "message"),
    [
        ("one_of_the_tags", 400, "one of the tags seems not found."),
        ("tags_not_found", 400, "tags not found"),
        ("accepted", 202, "tags scheduled successfully"),
    ],
)
def test_a_submission_with_a_deleted_tag_is_answered_as_the_reading_says(user: User, reading: str, status: int, message: str) -> None:
    user.control.readings(gone_tag=reading)
    (hot, cold) = (user.control.tags("Leads")[name] for name in ("hot", "cold"))
    submitted(user, "hot")
    user.control.advance(110)

    again = user.post(MASS_DELETE, {"mass_delete": [{"module": LEADS, "tags": [{"id": hot}, {"id": cold}]}]})

    assert (again.status_code, again.json()["message"]) == (status, message)
    user.control.advance(110)
    assert ("cold" in user.tag_names()) is (status == 400)
    assert again.status_code == 400 or user.job(again.json()["details"]["job_id"])["failed_count"] == 1


def test_an_unknown_job_can_be_404_inside_mass_delete(user: User) -> None:
    user.control.readings(unknown_job_status=404)

    answer = user.get(MASS_DELETE, job_id="2276164000001035099")

    assert (answer.status_code, answer.json()["mass_delete"][0]["message"]) == (404, "job details not found")
