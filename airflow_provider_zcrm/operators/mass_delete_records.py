"""`MassDeleteRecordsOperator`: deletes the records of a custom view of Zoho CRM in one mass-delete job."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import conf

from airflow_provider_zcrm.api.errors import InvalidArgument, SubmissionUncertain
from airflow_provider_zcrm.links.zcrm import ZohoCrmGuideLink, ZohoCrmModuleLink
from airflow_provider_zcrm.operators.base import DEFAULT_MAX_RECORDS, DEFAULT_MAX_SHARE, MassDeleteOperator
from airflow_provider_zcrm.rules.errors import DeadlineReached, JobFailed

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_provider_zcrm.deletion.records_by_view import ViewDeletion
    from airflow_provider_zcrm.deletion.stored_journal import StoredJournal
    from airflow_provider_zcrm.rules.view_deletion import ViewRequest
    from airflow_provider_zcrm.rules.view_journal import View, ViewJournal


_JOURNAL = "zoho_crm_mass_delete_records"
_FINAL = (JobFailed, SubmissionUncertain)
_TO_DELETE_THE_REST = "set confirm_resubmit=True and clear the task: it submits the view again, as it is then"


class MassDeleteRecordsOperator(MassDeleteOperator):
    """Deletes all records that a custom view of one module shows, in one job. `DeleteRecordsOperator` deletes records by their ids.

    A custom view is submitted once in a DAG run: a retry, or clearing the task, goes on with the job that there is. A submission whose
    outcome is unknown fails the task without retry, and is sent again only if a person sets ``confirm_resubmit``. The view is counted
    directly before each submission, for ``max_records``.
    Returns the list of job ids, empty if the view shows no record; XCom ``job_id`` holds them for a sensor. A task that waits pushes
    a ``report`` of each job. ``api_calls`` and ``credits_left`` say what it has cost.

    .. seealso:: docs/records.md, and Zoho's crm/developer/docs/api/v8/mass-delete.html

    :param module: API name of the module, such as ``Leads`` (templated).
    :param cvid: id of the custom view whose records go, 50,000 at the most; Enterprise edition and above (templated).
    :param territory_id: only the records of this territory (templated).
    :param include_child: with ``territory_id``, also of the territories below it (templated).
    :param max_records: fail before anything is sent if more records than this would go; None for any number, and no count (templated).
    :param max_share: fail before anything is sent if more than this share of the module's records would go, 0 to 1; 1.0 allows all, and
        with ``max_records=None`` needs no count (templated).
    :param confirm_resubmit: submit the view although an earlier run of the task has submitted: if the outcome is unknown,
        the job has left records, or it was another view or host. Set it when you have looked in Zoho CRM, and clear the task (templated).
    :param list_ids_first: write the ids of the records to ``backup_path`` before the view is submitted, one call per 200 records, so that
        `RestoreRecordsOperator` can bring them back; XCom ``record_list`` is the path of the file (templated).
    :param backup_path: such as ``s3://bucket/zoho/{{ run_id }}.jsonl``; a connection to the object storage may stand in it
        (``s3://conn_id@bucket/...``). It is never overwritten (templated).
    :param dry_run: do everything but the delete; XCom ``would_delete`` is the number of records (templated, as ``is_dry_run``).
    :param zoho_crm_conn_id: id of the Airflow connection (templated).
    :param wait_for_completion: wait until the job has ended.
    :param deferrable: wait in the triggerer; default is ``[operators] default_deferrable`` of the Airflow configuration.
    :param poke_interval: seconds between polls; None follows the job: every 5 s at first, then less often.
    :param timeout: seconds for all attempts of the task together; when they are over, the task fails without retry.
    :param on_partial_failure: when the job has left records: ``fail``, without retry, or ``ignore`` (templated).
    """

    template_fields: Sequence[str] = (
        "module",
        "cvid",
        "territory_id",
        "include_child",
        "max_records",
        "max_share",
        "confirm_resubmit",
        "list_ids_first",
        "backup_path",
        "is_dry_run",
        "zoho_crm_conn_id",
        "on_partial_failure",
    )
    operator_extra_links = (ZohoCrmModuleLink(), ZohoCrmGuideLink("records"))

    def __init__(
        self,
        *,
        module: str,
        cvid: Any,
        territory_id: Any = None,
        include_child: bool | str = False,
        max_records: int | str | None = DEFAULT_MAX_RECORDS,
        max_share: float | str = DEFAULT_MAX_SHARE,
        confirm_resubmit: bool | str = False,
        list_ids_first: bool | str = False,
        backup_path: str | ObjectStoragePath | None = None,
        dry_run: bool | str = False,
        zoho_crm_conn_id: str = "zoho_crm_default",
        wait_for_completion: bool = False,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: float | timedelta | None = None,
        timeout: float | timedelta = 6 * 3600.0,
        on_partial_failure: str = "fail",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.module = module
        self.cvid = cvid
        self.territory_id = territory_id
        self.include_child = include_child
        self.max_records = max_records
        self.max_share = max_share
        self.confirm_resubmit = confirm_resubmit
        self.list_ids_first = list_ids_first
        self.backup_path = backup_path
        self.is_dry_run = dry_run  # Airflow's operators have a method of the other name
        self.zoho_crm_conn_id = zoho_crm_conn_id
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.poke_interval = poke_interval
        self.timeout = timeout
        self.on_partial_failure = on_partial_failure
        self._note_given("territory_id", "max_records", "backup_path")

    def execute(self, context: Context) -> list[str]:
        """Go on with the job that there is or submit the view, and wait if the task waits.

        :raises ZohoCrmFailure: what no retry will fix, also a failed job and a submission of unknown outcome
        :raises ZohoCrmError: what a retry may fix; it goes on where this attempt stopped
        """
        from airflow_provider_zcrm.deletion.stored_journal import StoredJournal
        from airflow_provider_zcrm.hooks.errors import airflow_errors
        from airflow_provider_zcrm.operators.base import push_api_usage

        with airflow_errors(self.zoho_crm_conn_id, *_FINAL), self._deadline_first():
            self._check_text("module", "zoho_crm_conn_id")
            self._check_given()
            request = self._request()
            stored = StoredJournal(context, _JOURNAL)
            journal = self._open(context, stored, request.view)
            # also of a dry run: without a journal a later attempt must take it that a view was submitted
            stored.save(journal.to_json())
            ZohoCrmModuleLink.store(context, self._client.config, self.module)
            deletion = self._deletion(context, stored, request, journal)
            done = deletion.run()
            job_ids = [done.job_id] if done.job_id else []
            self._push_list(context, deletion.journal, job_ids)
            self._announce(context, job_ids)
            if request.dry_run and not job_ids:
                counted = deletion.seen.count if request.guards.need_count else None
                self._push_would_delete(context, counted[0] if counted else None, str(request.view))
            push_api_usage(context, self._client)
            return self._finish(context, deletion.seen.reports, deletion.journal) if deletion.seen.reports is not None else job_ids

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> list[str]:
        """Go on when the trigger has fired."""
        from airflow_provider_zcrm.deletion.stored_journal import StoredJournal
        from airflow_provider_zcrm.deletion.wait_for_jobs import check_time
        from airflow_provider_zcrm.hooks.errors import airflow_errors
        from airflow_provider_zcrm.operators.base import push_api_usage
        from airflow_provider_zcrm.rules.view_journal import ViewJournal
        from airflow_provider_zcrm.triggers.event import read_event
        from airflow_provider_zcrm.version_compat import task_round

        with airflow_errors(self.zoho_crm_conn_id, *_FINAL):
            known = dict(read_event(event))
            check_time(known, DeadlineReached)
            journal = StoredJournal(context, _JOURNAL).load(ViewJournal.from_json)
            self._open_connection(journal, task_round(context))
            push_api_usage(context, self._client, self._calls_before(context, known))
            self._push_list(context, journal, [report["id"] for report in known["jobs"]])
            return self._finish(context, known["jobs"], journal)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any]:  # noqa: ARG002 - OpenLineage's signature
        """Return, for OpenLineage, that the records of the module were changed, or only read."""
        from airflow_provider_zcrm.lineage import lineage, records_of

        records = records_of(self.zoho_crm_conn_id, self.module)
        return lineage(changes=[records], dry_run=self.is_dry_run, job_ids=self._submitted)

    def _request(self) -> ViewRequest:
        """Return what is requested, or refuse the arguments."""
        from airflow_provider_zcrm.hooks.settings import number_setting
        from airflow_provider_zcrm.rules.arguments import check_choice, one_id_of, truth_of
        from airflow_provider_zcrm.rules.guards import RecordGuards
        from airflow_provider_zcrm.rules.view_deletion import ViewRequest
        from airflow_provider_zcrm.rules.view_journal import View

        check_choice(self.on_partial_failure, "on_partial_failure", ("fail", "ignore"))
        # the wait would refuse it too late, when the job is submitted
        self._poke_seconds()
        include_child = truth_of(self.include_child, "include_child")
        if include_child and self.territory_id is None:
            raise InvalidArgument("include_child needs territory_id.")
        territory_id = None if self.territory_id is None else one_id_of(self.territory_id, "territory_id")
        list_first = truth_of(self.list_ids_first, "list_ids_first")
        if list_first != (self.backup_path is not None):
            raise InvalidArgument("list_ids_first=True and backup_path go together: give both, or neither.")
        if list_first and territory_id is not None:
            raise InvalidArgument("list_ids_first cannot list a territory's part of a view.", advice="Make a view that shows that part.")
        return ViewRequest(
            view=View(self.module, one_id_of(self.cvid, "cvid"), territory_id, include_child),
            guards=RecordGuards.of(self.max_records, self.max_share),
            confirmed=truth_of(self.confirm_resubmit, "confirm_resubmit"),
            unknown_job_grace=number_setting("unknown_job_grace"),
            dry_run=truth_of(self.is_dry_run, "dry_run"),
            wait=self.wait_for_completion,
            list_first=list_first,
        )

    def _open(self, context: Context, stored: StoredJournal, view: View) -> ViewJournal:
        """Return the journal of this run; and open the connection, since the deadline is known then.

        A view that was or may have been submitted to another host is a question for a person, so the host is not compared here.
        """
        from airflow_provider_zcrm.rules.arguments import seconds_of
        from airflow_provider_zcrm.rules.view_journal import ViewJournal
        from airflow_provider_zcrm.version_compat import task_round

        found, run = stored.load(ViewJournal.from_json), task_round(context)
        self._until = found.deadline if found and found.run == run else time.time() + seconds_of(self.timeout, "timeout")
        host = self._client.config.hosts.api_url
        journal = (found or ViewJournal(run, self._until)).for_run(run, host, self._until)
        if found is None and _journal_is_lost(context, stored):
            journal = journal.with_lost(view, earlier_run=context["ti"].try_number == run)
        return journal

    def _deletion(self, context: Context, stored: StoredJournal, request: ViewRequest, journal: ViewJournal) -> ViewDeletion:
        from airflow_provider_zcrm.api.mass_delete import MassDeleteJob
        from airflow_provider_zcrm.deletion.records_by_view import ViewDeletion

        def save(changed: ViewJournal) -> None:
            if not request.dry_run:
                stored.save(changed.to_json())

        return ViewDeletion(
            self._client,
            request,
            journal,
            save=save,
            announce=lambda job_ids: self._announce(context, job_ids),
            list_records=lambda: self._list_records(context),
            watch=lambda job_ids: self._reports_of(
                context, [MassDeleteJob("records", job_id, self.module) for job_id in job_ids], journal.deadline
            ),
        )

    def _list_records(self, context: Context) -> tuple[str, int]:
        """Write the ids of the records that the view shows to a file; returns its path, and how many they are."""
        from datetime import UTC, datetime

        from airflow_provider_zcrm.backup.backup_file import BackupFile
        from airflow_provider_zcrm.backup.org import org_id
        from airflow_provider_zcrm.backup.record_list import RecordList
        from airflow_provider_zcrm.rules.arguments import one_id_of
        from airflow_provider_zcrm.rules.record_list import ListHeader

        ti: Any = context["ti"]
        cvid = one_id_of(self.cvid, "cvid")
        header = ListHeader(
            module=self.module,
            cvid=cvid,
            zgid=org_id(self._client),
            environment=self._client.config.hosts.environment,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            made_by=f"{ti.dag_id}/{ti.run_id}/{ti.task_id}/{ti.map_index}",
        )
        path, number = RecordList(self._client, BackupFile(self.backup_path or "", None), header).write()
        self.log.info("The ids of %d records of %s are in %s.", number, self.module, path)
        context["ti"].xcom_push(key="record_list", value=path)
        return path, number

    def _push_list(self, context: Context, journal: ViewJournal | None, job_ids: list[str]) -> None:
        """Push the path of the file that an earlier attempt may have written."""
        submission = journal.of_job(job_ids[0]) if journal and job_ids else None
        if submission and submission.record_list:
            context["ti"].xcom_push(key="record_list", value=submission.record_list)

    def _finish(self, context: Context, reports: Sequence[Mapping[str, Any]], journal: ViewJournal | None) -> list[str]:
        """Push the report of the job, and judge it."""
        from airflow_provider_zcrm.api.mass_delete import RECORDS_PER_JOB
        from airflow_provider_zcrm.deletion.wait_for_jobs import judge

        context["ti"].xcom_push(key="report", value=[dict(report) for report in reports])
        self._submitted = tuple(report["id"] for report in reports)
        if any((report["total"] or 0) >= RECORDS_PER_JOB for report in reports):
            self.log.warning("One job deletes at most %d records. If the view shows more, the next DAG run deletes them.", RECORDS_PER_JOB)
        for report in reports:
            submission = journal.of_job(report["id"]) if journal else None
            counted, listed = (submission.counted, submission.listed) if submission else (None, None)
            if None not in (listed, report["total"]) and listed != report["total"]:
                numbers = (listed, submission.record_list if submission else "", report["id"], report["total"])
                self.log.warning("%d ids were listed in %s before, and job %s was for %d records.", *numbers)
            if None not in (counted, report["total"]) and counted != report["total"]:
                self.log.warning("Zoho counted %d records before, and job %s was for %d.", counted, report["id"], report["total"])
        judge([dict(report) for report in reports], self.on_partial_failure, _TO_DELETE_THE_REST)
        return list(self._submitted)


def _journal_is_lost(context: Context, stored: StoredJournal) -> bool:
    """Return whether earlier attempts may have submitted something, where there is no journal."""
    from airflow_provider_zcrm.version_compat import never_cleared

    # where nothing has taken the journal away, the attempts before have died before they opened it
    return context["ti"].try_number > 1 and not (stored.survives_attempts and never_cleared(context))
