"""What one API call for a single tag tells, where the tag may have gone meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_zcrm.api.errors import InvalidRequest
from airflow_provider_zcrm.api.tags import RecordsCount, count_records

if TYPE_CHECKING:
    from airflow_provider_zcrm.client.sync_client import ZohoCrmClient


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
