"""Answers as Zoho's documents have them: bodies for the tests of everything that reads one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from airflow_provider_zcrm.api.call import ApiRequest, ApiResponse

READ = ApiRequest("GET", "settings/tags", scope="ZohoCRM.settings.tags.READ", params={"module": "Leads"})
SUBMIT = ApiRequest("POST", "settings/tags/actions/mass_delete", scope="ZohoCRM.settings.tags.DELETE", json={}, may_repeat=False)
HTML = "<!DOCTYPE html><html><head><title>Zoho</title></head><body><h1>Bad gateway</h1></body></html>"


def answer(status: int, body: Any = "", headers: Mapping[str, str] | None = None) -> ApiResponse:
    """Return a response; a body that is text or bytes stays as it is, anything else becomes JSON."""
    raw = body if isinstance(body, (bytes, str)) else json.dumps(body, ensure_ascii=False)
    return ApiResponse(status, dict(headers or {}), raw if isinstance(raw, bytes) else raw.encode())


def envelope(code: Any, message: str = "a message", **details: Any) -> dict[str, Any]:
    """Return Zoho's error envelope."""
    return {"code": code, "details": details, "message": message, "status": "error"}
