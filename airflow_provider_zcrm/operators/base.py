"""`MassDeleteOperator`: what the operators share that submit mass deletes."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_zcrm.api.errors import DeadlineReached, RetryableError

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_zcrm.client.sync_client import ZohoCrmClient


# of the tags of a module
DEFAULT_MAX_SHARE = 0.5


class MassDeleteOperator(BaseOperator):
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
