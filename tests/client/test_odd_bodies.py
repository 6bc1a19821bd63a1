"""Bodies that no server of Zoho's would send: endless ones, bombs, packed in odd ways; and settings that cannot be sent."""

from __future__ import annotations

import gzip
import json
import resource
import tempfile
import time
import tracemalloc
import zlib
from functools import cache
from pathlib import Path

import pytest

from airflow_provider_zcrm.api.bulk_read import bulk_read_result
from airflow_provider_zcrm.api.call import ApiCall
from airflow_provider_zcrm.api.errors import (
    AnswerTooLarge,
    ConnectionFailed,
    ServiceUnavailable,
    SubmissionUncertain,
    UnreadableResponse,
    ZohoCrmError,
)
from airflow_provider_zcrm.api.mass_delete import submit_tags
from airflow_provider_zcrm.api.modules import list_modules
from airflow_provider_zcrm.client import answer_body
from airflow_provider_zcrm.client.answer_body import LARGEST
from airflow_provider_zcrm.client.retries import NO_RETRIES
from tests.client.conftest import Connect
from tests.client.servers import TOKEN_PATH, Heard, ScriptedServer
from tests.client.sides import config_for

SUBMIT = submit_tags("Leads", "1", ["2"])
DOWNLOAD = bulk_read_result("1")
MODULES = json.dumps({"modules": [{"id": "1", "api_name": "Leads"}]}).encode()
MIB = 1024 * 1024


def endless(heard: Heard) -> None:
    heard.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    while True:
        heard.send(b" " * MIB)


def endless_chunks(heard: Heard) -> None:
    heard.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        heard.send(b"100000\r\n" + b" " * MIB + b"\r\n")


@cache
def packed_spaces() -> bytes:
    packing = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packing.compress(b" " * MIB) for _ in range(256)) + packing.flush()


def bomb(heard: Heard) -> None:
    heard.answer(200, packed_spaces(), Content_Encoding="gzip")


@pytest.mark.parametrize("script", [endless, endless_chunks, bomb])
@pytest.mark.parametrize(("call", "error"), [(list_modules(), AnswerTooLarge), (SUBMIT, SubmissionUncertain)], ids=["GET", "POST"])
def test_an_answer_without_end_is_given_up_and_fills_no_memory(
    connect: Connect, script: object, call: ApiCall[object], error: type[ZohoCrmError]
) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with ScriptedServer(script) as server:  # type: ignore[arg-type]
        side = connect(config_for(server.url, request_timeout=60.0))
        started = time.monotonic()
        with pytest.raises(error, match="larger than 64 MiB"):
            side.send(call)
        took = time.monotonic() - started

    assert took < 20
    assert len(server.calls()) == 1
    # in KiB; a body twice while it becomes bytes, and what the server itself needs
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 4 * LARGEST / 1024


# --- what is kept in a file ----------------------------------------------------------------------------------------------


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder in which temporary files are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("packed", [False, True])
def test_a_large_download_is_in_a_file_without_a_name_and_not_in_memory(connect: Connect, temporary: Path, packed: bool) -> None:
    body = gzip.compress(b"PK" + b" " * 32 * MIB, 1, mtime=0)

    def in_parts(heard: Heard) -> None:
        heard.send(f"HTTP/1.1 200 OK\r\nContent-Length: {2 + 32 * MIB}\r\n\r\nPK".encode())
        for _ in range(32):
            heard.send(b" " * MIB)

    with ScriptedServer((lambda heard: heard.answer(200, body, Content_Encoding="gzip")) if packed else in_parts) as server:
        side = connect(config_for(server.url, request_timeout=60.0))
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            file = side.send(DOWNLOAD)
            assert tracemalloc.get_traced_memory()[1] - before < 8 * MIB
        finally:
            tracemalloc.stop()
        with file:
            assert list(temporary.iterdir()) == []
            assert file.read() == b"PK" + b" " * 32 * MIB


@pytest.mark.parametrize("script", [endless, endless_chunks, bomb])
def test_a_download_without_end_is_given_up_and_leaves_no_file(
    connect: Connect, temporary: Path, monkeypatch: pytest.MonkeyPatch, script: object
) -> None:
    monkeypatch.setattr(answer_body, "LARGEST_FILE", 100 * MIB)
    with ScriptedServer(script) as server:  # type: ignore[arg-type]
        side = connect(config_for(server.url, request_timeout=60.0))
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            with pytest.raises(AnswerTooLarge, match="larger than 100 MiB"):
                side.send(DOWNLOAD)
            assert tracemalloc.get_traced_memory()[1] - before < 8 * MIB
        finally:
            tracemalloc.stop()
    assert len(server.calls()) == 1
    assert list(temporary.iterdir()) == []


