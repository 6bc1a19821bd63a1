"""The example with approval by a person, as it is. Airflow looks only into files that have its name and the word DAG in them."""

from __future__ import annotations

from pathlib import Path

EXAMPLE = Path(__file__).parents[3] / "example_dags" / "zoho_crm_cleanup_with_approval.py"
exec(compile(EXAMPLE.read_text(encoding="utf-8"), __file__, "exec"))
