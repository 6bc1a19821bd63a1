"""The tags of a module and how many records carry them, as a task should believe them.

Zoho's answer without a body (204) means "no tags", and comes for other reasons too, so an empty list is read twice.
Zoho: crm/developer/docs/api/v8/get-tag-list.html, tag-record-count.html
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from airflow_provider_zcrm.api.errors import InvalidRequest, ZohoCrmError
from airflow_provider_zcrm.api.tags import RecordsCount, Tag, count_records, list_tags_with_allowance
from airflow_provider_zcrm.rules.room import Room

if TYPE_CHECKING:
    from airflow_provider_zcrm.client.sync_client import ZohoCrmClient


def read_tags(client: ZohoCrmClient, module: str, *, include_usage: bool = False) -> dict[str, Tag]:
    """Return the tags of a module by id, in Zoho's order.

    :param include_usage: as of `list_tags_with_allowance`.
    :raises ZohoCrmError: Zoho refuses, or the client has given up
    """
    return read_tags_and_room(client, module, include_usage=include_usage)[0]


def read_tags_and_room(client: ZohoCrmClient, module: str, *, include_usage: bool = False) -> tuple[dict[str, Tag], Room]:
    """Return the same, and how much room the module has for more.

    :raises ZohoCrmError: Zoho refuses, or the client has given up
    """
    call = list_tags_with_allowance(module, include_usage=include_usage)
    found = client.send(call)
    if not found.tags:
        found = client.send(call)
    tags = {tag.id: tag for tag in found.tags}
    return tags, Room(len(tags), found.allowed)


def count_tags(client: ZohoCrmClient, module: str, tag_ids: Iterable[str]) -> dict[str, RecordsCount | None]:
    """Return, by tag, how many records carry it and what uses it, None if Zoho does not find the tag; one call per tag, side by side.

    :raises ZohoCrmError: the first failure of a call
    """
    found = try_to_count_tags(client, module, tag_ids)
    for answer in found.values():
        if isinstance(answer, ZohoCrmError):
            raise answer
    return {tag_id: answer for tag_id, answer in found.items() if not isinstance(answer, ZohoCrmError)}


def try_to_count_tags(client: ZohoCrmClient, module: str, tag_ids: Iterable[str]) -> dict[str, RecordsCount | ZohoCrmError | None]:
    """Return the same, with the failure of a call in the place of its answer."""

    def count(tag_id: str) -> RecordsCount | ZohoCrmError | None:
        try:
            return client.send(count_records(module, tag_id))
        except ZohoCrmError as error:
            not_found = isinstance(error, InvalidRequest) and (error.status, error.code) == (404, "INVALID_DATA")
            return None if not_found else error

    ids = list(tag_ids)
    with ThreadPoolExecutor(client.config.max_concurrency, thread_name_prefix="zoho-crm-count") as pool:
        return dict(zip(ids, pool.map(count, ids), strict=True))
