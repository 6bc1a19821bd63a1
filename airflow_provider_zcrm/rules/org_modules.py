"""Which modules of an org a clean-up is for: those that can have tags, less those that the user excludes.

Zoho's list of modules does not say which of them can have tags. What it says leaves the few of which only the list of their tags tells.
Zoho: crm/developer/docs/api/v8/modules-api.html, get-tag-list.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from airflow_provider_zcrm.api.errors import InvalidArgument, ZohoCrmError
from airflow_provider_zcrm.api.modules import Module
from airflow_provider_zcrm.rules.arguments import names_of, shown
from airflow_provider_zcrm.rules.plain_text import plain

_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)


def with_tags(modules: Iterable[Module]) -> list[Module]:
    """Return the modules that can have tags, the oldest first, so that a new one does not change the place of the others."""
    found = [m for m in modules if m.api_name and m.api_supported and m.visible and m.kind in ("", "default", "custom")]
    found.sort(key=lambda module: (len(module.id), module.id))
    # a name that Zoho lists twice is one module: a second task would delete what is rejected in the first
    return list({module.api_name: module for module in reversed(found)}.values())[::-1]


def choose_modules(all_modules: Sequence[Module], modules: Any, exclude_modules: Any) -> list[Module]:
    """Return the modules that are meant, in the order of `with_tags`.

    :param all_modules: those of the org.
    :param modules: API names, or globs of them; None for all. Case counts.
    :param exclude_modules: API names, labels, or globs of them. What protects is generous, so case does not count here.
    :raises InvalidArgument: an entry matches no module, or no module is left
    """
    possible = with_tags(all_modules)
    chosen = possible
    if modules is not None:
        entries = names_of(modules, "modules")
        matches = {entry: [m for m in possible if fnmatchcase(str(m.api_name), entry)] for entry in entries}
        _refuse_unmatched(matches, "modules", [str(module.api_name) for module in possible])
        wanted = {module.id for found in matches.values() for module in found}
        chosen = [module for module in possible if module.id in wanted]
    excluded = {entry: [m for m in all_modules if _is_excluded(m, entry)] for entry in names_of(exclude_modules, "exclude_modules")}
    _refuse_unmatched(excluded, "exclude_modules", [str(m.api_name) for m in all_modules if m.api_name])
    gone = {module.id for found in excluded.values() for module in found}
    left = [module for module in chosen if module.id not in gone]
    if not left:
        raise InvalidArgument("No module is left: modules and exclude_modules leave none that can have tags. Nothing was sent.")
    return left


def check_patterns(written: Any, modules: Any) -> None:
    """Refuse a pattern of which nothing is left but ``*`` and ``?``, because its template came out empty: it would mean all modules.

    :param written: the modules as they stand in the DAG.
    :param modules: the same, rendered.
    :raises InvalidArgument: names the pattern
    """
    for before, after in zip(_as_list(written), _as_list(modules), strict=False):
        beside = _JINJA.sub("", before) if isinstance(before, str) and isinstance(after, str) and before != after else ""
        if beside.strip() and not after.strip("*? "):
            raise InvalidArgument(
                f"modules has {shown(after)}, which was written as {shown(before)}: its template came out empty. Nothing was sent.",
                advice="Look at what it is made of. For all modules, leave modules out.",
            )


def check_selections(selections: Mapping[str, Any]) -> None:
    """Refuse a key that is no API name and no pattern of one, such as a template: Airflow does not render keys.

    :raises InvalidArgument: names it
    """
    for entry in selections:
        if not isinstance(entry, str) or not re.fullmatch(r"[\w*?\[\]!-]+", entry):
            raise InvalidArgument(
                f"{shown(entry)} has a selection, and is neither the API name of a module nor a pattern of one.",
                advice="The keys of a dict are not templates, only what stands in the selections is.",
            )


def selection_for(module: str, selections: Mapping[str, Any]) -> Any:
    """Return the selection of a module: that of its name, else that of the one glob that matches it.

    :raises InvalidArgument: there is none, or there are several
    """
    if module in selections:
        return selections[module]
    found = [entry for entry in selections if fnmatchcase(module, entry)]
    if len(found) != 1:
        what = f"{' and '.join(map(repr, found))} match it" if found else "no entry of modules matches it"
        raise InvalidArgument(f"Which selection is meant for {module} is not clear: {what}.", advice=f"Give {module} an entry of its own.")
    return selections[found[0]]


def unmatched_in_all(keep: Iterable[Mapping[str, Sequence[str]]]) -> list[str]:
    """Return the entries of ``keep`` that match no tag of any module.

    :param keep: of each module the entries that have ``matched`` and that have not (``unmatched``) there.
    """
    each = list(keep)
    matched = {entry for one in each for entry in one["matched"]}
    return [entry for entry in dict.fromkeys(entry for one in each for entry in one["unmatched"]) if entry not in matched]


def cannot_have_tags(error: ZohoCrmError) -> bool:
    """Return whether Zoho says of a module, asked for its tags, that it has nothing to do with them."""
    return error.code == "INVALID_MODULE" and "not supported for this api" in error.message


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _is_excluded(module: Module, entry: str) -> bool:
    meant = plain(entry)
    # a label such as "Leads [old]" is also one that looks like a pattern
    return any(plain(name) == meant or fnmatchcase(plain(name), meant) for name in (module.api_name, module.label) if name)


def _refuse_unmatched(matches: Mapping[str, Sequence[Module]], argument: str, names: Sequence[str]) -> None:
    if matches and not any(matches.values()) and not names:
        raise InvalidArgument("The org has no module that can have tags.")
    for entry, found in matches.items():
        if not found:
            similar = get_close_matches(entry, names, n=1)
            advice = f"Did you mean {similar[0]}?" if similar else f"The modules are {', '.join(names)}."
            raise InvalidArgument(f"{argument} has {shown(entry)}, which matches no module of the org. Nothing was sent.", advice=advice)
