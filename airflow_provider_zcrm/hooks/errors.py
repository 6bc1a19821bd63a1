"""How this provider's errors end a task: the one place where they become Airflow's.

A permanent error becomes `ZohoCrmFailure`, which Airflow does not retry. Everything else stays what it is and is retried, if the
task has retries.

Where the original was raised stands in the debug log only: a log in which two tracebacks surround the sentence that says what to do
is not read.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_zcrm.api.errors import CONN_ID, CredentialsRejected, PermanentError, PermissionDenied, ScopeMissing, ZohoCrmError
from airflow_provider_zcrm.rules.errors import DeadlineReached

log = logging.getLogger(__name__)

# what is to be changed is in the connection, or at Zoho for it: of several, the sentence must say which
_ABOUT_THE_CONNECTION = (CredentialsRejected, ScopeMissing, PermissionDenied)


class ZohoCrmFailure(ZohoCrmError, AirflowFailException):
    """An error that no retry fixes; ``__cause__`` is the original, without its traceback."""


@contextmanager
def airflow_errors(conn_id: str, *final: type[ZohoCrmError]) -> Iterator[None]:
    """Make a `ZohoCrmFailure` of permanent errors, of a deadline that the user set, and of the further classes given.

    :param conn_id: id of the connection, named where it is what must be changed.
    :raises ZohoCrmFailure: from the original error
    """
    classes: tuple[type[ZohoCrmError], ...] = (PermanentError, DeadlineReached, *final)
    try:
        yield
    except classes as error:
        log.debug("Raised here:", exc_info=error)
        raise ZohoCrmFailure(
            f"Connection {conn_id}: {error.message}" if isinstance(error, _ABOUT_THE_CONNECTION) else error.message,
            # a template may have made a number of it, which is an error of its own
            advice=error.advice.replace(CONN_ID, str(conn_id)),
            status=error.status,
            code=error.code,
            details=error.details,
            method=error.method,
            path=error.path,
        ) from error.with_traceback(None)
