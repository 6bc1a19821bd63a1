"""The hosts of Zoho, and that a connection's secrets go to no other."""

from __future__ import annotations

import itertools

import pytest

from airflow_provider_zcrm.api.data_centers import DATA_CENTERS, ENVIRONMENTS, Hosts, data_center_of, hosts_of, is_loopback
from airflow_provider_zcrm.api.errors import InvalidConnection

# name: accounts; the web client and the API without their first labels
ZOHO = {
    "us": ("accounts.zoho.com", "zoho.com", "zohoapis.com"),
    "eu": ("accounts.zoho.eu", "zoho.eu", "zohoapis.eu"),
    "in": ("accounts.zoho.in", "zoho.in", "zohoapis.in"),
    "au": ("accounts.zoho.com.au", "zoho.com.au", "zohoapis.com.au"),
    "jp": ("accounts.zoho.jp", "zoho.jp", "zohoapis.jp"),
    "cn": ("accounts.zoho.com.cn", "zoho.com.cn", "zohoapis.com.cn"),
    "ca": ("accounts.zohocloud.ca", "zohocloud.ca", "zohoapis.ca"),
    "sa": ("accounts.zoho.sa", "zoho.sa", "zohoapis.sa"),
    "uk": ("accounts.zoho.uk", "zoho.uk", "zohoapis.uk"),
    "ae": ("accounts.zoho.ae", "zoho.ae", "zohoapis.ae"),
}
LABELS = {"production": "www", "sandbox": "sandbox", "developer": "developer"}
WEB_LABELS = {"production": "crm", "sandbox": "crmsandbox"}
EMULATOR = "http://127.0.0.1:8080"


def both(url: str, allowed: tuple[str, ...] = ()) -> Hosts:
    """Override both URLs with one."""
    return hosts_of("us", "production", url, url, allowed)


def test_these_are_zohos_data_centers() -> None:
    assert set(DATA_CENTERS) == set(ZOHO)
    assert set(ENVIRONMENTS) == set(LABELS)


@pytest.mark.parametrize("environment", LABELS)
@pytest.mark.parametrize("name", ZOHO)
def test_a_data_center_has_its_hosts_in_each_environment(name: str, environment: str) -> None:
    accounts, web, api = ZOHO[name]
    web_url = f"https://{WEB_LABELS[environment]}.{web}" if environment in WEB_LABELS else None

    assert hosts_of(name, environment) == Hosts(name, environment, f"https://{accounts}", f"https://{LABELS[environment]}.{api}", web_url)


@pytest.mark.parametrize(("name", "environment"), [("US", "production"), ("com", "production"), ("", "production")])
def test_an_unknown_data_center_is_refused_with_those_that_exist(name: str, environment: str) -> None:
    with pytest.raises(InvalidConnection, match=r"data_center is .*us, eu, in, au, jp, cn, ca, sa, uk, ae"):
        hosts_of(name, environment)


@pytest.mark.parametrize("environment", ["", "Production", "staging"])
def test_an_unknown_environment_is_refused_with_those_that_exist(environment: str) -> None:
    with pytest.raises(InvalidConnection, match=r"environment is .*production, sandbox, developer"):
        hosts_of("us", environment)


@pytest.mark.parametrize("environment", LABELS.values())
@pytest.mark.parametrize("name", ZOHO)
def test_an_api_domain_tells_its_data_center(name: str, environment: str) -> None:
    host = f"{environment}.{ZOHO[name][2]}"

    assert data_center_of(f"https://{host}") == name
    assert data_center_of(f"https://{host.upper()}/crm") == name


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://www.zohoapis.com.evil.example",
        "evil.example/www.zohoapis.com",
        "https://accounts.zoho.com",
        "zoho.com",
        "https://[",
        "[",
    ],
)
def test_any_other_host_tells_none(url: str) -> None:
    assert data_center_of(url) is None


@pytest.mark.parametrize("written", ["www.zohoapis.eu", "WWW.ZohoAPIs.eu/", "www.zohoapis.eu:443", "zohoapis.eu", "https://zohoapis.eu"])
def test_an_api_domain_without_a_scheme_or_without_www_is_understood(written: str) -> None:
    assert data_center_of(written) == "eu"


# --- URLs of the connection ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("accounts", "api"), [(EMULATOR, None), (None, EMULATOR), (EMULATOR, ""), ("", EMULATOR)])
def test_one_url_of_two_is_refused(accounts: str | None, api: str | None) -> None:
    with pytest.raises(InvalidConnection, match="set both, or neither"):
        hosts_of("us", "production", accounts, api)


