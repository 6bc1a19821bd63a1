"""The example with approval by a person, but for the delay of retries. Airflow looks only into files with its name and DAG in them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

EXAMPLE = Path(__file__).parents[3] / "example_dags" / "zoho_crm_cleanup_with_approval.py"
names: dict[str, Any] = globals()
exec(compile(EXAMPLE.read_text(encoding="utf-8"), __file__, "exec"), names)
# a busy Airflow may itself cost a try (apache/airflow#71580), and five minutes are longer than the test waits
for task in names["dag"].tasks:
    task.retry_delay = timedelta(seconds=1)
