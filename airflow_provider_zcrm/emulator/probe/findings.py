"""What a run found out: a choice for each reading, times of jobs, and what fits no choice; as a table, and as ``readings.json``.

The file goes into bug reports. So it holds only what the emulator knows beforehand (names of readings and choices, words of Zoho's
protocol) and numbers: `shape` writes an answer without its values, and a key or a code that is not Zoho's own is written as ``?``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_zcrm.emulator.probe.calls import Reply
from airflow_provider_zcrm.emulator.readings import READINGS

FORMAT = 1
SAME, DIFFERENT, UNKNOWN = "same", "different", "not known"
# Keys of Zoho's answers; any other may be a name or an id of the org's
KEYS = {
    "code", "details", "message", "status", "data", "tags", "mass_delete", "job_id", "id", "api_name", "json_path", "param", "param_name",
    "expected_data_type", "maximum_length", "supported_values", "permissions", "resource_path_index", "error", "error_info",
    "error_description", "retry_after", "trace_id", "limit", "window", "index", "info", "associated_places", "type", "resources",
    "total_count", "deleted_count", "failed_count", "created_time", "not_added_tags", "ambiguity_due_to", "method", "url", "resource",
    "reason", "Status", "Total_Count", "Deleted_Count", "Failed_Count", "locked_count", "success_count", "wf_scheduler",
}  # fmt: skip
CODE = re.compile(r"[A-Z]+(?:_[A-Z]+)*|[0-9]{3}")
LONGEST_CODE = 40

# Why a reading is not asked for: the others all are, by one of the experiments
NOT_ASKED = {
    "throttle_extended_by_retries": "it takes more than ten minutes",
    "max_active_tokens": "it takes more tokens than Zoho grants in ten minutes",
    "records_scope": "it takes a token with other scopes",
    "record_jobs_at_once": "a delete by custom view deletes what the view shows",
    "view_count": "it takes a custom view",
    "view_count_scopes": "it takes a token with other scopes",
    "count_converted": "a converted lead leaves an account and a contact behind",
    "bulk_converted": "a converted lead leaves an account and a contact behind",
    "bulk_tag_column": "a bulk read exports the whole module",
    "bulk_id_header": "a bulk read exports the whole module",
    "bulk_result_early": "a bulk read exports the whole module",
    "locked_record": "it takes a locked record",
    "unknown_hosts": "it takes a host that is not Zoho's",
}
# What one request shows by the way, if it happens
BY_THE_WAY = {"scope_mismatch_details": "the token has every scope that was needed"}


@dataclass(frozen=True)
class Answer:
    """The answer to a question that is no reading: what the emulator does, and what the org does."""

    question: str
    emulator: str
    org: str
    verdict: str


@dataclass
class Findings:
    """Collects the answers of a run."""

    readings: dict[str, str] = field(default_factory=dict)
    jobs: dict[str, float] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    others: list[Answer] = field(default_factory=list)

    def chosen(self, reading: str, choice: str) -> None:
        """Note which choice of a reading the org follows."""
        if choice not in READINGS[reading].choices:
            raise ValueError(f"{reading} has no choice {choice}")
        self.readings[reading] = choice

    def none_fits(self, reading: str, what: str) -> None:
        """Note what an org does that no choice of the reading describes; `what` holds nothing of the org's."""
        self.words[reading] = f"none of these: {what}"

    def unknown(self, reading: str, why: str) -> None:
        """Note why the run does not know, unless it does."""
        self.words.setdefault(reading, why)

    def also(self, question: str, emulator: str, org: str, *, same: bool | None) -> None:
        """Note the answer to a question that is no reading; `same` is None where it is not known."""
        self.others.append(Answer(question, emulator, org, UNKNOWN if same is None else SAME if same else DIFFERENT))

    def rows(self) -> list[Answer]:
        """Return the table, in the order of the readings."""
        found = []
        for name, reading in READINGS.items():
            about = f"{name}: {reading.about}"
            choice = self.readings.get(name)
            if choice is not None:
                found.append(Answer(about, reading.choices[0], choice, SAME if choice == reading.choices[0] else DIFFERENT))
                continue
            words = self.words.get(name) or NOT_ASKED.get(name) or BY_THE_WAY.get(name, "not asked")
            found.append(Answer(about, reading.choices[0], words, DIFFERENT if words.startswith("none of these") else UNKNOWN))
        return [*found, *self.others]

    def as_file(self) -> dict[str, Any]:
        """Return what ``readings.json`` holds; the emulator reads ``readings`` and ``jobs``, the rest is for people."""
        none_fits = {name: words for name, words in sorted(self.words.items()) if name not in self.readings}
        others = [{"question": answer.question, "org": answer.org, "verdict": answer.verdict} for answer in self.others]
        return {
            "format": FORMAT,
            "readings": dict(sorted(self.readings.items())),
            "jobs": self.jobs,
            "not_known": none_fits,
            "other_answers": others,
        }


def table(rows: list[Answer]) -> str:
    """Return the rows as text, each under the other."""
    lines = []
    for row in rows:
        lines.append(f"[{row.verdict}] {row.question}")
        lines.append(f"    emulator: {row.emulator}    org: {row.org}")
    numbers = {verdict: sum(row.verdict == verdict for row in rows) for verdict in (SAME, DIFFERENT, UNKNOWN)}
    return "\n".join([*lines, "", ", ".join(f"{number} {verdict}" for verdict, number in numbers.items())])


def shape(reply: Reply) -> str:
    """Return what an answer looks like, without anything that is the org's: its status, codes, and keys."""
    content = "no body" if reply.body is None else "no JSON" if isinstance(reply.body, str) else _shape(reply.body)
    return f"HTTP {reply.status}, {content}"


def _shape(node: Any, key: str = "") -> str:
    if isinstance(node, Mapping):
        inner = ", ".join(f"{name if name in KEYS else '?'}: {_shape(value, str(name))}" for name, value in node.items())
        return f"{{{inner}}}"
    if isinstance(node, list):
        return f"[{_shape(node[0])}{', ...' if len(node) > 1 else ''}]" if node else "[]"
    if key in ("code", "status", "Status", "error") and CODE.fullmatch(str(node)) and len(str(node)) <= LONGEST_CODE:
        return str(node)
    return "null" if node is None else type(node).__name__


def as_text(findings: Findings, secrets: list[str]) -> str:
    """Return the text of ``readings.json``.

    :raises ValueError: it would hold one of the secrets, a long number or a URL, which the rules above exclude
    """
    text = json.dumps(findings.as_file(), indent=2) + "\n"
    if re.search(r"[0-9]{7}|://", text) or any(secret in text for secret in secrets if len(secret) > 3):
        raise ValueError("the readings would hold something of the org's")
    return text
