"""Zoho's own SDK with its `FileStore`."""

from __future__ import annotations

from typing import Any

import crowd
from zohocrmsdk.src.com.zoho.crm.api.modules import ModulesOperations

from tests.sdk.on_emulator import initialize


def first_call(order: dict[str, Any]) -> int:
    """Initialise the SDK and list the modules."""
    initialize(order["folder"], order["url"], {name: order[name] for name in ("client_id", "client_secret", "refresh_token")})
    return len(ModulesOperations().get_modules().get_object().get_modules())


if __name__ == "__main__":
    crowd.serve(first_call)
