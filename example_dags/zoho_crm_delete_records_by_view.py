"""Delete the records that a custom view shows, and wait in the triggerer until Zoho has done it: trigger this DAG with the view's id.

Needs the connection ``zoho_crm_default`` and an Enterprise edition. What is deleted is what the view shows when Zoho starts, so give it a
view of its own. If it is unknown whether Zoho accepted the delete, the task fails and nothing is sent again. Look in Zoho CRM, then set
the Variable ``zoho_crm_confirm_resubmit`` to ``true``, clear the task, and delete the Variable.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.providers.common.compat.sdk import DAG, Param

from airflow_provider_zcrm.operators.mass_delete_records import MassDeleteRecordsOperator

with DAG(
    "zoho_crm_delete_records_by_view",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    params={
        "module": Param("Leads", type="string", description="API name of the module."),
        "cvid": Param(type="string", pattern="^[0-9]+$", description="Id of the custom view whose records are deleted."),
        "max_records": Param(1000, type="integer", minimum=0, description="Delete nothing if the view shows more records than this."),
        "dry_run": Param(default=False, type="boolean", description="Count, and delete nothing."),
    },
    tags=["zoho_crm"],
):
    # [START delete_records_by_view]
    MassDeleteRecordsOperator(
        task_id="delete",
        module="{{ params.module }}",
        cvid="{{ params.cvid }}",
        max_records="{{ params.max_records }}",
        dry_run="{{ params.dry_run }}",
        confirm_resubmit="{{ var.value.get('zoho_crm_confirm_resubmit', 'false') }}",
        wait_for_completion=True,
        deferrable=True,
        timeout=timedelta(hours=12),
    )
    # [END delete_records_by_view]
