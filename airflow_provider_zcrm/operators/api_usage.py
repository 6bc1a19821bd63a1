"""What a task tells of the API calls that it has made."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_zcrm.client.sync_client import ZohoCrmClient


def push_api_usage(context: Context, client: ZohoCrmClient, earlier_calls: int = 0) -> None:
    """Push the number of calls to Zoho as XCom ``api_calls``, and the org's API credits as ``credits_left`` if Zoho has named them.

    :param earlier_calls: calls of this try that another process has made: before a deferral, and in the triggerer.
    """
    context["ti"].xcom_push(key="api_calls", value=earlier_calls + client.credits.calls)
    if client.credits.left is not None:
        context["ti"].xcom_push(key="credits_left", value=client.credits.left)
