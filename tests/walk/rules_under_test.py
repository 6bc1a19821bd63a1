"""The rules that the walk drives: the real modules, or copies of them in which some lines are replaced, which are its mutants."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace

# in the order in which they import one another
MODULES = ("tag_journal", "tag_request", "tag_seen", "tag_deletion")
_PACKAGE = "airflow_provider_zcrm.rules"


def real_rules() -> SimpleNamespace:
    """Return all names of the modules, in one namespace."""
    return _together([import_module(f"{_PACKAGE}.{name}") for name in MODULES])


def broken_rules(changes: Sequence[tuple[str, str, str]]) -> SimpleNamespace:
    """Return the names of copies of the modules with other lines.

    :param changes: per change the module, a text that stands in it once, and what is to stand there.
    """
    before = {name: import_module(f"{_PACKAGE}.{name}") for name in MODULES}
    try:
        return _together([_copy(name, changes) for name in MODULES])
    finally:
        for name, module in before.items():
            sys.modules[f"{_PACKAGE}.{name}"] = module


def _copy(name: str, changes: Sequence[tuple[str, str, str]]) -> ModuleType:
    original = import_module(f"{_PACKAGE}.{name}")
    source = Path(str(original.__file__)).read_text()
    for where, old, new in changes:
        if where == name:
            assert source.count(old) == 1, f"{old!r} stands {source.count(old)} times in {name}"
            source = source.replace(old, new)
    module = ModuleType(f"{_PACKAGE}.{name}")
    # the copies import one another, and dataclasses look their module up
    sys.modules[module.__name__] = module
    exec(compile(source, f"{name} (changed)", "exec"), module.__dict__)
    return module


def _together(modules: Sequence[ModuleType]) -> SimpleNamespace:
    return SimpleNamespace(**{name: value for module in modules for name, value in vars(module).items() if not name.startswith("__")})
