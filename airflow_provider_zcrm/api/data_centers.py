"""Zoho's data centres, their environments, and the only hosts to which a connection may send its secrets.

Zoho: crm/developer/docs/api/v8/multi-dc.html; accounts/protocol/oauth/multi-dc.html. Canada's accounts and web hosts are
``zohocloud.ca``, its API hosts ``zohoapis.ca``. The environments ``sandbox`` and ``developer`` have API hosts of their own.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from airflow_provider_zcrm.api.errors import InvalidConnection

ENVIRONMENTS = ("production", "sandbox", "developer")
_API_HOST = {"production": "www", "sandbox": "sandbox", "developer": "developer"}
_WEB_HOST = {"production": "crm", "sandbox": "crmsandbox"}


@dataclass(frozen=True)
class DataCenter:
    """One data centre: its short name, the domain of accounts and web hosts, and the domain of the API hosts."""

    name: str
    label: str
    domain: str
    api_domain: str

    @property
    def accounts_url(self) -> str:
        """Where access tokens are made."""
        return f"https://accounts.{self.domain}"

    def web_url(self, environment: str) -> str | None:
        """Where people use Zoho CRM, None where no source tells: the environment ``developer``."""
        return f"https://{_WEB_HOST[environment]}.{self.domain}" if environment in _WEB_HOST else None

    @property
    def console_url(self) -> str:
        """Where people make clients and grant codes."""
        return f"https://api-console.{self.domain}"

    def api_url(self, environment: str) -> str:
        """Where the REST API of an environment answers."""
        return f"https://{_API_HOST[environment]}.{self.api_domain}"


DATA_CENTERS = {
    center.name: center
    for center in (
        DataCenter("us", "United States", "zoho.com", "zohoapis.com"),
        DataCenter("eu", "Europe", "zoho.eu", "zohoapis.eu"),
        DataCenter("in", "India", "zoho.in", "zohoapis.in"),
        DataCenter("au", "Australia", "zoho.com.au", "zohoapis.com.au"),
        DataCenter("jp", "Japan", "zoho.jp", "zohoapis.jp"),
        DataCenter("cn", "China", "zoho.com.cn", "zohoapis.com.cn"),
        DataCenter("ca", "Canada", "zohocloud.ca", "zohoapis.ca"),
        DataCenter("sa", "Saudi Arabia", "zoho.sa", "zohoapis.sa"),
        DataCenter("uk", "United Kingdom", "zoho.uk", "zohoapis.uk"),
        DataCenter("ae", "United Arab Emirates", "zoho.ae", "zohoapis.ae"),
    )
}


@dataclass(frozen=True)
class Hosts:
    """Where a connection sends its requests; ``web_url`` is for links only, and None where the API is not Zoho's own."""

    data_center: str
    environment: str
    accounts_url: str
    api_url: str
    web_url: str | None

    @property
    def overridden(self) -> bool:
        """Whether the connection names hosts that are not those of its data centre and environment."""
        center = DATA_CENTERS[self.data_center]
        return (self.accounts_url, self.api_url) != (center.accounts_url, center.api_url(self.environment))


def hosts_of(
    data_center: str,
    environment: str,
    accounts_url: str | None = None,
    api_url: str | None = None,
    allowed_hosts: Collection[str] = (),
) -> Hosts:
    """Return the hosts of a connection.

    :param accounts_url: overrides the data centre's accounts host, together with ``api_url``.
    :param allowed_hosts: the hosts besides Zoho's and loopback that the deployment allows: ``host`` (https and port 443 only), or
        ``host:port``.
    :raises InvalidConnection: unknown data centre or environment; one URL of two; a host that is not allowed; a host of Zoho's that is
        another data centre's or environment's
    """
    center = DATA_CENTERS.get(data_center)
    if center is None:
        raise InvalidConnection(f"data_center is {data_center!r}; it must be one of {', '.join(DATA_CENTERS)}.")
    if environment not in ENVIRONMENTS:
        raise InvalidConnection(f"environment is {environment!r}; it must be one of {', '.join(ENVIRONMENTS)}.")
    if bool(accounts_url) != bool(api_url):
        given, missing = ("accounts_url", "api_url") if accounts_url else ("api_url", "accounts_url")
        raise InvalidConnection(f"{given} is set without {missing}: set both, or neither.")
    if not accounts_url or not api_url:
        return Hosts(data_center, environment, center.accounts_url, center.api_url(environment), center.web_url(environment))
    accounts_url = _checked("accounts_url", accounts_url, allowed_hosts, _ACCOUNTS_URLS)
    return agreed_hosts(data_center, environment, accounts_url, _checked("api_url", api_url, allowed_hosts, _API_URLS))


