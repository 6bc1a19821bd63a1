"""Watching records that Zoho restores in the background: which are still away, and when to look again.

Holds no socket and no clock. Times are seconds since the wait began.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from airflow_provider_zcrm.api.errors import ZohoCrmError
from airflow_provider_zcrm.rules.poll_schedule import PollSchedule


class RestoreWatch:
    """Records of one module that are to come back.

    :param schedule: when to look again.
    """

    # a record cannot fail: it comes back, or the time is over
    some_failed = False

    def __init__(self, module: str, record_ids: Sequence[str], schedule: PollSchedule) -> None:
        self._module = module
        self._all = tuple(record_ids)
        self._away = list(record_ids)
        self._schedule = schedule
        self._due: float | None = None
        self._failure: ZohoCrmError | None = None

    @property
    def away(self) -> list[str]:
        """The records that have not been seen in their module."""
        return list(self._away)

    def saw(self, present: Iterable[str], elapsed: float) -> None:
        """Take note of the records that are there."""
        there = frozenset(present)
        self._away = [record_id for record_id in self._away if record_id not in there]
        self._due = elapsed + self._schedule.next_wait(elapsed)
        self._failure = None

    def failed(self, error: ZohoCrmError) -> None:
        """Take note that nothing could be asked."""
        self._failure = error

    def is_over(self, elapsed: float) -> bool:  # noqa: ARG002 - as every watch
        """Return whether all are back."""
        return not self._away

    def time_left(self, elapsed: float) -> float:  # noqa: ARG002 - as every watch
        """Return the seconds for which may still be asked: without end."""
        return float("inf")

    def next_wait(self, elapsed: float) -> float:
        """Return the seconds until the next look."""
        due = self._schedule.next_wait(0.0) if self._due is None else self._due
        return max(0.0, due - elapsed)

    def last_words(self) -> str:
        """Return in words how many are back, and the last error."""
        words = f"{len(self._all) - len(self._away)} of {len(self._all)} records of {self._module} are back"
        return words + (f"; last answer: {self._failure.message}" if self._failure else "")
