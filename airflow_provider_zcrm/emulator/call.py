"""A request as the handlers see it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from airflow_provider_zcrm.emulator.answers import refuse
from airflow_provider_zcrm.emulator.hosts import Host, read_host
from airflow_provider_zcrm.emulator.model import AccessToken, Org
from airflow_provider_zcrm.emulator.world import World


@dataclass(frozen=True)
class Incoming:
    """A request as it came, before anybody knows whose it is."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    form: Mapping[str, str]
    host: Host

    @classmethod
    def build(
        cls, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes, form: Mapping[str, str]
    ) -> Incoming:
        """Make one, reading the Host header."""
        return cls(method, path, query, headers, body, form, read_host(headers.get("Host", "localhost")))


@dataclass(frozen=True)
class Call:
    """A request to the CRM API, authenticated and assigned to its org."""

    world: World
    incoming: Incoming
    org: Org
    token: AccessToken
    names: Mapping[str, str]

    @property
    def query(self) -> Mapping[str, str]:
        """Return the query parameters."""
        return self.incoming.query

    @cached_property
    def now(self) -> float:
        """Return the moment of the call."""
        return self.world.now()

    def reads(self, name: str, choice: str) -> bool:
        """Return whether a reading stands at this choice."""
        return self.world.readings[name] == choice

    def json_object(self) -> dict[str, Any]:
        """Return the body, which must be a JSON object. No Content-Type is asked for: Zoho's own SDK sends none."""
        try:
            body = json.loads(self.incoming.body)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise refuse(400, "UNABLE_TO_PARSE_DATA_TYPE", "either the request body or parameters is in wrong format")
        return body

    def require(self, *permissions: str) -> None:
        """Refuse the call if the user's profile lacks one of the permissions."""
        if set(permissions) & set(self.org.missing_permissions):
            raise refuse(403, "NO_PERMISSION", "permission denied", {"permissions": list(permissions)})

    def charge(self, amount: int) -> None:
        """Charge what the call costs in all; the gateway has charged the first credit."""
        if amount > 1:
            self.world.spend_credits(self.org, amount - 1)

    def charge_for(self, number: int, per_credit: int) -> None:
        """Charge a credit for each `per_credit` of a number of records, and for the rest of them."""
        self.charge(-(-number // per_credit))
