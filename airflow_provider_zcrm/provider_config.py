"""The section ``[zoho_crm]`` of the Airflow configuration, as one table: the metadata, the code and the documentation are made of it.

Imports no Airflow, because `get_provider_info` reads it at the start of every Airflow process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SECTION = "zoho_crm"


@dataclass(frozen=True)
class Option:
    """One option: its name, what it means, its type and default as Airflow's metadata writes them, and an example."""

    name: str
    description: str
    type: str
    default: str
    example: str

    def metadata(self) -> dict[str, Any]:
        """Return the option as Airflow's provider metadata wants it."""
        return {
            "description": self.description,
            "version_added": "0.1.0",
            "type": self.type,
            "example": self.example,
            "default": self.default,
        }


OPTIONS = (
    Option(
        "allowed_hosts",
        "Hosts, separated by commas, to which a connection's accounts_url and api_url may point besides Zoho's own hosts and this machine, "
        "as host (https and port 443 only) or host:port.",
        "string",
        default="",
        example="zoho-proxy.internal.example",
    ),
    Option(
        "request_timeout",
        "Seconds that one call to Zoho may take, where the connection has no request_timeout.",
        "float",
        default="30",
        example="60",
    ),
    Option(
        "shared_store",
        "Where the processes of this Airflow share access tokens, where the connection has no shared_store: variable, file or memory.",
        "string",
        default="variable",
        example="file",
    ),
    Option(
        "token_directory",
        "Directory, of this user and closed to others, for the locks of token requests and for the shared store 'file'. "
        "Empty: airflow-provider-zcrm-<uid> in the directory for temporary files.",
        "string",
        default="",
        example="/var/lib/airflow/zoho-crm",
    ),
    Option(
        "shortest_poll_interval",
        "Seconds between the first polls of a mass-delete job, where the task has no poke_interval; at least 1.",
        "float",
        default="5",
        example="15",
    ),
    Option(
        "longest_poll_interval",
        "Seconds beyond which the polls of a mass-delete job never grow apart, where the task has no poke_interval.",
        "float",
        default="1800",
        example="300",
    ),
    Option(
        "settle",
        "Seconds for which the list of tags must not change before tags of a submission whose answer was lost are submitted again.",
        "float",
        default="300",
        example="600",
    ),
    Option(
        "unknown_job_grace",
        "Seconds for which Zoho may not know a mass-delete job that it has just accepted, before the job counts as lost.",
        "float",
        default="60",
        example="120",
    ),
)
DEFAULTS = {option.name: option.default for option in OPTIONS}
