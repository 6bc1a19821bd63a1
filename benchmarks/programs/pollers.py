"""Waits for many jobs at once in one event loop, as a triggerer does, in one of several ways; tells what that cost.

On stdin come orders, one JSON object a line: which way, the server's URL, how many jobs. Each is carried out in a fork. The answer is
one line of JSON: seconds of CPU with the moments between which they were used, and bytes of memory for each job.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

# what a triggerer has imported anyway
import airflow.sdk.execution_time.supervisor
import airflow.triggers.base  # noqa: F401
import greenback
import requests
from requests.adapters import HTTPAdapter

STATUS = "/crm/v8/settings/tags/actions/mass_delete"
HEADERS = {"Authorization": "Zoho-oauthtoken hand-made"}
THREADS = 8
# seconds: between polls, until all jobs have been asked for, and of each measurement
INTERVAL, SETTLED, SECONDS = 1.0, 2.0, 1.5

Order = dict[str, Any]
Wait = Callable[[int], Awaitable[Any]]
Way = Callable[[Order], AbstractAsyncContextManager[Wait]]


def hand_made(poll: Callable[[str], Awaitable[Any]]) -> Wait:
    """Return how to wait for one job with a loop that is written in a minute."""

    async def wait(number: int) -> None:
        while True:
            await asyncio.sleep(INTERVAL)
            await poll(str(number))

    return wait


@asynccontextmanager
async def aiohttp_one_session(order: Order) -> AsyncIterator[Wait]:
    """Use one session, as one would by hand: the floor."""
    async with aiohttp.ClientSession() as session:

        async def poll(job_id: str) -> Any:
            async with session.get(order["url"] + STATUS, params={"job_id": job_id}, headers=HEADERS) as answer:
                return (await answer.json())["mass_delete"][0]["status"]

        yield hand_made(poll)


@asynccontextmanager
async def aiohttp_session_per_poll(order: Order) -> AsyncIterator[Wait]:
    """Make a session for each poll, as many providers do."""

    async def poll(job_id: str) -> Any:
        async with (
            aiohttp.ClientSession() as session,
            session.get(order["url"] + STATUS, params={"job_id": job_id}, headers=HEADERS) as answer,
        ):
            return (await answer.json())["mass_delete"][0]["status"]

    yield hand_made(poll)


@asynccontextmanager
async def requests_in_threads(order: Order) -> AsyncIterator[Wait]:
    """Use one requests session in a few threads."""
    session = requests.Session()
    session.mount("http://", HTTPAdapter(pool_maxsize=THREADS))
    threads = ThreadPoolExecutor(THREADS)

    def ask(job_id: str) -> Any:
        answer = session.get(order["url"] + STATUS, params={"job_id": job_id}, headers=HEADERS, timeout=30)
        return answer.json()["mass_delete"][0]["status"]

    async def poll(job_id: str) -> Any:
        return await asyncio.get_running_loop().run_in_executor(threads, ask, job_id)

    yield hand_made(poll)
    threads.shutdown(cancel_futures=True)


def first_event(make: Callable[[int], Any]) -> Wait:
    """Return how to wait for one job with a trigger."""

    async def wait(number: int) -> None:
        await anext(make(number).run())

    return wait


@asynccontextmanager
async def ours(_order: Order) -> AsyncIterator[Wait]:
    """Wait with this provider's trigger."""
    from airflow_provider_zcrm.triggers.mass_delete_job import MassDeleteJobTrigger

    yield first_event(
        lambda number: MassDeleteJobTrigger(
            zoho_crm_conn_id="zoho_crm_default",
            jobs=[{"kind": "tags", "id": str(number), "module": "Leads"}],
            started_at=time.time(),
            deadline=time.time() + 3600,
            poke_interval=INTERVAL,
        )
    )


@asynccontextmanager
async def http_provider(_order: Order) -> AsyncIterator[Wait]:
    """Wait with the HTTP provider's trigger, which polls again after a 404."""
    from airflow.providers.http.triggers.http import HttpSensorTrigger

    yield first_event(lambda number: HttpSensorTrigger(endpoint=f"poll?job_id={number}", poke_interval=INTERVAL, headers=HEADERS))


@asynccontextmanager
async def dbt_cloud(order: Order) -> AsyncIterator[Wait]:
    """Wait with dbt Cloud's trigger, led to the server, which it would only speak to over TLS."""
    from airflow.providers.dbt.cloud.hooks.dbt import DbtCloudHook
    from airflow.providers.dbt.cloud.triggers.dbt import DbtCloudRunJobTrigger

    def without_tls(_tenant: str, endpoint: str, *_: Any, **__: Any) -> tuple[str, dict[str, Any]]:
        return f"{order['url']}/dbt?job_id={endpoint.rstrip('/').rpartition('/')[2]}", {}

    DbtCloudHook.get_request_url_params = staticmethod(without_tls)
    yield first_event(
        lambda number: DbtCloudRunJobTrigger(
            conn_id="dbt_cloud_default", run_id=number, end_time=time.time() + 3600, poll_interval=INTERVAL, account_id=1
        )
    )


WAYS: tuple[Way, ...] = (
    aiohttp_one_session,
    aiohttp_session_per_poll,
    requests_in_threads,
    ours,
    http_provider,
    dbt_cloud,
)


def _memory() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def _run(order: Order) -> dict[str, float]:
    way = next(way for way in WAYS if way.__name__ == order["way"])
    async with way(order) as wait:

        async def one(number: int) -> None:
            # what Airflow's triggerer gives to each task; and they do not ask all at the same moment
            await greenback.ensure_portal()
            await asyncio.sleep(INTERVAL * (number * 0.618 % 1))
            await wait(number)

        jobs, first = order["jobs"], order["jobs"] // 5
        tasks = [asyncio.create_task(one(number)) for number in range(first)]
        await asyncio.sleep(SETTLED)
        # libraries are imported and clients made: what comes now is what one more job costs
        before = _memory()
        tasks += [asyncio.create_task(one(number)) for number in range(first, jobs)]
        await asyncio.sleep(SETTLED)
        since, cpu = time.time(), time.process_time()
        await asyncio.sleep(SECONDS)
        until, cpu_until, memory = time.time(), time.process_time(), _memory()
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    ended = [repr(end) for end in ends if not isinstance(end, asyncio.CancelledError)]
    if ended:
        raise RuntimeError(f"{len(ended)} waits have ended, such as {ended[0]}")
    return {"cpu": cpu_until - cpu, "since": since, "until": until, "memory": (memory - before) / (jobs - first)}


def main() -> None:
    """Carry out orders until stdin ends."""
    answers = os.fdopen(os.dup(1), "w")
    # what triggers log all the same
    os.dup2(2, 1)
    # some providers log each poll; what that costs depends on the triggerer
    logging.disable(logging.WARNING)
    for line in sys.stdin:
        if os.fork() == 0:
            try:
                answer: dict[str, Any] = asyncio.run(_run(json.loads(line)))
            except BaseException as error:  # noqa: BLE001 - a fork must not go on
                answer = {"error": repr(error)}
            answers.write(json.dumps(answer) + "\n")
            answers.flush()
            os._exit(0)
        os.wait()


if __name__ == "__main__":
    main()
