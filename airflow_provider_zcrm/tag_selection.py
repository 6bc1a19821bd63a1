"""Which tags of a module to delete: criteria, and what is chosen by them and why.

Deleting is final, so whatever is not known for certain keeps a tag. Two phases, because some criteria cost an API call per tag:

    found = selection.candidates(tags, now)           # what the list of tags tells
    facts = {}
    while ids := found.needs_counts(facts):           # at most found.calls_needed calls, within max_api_calls
        facts |= {id: client.send(count_records(module, id)) for id in ids}
    choice = found.choose(facts)

Zoho: crm/developer/docs/api/v8/get-tag-list.html, tag-record-count.html
"""

from __future__ import annotations

import fnmatch
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, cast

from airflow_provider_zcrm.api.errors import InvalidArgument
from airflow_provider_zcrm.api.tags import RecordsCount, Tag
from airflow_provider_zcrm.rules.ages import age_of, moment_at, moment_of, time_of
from airflow_provider_zcrm.rules.arguments import flat, integer_of, names_of, shown, text_of, truth_of
from airflow_provider_zcrm.rules.tag_protection import Protector, protectors_of

Strings = str | Sequence[str]
Age = str | float | timedelta
Moment = Age | date
Finding = tuple[bool, str]  # whether a tag passes, and why or why not

NO_CRITERION = "the selection has no criterion; everything must be asked for: TagSelection.all(), or everything=True"


