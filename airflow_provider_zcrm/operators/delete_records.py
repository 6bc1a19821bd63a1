"""`DeleteRecordsOperator`: deletes records of a module of Zoho CRM by their ids."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_zcrm.links.zcrm import ZohoCrmGuideLink, ZohoCrmModuleLink
from airflow_provider_zcrm.operators.base import DEFAULT_MAX_RECORDS, DeleteOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_provider_zcrm.deletion.stored_journal import StoredRecordJournal
    from airflow_provider_zcrm.rules.record_deletion import Done
    from airflow_provider_zcrm.rules.record_journal import RecordJournal


_JOURNAL = "zoho_crm_delete_records"


class DeleteRecordsOperator(DeleteOperator):
    """Deletes records of one module by their ids, up to 500 with one call, at once: there is no job to wait for.

    Returns the ids that Zoho has deleted, also those of earlier attempts. XCom ``report`` has all of them: ``deleted``,
    ``not_found`` and ``failed``. A retry sends only what is not deleted yet. ``api_calls`` and ``credits_left`` say what it has cost.

    .. seealso:: docs/records.md, and Zoho's crm/developer/docs/api/v8/mass-delete.html

    :param module: API name of the module, such as ``Leads`` (templated).
    :param record_ids: the records by id: a string of digits, an int, a mapping with ``id``, or a sequence of these nested at most twice
        (templated).
    :param max_records: fail before anything is sent if these are more records; None for any number (templated).
    :param dry_run: do everything but the delete; XCom ``would_delete`` is the number of records (templated, as ``is_dry_run``).
    :param zoho_crm_conn_id: id of the Airflow connection (templated).
    :param timeout: seconds for all attempts of the task together; when they are over, the task fails without retry.
    :param on_partial_failure: when records are left: ``fail``, which is retried, or ``ignore`` (templated).
    """

    template_fields: Sequence[str] = ("module", "record_ids", "max_records", "is_dry_run", "zoho_crm_conn_id", "on_partial_failure")
    template_fields_renderers: ClassVar[dict[str, str]] = {"record_ids": "json"}
    operator_extra_links = (ZohoCrmModuleLink(), ZohoCrmGuideLink("records"))

    def __init__(
        self,
        *,
        module: str,
        record_ids: Any,
        max_records: int | str | None = DEFAULT_MAX_RECORDS,
        dry_run: bool | str = False,
        zoho_crm_conn_id: str = "zoho_crm_default",
        timeout: float | timedelta = 6 * 3600.0,
        on_partial_failure: str = "fail",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.module = module
        self.record_ids = record_ids
        self.max_records = max_records
        self.is_dry_run = dry_run  # Airflow's operators have a method of the other name
        self.zoho_crm_conn_id = zoho_crm_conn_id
        self.timeout = timeout
        self.on_partial_failure = on_partial_failure
        self._note_given("max_records")

    def execute(self, context: Context) -> list[str]:
        """Delete what no earlier attempt has deleted, and read which of the refused records are still there.

        :raises ZohoCrmFailure: what no retry will fix
        :raises ZohoCrmError: what a retry may fix; it goes on where this attempt stopped
        """
        from airflow_provider_zcrm.deletion.records_by_id import RecordDeletion
        from airflow_provider_zcrm.deletion.stored_journal import StoredRecordJournal
        from airflow_provider_zcrm.hooks.errors import airflow_errors
        from airflow_provider_zcrm.operators.base import push_api_usage
        from airflow_provider_zcrm.rules.arguments import check_choice, ids_of, truth_of
        from airflow_provider_zcrm.rules.guards import check_records, max_records_of
        from airflow_provider_zcrm.rules.record_deletion import RecordRequest

        with airflow_errors(self.zoho_crm_conn_id), self._deadline_first():
            self._check_text("module", "zoho_crm_conn_id")
            self._check_given()
            check_choice(self.on_partial_failure, "on_partial_failure", ("fail", "ignore"))
            request = RecordRequest(self.module, tuple(ids_of(self.record_ids, "record_ids")))
            dry_run = truth_of(self.is_dry_run, "dry_run")
            check_records(len(request.ids), max_records_of(self.max_records), f"{self.module}, by their ids")
            stored = StoredRecordJournal(context, _JOURNAL)
            journal = self._open(context, stored)
            ZohoCrmModuleLink.store(context, self._client.config, self.module)
            if dry_run:
                self._push_would_delete(context, len(request.ids), self.module)
                push_api_usage(context, self._client)
                return []
            stored.save(journal)
            deletion = RecordDeletion(
                self._client, request, journal, save=stored.save, report=lambda outcome: self._push_report(context, outcome)
            )
            try:
                outcome = deletion.run()
            finally:
                self._push_report(context, deletion.so_far())
                push_api_usage(context, self._client)
            self._judge(outcome)
            return list(outcome.deleted)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any]:  # noqa: ARG002 - OpenLineage's signature
        """Return, for OpenLineage, that the records of the module were changed, or only read."""
        from airflow_provider_zcrm.lineage import lineage, records_of

        return lineage(changes=[records_of(self.zoho_crm_conn_id, self.module)], dry_run=self.is_dry_run)

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

    def _push_report(self, context: Context, outcome: Done) -> None:
        report = {"deleted": list(outcome.deleted), "not_found": list(outcome.not_found), "failed": dict(outcome.failed)}
        context["ti"].xcom_push(key="report", value={"module": self.module, **report})

    def _judge(self, outcome: Done) -> None:
        from airflow_provider_zcrm.rules.errors import RecordsLeftBehind

        if 2 * len(outcome.not_found) > len(outcome.deleted) + len(outcome.not_found) + len(outcome.failed):
            self.log.warning(
                "%s has no record with %d of the ids. Are they ids of another module or org, or deleted already?",
                self.module,
                len(outcome.not_found),
            )
        if outcome.failed and self.on_partial_failure == "fail":
            some = json.dumps(dict(islice(outcome.failed.items(), 3)))
            raise RecordsLeftBehind(
                f"Zoho has not deleted all records of {self.module}: {outcome}, among these {some}.",
                advice="XCom report has them all. The next attempt sends these again; on_partial_failure='ignore' accepts that they stay.",
            )
        self.log.log(logging.WARNING if outcome.failed else logging.INFO, "Records of %s: %s.", self.module, outcome)
