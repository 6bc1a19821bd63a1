"""One chaos run, drawn from a seed: what is asked for, how Zoho's jobs go, what breaks, and when the worker is killed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from airflow_provider_zcrm.emulator.control import Control

MASS_DELETE = "settings/tags/actions/mass_delete"
SETTLE = 12.0
REQUEST_TIMEOUT = 2.0
RETRIES = 12
_TOO_MANY = {"code": "TOO_MANY_REQUESTS", "details": {}, "message": "too many", "status": "error"}
_FAULTS: list[dict[str, Any]] = [
    *({"kind": "status", "status": status} for status in (500, 502, 503)),
    {"kind": "status", "status": 429, "body": _TOO_MANY},
    {"kind": "html"},
    {"kind": "cut_json"},
    {"kind": "drop_before"},
    {"kind": "drop_after"},
    {"kind": "slow", "seconds": REQUEST_TIMEOUT + 1},
    {"kind": "evict_token"},
    {"kind": "empty_204"},
]
_WORKFLOW = [{"type": "Workflow", "name": "Follow-up"}]
_WITH_OR_WITHOUT_EFFECT = {"html", "cut_json", "slow"}


@dataclass(frozen=True)
class Scenario:
    """What happens in a run.

    :ivar tags: how many tags the module has besides those of the seed.
    :ivar requested: the names that the task is to delete.
    :ivar bad_jobs: the first two jobs leave a tag behind.
    :ivar late: a job may start later than ``settle``, the one case in which the promise allows a tag in two jobs.
    :ivar used: the requested ones that a workflow uses, for each of which Zoho refuses a whole batch.
    :ivar kills: per attempt of the task, after how many seconds its worker is killed; None for not at all.
    """

    seed: int
    tags: int
    requested: list[str]
    waits: bool
    late: bool
    bad_jobs: bool
    jobs: dict[str, Any]
    faults: list[dict[str, Any]]
    kills: list[float | None]
    used: list[str]

    @staticmethod
    def draw(seed: int) -> Scenario:
        """Return the scenario of a seed, always the same."""
        dice = random.Random(seed)
        tags = dice.choice([3, 20, 230])
        names = [f"campaign-{number}" for number in range(tags)] + ["hot", "cold"]
        requested = dice.sample(names, dice.randint(1, len(names)))
        late, bad_jobs = dice.random() < 0.1, dice.random() < 0.2
        return Scenario(
            seed=seed,
            tags=tags,
            requested=requested,
            waits=dice.random() < 0.6,
            late=late,
            bad_jobs=bad_jobs,
            jobs={
                "start_delay": SETTLE + 4 if late else dice.uniform(0, 5),
                "duration": dice.uniform(0, 4),
                "removal_lag": dice.choice([0, 0, 2]),
                "appears_after": dice.choice([0, 0, 2]),
                **({"failing": dice.sample(requested, 1)} if bad_jobs else {}),
            },
            faults=_at_most_one_without_body([_fault(dice) for _ in range(dice.choice([0, 1, 2, 4, 6]))]),
            kills=[dice.uniform(0, 3) if dice.random() < 0.5 else None for _ in range(2)],
            used=[name for name in dice.sample(requested, min(len(requested), dice.choice([0, 0, 1, 3]))) if name.startswith("campaign")],
        )

    def prepare(self, zoho: Control) -> None:
        """Give the orders to a fresh emulator."""
        zoho.change_org(tags_per_module=1000)
        names = [f"campaign-{number}" for number in range(self.tags)]
        zoho.add_tags("Leads", [{"name": name, "features": _WORKFLOW if name in self.used else []} for name in names])
        zoho.jobs(**{name: value for name, value in self.jobs.items() if name != "failing"})
        if self.bad_jobs:
            zoho.next_jobs(2, **self.jobs)
        for fault in self.faults:
            zoho.fault(**fault)

    @property
    def conf(self) -> dict[str, Any]:
        """What the DAG run is started with."""
        return {"tags": self.requested, "kills": self.kills, "conn_id": f"chaos_{self.seed}", "waits": self.waits}


def _fault(dice: random.Random) -> dict[str, Any]:
    fault = dict(dice.choice(_FAULTS))
    if fault["kind"] in _WITH_OR_WITHOUT_EFFECT or fault.get("status", 0) >= 500:
        fault["effect"] = dice.random() < 0.5
    where = dice.choice([("POST", MASS_DELETE), ("POST", MASS_DELETE), ("GET", MASS_DELETE), ("GET", "settings/tags$"), (None, "/crm/")])
    if dice.random() < 0.1:
        return {"kind": "token_throttle", "path": "/oauth/v2/token"}
    fault |= {"path": where[1], "times": dice.randint(1, 2), "after": dice.choice([0, 0, 1])}
    return fault | ({"method": where[0]} if where[0] else {})


def _at_most_one_without_body(faults: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Two answers without a body, one after the other, are how Zoho says that a module has no tags."""
    bodiless = [fault for fault in faults if fault["kind"] == "empty_204"]
    return [fault | ({"times": 1} if fault in bodiless else {}) for fault in faults if fault not in bodiless[1:]]
