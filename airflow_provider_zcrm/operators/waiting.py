"""What operator and sensor share when they wait for jobs: a poll in the worker, and the hand-over to the triggerer and back."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.common.compat.sdk import AirflowTaskTimeout

from airflow_provider_zcrm.api.errors import InvalidArgument, JobNotFound
from airflow_provider_zcrm.api.job_watch import JobWatch, sentence
from airflow_provider_zcrm.api.mass_delete import MassDeleteJob, job_status
from airflow_provider_zcrm.triggers.mass_delete import MassDeleteJobTrigger
from airflow_provider_zcrm.version_compat import execution_timeout_left

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseOperator, Context

    from airflow_provider_zcrm.client.sync_client import ZohoCrmClient

log = logging.getLogger(__name__)

# the scheduler's own deferral time-out stands behind the trigger's deadline, so much later
_BACKSTOP_SECONDS = 120.0


def seconds(value: float | timedelta | None, argument: str) -> float | None:
    """Return a duration in seconds, None for None.

    :raises InvalidArgument: it is neither a number nor a timedelta
    """
    if isinstance(value, timedelta):
        return value.total_seconds()
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise InvalidArgument(f"{argument} is {value!r}; it must be a number of seconds or a timedelta.")
    return value


def tell_that_jobs_go_on(job_ids: Sequence[str]) -> None:
    """Log, when a task is killed, that its jobs are not."""
    if job_ids:
        log.warning("The task is killed. Zoho has no way to cancel a mass delete: job %s goes on.", ", ".join(job_ids))


def poll_jobs(client: ZohoCrmClient, watch: JobWatch, jobs: Sequence[MassDeleteJob], started_at: float, level: int = logging.INFO) -> None:
    """Ask once for each of the jobs, and log what has changed.

    :param started_at: epoch seconds at which the wait began.
    :param level: of the log.
    :raises ZohoCrmError: the client has given up, or the error is permanent
    """
    for job in jobs:
        try:
            status = client.send(job_status(job))
        except JobNotFound as error:
            if watch.saw_unknown(job, time.time() - started_at):
                log.log(level, "%s%s", error, "" if job in watch.open_jobs() else " It counts as lost.")
        else:
            if watch.saw(job, status, time.time() - started_at):
                log.log(level, "Job %s is %s.", job.id, status.state)


def defer_to_triggerer(
    task: BaseOperator,
    context: Context,
    jobs: Sequence[MassDeleteJob],
    deadline: float,
    *,
    zoho_crm_conn_id: str,
    poke_interval: float | timedelta | None,
    unknown_job_grace: float,
    carry: Mapping[str, Any] | None = None,
) -> NoReturn:
    """Hand the wait over to the triggerer; the task goes on in its ``execute_complete``.

    :param deadline: epoch seconds at which ``timeout`` is over; ``execution_timeout`` may come first.
    """
    now = time.time()
    limit = "timeout"
    left = execution_timeout_left(context, now)
    if left is not None and now + left < deadline:
        deadline, limit = now + left, "execution_timeout"
    trigger = MassDeleteJobTrigger(
        zoho_crm_conn_id=zoho_crm_conn_id,
        jobs=[{"kind": job.kind, "id": job.id, "module": job.module} for job in jobs],
        started_at=now,
        deadline=deadline,
        limit=limit,
        poke_interval=seconds(poke_interval, "poke_interval"),
        unknown_job_grace=unknown_job_grace,
        carry=carry,
    )
    task.log.info("Waiting in the triggerer for %s.", ", ".join(f"job {job.id}" for job in jobs))
    backstop = timedelta(seconds=max(0.0, deadline - now) + _BACKSTOP_SECONDS)
    task.defer(trigger=trigger, method_name="execute_complete", timeout=backstop)


def check_time(event: Mapping[str, Any], over: type[Exception]) -> None:
    """Raise if the trigger gave up because a time was over.

    :param over: raised for ``timeout``; for ``execution_timeout`` it is always Airflow's AirflowTaskTimeout.
    """
    if event["status"] != "timeout":
        return
    last = "; ".join(sentence(report) for report in event["jobs"])
    message = f"{event['limit']} is over before all jobs have ended: {last}. Zoho goes on with them; there is no way to cancel them."
    raise AirflowTaskTimeout(message) if event["limit"] == "execution_timeout" else over(message)
