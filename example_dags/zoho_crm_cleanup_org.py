"""Every Sunday night: in all modules, delete the old tags that no record carries, after a person has said yes to each module.

Needs the connection ``zoho_crm_default`` and Airflow 3.1 or newer. The questions are in Airflow's UI under Required Actions; a module whose
question is rejected, or not answered in two days, keeps its tags. The backups go into the folder of the params.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_zcrm.tag_selection import TagSelection
from airflow_provider_zcrm.task_groups import org_tag_cleanup

# [START cleanup_org]
UNUSED = TagSelection(max_records="unused", created_before="P90D", keep=["VIP*"])
USUAL = {"catchup": False, "max_active_runs": 1, "default_args": {"retries": 2, "retry_delay": timedelta(minutes=5)}}
START = datetime(2026, 1, 1, tzinfo=timezone.utc)
PARAMS = {"folder": "file:///tmp/zoho_crm_backups", "dry_run": False}

with DAG("zoho_crm_cleanup_org", start_date=START, schedule="0 3 * * 0", params=PARAMS, **USUAL) as dag:
    org_tag_cleanup("clean_org", UNUSED, backup_folder="{{ params.folder }}", approval=True, dry_run="{{ params.dry_run }}")
# [END cleanup_org]
