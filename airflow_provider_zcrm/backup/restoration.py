"""Creates the tags of a backup again and puts them back on their records, as far as that goes, and reports what was not possible.

Everything may be done again: a tag that is there is not created, and one that a record carries is not added. One tag per call: how many
a call takes Zoho's documents do not agree about, and it would cost the same credits.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_zcrm.api.errors import (
    CredentialsRejected,
    InvalidConnection,
    InvalidModule,
    InvalidRequest,
    LimitExceeded,
    PermanentError,
    ScopeMissing,
    TagInUse,
    TagNotFound,
    UnexpectedAnswer,
    ZohoCrmError,
)
from airflow_provider_zcrm.api.mass_delete import refused_record
from airflow_provider_zcrm.api.tag_writes import RECORDS_PER_CALL, TAGS_PER_CALL, Created, NewTag, Tagged, add_tag, create_tags
from airflow_provider_zcrm.rules.errors import RestoreShort
from airflow_provider_zcrm.rules.log_lists import counted
from airflow_provider_zcrm.rules.markdown import one_line
from airflow_provider_zcrm.rules.tag_backup import RecordsOfTag, SavedTag
from airflow_provider_zcrm.tag_list import read_tags

if TYPE_CHECKING:
    from airflow_provider_zcrm.api.tags import Tag
    from airflow_provider_zcrm.client.sync_client import ZohoCrmClient

log = logging.getLogger(__name__)

# Calls beyond one per 500 records, for batches that Zoho refused because of single records. When they are used up, what is refused
# counts as not restored.
_EXTRA_CALLS = 100
# of a report that stands in XCom
_IDS_PER_ENTRY = 20
# per tag; a reason may name its record, and then each would be another one
_REASONS = 20
_OTHER_REASONS = "for other reasons"
# of an error
_TAGS_IN_ERROR = 10
_THERE = ("DUPLICATE_DATA", "MAPPING_MISMATCH")
# refusals that may be about a single tag of a call
_OF_TAGS = (InvalidRequest, LimitExceeded, TagInUse, TagNotFound, UnexpectedAnswer)
# refusals that are never about a single record of a call
_OF_ALL_RECORDS = (CredentialsRejected, InvalidConnection, InvalidModule, ScopeMissing)


@dataclass
class NotRestored:
    """What was not possible for a tag, and why; records beyond the first 20 are only counted."""

    tag: str
    reason: str
    records: int = 0
    record_ids: list[str] = field(default_factory=list)


class TagRestoration:
    """The restoration of tags of one module."""

    def __init__(self, client: ZohoCrmClient, module: str, tags: Sequence[SavedTag]) -> None:
        self._client = client
        self._module = module
        self._tags = {tag.id: tag for tag in tags}
        self._ids: dict[str, str] = {}
        self._listed: dict[str, Tag] = {}
        self._why_not: dict[str, str] = {}
        self._extra_calls = _EXTRA_CALLS
        self._not_restored: dict[str, dict[str, NotRestored]] = {}
        self._on_records: set[str] = set()
        self.created = 0
        self.records = 0

    @property
    def not_restored(self) -> list[dict[str, Any]]:
        """What was not possible so far."""
        return [asdict(entry) for reasons in self._not_restored.values() for entry in reasons.values()]

    def missing(self) -> list[SavedTag]:
        """Read the list of tags and return those of the backup whose names are not in it."""
        self._listed = read_tags(self._client, self._module)
        by_name = {tag.name: tag for tag in self._listed.values()}
        for tag in self._tags.values():
            there = by_name.get(tag.name)
            if there is None or tag.id in self._ids:
                continue
            self._ids[tag.id] = there.id
            colours = [colour.upper() if colour else "none" for colour in (there.color_code, tag.color_code)]
            if colours[0] != colours[1]:
                self._lose(tag.name, f"it was there already, with the colour {colours[0]} and not {colours[1]}")
        return [tag for tag in self._tags.values() if tag.id not in self._ids]

    def create(self, tags: Sequence[SavedTag]) -> None:
        """Create tags; without its colour one that Zoho does not accept with it."""
        outcomes = self._create(tags)
        colours = [tag for tag in tags if tag.color_code and outcomes[tag.id].code == "INVALID_DATA"]
        outcomes |= self._create([SavedTag(tag.id, tag.name) for tag in colours])
        for tag in tags:
            outcome = outcomes[tag.id]
            if outcome.code == "SUCCESS" and outcome.id:
                self.created += 1
                self._ids[tag.id] = outcome.id
                if tag in colours:
                    self._lose(tag.name, f"it was created without its colour {tag.color_code}, which Zoho does not accept")
        if any(outcome.code in _THERE for outcome in outcomes.values()):
            self.missing()
        for tag in tags:
            outcome = outcomes[tag.id]
            if tag.id in self._ids:
                continue
            # listed under another name it is another tag; one that is not listed yet is believed
            if outcome.id and outcome.id not in self._listed:
                self._ids[tag.id] = outcome.id
            else:
                self._why_not[tag.id] = f"it was not created: {outcome.reason}"
                self._lose(tag.name, self._why_not[tag.id])

    def put_on_records(self, parts: Iterable[RecordsOfTag]) -> None:
        """Put the tags that are there on the records of the backup."""
        for part in parts:
            tag = self._tags[part.tag_id]
            if part.tag_id not in self._ids:
                self._lose(tag.name, self._why_not[part.tag_id], part.record_ids)
                continue
            for start in range(0, len(part.record_ids), RECORDS_PER_CALL):
                self._put_on(tag, part.record_ids[start : start + RECORDS_PER_CALL])

    def check(self, records: Mapping[str, int]) -> None:
        """Make sure that each tag is there, and on at least one of its records.

        :param records: how many each tag must have been put on, by its old id; a tag that is not in it may be on none.
        :raises RestoreShort: one is not
        """
        lost = [tag for tag in self._tags.values() if tag.id not in self._ids or (records.get(tag.id) and tag.id not in self._on_records)]
        if not lost:
            return
        mostly = {tag.name: max(self._not_restored[tag.name].values(), key=lambda entry: entry.records) for tag in lost[:_TAGS_IN_ERROR]}
        shown = "; ".join(f"{one_line(name)} ({one_line(entry.reason)})" for name, entry in mostly.items())
        raise RestoreShort(
            f"{len(lost)} of {counted(len(self._tags), 'tag')} of {self._module} could not be created, or be put on any of their records: "
            f"{shown}{' and more' if len(lost) > _TAGS_IN_ERROR else ''}.",
            advice="The others are restored; XCom not_restored and the log say what is missing. A retry changes nothing that is restored.",
        )

    # --- creating --------------------------------------------------------------------------------------------------------

    def _create(self, tags: Sequence[SavedTag], at_once: int = TAGS_PER_CALL) -> dict[str, Created]:
        """Create tags and return the result for each, by its old id; a batch that Zoho refuses as a whole is cut up."""
        outcomes: dict[str, Created] = {}
        for start in range(0, len(tags), at_once):
            batch = tags[start : start + at_once]
            try:
                created = self._client.send(create_tags(self._module, [NewTag(tag.name, tag.color_code) for tag in batch]))
            except _OF_TAGS as error:
                if len(batch) > 1:
                    outcomes |= self._create(batch, _maximum(error, len(batch)))
                    continue
                created = (Created("", error.code, error.message),)
            outcomes |= {tag.id: outcome for tag, outcome in zip(batch, created, strict=True)}
        return outcomes

    # --- tagging ---------------------------------------------------------------------------------------------------------

    def _put_on(self, tag: SavedTag, record_ids: Sequence[str]) -> None:
        """Put a tag on records; those for which Zoho refuses all are skipped, or found by halving where it does not name them."""
        left = list(record_ids)
        while left:
            try:
                tagged = self._client.send(add_tag(self._module, self._ids[tag.id], tag.name, left))
            except (PermanentError, TagNotFound) as error:
                named = str(error.details.get("id") or refused_record(error, left))
                if named not in left:
                    self._put_on_halves(tag, left, error)
                    return
                tagged = Tagged(frozenset(), {named: f"Zoho refuses it: {error.code}"})
            self.records += len(tagged.done)
            if tagged.done:
                self._on_records.add(tag.id)
            for record_id, reason in tagged.failed.items():
                self._lose(tag.name, reason, [record_id])
            left = [record_id for record_id in left if record_id not in tagged.done and record_id not in tagged.failed]
            if left and tagged.done:
                self._lose(tag.name, "Zoho's answer does not name it", left)
                return
            if left and not self._one_more_call():
                self._lose(tag.name, f"Zoho refuses it together with others, and {_EXTRA_CALLS} further calls are used up", left)
                return

    def _put_on_halves(self, tag: SavedTag, record_ids: Sequence[str], error: ZohoCrmError) -> None:
        """Go on with each half of a batch that Zoho refused without naming a record; raise the error if it is not about records."""
        if isinstance(error, _OF_ALL_RECORDS):
            raise error
        about_the_tag = "$.tags" in str(error.details.get("json_path"))
        if len(record_ids) == 1 or about_the_tag or not self._one_more_call():
            # the sentence for this code is about a tag that is to be deleted
            self._lose(tag.name, f"Zoho refuses it: {error.code}" if isinstance(error, TagInUse) else error.message, record_ids)
            return
        half = len(record_ids) // 2
        self._put_on(tag, record_ids[:half])
        self._put_on(tag, record_ids[half:])

    def _one_more_call(self) -> bool:
        self._extra_calls -= 1
        return self._extra_calls >= 0

    def _lose(self, tag: str, reason: str, record_ids: Sequence[str] = ()) -> None:
        reasons = self._not_restored.setdefault(tag, {})
        if reason not in reasons and len(reasons) >= _REASONS:
            reason = _OTHER_REASONS
        entry = reasons.setdefault(reason, NotRestored(tag, reason))
        entry.records += len(record_ids)
        entry.record_ids += record_ids[: _IDS_PER_ENTRY - len(entry.record_ids)]


def _maximum(error: ZohoCrmError, size: int) -> int:
    """Return how many tags Zoho accepts at once according to its refusal of ``size``, 1 if that does not say."""
    said = error.details.get("maximum_length") if error.details.get("json_path") == "$.tags" else None
    return said if isinstance(said, int) and 0 < said < size else 1
