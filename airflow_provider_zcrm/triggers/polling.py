"""What the triggers share: polls until there is something to tell, whatever passing faults come in between, and one event.

A trigger only reads, so it may run twice, be moved or be cancelled at any moment.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from airflow.providers.common.compat.sdk import AirflowNotFoundException
from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_zcrm.api.errors import PermanentError, RetryableError, TooManyRequests, ZohoCrmError
from airflow_provider_zcrm.hooks.settings import configured_schedule
from airflow_provider_zcrm.rules.poll_schedule import PollSchedule
from airflow_provider_zcrm.triggers.event import EVENT_VERSION

if TYPE_CHECKING:
    from airflow_provider_zcrm.client.async_client import AsyncZohoCrmClient
    from airflow_provider_zcrm.hooks.triggerer import ClientShare

# An event that comes before Airflow has noted the deferral costs the task a try (apache/airflow#71580). The worker may notice the end
# of the task's process only after [workers] min_heartbeat_interval (5 s), and the scheduler a loop later: measured up to 6.3 s.
_FIRST_EVENT_SECONDS = 7.0
# those who failed together do not come back together
_LONGEST_JITTER = 60.0


class Wait(Protocol):
    """What every wait has."""

    @property
    def zoho_crm_conn_id(self) -> str: ...  # noqa: D102
    @property
    def started_at(self) -> float: ...  # noqa: D102
    @property
    def deadline(self) -> float: ...  # noqa: D102
    @property
    def limit(self) -> str: ...  # noqa: D102
    @property
    def poke_interval(self) -> float | None: ...  # noqa: D102
    def to_json(self) -> dict[str, Any]: ...  # noqa: D102


class Watch(Protocol):
    """What is watched, as a value without socket and clock; times are seconds since the wait began."""

    @property
    def some_failed(self) -> bool: ...  # noqa: D102
    def is_over(self, elapsed: float) -> bool: ...  # noqa: D102
    def next_wait(self, elapsed: float) -> float: ...  # noqa: D102
    def time_left(self, elapsed: float) -> float: ...  # noqa: D102
    def failed(self, error: ZohoCrmError) -> None: ...  # noqa: D102
    def last_words(self) -> str: ...  # noqa: D102


W = TypeVar("W", bound=Watch)


class PollingTrigger(BaseTrigger, Generic[W]):
    """Waits until what it watches is over, a limit is reached, or an error comes that no waiting can fix."""

    wait: Wait

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._api_calls = 0

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the kwargs, as Airflow stores them."""
        return f"{type(self).__module__}.{type(self).__qualname__}", self.wait.to_json()

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll until there is something to tell, and fire one event."""
        self._schedule = configured_schedule(self.wait.poke_interval)
        watch = self._new_watch(self._schedule)
        known: ZohoCrmError | None = None
        try:
            status = await self._wait(watch)
        except (ZohoCrmError, AirflowNotFoundException) as error:
            status, known = "error", error if isinstance(error, ZohoCrmError) else PermanentError(str(error))
        if status == "ended" and (finished := self._finished(watch)):
            yield finished
            return
        await asyncio.sleep(max(0.0, _FIRST_EVENT_SECONDS - self._elapsed()))
        yield TriggerEvent(  # type: ignore[no-untyped-call]
            {
                "v": EVENT_VERSION,
                "status": status,
                "last_words": watch.last_words(),
                "limit": self.wait.limit,
                "api_calls": self._api_calls,
                "error": known.as_dict() if known else None,
                **self._told(watch),
            }
        )

    def _new_watch(self, schedule: PollSchedule) -> W:
        raise NotImplementedError

    async def _poll(self, client: AsyncZohoCrmClient, watch: W, *, last: bool) -> None:
        """Ask for what is due, or for all that is open if it is the last time."""
        raise NotImplementedError

    def _finished(self, watch: W) -> TriggerEvent | None:  # noqa: ARG002
        """Return the event that ends the task, None if a worker must go on."""
        return None

    def _told(self, watch: W) -> dict[str, Any]:
        """Return what the event says of what was watched."""
        raise NotImplementedError

    async def _wait(self, watch: W) -> str:
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
                    await self._poll(client, watch, last=not in_time)
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
        """Sleep, at most until the deadline, and return whether there is time left."""
        await asyncio.sleep(max(0.0, min(seconds, self.wait.deadline - time.time())))
        return time.time() < self.wait.deadline


def _up_to(seconds: float) -> float:
    return random.uniform(0.0, seconds)  # noqa: S311 - jitter, not cryptography


def _import_client_share() -> type[ClientShare]:
    from airflow_provider_zcrm.hooks.triggerer import ClientShare

    return ClientShare
