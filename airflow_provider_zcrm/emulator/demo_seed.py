"""The seed ``demo``."""

from __future__ import annotations

from typing import Any

from airflow_provider_zcrm.emulator.minimal_seed import minimal_seed


def demo_seed() -> dict[str, Any]:
    """Return the seed ``demo``."""
    return minimal_seed()
