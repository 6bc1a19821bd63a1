"""Records of a module, page by page: ``GET /{module}?fields=``, with the tags that each of them carries.

A record has an id, tags, a name, and is converted or not. `page` reaches 2,000 records, `page_token` 100,000; a token is good for
its user, the same parameters and 24 hours. All three orders (``sort_by``) are that of the ids.
Zoho: v8/get-records.html
"""

from __future__ import annotations

import secrets
from bisect import bisect_right
from dataclasses import dataclass
from itertools import islice
from typing import Any

from airflow_provider_zcrm.emulator.answers import Answer, Refused, refuse
from airflow_provider_zcrm.emulator.call import Call
from airflow_provider_zcrm.emulator.clock import iso
from airflow_provider_zcrm.emulator.model import Module, PageToken
from airflow_provider_zcrm.emulator.module_paths import module_of_path, record_as_json

FIELDS = ["Tag", "id", "Converted__s", "$converted"]
PARAMS = {"fields", "page", "per_page", "page_token", "sort_by", "sort_order", "approved", "converted", "cvid", "ids"}
MAX_FIELDS = 50
MAX_PER_PAGE = 200
MAX_BY_PAGE = 2_000
TOKEN_LIFETIME = 24 * 60 * 60.0
CREDITS_WITH_VIEW = 3


@dataclass(frozen=True)
class Page:
    """Which records a call asks for: `number` of them after the record `after`, `seen` having gone before."""

    per_page: int
    seen: int
    after: str | None
    descending: bool


def get_records(call: Call) -> Answer:
    """Answer ``GET /{module}``."""
    module = module_of_path(call)
    call.require(f"Crm_Implied_View_{module.api_name}")
    fields = _fields(call, module)
    page = _page(call)
    if "cvid" in call.query:
        call.charge(CREDITS_WITH_VIEW)
    found = _records(call, module, page)
    if not found:
        return Answer(204)
    shown = found[: page.per_page]
    converted = set(module.converted_records)
    data = [record_as_json(call, module, record, module.records[record], fields, record in converted) for record in shown]
    return Answer(200, {"data": data, "info": _info(call, page, shown, more=len(found) > len(shown))})


def bad_param(name: str, message: str = "invalid data") -> Refused:
    """Return the refusal of a parameter's value."""
    return refuse(400, "INVALID_DATA", message, {"param_name": name})


def _fields(call: Call, module: Module) -> list[str]:
    for name in call.query:
        if name not in PARAMS:
            raise bad_param(name)
    if not call.query.get("fields"):
        raise refuse(400, "REQUIRED_PARAM_MISSING", "required param is missing", {"param_name": "fields"})
    fields = call.query["fields"].split(",")
    if len(fields) > MAX_FIELDS:
        raise refuse(400, "LIMIT_EXCEEDED", "limit exceeded", {"limit": MAX_FIELDS, "param_name": "fields"})
    if not set(fields) <= {*FIELDS, module.name_field}:
        raise bad_param("fields")
    return fields


def number_of(call: Call, name: str, default: int, largest: int | None = None) -> int:
    """Return a parameter that is a number of 1 or more."""
    text = call.query.get(name, str(default))
    if not text.isdecimal() or int(text) < 1 or (largest is not None and int(text) > largest):
        raise bad_param(name)
    return int(text)


