"""The fields of a ``zoho_crm`` connection, as one table: all forms of Airflow's are made of it.

Airflow 3.2 and later read the form from the provider's metadata (``conn-fields``, ``ui-field-behaviour``); before that from two
methods of the hook, whose forms have no readable labels for choices. Imports no Airflow, because `get_provider_info` reads it at the
start of every Airflow process. Login holds the client id and password the client secret; everything else stands in extra under the
names of this table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from airflow_provider_zcrm.api.data_centers import DATA_CENTERS, ENVIRONMENTS


@dataclass(frozen=True)
class Field:
    """One field of extra: its name, its label in the form, what it means, and its JSON schema."""

    name: str
    label: str
    description: str
    schema: dict[str, Any] = field(default_factory=dict)

    def conn_field(self) -> dict[str, Any]:
        """Return the field as Airflow's provider metadata wants it."""
        schema = {"type": ["string", "null"], **self.schema}
        return {"label": self.label, "description": self.description, "schema": schema}

    @property
    def secret(self) -> bool:
        """Whether the form hides what is typed."""
        return self.schema.get("format") == "password"

    @property
    def choices(self) -> dict[str, str]:
        """The values that can be chosen, with their labels; none for a free text."""
        return dict(self.schema.get("values_display", {}))


def _choice(labels: dict[str, str], default: str | None = None) -> dict[str, Any]:
    schema: dict[str, Any] = {"enum": list(labels), "values_display": labels}
    return schema if default is None else {**schema, "type": "string", "default": default}


FIELDS = (
    Field(
        "refresh_token",
        "Refresh token",
        "Made once for this client; it does not expire. 'python -m airflow_provider_zcrm connect' makes it and this whole connection. "
        "Empty for client credentials.",
        {"format": "password"},
    ),
    Field(
        "data_center",
        "Data center",
        "Where the Zoho account lives: the end of the address at which you use Zoho CRM.",
        _choice({c.name: f"{c.label} ({c.domain})" for c in DATA_CENTERS.values()}, "us"),
    ),
    Field(
        "environment",
        "Environment",
        "Chosen in Zoho when the refresh token was made; a token of one does not work in another.",
        _choice({name: name.capitalize() for name in ENVIRONMENTS}, "production"),
    ),
    Field(
        "grant_type",
        "Grant type",
        "How access tokens are made.",
        _choice({"refresh_token": "Refresh token", "client_credentials": "Client credentials"}, "refresh_token"),
    ),
    Field("zsoid", "Org id (zsoid)", "Only for client credentials: the org's zgid, from Setup > Company Details."),
    Field("scope", "Scopes", "Only for client credentials: the scopes, separated by commas."),
    Field("api_version", "API version", "Of Zoho's REST API.", {"default": "v8"}),
    Field(
        "accounts_url", "Accounts URL", "Replaces the data center's accounts host, together with the API URL: for a proxy or the emulator."
    ),
    Field("api_url", "API URL", "Replaces the data center's API host, together with the accounts URL."),
    Field(
        "request_timeout",
        "Request timeout (s)",
        "Seconds that one call may take. Empty: [zoho_crm] request_timeout of the Airflow configuration, 30.",
        {"type": ["number", "null"], "minimum": 0.1},
    ),
    Field(
        "max_concurrency",
        "Calls at once",
        "At most so many calls at once in each process; Zoho allows an org 5 to 25.",
        {"type": ["integer", "null"], "minimum": 1, "maximum": 25, "default": 5},
    ),
    Field(
        "shared_store",
        "Shared store",
        "Where the processes of this Airflow share one access token, encrypted. Empty: [zoho_crm] shared_store of the Airflow "
        "configuration, an Airflow Variable.",
        _choice({"variable": "Airflow Variable", "file": "Directory of each host", "memory": "Not shared"}),
    ),
    Field("verify", "CA bundle", "Path of a CA bundle, for a proxy with its own certificate."),
)

UI_FIELD_BEHAVIOUR: dict[str, Any] = {
    "hidden-fields": ["host", "port", "schema"],
    "relabeling": {"login": "Client ID", "password": "Client secret"},
    "placeholders": {"login": "1000.XXXXXXXXXXXXXXXX", "password": "of the same client in Zoho's API console"},
}
