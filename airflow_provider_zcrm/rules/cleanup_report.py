"""What a clean-up of one module did, as numbers and as a Markdown text that is good enough to mail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_zcrm.rules.markdown import code, escaped, table
from airflow_provider_zcrm.rules.room import Room

# a mail with hundreds of rows is read by nobody
_ROWS = 50
_NOT_IN_TABLE = ("module", "state", "outcome", "nearly_full", "backup")


@dataclass(frozen=True, kw_only=True)
class CleanupReport:
    """One clean-up of one module. None is what is not known, because a task did not get that far.

    :param looked_at: how many tags the module had.
    :param allowed: how many tags Zoho allows the module.
    :param chosen: the chosen tags, each with ``id``, ``name``, ``records`` and ``reason``.
    :param kept: how many tags were kept, by reason.
    :param unmatched_keep: what was to be kept and matches no tag.
    :param skipped: chosen tags that were skipped, each with ``id``, ``name`` and ``reason``.
    :param deleted: how many tags are gone.
    :param failed: how many tags should be gone and are not.
    :param ended: whether the deletion came to a good end.
    :param stopped: whether one of the tasks after the choice has failed.
    :param submitted: whether jobs were submitted.
    :param not_run: why Airflow skipped the task that deletes, or the one that finds; empty if both ran.
    :param silent: ids of tasks that ended well and returned nothing, because they have ``do_xcom_push=False``.
    :param dry_run: whether nothing was to be deleted.
    :param backup: where the backup is.
    :param api_calls: calls to Zoho of all tasks.
    :param credits_left: API credits of the org, as far as Zoho says.
    """

    module: str
    looked_at: int | None = None
    allowed: int | None = None
    chosen: Sequence[Mapping[str, Any]] | None = None
    kept: Mapping[str, int] = field(default_factory=dict)
    unmatched_keep: Sequence[str] = ()
    skipped: Sequence[Mapping[str, Any]] = ()
    deleted: int | None = None
    failed: int | None = None
    ended: bool = False
    stopped: bool = False
    submitted: bool = False
    not_run: str = ""
    silent: Sequence[str] = ()
    dry_run: bool = False
    backup: str | None = None
    api_calls: int | None = None
    credits_left: int | None = None

    @property
    def outcome(self) -> str:
        """What came of it, in a few words."""
        if self.state == "skipped":
            return f"skipped, because {self.not_run}{'' if self.deleted else ': nothing was deleted'}"
        if self.chosen is None:
            return "not known" if self.silent else "stopped before tags were chosen: see the log of the task that finds them"
        if self.state == "nothing to delete":
            return self.state
        if self.state == "dry run":
            return "dry run: nothing was deleted"
        if self.state == "done":
            return "done"
        unknown = ", and how many tags its jobs delete is not known" if self.submitted and self.deleted is None else ""
        return f"not finished{unknown}: see the log of the task that deletes"

    @property
    def state(self) -> str:
        """The outcome in a word or two, of which there are few."""
        if self.chosen is not None and not self.chosen and not self.stopped:
            return "nothing to delete"
        if self.not_run:
            return "skipped"
        if self.chosen is None:
            return "not known" if self.silent else "failed"
        if self.stopped or not self.ended:
            return "failed"
        return "dry run" if self.dry_run else "done"

    @property
    def room(self) -> int | None:
        """How many more tags the module may have, after the deletion."""
        return None if self.looked_at is None else self._after.left

    @property
    def _after(self) -> Room:
        return Room((self.looked_at or 0) - (self.deleted or 0), self.allowed)

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers as JSON values."""
        return {
            "module": self.module,
            "state": self.state,
            "outcome": self.outcome,
            "looked_at": self.looked_at,
            "chosen": None if self.chosen is None else len(self.chosen),
            "kept": sum(self.kept.values()),
            "skipped": len(self.skipped),
            "deleted": self.deleted,
            "failed": self.failed,
            "allowed": self.allowed,
            "room": self.room,
            "nearly_full": self.looked_at is not None and self._after.nearly_full,
            "backup": self.backup,
            "api_calls": self.api_calls,
            "credits_left": self.credits_left,
        }

    def as_markdown(self) -> str:
        """Return the report as text: a table of numbers, the chosen tags and why, what was kept and why."""
        numbers = {name: value for name, value in self.as_dict().items() if name not in _NOT_IN_TABLE}
        parts = [
            f"**Tags of {escaped(self.module)}**: {escaped(self.outcome)}.",
            table([name.replace("_", " ") for name in numbers], [list(numbers.values())]),
            *([f"**Nearly full**: {escaped(self._after.sentence(self.module))}."] if self._after.nearly_full else []),
            *([f"Not all is known: {_joined(self.silent)} returned nothing; set do_xcom_push=True there."] if self.silent else []),
            *([f"Backup: {code(self.backup)}"] if self.backup else []),
            *self._tags("Chosen", self.chosen or (), ("name", "records", "reason")),
            *self._tags("Skipped", self.skipped, ("name", "reason")),
            *([table(["kept", "why"], [[count, reason] for reason, count in self.kept.items()])] if self.kept else []),
            *([table(["to be kept, but no tag matches"], [[entry] for entry in self.unmatched_keep])] if self.unmatched_keep else []),
        ]
        return "\n\n".join(parts)

    def _tags(self, title: str, tags: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> list[str]:
        if not tags:
            return []
        rows = [[tag.get(column) for column in columns] for tag in tags[:_ROWS]]
        more = [f"and {len(tags) - _ROWS} more"] if len(tags) > _ROWS else []
        return [f"{title}:", table(columns, rows), *more]


def _joined(task_ids: Sequence[str]) -> str:
    return " and ".join(escaped(task_id) for task_id in task_ids)
