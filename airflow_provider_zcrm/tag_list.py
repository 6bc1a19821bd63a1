"""The tags of a module and how many records carry them, as a task should believe them.

Zoho's answer without a body (204) means "no tags", and comes for other reasons too, so an empty list is read twice.
Zoho: crm/developer/docs/api/v8/get-tag-list.html, tag-record-count.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_zcrm.api.errors import InvalidRequest
from airflow_provider_zcrm.api.tags import RecordsCount, Tag, count_records, list_tags

if TYPE_CHECKING:
    from airflow_provider_zcrm.client.sync_client import ZohoCrmClient


def read_tags(client: ZohoCrmClient, module: str, *, include_usage: bool = False) -> dict[str, Tag]:
    """Return the tags of a module by id, in Zoho's order.

    :param include_usage: as of `list_tags`.
    :raises ZohoCrmError: Zoho refuses, or the client has given up
    """
    call = list_tags(module, include_usage=include_usage)
    return {tag.id: tag for tag in client.send(call) or client.send(call)}


def count_unless_gone(client: ZohoCrmClient, module: str, tag_id: str) -> RecordsCount | None:
    """Return how many records carry a tag and what uses it, None if Zoho does not find the tag.

    :raises ZohoCrmError: any other refusal
    """
    try:
        return client.send(count_records(module, tag_id))
    except InvalidRequest as error:
        if (error.status, error.code) != (404, "INVALID_DATA"):
            raise
        return None
