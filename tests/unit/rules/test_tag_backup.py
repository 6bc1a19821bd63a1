"""The file of a backup: what is written is read again, and whatever is lost, doubled or changed is noticed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_zcrm.rules.errors import BackupUnfinished, InvalidBackup
from airflow_provider_zcrm.rules.tag_backup import RECORDS_PER_LINE, Contents, Header, SavedTag, backup_lines, check, records_of_tags

HEADER = Header("Leads", "808232144", "production", "2026-11-11T08:00:00+00:00", "weekly/scheduled__2026-11-11/backup/-1", True)
IDS = st.integers(1, 10**19 - 1).map(str)
# names may hold whatever a text can, the line separators of Unicode too
TAGS = st.lists(st.builds(SavedTag, IDS, st.text(max_size=30), st.none() | st.just("#F48435")), max_size=5, unique_by=lambda tag: tag.id)


@st.composite
def backups(draw: st.DrawFn) -> tuple[list[SavedTag], list[tuple[str, str]]]:
    tags = draw(TAGS)
    pairs = st.tuples(st.sampled_from([tag.id for tag in tags] or ["1"]), IDS)
    return tags, draw(st.lists(pairs, unique=True, max_size=20)) if tags else []


def text(tags: list[SavedTag], carried: list[tuple[str, str]]) -> str:
    return "".join(backup_lines(HEADER, tags, carried))


def lines(file: str) -> list[str]:
    """Split as reading a text file does."""
    return [line + "\n" for line in file.split("\n")[:-1]] + ([file.split("\n")[-1]] if not file.endswith("\n") else [])


@given(backups())
def test_what_is_written_is_read_again(backup: tuple[list[SavedTag], list[tuple[str, str]]]) -> None:
    tags, carried = backup
    file = lines(text(tags, carried))
    assert check(file) == Contents(HEADER, tuple(tags), dict(Counter(tag_id for tag_id, _ in carried)))
    read = [(part.tag_id, record_id) for part in records_of_tags(file) for record_id in part.record_ids]
    assert sorted(read) == sorted(carried)


@given(backups(), st.data())
def test_a_file_that_breaks_off_anywhere_is_unfinished(backup: tuple[list[SavedTag], list[tuple[str, str]]], data: st.DataObject) -> None:
    file = text(*backup)
    # without the last line feed alone nothing is lost
    length = data.draw(st.integers(0, len(file) - 2))
    with pytest.raises(BackupUnfinished):
        check(lines(file[:length]))


@given(backups(), st.data())
def test_a_line_that_is_lost_or_doubled_is_noticed(backup: tuple[list[SavedTag], list[tuple[str, str]]], data: st.DataObject) -> None:
    file = lines(text(*backup))
    place = data.draw(st.integers(0, len(file) - 1))
    with pytest.raises(InvalidBackup):
        check(file[:place] + file[place + 1 :])
    with pytest.raises(InvalidBackup):
        check([*file[: place + 1], *file[place:]])


def test_a_backup_is_read_and_written_a_line_at_a_time() -> None:
    carried = ((str(number % 3), str(1000 + number)) for number in range(4 * RECORDS_PER_LINE))
    written = backup_lines(HEADER, [SavedTag(str(number), f"tag {number}") for number in range(3)], carried)
    first = [next(written) for _ in range(5)]
    assert next(carried)[1] < str(1000 + 3 * RECORDS_PER_LINE + 3)
    sizes = [len(part.record_ids) for part in records_of_tags([*first, *written])]
    assert max(sizes) == RECORDS_PER_LINE
    assert sum(sizes) == 4 * RECORDS_PER_LINE - 1


@pytest.mark.parametrize(
    "changed",
    [
        lambda file: [file[0], file[1].replace('"1"', '"2"'), *file[2:]],
        lambda file: [file[0], *file],
        lambda file: [*file, file[1]],
        lambda file: [*file, "\n"],
        lambda file: [file[0], "\n", *file[1:]],
        lambda file: [file[0], '{"record_ids": ["11"]}\n', *file[1:]],
        lambda file: [file[0], '{"tag": {"id": "9"}}\n', *file[1:]],
        lambda file: [file[0], '["tag"]\n', *file[1:]],
        lambda file: [file[0].replace('"module"', '"modul"'), *file[1:]],
        lambda file: [file[0].replace("zoho-crm-tags", "something else"), *file[1:]],
        lambda file: file[1:],
        lambda _: ["id,name\n", "1,hot\n"],
        lambda _: ["not a backup"],
        lambda _: ["5\n"],
    ],
)
def test_what_is_no_backup_or_damaged_is_refused(changed: Any) -> None:
    file = lines(text([SavedTag("1", "hot")], [("1", "11"), ("1", "12")]))
    with pytest.raises(InvalidBackup) as refused:
        check(changed(file))
    assert not isinstance(refused.value, BackupUnfinished)


def test_a_later_version_is_refused_with_a_hint() -> None:
    file = text([], []).replace('"version": 1', '"version": 2')
    with pytest.raises(InvalidBackup, match="version 2") as refused:
        check(lines(file))
    assert "release" in refused.value.advice


def test_keys_that_a_later_release_may_add_are_passed_over() -> None:
    file = text([SavedTag("1", "hot")], []).replace('"module"', '"host": "x", "module"').replace('"name"', '"owner": {}, "name"')
    assert check(lines(file)).tags == (SavedTag("1", "hot"),)


def test_a_backup_without_records_says_so() -> None:
    contents = check(backup_lines(replace(HEADER, include_records=False), [SavedTag("1", "hot")], []))
    assert contents.header.include_records is False
    assert contents.records == {}
