"""The seed ``demo``: an org after three years of campaigns, imports and people who tried things out, and its sandbox.

Production is zgid 756120931, Ultimate edition, with the client of `minimal_seed` and the refresh token ``1000.emulator-refresh-token``;
the sandbox is zgid 756120977 with ``1000.emulator-sandbox-refresh-token``. Leads, Contacts, Accounts, Deals (whose tab is Potentials),
Events and the custom module Site_Surveys have tags; Forecasts has none, and the web tab has no API name. Some 300 tags on some 19,000
records; the tags that a workflow, a blueprint or a custom view uses cannot be deleted. The same on every start.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_provider_zcrm.emulator.minimal_seed import CLIENT, REFRESH_TOKEN

FIRST_DAY = datetime(2023, 11, 6, 8, 0, tzinfo=UTC)
DAYS = 1080
LAST_DAY = FIRST_DAY + timedelta(days=DAYS)
SANDBOX_TOKEN = "1000.emulator-sandbox-refresh-token"  # noqa: S105 - opens nothing but the emulator
COLORS = [
    "#57B1FD", "#879BFC", "#658BA8", "#FD87BD", "#969696", "#F48435", "#1DB9B4",
    "#E7A826", "#63C57E", "#F17574", "#D297EE", "#A8C026", "#B88562",
]  # fmt: skip
PEOPLE = ["Patricia Boyle", "Sarah Lindqvist", "Mike Okafor", "Jonas Brandt", "Marketing Integration", "Data Import"]
USER_SERIAL = 225_013
PREFIX = "4876876"

CITIES = ["Berlin", "Munich", "Milan", "Lyon", "Madrid", "Vienna", "Chicago", "Austin"]
LIVE = [
    "hot", "warm", "cold", "VIP", "do-not-call", "nurture", "Priority", "Enterprise", "SMB", "Referral", "Partner", "unsubscribed",
    "GDPR consent", "demo requested", "no budget", "decision maker", "competitor", "Newsletter", "wrong number", "callback",
]  # fmt: skip
DEBRIS = [
    "test", "TEST", "Test 2", "test import", "asdf", "xxx", "delete me", "tmp", "temp2", "old", "old2", "do not use", "Sarahs list",
    "Mikes call list", "from excel", "from excel (2)", "bounced?", "to check", "to check JB", "copy of hot", "webinar", "webinars",
    "Webinar-2024-3", "trade show", "Messe", "import", "import FINAL", "import FINAL v2", "???", "ask Sarah", "Q3", "q3 2024",
]  # fmt: skip
CAMPAIGNS = [
    "spring-promo-24", "spring-promo-25", "spring-promo-26", "black-friday-2023", "black-friday-2024", "black-friday-2025",
    "summer-sale-24", "summer-sale-25", "summer-sale-26", "heat-pump-teaser", "rebate-2024", "rebate-2025", "rebate-2026",
    "linkedin-ads-24", "linkedin-ads-25", "google-ads-brand", "cold-mail-wave-1", "cold-mail-wave-2", "cold-mail-wave-3",
    "ebook-roof-check", "ebook-storage", "whitepaper-grid", "podcast-s1", "podcast-s2",
]  # fmt: skip
DEALS = [
    "at risk", "Upsell", "renewal-2024", "renewal-2025", "renewal-2026", "slipped", "Strategic", "discount over 15", "legal review", "push",
    "Q4-2023", "Q1-2024", "Q2-2024", "Q3-2024", "Q4-2024", "Q1-2025", "Q2-2025", "Q3-2025", "Q4-2025", "lost to price", "test deal",
]  # fmt: skip
SURVEYS = ["roof: flat", "roof: gable", "needs scaffold", "drone photos", "grid request sent", "redo", "test survey", "2024 backlog"]
MEETINGS = ["on-site", "online", "no-show", "trade show 2024", "trade show 2025", "test"]
LASTING = {*LIVE, *DEALS}
TAGS_ON_A_RECORD = [0, 0, 1, 1, 2, 3]
USES: dict[str, list[dict[str, str]]] = {
    "hot": [{"type": "Workflow", "name": "Notify owner of a hot lead"}],
    "do-not-call": [{"type": "Blueprint", "name": "Lead Qualification"}, {"type": "Workflow", "name": "Remove from dialer"}],
    "VIP": [{"type": "Workflow", "name": "Assign to key account team"}],
    "nurture": [{"type": "Orchestration", "name": "Nurture Journey"}],
    "Priority": [{"type": "Custom View", "name": "Priority of this week"}],
    "at risk": [{"type": "Blueprint", "name": "Deal Rescue"}],
    "webinar-2026-09": [{"type": "Workflow", "name": "Webinar follow-up"}],
    "grid request sent": [{"type": "Blueprint", "name": "Survey to Grid"}],
}


@dataclass(frozen=True)
class Plan:
    """A module of the demo: its names, its tags, how many records it has."""

    api_name: str
    singular: str
    tags: list[str]
    records: int
    module_name: str | None = None
    generated_type: str = "default"
    plural: str | None = None


def demo_seed() -> dict[str, Any]:
    """Return the seed ``demo``."""
    dice = random.Random(20231106)  # noqa: S311 - the same org on every start
    production = {
        "zgid": "756120931",
        "name": "Brightline Solar Inc.",
        "id_prefix": PREFIX,
        "edition": "Ultimate",
        "utc_offset": "-05:00",
        "users": 42,
        "refresh_tokens": [{"token": REFRESH_TOKEN}],
        "modules": [_module(dice, serial, plan) for serial, plan in enumerate(_plans(dice), start=2170)] + _without_tags(),
    }
    sandbox = {
        "zgid": "756120977",
        "name": "Brightline Solar Inc. (Sandbox)",
        "id_prefix": "5012344",
        "edition": "Ultimate",
        "environment": "sandbox",
        "utc_offset": "-05:00",
        "refresh_tokens": [{"token": SANDBOX_TOKEN}],
        "modules": [{"api_name": "Leads", "tags": ["test", "hot", "sandbox check"], "records": 25}],
    }
    return {"clients": [CLIENT], "orgs": [production, sandbox], "jobs": {"start_delay": 3.0, "duration": 12.0}}


def _plans(dice: random.Random) -> list[Plan]:
    webinars = [f"webinar-{year}-{month:02}" for year in (2023, 2024, 2025, 2026) for month in range(1, 13)][10:46]
    shows = [f"Trade Show {city} {year}" for city in CITIES for year in (2024, 2025, 2026) if dice.random() < 0.8]
    return [
        Plan("Leads", "Lead", [*LIVE, *webinars, *CAMPAIGNS, *shows, *_imports(dice, 34), *DEBRIS], 9_000),
        Plan("Contacts", "Contact", [*LIVE[:12], *webinars[::2], *shows[::2], *_imports(dice, 22), *DEBRIS[:18]], 5_200),
        Plan("Accounts", "Account", ["Tier 1", "Tier 2", "Tier 3", "Installer", *LIVE[7:11], *_imports(dice, 9), "test", "asdf"], 1_900),
        Plan("Deals", "Deal", DEALS, 2_100, module_name="Potentials"),
        Plan("Events", "Meeting", MEETINGS, 400, plural="Meetings"),
        Plan("Site_Surveys", "Site Survey", SURVEYS, 700, module_name="CustomModule3", generated_type="custom", plural="Site Surveys"),
    ]


def _imports(dice: random.Random, number: int) -> list[str]:
    days = sorted(dice.sample(range(DAYS), number))
    return [f"imported_{FIRST_DAY + timedelta(days=day):%Y-%m-%d}" for day in days]


def _without_tags() -> list[dict[str, Any]]:
    nothing = {"tags_supported": False, "mass_delete_supported": False}
    return [
        {"api_name": "Forecasts", "id": _id(2301), **nothing},
        {"api_name": None, "id": _id(2302), "plural_label": "Installer Portal", "generated_type": "web", **nothing},
    ]


def _id(serial: int) -> str:
    return f"{PREFIX}{serial:012}"


def _module(dice: random.Random, serial: int, plan: Plan) -> dict[str, Any]:
    ages = [_first_use(dice, name) for name in plan.tags]
    tags = [_tag(dice, name, day) for name, day in zip(plan.tags, ages, strict=True)]
    return {
        "api_name": plan.api_name,
        "id": _id(serial),
        "singular_label": plan.singular,
        "plural_label": plan.plural or plan.api_name,
        "module_name": plan.module_name or plan.api_name,
        "generated_type": plan.generated_type,
        "tags": tags,
        "records": _records(dice, plan, ages),
        "custom_views": [{"name": f"All {plan.plural or plan.api_name}"}],
    }


def _first_use(dice: random.Random, name: str) -> int:
    """Return the day on which a tag was made: what its name says, or the first weeks for those in daily use."""
    if name.startswith("imported_"):
        return (datetime.fromisoformat(name.removeprefix("imported_")).replace(tzinfo=UTC) - FIRST_DAY).days + 1
    if name.startswith("webinar-"):
        month = datetime.strptime(name, "webinar-%Y-%m").replace(tzinfo=UTC)
        return max(0, (month - FIRST_DAY).days + dice.randrange(10))
    return dice.randrange(30) if name in LIVE else dice.randrange(DAYS)


def _tag(dice: random.Random, name: str, day: int) -> dict[str, Any]:
    made = FIRST_DAY + timedelta(days=day, minutes=dice.randrange(600))
    changed = min(made + timedelta(days=dice.choice([0, 0, 0, 1, 40])), LAST_DAY)
    person = "Data Import" if name.startswith("imported_") else dice.choice(PEOPLE[:5])
    author = {"id": _id(USER_SERIAL + PEOPLE.index(person)), "name": person}
    last_use = min(changed + timedelta(days=dice.randrange(1, 60)), LAST_DAY)
    return {
        "name": name,
        "color_code": dice.choice([*COLORS, None]),
        "created_time": made.isoformat(),
        "modified_time": changed.isoformat(),
        "created_by": author,
        "modified_by": author,
        "last_accessed_time": last_use.isoformat() if name not in DEBRIS else None,
        "features": USES.get(name, []),
    }


def _records(dice: random.Random, plan: Plan, ages: list[int]) -> list[dict[str, Any]]:
    """Spread the records over the three years; one gets up to three tags that were in use when it came. Debris is hardly ever used."""
    in_use = [(name, day) for name, day in zip(plan.tags, ages, strict=True) if name not in DEBRIS or dice.random() < 0.3]
    records: list[dict[str, Any]] = []
    for today in range(DAYS):
        current = [name for name, day in in_use if day <= today and (today - day < 60 or name in LASTING)]
        came = (today + 1) * plan.records // DAYS - today * plan.records // DAYS
        numbers = [min(len(current), dice.choice(TAGS_ON_A_RECORD)) for _ in range(came)]
        records.extend({"tags": dice.sample(current, number)} for number in numbers)
    return records
