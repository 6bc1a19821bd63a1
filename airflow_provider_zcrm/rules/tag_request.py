"""What a task requests of the deletion plan: tags, and the policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_zcrm.api.errors import InvalidArgument
from airflow_provider_zcrm.api.mass_delete import TAGS_PER_JOB
from airflow_provider_zcrm.rules.arguments import flat, ids_of, integer_of, shown, truth_of
from airflow_provider_zcrm.rules.guards import Guards
from airflow_provider_zcrm.rules.tag_journal import digest_of_request


@dataclass(frozen=True)
class Chosen:
    """What is known of how a tag was chosen.

    :param name: the name that it had then; None for a tag that was requested by its bare id.
    :param max_records: it was chosen because at most so many records carry it; None if that did not count.
    :param used_by_automation: it was chosen because automation uses it, or does not; None if that did not count.
    """

    name: str | None = None
    max_records: int | None = None
    used_by_automation: bool | None = None

    @property
    def needs_count(self) -> bool:
        """Whether the tag has to be counted before it is sent."""
        return self.max_records is not None or self.used_by_automation is not None


@dataclass(frozen=True, kw_only=True)
class TagRequest:
    """The tags of one module that are to go, by id or by name, and what is allowed.

    :param ids: each once.
    :param names: each once, instead of ids.
    :param chosen: by id, how a tag was chosen.
    :param attempt: Airflow's try number.
    :param without_journal: an earlier attempt may have submitted any of the tags, and no journal says which.
    :param missing_tags: "skip" or "fail".
    :param undeletable_tags: "skip" a tag for which Zoho refuses a batch, or look at all tags first and "fail".
    :param guards: how many tags may go.
    :param settle: seconds for which the list must not change before tags of an unconfirmed submission are sent again.
    :param dry_run: do everything but the submission.
    :param wait: watch the jobs to their end, and then the list.
    """

    module: str
    ids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    chosen: Mapping[str, Chosen] = field(default_factory=dict)
    attempt: int = 1
    without_journal: bool = False
    missing_tags: str = "skip"
    undeletable_tags: str = "skip"
    guards: Guards
    settle: float = 300.0
    dry_run: bool = False
    wait: bool = False
    batch_size: int = TAGS_PER_JOB

    @property
    def digest(self) -> str:
        """The digest of what is requested, with the criteria that are judged again."""
        criteria = [[i, c.max_records, c.used_by_automation] for i, c in sorted(self.chosen.items()) if c.needs_count]
        return digest_of_request(self.module, self.ids, self.names, criteria)


def chosen_of(value: Any, argument: str) -> dict[str, Chosen]:
    """Return, by id, how tags were chosen: of each mapping in ``value`` its ``name``, ``max_records`` and ``used_by_automation``.

    :param value: as of `ids_of`.
    :param argument: the name of the argument, for the error's sentence.
    :raises InvalidArgument: an id is none, or one of these values is not what it should be
    """
    chosen: dict[str, Chosen] = {}
    for item in flat(value, argument):
        if isinstance(item, Mapping):
            (tag_id,) = ids_of(item, argument)
            chosen[tag_id] = _chosen(item, argument)
    return chosen


def _chosen(item: Mapping[str, Any], argument: str) -> Chosen:
    name, most, used = item.get("name"), item.get("max_records"), item.get("used_by_automation")
    if "name" in item and not isinstance(name, str):
        raise InvalidArgument(
            f"{argument} holds a tag whose name is {shown(name)}, which is not text.", advice="Pass it as it was written."
        )
    return Chosen(
        name,
        None if most is None else integer_of(most, f"max_records in {argument}", 0),
        None if used is None else truth_of(used, f"used_by_automation in {argument}"),
    )
