"""Runs one task through tries, deferrals and clears, as Airflow would, without a scheduler and a database.

A stand-in for Airflow's task runner and triggerer, because those take seconds for each try; `tests/e2e` uses the real ones. The
triggers, operators and sensors are the real ones, over a real emulator.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import pytest
from airflow.providers.common.compat.sdk import BaseOperator, TaskDeferred
from airflow.triggers.base import BaseTrigger, TriggerEvent

try:
    from airflow.sdk.execution_time import context as airflow_context

    HAS_TASK_STATE = hasattr(airflow_context, "NEVER_EXPIRE")
    IS_AIRFLOW_2 = False
except ImportError:
    HAS_TASK_STATE = False
    IS_AIRFLOW_2 = True

_WITHOUT_IT = "This Airflow has no task state store"
needs_task_state = pytest.mark.skipif(not HAS_TASK_STATE, reason=_WITHOUT_IT)


class StateStore:
    """A task state store: JSON values by key."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.writes = 0
        self.fail_on_write: int | None = None

    def get(self, key: str, default: Any = None) -> Any:
        return json.loads(self.values[key]) if key in self.values else default

    def set(self, key: str, value: Any, *, retention: Any = None) -> None:
        self.writes += 1
        if self.writes == self.fail_on_write:
            raise RuntimeError("the API server is down")
        self.values[key] = json.dumps(value)


class TaskInstance:
    """What operators use of a task instance."""

    def __init__(self, task: BaseOperator) -> None:
        self.task = task
        self.dag_id, self.run_id, self.task_id, self.map_index = "a_dag", "a_run", task.task_id, -1
        self.try_number = 0
        self.max_tries = task.retries or 0
        self.start_date = datetime.now(UTC)
        self.xcoms: dict[str, Any] = {}
        self.pushed: list[tuple[str, Any]] = []
        self.first_reschedule: datetime | None = None
        if not IS_AIRFLOW_2:
            self.get_first_reschedule_date = lambda _context: self.first_reschedule

    def xcom_pull(self, task_ids: str, key: str, map_indexes: int) -> Any:
        assert (task_ids, map_indexes) == (self.task_id, self.map_index)
        return self.xcoms.get(key)

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcoms[key] = json.loads(json.dumps(value))
        self.pushed.append((key, self.xcoms[key]))


class DagRun:
    """What operators use of a DAG run."""

    def __init__(self) -> None:
        self.clear_number = 0


class TaskRun:
    """One task instance.

    :param state: whether there is a task state store; if it is not said, what the Airflow at hand has. True skips the test without one.
    :param settings: of ``[zoho_crm]`` in the Airflow configuration, while the task runs.
    """

    def __init__(self, task: BaseOperator, *, state: bool = HAS_TASK_STATE, **settings: float) -> None:
        if state and not HAS_TASK_STATE:
            pytest.skip(_WITHOUT_IT)
        self.task = task
        self.settings = {f"AIRFLOW__ZOHO_CRM__{name.upper()}": str(value) for name, value in settings.items()}
        self.ti = TaskInstance(task)
        self.dag_run = DagRun()
        self.store = StateStore() if state else None
        self.deferred: TaskDeferred | None = None
        self.events: list[TriggerEvent] = []

    def try_once(self) -> Any:
        """Run the next try until it ends, through the trigger where it defers, and return its value."""
        self.start()
        return self.resume() if self.deferred else self.value

    def start(self) -> None:
        """Run the next try until it ends or defers."""
        self.ti.try_number += 1
        self.ti.start_date = datetime.now(UTC)
        self.ti.xcoms.clear()
        self.deferred = None
        try:
            with _first_reschedule_told(self.ti), mock.patch.dict("os.environ", self.settings):
                self.value = self.fresh_task().execute(self.context())
        except TaskDeferred as deferred:
            self.deferred = deferred

    def resume(self) -> Any:
        """Let the trigger fire, and go on with what it says."""
        assert self.deferred is not None
        event = asyncio.run(fire(rebuilt(self.deferred.trigger)))
        self.events.append(event)
        kwargs = {**(self.deferred.kwargs or {}), "event": json.loads(json.dumps(event.payload))}
        with mock.patch.dict("os.environ", self.settings):
            return self.fresh_task().resume_execution(self.deferred.method_name, kwargs, self.context())

    def clear(self, *, reset_dag_run: bool = True) -> None:
        """Do what clearing a finished task does to its numbers, with the DAG run's or without."""
        self.dag_run.clear_number += reset_dag_run
        self.ti.max_tries = self.ti.try_number + (self.task.retries or 0)

    def context(self) -> Any:
        context: dict[str, Any] = {"ti": self.ti, "task_instance": self.ti, "task": self.task, "dag_run": self.dag_run}
        if self.store is not None:
            context["task_state_store"] = self.store
        return context

    def fresh_task(self) -> BaseOperator:
        """Return the task as a new process would have it: without what an earlier one cached."""
        for name in ("_client", "_watch", "_began"):
            self.task.__dict__.pop(name, None)
        return self.task


def _first_reschedule_told(ti: TaskInstance) -> AbstractContextManager[Any]:
    """Airflow 2 reads the start of the first poke from its database, of which there is none here; Airflow 3 asks the task instance."""
    if not IS_AIRFLOW_2:
        return nullcontext()
    return mock.patch("airflow.sensors.base._orig_start_date", return_value=ti.first_reschedule)


def rebuilt(trigger: BaseTrigger) -> BaseTrigger:
    """Return the trigger as the triggerer gets it: from its class path and its kwargs as JSON."""
    path, kwargs = trigger.serialize()
    assert path == f"{type(trigger).__module__}.{type(trigger).__qualname__}"
    return type(trigger)(**json.loads(json.dumps(kwargs)))


async def fire(trigger: BaseTrigger) -> TriggerEvent:
    """Run a trigger until it fires, and check that it then ends."""
    run = trigger.run()
    event = await anext(run)
    async for further in run:
        raise AssertionError(f"a second event: {further}")
    await trigger.cleanup()
    return event
