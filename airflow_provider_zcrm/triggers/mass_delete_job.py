"""`MassDeleteJobTrigger`: waits in the triggerer until mass-delete jobs have ended.

It only reads, so it may run twice, be moved or be cancelled at any moment, and nothing happens to the jobs. Its kwargs are ids,
numbers and strings, which Airflow stores in clear. It fires one event (`airflow_provider_zcrm.triggers.event`) or, if it was told to
finish the task and all went well, Airflow's own event that ends the task with the reports as its XCom.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowNotFoundException
from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_zcrm.api.errors import JobNotFound, PermanentError, RetryableError, TooManyRequests, ZohoCrmError
from airflow_provider_zcrm.api.mass_delete import MassDeleteJob, job_status
from airflow_provider_zcrm.hooks.settings import configured_schedule
from airflow_provider_zcrm.rules.job_watch import JobWatch, left_behind, left_some, news, sentence
from airflow_provider_zcrm.triggers.event import EVENT_KIND, EVENT_VERSION, merged_reports
from airflow_provider_zcrm.triggers.job_wait import JobWait
from airflow_provider_zcrm.version_compat import task_success

if TYPE_CHECKING:
    from airflow_provider_zcrm.client.async_client import AsyncZohoCrmClient
    from airflow_provider_zcrm.hooks.triggerer import ClientShare

# An event that comes before Airflow has noted the deferral costs the task a try (apache/airflow#71580). The worker may notice the end
# of the task's process only after [workers] min_heartbeat_interval (5 s), and the scheduler a loop later: measured up to 6.3 s.
_FIRST_EVENT_SECONDS = 7.0
# those who failed together do not come back together
_LONGEST_JITTER = 60.0


class MassDeleteJobTrigger(BaseTrigger):
    """Waits until mass-delete jobs have ended, a limit is reached, or an error comes that no waiting can fix.

    :param wait: the arguments of `JobWait`.
    """

    def __init__(self, **wait: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.wait = JobWait(**wait)
        self._api_calls = 0

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the kwargs, as Airflow stores them."""
        return f"{type(self).__module__}.{type(self).__qualname__}", self.wait.to_json()

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll until there is something to tell, and fire one event."""
        self._schedule = configured_schedule(self.wait.poke_interval)
        wait = self.wait
        watch = JobWatch(wait.mass_delete_jobs(), self._schedule, wait.unknown_job_grace, wait.on_partial_failure)
        known: ZohoCrmError | None = None
        try:
            status = await self._wait(watch)
        except (ZohoCrmError, AirflowNotFoundException) as error:
            status, known = "error", error if isinstance(error, ZohoCrmError) else PermanentError(str(error))
        if status == "ended" and self.wait.finish and (finished := self._finished(watch)):
            yield finished
            return
        await asyncio.sleep(max(0.0, _FIRST_EVENT_SECONDS - self._elapsed()))
        yield self._event(status, watch, known)

    async def on_kill(self) -> None:
        """Say that the jobs go on: Zoho has no way to cancel them. Airflow 3.3+ calls it when a user ends the deferred task."""
        ids = ", ".join(job["id"] for job in self.wait.jobs)
        self.log.warning("The task is no longer waited for. Zoho has no way to cancel a mass delete: job %s goes on.", ids)

    async def _wait(self, watch: JobWatch) -> str:
        """Return "ended" or "timeout", after a last look; a passing fault only lengthens the wait.

        It has "ended" too when a job has failed and the others were asked for once more.
        """
        failures = 0
        # after a restart the poll is overdue, but not all triggers of a triggerer ask at the same moment
        pause = watch.next_wait(self._elapsed()) or _up_to(self._schedule.next_wait(self._elapsed()))
        # the first import of the HTTP libraries takes so long that it would stall the other triggers
        client_share = await asyncio.to_thread(_import_client_share)
        async with client_share(self.wait.zoho_crm_conn_id) as share:
            while not watch.is_over(self._elapsed()):
                in_time = await self._sleep(pause)
                try:
                    client = await self._client(share)
                    await self._poll(client, watch, watch.due_jobs(self._elapsed()) if in_time else watch.open_jobs())
                except RetryableError as error:
                    watch.failed(error)
                    failures += 1
                    throttled = isinstance(error, TooManyRequests)
                    pause = self._schedule.after_failures(failures, throttled=throttled, retry_after=getattr(error, "retry_after", None))
                    pause += _up_to(min(pause / 2, _LONGEST_JITTER))
                    self.log.warning("%s Polling again in %.0f s.", error, pause)
                except PermanentError as error:
                    if not await share.edited():
                        if watch.some_failed:
                            self.log.warning("%s", error)
                            return "ended"
                        raise
                    self.log.warning("%s The connection has been edited; asking again.", error)
                    pause = 0.0
                else:
                    failures = 0
                    pause = watch.next_wait(self._elapsed())
                pause = min(pause, watch.time_left(self._elapsed()))
                if not in_time and not watch.is_over(self._elapsed()):
                    return "timeout"
        return "ended"

    async def _client(self, share: ClientShare) -> AsyncZohoCrmClient:
        try:
            return await share.client()
        except (ZohoCrmError, AirflowNotFoundException):
            raise
        except Exception as error:
            raise RetryableError(f"Airflow does not give the connection {self.wait.zoho_crm_conn_id}: {type(error).__name__}.") from error

    def _elapsed(self) -> float:
        return time.time() - self.wait.started_at

    async def _sleep(self, seconds: float) -> bool:
        """Sleep, at most until the deadline, and tell whether there is time left."""
        await asyncio.sleep(max(0.0, min(seconds, self.wait.deadline - time.time())))
        return time.time() < self.wait.deadline

    async def _poll(self, client: AsyncZohoCrmClient, watch: JobWatch, jobs: Sequence[MassDeleteJob]) -> None:
        for job in jobs:
            self._api_calls += 1
            watch.asks(job)
            try:
                status = await client.send(job_status(job))
            except ZohoCrmError as error:
                watch.refused(job, error, self._elapsed())
                if not isinstance(error, JobNotFound):
                    raise
                if watch.saw_unknown(job, self._elapsed()):
                    lost = job not in watch.open_jobs()
                    self.log.log(logging.WARNING if lost else logging.INFO, "%s%s", error, " It counts as lost." if lost else "")
            else:
                if watch.saw(job, status, self._elapsed()):
                    self.log.log(logging.WARNING if left_some(status) else logging.INFO, "%s", news(job, status))
        for warning in watch.warnings(self._elapsed()):
            self.log.warning(warning)

    def _finished(self, watch: JobWatch) -> TriggerEvent | None:
        """Return the event that ends the task, None if a worker must judge what became of the jobs."""
        reports = merged_reports(watch.reports(), self.wait.carry["reports"])
        if any(report["state"] != "COMPLETED" or left_behind(report) for report in reports):
            return None
        self.log.info("Ended: %s.", "; ".join(sentence(report) for report in reports))
        return task_success({"return_value": reports} if self.wait.push_xcom else {})

    def _event(self, status: str, watch: JobWatch, error: ZohoCrmError | None = None) -> TriggerEvent:
        return TriggerEvent(  # type: ignore[no-untyped-call]
            {
                "v": EVENT_VERSION,
                "kind": EVENT_KIND,
                "status": status,
                "jobs": watch.reports(),
                "last_words": watch.last_words(),
                "limit": self.wait.limit,
                "api_calls": self._api_calls,
                "error": error.as_dict() if error else None,
                "carry": self.wait.carry,
            }
        )


def _up_to(seconds: float) -> float:
    return random.uniform(0.0, seconds)  # noqa: S311 - jitter, not cryptography


def _import_client_share() -> type[ClientShare]:
    from airflow_provider_zcrm.hooks.triggerer import ClientShare

    return ClientShare
