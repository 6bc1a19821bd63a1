"""When to ask for a job's status again.

A pure function of the time since the first poll and of what the job last said, so that it goes on alike after a restart of the
triggerer and in reschedule mode. Without counts the interval is a tenth of the time that has passed: an end is noticed at most
10 % late (or 5 s), and polls grow with the logarithm of a job's length, 74 for six hours. With counts it aims at the predicted end,
but never further than half of the time that has passed: a job that stood in a queue first is faster than its counts foretell.
"""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_zcrm.api.mass_delete import JobStatus

_THROTTLED_CEILING = 900.0
_FAILURE_CEILING = 60.0
# a fixed interval is never shorter: each poll costs a credit
SHORTEST_INTERVAL = 1.0


@dataclass(frozen=True)
class PollSchedule:
    """How often to poll, in seconds.

    :param interval: the user's fixed interval, or None for the one that follows the job.
    :param shortest: the interval at the start.
    :param longest: the interval never grows beyond it.
    """

    interval: float | None = None
    shortest: float = 5.0
    longest: float = 1800.0

    def next_wait(self, elapsed: float, status: JobStatus | None = None) -> float:
        """Return the seconds until the next poll.

        :param elapsed: seconds since the first poll.
        :param status: what the job said last, if it said anything.
        """
        if self.interval is not None:
            return max(self.interval, SHORTEST_INTERVAL)
        wait = elapsed / 10
        if status and status.total and status.progress:
            # counts are whole: nearly one more may be done, and of few items that is much
            done = status.progress + 1 / status.total
            wait = max(wait, min(0.9 * elapsed * (1 - done) / done, elapsed / 2))
        return min(max(wait, self.shortest), self.longest)

    def after_failures(self, failures: int, *, throttled: bool = False, retry_after: float | None = None) -> float:
        """Return the seconds to wait after so many polls in a row that failed for a passing reason.

        Doubles up to one minute, for 429 (``throttled``) up to 15 minutes; Zoho's own word (``retry_after``) is honoured up to there.
        """
        ceiling = _THROTTLED_CEILING if throttled else _FAILURE_CEILING
        backoff = min(self.shortest * 2.0 ** min(failures - 1, 10), ceiling)
        return max(backoff, min(retry_after or 0.0, _THROTTLED_CEILING))
