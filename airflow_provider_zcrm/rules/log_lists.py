"""Lists in the log of a task: a short one on its line, a long one folded below it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_provider_zcrm.rules.markdown import one_line

# more do not fit on a line of Airflow's log view
_ON_ONE_LINE = 5


def counted(number: int, noun: str) -> str:
    """Return ``1 tag`` or ``2 tags``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def log_list(log: Any, headline: str, items: Sequence[str]) -> None:
    """Log a headline with its items, each on one line whatever it holds; a long list as one of the groups that Airflow's UI folds.

    :param log: a logger, or the one of an operator, which is of another class on some versions.
    """
    if len(items) <= _ON_ONE_LINE:
        log.info("%s: %s", headline, ", ".join(map(one_line, items)) or "none")
        return
    log.info("::group::%s", headline)
    for item in items:
        log.info("%s", one_line(item))
    log.info("::endgroup::")