def test_empty_urls_are_none() -> None:
    assert hosts_of("eu", "production", "", "") == hosts_of("eu", "production")


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("  http://127.0.0.1  ", "http://127.0.0.1"),
        ("http://127.255.3.4:1", "http://127.255.3.4:1"),
        ("https://localhost:8443", "https://localhost:8443"),
        ("HTTP://LocalHost:81", "http://localhost:81"),
        ("http://localhost:80", "http://localhost"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://[0:0:0:0:0:0:0:1]", "http://[0:0:0:0:0:0:0:1]"),
        ("http://[::1]", "http://[::1]"),
    ],
)
def test_this_machine_is_always_allowed_also_without_tls(url: str, clean: str) -> None:
    hosts = both(url)

    assert (hosts.accounts_url, hosts.api_url) == (clean, clean)
    assert hosts.web_url is None


def test_zohos_own_hosts_are_allowed_as_they_are_in_any_case() -> None:
    hosts = hosts_of("eu", "sandbox", "HTTPS://Accounts.Zoho.EU/", "https://SANDBOX.zohoapis.eu")

    assert hosts == hosts_of("eu", "sandbox")


def test_the_port_that_a_scheme_implies_may_be_written() -> None:
    hosts = hosts_of("us", "production", "https://accounts.zoho.com:443", "https://www.zohoapis.com:443/")

    assert hosts == hosts_of("us", "production")


@pytest.mark.parametrize("url", ["http://accounts.zoho.com", "http://accounts.zoho.com:80", "http://ACCOUNTS.zoho.eu"])
@pytest.mark.parametrize("allowed", [(), ("accounts.zoho.com", "accounts.zoho.eu")])
def test_zoho_is_never_spoken_to_without_tls(url: str, allowed: tuple[str, ...]) -> None:
    with pytest.raises(InvalidConnection, match="must use https"):
        hosts_of("us", "production", url, EMULATOR, allowed)


@pytest.mark.parametrize(
    "url",
    [
        "https://www.zohoapis.com.evil.example",
        "https://evil.example",
        "https://evil.example:443",
        "https://www-zohoapis.com",
        "https://wwwXzohoapis.com",
        "https://evilzohoapis.com",
        "https://zohoapis.com.evil.example",
        "https://www.zohoapis.com.",
        "https://www.zohoapis.com:8443",
        "https://www.zohoapis.com%2eevil.example",
        "https://www.zohoapis.com\\.evil.example",
        "https://www.zohoapis.com\t.evil.example",
        "https://accounts.zoho.com",  # Zoho's, but not one that serves the API
        "https://127.0.0.1.evil.example",
        "https://localhost.evil.example",
        "https://128.0.0.1",
        "https://0.0.0.0",
        "https://2130706433",
        "https://127.1",
        "https://[::2]",
        "https://[::ffff:8.8.8.8]",
        "https://ẉww.zohoapis.com",
    ],
)
def test_a_host_that_is_not_exactly_zohos_is_refused(url: str) -> None:
    with pytest.raises(InvalidConnection, match="neither Zoho's nor this machine") as caught:
        hosts_of("us", "production", EMULATOR, url)

    assert "allowed_hosts" in caught.value.advice


@pytest.mark.parametrize(
    "url",
    [
        "https://www.zohoapis.com@evil.example",
        "https://user@www.zohoapis.com",
        "https://user:pass@www.zohoapis.com",
        "https://:pass@www.zohoapis.com",
        "https://www.zohoapis.com\\@evil.example",
        "https://www.zohoapis.com/crm",
        "https://www.zohoapis.com/@evil.example",
        "https://www.zohoapis.com?x=1",
        "https://www.zohoapis.com#x",
        "http://127.0.0.1:8080/path",
        "http://user@127.0.0.1:8080",
    ],
)
def test_a_url_is_scheme_and_host_and_nothing_else(url: str) -> None:
    with pytest.raises(InvalidConnection, match="scheme and a host only") as caught:
        hosts_of("us", "production", EMULATOR, url, ("evil.example",))

    assert "pass" not in str(caught.value)


@pytest.mark.parametrize("url", ["www.zohoapis.com", "ftp://127.0.0.1", "file:///etc/passwd", "https://", "https:///x", "//127.0.0.1", "x"])
def test_what_is_no_http_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidConnection, match="must be a URL such as"):
        hosts_of("us", "production", EMULATOR, url)


