"""Writes a backup of tags: reads everything, compares it with Zoho's counts, and only then writes the file."""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from airflow_provider_zcrm.api.errors import InvalidArgument
from airflow_provider_zcrm.backup.sorted_pairs import SortedPairs
from airflow_provider_zcrm.backup.tag_reader import TagReader
from airflow_provider_zcrm.rules.errors import BackupShort, BackupUnfinished, InvalidBackup
from airflow_provider_zcrm.rules.markdown import one_line
from airflow_provider_zcrm.rules.tag_backup import Contents, Header, SavedTag, backup_lines, check, holds_the_same

if TYPE_CHECKING:
    from airflow_provider_zcrm.api.tags import Tag
    from airflow_provider_zcrm.backup.backup_file import BackupFile
    from airflow_provider_zcrm.client.sync_client import ZohoCrmClient

log = logging.getLogger(__name__)

# what was tagged a moment ago may not be listed yet: seconds to wait before each further look
_LOOKS = (15.0, 45.0)


@dataclass(frozen=True)
class Saved:
    """A backup in its place."""

    file: BackupFile
    contents: Contents


def earlier_backups(file: BackupFile, made_by: str, module: str) -> tuple[list[Saved], BackupFile]:
    """Return what earlier attempts of a task instance have written, the newest first, and the first place that is free.

    :param file: the place that the user names; the others are beside it.
    :param made_by: the task instance that asks.
    :param module: of which the backup is to be.
    :raises InvalidArgument: something else stands in the user's place
    """
    earlier: list[Saved] = []
    number = 1
    while (place := file.numbered(number)).exists():
        try:
            contents = place.contents()
            _check_maker(place, contents, made_by, module)
        except BackupUnfinished as error:
            log.warning("%s It is not overwritten: the backup is written beside it.", error.message)
        except (InvalidArgument, InvalidBackup):
            if number == 1:
                raise
        else:
            earlier.insert(0, Saved(place, contents))
        number += 1
    return earlier, place


def _check_maker(file: BackupFile, contents: Contents, made_by: str, module: str) -> None:
    header = contents.header
    if (header.made_by, header.module) != (made_by, module):
        raise InvalidArgument(
            f"{file.path} holds a backup already, of {len(contents.tags)} tags of {header.module}, made by {header.made_by} at "
            f"{header.created_at}. It is not overwritten.",
            advice="Give each run and each module a path of its own, with {{ run_id }} and {{ ti.task.module }} in it.",
        )


class TagBackup:
    """The backup of tags of one module."""

    def __init__(self, client: ZohoCrmClient, module: str) -> None:
        self._module = module
        self._reader = TagReader(client, module)

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

    def save(self, file: BackupFile, header: Header, tags: Sequence[Tag], requested: Sequence[str]) -> Saved | None:
        """Draft the backup in a local file; keep an earlier one that holds the same, or write it in one go and read it back.

        :param file: the place that the user names.
        :param tags: those of the requested ones that are there.
        :param requested: ids.
        :return: None without tags, unless there is an earlier backup of those that are gone.
        :raises BackupShort: fewer records were found than there must be
        :raises InvalidArgument: another task has written there meanwhile
        :raises FileExistsError: another attempt of this task has; a retry keeps that backup or writes beside it
        :raises InvalidBackup: what was read back is not what was written
        """
        # without a name, so that nothing is left of it whatever happens
        with tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n") as draft:
            contents = self._draft(draft, header, tags)
            file.remove_draft(header.made_by)
            earlier, free = earlier_backups(file, header.made_by, self._module)
            for saved in earlier:
                draft.seek(0)
                with saved.file.lines() as lines:
                    if holds_the_same(lines, draft, requested):
                        log.info("%s of %s holds the same and is kept.", saved.file.path, saved.contents.header.created_at)
                        return saved
            if not tags:
                return None
            draft.flush()
            # macOS goes on reading where the draft stands
            os.lseek(draft.fileno(), 0, os.SEEK_SET)
            try:
                free.create(Path(f"/dev/fd/{draft.fileno()}"), header.made_by)
            except FileExistsError:
                # another task was quicker; this says which one
                earlier_backups(file, header.made_by, self._module)
                raise
        if free.contents() != contents:
            raise InvalidBackup(
                f"What was read back from {free.path} is not what was written to it.",
                advice="Nothing was deleted. Remove the file, and look whether something else writes to that path.",
            )
        return Saved(free, contents)

    def _draft(self, draft: IO[str], header: Header, tags: Sequence[Tag]) -> Contents:
        """Write the backup into a local file until each tag has at least as many records as Zoho says.

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
            draft.seek(0)
            draft.truncate()
            with SortedPairs() as pairs:
                for tag_id, record_id in self._reader.carried(list(counts) if any(counts.values()) else [], page_by_page=bool(short)):
                    pairs.add(tag_id, record_id)
                saved = [SavedTag(tag.id, tag.name, tag.color_code) for tag in tags]
                draft.writelines(backup_lines(header, saved, pairs.sorted()))
            draft.seek(0)
            contents = check(draft)
            found = {tag: contents.records.get(tag.id, 0) for tag in tags}
            less = {tag: number for tag, number in found.items() if number < counts.get(tag.id, 0)}
            short = [f"{one_line(tag.name)} ({number} of {counts[tag.id]})" for tag, number in less.items()]
            if not short:
                return contents
        raise BackupShort(
            f"For {len(short)} tags of {self._module} fewer records were found than Zoho says carry them: {', '.join(short)}. "
            "No backup was written.",
            advice="The token must be of a user who sees all records of the module. A retry looks again; include_records=False skips them.",
        )
