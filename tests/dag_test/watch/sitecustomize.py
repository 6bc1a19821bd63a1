"""Notes every deprecation warning that the provider causes, in the file $DEPRECATIONS. Python imports this module when it starts.

Filters do not count, and neither does where a warning says that it comes from: Airflow's own modules often stand between. The provider
causes what its own line calls, with nothing but Airflow and the import system in between, and what is said about it by name.
"""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any

_PASSED_ON_BY = ("airflow.", "importlib.", "_frozen_importlib", "typing_extensions", "deprecated.", "warnings")
_warn = warnings.warn


def warn(message: Any, category: Any = None, stacklevel: int = 1, *arguments: Any, **more: Any) -> None:
    """Note, and warn as ever."""
    kind = type(message) if isinstance(message, Warning) else category or UserWarning
    if issubclass(kind, (DeprecationWarning, PendingDeprecationWarning, FutureWarning)):
        place = _caller()
        if place.startswith("airflow_provider_zcrm") or "zcrm" in str(message).lower() or "zoho" in str(message).lower():
            with open(os.environ["DEPRECATIONS"], "a") as file:  # noqa: PTH123 - nothing shall be imported that is not there anyway
                file.write(f"{place}: {kind.__name__}: {message}\n")
    _warn(message, category, stacklevel + 1, *arguments, **more)


def _caller() -> str:
    frame = sys._getframe(2)
    while frame.f_back and str(frame.f_globals.get("__name__")).startswith(_PASSED_ON_BY):
        frame = frame.f_back
    return f"{frame.f_globals.get('__name__')}:{frame.f_lineno}"


if "DEPRECATIONS" in os.environ:
    warnings.warn = warn
