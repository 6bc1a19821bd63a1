"""Writes a backup of tags: reads everything, compares it with Zoho's counts, and only then writes the file."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING

from airflow_provider_zcrm.api.errors import InvalidArgument
from airflow_provider_zcrm.backup.tag_reader import TagReader
from airflow_provider_zcrm.rules.errors import BackupShort, BackupUnfinished, InvalidBackup
from airflow_provider_zcrm.rules.tag_backup import Contents, Header, SavedTag, backup_lines, check

if TYPE_CHECKING:
    from airflow_provider_zcrm.api.tags import Tag
    from airflow_provider_zcrm.backup.backup_file import BackupFile
    from airflow_provider_zcrm.client.sync_client import ZohoCrmClient

log = logging.getLogger(__name__)

# what was tagged a moment ago may not be listed yet: seconds to wait before each further look
_LOOKS = (15.0, 45.0)


def earlier_backup(file: BackupFile, made_by: str, module: str) -> Contents | None:
    """Return the backup that an earlier attempt has written, None if there is none or only the beginning of one.

    :param made_by: the task instance that asks.
    :param module: of which it is to be.

    :raises InvalidArgument: something else stands there
    """
    if not file.exists():
        return None
    try:
        standing = file.contents()
    except BackupUnfinished as error:
        log.warning("%s It is replaced.", error.message)
        return None
    header = standing.header
    if (header.made_by, header.module) != (made_by, module):
        raise InvalidArgument(
            f"{file.path} holds a backup already, of {len(standing.tags)} tags of {header.module}, made by {header.made_by} at "
            f"{header.created_at}. It is not overwritten.",
            advice="Give each run and each module a path of its own, with {{ run_id }} and {{ ti.task.module }} in it.",
        )
    log.info("An earlier try of this task has written %s at %s; it is kept.", file.path, header.created_at)
    return standing


class TagBackup:
    """The backup of tags of one module."""

    def __init__(self, client: ZohoCrmClient, module: str) -> None:
        self._module = module
        self._reader = TagReader(client, module)

    def check_that_it_holds_all(self, file: BackupFile, standing: Contents, tag_ids: Sequence[str], *, include_records: bool) -> None:
        """Refuse an earlier backup that holds less than there is now.

        :raises InvalidArgument: a tag or records of one are not in it
        """
        tags = self._reader.look(tag_ids)
        counts = self._reader.counts(tags) if include_records else {}
        saved = {tag.id: standing.records.get(tag.id, 0) for tag in standing.tags}
        lacking = [tag.name for tag in tags if tag.id not in saved]
        lacking += [
            f"{tag.name} ({saved[tag.id]} records, now {counts[tag.id]})"
            for tag in tags
            if tag.id in saved and counts.get(tag.id, 0) > saved[tag.id]
        ]
        if lacking:
            raise InvalidArgument(
                f"{file.path} is a backup by an earlier try of this task, and does not hold all that is there now: {', '.join(lacking)}.",
                advice="It is not overwritten. Move it away and clear the task, or run the DAG anew.",
            )

    def present(self, tag_ids: Sequence[str]) -> list[Tag]:
        """Return the tags that are there; that some are not is believed if the list says so twice, and Zoho does not count them either.

        :raises BackupShort: Zoho counts a tag that the list lacks
        """
        tags = self._reader.look(tag_ids)
        if len(tags) < len(tag_ids):
            time.sleep(_LOOKS[0])
            tags = self._reader.look(tag_ids)
        missing = sorted(set(tag_ids) - {tag.id for tag in tags})
        unlisted = self._reader.unlisted(missing)
        if unlisted:
            raise BackupShort(
                f"Zoho's list of the tags of {self._module} lacks tags that are there: {', '.join(unlisted)}.",
                advice="Nothing is written; the next try reads the list again.",
            )
        if missing:
            log.warning("%s has no such tags any more, so they are not backed up: %s", self._module, ", ".join(missing))
        return tags

    def write(self, file: BackupFile, header: Header, tags: Sequence[Tag]) -> Contents:
        """Draft the backup in a local file, write it in one go, and compare what was written.

        :raises BackupShort: fewer records were found than there must be
        :raises InvalidBackup: something else stands there now
        """
        with tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n") as draft:
            contents = self._draft(draft, header, tags)
            draft.seek(0)
            file.write(draft)
        if file.contents() != contents:
            raise InvalidBackup(
                f"What was read back from {file.path} is not what was written to it.",
                advice="Nothing was deleted. Remove the file, and look whether something else writes to that path.",
            )
        return contents

    def _draft(self, draft: IO[str], header: Header, tags: Sequence[Tag]) -> Contents:
        """Write the backup into a local file until it has as many records as Zoho counts.

        :raises BackupShort: it never has
        """
        short: list[str] = []
        for pause in (0.0, *_LOOKS):
            if short:
                log.info("Fewer records were found than Zoho counts; looking again in %.0f s: %s", pause, ", ".join(short))
                time.sleep(pause)
                # a tag may have been renamed; one that is not listed now is kept
                listed = {tag.id: tag for tag in self._reader.look([tag.id for tag in tags])}
                tags = [listed.get(tag.id, tag) for tag in tags]
            counts = self._reader.counts(tags) if header.include_records else {}
            carried = self._reader.carried([tag_id for tag_id, told in counts.items() if told], page_by_page=bool(short))
            draft.seek(0)
            draft.truncate()
            draft.writelines(backup_lines(header, [SavedTag(tag.id, tag.name, tag.color_code) for tag in tags], carried))
            draft.seek(0)
            contents = check(draft)
            found = {tag: contents.records.get(tag.id, 0) for tag in tags}
            short = [f"{tag.name} ({number} of {counts[tag.id]})" for tag, number in found.items() if number < counts.get(tag.id, 0)]
            if not short:
                return contents
        raise BackupShort(
            f"For {len(short)} tags of {self._module} fewer records were found than Zoho says carry them: {', '.join(short)}. "
            "No backup was written.",
            advice="The token must be of a user who sees all records of the module. A retry looks again; include_records=False skips them.",
        )
