"""Asset URIs of this provider: ``zohocrm://<connection id>/<module>/tags``, the tags of a module of an org.

What has a meaning of its own in a URI, such as the ``/`` of a connection that a secrets backend keeps in a folder, is quoted:
``zohocrm://crm%2Fzoho/Leads/tags``. Without a module, it is the tags of all modules: ``zohocrm://<connection id>/tags``.

Airflow calls `sanitize_uri` for each such URI, in whatever process makes the Asset, so this imports nothing heavy.
"""

from __future__ import annotations

from urllib.parse import SplitResult, quote, unquote

SCHEME = "zohocrm"


def org_uri(conn_id: str) -> str:
    """Return the URI of the org to which a connection points, as which its datasets are known."""
    return f"{SCHEME}://{quote(conn_id, safe='')}"


def tags_uri(conn_id: str, module: str) -> str:
    """Return the URI of the tags of a module."""
    return f"{org_uri(conn_id)}/{quote(module, safe='')}/tags"


def all_tags_uri(conn_id: str) -> str:
    """Return the URI of the tags of all modules of an org."""
    return f"{org_uri(conn_id)}/tags"


def sanitize_uri(uri: SplitResult) -> SplitResult:
    """Return the URI with its connection quoted as in `org_uri`; its case stays, for it matters to Zoho and to Airflow alike.

    :raises ValueError: it does not have the form that this provider's operators use, so no event would ever come for it
    """
    parts = uri.path.split("/")
    if not uri.netloc or len(parts) not in (2, 3) or not parts[1] or parts[-1] != "tags" or uri.query:
        raise ValueError(f"{uri.geturl()!r} is not of the form {SCHEME}://<connection id>/<module>/tags, or the same without a module")
    return uri._replace(netloc=quote(unquote(uri.netloc), safe=""))