@pytest.mark.parametrize("url", ["https://[::1", "https://127.0.0.1:port", "https://127.0.0.1:99999", "https://[nonsense]"])
def test_what_cannot_be_parsed_is_refused(url: str) -> None:
    with pytest.raises(InvalidConnection, match="is not a URL"):
        hosts_of("us", "production", EMULATOR, url)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://zoho-proxy.example", "zoho-proxy.example"),
        ("http://zoho-proxy.example", "zoho-proxy.example:80"),
        ("http://zoho-proxy.example:8080", "zoho-proxy.example:8080"),
        ("https://Zoho-Proxy.example:8443", "zoho-proxy.example:8443"),
        ("https://zoho-proxy.example", "zoho-proxy.example:443"),
        ("https://[fd00::1]", "fd00::1"),
        ("https://[fd00::1]", "[fd00::1]"),
        ("https://[fd00::1]:8443", "[fd00::1]:8443"),
    ],
)
def test_the_deployment_may_allow_a_host_or_one_port_of_it(url: str, allowed: str) -> None:
    assert both(url, (allowed,)).api_url == url.lower()


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://zoho-proxy.example:8443", "zoho-proxy.example:8444"),
        ("https://zoho-proxy.example:8443", "zoho-proxy.example"),
        ("http://zoho-proxy.example", "zoho-proxy.example"),
        ("http://zoho-proxy.example", "zoho-proxy.example:443"),
        ("http://zoho-proxy.example:8080", "zoho-proxy.example"),
        ("http://[fd00::1]", "fd00::1"),
        ("https://zoho-proxy.example", "zoho-proxy.example:8443"),
        ("https://a.zoho-proxy.example", "zoho-proxy.example"),
        ("https://zoho-proxy.example.evil.example", "zoho-proxy.example"),
        ("https://example", "zoho-proxy.example"),
    ],
)
def test_what_the_deployment_allows_is_exact(url: str, allowed: str) -> None:
    with pytest.raises(InvalidConnection, match="neither Zoho's nor this machine"):
        both(url, (allowed,))


def test_both_urls_are_checked_and_the_bad_one_is_named() -> None:
    with pytest.raises(InvalidConnection, match=r"^accounts_url"):
        hosts_of("us", "production", "https://evil.example", EMULATOR)
    with pytest.raises(InvalidConnection, match=r"^api_url"):
        hosts_of("us", "production", EMULATOR, "https://evil.example")


# --- hosts that agree ----------------------------------------------------------------------------------------------------

OVERRIDES = [(name, environment) for name in ("us", "eu", "ca", "cn") for environment in LABELS]


@pytest.mark.parametrize("said", OVERRIDES, ids=str)
def test_zohos_hosts_are_those_of_the_data_center_and_the_environment_or_refused(said: tuple[str, str]) -> None:
    for accounts, api in itertools.product(("us", "eu", "ca", "cn"), OVERRIDES):
        urls = DATA_CENTERS[accounts].accounts_url, DATA_CENTERS[api[0]].api_url(api[1])
        if said[0] == accounts and said == api:
            assert hosts_of(*said, *urls) == hosts_of(*said)
            continue
        with pytest.raises(InvalidConnection) as refused:
            hosts_of(*said, *urls)
        wrong = f"accounts_url is {urls[0]}, the host of data center {accounts}"
        if accounts == said[0]:
            wrong = f"api_url is {urls[1]}, the host of data center {api[0]}, environment {api[1]}"
        assert str(refused.value).startswith(f"{wrong}; but data_center is {said[0]}")


@pytest.mark.parametrize("own", [EMULATOR, "https://zoho-proxy.example"])
def test_a_host_of_zohos_beside_one_of_ones_own_must_agree_too(own: str) -> None:
    allowed = ("zoho-proxy.example",)
    assert hosts_of("eu", "sandbox", own, "https://sandbox.zohoapis.eu", allowed).api_url == "https://sandbox.zohoapis.eu"
    assert hosts_of("eu", "sandbox", "https://accounts.zoho.eu", own, allowed).accounts_url == "https://accounts.zoho.eu"

    with pytest.raises(InvalidConnection, match=r"api_url is https://www\.zohoapis\.eu"):
        hosts_of("eu", "sandbox", own, "https://www.zohoapis.eu", allowed)
    with pytest.raises(InvalidConnection, match=r"accounts_url is https://accounts\.zoho\.com"):
        hosts_of("eu", "sandbox", "https://accounts.zoho.com", own, allowed)


def test_what_the_deployment_allows_need_not_agree_less() -> None:
    with pytest.raises(InvalidConnection, match="environment is sandbox"):
        hosts_of("us", "sandbox", "https://accounts.zoho.com", "https://www.zohoapis.com", ("www.zohoapis.com", "www.zohoapis.com:443"))


@pytest.mark.parametrize(
    ("url", "right"),
    [
        ("https://zohoapis.com", "www.zohoapis.com"),
        ("https://ZohoAPIs.eu/", "www.zohoapis.eu"),
        ("https://zohoapis.com.au", "www.zohoapis.com.au"),
        ("https://zohoapis.au", "www.zohoapis.com.au"),
        ("https://zohoapis.cn", "www.zohoapis.com.cn"),
    ],
)
def test_the_host_of_zohos_openapi_files_is_named_as_what_it_is(url: str, right: str) -> None:
    with pytest.raises(InvalidConnection, match=f"which Zoho's OpenAPI files print; Zoho's API is at {right}"):
        hosts_of("us", "production", EMULATOR, url)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "localhost.", "example", "0.0.0.0", "10.0.0.1", "::", "127.0.0.1.example"])
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)
