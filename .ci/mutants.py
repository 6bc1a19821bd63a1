"""Break the code in small ways and say which faults no fast test finds: ``mutants.py [ONLY]``, by ``make mutants``.

mutmut makes the faults, one at a time (a mutant), and runs the tests that call the broken function; both are chosen in pyproject.toml. A
mutant that all these tests pass has survived. Here the survivors are compared with tests/mutants.md, which says of some why they may.
"""

from __future__ import annotations

import difflib
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mutmut.mutation.data import MutantLineSpans, SourceFileMutationData
from mutmut.stats import status_by_exit_code

PACKAGE = "airflow_provider_zcrm"
LIST = Path("tests/mutants.md")
# the one that mutmut makes
FOLDER = Path("mutants")
OUTPUT = FOLDER / "output.txt"
# a test has failed, or the broken code went round and round
CAUGHT = {"killed", "timeout"}
# a text in quotes
TEXT = re.compile(r'"(?:[^"\\]|\\.)*"' + r"|'(?:[^'\\]|\\.)*'")


class Mutant(NamedTuple):
    """A fault: the file, the function, and the lines that differ, each as in a diff, without their indentation."""

    file: str
    function: str
    change: str


def main(only: str = "") -> int:
    """Run mutmut, print the survivors, and return the exit code.

    :param only: the beginning of the paths below the package, such as ``rules`` or ``client/tokens``; empty for all.
    """
    listed = set(_listed(LIST.read_text()))
    started = time.monotonic()
    # mutmut would trust what it found out before a test was changed
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    print(f"mutmut breaks the code; how far it is stands in {OUTPUT}.", flush=True)
    # named, also if it is all of them: so mutmut first runs the unbroken tests by their ids, and one with another id in each run is an
    # error. For each mutant it would be taken for a failure.
    command = [Path(sys.executable).with_name("mutmut"), "run", f"{PACKAGE}.{only.replace('/', '.')}*"]
    with OUTPUT.open("wb") as output:
        if subprocess.run(command, check=False, stdout=output, stderr=subprocess.STDOUT).returncode:
            print(OUTPUT.read_text(errors="replace")[-5000:])
            return 1
    found = list(_statuses(f"{PACKAGE}/{only}"))
    minutes = (time.monotonic() - started) / 60

    survivors = {mutant: status for mutant, status in found if status not in CAUGHT}
    words = {mutant for mutant in survivors if _only_words(mutant.change)}
    strangers = sorted(survivors.keys() - words - listed)
    for mutant in strangers:
        print(f"\nNot in {LIST} ({survivors[mutant]}): {mutant.file}: {mutant.function}\n{mutant.change}")
    for mutant in sorted(mutant for mutant in listed - survivors.keys() if mutant.file.startswith(f"{PACKAGE}/{only}")):
        print(f"\nIn {LIST}, but it does not survive any more: {mutant.file}: {mutant.function}\n{mutant.change}")
    counts = ", ".join(f"{number} {status}" for status, number in sorted(Counter(status for _, status in found).items()))
    print(f"\n{len(found)} mutants in {minutes:.0f} minutes: {counts}.")
    print(
        f"Of {len(survivors)} survivors {len(words)} change only the letters of a sentence, "
        f"{len((survivors.keys() - words) & listed)} are in {LIST}, and {len(strangers)} are not."
    )
    return 1 if strangers else 0


def _statuses(beginning: str) -> Iterator[tuple[Mutant, str]]:
    """Yield what became of each mutant of the files whose path begins so."""
    for meta in sorted((FOLDER / PACKAGE).rglob("*.py.meta")):
        path = str(meta.relative_to(FOLDER).with_suffix(""))
        found, spans = SourceFileMutationData(path=path), MutantLineSpans.load(path)
        found.load()
        if not spans or not path.startswith(beginning):
            continue
        for name, exit_code in found.exit_code_by_key.items():
            mangled = name.rpartition(".")[2]
            original = mangled.rpartition("__mutmut_")[0]
            before, after = spans.read_function_sources([f"{original}__mutmut_orig", mangled])
            function = original.removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
            change = _change(before.replace("__mutmut_orig(", "("), after.replace(f"{mangled}(", f"{original}("))
            yield Mutant(path, function, change), status_by_exit_code[exit_code]


def _change(before: str, after: str) -> str:
    diff = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0))[2:]
    return "\n".join(f"{line[0]} {line[1:].strip()}" for line in diff if not line.startswith("@@") and line[1:].strip())


def _only_words(change: str) -> bool:
    """Whether a sentence, a text with a blank between words, has other letters (``XX`` at its ends, or another case)."""
    before, _, after = change.partition("\n")
    for text in TEXT.findall(before):
        words = text[1:-1]
        if re.search(r"[a-zA-Z]\W* \W*[a-zA-Z]", words):
            others = (f"XX{words}XX", words.lower(), words.upper())
            if any(after[1:] == before[1:].replace(text, text[0] + other + text[0]) for other in others):
                return True
    return False


def _listed(text: str) -> Iterator[Mutant]:
    """Yield the mutants of the list: below the heading of a file and the paragraph "`function`: reason" a block of diffs."""
    file = function = ""
    change: list[str] | None = None
    for line in text.splitlines():
        if change is not None and line.startswith(("- ", "+ ")):
            change.append(line)
        elif change is not None:
            if change:
                yield Mutant(file, function, "\n".join(change))
            change = None if line == "```" else []
        elif line == "```diff":
            change = []
            if not function:
                raise SystemExit(f"{LIST}: below '## {file}' a block has no '`function`: reason' above it.")
        elif line.startswith("## "):
            file, function = line[3:], ""
        elif reason := re.match(r"`([^`]+)`: \S", line):
            function = reason[1]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
