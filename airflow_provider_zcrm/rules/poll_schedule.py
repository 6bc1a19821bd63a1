"""When to ask for a job's status again.

A pure function of the time since the wait began and of what the job said, so that it goes on alike after a restart of the triggerer
and in reschedule mode. Without counts the interval is a tenth of the time that has passed: an end is noticed at most 10 % late (or
5 s), polls grow with the logarithm of a job's length, and six hours take 75; with that bound there is no schedule with fewer.

With counts of two polls it aims at the predicted end: from afar 10 % too short, and once that is within the next tenth of the time
just past it. A job that goes at one pace, after a queue of any length, is still noticed at most 10 % late, and takes no more
polls than without counts. For one that changes its pace a wait never exceeds half of the time that has passed. benchmarks/polls.py
measures it.
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

    def next_wait(self, elapsed: float, status: JobStatus | None = None, earlier: tuple[float, JobStatus] | None = None) -> float:
        """Return the seconds until the next poll.

        :param elapsed: seconds since the wait began.
        :param status: what the job said last, if it said anything.
        :param earlier: what it said at an earlier poll, and the seconds since the wait began at which it did.
        """
        if self.interval is not None:
            return max(self.interval, SHORTEST_INTERVAL)
        wait = elapsed / 10
        forecast = _seconds_left(elapsed, status, earlier)
        if forecast:
            least, likely = (0.9 * forecast[0], 1.1 * forecast[1])
            # near the end just past it, but not so soon that a job whose last items take long is asked without end
            wait = min(least, elapsed / 2) if least > wait else min(wait, max(likely, 0.01 * elapsed))
        return min(max(wait, self.shortest), self.longest)

    def after_failures(self, failures: int, *, throttled: bool = False, retry_after: float | None = None) -> float:
        """Return the seconds to wait after so many polls in a row that failed for a passing reason.

        Doubles up to one minute, for 429 (``throttled``) up to 15 minutes; Zoho's own word (``retry_after``) is honoured up to there.
        """
        ceiling = _THROTTLED_CEILING if throttled else _FAILURE_CEILING
        backoff = min(self.shortest * 2.0 ** min(failures - 1, 10), ceiling)
        return max(backoff, min(retry_after or 0.0, _THROTTLED_CEILING))


def _seconds_left(elapsed: float, status: JobStatus | None, earlier: tuple[float, JobStatus] | None) -> tuple[float, float] | None:
    """Return the least and the likely time that the job still needs at the pace between two polls, None where counts foretell nothing."""
    if not status or not status.total or not status.progress or not earlier:
        return None
    then, before = earlier
    # while it stood in a queue it had no pace
    if not before.progress or before.progress >= status.progress or then >= elapsed:
        return None
    gained, left, gap = status.progress - before.progress, 1 - status.progress, elapsed - then
    # counts are whole: nearly one more may be done, and of few items that is much
    one = 1 / status.total
    return (left - one) * gap / (gained + one), left * gap / gained
