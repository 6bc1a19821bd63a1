"""The emulator's recycle bin: what is in it, and what a restore does, at once and in the background."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from tests.emulator.user import User

BIN = "/settings/recycle_bin"
RESTORE = f"{BIN}/actions/restore"
LEADS = [f"22761640000060640{number:02}" for number in range(1, 11)]
UNKNOWN = "2276164999999999999"


def delete(user: User, record_ids: list[str]) -> None:
    assert user.post("/Leads/actions/mass_delete", {"ids": record_ids}).status_code == 200


def in_bin(user: User, **query: str) -> list[str]:
    answer = user.get(BIN, **query)
    return [record["id"] for record in answer.json()["recycle_bin"]] if answer.status_code == 200 else []


def codes(answer: Any) -> list[str]:
    return [element["code"] for element in answer.json()["recycle_bin"]]


def test_what_is_deleted_in_either_way_is_in_the_bin_the_last_one_first(user: User) -> None:
    user.control.freeze()
    delete(user, LEADS[:2])
    user.control.jobs(start_delay=10, duration=0)
    user.post("/Leads/actions/mass_delete", {"cvid": "2276164000000538003"})
    user.control.advance(20)
    assert in_bin(user) == [*LEADS[2:4], *LEADS[:2]]
    assert in_bin(user, ids=f"{LEADS[0]},{UNKNOWN}") == LEADS[:1]
    assert in_bin(user, per_page="3", page="2") == LEADS[1:2]
    (one,) = user.get(f"{BIN}/{LEADS[0]}").json()["recycle_bin"]
    assert one["module"] == {"api_name": "Leads", "id": "2276164000000000125"}


def test_an_empty_bin_is_a_204(user: User) -> None:
    assert user.get(BIN).status_code == 204
    assert user.get(f"{BIN}/{LEADS[0]}").status_code == 204


def test_a_restored_record_has_its_tags_again_but_those_that_are_gone(user: User) -> None:
    before = user.control.tagged("Leads")
    delete(user, LEADS[:2])
    user.control.remove_tags("Leads", [user.control.tags("Leads")["VIP"]])
    assert codes(user.post(RESTORE, {"ids": LEADS[:2]})) == ["SUCCESS", "SUCCESS"]
    assert user.control.tagged("Leads")["hot"] == before["hot"]
    assert in_bin(user) == []


def test_each_id_has_its_own_answer(user: User) -> None:
    delete(user, LEADS[:1])
    answer = user.post(RESTORE, {"ids": [LEADS[0], LEADS[1], UNKNOWN]})
    assert (answer.status_code, codes(answer)) == (207, ["SUCCESS", "INVALID_DATA", "INVALID_DATA"])
    assert user.post(RESTORE, {"ids": [UNKNOWN]}).status_code == 400


def test_more_than_1000_records_with_their_children_are_restored_later_and_no_job_is_named(user: User) -> None:
    leads = {"api_name": "Leads", "records": [{"id": record} for record in LEADS], "children": {LEADS[0]: 999}}
    org = {"zgid": "2276164", "refresh_tokens": [{"token": "1000.emulator-refresh-token"}], "modules": [leads]}
    user.control.seed({"orgs": [org], "jobs": {"start_delay": 5, "duration": 5}})
    user.control.freeze()
    user.log_in()
    delete(user, LEADS[:2])
    assert user.post(RESTORE, {"ids": LEADS[:1]}).status_code == 200
    delete(user, LEADS[:1])
    answer = user.post(RESTORE, {"ids": [*LEADS[:2], UNKNOWN]})
    assert (answer.status_code, codes(answer)) == (202, ["SCHEDULED", "SCHEDULED", "INVALID_DATA"])
    assert "job_id" not in answer.text
    assert sorted(in_bin(user)) == LEADS[:2]
    user.control.advance(11)
    assert in_bin(user) == []
    assert user.control.records("Leads") == LEADS


def test_after_60_days_or_when_somebody_empties_the_bin_a_record_is_gone(user: User) -> None:
    user.control.freeze()
    delete(user, LEADS[:2])
    user.control.empty_bin("Leads", LEADS[:1])
    assert in_bin(user) == LEADS[1:2]
    user.control.advance(60 * 24 * 3600)
    user.log_in()
    assert in_bin(user) == []
    assert codes(user.post(RESTORE, {"ids": LEADS[:2]})) == ["INVALID_DATA", "INVALID_DATA"]


def test_a_record_can_be_one_that_does_not_come_back(user: User) -> None:
    leads = {"api_name": "Leads", "records": LEADS, "refusing_restores": {LEADS[0]: "CANNOT_RESTORE_WITHOUT_PARENT"}}
    org = {"zgid": "2276164", "refresh_tokens": [{"token": "1000.emulator-refresh-token"}], "modules": [leads]}
    user.control.seed({"orgs": [org]})
    user.log_in()
    delete(user, LEADS[:1])
    assert codes(user.post(RESTORE, {"ids": LEADS[:1]})) == ["CANNOT_RESTORE_WITHOUT_PARENT"]
    assert in_bin(user) == LEADS[:1]


def test_nothing_is_ever_deleted_from_the_bin_through_the_api(user: User) -> None:
    delete(user, LEADS[:1])
    assert user.call("DELETE", BIN).json()["code"] == "INVALID_REQUEST_METHOD"
    assert in_bin(user) == LEADS[:1]


@pytest.mark.parametrize(
    ("scope", "reads", "restores"),
    [
        ("ZohoCRM.settings.recycle_bin.READ", 204, 401),
        ("ZohoCRM.settings.recycle_bin.UPDATE", 401, 400),
        ("ZohoCRM.settings.recycle_bin.ALL", 204, 400),
        ("ZohoCRM.settings.ALL", 204, 400),
        ("ZohoCRM.modules.ALL", 401, 401),
    ],
)
def test_the_scopes_are_those_of_the_bin(user: User, scope: str, reads: int, restores: int) -> None:
    org = {"zgid": "2276164", "refresh_tokens": [{"token": "1000.emulator-refresh-token", "scopes": [scope]}]}
    user.control.seed({"orgs": [org]})
    user.log_in()
    assert user.get(BIN).status_code == reads
    assert user.post(RESTORE, {"ids": [UNKNOWN]}).status_code == restores


def test_the_bin_and_a_restore_under_way_outlive_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with EmulatorServer("minimal", state_file=state) as server:
        user = User(server)
        user.log_in()
        delete(user, LEADS[:2])
        server.control.jobs(start_delay=3600)
        user.post(RESTORE, {"restore_all_records": True})
    with EmulatorServer("empty", state_file=state) as server:
        assert server.control.recycle_bin("Leads") == LEADS[:2]
        server.control.advance(4000)
        assert server.control.records("Leads") == LEADS
