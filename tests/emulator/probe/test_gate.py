"""The gate alone: between making something and deleting it, somebody renames it, or the server names what was there before."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from airflow_provider_zcrm.emulator.probe.calls import BudgetSpent, Calls
from airflow_provider_zcrm.emulator.probe.credentials import read_credentials
from airflow_provider_zcrm.emulator.probe.own import Own, Unclear, is_id
from tests.emulator.probe.visitor import Visitor, connection_to, state
from tests.emulator.user import LEADS, User

PREFIX = "zprobe-abcdefghij-"
HOT, COLD = "2276164000001021041", "2276164000001021042"


def with_own(visitor: Visitor, act: Callable[[Own], Awaitable[None]]) -> None:
    """Let an `Own` of Leads act, which has seen the tags of before."""

    async def acting() -> None:
        (visitor.folder / "connection.json").write_text(json.dumps(connection_to(visitor.server.url)))
        async with aiohttp.ClientSession() as session:
            own = Own(Calls(session, read_credentials(visitor.folder / "connection.json"), 100), PREFIX, "Leads", LEADS["id"])
            await own.calls.log_in()
            own.before = await own.list_tags()
            await act(own)

    asyncio.run(acting())


def renamed(visitor: Visitor, tag_id: str, name: str = "theirs") -> None:
    user = User(visitor.server)
    user.log_in()
    assert user.call("PUT", f"/settings/tags/{tag_id}", params={"module": "Leads"}, json={"tags": [{"name": name}]}).status_code == 200


@pytest.mark.parametrize("way", ["submit", "delete_tag", "merge", "merge into"])
def test_a_tag_that_was_renamed_does_not_pass(visitor: Visitor, way: str) -> None:
    async def act(own: Own) -> None:
        await own.make_tags([1, 2])
        one, two = own.tags
        renamed(visitor, one)
        ways = {
            "submit": lambda: own.submit([two, one]),
            "delete_tag": lambda: own.delete_tag(one),
            "merge": lambda: own.merge(one, two),
            "merge into": lambda: own.merge(two, one),
        }
        with pytest.raises(Unclear):
            await ways[way]()
        assert {one, two} <= set(visitor.control.tags("Leads").values())

    with_own(visitor, act)
    assert visitor.control.counters()["jobs"] == []


@pytest.mark.parametrize("name", [f"{PREFIX}01", f"{PREFIX}77"])
def test_a_tag_of_before_does_not_pass_though_it_bears_the_probes_name(visitor: Visitor, name: str) -> None:
    async def act(own: Own) -> None:
        renamed(visitor, HOT, name)
        own.tags = {HOT: name}
        assert await own.deletable_tags() == []
        for attempt in (own.submit([HOT]), own.delete_tag(HOT), own.merge(HOT, COLD)):
            with pytest.raises(Unclear):
                await attempt

    with_own(visitor, act)
    assert HOT in visitor.control.tags("Leads").values()


@pytest.mark.parametrize("ids", [[], [HOT], ["2276164000001021099"], [""], ["1/actions/merge"]])
def test_what_the_run_did_not_make_does_not_pass(visitor: Visitor, ids: list[str]) -> None:
    before = state(visitor.control)

    async def act(own: Own) -> None:
        with pytest.raises(Unclear):
            await own.submit(ids)
        for tag_id in ids:
            with pytest.raises(Unclear):
                await own.delete_tag(tag_id)
            with pytest.raises(Unclear):
                await own.restore_record(tag_id)
        with pytest.raises(Unclear):
            await own.delete_records(ids)

    with_own(visitor, act)
    assert state(visitor.control) == before


def test_a_tag_that_the_server_names_as_made_is_not_if_it_was_there(visitor: Visitor) -> None:
    element = {"code": "SUCCESS", "status": "success", "message": "tags created successfully", "details": {"id": HOT}}

    async def act(own: Own) -> None:
        visitor.control.fault("status", "settings/tags$", method="POST", status=201, body={"tags": [element]})
        await own.make_tags([1])
        assert own.tags == {}

    with_own(visitor, act)


def test_a_tag_with_the_probes_name_that_another_run_made_does_not_pass_in_this_one(visitor: Visitor) -> None:
    async def act(own: Own) -> None:
        (other,) = visitor.control.add_tags("Leads", [f"{PREFIX}01"])
        with pytest.raises(Unclear):
            await own.submit([other])

    with_own(visitor, act)


def test_a_budget_that_is_spent_lets_no_call_out(visitor: Visitor) -> None:
    async def act(own: Own) -> None:
        own.calls.allow(1)
        await own.list_tags()
        visitor.control.reset_counters()
        with pytest.raises(BudgetSpent):
            await own.list_tags()

    with_own(visitor, act)
    assert visitor.control.requests() == []


def test_no_more_is_made_than_the_probe_says(visitor: Visitor) -> None:
    async def act(own: Own) -> None:
        await own.make_tags(list(range(1, 16)))
        with pytest.raises(Unclear):
            await own.make_tags([16])
        await own.make_records(50)
        with pytest.raises(Unclear):
            await own.make_records(1)

    with_own(visitor, act)


@pytest.mark.parametrize("how", ["not made by the run", "another name"])
def test_a_record_that_is_not_its_own_does_not_pass(visitor: Visitor, how: str) -> None:
    async def act(own: Own) -> None:
        await own.make_records(2)
        one, two = own.records
        theirs = visitor.control.records("Leads")[0]
        if how == "another name":
            own.records[theirs] = f"{PREFIX}03"
        for ids, gone in (([theirs], None), ([one, theirs], None), ([one], [theirs]), ([one], ["2276164000006064099"])):
            with pytest.raises(Unclear):
                await own.delete_records(ids, gone=gone)
        if how != "another name":
            with pytest.raises(Unclear):
                await own.add_tags([theirs], [{"name": f"{PREFIX}01"}])
        with pytest.raises(Unclear):
            await own.add_tags([one], [{"id": HOT}])
        with pytest.raises(Unclear):
            await own.add_tags([one], [{"name": "hot"}])
        assert {one, two, theirs} <= set(visitor.control.records("Leads"))

    with_own(visitor, act)


@pytest.mark.parametrize(
    ("text", "is_one"), [(HOT, True), ("", False), ("٤", False), ("1" * 20, False), ("1/2", False), ("-1", False), ("1 ", False)]
)
def test_an_id_is_digits(text: str, is_one: bool) -> None:
    assert is_id(text) is is_one
