"""`MassDeleteJobSensor`: waits until mass-delete jobs of tags or of records have ended."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from airflow.providers.common.compat.sdk import (
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    PokeReturnValue,
    conf,
)

from airflow_provider_zcrm.api.errors import InvalidArgument, RetryableError, ZohoCrmError
from airflow_provider_zcrm.links.zcrm import ZohoCrmGuideLink, ZohoCrmModuleLink
from airflow_provider_zcrm.rules.errors import JobFailed
from airflow_provider_zcrm.templates import KeepsPlainStrings

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_zcrm.client.sync_client import ZohoCrmClient
    from airflow_provider_zcrm.rules.job_watch import JobWatch


# the poke that shall find the timeout over comes so much later, in seconds
_PAST_TIMEOUT = 0.1
_TO_DELETE_THE_REST = {
    "tags": "clear the task that submitted the job",
    "records": "clear the task that submitted the job, with confirm_resubmit=True: it submits the view again, as it is then",
}


class MassDeleteJobSensor(KeepsPlainStrings, BaseSensorOperator):
    """Waits until one or several mass-delete jobs have ended, and returns how each ended.

    Returns, per job, ``id``, ``kind``, ``module``, ``state``, ``total``, ``deleted`` and ``failed`` (None where Zoho does not say).
    Is done at once for an empty list. A FAILED job fails the task for good; with ``soft_fail=True`` it is skipped instead. Of several
    jobs the first one that fails ends the wait: the others are asked for once more, and the error names all of them.

    .. seealso:: docs/sensors.md, and Zoho's crm/developer/docs/api/v8/get-mass-delete-tags-status.html and mass-delete-status.html

    :param job_id: what to wait for: a string of digits, an int, a mapping with ``id``, or a sequence of these nested at most
        twice; best ``delete.output`` of the operator (templated).
    :param module: API name of the module; needed for ``kind="records"`` (templated).
    :param kind: ``tags`` or ``records`` (templated).
    :param zoho_crm_conn_id: id of the Airflow connection (templated).
    :param deferrable: wait in the triggerer; default is ``[operators] default_deferrable`` of the Airflow configuration.
    :param on_partial_failure: what to do about a job that ended as COMPLETED with failures: ``fail`` or ``ignore`` (templated).
    :param poke_interval: seconds between polls; None follows the job: every 5 s at first, then less often, as docs/sensors.md says.
    :param finish_in_triggerer: of a deferrable sensor: end it in the triggerer when all jobs are COMPLETED and nothing failed, which saves
        the second start of the task on a worker. Every other end goes through the worker, and so does one of a task with outlets.
    :param kwargs: ``timeout``, ``mode``, ``soft_fail`` and the rest, as for every sensor of Airflow.
    """

    template_fields: Sequence[str] = ("job_id", "module", "kind", "zoho_crm_conn_id", "on_partial_failure")
    template_fields_renderers: ClassVar[dict[str, str]] = {"job_id": "json"}
    ui_color = "#d2e8f9"
    operator_extra_links = (ZohoCrmModuleLink(), ZohoCrmGuideLink("sensors"))
    _linked = False

    def __init__(
        self,
        *,
        job_id: Any,
        module: str | None = None,
        kind: str = "tags",
        zoho_crm_conn_id: str = "zoho_crm_default",
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        on_partial_failure: str = "fail",
        poke_interval: float | timedelta | None = None,
        finish_in_triggerer: bool = False,
        **kwargs: Any,
    ) -> None:
        # Airflow's base class refuses None, so its own attribute keeps its default and ours the user's word
        super().__init__(**kwargs if poke_interval is None else {"poke_interval": poke_interval, **kwargs})
        self.job_id = job_id
        self.module = module
        self.kind = kind
        self.zoho_crm_conn_id = zoho_crm_conn_id
        self.deferrable = deferrable
        self.on_partial_failure = on_partial_failure
        self.fixed_poke_interval = poke_interval
        self.finish_in_triggerer = finish_in_triggerer

    def poke(self, context: Context) -> PokeReturnValue:
        """Ask once for the jobs that have not ended; a deferrable sensor then hands over to the triggerer.

        :raises ZohoCrmFailure: a job failed, or another error that no retry can fix
        :raises ZohoCrmError: a passing fault outlasted the client's patience; never in a deferrable sensor
        :raises AirflowSensorTimeout: ``timeout`` is over
        """
        from airflow_provider_zcrm.hooks.errors import airflow_errors

        with airflow_errors(self.zoho_crm_conn_id, JobFailed):
            self._check_arguments()
            try:
                self._ask(context)
            except RetryableError as error:
                if self.deferrable:
                    self.log.warning("%s The triggerer tries again.", error)
                elif time.time() < self._started_at(context) + self.timeout:
                    raise
            if self._watch.some_failed or not self._watch.open_jobs():
                return PokeReturnValue(is_done=True, xcom_value=self._judged(self._watch.reports()))
            if self.deferrable:
                self._defer(context)
            if time.time() >= self._started_at(context) + self.timeout:
                counted = " (in this poke)" if self.reschedule else ""
                raise AirflowSensorTimeout(f"timeout is over before all jobs have ended{counted}: {self._watch.last_words()}.")
            return PokeReturnValue(is_done=False)

    def execute_complete(
        self,
        context: Context,
        event: dict[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        """Go on when the trigger has fired."""
        from airflow_provider_zcrm.deletion.wait_for_jobs import check_time
        from airflow_provider_zcrm.hooks.errors import airflow_errors
        from airflow_provider_zcrm.rules.job_watch import ENDS
        from airflow_provider_zcrm.triggers.event import merged_reports, read_event

        with airflow_errors(self.zoho_crm_conn_id, JobFailed):
            known = dict(read_event(event))
            check_time(known, AirflowSensorTimeout)
            reports = self._judged(merged_reports(known["jobs"], known["carry"]["reports"]))
            if any(report["state"] not in ENDS for report in reports):
                # the trigger ended early for a failure that on_partial_failure, a template, accepts now
                self._defer(context)
            return reports

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Go on after a deferral; with ``never_fail`` any error skips the task, in every Airflow, as it does in the other modes."""
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except AirflowSkipException:
            raise
        except Exception as error:
            if not self.never_fail:
                raise
            raise AirflowSkipException(f"Skipped, because never_fail is set: {error}") from error

    def on_kill(self) -> None:
        """Say that the jobs go on: Zoho has no way to cancel them."""
        from airflow_provider_zcrm.deletion.wait_for_jobs import tell_that_jobs_go_on

        tell_that_jobs_go_on([job.id for job in self._watch.open_jobs()])

    def _get_next_poke_interval(self, started_at: datetime | float, run_duration: Callable[[], float], poke_count: int) -> float:
        from airflow_provider_zcrm.rules import poll_schedule

        if self._follows_the_jobs:
            # no longer than the timeout, so that its end is noticed
            return min(self._watch.next_wait(run_duration()), max(0.0, self.timeout - run_duration()) + _PAST_TIMEOUT)
        return max(poll_schedule.SHORTEST_INTERVAL, float(super()._get_next_poke_interval(started_at, run_duration, poke_count)))

    @cached_property
    def _watch(self) -> JobWatch:
        from airflow_provider_zcrm.api.mass_delete import MassDeleteJob
        from airflow_provider_zcrm.hooks.settings import configured_schedule, number_setting
        from airflow_provider_zcrm.rules.arguments import job_ids_of
        from airflow_provider_zcrm.rules.job_watch import JobWatch

        jobs = [MassDeleteJob(self.kind, job_id, self.module) for job_id in job_ids_of(self.job_id, "job_id")]
        return JobWatch(jobs, configured_schedule(self._poke_seconds()), number_setting("unknown_job_grace"), self.on_partial_failure)

    def _new_client(self, until: float) -> ZohoCrmClient:
        """Return a client that gives up at a time, in epoch seconds; a deferrable sensor leaves all retries to the triggerer."""
        from airflow_provider_zcrm.client.retries import NO_RETRIES, RetryPolicy
        from airflow_provider_zcrm.hooks.zcrm import ZohoCrmHook

        retries = NO_RETRIES if self.deferrable else RetryPolicy(until=until)
        return ZohoCrmHook(self.zoho_crm_conn_id, retries=retries).get_conn()

    def _check_arguments(self) -> None:
        from airflow_provider_zcrm.api.mass_delete import KINDS
        from airflow_provider_zcrm.rules.arguments import check_choice, seconds_of

        seconds_of(self.timeout, "timeout")
        self._poke_seconds()
        check_choice(self.on_partial_failure, "on_partial_failure", ("fail", "ignore"))
        check_choice(self.kind, "kind", KINDS)
        self._check_text("zoho_crm_conn_id", *(["module"] if self.module else []))
        if self.kind == "records" and not self.module:
            raise InvalidArgument("kind records needs module, because Zoho keeps such jobs per module.")

    def _ask(self, context: Context) -> None:
        """Ask for the jobs; one that Zoho does not know is asked for again here where the next poke would not remember it."""
        from airflow_provider_zcrm.deletion.wait_for_jobs import poll_jobs
        from airflow_provider_zcrm.hooks.settings import number_setting

        watch, started_at, now = self._watch, self._started_at(context), time.time()
        by_schedule = self._follows_the_jobs and now < started_at + self.timeout
        jobs = watch.due_jobs(now - started_at) if by_schedule else watch.open_jobs()
        if not jobs:
            return
        client = self._new_client(started_at + self.timeout)
        if not self._linked:
            ZohoCrmModuleLink.store(context, client.config, self.module)
            self._linked = True
        # a later poke in a process of its own does not know what the one before it has logged
        level = logging.INFO if started_at == self._began else logging.DEBUG
        poll_jobs(client, watch, jobs, started_at, level)
        while self.reschedule and not self.deferrable and watch.unknown_jobs() and not watch.some_failed:
            time.sleep(min(5.0, number_setting("unknown_job_grace")))
            poll_jobs(client, watch, watch.unknown_jobs(), started_at, level)
        if watch.some_failed:
            self._ask_for_the_others(started_at)

    def _ask_for_the_others(self, started_at: float) -> None:
        """Ask once more for the jobs beside one that has failed, for the report; whatever keeps Zoho from an answer, the task fails."""
        from airflow_provider_zcrm.deletion.wait_for_jobs import poll_jobs

        now = time.time()
        client = self._new_client(now + self._watch.time_left(now - started_at))
        for job in self._watch.due_jobs(now - started_at):
            try:
                poll_jobs(client, self._watch, [job], started_at)
            except ZohoCrmError as error:
                self.log.warning("%s", error)
            if self._watch.time_left(time.time() - started_at) <= 0:
                break

    @property
    def _follows_the_jobs(self) -> bool:
        return self.fixed_poke_interval is None and not self.exponential_backoff

    def _started_at(self, context: Context) -> float:
        """Return the epoch seconds from which ``timeout`` counts: the first poke, which of a rescheduled task was in another process."""
        from airflow_provider_zcrm.version_compat import first_poke

        if self.reschedule:
            first = first_poke(context)
            if first:
                return float(first.timestamp())
        return self._began

    @cached_property
    def _began(self) -> float:
        return time.time()

    def _defer(self, context: Context) -> NoReturn:
        from airflow_provider_zcrm.deletion.wait_for_jobs import defer_to_triggerer
        from airflow_provider_zcrm.hooks.settings import number_setting
        from airflow_provider_zcrm.triggers.job_wait import JobWait

        obstacle = self._why_a_worker_must_finish(context) if self.finish_in_triggerer else None
        if obstacle:
            self.log.info("finish_in_triggerer is off, because %s.", obstacle)
        now = time.time()
        wait = JobWait(
            zoho_crm_conn_id=self.zoho_crm_conn_id,
            jobs=[asdict(job) for job in self._watch.open_jobs()],
            started_at=now,
            deadline=now + self.timeout,
            poke_interval=self._poke_seconds(),
            unknown_job_grace=number_setting("unknown_job_grace"),
            on_partial_failure=self.on_partial_failure,
            carry={"reports": self._watch.reports()},
            finish=self.finish_in_triggerer and not obstacle,
            push_xcom=bool(self.do_xcom_push),
        )
        defer_to_triggerer(self, context, wait)

    def _poke_seconds(self) -> float | None:
        from airflow_provider_zcrm.rules.arguments import seconds_of

        return None if self.fixed_poke_interval is None else seconds_of(self.fixed_poke_interval, "poke_interval")

    def _why_a_worker_must_finish(self, context: Context) -> str | None:
        """Return what Airflow does only where a task ends on a worker, None if this one needs nothing of it."""
        from airflow_provider_zcrm.version_compat import can_end_tasks_from_triggerer, xcoms_are_airflows_own

        if not can_end_tasks_from_triggerer():
            return "this Airflow cannot end a task in the triggerer"
        if self.outlets:
            return "the task has outlets, whose events only a worker sends"
        if getattr(self, "_post_execute_hook", None):
            return "post_execute runs only on a worker"
        if self.do_xcom_push and not xcoms_are_airflows_own():
            return "[core] xcom_backend is not Airflow's own, and the triggerer does not use it"
        mapped = context["ti"].map_index not in (None, -1)
        if not mapped and self.has_dag() and next(self.iter_mapped_dependants(), None):  # type: ignore[no-untyped-call]
            return "a task is mapped over this one's XCom, whose length only a worker stores"
        return None

    def _judged(self, reports: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the reports if they are good, or raise what is wrong with them."""
        from airflow_provider_zcrm.deletion.wait_for_jobs import judge

        judge(reports, self.on_partial_failure, _TO_DELETE_THE_REST[self.kind])
        return reports
