"""The clients that triggers share: how many there are, when they are made anew and closed, and that loops and processes keep apart."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_zcrm.api.errors import CredentialsRejected
from airflow_provider_zcrm.api.mass_delete import submit_tags
from airflow_provider_zcrm.api.modules import list_modules
from airflow_provider_zcrm.client.tokens import forget_tokens
from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from airflow_provider_zcrm.emulator.minimal_seed import minimal_seed
from airflow_provider_zcrm.hooks import triggerer
from airflow_provider_zcrm.hooks.triggerer import ClientShare
from airflow_provider_zcrm.hooks.zcrm import ZohoCrmHook
from airflow_provider_zcrm.triggers import polling
from airflow_provider_zcrm.triggers.mass_delete_job import MassDeleteJobTrigger
from tests.airflow_task import fire
from tests.conftest import connection_json

CONNECTION = "AIRFLOW_CONN_ZOHO_CRM_DEFAULT"
MASS_DELETE = "settings/tags/actions/mass_delete"
LEADS_ID = "2276164000000000125"
HOT = "2276164000001021041"


@pytest.fixture(autouse=True)
def nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(polling, "_FIRST_EVENT_SECONDS", 0.0)
    yield
    assert not triggerer._clients


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each reading of a connection, which goes on as it would."""
    seen: list[str] = []
    real = ZohoCrmHook.get_connection

    def counted(conn_id: str) -> Any:
        seen.append(conn_id)
        return real(conn_id)

    monkeypatch.setattr(ZohoCrmHook, "get_connection", staticmethod(counted))
    return seen


def trigger(job_id: str, now: float, **arguments: Any) -> MassDeleteJobTrigger:
    defaults: dict[str, Any] = {"poke_interval": 1.0, "started_at": now, "deadline": now + 60}
    job = {"kind": "tags", "id": job_id, "module": "Leads"}
    return MassDeleteJobTrigger(zoho_crm_conn_id="zoho_crm_default", jobs=[job], **(defaults | arguments))


async def modules(share: ClientShare) -> int:
    return len(await (await share.client()).send(list_modules()))


def test_many_triggers_read_the_connection_once_and_share_token_pool_and_limit(emulator: Control, reads: list[str]) -> None:
    async def one() -> int:
        async with ClientShare("zoho_crm_default") as share:
            counts = [await modules(share) for _ in range(5)]
        return sum(counts)

    async def together() -> None:
        await asyncio.gather(*(one() for _ in range(40)))

    emulator.latency(0.02)
    emulator.change_org(concurrency=5)
    forget_tokens()
    asyncio.run(together())
    calls = emulator.requests("settings/modules")
    assert len(calls) == 200
    # the org allows 5 calls at once, and so many does a client make: nothing was refused
    assert {call["status"] for call in calls} == {200}
    assert len({call["peer_port"] for call in calls}) == 5
    assert len(emulator.requests("/oauth/v2/token")) == 1
    assert reads == ["zoho_crm_default"]


def test_the_client_is_closed_when_the_last_trigger_leaves(emulator: Control) -> None:
    async def run() -> None:
        async with ClientShare("zoho_crm_default") as last:
            async with ClientShare("zoho_crm_default") as first:
                client = await first.client()
                assert await last.client() is client
            assert client._session is not None
            assert not client._session.closed
        assert client._session.closed
        assert not triggerer._clients

    asyncio.run(run())


def test_a_trigger_that_is_cancelled_while_the_client_is_being_made_leaves_nothing_behind(emulator: Control) -> None:
    async def run() -> None:
        clients = []
        for pause in (0.001, 0.003, 0.01, 0.03, 0.1):
            async with ClientShare("zoho_crm_default") as share:
                task = asyncio.create_task(share.client())
                await asyncio.sleep(pause)
                clients += [share._held.client] if share._held else []
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0.3)
        assert clients
        assert all(client._session is None or client._session.closed for client in clients)

    asyncio.run(run())


def test_an_edited_connection_gets_a_new_client_at_the_next_poll(emulator: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triggerer, "_READ_AGAIN", 1.0)

    async def run() -> None:
        async with ClientShare("zoho_crm_default") as waiting, ClientShare("zoho_crm_default") as other:
            old = await waiting.client()
            assert await other.client() is old
            edited = json.loads(os.environ[CONNECTION])
            edited["extra"]["request_timeout"] = 17
            monkeypatch.setenv(CONNECTION, json.dumps(edited))
            assert await waiting.client() is old
            await asyncio.sleep(1.1)
            new = await waiting.client()
            assert new.config.request_timeout == 17
            # the other one has not polled yet, so the old client must live
            assert old._session is not None
            assert not old._session.closed
            assert await other.client() is new
            assert old._session.closed
            assert await modules(waiting) == 2

    asyncio.run(run())


