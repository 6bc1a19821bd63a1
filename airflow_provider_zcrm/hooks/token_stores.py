"""Where a connection's access tokens are shared: an Airflow Variable, a directory of this host, or nowhere.

The Variable serves all hosts. Under ``[core] multi_team`` the triggerer, which has no team, does not see a team's Variables: use
the directory there. Tokens are sealed before they get here (`airflow_provider_zcrm.client.token_seal`).
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from airflow_provider_zcrm.client.config import ClientConfig
from airflow_provider_zcrm.client.token_sharing import FileTokenStore, TokenSharing
from airflow_provider_zcrm.hooks.settings import text_setting
from airflow_provider_zcrm.version_compat import ask_airflow, get_variable, set_variable

# hosts that wake together do not ask Zoho in the same second
_SPREAD_SECONDS = 1.0


class VariableTokenStore:
    """Keeps sealed tokens as Airflow Variables, which all workers and the triggerer can read."""

    def get(self, name: str) -> str | None:
        """Return the value, None if there is none."""
        return get_variable(name)

    def put(self, name: str, value: str) -> None:
        """Keep the value, instead of an earlier one."""
        set_variable(name, value, "Zoho CRM access token, encrypted; written by airflow-provider-zcrm. May be deleted at any time.")


def token_sharing(config: ClientConfig) -> TokenSharing | None:
    """Return how the connection shares its tokens, None for not at all."""
    directory = _directory()
    if config.shared_store == "variable":
        return TokenSharing(VariableTokenStore(), directory, spread=_SPREAD_SECONDS, run=ask_airflow)
    if config.shared_store == "file":
        return TokenSharing(FileTokenStore(directory), directory)
    return None


def _directory() -> Path:
    configured = text_setting("token_directory")
    return Path(configured) if configured else Path(tempfile.gettempdir()) / f"airflow-provider-zcrm-{os.getuid()}"
