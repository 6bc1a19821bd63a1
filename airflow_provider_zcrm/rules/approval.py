"""The question that a person gets before tags are deleted, as Markdown in which nothing of Zoho's is markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_zcrm.rules.log_lists import counted
from airflow_provider_zcrm.rules.markdown import escaped

# a question with hundreds of rows is read by nobody
_ROWS = 50


def subject(module: str, number: int) -> str:
    """Return the headline of the question."""
    return f"Delete {number} {'tag' if number == 1 else 'tags'} of {module}?"


def body(module: str, tags: Sequence[Mapping[str, Any]], unmatched_keep: Sequence[str], rest: str) -> str:
    """Return the text of the question: the tags with their reasons, and what of ``keep`` protects none.

    :param tags: each with ``id`` and, where they are known, ``name`` and ``reason``.
    :param rest: where the tags beyond the first 50 stand.
    """
    parts = [f"{len(tags)} tags of {escaped(module)} are to be deleted:", _listed(tags, _ROWS, rest)]
    return "\n\n".join([*parts, *_unmatched(unmatched_keep)])


def body_of_modules(tags: Sequence[Mapping[str, Any]], unmatched_keep: Sequence[str], rest: str) -> str:
    """Return the text of a question about several modules: of each the number of tags, and its share of the first 50.

    :param tags: each with ``module`` and as in `body`.
    :param rest: where the tags stand that are not in the text.
    """
    by_module: dict[str, list[Mapping[str, Any]]] = {}
    for tag in tags:
        by_module.setdefault(tag["module"], []).append(tag)
    rows = max(3, _ROWS // max(1, len(by_module)))
    parts = [f"{counted(len(tags), 'tag')} of {counted(len(by_module), 'module')} to be deleted."]
    for module, found in by_module.items():
        parts += [f"**{escaped(module)}**: {len(found)}", _listed(found, rows, rest)]
    return "\n\n".join([*parts, *_unmatched(unmatched_keep)])


def _unmatched(keep: Sequence[str]) -> list[str]:
    return [f"**These entries of keep match no tag:** {', '.join(map(escaped, keep))}. Is one of them misspelt?"] if keep else []


def _listed(tags: Sequence[Mapping[str, Any]], rows: int, rest: str) -> str:
    lines = [
        f"- {escaped(tag.get('name') or tag['id'])}" + (f": {escaped(tag['reason'])}" if tag.get("reason") else "") for tag in tags[:rows]
    ]
    if len(tags) > rows:
        lines.append(f"- and {len(tags) - rows} more: {rest}")
    return "\n".join(lines)
