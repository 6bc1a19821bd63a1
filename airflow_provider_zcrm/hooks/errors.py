"""How this provider's errors end a task: the one place where they become Airflow's.

A permanent error becomes `ZohoCrmFailure`, which Airflow does not retry. Everything else stays what it is and is retried, if the
task has retries.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_zcrm.api.errors import DeadlineReached, PermanentError, ZohoCrmError


class ZohoCrmFailure(ZohoCrmError, AirflowFailException):
    """An error that no retry will mend; ``__cause__`` is the original."""


@contextmanager
def airflow_errors(*final: type[ZohoCrmError]) -> Iterator[None]:
    """Make a `ZohoCrmFailure` of permanent errors, of a deadline that the user set, and of the further classes given.

    :raises ZohoCrmFailure: from the original error
    """
    classes: tuple[type[ZohoCrmError], ...] = (PermanentError, DeadlineReached, *final)
    try:
        yield
    except classes as error:
        raise ZohoCrmFailure(
            error.message,
            advice=error.advice,
            status=error.status,
            code=error.code,
            details=error.details,
            method=error.method,
            path=error.path,
        ) from error
