"""The file that lists records before they are deleted."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_zcrm.rules.errors import BackupUnfinished, InvalidBackup
from airflow_provider_zcrm.rules.record_list import ListHeader, list_lines, read_list

HEADER = ListHeader("Leads", "7", "808232144", "production", "2026-01-31T00:00:00+00:00", "dag/run/task/-1")


@given(st.lists(st.integers(0, 10**19 - 1).map(str), unique=True, max_size=500))
def test_what_was_written_is_read(ids: list[str]) -> None:
    lines = list(list_lines(HEADER, ids))
    assert read_list(lines) == (HEADER, tuple(ids))
    assert len(lines) == 2 + -(-len(ids) // 200)


@given(st.integers(0, 3))
def test_a_file_that_breaks_off_is_none(kept: int) -> None:
    with pytest.raises(BackupUnfinished):
        read_list(list(list_lines(HEADER, [str(number) for number in range(500)]))[:kept])


@pytest.mark.parametrize(
    "line",
    [
        '{"ids": ["1"]}',
        '{"ids": [1]}',
        '{"ids": "12"}',
        '{"more": 1}',
        '{"ids": ["١"]}',
        '{"ids": ["x"]}',
        "[]",
        "x",
        "\udcff",
        '{"end": {}}',
    ],
)
def test_a_line_that_was_put_in_is_noticed(line: str) -> None:
    header, ids, end = list_lines(HEADER, ["1", "2"])
    for lines in ([header, f"{line}\n", ids, end], [header, ids, f"{line}\n", end], [header, ids, end, f"{line}\n"]):
        with pytest.raises(InvalidBackup):
            read_list(lines)


@pytest.mark.parametrize("change", [{"version": 2}, {"format": "zoho-crm-tags"}, {"module": None}, {"cvid": 7}])
def test_a_file_of_another_kind_or_version_is_refused(change: dict[str, object]) -> None:
    header, *others = list_lines(HEADER, ["1"])
    with pytest.raises(InvalidBackup, match="no list of records that this release can read"):
        read_list([json.dumps(json.loads(header) | change) + "\n", *others])
