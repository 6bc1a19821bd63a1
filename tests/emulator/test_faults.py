"""Faults: what goes wrong on the wire when a test orders it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from airflow_provider_zcrm.emulator.control import ControlError
from tests.emulator.user import User, wait_until


def test_a_status_can_be_answered_without_the_work(user: User) -> None:
    user.control.fault("status", path="mass_delete", method="POST")

    answer = user.submit("hot")

    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL_ERROR")
    assert user.control.counters()["jobs"] == []
    assert user.submit("hot").status_code == 202


def test_a_status_can_be_answered_after_the_work(user: User) -> None:
    user.control.fault("status", path="mass_delete", status=503, body={"x": 1}, headers={"Retry-After": "7"}, effect=True)

    answer = user.submit("hot")

    assert (answer.status_code, answer.json(), answer.headers["Retry-After"]) == (503, {"x": 1}, "7")
    assert len(user.control.counters()["jobs"]) == 1


def test_a_429_has_the_body_of_the_reading(user: User) -> None:
    user.control.readings(retry_after="on")
    user.control.fault("status", status=429)

    answer = user.get("/org")

    assert (answer.json()["code"], answer.headers["Retry-After"]) == ("TOO_MANY_REQUESTS", "60")


def test_a_429_may_say_when_to_come_back(user: User) -> None:
    user.control.fault("status", status=429, headers={"Retry-After": "3"})

    assert user.get("/org").headers["Retry-After"] == "3"


def test_an_answer_can_be_a_page_of_html(user: User) -> None:
    user.control.fault("html")
    user.control.fault("html", body="<h1>Maintenance</h1>", status=503)

    gateway, maintenance = user.get("/org"), user.get("/org")

    assert (gateway.status_code, gateway.headers["Content-Type"]) == (502, "text/html;charset=UTF-8")
    assert (maintenance.status_code, maintenance.text) == (503, "<h1>Maintenance</h1>")


@pytest.mark.parametrize(("kind", "jobs"), [("drop_before", 0), ("drop_after", 1)])
def test_a_connection_can_be_dropped_before_or_after_the_work(user: User, kind: str, jobs: int) -> None:
    user.control.fault(kind, path="mass_delete")

    with pytest.raises(requests.ConnectionError):
        user.submit("hot")

    assert len(user.control.counters()["jobs"]) == jobs
    assert user.control.requests("mass_delete")[0]["status"] == 0


def test_a_slow_answer_comes_after_the_work(user: User) -> None:
    user.control.fault("slow", path="mass_delete", seconds=60)
    with ThreadPoolExecutor() as pool:
        held = pool.submit(user.submit, "hot")
        wait_until(lambda: len(user.control.counters()["jobs"]) == 1)
        assert not held.done()
        user.control.clear_faults()

    assert held.result().status_code == 202


def test_a_slow_answer_can_come_without_the_work(user: User) -> None:
    user.control.fault("slow", path="mass_delete", seconds=0.01, effect=False)

    answer = user.submit("hot")

    assert (answer.status_code, answer.headers["Content-Type"]) == (504, "text/html;charset=UTF-8")
    assert user.control.counters()["jobs"] == []


def test_json_can_be_cut(user: User) -> None:
    user.control.fault("cut_json", path="/org")

    answer = user.get("/org")

    assert answer.status_code == 200
    with pytest.raises(ValueError, match="column"):
        answer.json()


def test_cut_json_can_come_without_the_work(user: User) -> None:
    user.control.fault("cut_json", path="mass_delete", effect=False)

    assert user.submit("hot").text == '{"data'
    assert user.control.counters()["jobs"] == []


def test_a_204_comes_with_a_json_type_and_no_body(user: User) -> None:
    user.control.fault("empty_204")

    answer = user.get("/org")

    assert (answer.status_code, answer.content, answer.headers["Content-Type"]) == (204, b"", "application/json;charset=UTF-8")


def test_a_redirect_leads_to_the_login_page(user: User) -> None:
    user.control.fault("redirect")
    user.control.fault("redirect", headers={"Location": "/elsewhere"})

    assert user.get("/org").headers["Location"] == "https://accounts.zoho.com/signin"
    assert user.get("/org").headers["Location"] == "/elsewhere"


def test_a_token_can_die_when_it_is_used(user: User) -> None:
    user.control.fault("evict_token", path="/org")

    assert (user.get("/org").status_code, user.get("/org").json()["code"]) == (401, "INVALID_TOKEN")

    user.log_in()
    assert user.get("/org").status_code == 200


def test_the_throttle_can_be_ordered(user: User) -> None:
    user.control.fault("token_throttle", path="oauth")

    assert user.token_response().json()["error"] == "Access Denied"
    assert "access_token" in user.token_response().json()


def test_a_fault_lets_requests_pass_and_is_used_up(user: User) -> None:
    user.control.fault("status", path="/org", after=1, times=2)

    assert [user.get("/org").status_code for _ in range(4)] == [200, 500, 500, 200]
    assert (user.control.faults()[0]["seen"], user.control.faults()[0]["used"]) == (4, 2)


def test_a_fault_can_last_until_it_is_cleared(user: User) -> None:
    user.control.fault("status", path="/org", times=None)
    assert [user.get("/org").status_code for _ in range(3)] == [500] * 3

    user.control.clear_faults()

    assert user.get("/org").status_code == 200
    assert user.control.faults() == []


def test_a_fault_is_for_its_path_and_method(user: User) -> None:
    user.control.fault("status", path="mass_delete$", method="GET")

    assert user.submit("hot").status_code == 202
    assert user.get("/org").status_code == 200
    assert user.get("/settings/tags/actions/mass_delete", job_id="1").status_code == 500


def test_faults_are_taken_in_their_order(user: User) -> None:
    user.control.fault("status", status=500)
    user.control.fault("status", status=503)

    assert [user.get("/org").status_code for _ in range(3)] == [500, 503, 200]


@pytest.mark.parametrize(
    ("order", "complaint"),
    [
        ({"kind": "explosion"}, "no fault 'explosion'"),
        ({"kind": "drop_after", "effect": False}, "says by its name"),
        ({"kind": "status", "path": "("}, "is no regular expression"),
        ({"kind": "status", "colour": "red"}, "unexpected keyword"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(user: User, order: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ControlError, match=complaint):
        user.control.fault(**order)


def test_every_request_can_take_its_time(user: User) -> None:
    user.control.latency(0.05)
    begin = time.monotonic()

    user.get("/org")

    assert time.monotonic() - begin >= 0.05
