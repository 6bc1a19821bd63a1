"""Notes every deprecation warning that the provider causes, in the file $DEPRECATIONS. Python imports this module when it starts.

Filters do not count, and neither does where a warning says that it comes from. The provider causes what one of its own lines calls,
also through the import system, a lazy attribute of a module, or common-compat; and what is said about it by name.
"""

from __future__ import annotations

import os
import sys
import warnings
from types import FrameType
from typing import Any

_MODULES_BETWEEN = ("importlib", "_frozen_importlib", "deprecated.", "typing_extensions", "airflow.providers.common.compat", "lazy_object")
_FUNCTIONS_BETWEEN = ("__getattr__", "getattr_with_deprecation")
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
    """Return the line that has called what warns."""
    frame = sys._getframe(2)
    while frame.f_back:
        frame = frame.f_back
        if not _module(frame).startswith(_MODULES_BETWEEN) and frame.f_code.co_name not in _FUNCTIONS_BETWEEN:
            break
    return f"{_module(frame)}:{frame.f_lineno}"


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__"))


if "DEPRECATIONS" in os.environ:
    warnings.warn = warn
