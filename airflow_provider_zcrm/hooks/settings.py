"""What ``[zoho_crm]`` of the Airflow configuration says; it counts where connection and task say nothing.

Each call names the default once more, because not every process of every Airflow version has read the defaults of providers.
"""

from __future__ import annotations

import math

from airflow.providers.common.compat.sdk import conf

from airflow_provider_zcrm.api.errors import InvalidConnection
from airflow_provider_zcrm.provider_config import DEFAULTS, SECTION
from airflow_provider_zcrm.rules import poll_schedule


def text_setting(name: str) -> str:
    """Return an option of `airflow_provider_zcrm.provider_config.OPTIONS`; empty is what stands there empty, too."""
    return str(conf.get(SECTION, name, fallback=DEFAULTS[name]) or DEFAULTS[name])


def number_setting(name: str) -> float:
    """Return an option that is a number.

    :raises InvalidConnection: it is not one
    """
    text = text_setting(name)
    try:
        # float reads the digits of other scripts too
        number = float(text.encode("ascii"))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InvalidConnection(f"[{SECTION}] {name} of the Airflow configuration is {text!r}; it must be a number.")
    return number


def configured_schedule(interval: float | None) -> poll_schedule.PollSchedule:
    """Return the schedule of polls.

    :param interval: the task's own ``poke_interval`` in seconds, None for the schedule that follows the job.
    """
    shortest = max(number_setting("shortest_poll_interval"), poll_schedule.SHORTEST_INTERVAL)
    return poll_schedule.PollSchedule(interval, shortest, max(number_setting("longest_poll_interval"), shortest))
