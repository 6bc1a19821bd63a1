"""What an edition allows: simultaneous calls, credits per 24 hours, tags, and mass delete by custom view.

Zoho: api-limits.html (calls, credits), get-tag-list.html (tags), mass-delete.html (custom views).
The tags of the free edition are not documented; it gets those of Standard.
"""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_zcrm.emulator.model import Org


@dataclass(frozen=True)
class Edition:
    """The limits of one edition."""

    concurrency: int
    base_credits: int
    credits_per_user: int
    maximum_credits: int | None
    tags_per_module: int
    tags_per_record: int
    deletes_by_view: bool = False


EDITIONS = {
    "Free": Edition(5, 5_000, 0, 5_000, 20, 5),
    "Standard": Edition(10, 50_000, 250, 100_000, 20, 5),
    "Professional": Edition(15, 50_000, 500, 3_000_000, 60, 10),
    "Enterprise": Edition(20, 50_000, 1_000, 5_000_000, 100, 10, deletes_by_view=True),
    "Zoho One": Edition(20, 50_000, 1_000, 5_000_000, 20, 5, deletes_by_view=True),
    "Ultimate": Edition(25, 50_000, 2_000, None, 200, 10, deletes_by_view=True),
    "CRM Plus": Edition(25, 50_000, 2_000, None, 200, 10, deletes_by_view=True),
}


def edition_of(org: Org) -> Edition:
    """Return the edition of an org."""
    return EDITIONS[org.edition]


def concurrency_of(org: Org) -> int:
    """Return how many calls of one client the org answers at once."""
    return edition_of(org).concurrency if org.concurrency is None else org.concurrency


def tags_per_module(org: Org) -> int:
    """Return how many tags a module of the org may have (``info.allowed_count``)."""
    return edition_of(org).tags_per_module if org.tags_per_module is None else org.tags_per_module


def tags_per_record(org: Org) -> int:
    """Return how many tags a record of the org may carry (``info.record_limit``)."""
    return edition_of(org).tags_per_record if org.tags_per_record is None else org.tags_per_record


def credits_per_day(org: Org) -> int:
    """Return the org's API credits per rolling 24 hours."""
    if org.credits is not None:
        return org.credits
    edition = edition_of(org)
    total = edition.base_credits + edition.credits_per_user * org.users
    return total if edition.maximum_credits is None else min(total, edition.maximum_credits)
