"""A submission is in doubt unless Zoho certainly refused it, and what is in doubt is never sent twice."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from airflow_provider_zcrm.api.call import ApiCall
from airflow_provider_zcrm.api.data_centers import hosts_of
from airflow_provider_zcrm.api.errors import (
    ConnectionFailed,
    RetryableError,
    SubmissionUncertain,
    TagNotFound,
    TokenRejected,
    TooManyRequests,
    ZohoCrmError,
)
from airflow_provider_zcrm.api.mass_delete import delete_records, submit_records_by_view, submit_tags
from airflow_provider_zcrm.api.modules import list_modules
from airflow_provider_zcrm.client.config import ClientConfig
from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from tests.client.conftest import Connect
from tests.client.servers import DeafServer, Heard, ScriptedServer, free_port
from tests.client.sides import HASTY, PATIENT, Side, config_for

SUBMIT = submit_tags("Leads", "2276164000000000125", ["2276164000001021041"])
PATH = "/actions/mass_delete"
ACCEPTED = {"code": "SCHEDULED", "details": {"job_id": "10001"}, "message": "m", "status": "success"}

# fault, what it is ordered with, whether Zoho took the submission all the same
DOUBTFUL: list[tuple[str, dict[str, Any], bool]] = [
    ("drop_before", {}, False),
    ("drop_after", {}, True),
    ("status", {}, False),
    ("status", {"effect": True}, True),
    ("status", {"status": 503}, False),
    ("status", {"status": 400, "body": {"code": "INTERNAL_SERVER_ERROR", "details": {}, "message": "m", "status": "error"}}, False),
    ("status", {"status": 400, "body": {"odd": 1}}, False),
    ("status", {"status": 202, "body": {}}, False),
    ("html", {}, False),
    ("html", {"status": 200, "effect": True}, True),
    ("html", {"status": 404}, False),
    ("cut_json", {}, True),
    ("empty_204", {}, False),
    ("redirect", {}, False),
    ("slow", {"seconds": 1.0}, True),
]


def posts(emulator: Control) -> list[dict[str, Any]]:
    return emulator.requests(PATH, "POST")


@pytest.mark.parametrize(("fault", "order", "taken"), DOUBTFUL, ids=str)
@pytest.mark.parametrize("call", [SUBMIT, submit_records_by_view("Leads", "2276164000000538003")], ids=["tags", "records"])
def test_a_submission_whose_outcome_is_unknown_is_sent_once_and_called_uncertain(
    config: ClientConfig, connect: Connect, emulator: Control, fault: str, order: dict[str, Any], taken: bool, call: ApiCall[Any]
) -> None:
    side = connect(replace(config, request_timeout=0.4))
    emulator.fault(fault, PATH, times=None, **order)

    with pytest.raises(SubmissionUncertain) as caught:
        side.send(call)

    assert (caught.value.method, caught.value.path) == ("POST", call.request.path)
    time.sleep(0.05)  # time enough to send it again
    assert len(posts(emulator)) == 1
    assert len(emulator.counters()["jobs"]) == taken


def test_the_same_holds_for_records_that_are_deleted_at_once(side: Side, emulator: Control) -> None:
    emulator.fault("drop_after", PATH)

    with pytest.raises(SubmissionUncertain):
        side.send(delete_records("Leads", ["2276164000006064001"]))

    assert len(posts(emulator)) == 1


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "0.1"}])
def test_a_submission_that_met_a_429_is_sent_again(side: Side, emulator: Control, headers: dict[str, str]) -> None:
    emulator.fault("status", PATH, times=2, status=429, headers=headers)

    job_id = side.send(SUBMIT)

    assert [entry["status"] for entry in posts(emulator)] == [429, 429, 202]
    assert [job["job_id"] for job in emulator.counters()["jobs"]] == [job_id]


def test_a_429_that_does_not_pass_is_no_doubt(config: ClientConfig, connect: Connect, emulator: Control) -> None:
    emulator.fault("status", PATH, times=None, status=429)

    with pytest.raises(TooManyRequests):
        connect(config, HASTY).send(SUBMIT)

    assert emulator.counters()["jobs"] == []


def test_a_refusal_is_no_doubt(side: Side, emulator: Control) -> None:
    with pytest.raises(TagNotFound):
        side.send(submit_tags("Leads", "2276164000000000125", ["1"]))

    assert len(posts(emulator)) == 1


def test_a_rejected_token_is_replaced_and_the_submission_sent_again(side: Side, emulator: Control) -> None:
    emulator.fault("evict_token", PATH)

    job_id = side.send(SUBMIT)

    assert [entry["status"] for entry in posts(emulator)] == [401, 202]
    assert [job["job_id"] for job in emulator.counters()["jobs"]] == [job_id]
    assert len(emulator.requests("/oauth")) == 2


def test_a_token_that_is_rejected_twice_ends_the_submission_without_doubt(side: Side, emulator: Control) -> None:
    emulator.fault("evict_token", PATH, times=None)

    with pytest.raises(TokenRejected):
        side.send(SUBMIT)

    assert len(posts(emulator)) == 2
    assert emulator.counters()["jobs"] == []


def test_doubt_after_a_replaced_token_is_doubt(side: Side, emulator: Control) -> None:
    emulator.fault("evict_token", PATH)
    emulator.fault("drop_after", PATH)

    with pytest.raises(SubmissionUncertain):
        side.send(SUBMIT)

    assert [entry["status"] for entry in posts(emulator)] == [401, 0]


@pytest.mark.parametrize("fault", ["drop_after", "html"])
def test_a_token_that_cannot_be_had_puts_nothing_in_doubt(config: ClientConfig, connect: Connect, emulator: Control, fault: str) -> None:
    emulator.fault(fault, "/oauth", times=None)

    with pytest.raises(RetryableError):
        connect(config, HASTY).send(SUBMIT)

    assert posts(emulator) == []


def test_a_submission_uses_a_connection_of_its_own(side: Side, emulator: Control) -> None:
    for call in (list_modules(), SUBMIT, list_modules(), submit_records_by_view("Leads", "2276164000000538003"), list_modules()):
        side.send(call)
    ports = [entry["peer_port"] for entry in emulator.requests("/crm/")]

    assert ports[0] == ports[2] == ports[4]
    assert len(set(ports)) == 3


# --- before the request is written ---------------------------------------------------------------------------------------


def test_a_refused_connection_is_tried_again_and_the_submission_arrives_once(
    connect: Connect, emulator: Control, emulator_server: EmulatorServer
) -> None:
    port = free_port()
    server = ScriptedServer.__new__(ScriptedServer)

    def appear() -> None:
        server.__init__(lambda heard: heard.answer(202, ACCEPTED), port)  # type: ignore[misc]
        server.__enter__()

    appearing = threading.Timer(0.3, appear)
    side = connect(config_for(emulator_server.url, f"http://127.0.0.1:{port}"))
    appearing.start()
    try:
        assert side.send(SUBMIT) == "10001"
    finally:
        appearing.join()
        server.__exit__()

    assert [heard.method for heard in server.calls()] == ["POST"]


def refused(monkeypatch: pytest.MonkeyPatch) -> str:
    return f"http://127.0.0.1:{free_port()}"


def unknown_name(monkeypatch: pytest.MonkeyPatch) -> str:
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
        if host == "zoho-proxy.example":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return "http://zoho-proxy.example"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("where", [refused, unknown_name])
def test_a_server_that_cannot_be_reached_puts_nothing_in_doubt(
    connect: Connect,
    emulator: Control,
    emulator_server: EmulatorServer,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    where: Callable[[pytest.MonkeyPatch], str],
) -> None:
    hosts = hosts_of("us", "production", emulator_server.url, where(monkeypatch), ["zoho-proxy.example:80"])
    side = connect(replace(config_for(emulator_server.url), hosts=hosts), HASTY)

    with pytest.raises(ConnectionFailed) as caught:
        side.send(SUBMIT if method == "POST" else list_modules())

    assert method == "GET" or caught.value.sent is False


@pytest.mark.parametrize("seconds", [0.3])
def test_a_connection_that_takes_too_long_puts_nothing_in_doubt(
    connect: Connect, emulator: Control, emulator_server: EmulatorServer, seconds: float
) -> None:
    with DeafServer() as url:
        side = connect(config_for(emulator_server.url, url, request_timeout=seconds), replace(HASTY, give_up_after=0.0))
        started = time.monotonic()

        with pytest.raises(ConnectionFailed) as caught:
            side.send(SUBMIT)

    assert caught.value.sent is False
    assert time.monotonic() - started < seconds + 10  # the system itself would wait for two minutes


def test_an_answer_that_never_comes_is_doubt(connect: Connect, emulator: Control, emulator_server: EmulatorServer) -> None:
    def keep_silent(heard: Heard) -> None:
        time.sleep(2.0)

    with ScriptedServer(keep_silent) as server:
        side = connect(config_for(emulator_server.url, server.url, request_timeout=0.3), PATIENT)
        with pytest.raises(SubmissionUncertain):
            side.send(SUBMIT)

        assert len(server.calls()) == 1


def test_every_doubt_says_that_nothing_was_sent_again(side: Side, emulator: Control) -> None:
    emulator.fault("drop_before", PATH)

    with pytest.raises(ZohoCrmError) as caught:
        side.send(SUBMIT)

    assert "It is not known" in str(caught.value)
    assert "not sent again" in str(caught.value)
