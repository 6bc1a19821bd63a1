"""What operator and sensor share when they wait for jobs: a poll in the worker, and the hand-over to the triggerer and back."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.common.compat.sdk import AirflowTaskTimeout

from airflow_provider_zcrm.api.errors import DeadlineReached, InvalidArgument, JobFailed, JobNotFound
from airflow_provider_zcrm.api.job_watch import LOST, JobWatch, left_behind, sentence
from airflow_provider_zcrm.api.mass_delete import MassDeleteJob, job_status
from airflow_provider_zcrm.hooks.settings import configured_schedule
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


def poll_until_ended(
    client: ZohoCrmClient, jobs: Sequence[MassDeleteJob], deadline: float, poke_interval: float | timedelta | None, unknown_job_grace: float
) -> list[dict[str, Any]]:
    """Wait in the worker until the jobs have ended, and return what became of each.

    :param deadline: epoch seconds; the jobs are asked for once more when it is reached.
    :raises DeadlineReached: a job has not ended by then
    """
    watch = JobWatch(jobs, configured_schedule(seconds(poke_interval, "poke_interval")), unknown_job_grace)
    started_at = time.time()
    while watch.open_jobs():
        time.sleep(max(0.0, min(watch.next_wait(time.time() - started_at), deadline - time.time())))
        over = time.time() >= deadline
        poll_jobs(client, watch, watch.open_jobs() if over else watch.due_jobs(time.time() - started_at), started_at)
        if over and watch.open_jobs():
            last = "; ".join(sentence(report) for report in watch.reports())
            raise DeadlineReached(f"timeout is over before all jobs have ended: {last}. Zoho goes on with them.")
    return watch.reports()


def judge(reports: Sequence[dict[str, Any]], on_partial_failure: str, unknown_job_grace: float, to_delete_the_rest: str) -> None:
    """Raise what is wrong with ended jobs, judged by what they say of themselves.

    :param to_delete_the_rest: what the user can do, for the advice.
    :raises JobNotFound: Zoho has forgotten a job
    :raises JobFailed: a job has failed, or left something behind and ``on_partial_failure`` is "fail"
    """
    told = "; ".join(sentence(report) for report in reports) or "no job to wait for"
    lost = [report["id"] for report in reports if report["state"] == LOST]
    if lost:
        raise JobNotFound(f"Zoho has not known {', '.join(lost)} for {unknown_job_grace:g} s ({told}).")
    if any(report["state"] == "FAILED" for report in reports):
        raise JobFailed(
            f"A mass delete has failed: {told}.", advice=f"Look in Zoho CRM at what is left; to delete it, {to_delete_the_rest}."
        )
    partial = any(left_behind(report) for report in reports)
    if partial and on_partial_failure == "fail":
        raise JobFailed(
            f"A mass delete has left something behind: {told}.",
            advice=f"on_partial_failure='ignore' accepts that; to delete the rest, {to_delete_the_rest}.",
        )
    log.log(logging.WARNING if partial else logging.INFO, "Ended: %s.", told)


def check_deadline(deadline: float, seconds: float, what: str) -> None:
    """Raise if a wait of so many seconds would outlast the deadline.

    :param what: what should have been reached by then, for the sentence.
    """
    if time.time() + seconds >= deadline:
        raise DeadlineReached(f"The timeout of the task is reached before {what}.")


def growing_pauses() -> Iterator[float]:
    """Yield the seconds to wait for a job of somebody else: 5 at first, then more, at most 60."""
    pause = 5.0
    while True:
        yield pause
        pause = min(pause * 2, 60.0)


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
    finish: bool = False,
    push_xcom: bool = True,
) -> NoReturn:
    """Hand the wait over to the triggerer; the task goes on in its ``execute_complete``.

    :param deadline: epoch seconds at which ``timeout`` is over; ``execution_timeout`` may come first.
    :param finish: let the trigger end the task when all jobs are COMPLETED and nothing failed; the reports become its XCom.
    """
    # importing the base class of triggers takes longer than all of ours
    from airflow_provider_zcrm.triggers.mass_delete import MassDeleteJobTrigger

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
        finish=finish,
        push_xcom=push_xcom,
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
