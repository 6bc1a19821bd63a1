"""The credentials of an org, from the file that ``connect --to json --file FILE`` writes, and the two hosts that they may go to."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from airflow_provider_zcrm.emulator.hosts import ACCOUNTS_DOMAINS, API_DOMAINS, ENVIRONMENTS, is_loopback
from airflow_provider_zcrm.emulator.probe.names import Refusal

HOW_TO_GET_ONE = (
    "It is what 'python -m airflow_provider_zcrm connect --to json --file FILE --features tags,records,backup,restore,org' writes."
)


@dataclass(frozen=True)
class Credentials:
    """Where an org is, and what gets an access token there. `environment` is what the file says, or None."""

    accounts_url: str
    api_url: str
    grant: dict[str, str] = field(repr=False)
    environment: str | None
    version: str

    @property
    def secrets(self) -> list[str]:
        """Return what must be in no output."""
        return [value for name, value in self.grant.items() if name not in ("grant_type", "scope") and value]


def read_credentials(path: Path) -> Credentials:
    """Read a connection to Zoho CRM from a file.

    :raises Refusal: it holds none, or one to a host that is neither Zoho's nor this machine
    """
    try:
        connection = json.loads(path.read_text(encoding="utf-8"))
        extra = connection.get("extra") or {}
        extra = json.loads(extra) if isinstance(extra, str) else extra
        client = {"client_id": _text(connection, "login"), "client_secret": _text(connection, "password")}
        grant = client | _grant(extra)
    except OSError as error:
        raise Refusal(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, AttributeError, KeyError, TypeError):
        raise Refusal(f"{path} holds no connection to Zoho CRM with its credentials. {HOW_TO_GET_ONE}") from None
    accounts_url, api_url = _hosts(extra)
    return Credentials(accounts_url, api_url, grant, _optional(extra, "environment"), _version(extra))


def _text(values: dict[str, Any], name: str) -> str:
    text = str(values[name] or "").strip()
    if not text:
        raise KeyError(name)
    return text


def _optional(values: dict[str, Any], name: str) -> str | None:
    return _text(values, name) if values.get(name) else None


def _grant(extra: dict[str, Any]) -> dict[str, str]:
    if extra.get("grant_type") == "client_credentials":
        return {"grant_type": "client_credentials", "soid": f"ZohoCRM.{_text(extra, 'zsoid')}", "scope": _text(extra, "scope")}
    return {"grant_type": "refresh_token", "refresh_token": _text(extra, "refresh_token")}


def _version(extra: dict[str, Any]) -> str:
    version = _optional(extra, "api_version") or "v8"
    if not version.replace(".", "").isalnum():
        raise Refusal(f"api_version is {version!r}; v8 is one.")
    return version


def _hosts(extra: dict[str, Any]) -> tuple[str, str]:
    """Return the accounts URL and the API URL: Zoho's own, or those of the file if they are Zoho's or this machine's."""
    data_center = _optional(extra, "data_center") or "us"
    environment = _optional(extra, "environment") or "production"
    labels = {name: label for label, name in ENVIRONMENTS.items()}
    if data_center not in API_DOMAINS or environment not in labels:
        raise Refusal(f"There is no data center {data_center!r} with an environment {environment!r}.")
    own = f"https://accounts.{ACCOUNTS_DOMAINS[data_center]}", f"https://{labels[environment]}.{API_DOMAINS[data_center]}"
    given = [_optional(extra, name) for name in ("accounts_url", "api_url")]
    if given == [None, None]:
        return own
    for url, zohos in zip(given, own, strict=True):
        if url is None or (url.rstrip("/") != zohos and not _here(url)):
            raise Refusal(
                f"accounts_url and api_url must both be Zoho's own for {data_center} and {environment}, or both on this machine; "
                f"{url} is not. The probe sends credentials nowhere else."
            )
    return str(given[0]).rstrip("/"), str(given[1]).rstrip("/")


def _here(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and (parts.hostname == "localhost" or is_loopback(parts.hostname or ""))
