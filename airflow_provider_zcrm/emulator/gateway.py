"""From a request to its answer: which endpoint it is for, whether it may, and what the endpoint says.

The order is: path (404), method (400), token (401), limits (429), scope (401), then the endpoint with its permissions (403).
Versions v2 to v8 are served alike. A doubled path (``/crm/v8/crm/v7/...``, an error of Zoho's documentation) is no path.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from airflow_provider_zcrm.emulator import (
    access,
    bulk_read_api,
    bulk_reads,
    mass_delete_records_api,
    mass_delete_tags_api,
    modules_api,
    oauth,
    org_api,
    record_count_api,
    record_inserts_api,
    record_tags_api,
    records_api,
    recycle_bin_api,
    search_api,
    tag_changes_api,
    tags_api,
)
from airflow_provider_zcrm.emulator.answers import Answer, Refused, envelope, html_page, refuse
from airflow_provider_zcrm.emulator.call import Call, Incoming
from airflow_provider_zcrm.emulator.clock import iso
from airflow_provider_zcrm.emulator.editions import credits_per_day
from airflow_provider_zcrm.emulator.jobs import settle
from airflow_provider_zcrm.emulator.model import AccessToken, Org
from airflow_provider_zcrm.emulator.world import World

log = logging.getLogger(__name__)

VERSION = r"(?P<version>v(?:2\.1|[2-8]))"
HEADERS = {
    "Content-Disposition": "attachment; filename=response.json",
    "Cache-Control": "no-store, no-cache, must-revalidate, private",
    "Pragma": "no-cache",
    "X-Frame-Options": "DENY",
    "clientVersion": "emulator",
    "clientsubVersion": "emulator",
}


@dataclass(frozen=True)
class Operation:
    """One method of one path: its handler, the scopes of which the token needs one, and a scope that it needs besides."""

    handler: Callable[[Call], Answer]
    scopes: tuple[str, ...]
    and_scope: str | None = None


SETTINGS = "ZohoCRM.settings.ALL"
READ_TAGS = (SETTINGS, "ZohoCRM.settings.tags.ALL", "ZohoCRM.settings.tags.READ")
DELETE_TAGS = (SETTINGS, "ZohoCRM.settings.tags.ALL", "ZohoCRM.settings.tags.WRITE", "ZohoCRM.settings.tags.DELETE")
UPDATE_TAGS = (SETTINGS, "ZohoCRM.settings.tags.ALL", "ZohoCRM.settings.tags.WRITE", "ZohoCRM.settings.tags.UPDATE")
CREATE_TAGS = (SETTINGS, "ZohoCRM.settings.tags.ALL", "ZohoCRM.settings.tags.WRITE", "ZohoCRM.settings.tags.CREATE")
READ_MODULES = (SETTINGS, "ZohoCRM.settings.modules.ALL", "ZohoCRM.settings.modules.READ")
DELETE_RECORDS = ("ZohoCRM.mass_delete.DELETE", "ZohoCRM.mass_delete.{module}.DELETE")
READ_RECORDS = bulk_read_api.READ_RECORDS
TAG_RECORDS = ("ZohoCRM.modules.ALL", "ZohoCRM.modules.{module}.ALL", "ZohoCRM.modules.{module}.WRITE")
CREATE_RECORDS = ("ZohoCRM.modules.ALL", *(f"ZohoCRM.modules.{{module}}.{kind}" for kind in ("ALL", "WRITE", "CREATE")))
SEARCH = "ZohoSearch.securesearch.READ"
READ_BULK = ("ZohoCRM.bulk.ALL", "ZohoCRM.bulk.READ")
READ_BIN = (SETTINGS, "ZohoCRM.settings.recycle_bin.ALL", "ZohoCRM.settings.recycle_bin.READ")
RESTORE = (
    SETTINGS,
    "ZohoCRM.settings.recycle_bin.ALL",
    "ZohoCRM.settings.recycle_bin.WRITE",
    "ZohoCRM.settings.recycle_bin.UPDATE",
)
READ_DELETES = ("ZohoCRM.mass_delete.READ", "ZohoCRM.mass_delete.{module}.READ")

OPERATIONS: dict[str, dict[str, Operation]] = {
    "/crm/{version}/org": {"GET": Operation(org_api.get_org, ("ZohoCRM.org.ALL", "ZohoCRM.org.READ"))},
    "/crm/{version}/settings/modules": {"GET": Operation(modules_api.list_modules, READ_MODULES)},
    "/crm/{version}/settings/modules/{module}": {"GET": Operation(modules_api.get_module, READ_MODULES)},
    "/crm/{version}/settings/tags": {
        "GET": Operation(tags_api.list_tags, READ_TAGS),
        "POST": Operation(tags_api.create_tags, CREATE_TAGS),
        "PUT": Operation(tag_changes_api.update_tags, UPDATE_TAGS),
    },
    "/crm/{version}/settings/tags/actions/mass_delete": {
        "GET": Operation(mass_delete_tags_api.status, READ_TAGS),
        "POST": Operation(mass_delete_tags_api.submit, DELETE_TAGS),
    },
    "/crm/{version}/settings/tags/{id}": {
        "DELETE": Operation(tags_api.delete_tag, DELETE_TAGS),
        "PUT": Operation(tag_changes_api.update_tag, UPDATE_TAGS),
    },
    "/crm/{version}/settings/tags/{id}/actions/merge": {"POST": Operation(tag_changes_api.merge, CREATE_TAGS)},
    "/crm/{version}/settings/tags/{id}/actions/records_count": {"GET": Operation(tags_api.count_records, READ_TAGS)},
    "/crm/{version}/settings/recycle_bin": {"GET": Operation(recycle_bin_api.list_records, READ_BIN)},
    "/crm/{version}/settings/recycle_bin/{id}": {"GET": Operation(recycle_bin_api.get_record, READ_BIN)},
    "/crm/{version}/settings/recycle_bin/actions/restore": {"POST": Operation(recycle_bin_api.restore, RESTORE)},
    "/crm/{version}/settings/recycle_bin/{id}/actions/restore": {"POST": Operation(recycle_bin_api.restore_one, RESTORE)},
    "/crm/{version}/{module}/actions/mass_delete": {
        "GET": Operation(mass_delete_records_api.status, READ_DELETES),
        "POST": Operation(mass_delete_records_api.submit, DELETE_RECORDS),
    },
    "/crm/{version}/{module}/actions/count": {"GET": Operation(record_count_api.count_records, READ_RECORDS)},
    "/crm/bulk/{version}/read": {"POST": Operation(bulk_read_api.create, READ_BULK)},
    "/crm/bulk/{version}/read/{job}": {"GET": Operation(bulk_read_api.details, READ_BULK)},
    "/crm/bulk/{version}/read/{job}/result": {"GET": Operation(bulk_read_api.result, READ_BULK)},
    "/crm/{version}/{module}": {
        "GET": Operation(records_api.get_records, READ_RECORDS),
        "POST": Operation(record_inserts_api.insert_records, CREATE_RECORDS),
    },
    "/crm/{version}/{module}/search": {"GET": Operation(search_api.search, READ_RECORDS, and_scope=SEARCH)},
    "/crm/{version}/{module}/actions/add_tags": {
        "POST": Operation(record_tags_api.add_tags, (*TAG_RECORDS, "ZohoCRM.modules.{module}.CREATE")),
    },
    "/crm/{version}/{module}/actions/remove_tags": {"POST": Operation(record_tags_api.remove_tags, TAG_RECORDS)},
    "/crm/{version}/{module}/{record}/actions/add_tags": {
        "POST": Operation(record_tags_api.add_tags, (*TAG_RECORDS, "ZohoCRM.modules.{module}.CREATE")),
    },
    "/crm/{version}/{module}/{record}/actions/remove_tags": {"POST": Operation(record_tags_api.remove_tags, TAG_RECORDS)},
}
ACCOUNTS: dict[str, Callable[[World, Incoming], Answer]] = {"/oauth/v2/token": oauth.token, "/oauth/v2/token/revoke": oauth.revoke}


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template.replace("{version}", VERSION)))


ROUTES = [(template, _pattern(template), methods) for template, methods in OPERATIONS.items()]


def operation_name(incoming: Incoming) -> str:
    """Return what a request is counted as: its method and path, with names in place of ids."""
    if incoming.path in ACCOUNTS:
        return f"{incoming.method} {incoming.path}"
    return f"{incoming.method} {next((template for template, _, _ in _matching(incoming)), '(no such path)')}"


def _matching(incoming: Incoming) -> list[tuple[str, Mapping[str, str], dict[str, Operation]]]:
    return [
        (template, match.groupdict(), methods)
        for template, pattern, methods in ROUTES
        if (match := pattern.fullmatch(incoming.path)) is not None
    ]


def answer(world: World, incoming: Incoming, token: AccessToken | None, at_once: int) -> Answer:
    """Answer a request; `token` is its valid access token, `at_once` how many requests of its org are under way."""
    try:
        result = _answer(world, incoming, token, at_once)
    except Refused as refused:
        result = refused.answer
    except Exception:  # the emulator's own mistake: tell it as Zoho tells its own, and log it
        log.exception("The emulator failed at %s", operation_name(incoming))
        result = Answer(500, envelope("INTERNAL_ERROR", "Internal Server Error"))
    return replace(result, headers={**HEADERS, **result.headers})


def _answer(world: World, incoming: Incoming, token: AccessToken | None, at_once: int) -> Answer:
    if not incoming.host.known and world.readings["unknown_hosts"] == "html":
        return html_page(404, "Page not found")
    if incoming.path in ACCOUNTS:
        if incoming.method != "POST":
            return html_page(405, "Method not allowed")
        return ACCOUNTS[incoming.path](world, incoming)
    return _answer_crm(world, incoming, token, at_once)


def _answer_crm(world: World, incoming: Incoming, token: AccessToken | None, at_once: int) -> Answer:
    found = _matching(incoming)
    if not found:
        raise refuse(404, "INVALID_URL_PATTERN", "Please check if the URL trying to access is a correct one")
    _, names, methods = found[0]
    operation = methods.get(incoming.method)
    if operation is None:
        raise refuse(400, "INVALID_REQUEST_METHOD", "The http request method type is not a valid one")
    if token is None:
        raise access.no_token(incoming)
    org = world.org_of(token)
    access.check_limits(world, org, at_once)
    access.check_scope(world, incoming, token, _scopes(world, org, operation, names))
    if operation.and_scope is not None:
        access.check_scope(world, incoming, token, [operation.and_scope])
    world.spend_credits(org, 1)
    settle(org, world.now())
    recycle_bin_api.settle(org, world.now())
    bulk_reads.settle(org, world.readings, world.now())
    world.renew_search_index(org)
    result = operation.handler(Call(world, incoming, org, token, names))
    return replace(result, headers={**result.headers, **_account(world, org, token)})


def _scopes(world: World, org: Org, operation: Operation, names: Mapping[str, str]) -> list[str]:
    module = org.module_named(names.get("module", ""))
    scope_name = names.get("module", "").lower() if module is None else module.scope_name
    scopes = [scope.format(module=scope_name) for scope in operation.scopes]
    if operation.scopes == DELETE_RECORDS and world.readings["records_scope"] == "modules_all":
        scopes.append("ZohoCRM.modules.ALL")
    return scopes


def _account(world: World, org: Org, token: AccessToken) -> dict[str, str]:
    """Return the headers about the token and the credits; those are named only when half of them are gone."""
    headers = {"X-ACCESSTOKEN-RESET": iso(token.expires_at, org.utc_offset)}
    left = world.credits_left(org)
    if left * 2 <= credits_per_day(org):
        headers["X-API-CREDITS-REMAINING"] = str(max(0, left))
    return headers
