"""The DAGs of the end-to-end tests: what to delete comes with the run's conf, so that one Airflow serves all tests."""

from __future__ import annotations

import os
import signal
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG, Asset, task, task_group

from airflow_provider_zcrm.deletion.tags import TagDeletion
from airflow_provider_zcrm.operators.mass_delete_records import MassDeleteRecordsOperator
from airflow_provider_zcrm.operators.mass_delete_tags import MassDeleteTagsOperator
from airflow_provider_zcrm.sensors.mass_delete_job import MassDeleteJobSensor
from airflow_provider_zcrm.task_groups import tag_cleanup

ALWAYS: dict[str, Any] = {
    "schedule": None,
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "catchup": False,
    "max_active_runs": 20,
    "render_template_as_native_obj": True,
    "params": {"module": "Leads", "tags": [], "die": "", "conn_id": "zoho_crm_default"},
    # Airflow itself may cost a deferred task a try when the machine is busy (apache/airflow#71580)
    "default_args": {"retries": 6, "retry_delay": timedelta(seconds=1)},
}


class DyingOperator(MassDeleteTagsOperator):
    """Kills its own process, once, at the moment that the run's conf names (see test_real_airflow.MOMENTS)."""

    def execute(self, context: Any) -> Any:
        self._moment = context["params"]["die"] if context["ti"].try_number == 1 else ""
        return super().execute(context)

    def execute_complete(self, context: Any, event: Any = None) -> Any:
        self._moment = context["params"]["die"] if context["ti"].try_number == 1 else ""
        self._die("after the wait")
        return super().execute_complete(context, event)

    def defer(self, **arguments: Any) -> Any:
        self._die("before the deferral")
        return super().defer(**arguments)

    def _deletion(self, context: Any, *arguments: Any) -> TagDeletion:
        deletion = super()._deletion(context, *arguments)
        send, save = deletion._client.send_with, deletion._save_journal

        def dying_send(call: Any, token: str) -> Any:
            self._die("before the POST")
            if self._moment == "in the POST":
                threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGKILL)).start()
            value = send(call, token)
            self._die("after the POST")
            return value

        def dying_save(journal: Any) -> None:
            if not journal.submissions:  # only what is requested
                save(journal)
                return
            stored = any(submission.job_id for submission in journal.submissions)
            self._die("before the id is stored" if stored else "before the intent is stored")
            save(journal)
            self._die("after the id is stored" if stored else "after the intent is stored")

        deletion._client.send_with, deletion._save_journal = dying_send, dying_save  # type: ignore[method-assign,assignment]
        return deletion

    def _die(self, moment: str) -> None:
        if self._moment == moment:
            os.kill(os.getpid(), signal.SIGKILL)


with DAG("operator_and_sensor", **ALWAYS):
    delete = MassDeleteTagsOperator(task_id="delete", module="{{ params.module }}", tag_names="{{ params.tags }}", do_xcom_push=True)
    MassDeleteJobSensor(task_id="wait", job_id=delete.output, deferrable=True, poke_interval=1)
    MassDeleteJobSensor(task_id="wait_for_the_key", job_id=delete.output["job_id"], mode="reschedule", poke_interval=1)
    MassDeleteJobSensor.partial(task_id="wait_for_each", poke_interval=1).expand(job_id=delete.output)

with DAG("finishes_in_triggerer", **ALWAYS):
    delete = MassDeleteTagsOperator(task_id="delete", module="{{ params.module }}", tag_names="{{ params.tags }}")
    finishing: dict[str, Any] = {"deferrable": True, "poke_interval": 1, "finish_in_triggerer": True}
    wait = MassDeleteJobSensor(task_id="wait", job_id=delete.output, **finishing)
    MassDeleteJobSensor.partial(task_id="wait_for_each", **finishing).expand(job_id=delete.output)
    MassDeleteJobSensor(task_id="wait_with_outlet", job_id=delete.output, outlets=[Asset("zoho-crm://clean")], **finishing)
    mapped_over = MassDeleteJobSensor(task_id="wait_with_mapped_dependant", job_id=delete.output, **finishing)

    @task
    def returned(report: Any) -> Any:
        """Return what it was given."""
        return report

    returned.override(task_id="what_the_worker_reads")(wait.output)
    returned.override(task_id="what_is_mapped").expand(report=mapped_over.output)

with DAG("waits_for_itself", **ALWAYS):
    DyingOperator(
        task_id="delete",
        module="{{ params.module }}",
        tag_names="{{ params.tags }}",
        zoho_crm_conn_id="{{ params.conn_id }}",
        wait_for_completion=True,
        deferrable=True,
        poke_interval=1,
    )

with DAG("many_modules", **ALWAYS):
    mapped = MassDeleteTagsOperator.partial(task_id="delete", tag_names=["VIP"]).expand(module=["Leads", "Contacts"])
    MassDeleteJobSensor(task_id="wait", job_id=mapped.output, deferrable=True, poke_interval=1)

with DAG("records_by_view", **ALWAYS | {"params": ALWAYS["params"] | {"cvid": ""}}):
    delete_records = MassDeleteRecordsOperator(
        task_id="delete",
        module="{{ params.module }}",
        cvid="{{ params.cvid }}",
        max_share=1.0,
        confirm_resubmit="{{ var.value.get('confirm_resubmit', 'false') }}",
        wait_for_completion=True,
        deferrable=True,
        poke_interval=1,
    )
    MassDeleteJobSensor(
        task_id="wait",
        kind="records",
        module="{{ params.module }}",
        job_id=delete_records.output["job_id"],
        deferrable=True,
        poke_interval=1,
    )

# text is what a template makes of a truth value here
with DAG("dry_run_of_many_modules", **ALWAYS | {"render_template_as_native_obj": False, "params": {"dry_run": True}}):
    mapped = MassDeleteTagsOperator.partial(task_id="delete", tag_names=["VIP"], dry_run="{{ params.dry_run }}").expand(
        module=["Leads", "Contacts"]
    )
    MassDeleteJobSensor(task_id="wait", job_id=mapped.output, deferrable=True, poke_interval=1)

# a question that nobody answers is open for a minute
with DAG("approved_modules", **ALWAYS | {"default_args": ALWAYS["default_args"] | {"response_timeout": timedelta(minutes=1)}}):

    @task_group
    def clean(module: str) -> None:
        """Clean one module, if a person approves that."""
        tag_cleanup("tags", module, {"max_records": "unused"}, approval=True, max_share=1.0)

    clean.expand(module=["Leads", "Contacts"])
