"""What the operators share: arguments that came out empty, the client with the task's deadline, and the wait for mass-delete jobs."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_zcrm.api.errors import InvalidArgument, InvalidConnection, RetryableError
from airflow_provider_zcrm.rules.errors import DeadlineReached

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_zcrm.api.mass_delete import MassDeleteJob
    from airflow_provider_zcrm.client.sync_client import ZohoCrmClient
    from airflow_provider_zcrm.triggers.job_wait import JobWait


# of the tags of a module
DEFAULT_MAX_SHARE = 0.5
DEFAULT_MAX_RECORDS = 1000


class RefusesWhatCameOutEmpty(BaseOperator):
    """Tells an argument that was not given from one whose template, or another task's output, came out as None."""

    _given: tuple[str, ...] = ()

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
                    advice=f"Look at what it is made of. Where it is not meant to count, leave {name} out.",
                )


class DeleteOperator(RefusesWhatCameOutEmpty):
    """The client that gives up at the task's deadline, for the host with which the task began."""

    ui_color = "#f9d6d2"
    zoho_crm_conn_id: str
    # epoch seconds; known once the journal is open
    _until = math.inf

    @cached_property
    def _client(self) -> ZohoCrmClient:
        from airflow_provider_zcrm.client.retries import RetryPolicy
        from airflow_provider_zcrm.hooks.zcrm import ZohoCrmHook

        return ZohoCrmHook(self.zoho_crm_conn_id, retries=RetryPolicy(until=self._until)).get_conn()

    def _check_host(self, noted: str | None) -> None:
        """Refuse to go on with another host than the task began with: what it says is of another org, where nothing is to be found.

        :param noted: URL of the API with which the task began; None if it has not.
        :raises InvalidConnection: the connection leads to another one now
        """
        host = self._client.config.hosts.api_url
        if noted not in (None, host):
            raise InvalidConnection(
                f"Connection {self.zoho_crm_conn_id} leads to {host} now; this task began with {noted}, where all is that it submitted.",
                advice="Let the connection lead there again and clear the task, which then goes on; for the other one start a new DAG run.",
            )

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
    poke_interval: float | timedelta | None
    unknown_job_grace: float
    _submitted: tuple[str, ...] = ()

    def on_kill(self) -> None:
        """Say that the jobs go on: Zoho has no way to cancel them."""
        from airflow_provider_zcrm.deletion.wait_for_jobs import tell_that_jobs_go_on

        tell_that_jobs_go_on(self._submitted)

    def _wait_for(self, jobs: Sequence[MassDeleteJob], deadline: float, carry: Mapping[str, Any]) -> JobWait:
        """Return the wait for jobs, as the task's arguments want it.

        :param deadline: epoch seconds.
        :param carry: what ``execute_complete`` needs.
        """
        from airflow_provider_zcrm.triggers.job_wait import JobWait

        return JobWait(
            zoho_crm_conn_id=self.zoho_crm_conn_id,
            jobs=[asdict(job) for job in jobs],
            started_at=time.time(),
            deadline=deadline,
            poke_interval=self._poke_seconds(),
            unknown_job_grace=self.unknown_job_grace,
            carry=carry,
        )

    def _reports_of(
        self, context: Context, jobs: Sequence[MassDeleteJob], deadline: float, carry: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Return the report of each job when all have ended; a deferrable task goes on in its ``execute_complete`` instead.

        :param deadline: epoch seconds.
        :param carry: what ``execute_complete`` needs; added are the calls made so far as ``api_calls``, and for `_check_host` the ``host``.
        """
        from airflow_provider_zcrm.deletion.wait_for_jobs import defer_to_triggerer, poll_until_ended

        if self.deferrable and jobs:
            host, calls = self._client.config.hosts.api_url, self._client.credits.calls
            defer_to_triggerer(self, context, self._wait_for(jobs, deadline, {**carry, "host": host, "api_calls": calls}))
        return poll_until_ended(self._client, self._wait_for(jobs, deadline, {}))

    def _poke_seconds(self) -> float | None:
        """Return ``poke_interval`` in seconds.

        :raises InvalidArgument: it is neither a number nor a timedelta
        """
        from airflow_provider_zcrm.rules.arguments import seconds_of

        return None if self.poke_interval is None else seconds_of(self.poke_interval, "poke_interval")

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
