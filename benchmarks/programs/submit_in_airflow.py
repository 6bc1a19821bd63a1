"""One task in a fresh process with what every task's process has imported, and what Airflow keeps for it in memory.

Airflow's supervisor would pass a task's questions on to the api-server; here they are answered at once, from a file, so that only what
the task does itself is counted. Prints the time when it was done, and the seconds of CPU until then and until Airflow was imported.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from airflow.sdk import BaseHook, BaseOperator, Variable
from airflow.sdk.exceptions import ErrorType
from airflow.sdk.execution_time import supervisor, task_runner  # noqa: F401 - a task's process is forked from one that has it
from airflow.sdk.execution_time.comms import ErrorResponse, GetVariable, PutVariable, VariableResult


class Airflow:
    """Answers a task's questions about Variables.

    :param variables: a file of JSON values.
    """

    def __init__(self, variables: Path) -> None:
        self._file = variables

    def send(self, message: Any) -> Any:
        """Answer a message of Airflow's Task SDK."""
        values = json.loads(self._file.read_text())
        if isinstance(message, GetVariable):
            found = values.get(message.key)
            return VariableResult(key=message.key, value=found) if found else ErrorResponse(error=ErrorType.VARIABLE_NOT_FOUND)
        if isinstance(message, PutVariable):
            self._file.write_text(json.dumps({**values, message.key: message.value}))
        return None


class TaskInstance:
    """What an operator uses of a task instance."""

    dag_id, run_id, task_id, map_index, try_number, max_tries, start_date = "a_dag", "a_run", "a_task", -1, 1, 0, None

    def __init__(self, task: BaseOperator) -> None:
        self.task = task

    def xcom_push(self, key: str, value: Any) -> None:  # noqa: ARG002
        """Take a value, as Airflow does: in JSON."""
        json.dumps(value)


class Store(dict[str, Any]):
    """A task state store."""

    def set(self, key: str, value: Any, *, retention: Any = None) -> None:  # noqa: ARG002
        """Keep a value."""
        self[key] = value


class NothingOperator(BaseOperator):
    """The empty task."""

    def execute(self, context: Any) -> None:
        """Do nothing."""


class ByHandOperator(BaseOperator):
    """The fewest calls, with the token from an Airflow Variable."""

    def __init__(self, *, tag_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tag_id = tag_id

    def execute(self, context: Any) -> str:  # noqa: ARG002
        """Submit."""
        from submit_by_hand import submit

        return submit(BaseHook.get_connection("by_hand").host, Variable.get("by_hand"), self.tag_id)


def task_of(side: str, tag_id: str) -> BaseOperator:
    """Return the task of a side."""
    if side == "nothing":
        return NothingOperator(task_id="a_task")
    if side == "by hand":
        return ByHandOperator(task_id="a_task", tag_id=tag_id)
    if side == "http":
        from airflow.providers.http.operators.http import HttpOperator

        order = {"module": {"id": "2276164000000000125", "api_name": "Leads"}, "tags": [{"id": tag_id}]}
        headers = {"Authorization": f"Zoho-oauthtoken {Variable.get('by_hand')}", "Content-Type": "application/json"}
        path, data = "crm/v8/settings/tags/actions/mass_delete", json.dumps({"mass_delete": [order]})
        return HttpOperator(task_id="a_task", http_conn_id="by_hand", endpoint=path, headers=headers, data=data)
    from airflow_provider_zcrm.operators.mass_delete_tags import MassDeleteTagsOperator

    return MassDeleteTagsOperator(task_id="a_task", module="Leads", tag_ids=[tag_id], max_share=1.0)


if __name__ == "__main__":
    airflow_imported = time.process_time()
    side, variables, tag = sys.argv[1:]
    task_runner.SUPERVISOR_COMMS = Airflow(Path(variables))
    task = task_of(side, tag)
    instance = TaskInstance(task)
    task.execute({"ti": instance, "task_instance": instance, "task": task, "task_state_store": Store()})
    sys.stdout.write(f"{time.time()} {time.process_time()} {airflow_imported}\n")
