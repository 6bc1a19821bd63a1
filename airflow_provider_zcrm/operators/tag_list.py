"""The tags of a module, as a task should believe them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_zcrm.api.tags import Tag, list_tags

if TYPE_CHECKING:
    from airflow_provider_zcrm.client.sync_client import ZohoCrmClient


def listed_tags(client: ZohoCrmClient, module: str, *, include_usage: bool = False) -> tuple[Tag, ...]:
    """Return the tags of a module; an empty list is read twice, because an answer without a body (204) means that too.

    :param include_usage: as of `list_tags`.
    :raises ZohoCrmError: Zoho refuses, or the client has given up
    """
    call = list_tags(module, include_usage=include_usage)
    return client.send(call) or client.send(call)
