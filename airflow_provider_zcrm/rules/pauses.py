"""How long to wait before a submission that Zoho refused is sent again; times in seconds."""

from __future__ import annotations

from airflow_provider_zcrm.api.errors import RetryableError, TokenRejected, TooManyRequests, ZohoCrmError
from airflow_provider_zcrm.rules.steps import WaitUntil

# for the job of somebody else; the last one repeats
OTHER_JOB_PAUSES = (5.0, 10.0, 20.0, 40.0, 60.0)
# refusals of a passing kind, one after the other for so long, are for the next attempt
GIVE_UP_AFTER = 300.0
# Zoho's own word on when to come back is honoured up to here
LONGEST_PAUSE = 900.0
# before records whose answer was lost are looked up and sent again; after the last one the next attempt goes on
LOST_PAUSES = (5.0, 15.0, 30.0)


def pause_for_other_job(times: int) -> float:
    """Return how long to wait after so many refusals, one after the other, because another job runs."""
    return OTHER_JOB_PAUSES[min(times, len(OTHER_JOB_PAUSES)) - 1]


def pause_until(error: ZohoCrmError, times: int, since: float, at: float) -> float:
    """Return the time before which nothing is sent again after refusals of a passing kind.

    :param times: how many came one after the other.
    :param since: when the first one came.
    :param at: when the last one came.
    :raises ZohoCrmError: the error: waiting does not help, or has not helped for long enough
    """
    if not isinstance(error, RetryableError) or at - since >= GIVE_UP_AFTER:
        raise error
    asked_for = (error.retry_after or 0.0) if isinstance(error, TooManyRequests) else 0.0
    return at + max(min(2.0 ** min(times - 1, 6), 60.0), min(asked_for, LONGEST_PAUSE))


def pause_for_records(
    refusals: tuple[int, ZohoCrmError, float, float] | None, lost: tuple[int, ZohoCrmError, float] | None, *, advice: str, then: str
) -> WaitUntil | None:
    """Return how long to wait before records are sent again, None for not at all.

    :param refusals: how many came one after the other, the last one, and when the first and the last came.
    :param lost: how many answers were lost one after the other, the last error, and when that was.
    :param advice: for an answer that was lost too often.
    :param then: what follows the wait, for the log.
    :raises ZohoCrmError: sending again does not help, or has not helped for long enough
    """
    if refusals is not None:
        times, error, since, at = refusals
        if isinstance(error, TokenRejected) and times == 1:
            return None
        return WaitUntil(pause_until(error, times, since, at), f"{error}")
    if lost is None:
        return None
    times, error, at = lost
    if times > len(LOST_PAUSES):
        error.advice = advice
        raise error
    return WaitUntil(at + LOST_PAUSES[times - 1], f"{error.message} {then}")
