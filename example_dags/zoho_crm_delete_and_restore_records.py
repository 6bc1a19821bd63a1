"""Delete records by their ids, with a way back: trigger this DAG with the ids, and again with ``restore`` set to bring them back.

Needs the connection ``zoho_crm_default``, with the scopes of the features ``records`` and ``restore``. Zoho keeps deleted records in its
recycle bin for 60 days. Whoever empties the bin before makes the delete final.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.providers.common.compat.sdk import DAG, Param

from airflow_provider_zcrm.operators.delete_records import DeleteRecordsOperator
from airflow_provider_zcrm.operators.restore_records import RestoreRecordsOperator

with DAG(
    "zoho_crm_delete_and_restore_records",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    render_template_as_native_obj=True,
    params={
        "module": Param("Leads", type="string", description="API name of the module."),
        "record_ids": Param(type="array", description="Ids of the records."),
        "restore": Param(default=False, type="boolean", description="Bring the records back instead of deleting them."),
    },
    tags=["zoho_crm"],
):
    # [START delete_and_restore_records]
    DeleteRecordsOperator(
        task_id="delete",
        module="{{ params.module }}",
        record_ids="{{ params.record_ids }}",
        dry_run="{{ params.restore }}",
    )
    RestoreRecordsOperator(
        task_id="restore",
        module="{{ params.module }}",
        record_ids="{{ params.record_ids }}",
        dry_run="{{ not params.restore }}",
        deferrable=True,
        timeout=timedelta(hours=12),
    )
    # [END delete_and_restore_records]
