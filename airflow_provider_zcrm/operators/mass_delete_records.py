"""`MassDeleteRecordsOperator`: deletes records of a module of Zoho CRM, by custom view or by their ids."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import conf

from airflow_provider_zcrm.api.errors import (
    DeadlineReached,
    InvalidArgument,
    JobFailed,
    RecordsLeftBehind,
    SubmissionUncertain,
)
from airflow_provider_zcrm.links.zcrm import ZohoCrmGuideLink, ZohoCrmModuleLink
from airflow_provider_zcrm.operators.base import MassDeleteOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_provider_zcrm.api.record_journal import RecordJournal, View
    from airflow_provider_zcrm.version_compat import TaskState


DEFAULT_MAX_RECORDS = 1000
_JOURNAL = "zoho_crm_mass_delete_records"
_FINAL_FOR_A_VIEW = (JobFailed, SubmissionUncertain)
_TO_DELETE_THE_REST = "set confirm_resubmit=True and clear the task: it submits the view again, as it is then"


class MassDeleteRecordsOperator(MassDeleteOperator):
    """Deletes records of one module: all that a custom view shows, in one job, or those with given ids, at once.

    A custom view is submitted once in a DAG run: a retry, or clearing the task, takes up the job that there is. A submission whose outcome
    nobody knows fails the task without retry, and is sent again only if a person sets ``confirm_resubmit``.
    Returns the list of job ids, empty for ``record_ids``; XCom ``job_id`` holds them for a sensor. XCom ``report`` says what became of
    the job, of a task that waits, or of the ids: ``deleted``, ``not_found`` and ``failed``. ``api_calls`` and ``credits_left`` say what
    it has cost.

    .. seealso:: docs/records.md, and Zoho's crm/developer/docs/api/v8/mass-delete.html

    :param module: API name of the module, such as ``Leads`` (templated).
    :param cvid: id of the custom view whose records go, 50,000 at the most; Enterprise edition and above (templated).
    :param record_ids: instead of ``cvid``, the records by id: a string of digits, an int, a mapping with ``id``, or a sequence of these
        nested at most twice (templated).
    :param territory_id: with ``cvid``, only the records of this territory (templated).
    :param include_child: with ``territory_id``, also of the territories below it (templated).
    :param max_records: fail before anything is sent if more records than this would go; None for any number, and no count (templated).
    :param confirm_resubmit: with ``cvid``, submit the view although an earlier round of the task has submitted: if the outcome is unknown,
        the job has left records, or it was another view or host. Set it when you have looked, and clear the task (templated).
    :param dry_run: do everything but the delete; XCom ``would_delete`` is the number of records (templated, as ``is_dry_run``).
    :param zoho_crm_conn_id: id of the Airflow connection (templated).
    :param wait_for_completion: with ``cvid``, wait until the job has ended.
    :param deferrable: wait in the triggerer; default is ``[operators] default_deferrable`` of the Airflow configuration.
    :param poke_interval: seconds between polls; None follows the job: every 5 s at first, then less often.
    :param timeout: seconds for all tries of the task together; when they are over, the task fails without retry.
    :param unknown_job_grace: seconds for which Zoho may not know a job that it has just scheduled.
    :param on_partial_failure: when records are left: ``fail`` (with ``record_ids`` retryable, with ``cvid`` not) or ``ignore`` (templated).
    """

    template_fields: Sequence[str] = (
        "module",
        "cvid",
        "record_ids",
        "territory_id",
        "include_child",
        "max_records",
        "confirm_resubmit",
        "is_dry_run",
        "zoho_crm_conn_id",
        "on_partial_failure",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"record_ids": "json"}
    operator_extra_links = (ZohoCrmModuleLink(), ZohoCrmGuideLink("records"))

    def __init__(
        self,
        *,
        module: str,
        cvid: Any = None,
        record_ids: Any = None,
        territory_id: Any = None,
        include_child: bool | str = False,
        max_records: int | str | None = DEFAULT_MAX_RECORDS,
        confirm_resubmit: bool | str = False,
        dry_run: bool | str = False,
        zoho_crm_conn_id: str = "zoho_crm_default",
        wait_for_completion: bool = False,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: float | timedelta | None = None,
        timeout: float | timedelta = 6 * 3600.0,
        unknown_job_grace: float = 60.0,
        on_partial_failure: str = "fail",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.module = module
        self.cvid = cvid
        self.record_ids = record_ids
        self.territory_id = territory_id
        self.include_child = include_child
        self.max_records = max_records
        self.confirm_resubmit = confirm_resubmit
        self.is_dry_run = dry_run  # Airflow's operators have a method of the other name
        self.zoho_crm_conn_id = zoho_crm_conn_id
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.poke_interval = poke_interval
        self.timeout = timeout
        self.unknown_job_grace = unknown_job_grace
        self.on_partial_failure = on_partial_failure
        self._note_given("territory_id", "max_records")

    def execute(self, context: Context) -> list[str]:
        """Delete, or submit the delete and wait for it if asked to.

        :raises ZohoCrmFailure: what no retry will mend; of a custom view also a failed job and a submission of unknown outcome
        :raises ZohoCrmError: what a retry may mend; it goes on where this try stopped
        """
        from airflow_provider_zcrm.api.arguments import check_choice
        from airflow_provider_zcrm.hooks.errors import airflow_errors

        final = () if self.cvid is None else _FINAL_FOR_A_VIEW
        with airflow_errors(self.zoho_crm_conn_id, *final), self._deadline_first():
            self._check_given()
            check_choice(self.on_partial_failure, "on_partial_failure", ("fail", "ignore"))
            return self._delete_ids(context) if self.cvid is None else self._delete_view(context)

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> list[str]:
        """Go on when the trigger has fired."""
        from airflow_provider_zcrm.hooks.errors import airflow_errors
        from airflow_provider_zcrm.operators.waiting import check_time
        from airflow_provider_zcrm.triggers.event import read_event

        with airflow_errors(self.zoho_crm_conn_id, *_FINAL_FOR_A_VIEW):
            known = dict(read_event(event))
            check_time(known, DeadlineReached)
            self._check_host(known["carry"]["host"])
            return self._finish(context, known["jobs"], known["carry"]["api_calls"] + known["api_calls"])

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any]:  # noqa: ARG002 - OpenLineage's signature
        """Return, for OpenLineage, that the records of the module were changed, or only read."""
        from airflow_provider_zcrm.lineage import lineage, records_of

        records = records_of(self.zoho_crm_conn_id, self.module)
        return lineage(changes=[records], dry_run=self.is_dry_run, job_ids=self._submitted)

    # --- by custom view -------------------------------------------------------------------------------------------------

    def _delete_view(self, context: Context) -> list[str]:
        from airflow_provider_zcrm.api.arguments import truth_of
        from airflow_provider_zcrm.api.mass_delete import MassDeleteJob
        from airflow_provider_zcrm.operators.api_usage import push_api_usage
        from airflow_provider_zcrm.operators.view_deletion import ViewDeletion
        from airflow_provider_zcrm.version_compat import TaskState

        view, max_records, confirmed = self._view(), self._max_records(), truth_of(self.confirm_resubmit, "confirm_resubmit")
        dry_run = truth_of(self.is_dry_run, "dry_run")
        state = TaskState(context)
        journal = self._open(context, state, view)
        deletion = ViewDeletion(
            self._client,
            view,
            journal,
            save=lambda changed: state.set(_JOURNAL, changed.to_json()),
            max_records=max_records,
            confirmed=confirmed,
            unknown_job_grace=self.unknown_job_grace,
        )
        job_id = deletion.earlier_job()
        if job_id is None and dry_run:
            self._would_delete(context, deletion.check(), str(view))
        elif job_id is None:
            job_id = deletion.submit()
        self._announce(context, [job_id] if job_id else [])
        push_api_usage(context, self._client)
        if not job_id or not self.wait_for_completion:
            return list(self._submitted)
        return self._finish(context, self._reports_of(context, [MassDeleteJob("records", job_id, view.module)], journal.deadline, {}))

    def _view(self) -> View:
        """Return what is asked for, or refuse the arguments."""
        from airflow_provider_zcrm.api.arguments import truth_of
        from airflow_provider_zcrm.api.record_journal import View

        if self.record_ids is not None:
            raise InvalidArgument("Pass either cvid or record_ids, not both.")
        include_child = truth_of(self.include_child, "include_child")
        if include_child and self.territory_id is None:
            raise InvalidArgument("include_child needs territory_id.")
        territory_id = None if self.territory_id is None else _one_id(self.territory_id, "territory_id")
        return View(self.module, _one_id(self.cvid, "cvid"), territory_id, include_child)

    def _finish(self, context: Context, reports: list[dict[str, Any]], earlier_calls: int = 0) -> list[str]:
        from airflow_provider_zcrm.api.mass_delete import RECORDS_PER_JOB
        from airflow_provider_zcrm.operators.api_usage import push_api_usage
        from airflow_provider_zcrm.operators.waiting import judge

        context["ti"].xcom_push(key="report", value=reports)
        push_api_usage(context, self._client, earlier_calls)
        self._submitted = tuple(report["id"] for report in reports)
        if any((report["total"] or 0) >= RECORDS_PER_JOB for report in reports):
            self.log.warning("One job deletes at most %d records. If the view shows more, the next DAG run deletes them.", RECORDS_PER_JOB)
        judge(reports, self.on_partial_failure, self.unknown_job_grace, _TO_DELETE_THE_REST)
        return list(self._submitted)

    # --- by ids ---------------------------------------------------------------------------------------------------------

    def _delete_ids(self, context: Context) -> list[str]:
        from airflow_provider_zcrm.api.arguments import truth_of
        from airflow_provider_zcrm.api.guards import check_records
        from airflow_provider_zcrm.operators.api_usage import push_api_usage
        from airflow_provider_zcrm.operators.record_deletion import RecordDeletion
        from airflow_provider_zcrm.version_compat import TaskState

        record_ids = self._ids()
        check_records(len(record_ids), self._max_records(), f"{self.module}, by their ids")
        state = TaskState(context)
        journal = self._open(context, state)
        self._announce(context, [])
        if truth_of(self.is_dry_run, "dry_run"):
            self._would_delete(context, len(record_ids), self.module)
            push_api_usage(context, self._client)
            return []
        answers = _Answers(state)
        outcome = RecordDeletion(self._client, self.module, journal.deadline, answers.add).delete(record_ids, answers.deleted())
        context["ti"].xcom_push(key="report", value=outcome.to_json(self.module))
        push_api_usage(context, self._client)
        if outcome.failed and self.on_partial_failure == "fail":
            some = json.dumps(dict(islice(outcome.failed.items(), 3)))
            raise RecordsLeftBehind(
                f"Zoho has not deleted all records of {self.module}: {outcome}, among these {some}.",
                advice="XCom report has them all. The next try sends these again; on_partial_failure='ignore' accepts that they stay.",
            )
        self.log.log(logging.WARNING if outcome.failed else logging.INFO, "Records of %s: %s.", self.module, outcome)
        if outcome.not_found and not outcome.deleted and not outcome.failed:
            self.log.warning("%s has none of these records. Are they ids of another module or org, or deleted already?", self.module)
        return []

    def _ids(self) -> list[str]:
        """Return the ids that are asked for, or refuse the arguments."""
        from airflow_provider_zcrm.api.arguments import truth_of
        from airflow_provider_zcrm.api.ids import ids_of

        if self.record_ids is None:
            raise InvalidArgument("Pass either cvid or record_ids.")
        if self.territory_id is not None or truth_of(self.include_child, "include_child"):
            raise InvalidArgument("territory_id and include_child need cvid.")
        return ids_of(self.record_ids, "record_ids")

    # --- both -----------------------------------------------------------------------------------------------------------

    def _max_records(self) -> int | None:
        from airflow_provider_zcrm.api.arguments import integer_of

        return None if self.max_records is None else integer_of(self.max_records, "max_records", 0)

    def _open(self, context: Context, state: TaskState, view: View | None = None) -> RecordJournal:
        """Open the journal and, since the deadline is known now, the connection.

        :param view: the view that earlier tries may have submitted.
        """
        from airflow_provider_zcrm.api.record_journal import RecordJournal
        from airflow_provider_zcrm.operators.waiting import seconds
        from airflow_provider_zcrm.version_compat import task_round

        # the wait would refuse it too late, when the job is submitted
        seconds(self.poke_interval, "poke_interval")
        journal = RecordJournal.open(state.get(_JOURNAL), task_round(context), time.time(), self._seconds("timeout"))
        self._until = journal.deadline
        if view is None:
            self._check_host(journal.host)
        journal = replace(journal, host=self._client.config.hosts.api_url)
        if view is not None and _journal_is_lost(context, state):
            journal = journal.with_lost(view, earlier_round=context["ti"].try_number == journal.round)
        state.set(_JOURNAL, journal.to_json())
        ZohoCrmModuleLink.store(context, self._client.config, self.module)
        return journal

    def _would_delete(self, context: Context, number: int | None, of: str) -> None:
        self.log.info("Dry run: %s records of %s would be deleted; nothing was sent.", "any number of" if number is None else number, of)
        context["ti"].xcom_push(key="would_delete", value=number)


class _Answers:
    """Which records this task has deleted by their ids, one value of the task state store for each call to Zoho."""

    def __init__(self, state: TaskState) -> None:
        self._state = state
        self._number = 0

    def deleted(self) -> set[str]:
        """Return what earlier tries have deleted; to be called before `add`."""
        deleted: set[str] = set()
        while (value := self._state.get(self._key())) is not None:
            deleted.update(value["deleted"])
            self._number += 1
        return deleted

    def add(self, deleted: Sequence[str]) -> None:
        """Store what one more call has deleted."""
        self._state.set(self._key(), {"deleted": list(deleted)})
        self._number += 1

    def _key(self) -> str:
        return f"{_JOURNAL}_{self._number}"


def _journal_is_lost(context: Context, state: TaskState) -> bool:
    """Tell whether earlier tries may have submitted something of which there is no journal."""
    from airflow_provider_zcrm.version_compat import never_cleared

    if context["ti"].try_number == 1 or state.get(_JOURNAL) is not None:
        return False
    # where nothing has taken the journal away, the tries before have died before they opened it
    return not (state.available and never_cleared(context))


def _one_id(value: Any, argument: str) -> str:
    from airflow_provider_zcrm.api.ids import ids_of

    ids = ids_of(value, argument)
    if len(ids) != 1:
        raise InvalidArgument(f"{argument} must be one id, not {len(ids)}.")
    return ids[0]
