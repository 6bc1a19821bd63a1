"""The control endpoint, the counters, the log."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import pytest
import requests
from aiohttp.test_utils import make_mocked_request

from airflow_provider_zcrm.emulator import gateway
from airflow_provider_zcrm.emulator.control import ControlError
from airflow_provider_zcrm.emulator.control_api import ControlApi
from airflow_provider_zcrm.emulator.emulator import Emulator
from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from airflow_provider_zcrm.emulator.minimal_seed import REFRESH_TOKEN
from airflow_provider_zcrm.emulator.readings import READINGS
from airflow_provider_zcrm.emulator.seeds import load_seed
from tests.emulator.user import MASS_DELETE, User, wait_until

ZGID = "808232144"


def test_calls_are_counted_by_their_path_and_status(user: User) -> None:
    user.submit("hot")
    user.get(MASS_DELETE, job_id="1")
    user.call("DELETE", "/settings/tags/1")
    user.get("/Leads/nothing")

    assert user.control.counters()["calls"] == {
        "POST /oauth/v2/token": {"200": 1},
        "POST /crm/{version}/settings/tags/actions/mass_delete": {"202": 1},
        "GET /crm/{version}/settings/tags/actions/mass_delete": {"400": 1},
        "DELETE /crm/{version}/settings/tags/{id}": {"400": 1},
        "GET (no such path)": {"404": 1},
    }


def test_accepted_jobs_are_listed(user: User) -> None:
    job_id = user.submit("hot", "VIP").json()["details"]["job_id"]

    (job,) = user.control.counters()["jobs"]

    assert job.pop("at") > 1_700_000_000
    assert job == {
        "job_id": job_id,
        "kind": "tags",
        "zgid": ZGID,
        "module": "Leads",
        "items": ["2276164000001021041", "2276164000001021043"],
    }


def test_the_log_has_what_the_server_saw_and_no_secrets(user: User) -> None:
    requests.post(f"{user.server.url}/oauth/v2/token", params={"client_secret": "s3cret", "grant_type": "refresh_token"}, timeout=10)
    requests.post(f"{user.server.url}/oauth/v2/revoke/token", data={"token": REFRESH_TOKEN}, timeout=10)
    user.get("/settings/tags", module="Leads")
    user.submit("hot")
    user.call("POST", MASS_DELETE, data=b"\xff")

    log = user.control.requests()

    text = json.dumps(log)
    assert user.headers["Authorization"].split()[1] not in text
    assert REFRESH_TOKEN not in text
    assert "ecret" not in text
    first, second, wrong_path, listing, submission, garbled = log
    assert (first["path"], first["body"]) == ("/oauth/v2/token", {"grant_type": "refresh_token"})
    assert (second["query"], second["body"]) == ({}, {"grant_type": "refresh_token"})
    assert (wrong_path["status"], wrong_path["body"]) == (404, {"grant_type": None})
    assert (listing["method"], listing["path"], listing["query"]) == ("GET", "/crm/v8/settings/tags", {"module": "Leads"})
    assert (listing["status"], listing["body"], listing["zgid"], listing["fault"]) == (200, None, ZGID, None)
    assert submission["body"]["mass_delete"][0]["tags"] == [{"id": "2276164000001021041"}]
    assert garbled["body"] == "\ufffd"


def test_the_log_tells_connections_apart(user: User) -> None:
    with requests.Session() as session:
        for _ in range(2):
            session.get(f"{user.server.url}/crm/v8/org", headers=user.headers, timeout=10)
    user.get("/org")

    first, second, third = (entry["peer_port"] for entry in user.control.requests("/org"))

    assert first == second
    assert third != first


def test_counters_can_be_reset(user: User) -> None:
    user.get("/org")

    user.control.reset_counters()

    assert user.control.counters()["calls"] == {}
    assert user.control.requests() == []


def test_readings_are_told_and_changed(user: User) -> None:
    assert user.control.readings() == {name: reading.choices[0] for name, reading in READINGS.items()}

    assert user.control.readings(counts="absent", missing_job_id_status=401)["missing_job_id_status"] == "401"

    about = requests.get(f"{user.server.url}/_control/readings/about", timeout=10).json()
    assert about["counts"]["choices"] == ["present", "at_end", "absent"]


@pytest.mark.parametrize("changes", [{"nonsense": "on"}, {"counts": "perhaps"}])
def test_a_reading_that_does_not_exist_is_refused(user: User, changes: dict[str, Any]) -> None:
    answer = requests.patch(f"{user.server.url}/_control/readings", json=changes, timeout=10)

    assert answer.status_code == 400
    assert "ValueError" in answer.json()["error"]


def test_time_goes_forward_only(user: User) -> None:
    with pytest.raises(ControlError, match="time goes forward"):
        user.control.advance(-1)


def test_a_frozen_clock_moves_when_it_is_told_to_and_runs_on_from_there(user: User) -> None:
    def now() -> float:
        answer = requests.post(f"{user.server.url}/_control/clock", json={}, timeout=10)
        moment: float = answer.json()["now"]
        return moment

    begin = now()
    user.control.freeze()
    assert now() == begin
    user.control.advance(100)
    assert now() == begin + 100

    requests.post(f"{user.server.url}/_control/clock", json={"frozen": False}, timeout=10)
    requests.post(f"{user.server.url}/_control/clock", json={"frozen": False}, timeout=10)

    wait_until(lambda: now() > begin + 100)
    assert now() < begin + 200


def test_an_order_that_does_not_exist_names_those_that_do(user: User) -> None:
    answer = requests.put(f"{user.server.url}/_control/nonsense", timeout=10)

    assert answer.status_code == 404
    assert "POST /_control/faults" in answer.json()["error"]


def test_the_overview_tells_plans_and_readings(user: User) -> None:
    user.control.next_jobs(duration=7)
    user.control.latency(0)

    overview = user.control.overview()

    assert overview["orgs"] == [ZGID]
    assert overview["jobs"]["duration"] == 100
    assert [plan["duration"] for plan in overview["planned_jobs"]] == [7]
    assert overview["readings"] == user.control.readings()


def test_a_new_seed_forgets_everything(user: User) -> None:
    user.control.advance(1000)
    user.control.fault("status", times=None)
    user.control.readings(counts="absent")
    user.submit("hot")

    user.control.seed("empty")

    overview = user.control.overview()
    assert (overview["clock_offset"], overview["readings"]["counts"]) == (0, "present")
    assert (user.control.faults(), user.control.counters()["calls"]) == ([], {})
    assert user.control.org()["modules"] == []


def test_a_bad_seed_changes_nothing(user: User) -> None:
    with pytest.raises(ControlError, match="no seed 'nonsense'"):
        user.control.seed("nonsense")

    assert user.get("/org").status_code == 200


def test_an_orgs_dump_has_its_jobs_and_their_states(user: User) -> None:
    user.submit("hot")
    user.control.advance(1000)

    (org,) = user.control.orgs()

    assert org["jobs"][0]["state"] == "COMPLETED"
    assert org["modules"][0]["records"] == 10
    assert [tag["name"] for tag in org["modules"][0]["tags"]] == ["cold", "VIP", "webinar-2024-03", "do-not-call"]


def test_tags_can_be_added_and_removed_past_the_api(user: User) -> None:
    ids = user.control.add_tags("Leads", ["new", {"name": "newer", "color_code": None}], zgid=ZGID)
    assert user.tag_names()[-2:] == ["new", "newer"]

    user.control.remove_tags("Leads", [*ids, "1"])

    assert "new" not in user.tag_names()
    assert user.control.counters()["credits_used"] == {ZGID: 2}


def test_an_unknown_module_or_org_is_refused(user: User) -> None:
    with pytest.raises(ControlError, match="no module 'Nonsense'"):
        user.control.add_tags("Nonsense", ["x"])
    with pytest.raises(ControlError, match="KeyError"):
        user.control.org("1")


@pytest.mark.parametrize("plan", [{"outcome": "exploded"}, {"duration": -1}, {"colour": "red"}, {"duration": "long"}])
def test_a_plan_that_makes_no_sense_is_refused(user: User, plan: dict[str, Any]) -> None:
    with pytest.raises(ControlError):
        user.control.next_jobs(**plan)
    with pytest.raises(ControlError):
        user.control.jobs(**plan)

    assert user.submit("hot").status_code == 202


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"colour": "red"}, "an org's settings are"),
        ({"edition": "Platinum"}, "edition is 'Platinum'; it is one of Free"),
        ({"data_center": "mars"}, "data_center is 'mars'; it is one of us"),
    ],
)
def test_an_org_has_no_other_settings(user: User, settings: dict[str, str], said: str) -> None:
    with pytest.raises(ControlError, match=said):
        user.control.change_org(**settings)


def test_the_settings_of_an_org_are_checked_in_a_seed_too(user: User) -> None:
    with pytest.raises(ControlError, match="data_center is 'mars'"):
        user.control.seed({"orgs": [{"zgid": "1", "data_center": "mars"}]})


def test_an_org_may_move_to_another_time_zone(user: User) -> None:
    user.control.change_org(utc_offset="-05:00")

    assert user.get("/org").json()["org"][0]["created_time"].endswith("-05:00")


def test_all_access_tokens_can_be_evicted(user: User) -> None:
    user.control.evict_access_tokens()

    assert user.get("/org").json()["code"] == "INVALID_TOKEN"


def test_the_control_endpoint_answers_loopback_only() -> None:
    class Elsewhere:
        def get_extra_info(self, name: str) -> Any:
            return ("192.0.2.7", 5) if name == "peername" else None

    request = make_mocked_request("GET", "/_control", transport=Elsewhere())
    answer = asyncio.run(ControlApi(Emulator(load_seed("empty"))).handle(request))

    assert answer.status == 403


def test_a_server_that_cannot_have_its_port_says_so() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="address already in use"), EmulatorServer(port=taken.getsockname()[1]):
            pass  # pragma: no cover - it is not entered


def test_a_mistake_of_the_emulator_is_a_500(user: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(gateway, "settle", lambda *_: 1 / 0)

    answer = user.get("/org")

    assert (answer.status_code, answer.json()["code"], answer.json()["message"]) == (500, "INTERNAL_ERROR", "Internal Server Error")
    assert "ZeroDivisionError" in caplog.text


def test_records_are_added_tagged_and_told_by_their_tags(user: User) -> None:
    (record, *_) = records = user.control.add_records("Contacts", {"number": 5, "tags_each": 2})
    assert [sorted(record for record in found if record in records) for found in user.control.tagged("Contacts").values()] == [
        [records[0], records[2]],
        [records[0], records[3]],
        [records[1], records[3]],
        [records[1], records[4]],
        [records[2], records[4]],
    ]

    user.control.tag_records("Contacts", [record], add=["VIP", "test"], remove=["partner"])

    carried = [name for name, found in user.control.tagged("Contacts").items() if record in found]
    assert carried == ["newsletter", "VIP", "test"]


def test_adding_a_record_that_is_there_leaves_its_tags(user: User) -> None:
    before = user.control.tagged("Leads")

    assert len(user.control.add_records("Leads", ["2276164000006064001", "2276164000009999001"])) == 1

    assert user.control.tagged("Leads") == before


@pytest.mark.parametrize("records", [{"number": 1, "tags_each": 6}, [{"tags": ["nonsense"]}], [{"id": "1"}, {"id": "1"}]])
def test_records_that_cannot_be_are_refused(user: User, records: Any) -> None:
    with pytest.raises(ControlError):
        user.control.add_records("Contacts", records)


def test_a_bulk_read_that_cannot_be_is_refused(user: User) -> None:
    with pytest.raises(ControlError, match="outcome"):
        user.control.bulk_reads(outcome="perhaps")
    with pytest.raises(ControlError, match="0 or more"):
        user.control.next_bulk_reads(missing=-1)
