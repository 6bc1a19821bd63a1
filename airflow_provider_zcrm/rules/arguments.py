"""Arguments as a user writes them, or as the text that a template makes of them: ids, names, choices, truth values, numbers, times.

Zoho's ids are 64-bit integers that travel as JSON strings; as numbers they lose digits in many JSON readers. They become strings here.
Zoho: crm/developer/docs/api/v8/mass-delete-tags.html
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from airflow_provider_zcrm.api.errors import InvalidArgument
from airflow_provider_zcrm.api.mass_delete import JOB_ID
from airflow_provider_zcrm.rules.plain_text import plain

_ID, _OF_AN_ID = re.compile(r"[0-9]{1,19}"), "a Zoho id (1 to 19 digits)"
_OF_A_JOB_ID = "the id of a job (5 to 20 digits)"
# what has brackets for another reason is a name, or a pattern of names
_WRITTEN_LIST = re.compile(
    r"\s*(?:"
    + "|".join(
        [
            r"""(?:\w+\()?[\[({]\s*(['"]).*\1\s*,?\s*[\])}]\)?""",  # ['VIP', 'Hot'], frozenset({'VIP'})
            r"""\[\s*[\[{]\s*['"].*[\]}]\s*\]""",  # [{'id': '1', 'name': 'VIP'}]
            r"\[[^][,]+(?:,[^][,]+)+\]",  # [VIP, Hot]
            r"\((?!\?)[^][(){}|\\,]+(?:,[^][(){}|\\,]+)+\)",  # (VIP, Hot)
            r"\{[^][(){}|\\,]+(?:,[^][(){}|\\,]+)+\}",  # {VIP, Hot}
            r"\[\s*None\s*\]|\[\s*\]|\(\s*\)|\{\s*\}|(?:set|frozenset)\(\)",
        ]
    )
    + r")\s*",
    re.DOTALL,
)
# the mark of tags about which nobody was asked
ONLY_DRY_RUN = "only_dry_run"
_LONGEST_SECONDS = 10 * 366 * 86_400.0
_shortened = reprlib.Repr()
_shortened.maxstring = 100
_shortened.maxlong = 100


def shown(value: Any) -> str:
    """Return the value as an error's sentence shows it: shortened."""
    return _shortened.repr(value)


def check_choice(value: Any, argument: str, allowed: Sequence[str]) -> None:
    """Refuse what is not one of the words that are allowed.

    :raises InvalidArgument: names them
    """
    if value not in allowed:
        raise InvalidArgument(f"{argument} is {shown(value)}.", advice=f"It is one of {', '.join(allowed)}.")


def truth_of(value: Any, argument: str) -> bool:
    """Return a truth value: a bool, or ``true`` or ``false`` in any case.

    :raises InvalidArgument: for anything else
    """
    if isinstance(value, bool):
        return value
    text = value.strip().lower() if isinstance(value, str) else ""
    if text not in ("true", "false"):
        raise InvalidArgument(f"{argument} is {shown(value)}.", advice="It is True or False.")
    return text == "true"


def integer_of(value: Any, argument: str, at_least: int, *, word: str = "") -> int:
    """Return a whole number of at least ``at_least``: an int, or up to nine digits as text.

    :param word: text that stands for 0.
    :raises InvalidArgument: for anything else
    """
    text = value.strip() if isinstance(value, str) else ""
    if text and text == word:
        return 0
    if re.fullmatch(r"[0-9]{1,9}", text):
        value = int(text)
    if not isinstance(value, int) or isinstance(value, bool) or value < at_least:
        allowed = f"It is an integer of at least {at_least}{f', or {word!r} for 0' if word else ''}."
        raise InvalidArgument(f"{argument} is {shown(value)}.", advice=allowed)
    return value


def seconds_of(value: float | timedelta | None, argument: str) -> float:
    """Return a time in seconds.

    :raises InvalidArgument: it is neither a number nor a timedelta, or not finite, or below 0
    """
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    if seconds is None or not number or not 0 <= seconds <= _LONGEST_SECONDS:
        raise InvalidArgument(f"{argument} is {shown(value)}.", advice="It is a number of seconds or a timedelta, 0 to 10 years.")
    return seconds


def ids_of(value: Any, argument: str) -> list[str]:
    """Return the ids in ``value``, in their order, each once.

    :param value: a string of digits, an int, a mapping with ``id``, or an iterable of these, nested at most twice
        (the output of a mapped task is a sequence of lists).
    :param argument: the name of the argument, for the error's sentence.
    :raises InvalidArgument: for anything else
    """
    return list(dict.fromkeys(_id(item, argument, _ID, _OF_AN_ID) for item in flat(value, argument)))


def job_ids_of(value: Any, argument: str) -> list[str]:
    """Return the ids of jobs in ``value``, as `ids_of` does.

    :raises InvalidArgument: for anything else
    """
    return list(dict.fromkeys(_id(item, argument, JOB_ID, _OF_A_JOB_ID) for item in flat(value, argument)))


def check_module(value: Any, argument: str, module: str) -> None:
    """Refuse tags that `FindTagsOperator` has chosen in another module than the one in which something is done to them.

    :param value: as of `ids_of`.
    :raises InvalidArgument: names both modules
    """
    for item in flat(value, argument):
        chosen_in = item.get("module") if isinstance(item, Mapping) else None
        if chosen_in not in (None, module):
            raise InvalidArgument(
                f"{argument} holds tags that were chosen in {shown(chosen_in)}, and this task is for {module}. Nothing was sent.",
                advice="Pass the tags that were found in this module; if the list of modules has changed, start a new DAG run.",
            )


def check_asked_about(value: Any, argument: str) -> None:
    """Refuse to delete tags about which nobody was asked, because the task that asks made a dry run.

    :param value: as of `ids_of`.
    :raises InvalidArgument: one of them has the mark of that
    """
    if any(isinstance(item, Mapping) and item.get(ONLY_DRY_RUN) for item in flat(value, argument)):
        raise InvalidArgument(
            f"{argument} holds tags about which nobody was asked: the task that asks made a dry run, this one does not. Nothing was sent.",
            advice="Clear the task that asks, so that it does.",
        )


def one_id_of(value: Any, argument: str) -> str:
    """Return the one id in ``value``.

    :raises InvalidArgument: for none, several, or what is no id
    """
    ids = ids_of(value, argument)
    if len(ids) != 1:
        raise InvalidArgument(f"{argument} must be one id, not {len(ids)}.")
    return ids[0]


def names_of(value: Any, argument: str) -> list[str]:
    """Return the names in ``value`` (a string, or an iterable of strings nested at most twice), in their order, each once.

    :raises InvalidArgument: one of them is not as `text_of` wants it
    """
    return list(dict.fromkeys(text_of(name, argument) for name in flat(value, argument)))


def one_text_of(value: Any, argument: str) -> str:
    """Return the text of an argument that a task cannot do without, as `text_of` does.

    :raises InvalidArgument: it is missing, or `text_of` refuses it
    """
    if value is None:
        raise InvalidArgument(
            f"{argument} is None: it is missing, or its template or another task's output came out empty. Nothing was sent.",
            advice=f"Give {argument} as text, or look at what it is made of.",
        )
    return text_of(value, argument)


def text_of(value: Any, argument: str) -> str:
    """Return a name as it is.

    :raises InvalidArgument: it is not text, is blank, or is the text of None or of a list: it came out empty or was changed on its way
    """
    if not isinstance(value, str):
        raise InvalidArgument(
            f"{argument} holds {shown(value)}, which is not text.",
            advice="Write it in quotes. A template of a DAG with render_template_as_native_obj=True makes a number of '2024': there, write "
            "\"'{{ ... }}'\", or the expression in a list where a list may stand: '{{ [...] }}'.",
        )
    if not plain(value) or value.strip() == "None":
        raise InvalidArgument(
            f"{argument} holds {shown(value)}: it came out empty.",
            advice=f"Look at what it is made of. Where it is not meant to count, leave {argument} out.",
        )
    if _WRITTEN_LIST.fullmatch(value):
        raise InvalidArgument(
            f"{argument} holds the string {shown(value)}, which looks like a list.",
            advice="Pass a list, or task.output for what another task returns; a Jinja expression makes a string of a list, unless the DAG "
            "has render_template_as_native_obj=True.",
        )
    return value


def flat(value: Any, argument: str, depth: int = 2) -> Iterable[Any]:
    """Yield the single values in ``value``, which may be one, or an iterable nested at most ``depth`` times.

    :raises InvalidArgument: if it is nested deeper
    """
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        yield value
        return
    if depth == 0:
        raise InvalidArgument(f"{argument} is nested too deep: a list of lists is the most that is understood.")
    for item in value:
        yield from flat(item, argument, depth - 1)


def _id(value: Any, argument: str, pattern: re.Pattern[str], what: str) -> str:
    if isinstance(value, Mapping) and "id" in value:
        value = value["id"]
    if value is None:
        raise InvalidArgument(
            f"{argument} holds None: it came out empty.",
            advice="Look at the task that it comes from: one that was skipped, or has do_xcom_push=False, returns nothing.",
        )
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    if not pattern.fullmatch(text):
        raise InvalidArgument(
            f"{argument} holds {shown(value)}, which is not {what}.",
            advice=f"Pass ids, or another task's output as {argument}=task.output; a Jinja expression makes a string of a list.",
        )
    return text
