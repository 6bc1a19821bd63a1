"""What all deletion plans share: two of their steps, and two answers to a submission.

A plan (`tag_deletion`, `view_deletion`, `record_deletion`) has steps of its own beside these.
"""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_zcrm.api.errors import ZohoCrmError


@dataclass(frozen=True)
class WaitUntil:
    """A step: wait until a time, in epoch seconds; ``why`` is for the log."""

    at: float
    why: str


@dataclass(frozen=True)
class Fail:
    """A step: give up with this error."""

    error: ZohoCrmError


@dataclass(frozen=True)
class Refused:
    """The answer to a submission: Zoho certainly did not accept it."""

    error: ZohoCrmError


@dataclass(frozen=True)
class Lost:
    """No answer to a submission, or one that does not say: Zoho may have accepted it or not."""

    error: ZohoCrmError
