"""The examples that clean a whole org, but for the schedule and the delay of retries, with a stand-in for the provider of Slack.

Airflow looks only into files with its name and DAG in them.
"""

from __future__ import annotations

import os
import re
import sys
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any


class SlackWebhookHook:
    """Writes the messages into a file."""

    def __init__(self, **_arguments: Any) -> None:
        self.path = Path(os.environ["AIRFLOW_HOME"]) / "slack.txt"

    def send(self, *, text: str) -> None:
        """Write a message."""
        with self.path.open("a") as messages:
            messages.write(text.replace("\n", " ") + "\n")


stub = ModuleType("slack_webhook")
stub.SlackWebhookHook = SlackWebhookHook  # type: ignore[attr-defined]
for name in ("airflow.providers.slack", "airflow.providers.slack.hooks", "airflow.providers.slack.hooks.slack_webhook"):
    sys.modules.setdefault(name, stub)

for example in ("zoho_crm_cleanup_org", "zoho_crm_cleanup_org_with_alerts"):
    names: dict[str, Any] = {"__name__": example}
    path = Path(__file__).parents[3] / "example_dags" / f"{example}.py"
    # a run of the schedule would begin when the DAG is unpaused, and keep ours waiting
    source = re.sub(r'schedule="[^"]*"', "schedule=None", path.read_text(encoding="utf-8"))
    exec(compile(source, __file__, "exec"), names)
    globals()[example] = names["dag"]
    for task in names["dag"].tasks:
        # a busy Airflow may itself cost a try (apache/airflow#71580), and five minutes are longer than the test waits
        if hasattr(task, "retry_delay"):
            task.retry_delay = timedelta(seconds=1)
