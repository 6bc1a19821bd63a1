"""A server that answers polls and notes them: for each job when they came, were answered, and what was done by then; and how many
came at once with each token.

Its answers take a random time between two bounds, which the emulator's do not. Prints its port.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from collections import Counter, defaultdict

from aiohttp import web

TOTAL = 200
DBT_RUNNING = 3


class Stub:
    """What was asked.

    :param length: seconds that a job takes, counted from its first poll; it never ends, so that nobody stops asking.
    """

    def __init__(self, fastest: float, slowest: float, length: float) -> None:
        self._fastest, self._slowest, self._length = fastest, slowest, length
        self._now: Counter[str] = Counter()
        self._most: Counter[str] = Counter()
        self._asked: defaultdict[str, list[tuple[float, float, int]]] = defaultdict(list)

    async def token(self, request: web.Request) -> web.Response:
        """Grant an access token that names its refresh token."""
        name = (await request.post())["refresh_token"]
        return web.json_response({"access_token": f"access-{name}", "api_domain": "", "token_type": "Bearer", "expires_in": 3600})

    async def zoho(self, request: web.Request) -> web.Response:
        """Say that a job of Zoho's is running, and how far it is."""
        return web.json_response({"mass_delete": [await self._status(request)]})

    async def not_there(self, request: web.Request) -> web.Response:
        """Say the same as 404: the HTTP provider's trigger takes the first 200 for the end."""
        return web.json_response({"mass_delete": [await self._status(request)]}, status=404)

    async def dbt(self, request: web.Request) -> web.Response:
        """Say that a run of dbt Cloud's is running."""
        return web.json_response({"data": await self._status(request) | {"status": DBT_RUNNING}})

    async def _status(self, request: web.Request) -> dict[str, object]:
        token = request.headers.get("Authorization", "")
        asked, came = self._asked[request.query["job_id"]], time.time()
        self._now[token] += 1
        self._most[token] = max(self._most[token], self._now[token])
        try:
            await asyncio.sleep(random.uniform(self._fastest, self._slowest))  # noqa: S311 - not cryptography
        finally:
            self._now[token] -= 1
        done = min(TOTAL - 1, int(TOTAL * (came - (asked[0][0] if asked else came)) / self._length))
        asked.append((came, time.time(), done))
        return {"job_id": request.query["job_id"], "status": "RUNNING", "total_count": TOTAL, "deleted_count": done, "failed_count": 0}

    async def counts(self, _request: web.Request) -> web.Response:
        """Tell what was asked."""
        return web.json_response({"most_at_once": self._most, "asked": self._asked})


async def serve(options: argparse.Namespace) -> None:
    """Serve until the process is ended."""
    stub = Stub(options.fastest, options.slowest, options.length)
    app = web.Application()
    app.router.add_post("/oauth/v2/token", stub.token)
    app.router.add_get("/crm/v8/settings/tags/actions/mass_delete", stub.zoho)
    app.router.add_get("/poll", stub.not_there)
    app.router.add_get("/dbt", stub.dbt)
    app.router.add_get("/counts", stub.counts)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=2048).start()
    print(runner.addresses[0][1], flush=True)  # noqa: T201 - its answer
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("--fastest", "--slowest"):
        parser.add_argument(name, type=float, default=0.0)
    parser.add_argument("--length", type=float, default=3600.0)
    asyncio.run(serve(parser.parse_args()))
