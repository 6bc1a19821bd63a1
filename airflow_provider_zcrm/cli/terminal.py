"""What the commands say and ask: people read stderr, programs read stdout."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from getpass import getpass

from rich.console import Console
from rich.prompt import Prompt
from rich.table import Table
from rich.text import Text

from airflow_provider_zcrm.cli.examination import LATER, OFF, OK, UNKNOWN, WARNING, WRONG, Finding

_MARKS = {
    OK: ("✓", "green"),
    WARNING: ("!", "yellow"),
    WRONG: ("✗", "bold red"),
    LATER: ("…", "yellow"),
    OFF: ("-", "dim"),
    UNKNOWN: ("?", "dim"),
}


def printable(text: str) -> str:
    """Return a text with its control characters and line breaks escaped: what a server says must not steer the terminal."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


class Terminal:
    """Speaks to a person on stderr, and asks if there is one.

    :param quiet: say nothing and ask nothing, because a program reads along.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._console = Console(stderr=True, quiet=quiet, highlight=False, soft_wrap=True)
        self.interactive = not quiet and sys.stdin.isatty() and sys.stderr.isatty()

    def say(self, sentence: str = "", style: str = "") -> None:
        """Say something in one line; words in brackets are no markup."""
        self._console.print(Text(printable(sentence), style=style))

    def ask(self, question: str, choices: Sequence[str] = (), default: str | None = None) -> str:
        """Ask until there is an answer."""
        while True:
            answer: str | None = Prompt.ask(Text(question), console=self._console, choices=list(choices) or None, default=default)
            if answer and answer.strip():
                return answer.strip()

    def ask_secret(self, question: str) -> str:
        """Ask for something that is not shown while it is typed."""
        while True:
            # rich would show its prompt first and hide the typing then: too late for what is pasted at once
            answer = getpass(f"{question} (not shown): ").strip()
            if answer:
                return answer

    @contextmanager
    def waiting(self, sentence: str) -> Iterator[Callable[[str], None]]:
        """Show that something is under way, and give a function that says what now."""
        with self._console.status(Text(f"{sentence} ...")) as status:
            yield lambda now: status.update(Text(f"{sentence} ({now}) ..."))

    def show(self, title: str, findings: Iterable[Finding]) -> None:
        """Show findings as a table, without those that repeat others."""
        table = Table(title=title, title_justify="left", show_header=False, box=None, pad_edge=False)
        table.add_column()
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for finding in findings:
            if finding.detail:
                continue
            mark, style = _MARKS[finding.state]
            table.add_row(Text(mark, style), Text(printable(finding.subject), style), Text(printable(finding.sentence)))
        self._console.print(table, soft_wrap=False)
