"""What the operators share: arguments that came out empty, the client with the task's deadline, and the wait for mass-delete jobs."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, cast

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_zcrm.api.errors import InvalidArgument, RetryableError
from airflow_provider_zcrm.rules.errors import DeadlineReached
from airflow_provider_zcrm.templates import KeepsPlainStrings

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_zcrm.api.mass_delete import MassDeleteJob
    from airflow_provider_zcrm.client.sync_client import ZohoCrmClient
    from airflow_provider_zcrm.triggers.job_wait import JobWait


# of the tags, or of the records, of a module
DEFAULT_MAX_SHARE = 0.5
DEFAULT_MAX_RECORDS = 1000


class RefusesWhatCameOutEmpty(KeepsPlainStrings, BaseOperator):
    """Distinguishes an argument that was not given from one whose template, or another task's output, came out as None."""

    _given: tuple[str, ...] = ()

    def __init__(self, **kwargs: Any) -> None:
        # without one of its own, Airflow gives the class that of BaseOperator, and a mapped task would get its None for inlets
        super().__init__(**kwargs)

    def _note_given(self, *arguments: str) -> None:
        """Note which of the arguments the DAG gives; at the end of the constructor, when nothing is rendered yet."""
        self._given = tuple(name for name in arguments if getattr(self, name) is not None)

    def _check_given(self) -> None:
        """Refuse to go on without one that was given.

        :raises InvalidArgument: it is None now
        """
        for name in self._given:
            if getattr(self, name) is None:
                raise InvalidArgument(
                    f"{name} came out empty: the DAG gives it as a template or another task's output, which is None. Nothing was sent.",
                    advice=f"Look at what it is made of: a task that was skipped, or has do_xcom_push=False, returns nothing. Where it is "
                    f"not meant to count, leave {name} out.",
                )


class HasDeadline(Protocol):
    """A journal: to which run of the task and to which host its deadline belongs."""

    @property
    def run(self) -> int: ...  # noqa: D102
    @property
    def deadline(self) -> float: ...  # noqa: D102
    @property
    def host(self) -> str | None: ...  # noqa: D102


class DeleteOperator(RefusesWhatCameOutEmpty):
    """The client that gives up at the task's deadline, for the host with which the task began."""

    ui_color = "#f9d6d2"
    zoho_crm_conn_id: str
    timeout: float | timedelta
    poke_interval: float | timedelta | None = None
    # epoch seconds; known once the journal is open
    _until = math.inf

    @cached_property
    def _client(self) -> ZohoCrmClient:
        from airflow_provider_zcrm.client.retries import RetryPolicy
        from airflow_provider_zcrm.hooks.zcrm import ZohoCrmHook

        return ZohoCrmHook(self.zoho_crm_conn_id, retries=RetryPolicy(until=self._until)).get_conn()

    def _open_connection(self, journal: HasDeadline | None, run: int) -> float:
        """Set the client's deadline, check that the connection points to the host of the journal, and return the deadline.

        :param journal: as stored; None if there is none.
        :param run: the run of the task; a new one has a deadline of its own.
        :raises InvalidConnection: the connection points to another host
        """
        from airflow_provider_zcrm.deletion.stored_journal import check_host
        from airflow_provider_zcrm.rules.arguments import seconds_of

        same_run = journal is not None and journal.run == run
        self._until = journal.deadline if journal is not None and same_run else time.time() + seconds_of(self.timeout, "timeout")
        check_host(journal.host if journal else None, self._client.config.hosts.api_url, self.zoho_crm_conn_id)
        return self._until

    def _calls_before(self, context: Context, event: Mapping[str, Any]) -> int:
        """Return how many calls this attempt made before the deferral, and in the triggerer."""
        ti: Any = context["ti"]
        before = ti.xcom_pull(task_ids=ti.task_id, key="api_calls", map_indexes=ti.map_index)
        return int(before or 0) + int(event["api_calls"])

    def _poke_seconds(self) -> float | None:
        """Return ``poke_interval`` in seconds.

        :raises InvalidArgument: it is neither a number nor a timedelta
        """
        from airflow_provider_zcrm.rules.arguments import seconds_of

        return None if self.poke_interval is None else seconds_of(self.poke_interval, "poke_interval")

    def _push_would_delete(self, context: Context, number: int | None, what: str) -> None:
        """Say how many records a dry run would delete; None for any number."""
        self.log.info("Dry run: %s records of %s would be deleted; nothing was sent.", "any number of" if number is None else number, what)
        context["ti"].xcom_push(key="would_delete", value=number)

    @contextmanager
    def _deadline_first(self) -> Iterator[None]:
        """Say that the deadline is reached, and not which fault lasted until then."""
        try:
            yield
        except RetryableError as error:
            if time.time() < self._until:
                raise
            raise DeadlineReached(f"timeout is over; the last that happened: {error.message}", advice=error.advice) from error


