"""What a clean-up of many modules did: a line for each module, and the totals last, because Airflow opens a log at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_zcrm.rules.markdown import code, escaped, table

_NUMBERS = ("looked_at", "chosen", "kept", "skipped", "deleted", "failed", "room", "api_calls")


@dataclass(frozen=True, kw_only=True)
class OrgReport:
    """One clean-up of the modules of an org.

    :param modules: each with ``module``, ``label`` and ``new``, as `ListModulesOperator` pushes them.
    :param reports: the numbers of the modules' reports, in the order of the tasks; one that is missing has none.
    :param unmatched_keep: entries of ``keep`` that match no tag of any module.
    :param api_calls: of what is not done for a single module.
    """

    modules: Sequence[Mapping[str, Any]]
    reports: Sequence[Mapping[str, Any]]
    unmatched_keep: Sequence[str] = ()
    api_calls: int = 0

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The numbers of each module, in the order of ``modules``; ``state`` is ``no report`` of one that has none.

        What was reported before the list of modules changed, of one that is not in it any more or had another place, comes after them.
        """
        # the first one of a module counts: the tasks that Airflow has removed are the last
        by_name = {report["module"]: report for report in reversed(self.reports)}
        earlier = [report for report in self.reports if by_name[report["module"]] is not report]
        none = {"state": "no report", "outcome": "no report: see the logs of its tasks"}
        rows = [{**by_name.pop(m["module"], {"module": m["module"], **none}), "new": bool(m.get("new"))} for m in self.modules]
        return [*rows, *({**row, "new": False} for row in (*by_name.values(), *earlier))]

    @property
    def states(self) -> dict[str, int]:
        """How many modules there are of each state."""
        found: dict[str, int] = {}
        for row in self.rows:
            found[row["state"]] = found.get(row["state"], 0) + 1
        return found

    @property
    def totals(self) -> dict[str, int | None]:
        """The sums over all modules of what is known, None where nothing is; ``credits_left`` is the least."""
        rows = self.rows
        known = {name: [row[name] for row in rows if row.get(name) is not None] for name in (*_NUMBERS, "credits_left")}
        sums: dict[str, int | None] = {name: sum(known[name]) if known[name] else None for name in _NUMBERS}
        sums["api_calls"] = (sums["api_calls"] or 0) + self.api_calls
        return {**sums, "credits_left": min(known["credits_left"], default=None)}

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers as JSON values."""
        return {
            "totals": self.totals,
            "states": self.states,
            "modules": self.rows,
            "new_modules": [row["module"] for row in self.rows if row["new"]],
            "unmatched_keep": list(self.unmatched_keep),
        }

    def as_markdown(self) -> str:
        """Return the report as text."""
        rows = self.rows
        wrong = [row for row in rows if row["state"] in ("failed", "not known", "no report")]
        new = [escaped(row["module"]) for row in rows if row["new"]]
        backups = [row["backup"] for row in rows if row.get("backup")]
        full = [escaped(row["module"]) for row in rows if row.get("nearly_full")]
        not_done = [f"- {escaped(row['module'])}: {escaped(row['outcome'])}" for row in wrong]
        unmatched = ", ".join(map(escaped, self.unmatched_keep))
        said = ", ".join(f"{number} {state}" for state, number in self.states.items())
        parts = [
            "**Tags of all modules**",
            *(["Backups:\n\n" + "\n".join(f"- {code(path)}" for path in backups)] if backups else []),
            *([f"**New modules**: {', '.join(new)}."] if new else []),
            *([f"**Nearly full**, so that Zoho will refuse new tags: {', '.join(full)}."] if full else []),
            *([f"**To be kept, but no tag of any module matches**: {unmatched}."] if unmatched else []),
            *(["**Not done**, and in the totals only as far as it is known:\n\n" + "\n".join(not_done)] if not_done else []),
            table(
                ["module", "outcome", *(name.replace("_", " ") for name in _NUMBERS), "credits left"],
                [[row["module"], row["state"], *self._numbers(row)] for row in rows] + [["all", None, *self._numbers(self.totals)]],
            ),
            f"**{len(rows)} {'module' if len(rows) == 1 else 'modules'}**: {said or 'none was listed'}.",
        ]
        return "\n\n".join(parts)

    def _numbers(self, row: Mapping[str, Any]) -> list[Any]:
        return [row.get(name) for name in (*_NUMBERS, "credits_left")]
