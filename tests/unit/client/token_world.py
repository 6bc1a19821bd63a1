"""A simulated world for the tokens: hosts, processes, a store, a Zoho and a clock, with the real clients inside.

Simulated are only the clock, the network (`_http` of the clients; minutes of real requests could not be had thousands of times), the
file lock and the store. Everything between, from `send` to the token request, is the code that runs in Airflow. Wherever it waits for
one of them the call stops, until the test lets it go on: so every interleaving of processes can be had, and again.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import tempfile
import threading
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import filelock
import pytest
import tenacity
import tenacity.nap

from airflow_provider_zcrm.api.call import ApiResponse
from airflow_provider_zcrm.api.data_centers import hosts_of
from airflow_provider_zcrm.api.errors import ConnectionFailed, CredentialsRejected, ServiceUnavailable, TokenRejected, TokenThrottled
from airflow_provider_zcrm.api.modules import list_modules
from airflow_provider_zcrm.api.oauth import Credentials, RefreshTokenGrant
from airflow_provider_zcrm.client import async_client, sync_client, tokens
from airflow_provider_zcrm.client.async_client import AsyncZohoCrmClient
from airflow_provider_zcrm.client.config import ClientConfig
from airflow_provider_zcrm.client.retries import NO_RETRIES
from airflow_provider_zcrm.client.sync_client import ZohoCrmClient
from airflow_provider_zcrm.client.token_sharing import TokenSharing
from airflow_provider_zcrm.client.tokens import forget_tokens

LIFE = 3600.0
# a token is replaced up to five minutes before its end, and an answer may take 30 seconds
LONG_BEFORE_THE_END = 300.0
AT_LEAST_KEPT = LIFE - LONG_BEFORE_THE_END - 30.0
WINDOW, GRANTS, ACTIVE = 600.0, 10, 10
REQUEST_TIMEOUT = 30.0
THROTTLED = {"error": "Access Denied", "error_description": "You have made too many requests continuously.", "status": "failure"}
MODULES = {"modules": [{"id": "1", "api_name": "Leads"}]}

Ready = Callable[[], bool]


# --- calls that stop and go on -------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process of a call has been killed."""


class Pause:
    """Awaited where a call stops, until `ready`."""

    def __init__(self, ready: Ready = lambda: True) -> None:
        self.ready = ready

    def __await__(self) -> Generator[Ready, None, None]:
        yield self.ready


class Call:
    """A call of a process that can be let on, step by step."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.ready: Ready = lambda: True
        self.over = False
        self.error: BaseException | None = None
        self.rejections = 0
        self.lock_failed = False
        self.refused = self.noted = False
        self.stalled = 0.0  # seconds in which the store did not answer
        self.second_look_due = True  # no look at the store yet since the lock was got, or since the last wait
        self.looked: float | None = None

    def go_on(self) -> None:
        """Run to the next stop, or to the end."""
        raise NotImplementedError

    def kill(self) -> None:
        """End it where it stands."""
        raise NotImplementedError


class SyncCall(Call):
    """Runs in a thread of its own; only one of all threads runs at a time."""

    def __init__(self, process: Process) -> None:
        super().__init__(process)
        self._go, self._stopped = threading.Semaphore(0), threading.Semaphore(0)
        self._killed = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._go.acquire()
        try:
            if not self._killed:
                self.process.client.send(list_modules())
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test judges it
            self.error = error
        self.over = True
        self._stopped.release()

    def go_on(self) -> None:
        self._go.release()
        self._stopped.acquire()
        if self.over:
            self._thread.join()

    def stop_until(self, ready: Ready) -> None:
        """Stop, in the thread of the call."""
        self.ready = ready
        self._stopped.release()
        self._go.acquire()
        if self._killed:
            raise Killed

    def kill(self) -> None:
        self._killed = True
        while not self.over:
            self.go_on()


class AsyncCall(Call):
    """A coroutine that is driven by hand, without an event loop."""

    def __init__(self, process: Process) -> None:
        super().__init__(process)
        self._coroutine: Coroutine[Ready, None, Any] = process.client.send(list_modules())

    def go_on(self) -> None:
        try:
            self.ready = self._coroutine.send(None)
        except StopIteration:
            self.over = True
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test judges it
            self.over, self.error = True, error

    def kill(self) -> None:
        self.over = True
        self._coroutine.close()


# --- the parts of the world ----------------------------------------------------------------------------------------------


@dataclass
class Grant:
    """An access token of Zoho's."""

    token: str
    credentials: Credentials
    at: float
    alive: bool = True


