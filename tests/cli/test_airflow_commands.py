"""The commands in the form in which Airflow takes them; a process of their own is in `test_commands`."""

from __future__ import annotations

import argparse

import pytest

from airflow_provider_zcrm.cli.airflow_commands import zoho_crm_commands
from airflow_provider_zcrm.cli.arguments import COMMANDS


def parsed(*arguments: str) -> argparse.Namespace:
    (group,) = zoho_crm_commands()
    assert group.name == "zoho-crm"
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    for command in group.subcommands:
        one = commands.add_parser(command.name)
        for argument in command.args:
            argument.add_to_parser(one)
        one.set_defaults(func=command.func)
    return parser.parse_args(arguments)


def test_airflow_gets_every_command_with_every_argument() -> None:
    (group,) = zoho_crm_commands()
    assert [(command.name, len(list(command.args))) for command in group.subcommands] == [
        (command.name, len(command.arguments)) for command in COMMANDS
    ]


def test_the_exit_code_is_the_process_own() -> None:
    options = parsed("check", "--features", "everything")
    assert options.conn_id == "zoho_crm_default"
    with pytest.raises(SystemExit) as ended:
        options.func(options)
    assert ended.value.code == 2
