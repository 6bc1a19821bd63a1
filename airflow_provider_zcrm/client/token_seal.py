"""How an access token looks in a store that others can read: encrypted, and under a name that tells nothing.

Key and name come from the client secret and the refresh token (HKDF-SHA256), bound to accounts host, client id, environment and
scope. Who can read the connection can decrypt; nobody else. Other credentials make another key and another name, so a rotated
secret takes effect at once, and a connection that was edited to point elsewhere cannot take a token along.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from airflow_provider_zcrm.client.config import ClientConfig

_FORMAT = 1


class TokenSeal:
    """Seals and opens values for one connection.

    :ivar name: under which the value is stored.
    """

    def __init__(self, config: ClientConfig) -> None:
        form = config.credentials.form()
        secrets = [form["client_secret"], form.get("refresh_token") or form.get("soid")]
        self._bound_to = {
            "format": _FORMAT,
            "accounts_url": config.hosts.accounts_url,
            "api_url": config.hosts.api_url,
            "environment": config.hosts.environment,
        }
        info = json.dumps(["airflow-provider-zcrm", self._bound_to, config.credentials.client_id, form.get("scope", "")]).encode()
        secret = json.dumps(secrets).encode()
        self._fernet = Fernet(base64.urlsafe_b64encode(_derive(secret, b"seal" + info)))
        name = HMAC(_derive(secret, b"name" + info), hashes.SHA256())
        name.update(info)
        self.name = "zoho_crm_token_" + name.finalize().hex()[:32]

    def seal(self, value: Mapping[str, Any]) -> str:
        """Return JSON values, encrypted."""
        return self._fernet.encrypt(json.dumps({**self._bound_to, **value}).encode()).decode()

    def open(self, sealed: str | None) -> Mapping[str, Any]:
        """Return what was sealed, or nothing if it is absent, unreadable, or another connection's."""
        try:
            value = json.loads(self._fernet.decrypt((sealed or "").encode()))
        except (InvalidToken, ValueError):
            return {}
        return value if self._bound_to.items() <= value.items() else {}


def _derive(secret: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info).derive(secret)
