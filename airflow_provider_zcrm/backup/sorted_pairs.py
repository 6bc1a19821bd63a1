"""Pairs of a tag and a record, sorted and each once, however many there are: all but some are in a file without a name."""

from __future__ import annotations

import tempfile
from array import array
from collections import defaultdict
from collections.abc import Iterator
from heapq import merge
from itertools import groupby
from types import TracebackType
from typing import Self

# pairs that are held before they are sorted and written: some megabytes
_HELD = 100_000
# of a run, read at once
_READ = 1_000


class SortedPairs:
    """Takes pairs in any order; a context manager, at whose end the file is gone."""

    def __init__(self) -> None:
        # by the tag's id, the numbers of records; 64 bits each
        self._held: defaultdict[str, array[int]] = defaultdict(lambda: array("Q"))
        self._number_held = 0
        # by the tag's id, where in the file sorted records begin, and how many
        self._runs: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed at the end of this one

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

    def add(self, tag_id: str, record_id: str) -> None:
        """Take a pair of ids, perhaps once more."""
        self._held[tag_id].append(int(record_id))
        self._number_held += 1
        if self._number_held >= _HELD:
            self._write()

    def sorted(self) -> Iterator[tuple[str, str]]:
        """Yield all pairs, by the number of the tag and then of the record."""
        self._write()
        for tag_id in sorted(self._runs, key=int):
            runs = [self._read(start, number) for start, number in self._runs[tag_id]]
            for record, _ in groupby(merge(*runs)):
                yield tag_id, str(record)

    def _write(self) -> None:
        start = self._file.seek(0, 2)
        for tag_id, held in self._held.items():
            records = array("Q", sorted(set(held)))
            records.tofile(self._file)
            self._runs[tag_id].append((start, len(records)))
            start += len(records) * records.itemsize
        self._held.clear()
        self._number_held = 0

    def _read(self, start: int, number: int) -> Iterator[int]:
        while number:
            records = array("Q")
            self._file.seek(start)
            records.fromfile(self._file, min(number, _READ))
            yield from records
            start += len(records) * records.itemsize
            number -= len(records)