class MassDeleteOperator(DeleteOperator):
    """The jobs that the task has submitted, and the wait for them."""

    deferrable: bool
    _submitted: tuple[str, ...] = ()

    def on_kill(self) -> None:
        """Say that the jobs go on: Zoho has no way to cancel them."""
        from airflow_provider_zcrm.deletion.wait_for_jobs import tell_that_jobs_go_on

        tell_that_jobs_go_on(self._submitted)

    def _wait_for(self, jobs: Sequence[MassDeleteJob], deadline: float) -> JobWait:
        """Return the wait for jobs, as the task's arguments want it.

        :param deadline: epoch seconds.
        """
        from airflow_provider_zcrm.hooks.settings import number_setting
        from airflow_provider_zcrm.triggers.job_wait import JobWait

        return JobWait(
            zoho_crm_conn_id=self.zoho_crm_conn_id,
            jobs=[asdict(job) for job in jobs],
            started_at=time.time(),
            deadline=deadline,
            poke_interval=self._poke_seconds(),
            unknown_job_grace=number_setting("unknown_job_grace"),
        )

    def _reports_of(self, context: Context, jobs: Sequence[MassDeleteJob], deadline: float) -> list[dict[str, Any]]:
        """Return the report of each job when all have ended; a deferrable task goes on in its ``execute_complete`` instead.

        :param deadline: epoch seconds.
        """
        from airflow_provider_zcrm.deletion.wait_for_jobs import defer_to_triggerer, poll_until_ended

        if self.deferrable and jobs:
            # kept across the deferral, for `_calls_before`
            push_api_usage(context, self._client)
            defer_to_triggerer(self, context, self._wait_for(jobs, deadline))
        return poll_until_ended(self._client, self._wait_for(jobs, deadline))

    def _check_execution_timeout(self, context: Context, settle: float) -> None:
        """Refuse an ``execution_timeout`` in which the list of tags cannot settle: each attempt would end while it waits for that."""
        limit = context["ti"].task.execution_timeout
        if limit is not None and limit.total_seconds() < settle:
            raise InvalidArgument(
                f"execution_timeout is {limit.total_seconds():g} s, less than settle, which is {settle:g} s. Nothing was sent.",
                advice="Make it longer, or use timeout, which counts for all attempts together.",
            )

    def _announce(self, context: Context, job_ids: list[str]) -> None:
        """Push the job ids: the id itself for one, so that ``output["job_id"]`` serves a single sensor, else the list."""
        self._submitted = tuple(job_ids)
        context["ti"].xcom_push(key="job_id", value=job_ids[0] if len(job_ids) == 1 else job_ids)


def push_api_usage(context: Context, client: ZohoCrmClient, earlier_calls: int = 0) -> None:
    """Push the number of calls to Zoho as XCom ``api_calls``, and the org's API credits as ``credits_left`` if Zoho has named them.

    :param earlier_calls: calls of this attempt that another process has made: before a deferral, and in the triggerer.
    """
    context["ti"].xcom_push(key="api_calls", value=earlier_calls + client.credits.calls)
    if client.credits.left is not None:
        context["ti"].xcom_push(key="credits_left", value=client.credits.left)


def pushed_by_all(context: Context, task_id: str, key: str) -> list[dict[str, Any]]:
    """Return the mappings that the instances of a mapped task have pushed; one that was not mapped has pushed at most one."""
    # which map indexes there are only Airflow knows; of one XCom it returns the value, of several a sequence
    found = cast("Any", context["ti"]).xcom_pull(task_ids=task_id, key=key)
    return [dict(value) for value in ([found] if isinstance(found, Mapping) else found or ()) if isinstance(value, Mapping)]