@dataclass(frozen=True, kw_only=True)
class TagSelection:
    """Criteria for tags. All that are given must hold; of a list inside one, one entry must. It is checked when it is made.

    A tag whose entry does not tell what a criterion asks for is kept. Lists may be given as one string; an empty list is a
    criterion that no tag meets. A moment is an age counted back from now (P90D, P1Y6M, PT36H, or a number of days), or a date or
    datetime (UTC unless it says otherwise).

    .. seealso:: docs/selection.md

    :param names: the name is one of these.
    :param name_glob: the name matches one of these, where ``*`` is anything, ``?`` one character, ``[ab]`` one of these.
    :param name_regex: the whole name matches one of these regular expressions.
    :param case_sensitive: whether case counts in these three and in ``created_by``; it never does in ``keep`` and ``keep_regex``.
    :param created_before: created earlier than this moment.
    :param created_after: created at this moment or later.
    :param modified_before: last modified earlier than this moment.
    :param modified_after: last modified at this moment or later.
    :param created_by: the user who created it, by name or id.
    :param color_code: its colour, such as ``#F48435``.
    :param max_records: at most so many records carry it; ``unused`` is 0. A call per tag, unless the list of tags tells.
    :param not_accessed_for: last accessed longer ago than this age; only newer versions of Zoho's list of tags tell.
    :param used_by_automation: True: a workflow, blueprint, orchestration or custom view uses it; False: none does. A call per tag.
    :param everything: all tags; excludes all other criteria.
    :param keep: names, or patterns as in ``name_glob``, that are never chosen, whatever the rest says. Neither case counts, nor outer
        blanks, invisible characters and the Unicode form of a character.
    :param keep_regex: the same with regular expressions; one that is found anywhere in a name keeps the tag.
    :param limit: choose at most so many: the oldest first, then by id.
    :param max_api_calls: most calls for single tags that may be needed.
    :raises InvalidArgument: names the argument, and what is allowed
    """

    names: Strings | None = None
    name_glob: Strings | None = None
    name_regex: Strings | None = None
    case_sensitive: bool = True
    created_before: Moment | None = None
    created_after: Moment | None = None
    modified_before: Moment | None = None
    modified_after: Moment | None = None
    created_by: Strings | None = None
    color_code: Strings | None = None
    max_records: int | str | None = None
    not_accessed_for: Age | None = None
    used_by_automation: bool | None = None
    everything: bool = False
    keep: Strings = ()
    keep_regex: Strings = ()
    limit: int | None = None
    max_api_calls: int = 500

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None or field.default is not None:
                object.__setattr__(self, field.name, _CHECKS[field.name](value, field.name))
        if self.everything and len(self.criteria) > 1:
            others = ", ".join(name for name in self.criteria if name != "everything")
            raise InvalidArgument(
                f"everything excludes the other criteria, and {others} is given.",
                advice="Leave one of them out; keep, limit and max_api_calls may stand beside everything.",
            )
        _refuse_everything(self, "name_glob", [fnmatch.translate(entry) for entry in self.name_glob or ()])
        _refuse_everything(self, "name_regex", self.name_regex or ())

    @classmethod
    def all(cls, *, keep: Strings = (), keep_regex: Strings = (), limit: int | None = None) -> TagSelection:
        """Return the selection of every tag, less what is to be kept."""
        return cls(everything=True, keep=keep, keep_regex=keep_regex, limit=limit)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> TagSelection:
        """Return the selection that `to_dict` wrote, or that a user did; text that a template made of a number or a truth value is read.

        :raises InvalidArgument: names the key, and what is allowed
        """
        if not isinstance(value, Mapping):
            raise InvalidArgument(f"The selection is {shown(value)}, which is not a dict.", advice=f"Its keys are {', '.join(_CHECKS)}.")
        for key, item in value.items():
            if key not in _CHECKS:
                raise InvalidArgument(f"The selection has the unknown key {shown(key)}.", advice=f"Its keys are {', '.join(_CHECKS)}.")
            if item is None:  # a criterion that vanished in a template must not widen the selection
                raise InvalidArgument(f"{key} is empty (None).", advice="Leave the key out if it is not to count.")
        return cls(**value)

    def to_dict(self) -> dict[str, Any]:
        """Return the selection as JSON values, without what is left at its default."""
        values = {field.name: getattr(self, field.name) for field in fields(self) if getattr(self, field.name) != field.default}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    @property
    def criteria(self) -> tuple[str, ...]:
        """The names of the criteria that are given."""
        return tuple(name for name in _CRITERIA if getattr(self, name) is not getattr(TagSelection, name))

    @property
    def asks_for_usage(self) -> bool:
        """Whether the list of tags should be read with ``include_usage``."""
        return self.max_records is not None or self.not_accessed_for is not None

    @property
    def counted_criteria(self) -> dict[str, Any]:
        """The criteria that a count of each tag decides, as JSON values; they are judged again before a tag is deleted."""
        values = {"max_records": self.max_records, "used_by_automation": self.used_by_automation}
        return {name: value for name, value in values.items() if value is not None}

    def candidates(self, tags: Iterable[Tag], now: datetime) -> Candidates:
        """Return the tags that pass all that the list of tags tells, and those that do not.

        :param now: the moment from which ages count back, with a time zone.
        """
        if now.utcoffset() is None:
            raise InvalidArgument("now has no time zone.")
        protectors = protectors_of(self.keep, self.keep_regex)
        found = [(tag, [one for one in protectors if one.protects(tag.name)]) for tag in sorted(tags, key=_oldest_first)]
        judged = [(tag, *_by_list(self, tag, protecting, now)) for tag, protecting in found]
        passed = tuple(Verdict(tag, why) for tag, holds, why in judged if holds)
        kept = tuple(Verdict(tag, why) for tag, holds, why in judged if not holds)
        matched = {one for _, protecting in found for one in protecting}
        # in a module without tags there is nothing that an entry could have missed
        unmatched = tuple(one.entry for one in protectors if one not in matched) if found else ()
        return Candidates(self, passed, kept, unmatched, tuple(one.entry for one in protectors if one in matched))


@dataclass(frozen=True)
class Verdict:
    """A tag, and in a short sentence why it is chosen or kept; of a kept one it begins with what keeps it and a colon."""

    tag: Tag
    reason: str


