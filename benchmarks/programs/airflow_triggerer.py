"""Runs Airflow's own triggerer (its supervisor, and the process with the event loop) for triggers from a file instead of the database.

Each line of stdin is a JSON object: classpath and kwargs of a trigger, without started_at. All are handed over at once. What the triggerer
says of itself goes to stdout, what it logs for each task into a file of its own, and when it began into began.txt.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from airflow.executors.workloads import RunTrigger, TaskInstanceDTO
from airflow.jobs.triggerer_job_runner import TriggerLoggingFactory, TriggerRunnerSupervisor
from airflow.models.trigger import Trigger


class Supervisor(TriggerRunnerSupervisor):
    """Airflow's, without what it says to the database; Airflow wants just these methods overridden for that."""

    until: float

    def load_triggers(self) -> None:
        """Change nothing: the triggers were handed over."""

    def heartbeat(self) -> None:
        """Have no row in the database that beats."""

    def clean_unused(self) -> None:
        """Have no rows in the database to clean."""

    def emit_metrics(self) -> None:
        """Have no id of a job to name in metrics."""

    def should_stop(self) -> bool:
        """Run for the time that was ordered."""
        return time.time() > self.until


def workload(number: int, trigger: dict[str, Any], supervisor: Supervisor, logs: Path) -> RunTrigger:
    """Return what the supervisor would make of a row of the database."""
    ti = TaskInstanceDTO(
        id=uuid4(),
        dag_version_id=uuid4(),
        dag_id="clean_up",
        run_id="weekly",
        task_id="wait",
        map_index=number,
        try_number=1,
        pool_slots=1,
        priority_weight=1,
        queue="default",
    )
    supervisor.logger_cache[number] = TriggerLoggingFactory(log_path=str(logs / f"{number}.log"), ti=ti)
    return RunTrigger(id=number, classpath=trigger["classpath"], encrypted_kwargs=Trigger.encrypt_kwargs(trigger["kwargs"]), ti=ti)


def main() -> None:
    """Run for so many seconds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("seconds", type=float)
    parser.add_argument("logs", type=Path)
    options = parser.parse_args()
    triggers = [json.loads(line) for line in sys.stdin]
    supervisor = Supervisor.start(capacity=len(triggers))
    now = time.time()
    (options.logs / "began.txt").write_text(str(now))
    supervisor.until = now + options.seconds
    for trigger in triggers:
        trigger["kwargs"]["started_at"] = now
    supervisor.creating_triggers.extend(workload(number, trigger, supervisor, options.logs) for number, trigger in enumerate(triggers, 1))
    try:
        supervisor.run()
    finally:
        supervisor.kill(escalation_delay=10, force=True)


if __name__ == "__main__":
    main()
