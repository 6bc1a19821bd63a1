"""Proxies, certificates, redirects, cookies and .netrc: both clients take and leave the same."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_zcrm import __version__
from airflow_provider_zcrm.api.data_centers import hosts_of
from airflow_provider_zcrm.api.errors import ConnectionFailed, InvalidConnection, UnreadableResponse
from airflow_provider_zcrm.api.mass_delete import submit_tags
from airflow_provider_zcrm.api.modules import list_modules
from airflow_provider_zcrm.api.tags import list_tags
from airflow_provider_zcrm.client.async_client import AsyncZohoCrmClient
from airflow_provider_zcrm.client.config import ClientConfig
from airflow_provider_zcrm.client.retries import NO_RETRIES
from airflow_provider_zcrm.client.sync_client import ZohoCrmClient
from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from tests.client.conftest import Connect
from tests.client.servers import TOKEN, Certificates, Heard, Proxy, ScriptedServer, TlsFront, free_port
from tests.client.sides import CREDENTIALS, Side, config_for

SUBMIT = submit_tags("Leads", "2276164000000000125", ["2276164000001021041"])
US = hosts_of("us", "production")
TUNNELS = ["CONNECT accounts.zoho.com:443", "CONNECT www.zohoapis.com:443"]


def empty_list(heard: Heard) -> None:
    heard.answer(200, {"modules": []})


def calls(method: str) -> Any:
    return SUBMIT if method == "POST" else list_modules()


# only of a submission must be known whether it was written: a GET may be sent again in any case
each_method = pytest.mark.parametrize("method", ["GET", "POST"])


# --- what goes out, and what is not kept ---------------------------------------------------------------------------------


def test_a_call_says_who_sends_it_and_with_which_token(connect: Connect) -> None:
    with ScriptedServer(empty_list) as server:
        connect(config_for(server.url)).send(list_modules())

    (heard,) = server.calls()
    assert heard.headers["authorization"] == f"Zoho-oauthtoken {TOKEN}"
    assert heard.headers["user-agent"] == f"airflow-provider-zcrm/{__version__}"
    assert heard.target == "/crm/v8/settings/modules"


def test_a_token_request_has_its_secrets_in_the_body_and_no_authorization(connect: Connect) -> None:
    with ScriptedServer(empty_list) as server:
        connect(config_for(server.url)).send(list_modules())

    heard = server.heard[0]
    assert (heard.method, heard.target) == ("POST", "/oauth/v2/token")
    assert heard.headers["content-type"] == "application/x-www-form-urlencoded"
    assert heard.headers["user-agent"] == f"airflow-provider-zcrm/{__version__}"
    assert b"refresh_token=1000.emulator-refresh-token" in heard.body
    assert b"client_secret=emulator-secret" in heard.body
    assert "authorization" not in heard.headers


def test_a_submission_is_json(connect: Connect) -> None:
    with ScriptedServer(lambda heard: heard.answer(202, {"status": "success", "details": {"job_id": "10001"}})) as server:
        connect(config_for(server.url)).send(SUBMIT)

    (heard,) = server.calls()
    assert heard.headers["content-type"] == "application/json"
    assert heard.body.startswith(b'{"mass_delete": [{"module"')


@each_method
def test_a_netrc_replaces_no_token(connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\ndefault login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with ScriptedServer(lambda heard: heard.answer(202, {"status": "success", "details": {"job_id": "10001"}, "modules": []})) as server:
        connect(config_for(server.url)).send(calls(method))

    assert [heard.headers.get("authorization") for heard in server.heard] == [None, f"Zoho-oauthtoken {TOKEN}"]


def test_cookies_are_not_kept(connect: Connect) -> None:
    def set_cookies(heard: Heard) -> None:
        heard.answer(200, {"modules": []}, Set_Cookie="JSESSIONID=1; Path=/")

    with ScriptedServer(set_cookies) as server:
        side = connect(config_for(server.url))
        for _ in range(3):
            side.send(list_modules())

    assert len(server.heard) == 4
    assert not [heard.headers["cookie"] for heard in server.heard if "cookie" in heard.headers]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(connect: Connect, status: int) -> None:
    with ScriptedServer(lambda heard: heard.answer(status, None, Location="/elsewhere")) as server:
        side = connect(config_for(server.url), NO_RETRIES)
        with pytest.raises(UnreadableResponse, match=f"HTTP {status}"):
            side.send(list_modules())

    assert [heard.target for heard in server.calls()] == ["/crm/v8/settings/modules"]


def test_the_token_request_is_not_redirected_either(side: Side, emulator: Control) -> None:
    emulator.fault("redirect", "/oauth")

    assert len(side.send(list_modules())) == 2
    assert [entry["status"] for entry in emulator.requests("/oauth")] == [302, 200]


def test_a_compressed_answer_is_read(connect: Connect) -> None:
    import gzip

    with ScriptedServer(lambda heard: heard.answer(200, gzip.compress(b'{"modules": []}'), Content_Encoding="gzip")) as server:
        assert connect(config_for(server.url)).send(list_modules()) == []


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        b"nonsense\r\n\r\n",
        b"",
    ],
    ids=["too short", "no chunks", "no HTTP", "nothing"],
)
def test_an_answer_that_breaks_http_is_no_answer(connect: Connect, raw: bytes) -> None:
    def break_http(heard: Heard) -> None:
        heard.send(raw)
        heard.handler.close_connection = True

    with ScriptedServer(break_http) as server, pytest.raises(ConnectionFailed) as caught:
        connect(config_for(server.url), NO_RETRIES).send(list_modules())

    assert caught.value.sent is True


# --- a proxy, and a private CA -------------------------------------------------------------------------------------------


@pytest.fixture
def front(emulator: Control, emulator_server: EmulatorServer, certificates: Certificates) -> Iterator[TlsFront]:
    with TlsFront(certificates, emulator_server.url) as server:
        yield server


@pytest.fixture
def zoho(certificates: Certificates) -> ClientConfig:
    """A connection to Zoho itself, with the private CA."""
    return ClientConfig(CREDENTIALS, US, request_timeout=5.0, verify=str(certificates.ca))


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_zoho_is_reached_through_a_proxy(
    connect: Connect, front: TlsFront, zoho: ClientConfig, emulator: Control, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    with Proxy(front.port) as proxy:
        monkeypatch.setenv(variable, proxy.url)
        side = connect(zoho)

        assert len(side.send(list_modules())) == 2
        assert side.send(SUBMIT)

    assert proxy.asked == [*TUNNELS, TUNNELS[1]]
    assert len(emulator.counters()["jobs"]) == 1


def test_the_environment_chooses_a_proxy_for_each_host(
    connect: Connect,
    front: TlsFront,
    zoho: ClientConfig,
    emulator: Control,
    emulator_server: EmulatorServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Proxy(front.port) as proxy:
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        side = connect(replace(zoho, hosts=replace(US, accounts_url=emulator_server.url)), NO_RETRIES)
        for call in (list_modules(), list_modules(), list_tags("Leads"), SUBMIT):
            side.send(call)

    # one for the calls that share a connection, one for the submission, none for the token
    assert proxy.asked == [TUNNELS[1]] * 2


def test_a_proxy_may_be_named_without_a_scheme(
    connect: Connect, front: TlsFront, zoho: ClientConfig, emulator: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy(front.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{proxy.port}")

        assert len(connect(zoho).send(list_modules())) == 2


def test_a_proxy_may_want_a_password(
    connect: Connect, front: TlsFront, zoho: ClientConfig, emulator: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy(front.port, user="some body:p@ss/w0rd") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://some%20body:p%40ss%2Fw0rd@127.0.0.1:{proxy.port}")

        assert len(connect(zoho).send(list_modules())) == 2


@each_method
@pytest.mark.parametrize("status", [403, 407, 502])
def test_a_proxy_that_refuses_puts_nothing_in_doubt(
    connect: Connect,
    front: TlsFront,
    zoho: ClientConfig,
    emulator: Control,
    emulator_server: EmulatorServer,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    method: str,
) -> None:
    hosts = replace(US, accounts_url=emulator_server.url)
    with Proxy(front.port, status=status, user="somebody:pass-w0rd") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(ConnectionFailed) as caught:
            connect(replace(zoho, hosts=hosts), NO_RETRIES).send(calls(method))

    assert method == "GET" or caught.value.sent is False
    assert "pass-w0rd" not in str(caught.value)
    assert emulator.requests("/crm/") == []


def test_a_host_that_does_not_answer_is_named_with_the_innermost_reason(connect: Connect, kind: str) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(ConnectionFailed) as caught:
        connect(config_for(url), NO_RETRIES).send(list_modules())

    address = url.removeprefix("http://")
    _, port = address.split(":")
    reason = f"(Connection refused|Connect call failed \\('127.0.0.1', {port}\\))"
    assert re.match(rf"No answer from Zoho \({address}\): {reason} \(\w+\). \[POST /oauth/v2/token\]", str(caught.value))
    if kind == "sync":
        assert str(caught.value).endswith("] Can this machine reach that host (name, proxy, firewall, certificate)?")


def test_a_host_that_takes_too_long_is_named_with_that(connect: Connect) -> None:
    with ScriptedServer(lambda heard: time.sleep(1)) as server, pytest.raises(ConnectionFailed, match=r"timed out") as caught:
        connect(replace(config_for(server.url), request_timeout=0.3), NO_RETRIES).send(list_modules())

    assert str(caught.value).startswith(f"No answer from Zoho ({server.url.removeprefix('http://')}): ")


@each_method
def test_a_proxy_that_is_not_there_puts_nothing_in_doubt(
    connect: Connect, zoho: ClientConfig, emulator: Control, emulator_server: EmulatorServer, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://somebody:pass-w0rd@127.0.0.1:{free_port()}")
    with pytest.raises(ConnectionFailed) as caught:
        connect(replace(zoho, hosts=replace(US, accounts_url=emulator_server.url)), NO_RETRIES).send(calls(method))

    assert method == "GET" or caught.value.sent is False
    assert "pass-w0rd" not in str(caught.value)


@each_method
def test_a_proxy_of_a_kind_that_is_not_understood_puts_nothing_in_doubt(
    connect: Connect, zoho: ClientConfig, emulator: Control, emulator_server: EmulatorServer, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"gopher://127.0.0.1:{free_port()}")
    with pytest.raises(ConnectionFailed) as caught:
        connect(replace(zoho, hosts=replace(US, accounts_url=emulator_server.url)), NO_RETRIES).send(calls(method))

    assert method == "GET" or caught.value.sent is False


@pytest.mark.parametrize("no_proxy", ["localhost", "*", "other.example,localhost"])
@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
def test_hosts_of_no_proxy_are_reached_directly(
    connect: Connect,
    front: TlsFront,
    certificates: Certificates,
    emulator: Control,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    no_proxy: str,
) -> None:
    with Proxy(front.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv(variable, no_proxy)
        side = connect(config_for(f"https://localhost:{front.port}", verify=str(certificates.ca)))

        assert len(side.send(list_modules())) == 2

    assert proxy.asked == []


def tls_config(front: TlsFront, emulator_server: EmulatorServer, verify: bool | str) -> ClientConfig:
    """A connection whose token comes without TLS, so that a certificate is looked at by the call itself."""
    return config_for(emulator_server.url, f"https://localhost:{front.port}", verify=verify)


@each_method
def test_a_certificate_that_is_not_trusted_puts_nothing_in_doubt(
    connect: Connect, front: TlsFront, emulator: Control, emulator_server: EmulatorServer, method: str
) -> None:
    with pytest.raises(ConnectionFailed, match=r"(?i)certificate") as caught:
        connect(tls_config(front, emulator_server, True), NO_RETRIES).send(calls(method))

    assert method == "GET" or caught.value.sent is False
    assert emulator.requests("/crm/") == []


@each_method
def test_a_certificate_for_another_name_puts_nothing_in_doubt(
    connect: Connect,
    front: TlsFront,
    zoho: ClientConfig,
    emulator: Control,
    emulator_server: EmulatorServer,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
) -> None:
    hosts = replace(hosts_of("eu", "production"), accounts_url=emulator_server.url)
    with Proxy(front.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        emulator.change_org(api_domain="https://www.zohoapis.eu")
        with pytest.raises(ConnectionFailed, match=r"(?i)certificate") as caught:
            connect(replace(zoho, hosts=hosts), NO_RETRIES).send(calls(method))

    assert method == "GET" or caught.value.sent is False
    assert proxy.asked == ["CONNECT www.zohoapis.eu:443"]


@each_method
def test_a_server_without_tls_behind_https_puts_nothing_in_doubt(
    connect: Connect, emulator: Control, emulator_server: EmulatorServer, certificates: Certificates, method: str
) -> None:
    api_url = emulator_server.url.replace("http://", "https://")
    with pytest.raises(ConnectionFailed) as caught:
        connect(config_for(emulator_server.url, api_url, verify=str(certificates.ca)), NO_RETRIES).send(calls(method))

    assert method == "GET" or caught.value.sent is False


def test_a_ca_bundle_may_be_a_folder(
    connect: Connect, front: TlsFront, emulator: Control, emulator_server: EmulatorServer, certificates: Certificates
) -> None:
    assert len(connect(tls_config(front, emulator_server, str(certificates.hashed))).send(list_modules())) == 2


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_verification_can_be_turned_off(connect: Connect, front: TlsFront, emulator: Control, emulator_server: EmulatorServer) -> None:
    assert len(connect(tls_config(front, emulator_server, False)).send(list_modules())) == 2


@pytest.mark.parametrize(
    ("variables", "works"),
    [
        ({"REQUESTS_CA_BUNDLE": "private"}, True),
        ({"SSL_CERT_FILE": "private"}, True),
        ({"REQUESTS_CA_BUNDLE": "private", "SSL_CERT_FILE": "public"}, True),
        ({"REQUESTS_CA_BUNDLE": "public", "SSL_CERT_FILE": "private"}, False),
        ({"CURL_CA_BUNDLE": "private"}, False),
        ({}, False),
    ],
    ids=str,
)
def test_the_environment_names_the_ca_bundle_alike_for_both(
    connect: Connect,
    front: TlsFront,
    emulator: Control,
    emulator_server: EmulatorServer,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    works: bool,
) -> None:
    import certifi

    for name, value in variables.items():
        monkeypatch.setenv(name, str(certificates.ca) if value == "private" else certifi.where())
    side = connect(tls_config(front, emulator_server, True), NO_RETRIES)

    if works:
        assert len(side.send(list_modules())) == 2
        return
    with pytest.raises(ConnectionFailed, match=r"(?i)certificate"):
        side.send(list_modules())


def test_the_connections_own_bundle_wins(
    connect: Connect,
    front: TlsFront,
    emulator: Control,
    emulator_server: EmulatorServer,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import certifi

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())

    assert len(connect(tls_config(front, emulator_server, str(certificates.ca))).send(list_modules())) == 2


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_bundle_of_the_environment_that_does_not_exist_is_named(
    connect: Connect, emulator: Control, emulator_server: EmulatorServer, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "/nowhere/ca.pem")

    with pytest.raises(InvalidConnection, match=f"{variable}.*/nowhere/ca.pem"):
        connect(config_for(emulator_server.url, verify=True)).send(list_modules())


def test_a_bundle_of_the_connection_that_does_not_exist_is_named(
    connect: Connect, emulator: Control, emulator_server: EmulatorServer
) -> None:
    with pytest.raises(InvalidConnection, match=r"verify.*/nowhere/ca\.pem"):
        connect(config_for(emulator_server.url, verify="/nowhere/ca.pem")).send(list_modules())


def test_a_bundle_that_is_none_is_named(
    connect: Connect, front: TlsFront, emulator: Control, emulator_server: EmulatorServer, tmp_path: Path
) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")

    with pytest.raises(InvalidConnection, match=r"nonsense\.pem"):
        connect(tls_config(front, emulator_server, str(nonsense))).send(list_modules())


# --- opening and closing -------------------------------------------------------------------------------------------------


def test_the_synchronous_client_is_a_context_manager(config: ClientConfig) -> None:
    with ZohoCrmClient(config) as client:
        assert len(client.send(list_modules())) == 2


async def test_the_asynchronous_client_is_a_context_manager(config: ClientConfig) -> None:
    async with AsyncZohoCrmClient(config) as client:
        assert len(await client.send(list_modules())) == 2


async def test_an_asynchronous_client_that_is_not_open_says_so(config: ClientConfig) -> None:
    client = AsyncZohoCrmClient(config)
    await client.close()

    with pytest.raises(RuntimeError, match="not open"):
        await client.send(list_modules())


@pytest.mark.parametrize("api_version", ["v8", "v7"])
def test_a_url_has_host_version_and_path(config: ClientConfig, api_version: str) -> None:
    assert (
        replace(config, hosts=US, api_version=api_version).url("settings/tags")
        == f"https://www.zohoapis.com/crm/{api_version}/settings/tags"
    )