@dataclass(frozen=True)
class Candidates:
    """What the list of tags alone decides; both parts have the oldest first, then go by id.

    :param passed: the tags that nothing speaks against so far.
    :param kept: the tags that are kept for certain.
    :param unmatched_keep: the entries of ``keep`` and ``keep_regex`` that match none of the tags.
    :param matched_keep: those that match one.
    """

    selection: TagSelection
    passed: tuple[Verdict, ...]
    kept: tuple[Verdict, ...]
    unmatched_keep: tuple[str, ...]
    matched_keep: tuple[str, ...] = ()

    @property
    def calls_needed(self) -> int:
        """The most API calls that the choice can cost; a limit may make it fewer."""
        return sum(_needs_count(self.selection, verdict.tag) for verdict in self.passed)

    def needs_counts(self, facts: Mapping[str, RecordsCount | None]) -> tuple[str, ...]:
        """Return the ids of the tags to count next, given what is known; empty when the choice can be made.

        :param facts: by tag id, what `count_records` returned; None where the call had no answer, such as for a tag that is gone.
        :raises InvalidArgument: the choice may cost more calls than ``max_api_calls``
        """
        allowed = self.selection.max_api_calls
        if self.calls_needed > allowed:
            raise InvalidArgument(
                f"The selection may need {self.calls_needed} API calls, one for each tag to count, and max_api_calls is {allowed}.",
                advice="Narrow it with criteria that cost no call, such as name_glob or created_before, or raise max_api_calls.",
            )
        tags = [verdict.tag for verdict in self.passed]
        possible = [tag for tag in tags if self._is_open(tag, facts) or _by_count(self.selection, tag, facts.get(tag.id))[0]]
        return tuple(tag.id for tag in possible[: self.selection.limit] if self._is_open(tag, facts))

    def choose(self, facts: Mapping[str, RecordsCount | None]) -> Choice:
        """Return the choice; a tag that needs a count that ``facts`` does not hold is kept."""
        limit = self.selection.limit
        chosen: list[Verdict] = []
        kept = list(self.kept)
        for passed in self.passed:
            holds, why = _by_count(self.selection, passed.tag, facts.get(passed.tag.id))
            if len(chosen) == limit:
                kept.append(Verdict(passed.tag, f"limit: {limit} are chosen before it"))
            elif holds:
                chosen.append(Verdict(passed.tag, _joined([passed.reason, why])))
            else:
                kept.append(Verdict(passed.tag, why))
        kept.sort(key=lambda verdict: _oldest_first(verdict.tag))
        return Choice(tuple(chosen), tuple(kept), bool(self.selection.criteria), self.unmatched_keep)

    def _is_open(self, tag: Tag, facts: Mapping[str, RecordsCount | None]) -> bool:
        return tag.id not in facts and _needs_count(self.selection, tag)


@dataclass(frozen=True)
class Choice:
    """What is chosen and what is kept, each with its reason; both have the oldest first, then go by id.

    :param unmatched_keep: the entries of ``keep`` and ``keep_regex`` that match no tag; is one of them misspelt?
    """

    chosen: tuple[Verdict, ...]
    kept: tuple[Verdict, ...]
    has_criterion: bool
    unmatched_keep: tuple[str, ...]

    @property
    def looked_at(self) -> int:
        """How many tags were judged."""
        return len(self.chosen) + len(self.kept)

    @property
    def kept_by(self) -> dict[str, int]:
        """How many tags are kept, by what keeps them: a criterion, ``keep``, ``limit``, or ``no criterion``."""
        found = Counter("no criterion" if verdict.reason == NO_CRITERION else verdict.reason.partition(":")[0] for verdict in self.kept)
        return dict(found.most_common())

    def __str__(self) -> str:
        why = "" if self.has_criterion else f": {NO_CRITERION}"
        return f"{len(self.chosen)} of {self.looked_at} tags chosen{why}"


def _oldest_first(tag: Tag) -> tuple[bool, datetime, int, str]:
    """Sort by age, those of unknown age last; ids are numbers, so a longer one is a greater one."""
    created = time_of(tag.created_time)
    return created is None, created or datetime.max.replace(tzinfo=UTC), len(tag.id), tag.id


# --- judging a tag ---------------------------------------------------------------------------------------------------


def _by_list(selection: TagSelection, tag: Tag, protecting: Sequence[Protector], now: datetime) -> Finding:
    if protecting:
        return False, f"{protecting[0].argument}: {protecting[0].entry!r} protects it"
    if not selection.criteria:
        return False, NO_CRITERION
    return _together({name: _CRITERIA[name](selection, tag, now) for name in selection.criteria})


def _by_count(selection: TagSelection, tag: Tag, answer: RecordsCount | None) -> Finding:
    """Judge by what an API call said of the tag; None is no answer."""
    findings: dict[str, Finding] = {}
    if selection.max_records is not None:
        findings["max_records"] = _few_records(selection, tag.record_count if answer is None else answer.count)
    if selection.used_by_automation is not None:
        findings["used_by_automation"] = _as_used(selection, None if answer is None else answer.used_by)
    return _together(findings)


def _together(findings: Mapping[str, Finding]) -> Finding:
    against = next((f"{name}: {why}" for name, (holds, why) in findings.items() if not holds), None)
    return (False, against) if against else (True, _joined(why for _, why in findings.values()))


