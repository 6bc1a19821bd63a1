"""The tags of some modules, each by a selection of its own, one question for all, and a message in Slack for each task that fails.

Needs the connection ``zoho_crm_default``, Airflow 3.1 or newer, and for the messages the package apache-airflow-providers-slack with the
connection ``slack_default``. The callback runs where the task has run, once its retries are used up.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_zcrm.tag_selection import TagSelection
from airflow_provider_zcrm.task_groups import org_tag_cleanup


# [START cleanup_org_with_alerts]
def tell_slack(context: Any) -> None:
    """Say which task of which module has failed, and why."""
    from airflow.providers.slack.hooks.slack_webhook import SlackWebhookHook

    ti, module = context["ti"], getattr(context["task"], "module", "all modules")
    text = f"{ti.dag_id}: {ti.task_id} failed for {module}: {context.get('exception')}"
    SlackWebhookHook(slack_webhook_conn_id="slack_default").send(text=text)


with DAG(
    "zoho_crm_cleanup_org_with_alerts",
    schedule="0 4 * * 0",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5), "on_failure_callback": tell_slack},
) as dag:
    org_tag_cleanup(
        "clean_org",
        modules={
            "Leads": TagSelection(max_records="unused", created_before="P90D", keep=["VIP*"]),
            "*": TagSelection(name_glob=["test*", "tmp*"], created_before="P30D"),
        },
        exclude_modules=["Deals"],
        approval="once",
    )
# [END cleanup_org_with_alerts]
