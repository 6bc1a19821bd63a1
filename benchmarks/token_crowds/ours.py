"""This provider: a task's first call, with the hook and with the store that the order names.

With ``variable`` each process speaks to a real api-server over its Execution API, with a token as the executor makes them for tasks. In
a task that is done by its supervisor, a process in between that passes the question on; it is left out here.
"""

from __future__ import annotations

import json
import os
import uuid
from typing import Any

import crowd
from airflow.executors.base_executor import BaseExecutor
from airflow.sdk.api.client import Client
from airflow.sdk.api.datamodels._generated import VariableResponse
from airflow.sdk.execution_time import (
    supervisor,  # noqa: F401 - a task's process is forked from one that has it
    task_runner,
)
from airflow.sdk.execution_time.comms import GetVariable, PutVariable, VariableResult

from airflow_provider_zcrm.api.modules import list_modules
from airflow_provider_zcrm.client.retries import RetryPolicy
from airflow_provider_zcrm.hooks.zcrm import ZohoCrmHook

# who is refused by Zoho's throttle fails at once; a task would wait for up to 26 minutes
NO_PATIENCE = RetryPolicy(token_patience=0.0)
# made before the crowd starts, as the scheduler makes it before the task starts
TASK_TOKEN = BaseExecutor(parallelism=1).jwt_generator.generate({"sub": str(uuid.uuid4())})


class Supervisor:
    """Passes a process's questions on to the api-server, as Airflow's supervisor does for a task."""

    def __init__(self, api_server: str) -> None:
        self._client = Client(base_url=f"{api_server}/execution/", token=TASK_TOKEN)

    def send(self, message: Any) -> Any:
        """Answer a message of Airflow's Task SDK."""
        if isinstance(message, GetVariable):
            found = self._client.variables.get(message.key)
            return VariableResult.from_variable_response(found) if isinstance(found, VariableResponse) else found
        if isinstance(message, PutVariable):
            self._client.variables.set(message.key, message.value, message.description)
        return None


def first_call(order: dict[str, Any]) -> int:
    """List the modules through the hook."""
    hosts = order.get("hosts", 1)
    extra = {
        "refresh_token": order["refresh_token"],
        "accounts_url": order["url"],
        "api_url": order["url"],
        "shared_store": order["shared_store"],
    }
    values = {"conn_type": "zoho_crm", "login": order["client_id"], "password": order["client_secret"], "extra": extra}
    os.environ["AIRFLOW_CONN_ZOHO_CRM_DEFAULT"] = json.dumps(values)
    os.environ["AIRFLOW__ZOHO_CRM__TOKEN_DIRECTORY"] = f"{order['folder']}/host-{os.getpid() % hosts}"
    if order["shared_store"] == "variable":
        task_runner.SUPERVISOR_COMMS = Supervisor(order["api_server"])
    return len(ZohoCrmHook(retries=NO_PATIENCE).get_conn().send(list_modules()))


if __name__ == "__main__":
    crowd.serve(first_call)
