"""A DAG and a script as a user writes them, for mypy: what the package promises about types, and what it refuses."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import assert_type

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_zcrm.api.mass_delete import JobStatus, MassDeleteJob, job_status, submit_records_by_view, submit_tags
from airflow_provider_zcrm.api.modules import Module, list_modules
from airflow_provider_zcrm.api.tags import Tag, list_tags
from airflow_provider_zcrm.client.async_client import AsyncZohoCrmClient
from airflow_provider_zcrm.client.sync_client import ZohoCrmClient
from airflow_provider_zcrm.hooks.zcrm import ZohoCrmHook
from airflow_provider_zcrm.operators.find_tags import FindTagsOperator
from airflow_provider_zcrm.operators.mass_delete_records import MassDeleteRecordsOperator
from airflow_provider_zcrm.operators.mass_delete_tags import MassDeleteTagsOperator
from airflow_provider_zcrm.sensors.mass_delete_job import MassDeleteJobSensor
from airflow_provider_zcrm.tag_selection import TagSelection

with DAG("typed", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False):
    find = FindTagsOperator(task_id="find", module="Leads", selection=TagSelection(name_glob=["test*", "tmp*"], created_before="P90D"))
    delete = MassDeleteTagsOperator(
        task_id="delete", module="Leads", tag_ids=find.output, max_tags=50, timeout=timedelta(hours=6), retries=2, deferrable=True
    )
    wait = MassDeleteJobSensor(task_id="wait", job_id=delete.output, timeout=timedelta(hours=6))
    view = MassDeleteRecordsOperator(task_id="view", module="Leads", cvid="2276164000000538003", max_records=10, dry_run=True)
    find >> delete >> wait >> view

    FindTagsOperator(task_id="wrong", module=7, selection=TagSelection())  # type: ignore[arg-type]
    MassDeleteTagsOperator(task_id="wrong", tag_names=["hot"])  # type: ignore[call-arg]
    MassDeleteTagsOperator(task_id="wrong", module="Leads", wait_for_completion="yes")  # type: ignore[arg-type]
    TagSelection(no_such_criterion=True)  # type: ignore[call-arg]


def with_the_hook() -> str:
    """Send calls from a task of one's own."""
    client = assert_type(ZohoCrmHook("zoho_crm_default").get_conn(), ZohoCrmClient)
    assert_type(client.send(list_modules()), list[Module])
    found = assert_type(client.send(list_tags("Leads")), tuple[Tag, ...])
    hot: list[Tag] = [tag for tag in found if tag.name == "hot"]
    job_id = assert_type(client.send(submit_tags("Leads", "2276164000000000125", [tag.id for tag in hot])), str)
    job = MassDeleteJob("tags", job_id)
    status = assert_type(client.send(job_status(job)), JobStatus)
    client.send(list_tags(7))  # type: ignore[arg-type]
    return status.state


async def without_a_worker(client: AsyncZohoCrmClient) -> str:
    """Send the same calls from an event loop."""
    assert_type(await client.send(list_tags("Leads")), tuple[Tag, ...])
    return assert_type(await client.send(submit_records_by_view("Leads", "2276164000000538003")), str)


if __name__ == "__main__":
    with_the_hook()
    asyncio.run(without_a_worker(AsyncZohoCrmClient(ZohoCrmHook().get_conn().config)))
