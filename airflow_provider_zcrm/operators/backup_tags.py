"""`BackupTagsOperator`: writes down tags, and the records that carry them, before they are deleted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, cast

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_zcrm.links.zcrm import ZohoCrmGuideLink, ZohoCrmModuleLink
from airflow_provider_zcrm.templates import KeepsPlainStrings

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_provider_zcrm.backup.writing import Saved


class BackupTagsOperator(KeepsPlainStrings, BaseOperator):
    """Writes name, colour and id of tags, and the ids of the records that carry them, into a file that `RestoreTagsOperator` reads.

    It fails if it finds fewer records for a tag than Zoho says carry it, so that no delete follows. No file is ever overwritten: what an
    earlier attempt of this very task instance wrote is kept if it holds the same, else the new backup is written beside it.
    Returns ``path``, and how many ``tags`` and ``records`` (pairs of a record and a tag) are in it. Without tags nothing is written, and
    ``path`` is None. XCom ``api_calls`` and ``credits_left`` say what it has cost.

    .. seealso:: docs/backup.md

    :param module: API name of the module (templated).
    :param tag_ids: the tags as `FindTagsOperator` returns them, or their ids as for `MassDeleteTagsOperator` (templated).
    :param backup_path: where to, in any object storage that Airflow knows, such as ``s3://bucket/{{ run_id }}/Leads.jsonl``; also as an
        ``ObjectStoragePath``, or as a list of its parts, of which none may come out empty (templated).
    :param include_records: write the ids of the records too; without them a restore creates the tags and no more (templated).
    :param object_storage_conn_id: the Airflow connection to the object storage, if it needs one (templated).
    :param zoho_crm_conn_id: id of the Airflow connection to Zoho CRM (templated).
    """

    template_fields: Sequence[str] = ("module", "tag_ids", "backup_path", "include_records", "object_storage_conn_id", "zoho_crm_conn_id")
    template_fields_renderers: ClassVar[dict[str, str]] = {"tag_ids": "json"}
    ui_color = "#d8e8d3"
    operator_extra_links = (ZohoCrmModuleLink(), ZohoCrmGuideLink("backup"))
    # of the file that holds the backup; known once it is written
    _path: str | None = None

    def __init__(
        self,
        *,
        module: str,
        tag_ids: Any,
        backup_path: str | ObjectStoragePath | Sequence[str],
        include_records: bool | str = True,
        object_storage_conn_id: str | None = None,
        zoho_crm_conn_id: str = "zoho_crm_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.module = module
        self.tag_ids = tag_ids
        self.backup_path = backup_path
        self.include_records = include_records
        self.object_storage_conn_id = object_storage_conn_id
        self.zoho_crm_conn_id = zoho_crm_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Read everything, compare it with Zoho's counts, and only then write the file.

        :raises ZohoCrmFailure: another backup stands there, or Zoho refuses a call
        :raises BackupShort: fewer records were found than there must be; a retry reads again
        """
        from airflow_provider_zcrm.backup.backup_file import BackupFile
        from airflow_provider_zcrm.backup.org import org_id
        from airflow_provider_zcrm.backup.writing import TagBackup, earlier_backups
        from airflow_provider_zcrm.hooks.errors import airflow_errors
        from airflow_provider_zcrm.hooks.zcrm import ZohoCrmHook
        from airflow_provider_zcrm.operators.base import push_api_usage
        from airflow_provider_zcrm.rules.arguments import check_module, ids_of, truth_of
        from airflow_provider_zcrm.rules.tag_backup import Header

        with airflow_errors(self.zoho_crm_conn_id):
            self._check_text("module", "zoho_crm_conn_id")
            check_module(self.tag_ids, "tag_ids", self.module)
            tag_ids, include_records = ids_of(self.tag_ids, "tag_ids"), truth_of(self.include_records, "include_records")
            if not tag_ids:
                return self._nothing("no tags were given")
            file = BackupFile(self._place(), self.object_storage_conn_id)
            made_by = _task_instance(context)
            # before the first call: another backup in that place fails the task
            earlier_backups(file, made_by, self.module)
            client = ZohoCrmHook(self.zoho_crm_conn_id).get_conn()
            ZohoCrmModuleLink.store(context, client.config, self.module)
            backup = TagBackup(client, self.module)
            try:
                tags = backup.present(tag_ids)
                created_at = datetime.now(UTC).isoformat(timespec="seconds")
                header = Header(self.module, org_id(client), client.config.hosts.environment, created_at, made_by, include_records)
                saved = backup.save(file, header, tags, tag_ids)
            finally:
                push_api_usage(context, client)
        return self._summary(saved) if saved else self._nothing("none of the tags is there any more")

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any]:  # noqa: ARG002 - OpenLineage's signature
        """Return, for OpenLineage, that the tags of the module were read and a file was written."""
        from airflow_provider_zcrm.lineage import file_at, lineage, tags_of

        return lineage(reads=[tags_of(self.zoho_crm_conn_id, self.module)], changes=[file_at(self._path)] if self._path else [])

    def _place(self) -> str | ObjectStoragePath:
        """Return the path; that one of its parts is missing does not show in a string.

        :raises InvalidArgument: a part came out empty
        """
        from airflow_provider_zcrm.rules.arguments import text_of

        if isinstance(self.backup_path, (list, tuple)):
            return "/".join(text_of(part, "backup_path").rstrip("/") for part in self.backup_path)
        return cast("str | ObjectStoragePath", self.backup_path)

    def _nothing(self, why: str) -> dict[str, Any]:
        self.log.info("Nothing to back up of %s: %s. No file is written.", self.module, why)
        return {"path": None, "tags": 0, "records": 0}

    def _summary(self, saved: Saved) -> dict[str, Any]:
        from airflow_provider_zcrm.rules.log_lists import log_list

        self._path, contents = saved.file.path, saved.contents
        summary = {"path": self._path, "tags": len(contents.tags), "records": sum(contents.records.values())}
        headline = f"{self._path} holds {summary['tags']} tags of {self.module} with {summary['records']} records"
        log_list(self.log, headline, [f"{tag.name} ({contents.records.get(tag.id, 0)})" for tag in contents.tags])
        return summary


def _task_instance(context: Context) -> str:
    ti = context["ti"]
    return f"{ti.dag_id}/{ti.run_id}/{ti.task_id}/{ti.map_index}"
