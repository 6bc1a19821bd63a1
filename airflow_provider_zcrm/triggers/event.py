"""The event with which a trigger ends a wait, and how a task reads it. Imports nothing of Airflow.

{"v": 1, "kind": "mass_delete_jobs" | "record_restore", "status": "ended" | "timeout" | "error",
 "jobs": [report, ...] (of a restore "back": how many records of how many),
 "last_words": what is known of the jobs, in words, "limit": which time was over,
 "api_calls": how many calls the trigger made since it was last started, "error": the error or None, "carry": what the task gave it to keep}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_zcrm.api.errors import PermanentError, ZohoCrmError

EVENT_VERSION = 1
EVENT_KIND = "mass_delete_jobs"
RESTORE_KIND = "record_restore"


def merged_reports(watched: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the reports of all jobs in the order of ``before``, which also has those that had ended before the trigger began."""
    fresh = {report["id"]: report for report in watched}
    return [dict(fresh.get(report["id"], report)) for report in before]


def read_event(event: Mapping[str, Any] | None, kind: str = EVENT_KIND) -> Mapping[str, Any]:
    """Return the event if this version understands it.

    :raises PermanentError: no event, or one of another kind or version
    :raises ZohoCrmError: the error for which the trigger gave up
    """
    if not event or event.get("kind") != kind or event.get("v") != EVENT_VERSION:
        raise PermanentError(f"The trigger's event is not understood: {event!r}.", advice="Do triggerer and workers run the same version?")
    if event["status"] == "error":
        raise ZohoCrmError.from_dict(event["error"])
    return event
