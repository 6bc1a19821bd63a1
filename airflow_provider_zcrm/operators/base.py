"""What the operators share: `MassDeleteOperator` those that submit mass deletes, `RefusesWhatCameOutEmpty` those that None would widen."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_zcrm.api.errors import DeadlineReached, InvalidArgument, RetryableError

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_zcrm.client.sync_client import ZohoCrmClient


# of the tags of a module
DEFAULT_MAX_SHARE = 0.5


class RefusesWhatCameOutEmpty:
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


class MassDeleteOperator(RefusesWhatCameOutEmpty, BaseOperator):
    """The client that gives up at the task's deadline, and the job ids that the task has got."""

    ui_color = "#f9d6d2"
    zoho_crm_conn_id: str
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
