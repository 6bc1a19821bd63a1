"""Lists in the log of a task."""

from __future__ import annotations

import logging

import pytest

from airflow_provider_zcrm.rules.log_lists import counted, log_list

LOG = logging.getLogger(__name__)


@pytest.mark.parametrize(
    ("items", "lines"),
    [
        ([], ["Gone: none"]),
        (["a", "100 %s"], ["Gone: a, 100 %s"]),
        (["a", "b", "c", "d", "e", "f %d"], ["::group::Gone", "a", "b", "c", "d", "e", "f %d", "::endgroup::"]),
    ],
)
def test_a_long_list_is_folded_and_a_short_one_is_not(items: list[str], lines: list[str], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        log_list(LOG, "Gone", items)

    assert caplog.messages == lines


def test_every_item_is_one_line_whatever_it_holds(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        log_list(LOG, "Gone", ["a\nERROR b\x1b[31m", "é ü"])
        log_list(LOG, "Gone", ["a\r\n"] * 6)

    assert caplog.messages[0] == "Gone: a\\nERROR b\\x1b[31m, é ü"
    assert caplog.messages[2] == "a\\r\\n"


def test_one_of_a_thing_is_no_plural() -> None:
    assert [counted(number, "tag") for number in (0, 1, 2)] == ["0 tags", "1 tag", "2 tags"]
