"""The file of a backup: what is written is read again, and whatever is lost, doubled or changed is noticed."""

from __future__ import annotations

import hashlib
import json
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_zcrm.rules.errors import BackupUnfinished, InvalidBackup
from airflow_provider_zcrm.rules.tag_backup import (
    LONGEST_LINE,
    RECORDS_PER_LINE,
    Header,
    SavedTag,
    backup_lines,
    check,
    holds_the_same,
    records_of_tags,
)

HEADER = Header("Leads", "808232144", "production", "2026-11-11T08:00:00+00:00", "weekly/scheduled__2026-11-11/backup/-1", True)
IDS = st.integers(1, 10**19 - 1).map(str)
# names may hold whatever a text can, the line separators of Unicode too
TAGS = st.lists(st.builds(SavedTag, IDS, st.text(max_size=30), st.none() | st.just("#F48435")), max_size=5, unique_by=lambda tag: tag.id)


@st.composite
def backups(draw: st.DrawFn) -> tuple[list[SavedTag], list[tuple[str, str]]]:
    tags = draw(TAGS)
    pairs = st.tuples(st.sampled_from([tag.id for tag in tags] or ["1"]), IDS)
    return tags, in_order(draw(st.lists(pairs, unique=True, max_size=20)) if tags else [])


def in_order(carried: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Sort pairs as a backup has them."""
    return sorted(carried, key=lambda pair: (int(pair[0]), int(pair[1])))


def signed(file: list[str]) -> list[str]:
    """Return changed lines with the checksum that fits them."""
    end = json.loads(file[-1])
    end["end"]["sha256"] = hashlib.sha256("".join(file[:-1]).encode()).hexdigest()
    return [*file[:-1], json.dumps(end) + "\n"]


def text(tags: list[SavedTag], carried: list[tuple[str, str]]) -> str:
    return "".join(backup_lines(HEADER, tags, carried))


def lines(file: str) -> list[str]:
    """Split as reading a text file does."""
    return [line + "\n" for line in file.split("\n")[:-1]] + ([file.split("\n")[-1]] if not file.endswith("\n") else [])


@given(backups())
def test_what_is_written_is_read_again(backup: tuple[list[SavedTag], list[tuple[str, str]]]) -> None:
    tags, carried = backup
    file = lines(text(tags, carried))
    contents = check(file)
    assert (contents.header, contents.tags) == (HEADER, tuple(tags))
    assert contents.records == Counter(tag_id for tag_id, _ in carried)
    assert contents.sha256 == hashlib.sha256("".join(file[:-1]).encode()).hexdigest()
    read = [(part.tag_id, record_id) for part in records_of_tags(file) for record_id in part.record_ids]
    assert read == carried


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
    carried = ((str(tag), str(1000 + number)) for tag in range(3) for number in range(2 * RECORDS_PER_LINE))
    written = backup_lines(HEADER, [SavedTag(str(number), f"tag {number}") for number in range(3)], carried)
    first = [next(written) for _ in range(5)]
    assert next(carried) == ("0", str(1000 + RECORDS_PER_LINE))
    sizes = [len(part.record_ids) for part in records_of_tags([*first, *written])]
    assert max(sizes) == RECORDS_PER_LINE
    assert sum(sizes) == 6 * RECORDS_PER_LINE - 1


@given(backups(), st.data())
def test_a_character_that_is_changed_before_the_last_line_is_noticed(
    backup: tuple[list[SavedTag], list[tuple[str, str]]], data: st.DataObject
) -> None:
    file = lines(text(*backup))
    number = data.draw(st.integers(0, len(file) - 2))
    line = file[number]
    place = data.draw(st.integers(0, len(line) - 2))
    new = data.draw(st.characters(codec="ascii", exclude_characters=line[place] + "\n"))
    with pytest.raises(InvalidBackup):
        check([*file[:number], line[:place] + new + line[place + 1 :], *file[number + 1 :]])


@pytest.mark.parametrize(
    "changed",
    [
        ('"record_ids": ["11"', '"record_ids": ["13"'),
        ('"record_ids": ["11", "12"]', '"record_ids": ["12", "11"]'),
        ('"zgid": "808232144"', '"zgid": ""'),
        ('"name": "hot"', '"name": "Hot"'),
        ('"color_code": null', '"color_code": "#F48435"'),
        ('"production"', '"sandbox"'),
        ('{"tag": ', '{"tag":  '),
    ],
)
def test_what_was_changed_by_hand_is_noticed_by_the_checksum(changed: tuple[str, str]) -> None:
    file = text([SavedTag("1", "hot")], [("1", "11"), ("1", "12")])
    assert changed[0] in file
    with pytest.raises(InvalidBackup, match="checksum"):
        check(lines(file.replace(*changed)))


@pytest.mark.parametrize(
    ("old", "new"),
    [('"hot"', "7"), ('["11", "12"]', "7"), ('"11"', '"eleven"'), ('"11"', "11"), ('"color_code": null', '"color_code": {}')],
)
def test_a_value_of_another_type_is_refused_whatever_the_checksum_says(old: str, new: str) -> None:
    file = text([SavedTag("1", "hot")], [("1", "11"), ("1", "12")])
    assert old in file
    with pytest.raises(InvalidBackup, match="not what stands there"):
        check(signed(lines(file.replace(old, new))))


def test_a_second_line_for_the_same_tag_is_refused_whatever_the_checksum_says() -> None:
    file = lines(text([SavedTag("1", "hot"), SavedTag("2", "cold")], [("1", "11")]))
    file[2] = file[1].replace("hot", "VIP")
    with pytest.raises(InvalidBackup, match="tag 1 twice"):
        check(signed(file))


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
        lambda file: [file[0], '{"tag": ' * 100_000 + "1" + "}" * 100_000 + "\n", *file[1:]],
        lambda file: [file[0], '{"tag_id": ' + "1" * 10_000 + ', "record_ids": []}\n', *file[1:]],
        lambda file: [file[0], '{"tag": {"id": "1", "name": "' + "x" * LONGEST_LINE, *file[1:]],
        lambda file: [file[0], file[1].replace('"hot"', '"\udcff"'), *file[2:]],
        lambda file: [file[0].replace('"module"', '"modul"'), *file[1:]],
        lambda file: [file[0].replace("zoho-crm-tags", "something else"), *file[1:]],
        lambda file: file[1:],
        lambda file: [*file[:3], file[1].replace('"1"', '"2"'), *file[3:]],
        lambda _: ["id,name\n", "1,hot\n"],
        lambda _: ["not a backup"],
        lambda _: ["5\n"],
    ],
)
def test_what_is_no_backup_or_damaged_is_refused(changed: Any) -> None:
    file = lines(text([SavedTag("1", "hot")], [("1", "11"), ("1", "12")]))
    check(file)
    with pytest.raises(InvalidBackup) as refused:
        check(changed(file))
    assert not isinstance(refused.value, BackupUnfinished)


@pytest.mark.parametrize("version", [1, 3])
def test_another_version_is_refused_with_a_hint(version: int) -> None:
    file = text([], []).replace('"version": 2', f'"version": {version}')
    with pytest.raises(InvalidBackup, match=f"version {version}") as refused:
        check(lines(file))
    assert "release" in refused.value.advice


def test_a_version_without_end_is_shortened() -> None:
    file = text([], []).replace('"version": 2', f'"version": "{"9" * 5000}"')
    with pytest.raises(InvalidBackup, match="of version '999") as refused:
        check(lines(file))
    assert len(str(refused.value)) < 500


KEYS = ("format", "version", "module", "tag", "id", "name", "color_code", "tag_id", "record_ids", "end", "tags", "records", "sha256")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["zoho-crm-tags", "1", 2]),
    lambda child: st.lists(child, max_size=3) | st.dictionaries(st.sampled_from(KEYS), child, max_size=4),
    max_leaves=12,
)


@given(st.lists(JSON, max_size=3), st.integers(0, 4))
def test_any_json_in_a_backup_is_read_or_refused_by_one_of_our_errors(values: list[Any], at: int) -> None:
    whole = lines(text([SavedTag("1", "hot")], [("1", "11")]))
    odd = [json.dumps(value) + "\n" for value in values]
    for file in (odd, signed([*whole[:at], *odd, *whole[at:]]) if at < len(whole) else [*whole, *odd]):
        with suppress(InvalidBackup):
            check(file)


def test_keys_that_a_later_release_may_add_are_passed_over() -> None:
    file = text([SavedTag("1", "hot")], []).replace('"module"', '"host": "x", "module"').replace('"name"', '"owner": {}, "name"')
    assert check(signed(lines(file))).tags == (SavedTag("1", "hot"),)


def test_a_backup_without_records_says_so() -> None:
    contents = check(backup_lines(replace(HEADER, include_records=False), [SavedTag("1", "hot")], []))
    assert contents.header.include_records is False
    assert contents.records == {}


HOT, COLD = SavedTag("1", "hot", "#F48435"), SavedTag("2", "cold")
NOW = (HEADER, [HOT, COLD], [("1", "11"), ("1", "12"), ("2", "11")])


@pytest.mark.parametrize(
    ("earlier", "same"),
    [
        (NOW, True),
        ((replace(HEADER, created_at="2026-11-10T08:00:00+00:00"), [COLD, HOT], NOW[2]), True),
        ((HEADER, [HOT, COLD, SavedTag("3", "gone since")], [*NOW[2], ("3", "13")]), True),
        ((HEADER, [HOT, COLD, SavedTag("4", "not requested")], NOW[2]), False),
        ((HEADER, [HOT], NOW[2][:2]), False),
        ((HEADER, [HOT, replace(COLD, name="Cold")], NOW[2]), False),
        ((HEADER, [HOT, replace(COLD, color_code="#F48435")], NOW[2]), False),
        ((HEADER, [HOT, COLD], [*NOW[2][:2], ("2", "12")]), False),
        ((HEADER, [HOT, COLD], [*NOW[2], ("2", "12")]), False),
        ((HEADER, [HOT, COLD], NOW[2][:2]), False),
        ((HEADER, [HOT, COLD], NOW[2][1:]), False),
        ((HEADER, [HOT, COLD, SavedTag("3", "gone since")], [*NOW[2][:2], ("3", "13")]), False),
        ((replace(HEADER, zgid="60001234567"), *NOW[1:]), False),
        ((replace(HEADER, include_records=False), *NOW[1:]), False),
    ],
)
def test_an_earlier_backup_is_the_same_only_if_all_that_is_there_now_is_as_it_was(earlier: Any, same: bool) -> None:
    assert holds_the_same(backup_lines(*earlier), backup_lines(*NOW), ["1", "2", "3"]) is same


def test_two_large_backups_are_compared_without_holding_them() -> None:
    def lines_of(last: int) -> Iterator[str]:
        return backup_lines(HEADER, [HOT], (("1", str(number)) for number in chain(range(20_000), [last])))

    tracemalloc.start()
    try:
        assert holds_the_same(lines_of(20_000), lines_of(20_000), ["1"])
        assert not holds_the_same(lines_of(20_000), lines_of(20_001), ["1"])
        assert tracemalloc.get_traced_memory()[1] < 500_000
    finally:
        tracemalloc.stop()
