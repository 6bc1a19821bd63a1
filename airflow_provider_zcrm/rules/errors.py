"""The exceptions for what we decide: a guard, a backup, a deadline, a job that did not do its work.

What Zoho's answers mean stands in `airflow_provider_zcrm.api.errors`, with the root of them all.
"""

from __future__ import annotations

from airflow_provider_zcrm.api.errors import PermanentError, RetryableError, ZohoCrmError


class GuardTripped(PermanentError):
    """More would be deleted than a guard allows (``max_tags``, ``max_share``, ``max_records``); nothing was sent."""


class ResubmissionForbidden(PermanentError):
    """A custom view must not be submitted again: the submission before it is unconfirmed; nothing was sent."""


class ListTooLong(PermanentError):
    """A custom view shows more records than are listed before a delete; nothing was sent."""


class ListShort(ZohoCrmError):
    """Fewer records of a custom view were listed than Zoho counts in it, so not all could be brought back; nothing was sent."""


class InvalidBackup(PermanentError):
    """A file is no backup of tags, or not one that this release can read, or it is damaged."""


class BackupUnfinished(InvalidBackup):
    """A backup breaks off: who wrote it did not come to its end."""

    default_advice = "Nothing is restored from it. The task that writes it writes another one beside it when it runs again."


class BackupShort(ZohoCrmError):
    """Fewer records were found for a tag than Zoho says carry it, so what would be backed up is not all."""


class RestoreShort(ZohoCrmError):
    """A tag of a backup is not there after the restore, or on none of its records; the others were restored as far as that goes."""


class JobFailed(ZohoCrmError):
    """A job of Zoho's ended as FAILED, or did less than it should have."""


class TagsLeftBehind(JobFailed):
    """All jobs have ended and some of their tags are still there."""


class RecordsLeftBehind(JobFailed):
    """Zoho has not deleted all of the wanted records."""


class RecordsNotRestored(JobFailed):
    """Not all of the requested records have come back from the recycle bin."""


class DeadlineReached(ZohoCrmError):
    """The time that the user gave is over before the work is."""

    default_advice = "Give the task a longer timeout; clearing it goes on where it stopped."


class TooLate(RetryableError):
    """Saving the journal took so long that what was seen before is too old to act on; nothing was sent."""

    default_advice = "The task reads the list again. If this comes back, Airflow's API server or its database is slow."
