"""What the experiments share: the org, the own tags and records, what was found out, and the jobs that are under way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from airflow_provider_zcrm.emulator.probe.calls import Calls, Clock, Reply
from airflow_provider_zcrm.emulator.probe.findings import Findings
from airflow_provider_zcrm.emulator.probe.names import name_of
from airflow_provider_zcrm.emulator.probe.own import MASS_DELETE, Own, Unclear

ENDED = ("COMPLETED", "FAILED")
POLLS = 60
QUICK_POLLS = 5


@dataclass
class Run:
    """One run of the probe."""

    calls: Calls
    own: Own
    second: Own | None
    modules: list[str]
    findings: Findings
    clock: Clock
    logged_in: Reply
    ask: Callable[[str], str]

    def tag(self, number: int) -> str:
        """Return the id of the own tag with this number.

        :raises Unclear: it was not made
        """
        name = name_of(self.own.prefix, number)
        for tag_id, made in self.own.tags.items():
            if made == name:
                return tag_id
        raise Unclear("a tag that it takes was not made")

    async def status_of(self, job_id: str) -> Reply:
        """Ask how a job of tags stands."""
        return await self.calls.get(MASS_DELETE, job_id=job_id)

    async def job_ended(self, job_id: str) -> bool:
        """Wait until a job of tags has ended; tells whether it has."""
        for number in range(POLLS):
            if state_of(await self.status_of(job_id)) in ENDED:
                return True
            await self.clock.sleep(pause(number))
        return False


@dataclass(frozen=True)
class Experiment:
    """A few questions that belong together. `readings` are those that it asks, `calls` what it costs at most, `flag` the option for it."""

    name: str
    readings: tuple[str, ...]
    calls: int
    run: Callable[[Run], Awaitable[None]]
    flag: str = ""
    after_clean_up: bool = False


def pause(number: int) -> float:
    """Return the seconds before the next poll: a tenth at first, six later. All `POLLS` together take three and a half minutes."""
    return 0.1 if number < QUICK_POLLS else min(0.5 * (1 + (number - QUICK_POLLS) // 4), 6.0)


def state_of(reply: Reply) -> str:
    """Return the status in the answer about a job of tags; an empty text if it has none."""
    jobs = reply.elements("mass_delete")
    return str(jobs[0].get("status", "")).upper() if reply.status == 200 and jobs else ""


def job_of(reply: Reply) -> str:
    """Return the id of the job in an accepted submission, else an empty text."""
    job_id = str(reply.details.get("job_id", ""))
    return job_id if reply.status < 300 and job_id.isdecimal() else ""
