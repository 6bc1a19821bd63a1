"""A file of readings, as the probe writes it: which reading an org follows, and how its jobs go.

``{"readings": {name: choice}, "jobs": {field of a job plan: seconds}}``; what else stands in it is for people. It holds nothing that names
the org.
"""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from airflow_provider_zcrm.emulator import readings
from airflow_provider_zcrm.emulator.jobs import JobPlan
from airflow_provider_zcrm.emulator.model import State

TIMES = {item.name for item in fields(JobPlan)} - {"outcome", "failing", "deletes"}


def apply(path: Path, state: State) -> None:
    """Let a state follow the file; what the file does not name stays as it is.

    :raises OSError: the file cannot be read
    :raises ValueError: it is no JSON object, or names a reading, a choice or a time that does not exist
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError('a JSON object is expected: {"readings": {...}}')  # noqa: TRY004 - one kind of error for a bad file
    chosen, jobs = (_object(content, name) for name in ("readings", "jobs"))
    unknown = ", ".join(sorted(jobs.keys() - TIMES))
    if unknown:
        raise ValueError(f"jobs takes {', '.join(sorted(TIMES))}; not {unknown}")
    if not all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in jobs.values()):
        raise ValueError("the times under jobs are seconds")
    JobPlan(**jobs)
    state.readings.update(readings.check(chosen))
    state.job_defaults.update(jobs)


def _object(content: dict[str, Any], name: str) -> dict[str, Any]:
    value = content.get(name, {})
    if not isinstance(value, dict):
        raise ValueError(f"{name} is a JSON object")  # noqa: TRY004 - as above
    return value
