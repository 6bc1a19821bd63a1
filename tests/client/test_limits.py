"""How many calls go out at once, and how long one may take."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from airflow_provider_zcrm.api.errors import ConnectionFailed, SubmissionUncertain
from airflow_provider_zcrm.api.mass_delete import submit_tags
from airflow_provider_zcrm.api.modules import list_modules
from airflow_provider_zcrm.client.config import ClientConfig
from airflow_provider_zcrm.client.connections import _UntilDeadline
from airflow_provider_zcrm.client.retries import NO_RETRIES
from airflow_provider_zcrm.emulator.control import Control
from tests.client.conftest import Connect
from tests.client.servers import Heard, ScriptedServer
from tests.client.sides import config_for

SUBMIT = submit_tags("Leads", "2276164000000000125", ["2276164000001021041"])
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize("limit", [1, 3])
def test_no_more_calls_go_out_at_once_than_the_connection_allows(
    config: ClientConfig, connect: Connect, emulator: Control, limit: int
) -> None:
    emulator.latency(0.3)
    side = connect(replace(config, max_concurrency=limit))

    side.send_together([list_modules()] * 6)

    assert list(emulator.counters()["most_at_once"].values()) == [limit]


def test_submissions_count_among_them(config: ClientConfig, connect: Connect, emulator: Control) -> None:
    emulator.latency(0.3)
    side = connect(replace(config, max_concurrency=2))

    side.send_together(
        [list_modules(), list_modules(), *[submit_tags("Leads", "2276164000000000125", [t]) for t in emulator.tags("Leads").values()]]
    )

    assert list(emulator.counters()["most_at_once"].values()) == [2]


def test_a_call_that_failed_leaves_its_place_to_another(config: ClientConfig, connect: Connect, emulator: Control) -> None:
    side = connect(replace(config, max_concurrency=1), NO_RETRIES)
    emulator.fault("drop_before", "/crm/", times=4)
    for _ in range(2):
        with pytest.raises(ConnectionFailed):
            side.send(list_modules())
    emulator.clear_faults()

    assert len(side.send(list_modules())) == 2


def drip(heard: Heard, raw: bytes) -> None:
    """Send a byte at a time, each long before a read would time out."""
    for byte in raw:
        heard.send(bytes([byte]))
        time.sleep(0.03)


def body_of_known_length(heard: Heard) -> None:
    heard.send(HEAD + b"Content-Length: 1000\r\n\r\n")
    drip(heard, b" " * 1000)


def body_in_chunks(heard: Heard) -> None:
    heard.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    drip(heard, b"1\r\n \r\n" * 200)


def body_until_the_end(heard: Heard) -> None:
    heard.send(HEAD + b"Connection: close\r\n\r\n")
    drip(heard, b" " * 1000)


def head(heard: Heard) -> None:
    heard.send(HEAD)
    drip(heard, b"X-Slow: " + b"y" * 1000)


def interim_answers(heard: Heard) -> None:
    drip(heard, b"HTTP/1.1 100 Continue\r\n\r\n" * 40)


@pytest.mark.parametrize(
    "script", [body_of_known_length, body_in_chunks, body_until_the_end, head, interim_answers], ids=lambda s: s.__name__
)
def test_a_call_ends_in_time_however_slowly_the_answer_comes(connect: Connect, script: Callable[[Heard], None]) -> None:
    with ScriptedServer(script) as server:
        side = connect(config_for(server.url, request_timeout=0.6), NO_RETRIES)
        started = time.monotonic()

        with pytest.raises(ConnectionFailed) as caught:
            side.send(list_modules())

        assert caught.value.sent is True
        assert 0.5 < time.monotonic() - started < 15.0  # all of the answer takes half a minute


def test_a_server_that_falls_silent_in_the_middle_has_no_time_of_its_own(connect: Connect) -> None:
    def fall_silent(heard: Heard) -> None:
        heard.send(HEAD + b"Content-Length: 200\r\n\r\n")
        drip(heard, b" " * 80)  # for 2.4 seconds
        time.sleep(10.0)

    with ScriptedServer(fall_silent) as server:
        side = connect(config_for(server.url, request_timeout=3.0), NO_RETRIES)
        started = time.monotonic()

        with pytest.raises(ConnectionFailed):
            side.send(list_modules())

        assert time.monotonic() - started < 5.0  # not 2.4 and another 3.0


def test_bytes_that_are_there_after_the_deadline_are_not_waited_for_again() -> None:
    here, there = socket.socketpair()
    with here, there:
        here.settimeout(0.01)
        file = _UntilDeadline(here.makefile("rb", buffering=0), here)
        there.sendall(b"late")
        time.sleep(0.02)

        with pytest.raises(TimeoutError, match="took too long"):
            file.read(4)
        file.close()


def test_a_submission_that_is_answered_too_slowly_is_uncertain(connect: Connect) -> None:
    with ScriptedServer(body_of_known_length) as server:
        with pytest.raises(SubmissionUncertain):
            connect(config_for(server.url, request_timeout=0.6)).send(SUBMIT)

        assert len(server.calls()) == 1


def test_a_slow_answer_that_comes_in_time_is_read(connect: Connect) -> None:
    def answer(heard: Heard) -> None:
        body = b'{"modules": []}'
        heard.send(HEAD + b"Content-Length: %d\r\n\r\n" % len(body))
        drip(heard, body)

    with ScriptedServer(answer) as server:
        assert connect(config_for(server.url, request_timeout=3.0), NO_RETRIES).send(list_modules()) == []