@dataclass
class Entry:
    """What lies in the store under a name, and what the one who put it there meant by it."""

    value: str
    process: Process
    lock_failed: bool
    grant: Grant | None


class Zoho:
    """Grants 10 tokens in 10 minutes per refresh token, keeps 10, for an hour each."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.grants: dict[str, Grant] = {}
        self._requests: dict[str, list[float]] = {}
        self._numbers = itertools.count()

    def token(self, form: dict[str, str], call: Call) -> dict[str, Any]:
        """Answer a token request."""
        now, valid = self._world.now, self._world.credentials.form()
        if form["refresh_token"] != valid["refresh_token"]:
            return {"error": "invalid_code"}
        if form["client_secret"] != valid["client_secret"]:
            return {"error": "invalid_client_secret"}
        requests = [at for at in self._requests.get(form["refresh_token"], []) if at > now - WINDOW]
        self._requests[form["refresh_token"]] = requests
        if len(requests) >= GRANTS:
            return THROTTLED
        requests.append(now)
        grant = self.new_grant()
        self._world.granted(call, grant)
        return {"access_token": grant.token, "expires_in": LIFE, "api_domain": self._world.hosts.api_url}

    def new_grant(self) -> Grant:
        """Make a token, and forget the oldest beyond the tenth."""
        grant = Grant(f"1000.access-{next(self._numbers)}", self._world.credentials, self._world.now)
        self.grants[grant.token] = grant
        self.evict(max(0, len(self.active()) - ACTIVE))
        return grant

    def active(self) -> list[Grant]:
        """Return the tokens of the present refresh token that work, oldest first."""
        now, refresh_token = self._world.now, self._world.credentials.form()["refresh_token"]
        return [g for g in self.grants.values() if g.alive and g.at + LIFE > now and g.credentials.form()["refresh_token"] == refresh_token]

    def evict(self, count: int) -> None:
        """Forget the oldest tokens."""
        for grant in self.active()[:count]:
            grant.alive = False
            self._world.excuse()

    def used_by_others(self) -> None:
        """Let another program ask for as many tokens as Zoho grants."""
        refresh_token = self._world.credentials.form()["refresh_token"]
        requests = [at for at in self._requests.get(refresh_token, []) if at > self._world.now - WINDOW]
        for _ in range(GRANTS - len(requests)):
            requests.append(self._world.now)
            self.new_grant()
        self._requests[refresh_token] = requests

    def crm(self, token: str) -> ApiResponse:
        """Answer a call of the CRM's API."""
        grant = self.grants[token]
        if grant in self.active():
            return ApiResponse(200, {}, json.dumps(MODULES).encode())
        body = {"code": "INVALID_TOKEN", "details": {}, "message": "invalid oauth token", "status": "error"}
        return ApiResponse(401, {}, json.dumps(body).encode())