def _page(call: Call) -> Page:
    query = call.query
    for one, other in (("page", "page_token"), ("cvid", "sort_by")):
        if one in query and other in query:
            raise refuse(
                400,
                "AMBIGUITY_DURING_PROCESSING",
                "ambiguity while processing the request",
                {"ambiguity_due_to": [{"param_name": one}, {"param_name": other}]},
            )
    per_page = number_of(call, "per_page", MAX_PER_PAGE, MAX_PER_PAGE)
    descending = _choice(call, "sort_order", ["desc", "asc"]) == "desc"
    _choice(call, "sort_by", ["id", "Created_Time", "Modified_Time"])
    if "page_token" in query:
        token = _token(call)
        return Page(per_page, token.seen, token.after, descending)
    number = number_of(call, "page", 1)
    if number * per_page > MAX_BY_PAGE:
        message = "You can only get the first 2000 records without using page_token param"
        raise refuse(400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED", message, {"limit": MAX_BY_PAGE})
    return Page(per_page, (number - 1) * per_page, None, descending)


def _choice(call: Call, name: str, choices: list[str]) -> str:
    value = call.query.get(name, choices[0])
    if value not in choices:
        raise refuse(400, "INVALID_DATA", "invalid data", {"param_name": name, "supported_values": choices})
    return value


def _token(call: Call) -> PageToken:
    token = call.org.page_tokens.get(call.query["page_token"])
    if token is None or token.user_id != call.token.user_id:
        raise bad_param("page_token", "the token given seems to be invalid")
    if token.expires_at <= call.now:
        raise refuse(400, "EXPIRED_VALUE", "Page token expired", {"api_name": "page_token", "json_path": "$.query.page_token"})
    if token.request != _bound(call):
        message = "The page_token given seems to be invalid or input param is added or altered or deleted"
        raise refuse(400, "TOKEN_BOUND_DATA_MISMATCH", message, {"param_name": "page_token"})
    if token.seen >= call.org.records_by_token:
        message = "You can only get upto 100000 records using page_token param"
        raise refuse(400, "PAGINATION_LIMIT_EXCEEDED", message, {"param_name": "page_token"})
    return token


def _bound(call: Call) -> dict[str, Any]:
    """Return what a page token is bound to: the path and every parameter but those that turn the page."""
    return {"path": call.incoming.path, **{name: value for name, value in call.query.items() if name not in ("page", "page_token")}}


def _records(call: Call, module: Module, page: Page) -> list[str]:
    """Return the ids of the page, and one more if there is one."""
    wanted = _wanted(call, module)
    records = list(module.records)
    if page.descending:
        records.reverse()
    start, skip = 0, page.seen
    if page.after is not None:
        sign = -1 if page.descending else 1
        start, skip = bisect_right(records, sign * int(page.after), key=lambda record: sign * int(record)), 0
    matching = (record for record in islice(records, start, None) if wanted is None or record in wanted)
    return list(islice(matching, skip, skip + page.per_page + 1))


def _wanted(call: Call, module: Module) -> set[str] | None:
    """Return the records that the parameters allow, or None for all of them."""
    query = call.query
    converted = _choice(call, "converted", ["false", "true", "both"])
    approved = _choice(call, "approved", ["true", "false", "both"])
    allowed: list[set[str]] = []
    if approved == "false":
        allowed.append(set(module.unapproved_records))
    elif approved == "true" and module.unapproved_records:
        allowed.append(module.records.keys() - set(module.unapproved_records))
    if converted == "true":
        allowed.append(set(module.converted_records))
    elif converted == "false" and module.converted_records:
        allowed.append(module.records.keys() - set(module.converted_records))
    if "cvid" in query:
        view = module.custom_views.get(query["cvid"])
        if view is None:
            raise bad_param("cvid")
        allowed.append(set(module.records if view.records is None else view.records))
    if "ids" in query:
        allowed.append(set(query["ids"].split(",")))
    return set.intersection(*allowed) if allowed else None


def _info(call: Call, page: Page, shown: list[str], *, more: bool) -> dict[str, Any]:
    expires_at = call.now + TOKEN_LIFETIME
    next_token = None
    if more:
        next_token = secrets.token_hex(24)
        tokens = {key: token for key, token in call.org.page_tokens.items() if token.expires_at > call.now - TOKEN_LIFETIME}
        tokens[next_token] = PageToken(call.token.user_id, _bound(call), shown[-1], page.seen + len(shown), expires_at)
        call.org.page_tokens = tokens
    return {
        "call": False,
        "per_page": page.per_page,
        "next_page_token": next_token,
        "count": len(shown),
        "sort_by": call.query.get("sort_by", "id"),
        "page": page.seen // page.per_page + 1,
        "previous_page_token": None,
        "page_token_expiry": iso(expires_at, call.org.utc_offset) if more else None,
        "sort_order": call.query.get("sort_order", "desc"),
        "email": False,
        "more_records": more,
    }
