"""The question that a person gets before tags are deleted, as Markdown in which nothing of Zoho's is markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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
    lines = [
        f"- {escaped(tag.get('name') or tag['id'])}" + (f": {escaped(tag['reason'])}" if tag.get("reason") else "") for tag in tags[:_ROWS]
    ]
    if len(tags) > _ROWS:
        lines.append(f"- and {len(tags) - _ROWS} more: {rest}")
    parts = [f"{len(tags)} tags of {escaped(module)} are to be deleted:", "\n".join(lines)]
    if unmatched_keep:
        parts.append(f"**These entries of keep match no tag:** {', '.join(map(escaped, unmatched_keep))}. Is one of them misspelt?")
    return "\n\n".join(parts)
