"""The control endpoint, ``/_control/...``: seeds, faults, readings, clock, jobs and counters over HTTP, for loopback only.

Bodies and answers are JSON; an order that makes no sense is a 400 with ``{"error": ...}``. It is no part of Zoho's API.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from typing import Any

from aiohttp import web

from airflow_provider_zcrm.emulator import readings, recycle_bin_api
from airflow_provider_zcrm.emulator.clock import iso
from airflow_provider_zcrm.emulator.counters import Counters
from airflow_provider_zcrm.emulator.emulator import Emulator
from airflow_provider_zcrm.emulator.hosts import is_loopback
from airflow_provider_zcrm.emulator.jobs import remove_tags, settle, state_of
from airflow_provider_zcrm.emulator.minimal_seed import ALL_SCOPES
from airflow_provider_zcrm.emulator.model import Feature, GrantCode, Module, Org
from airflow_provider_zcrm.emulator.seeds import add_records, add_tag, check_org_settings
from airflow_provider_zcrm.emulator.world import World

CODE_LIFETIME = 180.0
NOT_DUMPED = {"modules", "jobs", "owner", "territories", "bulk_reads", "page_tokens", "downloads", "restores"}
Body = dict[str, Any]


class ControlApi:
    """Serves the control endpoint of one emulator."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._orders: dict[tuple[str, str], Callable[[Body], Any]] = {
            ("GET", ""): self._overview,
            ("POST", "/seed"): self._seed,
            ("GET", "/faults"): lambda _: self._world.faults.listing(),
            ("POST", "/faults"): lambda body: asdict(self._world.faults.add(body)),
            ("DELETE", "/faults"): self._clear_faults,
            ("GET", "/counters"): lambda _: self._world.counters.snapshot(),
            ("DELETE", "/counters"): self._reset_counters,
            ("GET", "/requests"): lambda _: list(self._world.counters.log),
            ("GET", "/readings"): lambda _: self._world.readings,
            ("PATCH", "/readings"): self._set_readings,
            ("GET", "/readings/about"): lambda _: {name: asdict(reading) for name, reading in readings.READINGS.items()},
            ("POST", "/clock"): self._set_clock,
            ("PATCH", "/jobs/default"): self._set_job_defaults,
            ("POST", "/jobs/next"): self._plan_jobs,
            ("PATCH", "/bulk_reads/default"): self._set_bulk_read_defaults,
            ("POST", "/bulk_reads/next"): self._plan_bulk_reads,
            ("POST", "/latency"): self._set_latency,
            ("POST", "/grant_codes"): self._make_grant_code,
            ("DELETE", "/access_tokens"): self._evict_all,
            ("GET", "/orgs"): lambda _: [dump_org(self._world, org, {}) for org in self._world.state.orgs.values()],
            ("POST", "/org"): lambda body: dump_org(self._world, self._org(body), body),
            ("PATCH", "/org"): self._change_org,
            ("POST", "/tags"): self._add_tags,
            ("DELETE", "/tags"): self._remove_tags,
            ("PATCH", "/tags"): self._use_tags,
            ("POST", "/records"): self._add_records,
            ("PATCH", "/records"): self._tag_records,
            ("DELETE", "/recycle_bin"): self._empty_bin,
            ("POST", "/tagged"): self._tagged,
        }

    @property
    def _world(self) -> World:
        return self._emulator.world

    async def handle(self, request: web.Request) -> web.Response:
        """Answer a control request."""
        if not is_loopback(request.remote or ""):
            return web.json_response({"error": "the control endpoint answers loopback only"}, status=403)
        path = request.match_info["path"].rstrip("/")
        order = self._orders.get((request.method, path))
        if order is None:
            known = ", ".join(f"{method} /_control{path}" for method, path in self._orders)
            return web.json_response({"error": f"no such order; there are: {known}"}, status=404)
        try:
            text = await request.text()
            result = order(json.loads(text) if text else {})
        except (ValueError, TypeError, LookupError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)
        if request.method != "GET":
            self._emulator.save()
        return web.json_response(result)

    def _overview(self, _: Body) -> Body:
        world = self._world
        return {
            "now": iso(world.now(), "+00:00"),
            "clock_offset": world.clock.offset,
            "orgs": list(world.state.orgs),
            "jobs": asdict(world.job_defaults),
            "planned_jobs": [asdict(plan) for plan in world.planned_jobs],
            "latency": world.latency,
            "readings": world.readings,
        }

    def _seed(self, body: Body) -> Body:
        self._emulator.reseed(body["seed"])
        return self._overview({})

    def _clear_faults(self, _: Body) -> Body:
        self._world.faults.clear()
        return {}

    def _reset_counters(self, _: Body) -> Body:
        self._world.counters = Counters()
        return {}

    def _set_readings(self, body: Body) -> Body:
        self._world.set_readings(body)
        return dict(self._world.readings)

    def _set_clock(self, body: Body) -> Body:
        """Advance the clock, freeze it or let it run, as the order has ``advance`` or ``frozen``."""
        clock = self._world.clock
        if body.keys() - {"advance", "frozen"} or body.get("advance", 0) < 0:
            raise ValueError("the clock takes 'advance', seconds of 0 or more (time goes forward), and 'frozen'")
        if "frozen" in body:
            (clock.freeze if body["frozen"] else clock.run)()
        return {"now": clock.advance(float(body.get("advance", 0)))}

    def _set_job_defaults(self, body: Body) -> Body:
        self._world.job_defaults = replace(self._world.job_defaults, **body)
        self._world.state.job_defaults = asdict(self._world.job_defaults)
        return self._world.state.job_defaults

    def _plan_jobs(self, body: Body) -> Body:
        """Plan the next jobs; what the order leaves out is as in the default plan."""
        times = body.pop("times", 1)
        plan = replace(self._world.job_defaults, **body)
        self._world.planned_jobs.extend(replace(plan) for _ in range(times))
        return asdict(plan)

    def _set_bulk_read_defaults(self, body: Body) -> Body:
        self._world.bulk_read_defaults = replace(self._world.bulk_read_defaults, **body)
        self._world.state.bulk_read_defaults = asdict(self._world.bulk_read_defaults)
        return self._world.state.bulk_read_defaults

    def _plan_bulk_reads(self, body: Body) -> Body:
        """Plan the next bulk reads; what the order leaves out is as in the default plan."""
        times = body.pop("times", 1)
        plan = replace(self._world.bulk_read_defaults, **body)
        self._world.planned_bulk_reads.extend(replace(plan) for _ in range(times))
        return asdict(plan)

    def _set_latency(self, body: Body) -> Body:
        self._world.latency = float(body["seconds"])
        return {"seconds": self._world.latency}

    def _make_grant_code(self, body: Body) -> Body:
        """Do what a person does in the API console: make a code with scopes and an expiry."""
        world = self._world
        client = body.get("client_id") or next(iter(world.state.clients))
        expires_at = world.now() + float(body.get("lifetime", CODE_LIFETIME))
        code = GrantCode(f"1000.{secrets.token_hex(16)}", client, self._org(body).zgid, list(body.get("scopes", ALL_SCOPES)), expires_at)
        world.state.grant_codes[code.code] = code
        return asdict(code)

    def _evict_all(self, _: Body) -> Body:
        self._world.state.access_tokens.clear()
        return {}

    def _org(self, body: Body) -> Org:
        """Return the org that an order names by ``zgid``, by default the first, brought up to now."""
        orgs = self._world.state.orgs
        org = orgs[body["zgid"]] if "zgid" in body else next(iter(orgs.values()))
        settle(org, self._world.now())
        recycle_bin_api.settle(org, self._world.now())
        return org

    def _change_org(self, body: Body) -> Body:
        org = self._org(body)
        changes = {name: value for name, value in body.items() if name != "zgid"}
        check_org_settings(changes)
        for name, value in changes.items():
            setattr(org, name, value)
        return dump_org(self._world, org, {})

    def _add_tags(self, body: Body) -> list[str]:
        org, module = self._module(body)
        return [add_tag(org, module, {"name": tag} if isinstance(tag, str) else tag).id for tag in body["tags"]]

    def _remove_tags(self, body: Body) -> Body:
        """Remove tags as a person would in the browser, whatever uses them."""
        org, module = self._module(body)
        remove_tags(org, module, set(body["ids"]) & module.tags.keys())
        return {}

    def _use_tags(self, body: Body) -> Body:
        """Let features use tags, or none any more, as a person does who edits a workflow."""
        org, module = self._module(body)
        for tag_id in body["ids"]:
            module.tags[tag_id].features = [Feature(**{"id": org.new_id(), **feature}) for feature in body["features"]]
        return {}

    def _add_records(self, body: Body) -> list[str]:
        org, module = self._module(body)
        return add_records(org, module, body["records"])

    def _tag_records(self, body: Body) -> Body:
        """Put tags (by name) on records and take others off, as a person in the browser would."""
        _, module = self._module(body)
        ids = {tag.name: tag.id for tag in module.tags.values()}
        added, removed = ([ids[name] for name in body.get(key, [])] for key in ("add", "remove"))
        for record in body["ids"]:
            kept = [tag_id for tag_id in module.records[record] if tag_id not in removed]
            module.set_tags(record, list(dict.fromkeys([*kept, *added])))
        return {}

    def _empty_bin(self, body: Body) -> Body:
        """Delete records for good, as a person who empties the recycle bin would."""
        _, module = self._module(body)
        for record in body["ids"]:
            module.recycle_bin.pop(record, None)
        return {}

    def _tagged(self, body: Body) -> dict[str, list[str]]:
        """Return the records of each tag, by the tag's name."""
        _, module = self._module(body)
        tagged: dict[str, list[str]] = {tag_id: [] for tag_id in module.tags}
        for record, tag_ids in module.records.items():
            for tag_id in tag_ids:
                tagged[tag_id].append(record)
        return {module.tags[tag_id].name: records for tag_id, records in tagged.items()}

    def _module(self, body: Body) -> tuple[Org, Module]:
        org = self._org(body)
        module = org.module_named(body["module"])
        if module is None:
            raise ValueError(f"no module {body['module']!r} in org {org.zgid}")
        return org, module


def dump_org(world: World, org: Org, options: Body) -> Body:
    """Return the org as JSON data, its jobs with their states; of records their number, unless the option ``records`` is true."""
    settle(org, world.now())
    recycle_bin_api.settle(org, world.now())
    dump = {item.name: getattr(org, item.name) for item in fields(org) if item.name not in NOT_DUMPED}
    modules = [{item.name: getattr(module, item.name) for item in fields(module)} for module in org.modules]
    for module in modules:
        module["tags"] = [asdict(tag) for tag in module["tags"].values()]
        module["custom_views"] = [asdict(view) for view in module["custom_views"].values()]
        module["recycle_bin"] = list(module["recycle_bin"])
        module["records"] = module["records"] if options.get("records") else len(module["records"])
    dump["restores"] = [asdict(restore) for restore in org.restores]
    jobs = [asdict(job) | {"state": state_of(job, world.now())} for job in org.jobs.values()]
    territories = [asdict(territory) for territory in org.territories.values()]
    return dump | {"owner": asdict(org.owner), "modules": modules, "jobs": jobs, "territories": territories}
