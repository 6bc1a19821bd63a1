"""Modules: which there are, and the id that goes with an API name.

Ids differ per org and per environment. API names are case-sensitive and differ from what the UI shows (Deals is the tab Potentials).
Zoho: crm/developer/docs/api/v8/modules-api.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_zcrm.api.answers import decode, id_of, unexpected
from airflow_provider_zcrm.api.call import ApiCall, ApiRequest, ApiResponse
from airflow_provider_zcrm.api.errors import InvalidModule


@dataclass(frozen=True)
class Module:
    """A module: ``id``, ``api_name`` (None for a web tab), and whether the API serves it.

    :param label: what Zoho's own pages call it, in the plural.
    :param kind: ``default``, ``custom``, ``web``, ``linking``, ...; empty where Zoho does not say it.
    :param visible: whether it is neither hidden nor about to be deleted.
    """

    id: str
    api_name: str | None
    api_supported: bool = True
    label: str = ""
    kind: str = ""
    visible: bool = True


def in_path(module: str) -> str:
    """Return the API name of a module as it stands in a path.

    :raises InvalidModule: it cannot be one, and would change the path
    """
    if not re.fullmatch(r"\w+", module, re.ASCII):
        raise InvalidModule(f"module is {module!r}, which is not the API name of a module.")
    return module


def list_modules() -> ApiCall[list[Module]]:
    """Return the call for all modules of the org; Zoho does not page them."""
    request = ApiRequest("GET", "settings/modules", scope="ZohoCRM.settings.modules.READ")

    def parse(response: ApiResponse) -> list[Module]:
        body = decode(response, request)
        # every org has modules, so an answer without a body (204) is no answer to a question without a filter
        if not isinstance(body, dict) or not isinstance(body.get("modules"), list):
            raise unexpected("modules", response, request)
        return [_module(module_id, m) for m in body["modules"] if isinstance(m, dict) and (module_id := id_of(m.get("id")))]

    return ApiCall(request, parse)


def _module(module_id: str, value: Mapping[str, Any]) -> Module:
    texts = {name: value[name] for name in ("plural_label", "generated_type", "status") if isinstance(value.get(name), str)}
    return Module(
        module_id,
        value["api_name"] if isinstance(value.get("api_name"), str) else None,
        value.get("api_supported") is not False,
        texts.get("plural_label", ""),
        texts.get("generated_type", ""),
        texts.get("status", "visible") == "visible",
    )
