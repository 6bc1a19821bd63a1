"""`BackupTagsOperator`: writes down tags, and the records that carry them, before they are deleted."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_zcrm.api.errors import BackupShort, BackupUnfinished, InvalidArgument, InvalidBackup
from airflow_provider_zcrm.links.zcrm import ZohoCrmGuideLink, ZohoCrmModuleLink

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_provider_zcrm.api.tag_backup import Contents, Header
    from airflow_provider_zcrm.api.tags import Tag
    from airflow_provider_zcrm.operators.backup_file import BackupFile
    from airflow_provider_zcrm.operators.tag_reader import TagReader

# what was tagged a moment ago may not be listed yet: seconds to wait before each further look
_LOOKS = (15.0, 45.0)


class BackupTagsOperator(BaseOperator):
    """Writes name, colour and id of tags, and the ids of the records that carry them, into a file that `RestoreTagsOperator` reads.

    It fails if it finds fewer records for a tag than Zoho says carry it, so that no delete follows. A backup that stands there already is
    never overwritten; one that this very task instance wrote in an earlier try is kept.
    Returns ``path``, and how many ``tags`` and ``records`` (pairs of a record and a tag) are in it. Without tags nothing is written, and
    ``path`` is None. XCom ``api_calls`` and ``credits_left`` say what it has cost.

    .. seealso:: docs/backup.md

    :param module: API name of the module (templated).
    :param tag_ids: the tags as `FindTagsOperator` returns them, or their ids as for `MassDeleteTagsOperator` (templated).
    :param path: where to, in any object storage that Airflow knows, such as ``s3://bucket/{{ run_id }}/Leads.jsonl`` (templated).
    :param include_records: write the ids of the records too; without them a restore creates the tags and no more (templated).
    :param object_storage_conn_id: the Airflow connection to the object storage, if it needs one (templated).
    :param zoho_crm_conn_id: id of the Airflow connection to Zoho CRM (templated).
    """

    template_fields: Sequence[str] = ("module", "tag_ids", "path", "include_records", "object_storage_conn_id", "zoho_crm_conn_id")
    template_fields_renderers: ClassVar[dict[str, str]] = {"tag_ids": "json"}
    ui_color = "#d8e8d3"
    operator_extra_links = (ZohoCrmModuleLink(), ZohoCrmGuideLink("backup"))

    def __init__(
        self,
        *,
        module: str,
        tag_ids: Any,
        path: str,
        include_records: bool | str = True,
        object_storage_conn_id: str | None = None,
        zoho_crm_conn_id: str = "zoho_crm_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.module = module
        self.tag_ids = tag_ids
        self.path = path
        self.include_records = include_records
        self.object_storage_conn_id = object_storage_conn_id
        self.zoho_crm_conn_id = zoho_crm_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Read everything, compare it with Zoho's counts, and only then write the file.

        :raises ZohoCrmFailure: another backup stands there, or Zoho refuses a call
        :raises BackupShort: fewer records were found than there must be; a retry looks again
        """
        from airflow_provider_zcrm.api.arguments import truth_of
        from airflow_provider_zcrm.api.ids import ids_of
        from airflow_provider_zcrm.api.tag_backup import Header
        from airflow_provider_zcrm.hooks.errors import airflow_errors
        from airflow_provider_zcrm.hooks.zcrm import ZohoCrmHook
        from airflow_provider_zcrm.operators.api_usage import push_api_usage
        from airflow_provider_zcrm.operators.backup_file import BackupFile, org_id
        from airflow_provider_zcrm.operators.tag_reader import TagReader

        with airflow_errors(self.zoho_crm_conn_id):
            tag_ids, include_records = ids_of(self.tag_ids, "tag_ids"), truth_of(self.include_records, "include_records")
            if not tag_ids:
                return self._nothing("no tags were given")
            file = BackupFile(self.path, self.object_storage_conn_id)
            made_by = _task_instance(context)
            standing = self._standing(file, made_by)
            client = ZohoCrmHook(self.zoho_crm_conn_id).get_conn()
            ZohoCrmModuleLink.store(context, client.config, self.module)
            reader = TagReader(client, self.module)
            try:
                if standing:
                    self._check_that_it_holds_all(standing, reader, tag_ids, include_records=include_records)
                    return self._summary(standing)
                tags = self._present(reader, tag_ids)
                if not tags:
                    return self._nothing("none of the tags is there any more")
                created_at = datetime.now(UTC).isoformat(timespec="seconds")
                header = Header(self.module, org_id(client), client.config.hosts.environment, created_at, made_by, include_records)
                return self._summary(self._back_up(file, header, reader, tags))
            finally:
                push_api_usage(context, client)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any]:  # noqa: ARG002 - OpenLineage's signature
        """Return, for OpenLineage, that the tags of the module were read and a file was written."""
        from airflow_provider_zcrm.lineage import file_at, lineage, tags_of

        return lineage(reads=[tags_of(self.zoho_crm_conn_id, self.module)], changes=[file_at(self.path)])

    def _nothing(self, why: str) -> dict[str, Any]:
        self.log.info("Nothing to back up of %s: %s. No file is written.", self.module, why)
        return {"path": None, "tags": 0, "records": 0}

    def _summary(self, contents: Contents) -> dict[str, Any]:
        from airflow_provider_zcrm.operators.log_lists import log_list

        summary = {"path": self.path, "tags": len(contents.tags), "records": sum(contents.records.values())}
        headline = f"{self.path} holds {summary['tags']} tags of {self.module} with {summary['records']} records"
        log_list(self.log, headline, [f"{tag.name} ({contents.records.get(tag.id, 0)})" for tag in contents.tags])
        return summary

    # --- a backup that is there already --------------------------------------------------------------------------------

    def _standing(self, file: BackupFile, made_by: str) -> Contents | None:
        """Return the backup that an earlier try has written, None if there is none or only the beginning of one.

        :raises InvalidArgument: something else stands there
        """
        if not file.exists():
            return None
        try:
            standing = file.contents()
        except BackupUnfinished as error:
            self.log.warning("%s It is replaced.", error.message)
            return None
        header = standing.header
        if (header.made_by, header.module) != (made_by, self.module):
            raise InvalidArgument(
                f"{self.path} holds a backup already, of {len(standing.tags)} tags of {header.module}, made by {header.made_by} at "
                f"{header.created_at}. It is not overwritten.",
                advice="Give each run and each module a path of its own, with {{ run_id }} and {{ ti.task.module }} in it.",
            )
        self.log.info("An earlier try of this task has written %s at %s; it is kept.", self.path, header.created_at)
        return standing

    def _check_that_it_holds_all(self, standing: Contents, reader: TagReader, tag_ids: Sequence[str], *, include_records: bool) -> None:
        tags = reader.look(tag_ids)
        counts = reader.counts(tags) if include_records else {}
        saved = {tag.id: standing.records.get(tag.id, 0) for tag in standing.tags}
        lacking = [tag.name for tag in tags if tag.id not in saved]
        lacking += [
            f"{tag.name} ({saved[tag.id]} records, now {counts[tag.id]})"
            for tag in tags
            if tag.id in saved and counts.get(tag.id, 0) > saved[tag.id]
        ]
        if lacking:
            raise InvalidArgument(
                f"{self.path} is a backup by an earlier try of this task, and does not hold all that is there now: {', '.join(lacking)}.",
                advice="It is not overwritten. Move it away and clear the task, or run the DAG anew.",
            )

    # --- a new backup ----------------------------------------------------------------------------------------------------

    def _present(self, reader: TagReader, tag_ids: Sequence[str]) -> list[Tag]:
        """Return the tags that are there; that some are not is believed if the list says so twice, and Zoho does not count them either.

        :raises BackupShort: Zoho counts a tag that the list lacks
        """
        tags = reader.look(tag_ids)
        if len(tags) < len(tag_ids):
            time.sleep(_LOOKS[0])
            tags = reader.look(tag_ids)
        missing = sorted(set(tag_ids) - {tag.id for tag in tags})
        unlisted = [tag_id for tag_id in missing if not reader.is_gone(tag_id)]
        if unlisted:
            raise BackupShort(
                f"Zoho's list of the tags of {self.module} lacks tags that are there: {', '.join(unlisted)}.",
                advice="Nothing is written; the next try reads the list again.",
            )
        if missing:
            self.log.warning("%s has no such tags any more, so they are not backed up: %s", self.module, ", ".join(missing))
        return tags

    def _back_up(self, file: BackupFile, header: Header, reader: TagReader, tags: Sequence[Tag]) -> Contents:
        with tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n") as draft:
            contents = self._draft(draft, header, reader, tags)
            draft.seek(0)
            file.write(draft)
        if file.contents() != contents:
            raise InvalidBackup(
                f"What was read back from {self.path} is not what was written to it.",
                advice="Nothing was deleted. Remove the file, and look whether something else writes to that path.",
            )
        return contents

    def _draft(self, draft: IO[str], header: Header, reader: TagReader, tags: Sequence[Tag]) -> Contents:
        """Write the backup into a local file until it has as many records as Zoho counts.

        :raises BackupShort: it never has
        """
        from airflow_provider_zcrm.api.tag_backup import SavedTag, check, write

        short: list[str] = []
        for pause in (0.0, *_LOOKS):
            if short:
                self.log.info("Fewer records were found than Zoho counts; looking again in %.0f s: %s", pause, ", ".join(short))
                time.sleep(pause)
                # a tag may have been renamed; one that is not listed now is kept
                listed = {tag.id: tag for tag in reader.look([tag.id for tag in tags])}
                tags = [listed.get(tag.id, tag) for tag in tags]
            counts = reader.counts(tags) if header.include_records else {}
            carried = reader.carried([tag_id for tag_id, told in counts.items() if told], page_by_page=bool(short))
            draft.seek(0)
            draft.truncate()
            draft.writelines(write(header, [SavedTag(tag.id, tag.name, tag.color_code) for tag in tags], carried))
            draft.seek(0)
            contents = check(draft)
            found = {tag: contents.records.get(tag.id, 0) for tag in tags}
            short = [f"{tag.name} ({number} of {counts[tag.id]})" for tag, number in found.items() if number < counts.get(tag.id, 0)]
            if not short:
                return contents
        raise BackupShort(
            f"For {len(short)} tags of {self.module} fewer records were found than Zoho says carry them: {', '.join(short)}. "
            "No backup was written.",
            advice="The token must be of a user who sees all records of the module. A retry looks again; include_records=False skips them.",
        )


def _task_instance(context: Context) -> str:
    ti = context["ti"]
    return f"{ti.dag_id}/{ti.run_id}/{ti.task_id}/{ti.map_index}"
