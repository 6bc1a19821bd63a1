"""What differs between Airflow's versions and common-compat does not bridge; features are looked for, versions are not compared.

Task state store: Airflow 3.3+. Rounds: every version. In the triggerer every call to Airflow itself goes through one thread at a
time, because on 3.0 to 3.2 concurrent calls to its supervisor fail.

Every task imports this file: what only the triggerer needs is imported where it is used.
"""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from airflow.providers.common.compat.sdk import AirflowOptionalProviderFeatureException, Variable, conf

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from airflow.providers.common.compat.sdk import BaseOperator
    from airflow.triggers.base import TriggerEvent

# the default of an argument that was not given
try:
    from airflow.sdk.definitions._internal.types import NOTSET as _NOTSET
except ImportError:
    from airflow.utils.types import NOTSET as _NOTSET  # type: ignore[no-redef, attr-defined]
NOTSET: Any = _NOTSET

T = TypeVar("T")


class TaskState:
    """The task state store of a task instance, or the lack of one (Airflow before 3.3).

    It outlives retries, deferrals and clearing; XComs do not. It is not reachable from a trigger.
    """

    def __init__(self, context: Mapping[str, Any]) -> None:
        self._store = context.get("task_state_store")

    @property
    def available(self) -> bool:
        """Whether this Airflow keeps state for a task."""
        return self._store is not None

    def get(self, key: str) -> Any:
        """Return the stored JSON value, None if there is none."""
        return self._store.get(key) if self._store is not None else None

    def set(self, key: str, value: Any) -> None:
        """Store a JSON value that never expires; raises if Airflow does not acknowledge it."""
        if self._store is not None:
            # Airflow's NEVER_EXPIRE; a store compares by identity, so it must be this very object
            from airflow.sdk.execution_time.context import NEVER_EXPIRE

            self._store.set(key, value, retention=NEVER_EXPIRE)


def task_round(context: Mapping[str, Any]) -> int:
    """Return the number of the round: a run of the task with its retries. A retry keeps it, clearing the task raises it."""
    ti = context["ti"]
    return int(ti.max_tries) - int(ti.task.retries or 0) + 1


def never_cleared(context: Mapping[str, Any]) -> bool:
    """Return whether no task of the DAG run was ever cleared, which is what takes a task's state away on some versions; False if unknown.

    A clear that leaves the state of the DAG run alone (the REST API's ``reset_dag_runs=false``) shows in the task's round only.
    """
    return getattr(context.get("dag_run"), "clear_number", None) == 0 and task_round(context) == 1


def task_states(context: Mapping[str, Any], task_ids: Sequence[str]) -> dict[tuple[str, int], str]:
    """Return the states of tasks of the DAG run by task id and map index, which is -1 of a task that is not mapped or not expanded yet."""
    ti = context["ti"]
    if not hasattr(ti, "get_task_states"):
        # Airflow 2, where the DAG run comes from the database
        return {(one.task_id, one.map_index): str(one.state) for one in context["dag_run"].get_task_instances() if one.task_id in task_ids}
    found = ti.get_task_states(dag_id=ti.dag_id, task_ids=list(task_ids), run_ids=[ti.run_id]).get(ti.run_id, {})
    states = {}
    for name, state in found.items():
        task_id, _, index = name.rpartition("_")
        states[(name, -1) if name in task_ids else (task_id, int(index))] = str(state)
    return states


def first_poke(context: Mapping[str, Any]) -> datetime | None:
    """Return when the first poke of a sensor in reschedule mode began in this round, None if this is it."""
    ti = context["ti"]
    found: datetime | None
    if hasattr(ti, "get_first_reschedule_date"):
        found = ti.get_first_reschedule_date(context)
    else:
        # Airflow 2 has it only in its own sensor
        from airflow.sensors.base import _orig_start_date  # type: ignore[import-not-found]

        found = _orig_start_date(
            dag_id=ti.dag_id, task_id=ti.task_id, run_id=ti.run_id, map_index=ti.map_index, try_number=task_round(context)
        )
    return found


def execution_timeout_left(context: Mapping[str, Any], now: float) -> float | None:
    """Return the seconds of ``execution_timeout`` that this try has left, None without one; ``now`` in epoch seconds."""
    limit: timedelta | None = context["ti"].task.execution_timeout
    started = context["ti"].start_date
    if limit is None:
        return None
    return limit.total_seconds() - (now - started.timestamp() if started else 0.0)


def hitl_operator() -> type[BaseOperator] | None:
    """Return Airflow's operator that asks a person, None where there is none (before 3.1)."""
    try:
        from airflow.providers.standard.operators.hitl import HITLOperator
    except (ImportError, AirflowOptionalProviderFeatureException):
        return None
    found: type[BaseOperator] = HITLOperator
    return found


def get_variable(key: str) -> str | None:
    """Return an Airflow Variable, None if there is none; Airflow 3 has renamed the argument for that."""
    name = "default" if "default" in inspect.signature(Variable.get).parameters else "default_var"
    default: dict[str, Any] = {name: None}
    value: str | None = Variable.get(key, **default)
    return value


def set_variable(key: str, value: str, description: str) -> None:
    """Write an Airflow Variable."""
    Variable.set(key, value, description=description)


def can_end_tasks_from_triggerer() -> bool:
    """Return whether a trigger of this Airflow can end its task."""
    from airflow.triggers import base as triggers

    return hasattr(triggers, "TaskSuccessEvent")


def task_success(xcoms: dict[str, Any]) -> TriggerEvent:
    """Return the event with which a trigger ends its task as a success."""
    from airflow.triggers import base as triggers

    event: triggers.TriggerEvent = triggers.TaskSuccessEvent(xcoms=xcoms)
    return event


def xcoms_are_airflows_own() -> bool:
    """Return whether Airflow keeps XComs in its database; what a trigger pushes lands there whatever the backend."""
    backend = str(conf.get("core", "xcom_backend", fallback="BaseXCom"))
    return backend.rpartition(".")[2] == "BaseXCom"


_locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
_threads: dict[int, ThreadPoolExecutor] = {}


async def ask_airflow(function: Callable[..., T], *arguments: Any) -> T:
    """Call a synchronous function of Airflow's (Connection, Variable, mask_secret) from the triggerer's event loop.

    The thread is our own, not the one that asgiref shares among all triggers of the process: that one does not live on in a forked
    process, and a slow trigger of somebody else's would hold us up.
    """
    from concurrent.futures import ThreadPoolExecutor

    from asgiref.sync import sync_to_async

    lock = _locks.setdefault(asyncio.get_running_loop(), asyncio.Lock())
    thread = _threads.setdefault(os.getpid(), ThreadPoolExecutor(1, thread_name_prefix="zoho-crm-ask-airflow"))
    async with lock:
        return await sync_to_async(function, thread_sensitive=False, executor=thread)(*arguments)
