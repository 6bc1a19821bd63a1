"""The emulator's whole world: the state that survives, and the clock, faults, counters and job plans around it."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from airflow_provider_zcrm.emulator import readings
from airflow_provider_zcrm.emulator.clock import Clock
from airflow_provider_zcrm.emulator.counters import Counters
from airflow_provider_zcrm.emulator.editions import credits_per_day
from airflow_provider_zcrm.emulator.faults import Faults
from airflow_provider_zcrm.emulator.jobs import JobPlan
from airflow_provider_zcrm.emulator.model import AccessToken, Org, State

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
        self.latency = 0.0
        self._under_way: Counter[tuple[str, str]] = Counter()

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