def _joined(sentences: Iterable[str]) -> str:
    return "; ".join(sentence for sentence in sentences if sentence)


def _matches(name: str, pattern: str, *, case_sensitive: bool) -> bool:
    return re.compile(pattern, 0 if case_sensitive else re.IGNORECASE).fullmatch(name) is not None


def _one_of(value: str, entries: Iterable[str], *, case_sensitive: bool) -> bool:
    return value in entries or (not case_sensitive and value.casefold() in {entry.casefold() for entry in entries})


def _by_name(selection: TagSelection, tag: Tag, _now: datetime) -> Finding:
    holds = _one_of(tag.name, selection.names or (), case_sensitive=selection.case_sensitive)
    return holds, "its name is listed" if holds else "its name is not listed"


def _by_glob(selection: TagSelection, tag: Tag, _now: datetime) -> Finding:
    return _by_patterns(selection, tag, [(entry, fnmatch.translate(entry)) for entry in selection.name_glob or ()])


def _by_regex(selection: TagSelection, tag: Tag, _now: datetime) -> Finding:
    return _by_patterns(selection, tag, [(entry, entry) for entry in selection.name_regex or ()])


def _by_patterns(selection: TagSelection, tag: Tag, patterns: Iterable[tuple[str, str]]) -> Finding:
    found = [entry for entry, pattern in patterns if _matches(tag.name, pattern, case_sensitive=selection.case_sensitive)]
    return bool(found), f"its name matches {found[0]!r}" if found else "its name matches none of them"


def _by_time(of_tag: str, criterion: str) -> Callable[[TagSelection, Tag, datetime], Finding]:
    """Return the test of a time of a tag against the moment of a criterion: ``..._after`` wants it later, all others earlier."""

    def test(selection: TagSelection, tag: Tag, now: datetime) -> Finding:
        moment, said = moment_at(getattr(selection, criterion), now), getattr(tag, of_tag)
        time = time_of(said)
        if time is None:
            return False, f"its {of_tag} is {f'unreadable ({shown(said)})' if said else 'unknown'}, so it is kept"
        is_before = time < moment
        wants_before = not criterion.endswith("_after")
        place = "before" if is_before else "not before"
        return is_before is wants_before, f"its {of_tag} {said} is {place} {moment.isoformat(timespec='seconds')}"

    return test


def _by_creator(selection: TagSelection, tag: Tag, _now: datetime) -> Finding:
    wanted = selection.created_by or ()
    if not tag.created_by and not tag.created_by_id:
        return False, "its creator is unknown, so it is kept"
    named = _one_of(tag.created_by, wanted, case_sensitive=selection.case_sensitive)
    return named or tag.created_by_id in wanted, f"created by {tag.created_by} ({tag.created_by_id})"


def _by_color(selection: TagSelection, tag: Tag, _now: datetime) -> Finding:
    color = str(tag.color_code or "").upper()
    return color in (selection.color_code or ()), f"its colour is {color}" if color else "it has no colour"


def _by_listed_count(selection: TagSelection, tag: Tag, _now: datetime) -> Finding:
    """Sort out what the list of tags tells; `_by_count` has the last word, and gives the reason."""
    holds, why = _few_records(selection, tag.record_count)
    return (True, "") if holds or tag.record_count is None else (False, why)


def _undecided(_selection: TagSelection, _tag: Tag, _now: datetime) -> Finding:
    return True, ""


def _everything(_selection: TagSelection, _tag: Tag, _now: datetime) -> Finding:
    return True, "everything was asked for"


_CRITERIA: dict[str, Callable[[TagSelection, Tag, datetime], Finding]] = {
    "everything": _everything,
    "names": _by_name,
    "name_glob": _by_glob,
    "name_regex": _by_regex,
    "created_before": _by_time("created_time", "created_before"),
    "created_after": _by_time("created_time", "created_after"),
    "modified_before": _by_time("modified_time", "modified_before"),
    "modified_after": _by_time("modified_time", "modified_after"),
    "created_by": _by_creator,
    "color_code": _by_color,
    "not_accessed_for": _by_time("last_accessed_time", "not_accessed_for"),
    "max_records": _by_listed_count,
    "used_by_automation": _undecided,
}


