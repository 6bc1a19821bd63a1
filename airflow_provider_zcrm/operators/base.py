"""What the operators share: `MassDeleteOperator` those that submit mass deletes, `RefusesWhatCameOutEmpty` those that None would widen."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_zcrm.api.errors import DeadlineReached, InvalidArgument, InvalidConnection, RetryableError

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_zcrm.api.mass_delete import MassDeleteJob
    from airflow_provider_zcrm.client.sync_client import ZohoCrmClient


# of the tags of a module
DEFAULT_MAX_SHARE = 0.5


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


class MassDeleteOperator(RefusesWhatCameOutEmpty):
    """The client that gives up at the task's deadline, the job ids that the task has got, and the wait for the jobs."""

    ui_color = "#f9d6d2"
    zoho_crm_conn_id: str
    deferrable: bool
    poke_interval: float | timedelta | None
    unknown_job_grace: float
    _submitted: tuple[str, ...] = ()
    # epoch seconds; known once the journal is open
    _until = math.inf

    def on_kill(self) -> None:
        """Say that the jobs go on: Zoho has no way to cancel them."""
        from airflow_provider_zcrm.operators.waiting import tell_that_jobs_go_on

        tell_that_jobs_go_on(self._submitted)

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

    def _seconds(self, argument: str) -> float:
        """Return an argument that is a time, in seconds.

        :raises InvalidArgument: it is neither a number nor a timedelta
        """
        from airflow_provider_zcrm.operators.waiting import seconds

        found = seconds(getattr(self, argument), argument)
        if found is None:
            raise InvalidArgument(f"{argument} is None; it must be a number of seconds or a timedelta.")
        return found

    def _reports_of(
        self, context: Context, jobs: Sequence[MassDeleteJob], deadline: float, carry: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Return what became of each job; a deferrable task goes on in its ``execute_complete`` instead.

        :param deadline: epoch seconds.
        :param carry: what ``execute_complete`` needs; added are the calls made so far as ``api_calls``, and for `_check_host` the ``host``.
        """
        from airflow_provider_zcrm.operators.waiting import defer_to_triggerer, poll_until_ended

        if self.deferrable and jobs:
            defer_to_triggerer(
                self,
                context,
                jobs,
                deadline,
                zoho_crm_conn_id=self.zoho_crm_conn_id,
                poke_interval=self.poke_interval,
                unknown_job_grace=self.unknown_job_grace,
                carry={**carry, "host": self._client.config.hosts.api_url, "api_calls": self._client.credits.calls},
            )
        return poll_until_ended(self._client, jobs, deadline, self.poke_interval, self.unknown_job_grace)

    def _announce(self, context: Context, job_ids: list[str]) -> None:
        """Push the job ids: the id itself for one, so that ``output["job_id"]`` serves a single sensor, else the list."""
        self._submitted = tuple(job_ids)
        context["ti"].xcom_push(key="job_id", value=job_ids[0] if len(job_ids) == 1 else job_ids)

    @contextmanager
    def _deadline_first(self) -> Iterator[None]:
        """Say that the deadline is reached, and not which fault lasted until then."""
        try:
            yield
        except RetryableError as error:
            if time.time() < self._until:
                raise
            raise DeadlineReached(f"timeout is over; the last that happened: {error.message}", advice=error.advice) from error
