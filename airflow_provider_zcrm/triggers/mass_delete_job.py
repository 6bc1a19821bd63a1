"""`MassDeleteJobTrigger`: waits in the triggerer until mass-delete jobs have ended.

It only reads, so it may run twice, be moved or be cancelled at any moment, and nothing happens to the jobs. Its kwargs are ids,
numbers and strings, which Airflow stores in clear. It fires one event (`airflow_provider_zcrm.triggers.event`) or, if it is to
finish the task and all went well, Airflow's own event that ends the task with the reports as its XCom.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import TriggerEvent

from airflow_provider_zcrm.api.errors import JobNotFound, ZohoCrmError
from airflow_provider_zcrm.api.mass_delete import job_status
from airflow_provider_zcrm.rules.job_watch import JobWatch, left_behind, left_some, news, sentence
from airflow_provider_zcrm.rules.poll_schedule import PollSchedule
from airflow_provider_zcrm.triggers.event import EVENT_KIND, merged_reports
from airflow_provider_zcrm.triggers.job_wait import JobWait
from airflow_provider_zcrm.triggers.polling import PollingTrigger
from airflow_provider_zcrm.version_compat import task_success

if TYPE_CHECKING:
    from airflow_provider_zcrm.client.async_client import AsyncZohoCrmClient


class MassDeleteJobTrigger(PollingTrigger[JobWatch]):
    """Waits until mass-delete jobs have ended, a limit is reached, or an error comes that no waiting can fix.

    :param wait: the arguments of `JobWait`.
    """

    def __init__(self, **wait: Any) -> None:
        super().__init__()
        self.wait: JobWait = JobWait(**wait)

    def _new_watch(self, schedule: PollSchedule) -> JobWatch:
        wait = self.wait
        return JobWatch(wait.mass_delete_jobs(), schedule, wait.unknown_job_grace, wait.on_partial_failure)

    async def on_kill(self) -> None:
        """Say that the jobs go on: Zoho has no way to cancel them. Airflow 3.3+ calls it when a user ends the deferred task."""
        ids = ", ".join(job["id"] for job in self.wait.jobs)
        self.log.warning("The task is no longer waited for. Zoho has no way to cancel a mass delete: job %s goes on.", ids)

    async def _poll(self, client: AsyncZohoCrmClient, watch: JobWatch, *, last: bool) -> None:
        for job in watch.open_jobs() if last else watch.due_jobs(self._elapsed()):
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
        """Return the event that ends the task, None if a worker must judge the jobs."""
        if not self.wait.finish:
            return None
        reports = merged_reports(watch.reports(), self.wait.carry["reports"])
        if any(report["state"] != "COMPLETED" or left_behind(report) for report in reports):
            return None
        self.log.info("Ended: %s.", "; ".join(sentence(report) for report in reports))
        return task_success({"return_value": reports} if self.wait.push_xcom else {})

    def _told(self, watch: JobWatch) -> dict[str, Any]:
        return {"kind": EVENT_KIND, "jobs": watch.reports(), "carry": self.wait.carry}