def test_a_trigger_that_comes_after_the_edit_does_not_wait_for_it(emulator: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triggerer, "_FRESH", 0.0)

    async def run() -> None:
        async with ClientShare("zoho_crm_default") as waiting, ClientShare("zoho_crm_default") as coming:
            old = await waiting.client()
            edited = json.loads(os.environ[CONNECTION])
            edited["extra"]["request_timeout"] = 17
            monkeypatch.setenv(CONNECTION, json.dumps(edited))
            new = await coming.client()
            assert new is not old
            assert await waiting.client() is new

    asyncio.run(run())


def test_new_credentials_save_a_wait_whose_old_ones_were_revoked(
    emulator: Control, emulator_server: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triggerer, "_JUST_READ", 0.0)
    seed = minimal_seed()
    seed["orgs"][0]["refresh_tokens"] = [{"token": "1000.emulator-refresh-token"}, {"token": "1000.the-new-one"}]
    emulator.seed(seed)
    emulator.jobs(start_delay=2.5, duration=0.1)
    job_id = ZohoCrmHook().get_conn().send(submit_tags("Leads", LEADS_ID, [HOT]))

    async def run() -> Any:
        waiting = asyncio.create_task(fire(trigger(job_id, time.time())))
        await asyncio.sleep(1.5)
        monkeypatch.setenv(CONNECTION, connection_json(emulator_server.url, refresh_token="1000.the-new-one"))
        emulator.evict_access_tokens()
        emulator.fault("status", "/oauth/v2/token", times=1, status=200, body={"error": "invalid_code"})
        return await waiting

    assert asyncio.run(run()).payload["status"] == "ended"


def test_an_error_that_no_edit_has_mended_ends_the_wait(emulator: Control) -> None:
    async def run() -> None:
        async with ClientShare("zoho_crm_default") as share:
            await share.client()
            emulator.fault("status", "/oauth/v2/token", times=None, status=200, body={"error": "invalid_code"})
            with pytest.raises(CredentialsRejected):
                await modules(share)
            assert not await share.edited()

    forget_tokens()
    asyncio.run(run())


def test_a_connection_that_vanishes_for_a_while_does_not_end_a_wait(emulator: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triggerer, "_READ_AGAIN", 0.0)

    async def run() -> None:
        async with ClientShare("zoho_crm_default") as share:
            client = await share.client()
            monkeypatch.delenv(CONNECTION)
            assert await share.client() is client
            assert not await share.edited()
            assert await modules(share) == 2

    asyncio.run(run())


def test_loops_in_two_threads_have_clients_of_their_own(emulator: Control) -> None:
    met: list[Any] = []
    meet = threading.Barrier(2, timeout=10)

    async def run() -> None:
        async with ClientShare("zoho_crm_default") as share:
            met.append(await share.client())
            await asyncio.to_thread(meet.wait)
            for _ in range(20):
                assert await modules(share) == 2
            await asyncio.to_thread(meet.wait)

    threads = [threading.Thread(target=lambda: asyncio.run(run())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len({id(client) for client in met}) == 2
    assert len(emulator.requests("settings/modules")) == 40


def test_a_loop_that_is_gone_leaves_nothing_to_the_next_one(emulator: Control) -> None:
    async def run() -> None:
        async with ClientShare("zoho_crm_default") as share:
            assert await modules(share) == 2

    for _ in range(3):
        asyncio.run(run())
    assert len({call["peer_port"] for call in emulator.requests("settings/modules")}) == 3


def test_a_forked_process_makes_a_client_of_its_own_and_leaves_its_parents_alone(emulator: Control) -> None:
    async def child() -> int:
        async with ClientShare("zoho_crm_default") as share:
            return await modules(share)

    async def parent() -> None:
        async with ClientShare("zoho_crm_default") as share:
            assert await modules(share) == 2
            pid = await asyncio.to_thread(fork, child)
            assert os.waitstatus_to_exitcode((await asyncio.to_thread(os.waitpid, pid, 0))[1]) == 2
            assert await modules(share) == 2

    asyncio.run(parent())
    ports = [call["peer_port"] for call in emulator.requests("settings/modules")]
    assert ports[0] == ports[2] != ports[1]


def fork(work: Any) -> int:
    """Start a process in which `work` runs in a loop of its own, and whose exit code is what it returns."""
    pid = os.fork()
    if pid:
        return pid
    result = 99
    try:
        result = asyncio.run(asyncio.wait_for(work(), 10))
    finally:
        os._exit(result)
