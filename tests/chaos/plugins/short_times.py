"""Shortens what takes minutes in life, in every process of the Airflow under chaos: the pauses after Zoho's throttle, back-off,
and the looks at a list that follows its job late."""

from __future__ import annotations

from airflow_provider_zcrm.client import retries, tokens
from airflow_provider_zcrm.rules import poll_schedule, tag_deletion

tokens._FIRST_PAUSE, tokens._NEXT_PAUSE = 3.0, 4.0
retries._LOOK_EVERY = 1.0
poll_schedule._THROTTLED_CEILING = poll_schedule._FAILURE_CEILING = 5.0
tag_deletion.LIST_FOLLOWS = tag_deletion.NOT_FOUND_PAUSES = (1.0, 2.0, 3.0)
