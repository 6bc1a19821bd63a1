"""Zoho's host names: which data centre and environment a request was meant for.

On loopback the host says nothing, and a token of any org is good. A request that names one of Zoho's hosts (through a proxy, or with
a Host header) is held to it: a token of another data centre or environment is an INVALID_TOKEN there, a client an ``invalid_client``.
Zoho: crm/developer/docs/api/v8/multi-dc.html
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

ACCOUNTS_DOMAINS = {
    "us": "zoho.com",
    "eu": "zoho.eu",
    "in": "zoho.in",
    "au": "zoho.com.au",
    "jp": "zoho.jp",
    "cn": "zoho.com.cn",
    "ca": "zohocloud.ca",
    "sa": "zoho.sa",
    "uk": "zoho.uk",
    "ae": "zoho.ae",
}
API_DOMAINS = {
    "us": "zohoapis.com",
    "eu": "zohoapis.eu",
    "in": "zohoapis.in",
    "au": "zohoapis.com.au",
    "jp": "zohoapis.jp",
    "cn": "zohoapis.com.cn",
    "ca": "zohoapis.ca",
    "sa": "zohoapis.sa",
    "uk": "zohoapis.uk",
    "ae": "zohoapis.ae",
}
ENVIRONMENTS = {"www": "production", "sandbox": "sandbox", "developer": "developer"}


@dataclass(frozen=True)
class Host:
    """What a Host header tells; None where it tells nothing."""

    known: bool
    data_center: str | None = None
    environment: str | None = None


def read_host(header: str) -> Host:
    """Read a Host header (``name`` or ``name:port``)."""
    name = header.rpartition(":")[0] if header.rpartition(":")[2].isdigit() else header
    name = name.strip("[]").lower()
    label, _, domain = name.partition(".")
    for data_center, api_domain in API_DOMAINS.items():
        if domain == api_domain and label in ENVIRONMENTS:
            return Host(known=True, data_center=data_center, environment=ENVIRONMENTS[label])
        if label == "accounts" and domain == ACCOUNTS_DOMAINS[data_center]:
            return Host(known=True, data_center=data_center)
    return Host(known=name == "localhost" or is_loopback(name))


def is_loopback(address: str) -> bool:
    """Return whether an IP address is one of the machine itself."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def production_api_url(data_center: str) -> str:
    """Return the ``api_domain`` that Zoho's token response names for a data centre."""
    return f"https://www.{API_DOMAINS[data_center]}"
