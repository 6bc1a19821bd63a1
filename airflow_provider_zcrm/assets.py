"""Asset URIs of this provider: ``zohocrm://<connection id>/<module>/tags``, the tags of a module of an org.

Airflow calls `sanitize_uri` for each such URI, in whatever process makes the Asset, so this imports nothing heavy.
"""

from __future__ import annotations

from urllib.parse import SplitResult

SCHEME = "zohocrm"


def tags_uri(conn_id: str, module: str) -> str:
    """Return the URI of the tags of a module."""
    return f"{SCHEME}://{conn_id}/{module}/tags"


def sanitize_uri(uri: SplitResult) -> SplitResult:
    """Return the URI as it is, for its case matters to Zoho and to Airflow alike.

    :raises ValueError: it does not have the form that this provider's operators use, so no event would ever come for it
    """
    parts = uri.path.split("/")
    if not uri.netloc or len(parts) != 3 or not parts[1] or parts[2] != "tags" or uri.query:
        raise ValueError(f"{uri.geturl()!r} is not of the form {tags_uri('<connection id>', '<module>')}")
    return uri
