"""Starts the emulator: ``python -m airflow_provider_zcrm.emulator --port 8087 --seed demo``. SIGTERM and SIGINT end it cleanly."""

from __future__ import annotations

import argparse
import asyncio
import errno
import signal
import sys
from pathlib import Path

from airflow_provider_zcrm.emulator import readings_file
from airflow_provider_zcrm.emulator.emulator import Emulator
from airflow_provider_zcrm.emulator.minimal_seed import CLIENT
from airflow_provider_zcrm.emulator.model import State
from airflow_provider_zcrm.emulator.seeds import BUILT_IN, load_seed
from airflow_provider_zcrm.emulator.server import Server
from airflow_provider_zcrm.emulator.state_file import read_state


def main(arguments: list[str] | None = None) -> int:
    """Run the emulator until it is stopped; returns the exit code."""
    options = _parse(arguments)
    path: Path | None = options.state_file
    kept = path if path and path.exists() else None
    try:
        state = read_state(kept) if kept else load_seed(options.seed)
    except (ValueError, TypeError, LookupError, AttributeError, OSError) as error:
        source = f"state file {kept}" if kept else f"seed {options.seed}"
        return _cannot_start(f"{source}: {type(error).__name__}: {error}")
    try:
        if options.readings:
            readings_file.apply(options.readings, state)
    except (ValueError, OSError) as error:
        return _cannot_start(f"readings {options.readings}: {type(error).__name__}: {error}")
    return asyncio.run(_serve(Server(Emulator(state, path)), options.host, options.port, state))


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m airflow_provider_zcrm.emulator", description="A Zoho CRM on your own machine.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8087, help="port to listen on, 0 for a free one (default: %(default)s)")
    parser.add_argument("--seed", default="demo", help=f"{', '.join(BUILT_IN)}, or a JSON file (default: %(default)s)")
    parser.add_argument("--state-file", type=Path, help="keep the state here across restarts; if it exists, it wins over --seed")
    parser.add_argument("--readings", type=Path, help="follow this file, which the probe of an org wrote; it wins over seed and state file")
    return parser.parse_args(arguments)


def _cannot_start(why: str) -> int:
    sys.stderr.write(f"cannot start: {why}\n")
    return 2


async def _serve(server: Server, host: str, port: int, state: State) -> int:
    stop = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    try:
        bound = await server.start(host, port)
    except OSError as error:
        return _cannot_start(f"port {port} is in use; give --port" if error.errno == errno.EADDRINUSE else str(error))
    sys.stdout.write(_greeting(f"http://{host}:{bound}", state))
    sys.stdout.flush()
    await stop.wait()
    await server.stop()
    return 0


def _greeting(url: str, state: State) -> str:
    """Say in one line where it is and how to connect; the credentials open nothing but the emulator."""
    client = next(iter(state.clients.values()), None)
    secret = client.client_secret if client else CLIENT["client_secret"]
    token = next(iter(state.refresh_tokens), "none")
    return (
        f"Zoho CRM emulator at {url} (client_id {client.client_id if client else 'none'}, client_secret {secret}, refresh_token {token})\n"
    )


if __name__ == "__main__":
    sys.exit(main())
