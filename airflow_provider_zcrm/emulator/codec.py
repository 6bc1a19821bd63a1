"""Turns the dataclasses of `model` into JSON values and back, for the state file."""

from __future__ import annotations

import types
from collections.abc import Hashable
from dataclasses import is_dataclass
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


def decode(kind: type[T], value: Any) -> T:
    """Build a `kind` (a dataclass, a dict or list of them, or a plain value) from what `json.load` returned."""
    result: T = _decode(kind, value)
    return result


def _decode(kind: Any, value: Any) -> Any:
    if value is None:
        return None
    if is_dataclass(kind):
        hints = _hints(cast("Hashable", kind))
        return kind(**{name: _decode(hints[name], part) for name, part in value.items()})  # type: ignore[operator]
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _decode(next(part for part in get_args(kind) if part is not type(None)), value)
    if origin is list:
        (item_kind,) = get_args(kind)
        return [_decode(item_kind, item) for item in value] if is_dataclass(item_kind) else value
    if origin is dict:
        item_kind = get_args(kind)[1]
        return {key: _decode(item_kind, item) for key, item in value.items()} if is_dataclass(item_kind) else value
    return value


@cache
def _hints(kind: Hashable) -> dict[str, Any]:
    return get_type_hints(kind)  # cached: a large state has thousands of tags
