"""OAuth scopes: which feature needs which, and whether a token has them.

A scope is ``<service>.<path>.<operation>``; a shorter path and a wider operation cover what is below them: ``ZohoCRM.settings.ALL``
covers ``ZohoCRM.settings.tags.DELETE``. Zoho: crm/developer/docs/api/v8/scopes.html and the page of each call
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Feature:
    """Something that a user may want of this provider.

    :param does: what it does, in words that follow "can".
    :param needs: the scopes without which it does not work; the smallest ones that do.
    """

    name: str
    does: str
    needs: tuple[str, ...]


FEATURES = {
    feature.name: feature
    for feature in (
        Feature(
            "tags",
            "choose tags, delete them and wait for their jobs",
            ("ZohoCRM.settings.modules.READ", "ZohoCRM.settings.tags.READ", "ZohoCRM.settings.tags.DELETE"),
        ),
        Feature(
            "records",
            "delete records by custom view or id and wait for their jobs",
            (
                "ZohoCRM.mass_delete.DELETE",
                "ZohoCRM.mass_delete.READ",
                "ZohoCRM.modules.READ",
                "ZohoCRM.settings.layouts.READ",
                "ZohoSearch.securesearch.READ",
            ),
        ),
        Feature(
            "backup",
            "back tags up with their records and restore them",
            (
                "ZohoCRM.settings.modules.READ",
                "ZohoCRM.settings.tags.READ",
                "ZohoCRM.settings.tags.CREATE",
                "ZohoCRM.bulk.READ",
                "ZohoCRM.modules.ALL",
            ),
        ),
        Feature(
            "restore",
            "bring deleted records back from the recycle bin",
            ("ZohoCRM.settings.recycle_bin.READ", "ZohoCRM.settings.recycle_bin.UPDATE", "ZohoCRM.modules.READ"),
        ),
        Feature("org", "name the org in tests of the connection and in backups", ("ZohoCRM.org.READ",)),
    )
}

# those that a connection is made for, unless somebody asks for others
USUAL_FEATURES = ("tags", "org")


def scopes_of(features: Iterable[str]) -> list[str]:
    """Return the scopes that features need together, each once; one that another one covers is left out."""
    needed = list(dict.fromkeys(scope for feature in features for scope in FEATURES[feature].needs))
    return [scope for scope in needed if not any(covers(other, scope) for other in needed if other != scope)]


def split_scopes(scopes: str) -> list[str]:
    """Return the scopes of a text, in which commas or spaces separate them."""
    return [scope for scope in re.split(r"[,\s]+", scopes) if scope]


def granted(scopes: Collection[str], needed: str) -> bool:
    """Return whether one of the scopes of a token covers the one that is needed."""
    return any(covers(scope, needed) for scope in scopes)


def covers(scope: str, needed: str) -> bool:
    """Return whether one scope includes another; case does not matter."""
    path, _, operation = scope.lower().rpartition(".")
    needed_path, _, needed_operation = needed.lower().rpartition(".")
    if operation not in ("all", needed_operation) and (operation, needed_operation) not in _WRITES:
        return False
    return needed_path == path or needed_path.startswith(f"{path}.")


_WRITES = {("write", operation) for operation in ("create", "update", "delete")}
