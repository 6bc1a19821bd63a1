"""The commands and their arguments, as one table: Airflow's own command line and ``python -m airflow_provider_zcrm`` are made of it.

Every ``airflow`` command on Airflow 3.2+ reads it, so what a command needs is imported when it runs.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

from airflow_provider_zcrm.api.data_centers import DATA_CENTERS, ENVIRONMENTS
from airflow_provider_zcrm.api.scopes import FEATURES, USUAL_FEATURES
from airflow_provider_zcrm.cli.usage import Usage

DESCRIPTION = "Connects Airflow to Zoho CRM, and tells what works."


@dataclass(frozen=True)
class Argument:
    """One argument, in argparse's words."""

    flags: tuple[str, ...]
    words: dict[str, Any]


@dataclass(frozen=True)
class Command:
    """One command: its name, what it does, and its arguments."""

    name: str
    help: str
    description: str
    arguments: tuple[Argument, ...]


def _argument(*flags: str, **words: Any) -> Argument:
    return Argument(flags, words)


_CONN_ID = _argument(
    "conn_id", nargs="?", default="zoho_crm_default", metavar="CONN_ID", help="id of the Airflow connection (default: zoho_crm_default)"
)
_OUTPUT = _argument(
    "--output", choices=("table", "json"), default="table", help="a table for people on stderr (default), or JSON for programs on stdout"
)
_VERBOSE = _argument("-v", "--verbose", action="store_true", help="show logs and warnings too, on stderr")


def _features(default: str) -> Argument:
    words = f"what must work, out of {', '.join(FEATURES)}; it decides which scopes are needed (default: {default})"
    return _argument("--features", metavar="NAME,...", default=default, help=words)


_CODES = (
    "Exit codes: 0 all is well; 1 something must be changed; 2 an argument or an answer is missing or wrong; "
    "3 Zoho could not tell: try later"
)

COMMANDS = (
    Command(
        "connect",
        "Make a connection out of a client of Zoho's API console and a grant code",
        "Makes a connection: says where to click in Zoho's API console and which scopes to enter, exchanges the grant code for a refresh "
        "token, finds the data center and the environment that they belong to, makes real calls, and creates the connection in Airflow "
        f"or writes it as JSON or URI. Asks for what it is not given. {_CODES}.",
        (
            _CONN_ID,
            _argument(
                "--data-center", choices=tuple(DATA_CENTERS), help="where the Zoho account lives; the others are tried if it does not"
            ),
            _argument(
                "--environment",
                choices=ENVIRONMENTS,
                help="refuse a grant code of another environment (default: take the environment that was chosen in Zoho with the code)",
            ),
            _argument(
                "--grant-type",
                choices=("refresh_token", "client_credentials"),
                default="refresh_token",
                help="refresh_token: from a grant code (default); client_credentials: without one, needs --zsoid",
            ),
            _argument("--client-id", help="of the client in Zoho's API console"),
            _argument("--zsoid", help="id of the org (zgid, in Setup > Company Details), for client_credentials"),
            _argument(
                "--credentials",
                metavar="FILE",
                help="a JSON file with client_id, client_secret and code, such as the self_client.json that Zoho's console lets you "
                "download; - reads it from stdin",
            ),
            # the org's name is worth a scope when they are chosen anyway
            _features(",".join(USUAL_FEATURES)),
            _argument(
                "--to",
                choices=("airflow", "json", "uri"),
                default="airflow",
                help="create the connection in Airflow (default), or write it as JSON or as URI",
            ),
            _argument("--file", help="where to write JSON or URI, with mode 0600; - is stdout, also if that is a terminal"),
            _argument("--replace", action="store_true", help="replace a connection or a file that is there already"),
            _argument("--accounts-url", help="replaces the data center's accounts host: for a proxy or the emulator"),
            _argument("--api-url", help="replaces the data center's API host, together with --accounts-url"),
            _OUTPUT,
            _VERBOSE,
        ),
    ),
    Command(
        "check",
        "Tell what works through a connection",
        "Tells what works through a connection: token, data center, environment, scopes one by one, credits, clock. Changes nothing, "
        f"and makes three calls, or a few more if something is wrong. {_CODES}.",
        (_CONN_ID, _features("tags"), _OUTPUT, _VERBOSE),
    ),
)


def features_of(names: str) -> list[str]:
    """Return the features that were asked for.

    :raises Usage: there is no such feature
    """
    features = [name.strip() for name in names.split(",") if name.strip()]
    for name in features:
        if name not in FEATURES:
            raise Usage(f"There is no feature {name!r}; the features are {', '.join(FEATURES)}.")
    return features


def parser() -> argparse.ArgumentParser:
    """Return the parser of ``python -m airflow_provider_zcrm``."""
    made = argparse.ArgumentParser(prog="python -m airflow_provider_zcrm", description=DESCRIPTION)
    commands = made.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        one = commands.add_parser(command.name, help=command.help, description=command.description)
        for argument in command.arguments:
            one.add_argument(*argument.flags, **argument.words)
    return made
