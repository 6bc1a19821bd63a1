"""The emulator's whole world: the state that survives, and the clock, faults, counters and job plans around it."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from airflow_provider_zcrm.emulator import readings
from airflow_provider_zcrm.emulator.bulk_reads import BulkReadPlan
from airflow_provider_zcrm.emulator.clock import Clock
from airflow_provider_zcrm.emulator.counters import Counters
from airflow_provider_zcrm.emulator.editions import credits_per_day
from airflow_provider_zcrm.emulator.faults import Faults
from airflow_provider_zcrm.emulator.jobs import JobPlan
from airflow_provider_zcrm.emulator.model import AccessToken, Module, Org, State

DAY = 24 * 60 * 60.0


class World:
    """One running emulator, without its socket. Everything happens in one thread: that of the server's event loop."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.clock = Clock(state.clock_offset)
        self.readings = {**readings.defaults(), **readings.check(dict(state.readings))}
        self.faults = Faults()
        self.counters = Counters()
        self.job_defaults = JobPlan(**state.job_defaults)
        self.planned_jobs: deque[JobPlan] = deque()
        self.bulk_read_defaults = BulkReadPlan(**state.bulk_read_defaults)
        self.planned_bulk_reads: deque[BulkReadPlan] = deque()
        self.latency = 0.0
        self._under_way: Counter[tuple[str, str]] = Counter()
        self._search_index: dict[str, tuple[float, dict[str, list[str]]]] = {}

    def now(self) -> float:
        """Return the emulator's time."""
        return self.clock.now()

    def set_readings(self, changes: dict[str, object]) -> None:
        """Change readings; raises ValueError for what does not exist."""
        self.state.readings.update(readings.check(changes))
        self.readings.update(self.state.readings)

    def next_job_plan(self) -> JobPlan:
        """Return the plan for the job that is about to be scheduled."""
        return self.planned_jobs.popleft() if self.planned_jobs else replace(self.job_defaults)

    def next_bulk_read_plan(self) -> BulkReadPlan:
        """Return the plan for the bulk read that is about to be scheduled."""
        return self.planned_bulk_reads.popleft() if self.planned_bulk_reads else replace(self.bulk_read_defaults)

    def renew_search_index(self, org: Org) -> None:
        """Let the search see the org's records as they are, if the last time is as long ago as the reading has it."""
        lag = float(self.readings["search_lag"])
        for module in org.modules if lag else ():
            if module.id not in self._search_index or self._search_index[module.id][0] <= self.now() - lag:
                self._search_index[module.id] = (self.now(), dict(module.records))

    def search_index(self, module: Module) -> dict[str, list[str]]:
        """Return the records of a module as the search sees them."""
        return module.records if self.readings["search_lag"] == "0" else self._search_index[module.id][1]

    def org_of(self, token: AccessToken) -> Org:
        """Return the org that an access token is for."""
        return self.state.orgs[token.zgid]

    @contextmanager
    def answering(self, token: AccessToken | None) -> Iterator[int]:
        """Count a request as under way; yields how many of the same org and client are, with this one."""
        if token is None:
            yield 0
            return
        key = (token.zgid, token.client_id)
        self._under_way[key] += 1
        self.counters.at_once(token.zgid, sum(number for (zgid, _), number in self._under_way.items() if zgid == token.zgid))
        try:
            yield self._under_way[key]
        finally:
            self._under_way[key] -= 1

    def spend_credits(self, org: Org, amount: int) -> None:
        """Charge an org."""
        self.state.credits_used.setdefault(org.zgid, []).append([self.now(), amount])
        self.counters.credits_used[org.zgid] += amount

    def credits_left(self, org: Org) -> int:
        """Return what is left of the org's credits in the rolling 24 hours."""
        since = self.now() - DAY
        spent = [entry for entry in self.state.credits_used.get(org.zgid, []) if entry[0] > since]
        self.state.credits_used[org.zgid] = spent
        return credits_per_day(org) - int(sum(amount for _, amount in spent))