class Lock:
    """Stands for the file lock of a host."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def _acquire(self, timeout: float) -> None:  # noqa: ASYNC109 - as in filelock
        world = World.current
        call = world.running
        deadline = world.now + timeout
        call.lock_failed = call.process.host in world.hosts_without_locks
        if call.lock_failed:
            raise OSError("No locks available")
        await Pause(lambda: world.locks.get(self._path) is None or world.now >= deadline)
        call.lock_failed = world.locks.get(self._path) is not None
        if call.lock_failed:
            raise filelock.Timeout(str(self._path))
        world.locks[self._path] = self
        call.second_look_due = True

    def acquire(self, timeout: float) -> None:
        in_thread(self._acquire(timeout))

    def release(self) -> None:
        world = World.current
        if world.locks.get(self._path) is self:
            del world.locks[self._path]


class AsyncLock(Lock):
    async def acquire(self, timeout: float) -> None:  # type: ignore[override]  # noqa: ASYNC109 - as in filelock
        await self._acquire(timeout)

    async def release(self) -> None:  # type: ignore[override]
        super().release()


class Store:
    """The shared store, as one process sees it."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def get(self, name: str) -> str | None:
        world, process = World.current, self._process
        self._stop()
        call = world.running
        if "get" in world.broken:
            world.excuse()
            call.looked = None
            raise RuntimeError("the API server is down")
        call.second_look_due, call.looked = False, world.now
        entry = world.entries.get(name)
        refused_at = world.refusals.get(entry.value) if entry else None
        if refused_at is not None:
            process.knows_of_refusal(refused_at)
        self._stop()
        return entry.value if entry else None

    def put(self, name: str, value: str) -> None:
        world = World.current
        self._stop()
        call = world.running
        world.check(not any(secret in f"{name} {value}" for secret in world.secrets()), "what is stored shows a secret")
        call.noted = True
        if "put" in world.broken:
            world.excuse()
            raise PermissionError("read-only")
        grant = self._process.last_grant
        before = world.entries.get(name)
        if grant is None:
            world.refusals[value] = self._process.known_refusal
            world.excuse()  # whatever token another host has put there a moment ago is gone
        elif before and before.grant and before.grant.at > grant.at:
            world.excuse()  # came late, over a newer one
        world.entries[name] = Entry(value, self._process, call.lock_failed, grant)
        self._stop()

    def _stop(self) -> None:
        # of an asynchronous call `run_async` stops before and after
        if isinstance(World.current.running, SyncCall):
            in_thread(_stop())


async def _stop() -> None:
    world = World.current
    call, since = world.running, world.now
    await Pause()
    call.stalled += world.now - since