def _needs_count(selection: TagSelection, tag: Tag) -> bool:
    """Return whether the list of tags leaves a question that one call for this tag answers."""
    return selection.used_by_automation is not None or (selection.max_records is not None and tag.record_count is None)


def _few_records(selection: TagSelection, count: int | None) -> Finding:
    if count is None:
        return False, "nobody tells how many records carry it, so it is kept"
    return count <= cast("int", selection.max_records), "1 record carries it" if count == 1 else f"{count} records carry it"


def _as_used(selection: TagSelection, uses: Sequence[str] | None) -> Finding:
    if uses is None:
        return False, "Zoho does not tell where it is used, so it is kept"
    return bool(uses) is selection.used_by_automation, f"used by {', '.join(uses)}" if uses else "no automation uses it"


# --- checking what the user gave -------------------------------------------------------------------------------------


# of different scripts, cases and kinds: a pattern that matches all of them tells no name from another
_NAMES_OF_EVERY_KIND = (
    "hot lead",
    "HOTLEAD",
    "2024",
    "x-17",
    "Ünïcode",
    "客户名单",
    "клиент",
    "a_b.c,d;e",
    "#!/&%$",
    "(old) [x] {y}",
    "____",
    "🎉🎉🎉🎉",
)


def _refuse_everything(selection: TagSelection, argument: str, patterns: Sequence[str]) -> None:
    """Refuse patterns that, alone or together, choose every name.

    :raises InvalidArgument: they do
    """
    entries: Sequence[str] = getattr(selection, argument) or ()
    wild = [entry for entry in entries if argument == "name_glob" and not entry.strip("*? ")]
    chosen = {name for name in _NAMES_OF_EVERY_KIND for one in patterns if _matches(name, one, case_sensitive=selection.case_sensitive)}
    if wild or len(chosen) == len(_NAMES_OF_EVERY_KIND):
        raise InvalidArgument(
            f"{argument} holds {shown(wild[0] if wild else list(entries))}, which matches names of every kind.",
            advice=f"Look at what it is made of. Without {argument}, the other criteria choose; to choose every tag, ask for it: "
            "everything=True. What is to stay goes into keep.",
        )


def _strings(value: Any, argument: str) -> tuple[str, ...]:
    return tuple(names_of(value, argument))


def _names_or_ids(value: Any, argument: str) -> tuple[str, ...]:
    """Return the entries as text; an id may be given as a number."""
    items = [str(item) if _is_id(item) else text_of(item, argument) for item in flat(value, argument)]
    return tuple(dict.fromkeys(items))


def _is_id(item: Any) -> bool:
    return isinstance(item, int) and not isinstance(item, bool) and 0 <= item < 10**19


def _patterns(value: Any, argument: str) -> tuple[str, ...]:
    patterns = _strings(value, argument)
    for pattern in patterns:
        try:
            re.compile(pattern, re.IGNORECASE)
        except (re.error, ValueError, OverflowError, RecursionError, Warning) as error:
            raise InvalidArgument(
                f"{argument} holds {shown(pattern)}, which is not a regular expression: {error}.",
                advice="It is written as for Python's re module.",
            ) from None
    return patterns


def _colors(value: Any, argument: str) -> tuple[str, ...]:
    colors = _strings(value, argument)
    wrong = next((color for color in colors if not re.fullmatch("#?[0-9A-Fa-f]{6}", color)), None)
    if wrong is not None:
        raise InvalidArgument(f"{argument} holds {shown(wrong)}.", advice="It is a colour such as #F48435, or a list of such.")
    return tuple(dict.fromkeys(f"#{color.removeprefix('#').upper()}" for color in colors))


_CHECKS: dict[str, Callable[[Any, str], Any]] = {
    "names": _strings,
    "name_glob": _strings,
    "name_regex": _patterns,
    "case_sensitive": truth_of,
    "created_before": moment_of,
    "created_after": moment_of,
    "modified_before": moment_of,
    "modified_after": moment_of,
    "created_by": _names_or_ids,
    "color_code": _colors,
    "max_records": partial(integer_of, at_least=0, word="unused"),
    "not_accessed_for": age_of,
    "used_by_automation": truth_of,
    "everything": truth_of,
    "keep": _strings,
    "keep_regex": _patterns,
    "limit": partial(integer_of, at_least=1),
    "max_api_calls": partial(integer_of, at_least=0),
}
