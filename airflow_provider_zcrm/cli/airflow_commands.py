"""``airflow zoho-crm ...``: the commands in the form in which Airflow 3.2+ takes them from providers."""

from __future__ import annotations

import argparse
import sys
from functools import partial

from airflow.cli.cli_config import ActionCommand, Arg, CLICommand, GroupCommand

from airflow_provider_zcrm.cli.arguments import COMMANDS, DESCRIPTION


def zoho_crm_commands() -> list[CLICommand]:
    """Return the group ``zoho-crm``."""
    actions = [
        ActionCommand(
            name=command.name,
            help=command.help,
            description=command.description,
            func=partial(_run, command.name),
            args=[Arg(argument.flags, **argument.words) for argument in command.arguments],  # type: ignore[no-untyped-call]
        )
        for command in COMMANDS
    ]
    return [GroupCommand(name="zoho-crm", help="Connect to Zoho CRM", description=DESCRIPTION, subcommands=actions)]


def _run(command: str, options: argparse.Namespace) -> None:
    from airflow_provider_zcrm.cli.run import run

    sys.exit(run(command, options))
