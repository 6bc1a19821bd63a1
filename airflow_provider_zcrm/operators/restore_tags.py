"""`RestoreTagsOperator`: creates the tags of a backup again and puts them back on their records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_zcrm.api.errors import InvalidArgument
from airflow_provider_zcrm.links.zcrm import ZohoCrmGuideLink, ZohoCrmModuleLink
from airflow_provider_zcrm.templates import KeepsPlainStrings

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_provider_zcrm.backup.backup_file import BackupFile
    from airflow_provider_zcrm.backup.restoration import TagRestoration
    from airflow_provider_zcrm.client.sync_client import ZohoCrmClient
    from airflow_provider_zcrm.rules.tag_backup import Contents


class RestoreTagsOperator(KeepsPlainStrings, BaseOperator):
    """Creates the tags of a backup that are not there (by name), with their colours, and puts all of them back on their records.

    It goes into the module that the backup is of. Running it twice changes nothing more. What could not be restored (records that are
    gone, limits of the edition) stands in the log and in XCom ``not_restored``, per tag and reason with the number of records and the
    first 20 of their ids. If a tag could not be created, or be put on any of its records, the task fails once all others are restored.
    Returns ``path``, ``module``, ``tags`` (in the backup), ``created``, ``records`` (pairs of a record and a tag that it carries now) and
    ``not_restored`` (pairs that could not be restored). XCom ``api_calls`` and ``credits_left`` say what that has cost.

    .. seealso:: docs/backup.md

    :param backup_path: a file that `BackupTagsOperator` has written; also as an ``ObjectStoragePath`` (templated).
    :param dry_run: read everything and change nothing; the numbers are those that would be (templated, as ``is_dry_run``, for Airflow's
        operators have a method of the argument's name).
    :param other_org: restore also into another org or environment than the one that the backup is of (templated).
    :param object_storage_conn_id: the Airflow connection to the object storage, if it needs one (templated).
    :param zoho_crm_conn_id: id of the Airflow connection to Zoho CRM (templated).
    """

    template_fields: Sequence[str] = ("backup_path", "is_dry_run", "other_org", "object_storage_conn_id", "zoho_crm_conn_id")
    ui_color = "#d3e4e8"
    operator_extra_links = (ZohoCrmModuleLink(), ZohoCrmGuideLink("backup"))
    # of the backup; known once it is read
    _module: str | None = None

    def __init__(
        self,
        *,
        backup_path: str | ObjectStoragePath,
        dry_run: bool | str = False,
        other_org: bool | str = False,
        object_storage_conn_id: str | None = None,
        zoho_crm_conn_id: str = "zoho_crm_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.backup_path = backup_path
        self.is_dry_run = dry_run
        self.other_org = other_org
        self.object_storage_conn_id = object_storage_conn_id
        self.zoho_crm_conn_id = zoho_crm_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Check the backup to its end, and only then change anything.

        :raises ZohoCrmFailure: there is no whole backup, it is of another org, or Zoho refuses the calls
        :raises RestoreShort: a tag is not there afterwards, or on none of its records
        """
        from airflow_provider_zcrm.backup.backup_file import BackupFile
        from airflow_provider_zcrm.backup.org import check_org
        from airflow_provider_zcrm.hooks.errors import airflow_errors
        from airflow_provider_zcrm.hooks.zcrm import ZohoCrmHook
        from airflow_provider_zcrm.operators.base import push_api_usage
        from airflow_provider_zcrm.rules.arguments import truth_of

        with airflow_errors(self.zoho_crm_conn_id):
            self._check_text("zoho_crm_conn_id")
            dry_run, other_org = truth_of(self.is_dry_run, "dry_run"), truth_of(self.other_org, "other_org")
            file = BackupFile(self.backup_path, self.object_storage_conn_id)
            if not file.exists():
                raise InvalidArgument(
                    f"There is no backup at {file.path}.", advice="BackupTagsOperator returns the path of what it has written."
                )
            contents = file.contents()
            self._module = contents.header.module
            client = ZohoCrmHook(self.zoho_crm_conn_id).get_conn()
            ZohoCrmModuleLink.store(context, client.config, self._module)
            try:
                advice = "With other_org=True the tags are created there; records have other ids in another org."
                same_org = check_org(file.path, contents.header, client, self.zoho_crm_conn_id, other_org=other_org, advice=advice)
                done = self._restore(context, client, file, contents, dry_run=dry_run, same_org=same_org)
            finally:
                push_api_usage(context, client)
        return {"path": file.path, "module": self._module, "tags": len(contents.tags)} | done

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any]:  # noqa: ARG002 - OpenLineage's signature
        """Return, for OpenLineage, that a file was read and the tags of its module were changed."""
        from airflow_provider_zcrm.lineage import file_at, lineage, tags_of

        tags = [tags_of(self.zoho_crm_conn_id, self._module)] if self._module else []
        return lineage(reads=[file_at(str(self.backup_path))], changes=tags, dry_run=self.is_dry_run)

    def _restore(
        self, context: Context, client: ZohoCrmClient, file: BackupFile, contents: Contents, *, dry_run: bool, same_org: bool
    ) -> dict[str, int]:
        from airflow_provider_zcrm.backup.restoration import TagRestoration
        from airflow_provider_zcrm.rules.log_lists import log_list
        from airflow_provider_zcrm.rules.tag_backup import records_of_tags

        module, records = contents.header.module, sum(contents.records.values())
        restoration = TagRestoration(client, module, contents.tags)
        missing = restoration.missing()
        held = (file.path, len(contents.tags), module, records, contents.header.created_at)
        self.log.info("%s holds %d tags of %s with %d records, as of %s.", *held)
        log_list(self.log, f"{len(missing)} of them are not there", [tag.name for tag in missing])
        if dry_run:
            self.log.info("A dry run: no tag is created, and no record is changed.")
            return {"created": len(missing), "records": records, "not_restored": 0}
        try:
            restoration.create(missing)
            with file.lines() as lines:
                restoration.put_on_records(records_of_tags(lines))
        finally:
            done = self._report(context, restoration)
        # records have other ids in another org
        restoration.check(contents.records if same_org else {})
        return done

    def _report(self, context: Context, restoration: TagRestoration) -> dict[str, int]:
        """Log what was done and what was not possible, and return the numbers."""
        from airflow_provider_zcrm.rules.markdown import one_line

        lost = restoration.not_restored
        for entry in lost:
            shown = {**entry, "tag": one_line(entry["tag"]), "reason": one_line(entry["reason"])}
            self.log.warning("Not restored: %(tag)s: %(reason)s; records: %(records)d %(record_ids)s", shown)
        context["ti"].xcom_push(key="not_restored", value=lost)
        self.log.info("%d tags were created, and %d records carry their tags again.", restoration.created, restoration.records)
        not_restored = sum(entry["records"] for entry in lost)
        return {"created": restoration.created, "records": restoration.records, "not_restored": not_restored}
