"""Seeds: from a short description of orgs to the state that the emulator starts with.

A seed is a dict (or a JSON file) with ``orgs``, ``clients``, ``readings`` and ``jobs``; what it leaves out is filled in. The built-in
seeds are ``empty`` (an org without modules), ``minimal`` (`minimal_seed`) and ``demo`` (`demo_seed`).

A tag may be written as its name, records as their number, a module as little more than its ``api_name``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from airflow_provider_zcrm.emulator import readings
from airflow_provider_zcrm.emulator.bulk_reads import BulkReadPlan
from airflow_provider_zcrm.emulator.clock import from_iso
from airflow_provider_zcrm.emulator.demo_seed import demo_seed
from airflow_provider_zcrm.emulator.editions import EDITIONS
from airflow_provider_zcrm.emulator.hosts import API_DOMAINS
from airflow_provider_zcrm.emulator.jobs import JobPlan
from airflow_provider_zcrm.emulator.minimal_seed import ALL_SCOPES, CLIENT, empty_seed, minimal_seed
from airflow_provider_zcrm.emulator.model import (
    CustomView,
    Feature,
    GrantCode,
    Module,
    OAuthClient,
    Org,
    RefreshToken,
    State,
    Tag,
    Territory,
    User,
)

BUILT_IN = {"demo": demo_seed, "minimal": minimal_seed, "empty": empty_seed}
A_TIME = "2024-03-01T09:30:00+05:30"
NEVER = 4102444800.0  # 2100-01-01: a seeded grant code is for the test to use whenever it likes
ORG_SETTINGS = (
    "edition",
    "environment",
    "data_center",
    "utc_offset",
    "users",
    "api_domain",
    "concurrency",
    "credits",
    "tags_per_module",
    "tags_per_record",
    "bulk_read_page",
    "records_by_token",
    "missing_permissions",
)
MODULE_FIELDS = [
    "generated_type",
    "status",
    "tags_supported",
    "mass_delete_supported",
    "bulk_read_supported",
    "locked_records",
    "converted_records",
    "unapproved_records",
    "refusing_records",
    "refusing_restores",
    "children",
]


def load_seed(seed: str | dict[str, Any]) -> State:
    """Build the state from a built-in seed's name, a JSON file's path, or the seed itself; raises ValueError for a bad one."""
    if isinstance(seed, dict):
        return build(seed)
    if seed in BUILT_IN:
        return build(BUILT_IN[seed]())
    path = Path(seed)
    if not path.is_file():
        raise ValueError(f"no seed {seed!r}: neither one of {', '.join(BUILT_IN)} nor a file")
    return build(json.loads(path.read_text(encoding="utf-8")))


def build(seed: dict[str, Any]) -> State:
    """Build the state that a seed describes."""
    state = State(
        readings=readings.check(seed.get("readings", {})), job_defaults=seed.get("jobs", {}), bulk_read_defaults=seed.get("bulk_reads", {})
    )
    JobPlan(**state.job_defaults)
    BulkReadPlan(**state.bulk_read_defaults)
    for client in seed.get("clients", [CLIENT]):
        state.clients[client["client_id"]] = OAuthClient(**client)
    for description in seed["orgs"]:
        org = _build_org(description)
        state.orgs[org.zgid] = org
        _add_credentials(state, org, description)
    return state


def check_org_settings(settings: dict[str, Any]) -> None:
    """Raise ValueError for a setting that an org does not have, an edition or a data centre that does not exist."""
    if not settings.keys() <= set(ORG_SETTINGS):
        raise ValueError(f"an org's settings are: {', '.join(sorted(ORG_SETTINGS))}")
    for name, known in (("edition", EDITIONS), ("data_center", API_DOMAINS)):
        if name in settings and settings[name] not in known:
            raise ValueError(f"{name} is {settings[name]!r}; it is one of {', '.join(known)}")


def _build_org(description: dict[str, Any]) -> Org:
    settings = {name: description[name] for name in ORG_SETTINGS if name in description}
    check_org_settings(settings)
    org = Org(
        zgid=description["zgid"],
        name=description.get("name", "Org " + description["zgid"]),
        id_prefix=description.get("id_prefix", description["zgid"][:7]),
        **settings,
    )
    org.owner = User(**description.get("owner", {"id": org.id_of(225013), "name": "Patricia Boyle"}))
    for module in description.get("modules", []):
        org.modules.append(_build_module(org, module))
    for territory in description.get("territories", []):
        built = Territory(**{"id": org.new_id(), **territory})
        org.territories[built.id] = built
    return org


def _build_module(org: Org, description: dict[str, Any]) -> Module:
    api_name = description["api_name"]
    label = description.get("plural_label", api_name or "Web Tab")
    module = Module(
        id=description.get("id") or org.new_id(),
        api_name=api_name,
        module_name=description.get("module_name", api_name or label),
        singular_label=description.get("singular_label", label.removesuffix("s")),
        plural_label=label,
        **{name: description[name] for name in MODULE_FIELDS if name in description},
    )
    for tag in description.get("tags", []):
        add_tag(org, module, {"name": tag} if isinstance(tag, str) else tag)
    add_records(org, module, description.get("records", 0))
    for view in description.get("custom_views", []):
        built = CustomView(id=view.get("id") or org.new_id(), name=view["name"], records=view.get("records"))
        module.custom_views[built.id] = built
    return module


def add_tag(org: Org, module: Module, description: dict[str, Any]) -> Tag:
    """Add a tag from its short description to a module."""
    created = from_iso(description.get("created_time", A_TIME))
    accessed = description.get("last_accessed_time")
    tag = Tag(
        id=description.get("id") or org.new_id(),
        name=description["name"],
        color_code=description.get("color_code", "#57B1FD"),
        created_time=created,
        modified_time=from_iso(description["modified_time"]) if "modified_time" in description else created,
        created_by=User(**description["created_by"]) if "created_by" in description else org.owner,
        modified_by=User(**description["modified_by"]) if "modified_by" in description else org.owner,
        last_accessed_time=from_iso(accessed) if accessed else None,
        features=[Feature(**{"id": org.new_id(), **feature}) for feature in description.get("features", [])],
    )
    module.tags[tag.id] = tag
    return tag


def add_records(org: Org, module: Module, records: int | dict[str, int] | list[Any]) -> list[str]:
    """Add records to a module and return their ids: so many, so many with ``tags_each``, or the id or a description of each."""
    if isinstance(records, int):
        records = {"number": records}
    if isinstance(records, dict):
        records = _spread(list(module.tags), **records)
    new = [{"id": record} if isinstance(record, str) else record for record in records if not _is_there(module, record)]
    ids = {tag.name: tag.id for tag in module.tags.values()} | {tag_id: tag_id for tag_id in module.tags}
    built = {record.get("id") or org.new_id(): [ids[tag] for tag in record.get("tags", [])] for record in new}
    module.converted_records.extend(record_id for record_id, record in zip(built, new, strict=True) if record.get("converted"))
    module.add_records(built)
    return list(built)


def _is_there(module: Module, record: Any) -> bool:
    return isinstance(record, str) and record in module.records


def _spread(tags: list[str], number: int, tags_each: int = 0) -> list[dict[str, Any]]:
    """Describe so many records that carry the tags in turn, so that each tag is on as many of them."""
    if tags_each > len(tags):
        raise ValueError(f"{tags_each} tags on each record, of {len(tags)}")
    return [{"tags": [tags[(n * tags_each + k) % len(tags)] for k in range(tags_each)]} for n in range(number)]


def _add_credentials(state: State, org: Org, description: dict[str, Any]) -> None:
    for token in description.get("refresh_tokens", []):
        client_id = token.get("client_id", CLIENT["client_id"])
        scopes = token.get("scopes", ALL_SCOPES)
        user_id = token.get("user_id", org.owner.id)
        state.refresh_tokens[token["token"]] = RefreshToken(token["token"], client_id, org.zgid, scopes, user_id)
    for code in description.get("grant_codes", []):
        client_id = code.get("client_id", CLIENT["client_id"])
        state.grant_codes[code["code"]] = GrantCode(
            code["code"], client_id, org.zgid, code.get("scopes", ALL_SCOPES), code.get("expires_at", NEVER)
        )
