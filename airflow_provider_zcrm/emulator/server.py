"""The HTTP server: reads requests, lets faults happen, writes answers, counts.

What is answered comes from `gateway`; what is ordered under ``/_control`` from `control_api`. Everything runs in one event loop.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

from aiohttp import web

from airflow_provider_zcrm.emulator import access, gateway, oauth
from airflow_provider_zcrm.emulator.answers import Answer, envelope, html_page
from airflow_provider_zcrm.emulator.call import Incoming
from airflow_provider_zcrm.emulator.control_api import ControlApi
from airflow_provider_zcrm.emulator.emulator import Emulator
from airflow_provider_zcrm.emulator.faults import Fault
from airflow_provider_zcrm.emulator.model import AccessToken
from airflow_provider_zcrm.emulator.world import World

MAX_BODY = 16 * 1024 * 1024
FORM_TYPE = "application/x-www-form-urlencoded"
TOO_MANY_REQUESTS = 429
SHUTDOWN_TIMEOUT = 0.1
LOGIN_PAGE = "https://accounts.zoho.com/signin"


class Server:
    """An emulator behind a socket."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port."""
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/_control{path:(/.*)?}", ControlApi(self._emulator).handle)
        app.router.add_route("*", r"/{path:(?s:.*)}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening, and keep the state."""
        self._emulator.world.faults.clear()
        if self._runner is not None:
            await self._runner.cleanup()
        self._emulator.save()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        world = self._emulator.world
        incoming = await _read(request)
        fault = world.faults.take(incoming.method, incoming.path)
        token = access.token_of(world, incoming)
        if token is not None and fault is not None and fault.kind == "evict_token":
            del world.state.access_tokens[token.token]
            token = None
        with world.answering(token) as at_once:
            await asyncio.sleep(world.latency)
            answer = _answer(world, incoming, token, at_once, fault)
            world.counters.call(gateway.operation_name(incoming), _log_entry(world, request, incoming, answer, token, fault))
            if incoming.method != "GET":
                self._emulator.save()
            if fault is not None and fault.seconds:
                await world.faults.hold(fault.seconds)
        if answer is None:
            return _hang_up(request)
        return _write(answer, cut=fault is not None and fault.kind == "cut_json")


async def _read(request: web.Request) -> Incoming:
    body = await request.read()
    form = dict(await request.post()) if request.content_type == FORM_TYPE else {}
    fields = {name: str(value) for name, value in form.items()}
    return Incoming.build(request.method, request.path, dict(request.query), request.headers, body, fields)


def _answer(world: World, incoming: Incoming, token: AccessToken | None, at_once: int, fault: Fault | None) -> Answer | None:
    """Do the work unless a fault forbids it; return what the client is to see, None for nothing at all."""
    if fault is None:
        return gateway.answer(world, incoming, token, at_once)
    answer = gateway.answer(world, incoming, token, at_once) if fault.does_the_work else None
    if fault.kind in ("drop_before", "drop_after"):
        return None
    if fault.kind == "slow":
        return answer or html_page(504, "Gateway timeout")
    if fault.kind in ("evict_token", "cut_json"):
        return answer or Answer(fault.http_status, {"data": []})
    return _faulty_answer(world, fault)


def _faulty_answer(world: World, fault: Fault) -> Answer:
    if fault.kind == "token_throttle":
        return oauth.throttled(world)
    if fault.kind == "html":
        page = html_page(fault.http_status, "Bad gateway")
        return Answer(page.status, fault.body or page.body, page.content_type, fault.headers)
    if fault.kind == "redirect":
        return Answer(fault.http_status, fault.body, headers={"Location": LOGIN_PAGE, **fault.headers})
    body = envelope("INTERNAL_ERROR", "Internal Server Error") if fault.kind == "status" and fault.body is None else fault.body
    if fault.http_status == TOO_MANY_REQUESTS and fault.body is None:
        usual = access.too_many_requests(world)
        return replace(usual, headers={**usual.headers, **fault.headers})
    return Answer(fault.http_status, body, headers=fault.headers)


def _log_entry(
    world: World, request: web.Request, incoming: Incoming, answer: Answer | None, token: AccessToken | None, fault: Fault | None
) -> dict[str, Any]:
    """Describe a request without its secrets: no header, and of a request to Zoho Accounts only the grant type."""
    accounts = incoming.path.startswith("/oauth")
    peer = request.transport.get_extra_info("peername") if request.transport else None
    return {
        "at": world.now(),
        "method": incoming.method,
        "path": incoming.path,
        "query": {} if accounts else dict(incoming.query),
        "body": {"grant_type": {**incoming.query, **incoming.form}.get("grant_type")} if accounts else _json_or_text(incoming.body),
        "status": 0 if answer is None else answer.status,
        "zgid": token.zgid if token else None,
        "fault": fault.kind if fault else None,
        "peer_port": peer[1] if peer else None,
    }


def _json_or_text(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


def _write(answer: Answer, *, cut: bool) -> web.Response:
    data = _bytes(answer.body)
    if cut:
        data = data[: len(data) // 2]
    headers = {"Server": "ZGS", "Content-Type": answer.content_type, **answer.headers}
    return web.Response(status=answer.status, body=data, headers=headers)


def _bytes(body: Any) -> bytes:
    if isinstance(body, bytes):
        return body
    return (body if isinstance(body, str) else "" if body is None else json.dumps(body, ensure_ascii=False)).encode()


def _hang_up(request: web.Request) -> web.Response:
    """Close the connection without an answer; the response that aiohttp wants is never sent."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
