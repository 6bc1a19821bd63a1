"""Which names the entries of ``keep`` and ``keep_regex`` protect: generously, because what is not protected may be deleted."""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from airflow_provider_zcrm.rules.plain_text import folded, plain


@dataclass(frozen=True)
class Protector:
    """An entry, which protects a name that it matches in any reading.

    Name and entry are read as they are written and in plain form, with and without regard to case: ``[!h]*`` protects Hot only with it.

    :param argument: ``keep`` or ``keep_regex``.
    :param tests: what an entry makes of a name in one of its forms; one that is not None protects.
    """

    argument: str
    entry: str
    tests: tuple[Callable[[str], re.Match[str] | None], ...]

    def protects(self, name: str) -> bool:
        """Return whether a tag of this name is to be kept."""
        return any(test(form) for form in {name, plain(name)} for test in self.tests)


def protectors_of(keep: Iterable[str], keep_regex: Iterable[str]) -> list[Protector]:
    """Return the entries of both.

    :param keep: patterns of whole names, or names.
    :param keep_regex: regular expressions, each to be found anywhere in a name.
    """
    return [
        *(Protector("keep", entry, tuple(one.fullmatch for one in _in_any_case(_patterns(entry)))) for entry in keep),
        *(Protector("keep_regex", entry, tuple(one.search for one in _in_any_case([entry, *_plain_regex(entry)]))) for entry in keep_regex),
    ]


def _patterns(entry: str) -> list[str]:
    """Return what an entry may mean, as regular expressions; the last is a name that looks like a pattern, such as ``[test]``."""
    return [fnmatch.translate(entry), fnmatch.translate(plain(entry)), re.escape(plain(entry))]


def _plain_regex(entry: str) -> list[str]:
    """Return the regular expression in plain form, or none if it has no such form, as a range up to sharp s has not.

    What is ASCII stays: it may have a meaning to `re`, which itself disregards the case of ASCII letters.
    """
    composed = unicodedata.normalize("NFC", entry)
    changed = "".join(one if one.isascii() else re.escape(folded(one)) for one in composed)
    try:
        re.compile(changed)
    except (re.error, ValueError):
        return []
    return [changed]


def _in_any_case(patterns: Iterable[str]) -> list[re.Pattern[str]]:
    return [re.compile(pattern, flags) for pattern in dict.fromkeys(patterns) for flags in (0, re.IGNORECASE)]