async def run_async(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call the store from a coroutine."""
    await _stop()
    value = function(*arguments)
    await _stop()
    return value


class Clock:
    """Stands for the module `time`."""

    def time(self) -> float:
        return World.current.now

    monotonic = time

    def sleep(self, seconds: float) -> None:
        in_thread(sleep(seconds))


async def sleep(seconds: float) -> None:
    world = World.current
    until = world.now + seconds
    world.running.second_look_due = True
    if seconds:
        await Pause(lambda: world.now >= until)


def in_thread(coroutine: Coroutine[Ready, None, None]) -> None:
    """Drive a coroutine of the world from the thread of a call."""
    call = World.current.running
    assert isinstance(call, SyncCall)
    try:
        while True:
            call.stop_until(coroutine.send(None))
    except StopIteration:
        return
    finally:
        coroutine.close()


class Process:
    """A process of a host, with a client of its own."""

    def __init__(self, world: World, host: str, kind: str) -> None:
        self.world, self.host, self.kind = world, host, kind
        self.start()

    def start(self) -> None:
        """Start anew: with no memory, and the connection as it is now."""
        self.call: Call | None = None
        self.credentials = self.world.credentials
        self.rejected: set[str] = set()
        self.last_grant: Grant | None = None
        self.last_used: Grant | None = None
        self.known_refusal: float | None = None
        forget_tokens()
        config = ClientConfig(self.credentials, self.world.hosts, request_timeout=REQUEST_TIMEOUT)
        sharing = TokenSharing(Store(self), self.world.folder / self.host, spread=1.0, run=run_async)
        self.client: Any
        if self.kind == "worker":
            self.client = ZohoCrmClient(config, sharing=sharing)
            self.client._http = self._http
        else:
            self.client = AsyncZohoCrmClient(config, NO_RETRIES, sharing=sharing)
            self.client._http = self._ahttp
            self.client._new_session = lambda *_: nullcontext()
        self.name = self.client._tokens.name
        forget_tokens()

    def begin(self) -> Call:
        """Begin a call."""
        self.call = SyncCall(self) if self.kind == "worker" else AsyncCall(self)
        return self.call

    def has_a_good_token(self) -> bool:
        """Whether the token that it used last is good for more than the two minutes that a call may take."""
        grant = self.last_used
        return grant is not None and grant.at + LIFE - self.world.now > 120.0 and grant.token not in self.rejected

    def knows_of_refusal(self, at: float) -> None:
        """Note when Zoho's throttle answered, as far as this process can know."""
        self.known_refusal = max(at, self.known_refusal or at)

    def _http(self, _session: Any, method: str, path: str, _url: str, **arguments: Any) -> ApiResponse:
        answers: list[ApiResponse] = []

        async def exchange() -> None:
            answers.append(await self._ahttp(None, method, path, "", **arguments))

        in_thread(exchange())
        return answers[0]

    async def _ahttp(self, _session: Any, method: str, path: str, _url: str, *_: Any, **arguments: Any) -> ApiResponse:
        world, call = self.world, self.world.running
        sent = world.now
        if "data" in arguments:
            self._before_token_request(call)
            await Pause()
            body = world.zoho.token(arguments["data"], call)
            response = ApiResponse(200, {}, json.dumps(body).encode())
        else:
            token = _token_of(arguments)
            self._before_use(token)
            await Pause()
            body = {}
            response = world.zoho.crm(token)
        await Pause()
        if world.now - sent > REQUEST_TIMEOUT:
            world.excuse()
            if "data" in arguments:
                self.last_grant = None  # what it writes next is a note of the failure
            raise ConnectionFailed("No answer from Zoho: time-out", sent=True, method=method, path=path)
        if "data" in arguments:
            self._after_token_request(body)
        elif response.status == 401:
            self.rejected.add(token)
            call.rejections += 1
        return response

    def _before_token_request(self, call: Call) -> None:
        world = self.world
        known = self.known_refusal
        world.check(known is None or world.now - known >= WINDOW, "asks Zoho within ten minutes of a refusal that it knows of")
        if call.lock_failed or call.looked is None or world.broken:
            return
        world.check(not call.second_look_due, "asks Zoho without having looked at the store again")
        entry = world.entries.get(self.name)
        if entry and entry.grant and not entry.lock_failed and entry.process.host == self.host:
            fresh = entry.grant.at + LIFE - world.now > LONG_BEFORE_THE_END
            world.check(not fresh or entry.grant.token in self.rejected, "asks Zoho although this host has put a good token into the store")

    def _after_token_request(self, body: dict[str, Any]) -> None:
        if "access_token" in body:
            self.last_grant, self.known_refusal = self.world.zoho.grants[body["access_token"]], None
        elif body == THROTTLED:
            self.last_grant = None
            self.world.running.refused = True
            self.knows_of_refusal(self.world.now)

    def _before_use(self, token: str) -> None:
        grant = self.last_used = self.world.zoho.grants[token]
        check = self.world.check
        # whoever is held up for minutes on the way, by a store that hangs or by a laptop that sleeps, is told by Zoho
        check(self.world.now < grant.at + LIFE or self.world.running.stalled > 30.0, "uses a token past its end")
        check(token not in self.rejected, "uses a token again that Zoho has rejected")
        check(grant.credentials == self.credentials, "uses a token of other credentials")
        self.known_refusal = None


def _token_of(arguments: dict[str, Any]) -> str:
    headers = arguments.get("headers")
    if headers is None:
        headers = arguments["auth"](SimpleNamespace(headers={})).headers
    return str(headers["Authorization"]).removeprefix("Zoho-oauthtoken ")


# --- the world -----------------------------------------------------------------------------------------------------------

PROCESSES = (("host-1", "worker"), ("host-1", "worker"), ("host-1", "triggerer"), ("host-2", "worker"), ("host-2", "triggerer"))


@dataclass
class World:
    """Everything, and the rules that must hold in it."""

    folder: Path
    processes: list[Process] = field(default_factory=list)
    now: float = 1_000_000.0
    broken: frozenset[str] = frozenset()
    hosts_without_locks: set[str] = field(default_factory=set)

    current = None  # type: Any
    hosts = hosts_of("us", "production", None, None, [])

    def __post_init__(self) -> None:
        World.current = self
        self.rotations = 0
        self.credentials = self._credentials("refresh-0", "secret-0")
        self.zoho = Zoho(self)
        self.entries: dict[str, Entry] = {}
        # the throttle's last answer that the writer of a note knew of
        self.refusals: dict[str, float | None] = {}
        self.locks: dict[Path, Lock] = {}
        self.violations: list[str] = []
        self.excuses = 0
        self.grants_of: dict[tuple[str, str], tuple[float, int]] = {}
        self.running: Call = None  # type: ignore[assignment]
        self.processes = [Process(self, host, kind) for host, kind in PROCESSES]

    @staticmethod
    def _credentials(refresh_token: str, client_secret: str) -> Credentials:
        return Credentials("1000.CLIENT", client_secret, RefreshTokenGrant(refresh_token))

    def rotate(self, what: str) -> None:
        """Replace the refresh token (the old one is revoked) or the client secret, in Zoho and in the connection."""
        self.rotations += 1
        form = self.credentials.form() | {what: f"{what}-{self.rotations}"}
        self.credentials = self._credentials(form["refresh_token"], form["client_secret"])

    def secrets(self) -> Iterator[str]:
        """Yield whatever must not be seen."""
        yield from self.zoho.grants
        for process in self.processes:
            yield from (process.credentials.form()[name] for name in ("client_secret", "refresh_token"))

    def check(self, holds: bool, otherwise: str) -> None:
        """Note a rule that is broken; raising would be taken for a failure of what is simulated."""
        if not holds:
            self.violations.append(otherwise)

    def excuse(self) -> None:
        """Note something that justifies one more token for each host."""
        self.excuses += 1

    def granted(self, call: Call, grant: Grant) -> None:
        """Judge a token that Zoho grants: one an hour for each host, and one more for each excuse."""
        key = (call.process.name, call.process.host)
        at, excuses = self.grants_of.get(key, (-LIFE, 0))
        excused = excuses < self.excuses or call.lock_failed
        self.check(grant.at - at >= AT_LEAST_KEPT or excused, "a host gets a second token within the hour, and there is no reason")
        self.grants_of[key] = (grant.at, self.excuses)
        if call.lock_failed:
            self.excuse()  # who has the lock could not know of it

    def step(self, process: Process) -> bool:
        """Let the call of a process go on to its next stop; tell whether it could."""
        call = process.call
        if call is None or not call.ready():
            return False
        self.running = call
        call.go_on()
        if call.over:
            process.call = None
            self._judge(call)
        return True

    def _judge(self, call: Call) -> None:
        error = call.error
        outdated = call.process.credentials != self.credentials
        allowed = (
            error is None
            or isinstance(error, (TokenThrottled, ConnectionFailed, ServiceUnavailable))
            or (isinstance(error, TokenRejected) and (call.rejections > 1 or outdated))
            or (isinstance(error, CredentialsRejected) and outdated)
        )
        self.check(allowed, f"a call raises {error!r}")
        self.check(
            not (isinstance(error, (TokenThrottled, ServiceUnavailable)) and call.process.has_a_good_token()),
            "gives up although its token is good",
        )
        self.check(call.noted or not (call.refused and isinstance(error, TokenThrottled)), "keeps a refusal to itself")

    def finish(self, process: Process) -> None:
        """Let a call go on as far as it can without the others, and without time."""
        for _ in range(500):
            if not self.step(process):
                return
        self.check(False, "a call goes round and round")
        self.kill(process)

    def kill(self, process: Process) -> None:
        """Kill a process in the midst of what it does, and start it anew."""
        if process.call:
            self.running = process.call
            process.call.kill()
            self.excuse()
        process.start()

    def settle(self) -> None:
        """Let all calls come to their end, and time pass as they need it."""
        for _ in range(20_000):
            gone_on = [self.step(process) for process in self.processes]
            if not any(gone_on):
                if not any(process.call for process in self.processes):
                    return
                self.now += 1.0
        raise AssertionError("a call never ends")


@contextmanager
def simulated(folder: Path | None = None) -> Iterator[World]:
    """Make a world, and let the clients live in it."""
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as made:
        for module in (tokens, sync_client, tenacity, tenacity.nap):
            patch.setattr(module, "time", clock)
        patch.setattr(async_client, "asyncio", SimpleNamespace(**{**vars(asyncio), "sleep": sleep}))
        patch.setattr(filelock, "FileLock", Lock)
        patch.setattr(filelock, "AsyncFileLock", AsyncLock)
        world = World(folder or Path(made))
        try:
            yield world
        finally:
            for process in world.processes:
                if process.call:
                    world.running = process.call
                    process.call.kill()
            forget_tokens()
