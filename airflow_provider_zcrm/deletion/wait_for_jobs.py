"""Waits for mass-delete jobs: polls in the worker, the hand-over to the triggerer and back, and what ended jobs mean for the task."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from airflow.providers.common.compat.sdk import AirflowTaskTimeout

from airflow_provider_zcrm.api.errors import JobNotFound, RetryableError, ZohoCrmError
from airflow_provider_zcrm.api.mass_delete import MassDeleteJob, job_status
from airflow_provider_zcrm.hooks.settings import configured_schedule, number_setting
from airflow_provider_zcrm.rules.errors import DeadlineReached, JobFailed
from airflow_provider_zcrm.rules.job_watch import ENDS, LOST, JobWatch, left_behind, news, sentence
from airflow_provider_zcrm.triggers.event import RESTORE_KIND
from airflow_provider_zcrm.version_compat import execution_timeout_left

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseOperator, Context

    from airflow_provider_zcrm.client.sync_client import ZohoCrmClient
    from airflow_provider_zcrm.triggers.job_wait import JobWait
    from airflow_provider_zcrm.triggers.record_restore import RestoreWait

log = logging.getLogger(__name__)
W = TypeVar("W", "JobWait", "RestoreWait")

# the scheduler's own deferral time-out stands behind the trigger's deadline, so much later
_BACKSTOP_SECONDS = 120.0


def tell_that_jobs_go_on(job_ids: Sequence[str]) -> None:
    """Log, when a task is killed, that its jobs are not."""
    if job_ids:
        log.warning("The task is killed. Zoho has no way to cancel a mass delete: job %s goes on.", ", ".join(job_ids))


def poll_jobs(client: ZohoCrmClient, watch: JobWatch, jobs: Sequence[MassDeleteJob], started_at: float, level: int = logging.INFO) -> None:
    """Ask once for each of the jobs, and log what has changed; stops at one that fails the task.

    :param started_at: epoch seconds at which the wait began.
    :param level: of the log, but for a job that FAILED or is lost.
    :raises ZohoCrmError: the client has given up, or the error is permanent
    """
    failed_before = watch.some_failed
    for job in jobs:
        watch.asks(job)
        try:
            status = client.send(job_status(job))
        except ZohoCrmError as error:
            watch.refused(job, error, time.time() - started_at)
            if not isinstance(error, JobNotFound):
                raise
            if watch.saw_unknown(job, time.time() - started_at):
                lost = job not in watch.open_jobs()
                log.log(logging.WARNING if lost else level, "%s%s", error, " It counts as lost." if lost else "")
        else:
            if watch.saw(job, status, time.time() - started_at):
                log.log(logging.WARNING if status.state == "FAILED" else level, "%s", news(job, status))
        if watch.some_failed and not failed_before:
            break
    for warning in watch.warnings(time.time() - started_at):
        log.warning(warning)


def poll_until_ended(client: ZohoCrmClient, wait: JobWait) -> list[dict[str, Any]]:
    """Wait in the worker until the jobs have ended, and return the report of each; they are asked once more at the deadline.

    :raises DeadlineReached: a job has not ended by then
    """
    watch = JobWatch(wait.mass_delete_jobs(), configured_schedule(wait.poke_interval), wait.unknown_job_grace)
    started_at = wait.started_at
    while watch.open_jobs():
        time.sleep(max(0.0, min(watch.next_wait(time.time() - started_at), wait.deadline - time.time())))
        over = time.time() >= wait.deadline
        try:
            poll_jobs(client, watch, watch.open_jobs() if over else watch.due_jobs(time.time() - started_at), started_at)
        except RetryableError:
            if time.time() < wait.deadline:
                raise
        if over and watch.open_jobs():
            raise DeadlineReached(f"timeout is over before all jobs have ended: {watch.last_words()}. Zoho goes on with them.")
    return watch.reports()


def judge(reports: Sequence[dict[str, Any]], on_partial_failure: str, to_delete_the_rest: str) -> None:
    """Raise what is wrong with ended jobs, judged by what they say of themselves.

    :param to_delete_the_rest: what the user can do, for the advice.
    :raises JobNotFound: Zoho has forgotten a job
    :raises JobFailed: a job has failed, or left something behind and ``on_partial_failure`` is "fail"
    """
    summary = "; ".join(sentence(report) for report in reports) or "no job to wait for"
    if any(report["state"] not in ENDS for report in reports):
        summary += ". Zoho goes on with those that have not ended"
    lost = [report["id"] for report in reports if report["state"] == LOST]
    if lost:
        raise JobNotFound(f"Zoho has not known {', '.join(lost)} for {number_setting('unknown_job_grace'):g} s ({summary}).")
    if any(report["state"] == "FAILED" for report in reports):
        raise JobFailed(
            f"A mass delete has failed: {summary}.", advice=f"Look in Zoho CRM at what is left; to delete it, {to_delete_the_rest}."
        )
    partial = any(left_behind(report) for report in reports)
    if partial and on_partial_failure == "fail":
        raise JobFailed(
            f"A mass delete has left something behind: {summary}.",
            advice=f"on_partial_failure='ignore' accepts that; to delete the rest, {to_delete_the_rest}.",
        )
    log.log(logging.WARNING if partial else logging.INFO, "Ended: %s.", summary)


def defer_to_triggerer(task: BaseOperator, context: Context, wait: JobWait) -> NoReturn:
    """Hand the wait over to the triggerer; the task goes on in its ``execute_complete``.

    :param wait: its ``deadline`` is that of ``timeout``; ``execution_timeout`` may come first.
    """
    # importing the base class of triggers takes longer than all of ours
    from airflow_provider_zcrm.triggers.mass_delete_job import MassDeleteJobTrigger

    task.log.info("Waiting in the triggerer for %s.", ", ".join(f"job {job['id']}" for job in wait.jobs))
    hand_over(task, context, wait, MassDeleteJobTrigger)


def hand_over(task: BaseOperator, context: Context, wait: W, trigger: Callable[..., Any]) -> NoReturn:
    """Hand a wait over to the triggerer; the task goes on in its ``execute_complete``.

    :param trigger: makes the trigger of the wait's values.
    """
    left = execution_timeout_left(context, wait.started_at)
    if left is not None and wait.started_at + left < wait.deadline:
        wait = replace(wait, deadline=wait.started_at + left, limit="execution_timeout")
    backstop = timedelta(seconds=max(0.0, wait.deadline - wait.started_at) + _BACKSTOP_SECONDS)
    task.defer(trigger=trigger(**wait.to_json()), method_name="execute_complete", timeout=backstop)


def check_time(event: Mapping[str, Any], over: type[Exception]) -> None:
    """Raise if the trigger gave up because a time was over.

    :param over: raised for ``timeout``; for ``execution_timeout`` it is always Airflow's AirflowTaskTimeout.
    """
    if event["status"] != "timeout":
        return
    what = "all records are back" if event["kind"] == RESTORE_KIND else "all jobs have ended"
    last = f"{event['limit']} is over before {what}: {event['last_words']}."
    message = f"{last} Zoho goes on with them; there is no way to cancel them."
    raise AirflowTaskTimeout(message) if event["limit"] == "execution_timeout" else over(message)
