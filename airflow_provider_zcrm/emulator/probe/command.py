"""The probe as a command: asks before it begins, makes the experiments, cleans up, and says what it found.

``python -m airflow_provider_zcrm.emulator.probe --credentials FILE [--module Leads] [--yes]``
"""

from __future__ import annotations

import argparse
import asyncio
import re
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from airflow_provider_zcrm.emulator.probe import clean_up as cleaning
from airflow_provider_zcrm.emulator.probe.ask_errors import hear_scope_mismatch
from airflow_provider_zcrm.emulator.probe.calls import BudgetSpent, Calls, Clock, Lost, Reply
from airflow_provider_zcrm.emulator.probe.credentials import HOW_TO_GET_ONE, read_credentials
from airflow_provider_zcrm.emulator.probe.experiments import EXPERIMENTS
from airflow_provider_zcrm.emulator.probe.findings import Findings, as_text, table
from airflow_provider_zcrm.emulator.probe.names import MAX_RECORDS, MAX_TAGS, Refusal, checked_prefix, new_prefix
from airflow_provider_zcrm.emulator.probe.own import MASS_DELETE, Own, Unclear
from airflow_provider_zcrm.emulator.probe.run import Experiment, Run

# Token, org, modules, lists before, a trial of the scopes; and for each module, with a new token, the list after
AROUND = 8
AFTER = 3
NOT_PRODUCTION = ("sandbox", "developer")
MODULE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")
WARNINGS = {
    "provoke_429": "Other programs of the org may get a 429.",
    "provoke_throttle": "Afterwards Zoho grants these credentials no token for ten minutes or longer.",
}
ALL_IS_WELL, SOMETHING_IS_LEFT, REFUSED = 0, 1, 2


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _ask(question: str) -> str:
    _say(question)
    return sys.stdin.readline().strip()


@dataclass
class Console:
    """Where the run talks to a person; a test listens instead. `clock` is how time passes."""

    say: Callable[[str], None] = _say
    ask: Callable[[str], str] = _ask
    clock: Clock = field(default_factory=Clock)


def main(arguments: list[str] | None = None, console: Console | None = None) -> int:
    """Run the command, and return its exit code: 0, 1 if something of the run is left or something else is gone, 2 if it is refused."""
    options = _parse(arguments)
    console = console or Console()
    try:
        return asyncio.run(_command(options, console))
    except (Refusal, Unclear, Lost, BudgetSpent) as error:
        console.say(f"{error}")
        return REFUSED
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.say("Interrupted.")
        return SOMETHING_IS_LEFT


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m airflow_provider_zcrm.emulator.probe",
        description="Finds out how a Zoho CRM org answers where the documents are silent.",
    )
    parser.add_argument("--credentials", type=Path, required=True, metavar="FILE", help=f"the connection as JSON. {HOW_TO_GET_ONE}")
    parser.add_argument("--module", default="Leads", help="where the tags and records are made (default: %(default)s)")
    parser.add_argument("--second-module", help="where one more tag is made, to see whether jobs of two modules may run together")
    parser.add_argument("--yes", action="store_true", help="the budget is agreed to; a production org's name must be typed all the same")
    parser.add_argument("--readings", type=Path, default=Path("readings.json"), metavar="FILE", help="what to write (default: %(default)s)")
    parser.add_argument("--clean-up", metavar="PREFIX", help="only remove what a run that died has made; it printed its prefix")
    parser.add_argument(
        "--in-use", action="store_true", help="ask you to use a tag of the probe's in a workflow, to see how its delete is refused"
    )
    parser.add_argument("--provoke-429", action="store_true", help="send 30 reads at once to see a 429; other programs may get one too")
    parser.add_argument(
        "--provoke-throttle",
        action="store_true",
        help="ask for tokens until the throttle answers; for the next ten minutes or longer these credentials get none",
    )
    return parser.parse_args(arguments)


async def _command(options: argparse.Namespace, console: Console) -> int:
    prefix = new_prefix() if options.clean_up is None else checked_prefix(options.clean_up)
    modules = [options.module] if options.second_module is None else [options.module, options.second_module]
    for module in modules:
        if not MODULE_NAME.fullmatch(module):
            raise Refusal(f"{module!r} cannot be the API name of a module; Leads is one.")
    if len(set(modules)) != len(modules):
        raise Refusal("--second-module must be another module than --module.")
    credentials = read_credentials(options.credentials)
    experiments = [one for one in EXPERIMENTS if not one.flag or getattr(options, one.flag)]
    cleaning_calls = cleaning.CALLS if options.clean_up is None else cleaning.CALLS_AFTER_DEATH
    asking = sum(one.calls for one in experiments) if options.clean_up is None else 0
    _agree(options, console, modules, prefix, AROUND + (cleaning_calls + AFTER) * len(modules) + asking)
    _clean_up_when_terminated()
    async with aiohttp.ClientSession() as session:
        calls = Calls(session, credentials, AROUND)
        visit = _Visit(calls, console, options, prefix, await calls.log_in())
        await visit.look_at_org(credentials.environment)
        await visit.find_modules(modules)
        if options.clean_up is not None:
            return await visit.clean_up_only()
        return await visit.probe(experiments)