def test_a_download_that_breaks_off_begins_anew_with_an_empty_file(connect: Connect) -> None:
    def script(heard: Heard) -> None:
        if len(server.calls()) == 1:
            heard.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nPK of the first")
            heard.handler.close_connection = True
        else:
            heard.answer(200, b"PK of the second")

    with ScriptedServer(script) as server, connect(config_for(server.url)).send(DOWNLOAD) as file:
        assert file.read() == b"PK of the second"


@pytest.mark.parametrize(("status", "error"), [(200, UnreadableResponse), (502, ServiceUnavailable)])
def test_an_answer_that_is_no_download_is_read_as_any_other(connect: Connect, status: int, error: type[ZohoCrmError]) -> None:
    with (
        ScriptedServer(lambda heard: heard.answer(status, b"<html>a page of a gateway</html>")) as server,
        pytest.raises(error, match="a page of a gateway"),
    ):
        connect(config_for(server.url), NO_RETRIES).send(DOWNLOAD)


def test_a_disk_without_room_is_no_answer_too_many(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    # every write to it fails for want of room
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda: Path("/dev/full").open("w+b"))  # noqa: SIM115
    with ScriptedServer(lambda heard: heard.answer(200, b"PK" + b" " * MIB)) as server:
        with pytest.raises(AnswerTooLarge, match=r"No space left on device.*TMPDIR"):
            connect(config_for(server.url)).send(DOWNLOAD)
        assert len(server.calls()) == 1


def test_an_answer_of_some_megabytes_is_read(connect: Connect) -> None:
    body = MODULES[:-1] + b" " * (8 * MIB) + MODULES[-1:]
    with ScriptedServer(lambda heard: heard.answer(200, gzip.compress(body, 1, mtime=0), Content_Encoding="GZip")) as server:
        assert len(connect(config_for(server.url)).send(list_modules())) == 1


@pytest.mark.parametrize("headers", [{}, {"Content_Encoding": "gzip"}], ids=["plain", "packed"])
def test_a_connection_whose_answer_was_read_serves_on(connect: Connect, headers: dict[str, str]) -> None:
    body = gzip.compress(MODULES, mtime=0) if headers else MODULES
    with ScriptedServer(lambda heard: heard.answer(200, body, **headers)) as server:
        side = connect(config_for(server.url))
        for _ in range(3):
            side.send(list_modules())

    # a token has a connection of its own in one of the clients
    assert len({heard.handler.client_address for heard in server.heard if heard.handler.command == "GET"}) == 1


@pytest.mark.parametrize(
    ("packed", "encoding"),
    [
        (gzip.compress(MODULES, mtime=0)[:-9], "gzip"),
        (b"no gzip", "gzip"),
        (gzip.compress(gzip.compress(MODULES, mtime=0), mtime=0), "gzip, gzip"),
        (MODULES, "br"),
    ],
)
def test_an_answer_that_cannot_be_unpacked_is_unreadable(connect: Connect, packed: bytes, encoding: str) -> None:
    with (
        ScriptedServer(lambda heard: heard.answer(200, packed, Content_Encoding=encoding)) as server,
        pytest.raises(UnreadableResponse, match="packed"),
    ):
        connect(config_for(server.url), NO_RETRIES).send(list_modules())


def test_an_answer_to_a_token_request_has_a_limit_too(connect: Connect) -> None:
    with ScriptedServer(endless, grant=endless) as server:
        with pytest.raises(AnswerTooLarge):
            connect(config_for(server.url), NO_RETRIES).send(list_modules())
        assert [heard.target for heard in server.heard] == [TOKEN_PATH]


# --- what cannot be sent -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "proxy",
    [
        "http://somebody:pr0xy-pass@127.0.0.1:99999",
        "http://somebody:pr0xy-pass@127.0.0.1:port",
        "somebody:pr0xy-pass@127.0.0.1:-1",
        "http://[::1",
        "http://",
    ],
)
def test_a_proxy_that_cannot_be_is_no_answer(connect: Connect, monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    with ScriptedServer(lambda heard: heard.answer(200, MODULES)) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        for call in (list_modules(), SUBMIT):
            with pytest.raises(ConnectionFailed) as caught:
                connect(config_for(server.url), NO_RETRIES).send(call)
            assert "pr0xy-pass" not in repr(caught.value.as_dict())
        assert server.heard == []
