"""`RestoreRecordsOperator`: brings deleted records back from the recycle bin of Zoho CRM, by their ids."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import conf

from airflow_provider_zcrm.api.errors import InvalidArgument
from airflow_provider_zcrm.links.zcrm import ZohoCrmGuideLink, ZohoCrmModuleLink
from airflow_provider_zcrm.operators.base import DeleteOperator
from airflow_provider_zcrm.rules.errors import DeadlineReached, RecordsNotRestored

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_provider_zcrm.deletion.stored_journal import StoredRecordJournal
    from airflow_provider_zcrm.rules.record_journal import RecordJournal
    from airflow_provider_zcrm.rules.record_restoration import Done, RestoreRequest, RestoreSeen


_JOURNAL = "zoho_crm_restore_records"


class RestoreRecordsOperator(DeleteOperator):
    """Brings records of one module back from the recycle bin, with their children, up to 200 with one call.

    Only the given ids are restored, never by a filter, and never all that is in the bin. Each is looked up before it is sent: one that
    is in its module is left as it is, one of another module is refused. Restores of more than 1,000 records (children count) are done by
    Zoho in the background; the task waits until the records are there.
    Returns the ids that came back, also those of earlier attempts. XCom ``report`` has all of them: ``restored``, ``present``,
    ``not_found``, ``failed`` and ``waiting``. ``api_calls`` and ``credits_left`` say what it has cost.

    .. seealso:: docs/records.md, and Zoho's crm/developer/docs/api/v8/restore-recycle-bin-records.html

    :param module: API name of the module, such as ``Leads`` (templated).
    :param record_ids: the records by id: a string of digits, an int, a mapping with ``id``, or a sequence of these nested at most twice;
        best ``delete.output`` of `DeleteRecordsOperator` (templated).
    :param backup_path: instead of ``record_ids``: the file that `MassDeleteRecordsOperator` has written with ``list_ids_first=True``
        (templated).
    :param object_storage_conn_id: the Airflow connection to the object storage, if it needs one (templated).
    :param dry_run: look the records up, and restore nothing; XCom ``would_restore`` is the number of those that are in the recycle bin
        (templated, as ``is_dry_run``).
    :param zoho_crm_conn_id: id of the Airflow connection (templated).
    :param deferrable: wait in the triggerer; default is ``[operators] default_deferrable`` of the Airflow configuration.
    :param poke_interval: seconds between looks for records that Zoho restores in the background; None: every 5 s at first, then less often.
    :param timeout: seconds for all attempts of the task together; when they are over, the task fails without retry.
    :param on_partial_failure: when records did not come back: ``fail``, without retry, or ``ignore`` (templated).
    """

    template_fields: Sequence[str] = (
        "module",
        "record_ids",
        "backup_path",
        "object_storage_conn_id",
        "is_dry_run",
        "zoho_crm_conn_id",
        "on_partial_failure",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"record_ids": "json"}
    ui_color = "#d3e4e8"
    operator_extra_links = (ZohoCrmModuleLink(), ZohoCrmGuideLink("records"))

    def __init__(
        self,
        *,
        module: str,
        record_ids: Any = None,
        backup_path: str | ObjectStoragePath | None = None,
        object_storage_conn_id: str | None = None,
        dry_run: bool | str = False,
        zoho_crm_conn_id: str = "zoho_crm_default",
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: float | timedelta | None = None,
        timeout: float | timedelta = 6 * 3600.0,
        on_partial_failure: str = "fail",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.module = module
        self.record_ids = record_ids
        self.backup_path = backup_path
        self.object_storage_conn_id = object_storage_conn_id
        self.is_dry_run = dry_run  # Airflow's operators have a method of the other name
        self.zoho_crm_conn_id = zoho_crm_conn_id
        self.deferrable = deferrable
        self.poke_interval = poke_interval
        self.timeout = timeout
        self.on_partial_failure = on_partial_failure
        self._note_given("record_ids", "backup_path")

    def execute(self, context: Context) -> list[str]:
        """Restore what no earlier attempt has restored.

        :raises ZohoCrmFailure: what no retry will fix, also records that did not come back
        :raises ZohoCrmError: what a retry may fix; it goes on where this attempt stopped
        """
        from airflow_provider_zcrm.rules.record_restoration import RestoreSeen

        return self._run(context, RestoreSeen())

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> list[str]:
        """Go on when the trigger has fired."""
        from airflow_provider_zcrm.deletion.wait_for_jobs import check_time
        from airflow_provider_zcrm.hooks.errors import airflow_errors
        from airflow_provider_zcrm.rules.record_restoration import RestoreSeen
        from airflow_provider_zcrm.triggers.event import RESTORE_KIND, read_event

        with airflow_errors(self.zoho_crm_conn_id):
            known = dict(read_event(event, RESTORE_KIND))
            check_time(known, DeadlineReached)
        ti: Any = context["ti"]
        before = ti.xcom_pull(task_ids=ti.task_id, key="report", map_indexes=ti.map_index) or {}
        there, absent = (frozenset(before.get(name, ())) for name in ("present", "not_found"))
        seen = RestoreSeen(there=there, absent=absent, failed=before.get("failed", {}))
        return self._run(context, seen, self._calls_before(context, known))

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any]:  # noqa: ARG002 - OpenLineage's signature
        """Return, for OpenLineage, that the records of the module were changed, or only read."""
        from airflow_provider_zcrm.lineage import lineage, records_of

        return lineage(changes=[records_of(self.zoho_crm_conn_id, self.module)], dry_run=self.is_dry_run)

    def _run(self, context: Context, seen: RestoreSeen, earlier_calls: int = 0) -> list[str]:
        from airflow_provider_zcrm.deletion.records_from_bin import RecordRestoration
        from airflow_provider_zcrm.deletion.stored_journal import StoredRecordJournal
        from airflow_provider_zcrm.hooks.errors import airflow_errors
        from airflow_provider_zcrm.operators.base import push_api_usage
        from airflow_provider_zcrm.rules.arguments import check_choice, truth_of

        with airflow_errors(self.zoho_crm_conn_id, RecordsNotRestored), self._deadline_first():
            self._check_text("module", "zoho_crm_conn_id")
            self._check_given()
            check_choice(self.on_partial_failure, "on_partial_failure", ("fail", "ignore"))
            self._poke_seconds()
            dry_run = truth_of(self.is_dry_run, "dry_run")
            ids = self._given_ids()
            stored = StoredRecordJournal(context, _JOURNAL)
            journal = self._open(context, stored)
            ZohoCrmModuleLink.store(context, self._client.config, self.module)
            request = self._request(ids)
            if not dry_run:
                stored.save(journal)
            restoration = RecordRestoration(
                self._client,
                request,
                journal,
                save=stored.save,
                watch=lambda waiting: self._watch(context, waiting, journal.deadline),
                seen=seen,
            )
            try:
                outcome = None if dry_run else restoration.run()
                if outcome is None:
                    found = restoration.look_up_all()
                    self._say_what_would_be(context, request, found)
            finally:
                self._push_report(context, restoration.so_far())
                push_api_usage(context, self._client, earlier_calls)
            if outcome is None:
                return []
            self._judge(outcome)
            return list(outcome.restored)

    def _given_ids(self) -> tuple[str, ...] | None:
        """Return the given ids, None where the file has them."""
        from airflow_provider_zcrm.rules.arguments import ids_of

        if (self.record_ids is None) == (self.backup_path is None):
            raise InvalidArgument("Give either record_ids or backup_path.")
        return None if self.record_ids is None else tuple(ids_of(self.record_ids, "record_ids"))

    def _request(self, ids: tuple[str, ...] | None) -> RestoreRequest:
        """Return what is requested; a file is read, and refused if it is of another org or module."""
        from airflow_provider_zcrm.backup.backup_file import BackupFile
        from airflow_provider_zcrm.backup.org import check_org
        from airflow_provider_zcrm.backup.record_list import listed_records
        from airflow_provider_zcrm.rules.record_restoration import RestoreRequest

        if ids is None:
            file = BackupFile(self.backup_path or "", self.object_storage_conn_id)
            header, ids = listed_records(file)
            if header.module != self.module:
                raise InvalidArgument(f"{file.path} lists records of {header.module}, and module is {self.module}. Nothing was sent.")
            advice = "The ids of its records mean nothing there. Nothing was sent."
            check_org(file.path, header, self._client, self.zoho_crm_conn_id, other_org=False, advice=advice)
        return RestoreRequest(self.module, ids)

    def _open(self, context: Context, stored: StoredRecordJournal) -> RecordJournal:
        """Return the journal of this run, and open the connection, since the deadline is known then.

        :raises InvalidArgument: the journal is of another module, whose records have other ids
        """
        from airflow_provider_zcrm.deletion.stored_journal import check_module
        from airflow_provider_zcrm.rules.record_journal import RecordJournal
        from airflow_provider_zcrm.version_compat import task_round

        found, run = stored.load(), task_round(context)
        deadline = self._open_connection(found, run)
        check_module(found, self.module)
        return (found or RecordJournal(self._client.config.hosts.api_url, self.module, run, deadline)).for_run(run, deadline)

    def _watch(self, context: Context, ids: Sequence[str], deadline: float) -> None:
        from airflow_provider_zcrm.deletion.records_from_bin import watch_in_worker
        from airflow_provider_zcrm.deletion.wait_for_jobs import hand_over
        from airflow_provider_zcrm.hooks.settings import configured_schedule

        if not self.deferrable:
            watch_in_worker(self._client, self.module, ids, deadline, configured_schedule(self._poke_seconds()))
            return
        from airflow_provider_zcrm.triggers.record_restore import RecordRestoreTrigger, RestoreWait

        wait = RestoreWait(
            zoho_crm_conn_id=self.zoho_crm_conn_id,
            module=self.module,
            record_ids=list(ids),
            started_at=time.time(),
            deadline=deadline,
            poke_interval=self._poke_seconds(),
        )
        hand_over(self, context, wait, RecordRestoreTrigger)

    def _say_what_would_be(self, context: Context, request: RestoreRequest, seen: RestoreSeen) -> None:
        numbers = (len(seen.binned), self.module, len(seen.there))
        self.log.info("Dry run: %d records of %s are in the recycle bin and would be restored, %d are there already.", *numbers)
        hidden = len(request.ids) - len({*seen.binned, *seen.there, *seen.failed})
        if hidden:
            self.log.warning("%d are neither in the recycle bin nor in %s, as far as the user may see.", hidden, self.module)
        context["ti"].xcom_push(key="would_restore", value=len(seen.binned))

    def _push_report(self, context: Context, outcome: Done) -> None:
        names = ("restored", "present", "not_found", "waiting")
        lists: Mapping[str, Any] = {name: list(getattr(outcome, name)) for name in names}
        context["ti"].xcom_push(key="report", value={"module": self.module, **lists, "failed": dict(outcome.failed)})

    def _judge(self, outcome: Done) -> None:
        lost = {**dict.fromkeys(outcome.not_found, "not in the recycle bin: gone for good, or hidden from the user"), **outcome.failed}
        if lost and self.on_partial_failure == "fail":
            some = json.dumps(dict(islice(lost.items(), 3)))
            raise RecordsNotRestored(
                f"Not all records of {self.module} came back: {outcome}, among these {some}.",
                advice="XCom report has them all. Clearing the task tries those again; on_partial_failure='ignore' accepts it.",
            )
        self.log.log(logging.WARNING if lost else logging.INFO, "Records of %s: %s.", self.module, outcome)