def _clean_up_when_terminated() -> None:
    """Let SIGTERM do what Ctrl-C does: end the experiments, and clean up."""
    task = asyncio.current_task()
    if task is not None and threading.current_thread() is threading.main_thread():
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


def _agree(options: argparse.Namespace, console: Console, modules: list[str], prefix: str, allowed: int) -> None:
    where = " and ".join(modules)
    if options.clean_up is None:
        console.say(f"Makes at most {MAX_TAGS} tags and {MAX_RECORDS} records in {where}, all named {prefix}.., and removes them again.")
        console.say(
            "The records go to the recycle bin. Nothing else is changed. Workflows that run when a record is created are not triggered."
        )
    else:
        console.say(f"Removes the tags and records of {where} that are named {prefix} and two digits, and nothing else.")
    console.say(f"Budget: at most {allowed} calls and {allowed} API credits, most runs need a fifth of that; one access token.")
    for flag, what in WARNINGS.items():
        if options.clean_up is None and getattr(options, flag):
            console.say(what)
    if not options.yes and console.ask("Go on? [y/N]").lower() not in ("y", "yes"):
        raise Refusal("Nothing was done.")


class _Visit:
    """One visit to an org."""

    def __init__(self, calls: Calls, console: Console, options: argparse.Namespace, prefix: str, logged_in: Reply) -> None:
        self._calls = calls
        self._console = console
        self._options = options
        self._prefix = prefix
        self._logged_in = logged_in
        self._own: list[Own] = []
        self._other_modules: list[str] = []
        self._hidden = list(calls.credentials.secrets)

    async def look_at_org(self, environment: str | None) -> None:
        """Refuse an org that is, or may be, of production, unless its name is typed.

        :raises Refusal: it is not typed, or the org does not say what it is
        """
        reply = await self._calls.get("/org")
        org: dict[str, Any] = next(iter(reply.elements("org")), {})
        name = str(org.get("company_name") or "").strip()
        self._hidden += [name, *(str(org.get(key) or "") for key in ("zgid", "id", "domain_name", "primary_email", "alias"))]
        kind = str(org.get("type") or "").lower()
        if kind in NOT_PRODUCTION and environment != "production":
            self._console.say(f"The org is {name or 'without a name'} ({kind}).")
            return
        if not name:
            raise Refusal(
                f"The org does not say its name (HTTP {reply.status} {reply.code}), so nobody can confirm that it is the right one. "
                "The scope ZohoCRM.org.READ is needed."
            )
        self._console.say(f"This is a production org, or does not say that it is none: {name}.")
        if self._console.ask("Type its name to go on, or nothing to stop:") != name:
            raise Refusal("That is not its name. Nothing was made or deleted. A sandbox or a Developer Edition is the better place.")

    async def find_modules(self, names: list[str]) -> None:
        """Find the modules by name.

        :raises Refusal: one is not there
        """
        reply = await self._calls.get("/settings/modules")
        ids = {str(module.get("api_name")): str(module.get("id")) for module in reply.elements("modules")}
        for name in names:
            if not ids.get(name, "").isdecimal():
                raise Refusal(f"The org has no module {name}, or does not show it (HTTP {reply.status} {reply.code}).")
            self._own.append(Own(self._calls, self._prefix, name, ids[name]))
        self._other_modules = [name for name in ids if name not in names and MODULE_NAME.fullmatch(name)]

    async def clean_up_only(self) -> int:
        """Remove what a run that died has made."""
        before = [await own.list_tags() for own in self._own]
        found = False
        code = ALL_IS_WELL
        for own, listed in zip(self._own, before, strict=True):
            code = max(code, await self._clean(own, listed, died=True))
            found = found or bool(self._removed)
        if not found and code == ALL_IS_WELL:
            self._console.say(f"Nothing of {self._prefix} is there. Did the run use another --module or --second-module?")
        return code

    async def probe(self, experiments: list[Experiment]) -> int:
        """Make the experiments, clean up, and write what was found."""
        for own in self._own:
            own.before = await own.list_tags()
            if any(name.startswith(self._prefix) for name in own.before.values()):
                raise Refusal(f"{own.module} has tags that begin with {self._prefix} already. Start again.")
        await self._try_scopes()
        findings = Findings()
        self._calls.heard.append(lambda reply: hear_scope_mismatch(findings, reply))
        second = self._own[1] if len(self._own) > 1 else None
        run = Run(self._calls, self._own[0], second, self._other_modules, findings, self._console.clock, self._logged_in, self._console.ask)
        modules = "".join(f" {option} {own.module}" for option, own in zip(("--module", "--second-module"), self._own, strict=False))
        self._console.say(f"If this run dies: the same command with --clean-up {self._prefix}{modules}")
        try:
            await self._make([one for one in experiments if not one.after_clean_up], run)
        finally:
            code = await self._clean_all()
        await self._make([one for one in experiments if one.after_clean_up], run)
        self._console.say(table(findings.rows()))
        self._console.say(f"{self._calls.made} calls.")
        return max(code, self._write(findings))

    def _write(self, findings: Findings) -> int:
        try:
            self._options.readings.write_text(as_text(findings, self._hidden), encoding="utf-8")
        except (ValueError, OSError) as error:
            self._console.say(f"{self._options.readings} was not written: {error}")
            return SOMETHING_IS_LEFT
        self._console.say(f"{self._options.readings} holds the readings, and nothing that names the org.")
        return ALL_IS_WELL

    async def _try_scopes(self) -> None:
        """Refuse to make tags that could not be deleted again: ask for a delete that names none.

        :raises Refusal: the token may not delete tags
        """
        reply = await self._calls.post(MASS_DELETE, {})
        if reply.unserved:
            raise Refusal(f"The token may not delete tags (HTTP {reply.status} {reply.code}), so none is made. {HOW_TO_GET_ONE}")

    async def _make(self, experiments: list[Experiment], run: Run) -> None:
        for one in experiments:
            self._console.say(f"... {one.name}")
            self._calls.allow(one.calls)
            try:
                await one.run(run)
            except (Unclear, Lost, BudgetSpent) as error:
                why = str(error)
            except Exception as error:  # noqa: BLE001 - an answer that nobody foresaw ends its experiment, not the run
                why = f"an answer could not be read ({type(error).__name__})"
            else:
                why = "the answers did not show it"
            for reading in one.readings:
                if reading not in run.findings.readings:
                    run.findings.unknown(reading, _without_names(why, self._prefix))

    async def _clean_all(self) -> int:
        code = ALL_IS_WELL
        for own in self._own:
            code = max(code, await self._clean(own, own.before, died=False))
        return code

    async def _clean(self, own: Own, before: dict[str, str], *, died: bool) -> int:
        """Clean up a module, and hold its tags to what they were before."""
        self._calls.allow(cleaning.CALLS_AFTER_DEATH if died else cleaning.CALLS)
        cleaned = await cleaning.clean_up(own, self._console.clock, died=died)
        self._removed = cleaned.tags + cleaned.records
        self._console.say(f"{own.module}: {cleaned.tags} tags and {cleaned.records} records of the run removed by the clean-up.")
        self._calls.allow(AFTER)
        try:
            after = await own.list_tags()
        except (Lost, Unclear) as error:
            self._console.say(f"{own.module}: what is there now is not known: {error}")
            return SOMETHING_IS_LEFT
        gone = {tag_id: name for tag_id, name in before.items() if after.get(tag_id) != name and not name.startswith(self._prefix)}
        for name in gone.values():
            self._console.say(f"{own.module}: the tag {name!r} that was there before is gone or renamed. The probe has not sent its id.")
        for name in own.renamed.values():
            self._console.say(f"{own.module}: {name!r} was made by the run and renamed by somebody since, so it stays.")
        if cleaned.left:
            self._console.say(f"{own.module}: left behind: {', '.join(sorted(set(cleaned.left)))}. {cleaned.why}")
        if own.in_restore:
            self._console.say(
                f"{own.module}: a record of the run may still come back from the recycle bin. Run --clean-up {self._prefix} later."
            )
        return SOMETHING_IS_LEFT if cleaned.left or gone or own.in_restore else ALL_IS_WELL


def _without_names(text: str, prefix: str) -> str:
    """Return a reason as it may stand in the file: without names in quotes, ids and the prefix."""
    return re.sub(r"[0-9]{5,}", "?", re.sub(r"'[^']*'", "?", text)).replace(prefix, "?")
