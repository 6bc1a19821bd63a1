"""The orgs: an emulator for each, with modules full of tags, and what must be true of them in the end."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from airflow_provider_zcrm.emulator.minimal_seed import CLIENT, REFRESH_TOKEN, empty_seed

_TAGS = 30
_SLOWEST_JOB = 60.0


@dataclass(frozen=True)
class Org:
    """An org in an emulator of its own.

    :param wanted: per module the names of the tags that are to go, in the order of the modules.
    :param approval: as of `org_tag_cleanup`.
    :param rejected: the module whose question is answered with no, empty for none.
    """

    conn_id: str
    server: EmulatorServer
    wanted: dict[str, list[str]]
    approval: bool | str = False
    rejected: str = ""

    @staticmethod
    def make(number: int, server: EmulatorServer, modules: int) -> Org:
        """Fill an emulator: each module has tags of which somewhat less than half are to go, in jobs that take up to a minute."""
        dice = random.Random(number)
        seed = empty_seed()
        wanted = {f"Module_{index}": dice.sample(_names(), dice.randint(1, _TAGS // 2)) for index in range(modules)}
        seed["orgs"][0] |= {
            "name": f"Org {number}",
            "modules": [
                {"api_name": name, "id": f"22761640000{number:02}{index:06}", "tags": [{"name": tag} for tag in _names()]}
                for index, name in enumerate(wanted)
            ],
        }
        seed["jobs"] = {"start_delay": 1.0, "duration": 5.0}
        server.control.seed(seed)
        for _ in wanted:
            server.control.next_jobs(1, start_delay=dice.uniform(0, 5), duration=dice.uniform(1, _SLOWEST_JOB))
        approval, rejected = {0: (True, list(wanted)[-1]), 1: ("once", "")}.get(number, (False, ""))
        return Org(f"zoho_crm_org_{number}", server, wanted, approval, rejected)

    def connection(self) -> dict[str, Any]:
        """Return the connection for Airflow's REST API."""
        url = self.server.url
        extra = {"refresh_token": REFRESH_TOKEN, "accounts_url": url, "api_url": url}
        login, password = CLIENT["client_id"], CLIENT["client_secret"]
        return {
            "connection_id": self.conn_id,
            "conn_type": "zoho_crm",
            "login": login,
            "password": password,
            "extra": json.dumps(extra),
        }

    def group(self) -> dict[str, Any]:
        """Return what the DAG says of it."""
        return {"conn_id": self.conn_id, "wanted": self.wanted, "approval": self.approval}

    def is_rejected(self, instance: Mapping[str, Any]) -> bool:
        """Tell whether a task instance is one of the module whose question is answered with no."""
        place = list(self.wanted).index(self.rejected) if self.rejected else None
        return str(instance["task_id"]).startswith(f"{self.conn_id}.") and instance["map_index"] == place

    @property
    def control(self) -> Control:
        """Its emulator."""
        return self.server.control

    def token_requests(self) -> int:
        """How often Zoho was asked for an access token."""
        return len(self.control.requests("/oauth/v2/token"))

    def problems(self, hosts: int) -> Iterator[str]:
        """Tell what is not as it should be.

        :param hosts: how many hosts there were; a process that is killed with a token request on its way costs its host another one.
        """
        jobs = self.control.counters()["jobs"]
        times = Counter(item for job in jobs for item in job["items"])
        if doubled := [item for item, count in times.items() if count > 1]:
            yield f"{self.conn_id}: {len(doubled)} tags are in two jobs."
        approved = {module: [] if module == self.rejected else names for module, names in self.wanted.items()}
        if len(jobs) != sum(map(bool, approved.values())):
            yield f"{self.conn_id}: {len(jobs)} jobs for {len(self.wanted)} modules."
        for module, names in approved.items():
            left = set(self.control.tags(module))
            if left != set(_names()) - set(names):
                yield f"{self.conn_id}: {module} has {len(left)} tags, and should have {_TAGS - len(names)}."
        if self.token_requests() > 1 + hosts:
            yield f"{self.conn_id}: {self.token_requests()} token requests."


def _names() -> list[str]:
    return [f"tag-{number}" for number in range(_TAGS)]
