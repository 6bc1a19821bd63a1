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

    from airflow_provider_zcrm.deletion.records_by_id import Outcome
    from airflow_provider_zcrm.deletion.stored_journal import StoredJournal
    from airflow_provider_zcrm.rules.record_journal import RecordJournal


_JOURNAL = "zoho_crm_delete_records"


class DeleteRecordsOperator(DeleteOperator):
    """Deletes records of one module by their ids, up to 500 with one call, at once: there is no job to wait for.

    Returns the ids that Zoho has deleted, also those of earlier attempts. XCom ``report`` says what became of all: ``deleted``,
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
        """Delete what no earlier attempt has deleted, and look which of the refused records are still there.

        :raises ZohoCrmFailure: what no retry will fix
        :raises ZohoCrmError: what a retry may fix; it goes on where this attempt stopped
        """
        from airflow_provider_zcrm.deletion.records_by_id import RecordDeletion
        from airflow_provider_zcrm.hooks.errors import airflow_errors
        from airflow_provider_zcrm.operators.base import push_api_usage
        from airflow_provider_zcrm.rules.arguments import check_choice, ids_of, truth_of
        from airflow_provider_zcrm.rules.guards import check_records, max_records_of

        with airflow_errors(self.zoho_crm_conn_id), self._deadline_first():
            self._check_text("module", "zoho_crm_conn_id")
            self._check_given()
            check_choice(self.on_partial_failure, "on_partial_failure", ("fail", "ignore"))
            record_ids = ids_of(self.record_ids, "record_ids")
            check_records(len(record_ids), max_records_of(self.max_records), f"{self.module}, by their ids")
            journal = self._open(context)
            if truth_of(self.is_dry_run, "dry_run"):
                self._push_would_delete(context, len(record_ids), self.module)
                push_api_usage(context, self._client)
                return []
            answers = _Answers(context)
            outcome = RecordDeletion(self._client, self.module, journal.deadline, answers.add).delete(record_ids, answers.deleted())
            context["ti"].xcom_push(key="report", value=outcome.to_json(self.module))
            push_api_usage(context, self._client)
            self._judge(outcome)
            return outcome.deleted

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any]:  # noqa: ARG002 - OpenLineage's signature
        """Return, for OpenLineage, that the records of the module were changed, or only read."""
        from airflow_provider_zcrm.lineage import lineage, records_of

        return lineage(changes=[records_of(self.zoho_crm_conn_id, self.module)], dry_run=self.is_dry_run)

    def _open(self, context: Context) -> RecordJournal:
        """Save the journal of this run, and open the connection, since the deadline is known then."""
        from airflow_provider_zcrm.deletion.stored_journal import StoredJournal
        from airflow_provider_zcrm.rules.record_journal import RecordJournal
        from airflow_provider_zcrm.version_compat import task_round

        stored, run = StoredJournal(context, _JOURNAL), task_round(context)
        found = stored.load(RecordJournal.from_json)
        deadline = self._open_connection(found, run)
        journal = (found or RecordJournal(run, deadline, self._client.config.hosts.api_url)).for_run(run, deadline)
        stored.save(journal.to_json())
        ZohoCrmModuleLink.store(context, self._client.config, self.module)
        return journal

    def _judge(self, outcome: Outcome) -> None:
        from airflow_provider_zcrm.rules.errors import RecordsLeftBehind

        if outcome.failed and self.on_partial_failure == "fail":
            some = json.dumps(dict(islice(outcome.failed.items(), 3)))
            raise RecordsLeftBehind(
                f"Zoho has not deleted all records of {self.module}: {outcome}, among these {some}.",
                advice="XCom report has them all. The next try sends these again; on_partial_failure='ignore' accepts that they stay.",
            )
        self.log.log(logging.WARNING if outcome.failed else logging.INFO, "Records of %s: %s.", self.module, outcome)
        if outcome.not_found and not outcome.deleted and not outcome.failed:
            self.log.warning("%s has none of these records. Are they ids of another module or org, or deleted already?", self.module)


class _Answers:
    """Which records this task has deleted, one stored value for each call to Zoho."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._number = 0

    def deleted(self) -> set[str]:
        """Return what earlier attempts have deleted; to be called before `add`."""
        deleted: set[str] = set()
        while (ids := self._stored().load(lambda value: value["deleted"])) is not None:
            deleted.update(ids)
            self._number += 1
        return deleted

    def add(self, deleted: Sequence[str]) -> None:
        """Store what one more call has deleted."""
        self._stored().save({"deleted": list(deleted)})
        self._number += 1

    def _stored(self) -> StoredJournal:
        from airflow_provider_zcrm.deletion.stored_journal import StoredJournal

        return StoredJournal(self._context, f"{_JOURNAL}_{self._number}")