def agreed_hosts(data_center: str, environment: str, accounts_url: str, api_url: str) -> Hosts:
    """Return a connection's own hosts, which are allowed, for a data centre and an environment.

    :raises InvalidConnection: a host of Zoho's that is another data centre's or environment's
    """
    center = DATA_CENTERS[data_center]
    own_api_url = center.api_url(environment)
    _check_agreement("accounts_url", accounts_url, center.accounts_url, _ACCOUNTS_URLS, f"data_center is {data_center}")
    _check_agreement("api_url", api_url, own_api_url, _API_URLS, f"data_center is {data_center} and environment is {environment}")
    return Hosts(data_center, environment, accounts_url, api_url, center.web_url(environment) if api_url == own_api_url else None)


def data_center_of(api_domain: str) -> str | None:
    """Return the data centre to which the ``api_domain`` of a token response belongs, with or without a scheme; None if none of Zoho's."""
    try:
        host = urlsplit(api_domain if "://" in api_domain else f"//{api_domain}").hostname
    except ValueError:
        return None
    for center in DATA_CENTERS.values():
        if host in {center.api_domain, *(urlsplit(center.api_url(environment)).hostname for environment in ENVIRONMENTS)}:
            return center.name
    return None


_ACCOUNTS_URLS = {center.accounts_url: f"data center {center.name}" for center in DATA_CENTERS.values()}
_API_URLS = {
    center.api_url(environment): f"data center {center.name}, environment {environment}"
    for center in DATA_CENTERS.values()
    for environment in ENVIRONMENTS
}


def _check_agreement(field: str, url: str, own: str, zoho: Mapping[str, str], said: str) -> None:
    """Refuse a host of Zoho's that is not the connection's.

    :param own: the host that the table has for the connection.
    :param zoho: what each of Zoho's hosts is for.
    :param said: what the connection says.
    """
    if url in zoho and url != own:
        raise InvalidConnection(
            f"{field} is {url}, the host of {zoho[url]}; but {said}, whose host is {own}.",
            advice="Leave accounts_url and api_url empty: data_center and environment choose Zoho's hosts.",
        )


# Zoho's OpenAPI files print hosts without "www.", two of them with an end that Zoho does not use
_NOT_THE_API = {f"zohoapis.{end}": center for center in DATA_CENTERS.values() for end in (center.api_domain.partition(".")[2], center.name)}


def _checked(field: str, url: str, allowed_hosts: Collection[str], zoho: Collection[str]) -> str:
    """Return the URL as scheme, host and port alone, or refuse it."""
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise InvalidConnection(f"{field} is not a URL: {error}.") from None
    if parts.scheme not in ("http", "https") or not host:
        raise InvalidConnection(f"{field} must be a URL such as https://www.zohoapis.com.")
    if parts.username or parts.password or parts.path.strip("/") or parts.query or parts.fragment:
        raise InvalidConnection(f"{field} must hold a scheme and a host only: no user, path or query.")
    name = f"[{host}]" if ":" in host else host
    implied = {"http": 80, "https": 443}[parts.scheme]
    clean = f"{parts.scheme}://{name}" + (f":{port}" if port not in (None, implied) else "")
    if parts.scheme == "http" and f"https://{name}" in zoho:
        raise InvalidConnection(f"{field} must use https: the secrets of the connection would travel in clear.")
    usual = clean == f"https://{name}"
    trusted = is_loopback(host) or f"{name}:{port or implied}" in allowed_hosts or (usual and not {host, name}.isdisjoint(allowed_hosts))
    if not trusted and host in _NOT_THE_API:
        right = _NOT_THE_API[host].api_url("production")
        raise InvalidConnection(
            f"{field} names the host {host}, which Zoho's OpenAPI files print; Zoho's API is at {urlsplit(right).hostname}.",
            advice="Leave accounts_url and api_url empty: data_center and environment choose Zoho's hosts.",
        )
    if not trusted and clean not in zoho:
        raise InvalidConnection(
            f"{field} names the host {name}, which is neither Zoho's nor this machine.",
            advice="Whoever runs this Airflow can allow it in the configuration: [zoho_crm] allowed_hosts, as host for https and port 443, "
            "else as host:port.",
        )
    return clean


def is_loopback(host: str) -> bool:
    """Return whether a host name means this machine: localhost, 127.0.0.0/8 or ::1."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
