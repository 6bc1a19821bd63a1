"""Runs a command: what it needs is imported here, and what it raises becomes a sentence and an exit code.

==== =====================================================================
code meaning
==== =====================================================================
0    all is well
1    something must be changed; the sentence says what
2    an argument or an answer is missing or wrong; Zoho was given no code
3    Zoho could not tell, because it or the network has a fault: try later
130  interrupted
==== =====================================================================
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from airflow_provider_zcrm.cli.arguments import parser
from airflow_provider_zcrm.cli.stdout import results_only
from airflow_provider_zcrm.cli.usage import Usage


def run(command: str, options: argparse.Namespace) -> int:
    """Run ``connect`` or ``check``, and return the exit code."""
    # Airflow 3's own word for a command that may read connections from the metadata database, as `airflow connections get` does
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    code = 1

    def work(options: argparse.Namespace) -> None:
        nonlocal code
        code = _exit_code(command, options)

    with results_only(), _plain_logs():
        from airflow.utils.cli import suppress_logs_and_warning

        suppress_logs_and_warning(work)(options)
    return code


@contextmanager
def _plain_logs() -> Iterator[None]:
    """Escape control characters in what is logged, which may be what a server has said."""
    before = logging.getLogRecordFactory()

    def plain(*args: Any, **kwargs: Any) -> logging.LogRecord:
        from airflow_provider_zcrm.cli.terminal import printable

        record = before(*args, **kwargs)
        if record.args or isinstance(record.msg, str):
            record.msg, record.args = printable(record.getMessage()), ()
        return record

    logging.setLogRecordFactory(plain)
    try:
        yield
    finally:
        logging.setLogRecordFactory(before)


def main(arguments: list[str] | None = None) -> int:
    """Run ``python -m airflow_provider_zcrm``, and return the exit code."""
    options = parser().parse_args(arguments)
    return run(options.command, options)


def _exit_code(command: str, options: argparse.Namespace) -> int:
    from airflow_provider_zcrm.api.errors import RetryableError, ZohoCrmError
    from airflow_provider_zcrm.cli.check import check
    from airflow_provider_zcrm.cli.connect import connect
    from airflow_provider_zcrm.cli.terminal import printable

    try:
        return {"connect": connect, "check": check}[command](options)
    except (Usage, ZohoCrmError) as error:
        sys.stderr.write(f"{printable(str(error))}\n")
        return 2 if isinstance(error, Usage) else 3 if isinstance(error, RetryableError) else 1
    except (KeyboardInterrupt, EOFError):
        sys.stderr.write("\nInterrupted.\n")
        return 130
