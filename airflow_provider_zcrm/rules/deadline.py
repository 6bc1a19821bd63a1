"""The time that the user gave to a task, for all its attempts together."""

from __future__ import annotations

from airflow_provider_zcrm.rules.errors import DeadlineReached


def check_deadline(deadline: float, at: float, what: str) -> None:
    """Refuse what would happen only after the deadline.

    :param deadline: epoch seconds.
    :param at: epoch seconds at which it would happen.
    :param what: what should have been reached by then, for the sentence.
    :raises DeadlineReached: it would be too late
    """
    if at >= deadline:
        raise DeadlineReached(f"The timeout of the task is reached before {what}.")
