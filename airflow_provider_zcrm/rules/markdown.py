"""Markdown for people, in which nothing that comes from Zoho is markup; and names as a log shows them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any


def one_line(value: Any) -> str:
    """Return text with control characters, line breaks and invisible characters as escapes."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in str(value))


def escaped(value: Any) -> str:
    """Return text on one line, with what Markdown or HTML would take for markup escaped."""
    # between letters, an underscore is none
    return re.sub(r"([\\`*{}\[\]()<>#+!|~&]|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z]))", r"\\\1", one_line(value))


def code(value: Any) -> str:
    """Return text as it is, such as a path, in the form of code."""
    text = one_line(value)
    return escaped(text) if "`" in text else f"`{text}`"


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a table whose columns are aligned, so that it reads well in a log too; None is a dash."""
    cells = [[*columns], *(["-" if value is None else escaped(value) for value in row] for row in rows)]
    widths = [max(len(row[number]) for row in cells) for number in range(len(columns))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells]
    return "\n".join([lines[0], "| " + " | ".join("-" * width for width in widths) + " |", *lines[1:]])
