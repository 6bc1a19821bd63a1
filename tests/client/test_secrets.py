"""No secret leaves through an error, what is chained to it, a log, or a URL."""

from __future__ import annotations

import json
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from airflow_provider_zcrm.api.call import ApiCall
from airflow_provider_zcrm.api.errors import UnreadableResponse, ZohoCrmError
from airflow_provider_zcrm.api.mass_delete import MassDeleteJob, job_status, submit_tags
from airflow_provider_zcrm.api.modules import list_modules
from airflow_provider_zcrm.api.oauth import Credentials, RefreshTokenGrant
from airflow_provider_zcrm.client.config import ClientConfig
from airflow_provider_zcrm.client.retries import NO_RETRIES
from airflow_provider_zcrm.client.tokens import forget_tokens
from airflow_provider_zcrm.emulator.control import Control
from tests.client.conftest import Connect
from tests.client.servers import TOKEN, Heard, Proxy, ScriptedServer, free_port
from tests.client.sides import HASTY, config_for
from tests.conftest import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN

SUBMIT = submit_tags("Leads", "2276164000000000125", ["2276164000001021041"])
PROXY_PASSWORD = "pr0xy-pass"

Order = Callable[[Control], object]
FAULTS: dict[str, Order] = {
    "api hangs up": lambda control: control.fault("drop_before", "/crm/", times=None),
    "api answers HTML": lambda control: control.fault("html", "/crm/", times=None),
    "api answers nothing": lambda control: control.fault("slow", "/crm/", times=None, seconds=1.0),
    "api redirects": lambda control: control.fault("redirect", "/crm/", times=None),
    "api refuses": lambda control: control.fault("status", "/crm/", times=None, status=429),
    "token evicted": lambda control: control.fault("evict_token", "/crm/", times=None),
    "accounts hang up": lambda control: control.fault("drop_after", "/oauth", times=None),
    "accounts answer HTML": lambda control: control.fault("html", "/oauth", times=None),
    "accounts cut their JSON": lambda control: control.fault("cut_json", "/oauth", times=None),
    "accounts answer nothing": lambda control: control.fault("slow", "/oauth", times=None, seconds=1.0),
    "accounts throttle": lambda control: control.fault("token_throttle", "/oauth", times=None),
    "another data center": lambda control: control.change_org(api_domain="https://www.zohoapis.eu"),
    "wrong refresh token": lambda control: control.seed({"orgs": [{"zgid": "808232144"}]}),
}


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and all that is chained to it, shown or not."""
    todo, seen = [error], set[int]()
    while todo:
        one = todo.pop()
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            todo += [other for other in (one.__cause__, one.__context__) if other is not None]


def check(error: ZohoCrmError, secrets: list[str], log: pytest.LogCaptureFixture) -> None:
    links = list(chain(error))
    # an exception of an HTTP library holds the request, and with it the secrets
    assert [type(link) for link in links if not isinstance(link, ZohoCrmError)] == []
    shown = [
        "".join(traceback.format_exception(link)) + repr(link) + json.dumps(link.as_dict())
        for link in links
        if isinstance(link, ZohoCrmError)
    ]
    shown += [repr(pickle.dumps(error)), log.text, repr([record.__dict__ for record in log.records])]
    assert [secret for secret in secrets for text in shown if secret in text] == []


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("fault", FAULTS)
def test_no_error_and_no_log_shows_a_secret(
    config: ClientConfig, connect: Connect, emulator: Control, caplog: pytest.LogCaptureFixture, fault: str, method: str
) -> None:
    side = connect(replace(config, request_timeout=0.3), HASTY)
    FAULTS[fault](emulator)

    with caplog.at_level(logging.DEBUG), pytest.raises(ZohoCrmError) as caught:
        side.send(SUBMIT if method == "POST" else list_modules())

    check(caught.value, [CLIENT_SECRET, REFRESH_TOKEN, *side.secrets], caplog)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_fails_shows_neither_its_password_nor_the_token(
    connect: Connect, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, scheme: str, method: str
) -> None:
    with Proxy(0, status=407) as proxy, ScriptedServer(lambda heard: None) as server:
        monkeypatch.setenv(f"{scheme.upper()}_PROXY", f"http://somebody:{PROXY_PASSWORD}@127.0.0.1:{proxy.port}")
        # the token comes directly: only the call itself meets the proxy
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        side = connect(config_for(server.url, f"{scheme}://localhost:{free_port()}"), NO_RETRIES)
        with caplog.at_level(logging.DEBUG), pytest.raises(ZohoCrmError) as caught:
            side.send(SUBMIT if method == "POST" else list_modules())

        assert len(proxy.asked) == 1

    check(caught.value, [CLIENT_SECRET, REFRESH_TOKEN, TOKEN, PROXY_PASSWORD], caplog)


QUOTED = [TOKEN, CLIENT_SECRET, REFRESH_TOKEN]


def quoting(secret: str) -> list[tuple[int, Any, dict[str, str]]]:
    """Return answers that quote a secret in every place: status, body and headers."""
    envelope = {"code": secret, "message": f"a {secret} b", "status": "error", "details": {secret: [secret, {"x": f"<{secret}>"}]}}
    bodies: list[Any] = [
        envelope,
        {"mass_delete": [envelope]},
        {"data": [[envelope]]},
        {**envelope, "code": "INVALID_DATA"},
        {**envelope, "code": "NO_PERMISSION"},
        {"code": 429, "error": "TOO_MANY_REQUESTS", "error_info": secret, "details": [secret]},
        {"data": {"errorCode": secret}},
        {"error": secret, "error_description": secret, "status": secret},
        {"modules": secret},
        {"mass_delete": [{"job_id": secret, "status": secret}]},
        {"status": "success", "details": {"job_id": secret + " "}},
        f"<html>{secret}</html>".encode(),
        secret.encode(),
    ]
    headers = {"X-Quoted": secret, "Retry-After": secret, "Date": secret, "X-API-CREDITS-REMAINING": secret, "Set-Cookie": f"a={secret}"}
    found = [(status, body, headers) for status in (200, 400, 401, 403, 404, 429, 500) for body in bodies]
    return [*found, (200, b"", {**headers, "Content-Encoding": secret}), (302, b"", {**headers, "Location": f"https://x/{secret}"})]


@pytest.mark.parametrize("secret", QUOTED)
@pytest.mark.parametrize("call", [SUBMIT, list_modules(), job_status(MassDeleteJob("tags", "1"))], ids=["submit", "list", "status"])
def test_no_answer_can_bring_a_secret_into_an_error_or_a_log(
    connect: Connect, caplog: pytest.LogCaptureFixture, call: ApiCall[Any], secret: str
) -> None:
    answers = quoting(secret)
    turn = iter(answers)

    def script(heard: Heard) -> None:
        status, body, headers = next(turn, (200, b"", {}))
        heard.answer(status, body, **{name.replace("-", "_"): value for name, value in headers.items()})

    with ScriptedServer(script) as server, caplog.at_level(logging.DEBUG, "airflow_provider_zcrm"):
        for _ in answers:
            forget_tokens()
            with pytest.raises(ZohoCrmError) as caught:
                connect(config_for(server.url), NO_RETRIES).send(call)
            check(caught.value, QUOTED, caplog)


@pytest.mark.parametrize("secret", QUOTED[1:])
def test_no_answer_to_a_token_request_can_bring_a_secret_into_an_error_or_a_log(
    connect: Connect, caplog: pytest.LogCaptureFixture, secret: str
) -> None:
    token = {"access_token": TOKEN, "expires_in": secret, "scope": secret, "refresh_token": secret, "token_type": secret}
    hosts = [f"https://{secret}", f"https://{TOKEN}/{secret}", f"{secret}@www.zohoapis.eu"]
    answers = [*quoting(secret), *((200, {**token, "api_domain": host}, {}) for host in hosts)]
    answers += [(200, {"access_token": [secret], "error": {"x": secret}}, {}), (200, {"access_token": f"{secret}\n"}, {})]
    turn = iter(answers)

    def grant(heard: Heard) -> None:
        status, body, headers = next(turn)
        heard.answer(status, body, **{name.replace("-", "_"): value for name, value in headers.items()})

    with (
        ScriptedServer(lambda heard: heard.answer(400, {}), grant=grant) as server,
        caplog.at_level(logging.DEBUG, "airflow_provider_zcrm"),
    ):
        for _ in answers:
            forget_tokens()
            with pytest.raises(ZohoCrmError) as caught:
                connect(config_for(server.url), NO_RETRIES).send(list_modules())
            check(caught.value, QUOTED, caplog)


@pytest.mark.parametrize(
    "head",
    [
        f"HTTP/1.1 {TOKEN}\r\n\r\n",
        f"{TOKEN}\r\n\r\n",
        f"HTTP/1.1 200 OK\r\n{TOKEN}: \x00{TOKEN}\r\n\r\n",
        f"HTTP/1.1 200 OK\r\nContent-Length: {TOKEN}\r\n\r\n",
    ],
)
def test_no_broken_head_of_an_answer_can_bring_a_secret_into_an_error(
    connect: Connect, caplog: pytest.LogCaptureFixture, head: str
) -> None:
    def script(heard: Heard) -> None:
        heard.send(head.encode())
        heard.handler.close_connection = True

    with ScriptedServer(script) as server, caplog.at_level(logging.DEBUG, "airflow_provider_zcrm"):
        for call in (SUBMIT, list_modules()):
            with pytest.raises(ZohoCrmError) as caught:
                connect(config_for(server.url), NO_RETRIES).send(call)
            check(caught.value, QUOTED, caplog)


@pytest.mark.parametrize("token", ["t\u00f6k\u20acn", "two words", "line\nbreak", "1000.x\r\nX-Evil: 1", ["1000.x"], {"a": 1}, 5, True])
def test_a_token_that_cannot_be_sent_is_refused(connect: Connect, token: Any) -> None:
    with ScriptedServer(lambda heard: None, grant=lambda heard: heard.answer(200, {"access_token": token})) as server:
        with pytest.raises(UnreadableResponse, match="neither an access token nor an error"):
            connect(config_for(server.url), NO_RETRIES).send(list_modules())
        assert server.calls() == []


def test_calls_that_work_log_no_secret(config: ClientConfig, connect: Connect, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    side = connect(config)
    with caplog.at_level(logging.DEBUG):
        job_id = side.send(SUBMIT)
        side.send(job_status(MassDeleteJob("tags", job_id)))

    assert ("urllib3" in {record.name.partition(".")[0] for record in caplog.records}) is (kind == "sync")
    assert not [secret for secret in (CLIENT_SECRET, REFRESH_TOKEN, *side.secrets) if secret in caplog.text]


def test_no_secret_is_in_a_url(connect: Connect) -> None:
    def answer(heard: Heard) -> None:
        heard.answer(202, {"status": "success", "details": {"job_id": "10001"}, "mass_delete": [{"status": "COMPLETED"}]})

    with ScriptedServer(answer) as server:
        side = connect(config_for(server.url))
        side.send(SUBMIT)
        side.send(job_status(MassDeleteJob("tags", "1")))

    assert [heard.target for heard in server.heard] == [
        "/oauth/v2/token",
        "/crm/v8/settings/tags/actions/mass_delete",
        "/crm/v8/settings/tags/actions/mass_delete?job_id=1",
    ]
    headers = [name for heard in server.heard for name, value in heard.headers.items() if CLIENT_SECRET in value or REFRESH_TOKEN in value]
    assert headers == []


def test_a_client_and_its_settings_show_no_secret() -> None:
    config = config_for("http://127.0.0.1:1", credentials=Credentials(CLIENT_ID, CLIENT_SECRET, RefreshTokenGrant(REFRESH_TOKEN)))

    assert CLIENT_SECRET not in repr(config)
    assert REFRESH_TOKEN not in repr(config)
