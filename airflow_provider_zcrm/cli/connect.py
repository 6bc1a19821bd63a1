"""``connect``: from a client of Zoho's API console to a connection that works.

A grant code lives for minutes and works once. So everything that can be asked or refused is asked or refused before it, what it
brought is put into a safe file at once, and it is delivered before anything else is checked.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_provider_zcrm.api.data_centers import DATA_CENTERS
from airflow_provider_zcrm.api.errors import CredentialsRejected, InvalidConnection, PermanentError, TokenRejected, ZohoCrmError
from airflow_provider_zcrm.api.oauth import AccessToken, AuthorizationCodeGrant, ClientCredentialsGrant
from airflow_provider_zcrm.api.scopes import FEATURES, scopes_of, split_scopes
from airflow_provider_zcrm.cli.accounts import Accounts, CodeRejected, Grant, at
from airflow_provider_zcrm.cli.arguments import features_of
from airflow_provider_zcrm.cli.check import exit_code, verdict
from airflow_provider_zcrm.cli.delivery import Destination, destination_of
from airflow_provider_zcrm.cli.examination import Examination, Finding, as_json, environment_of, failure, named
from airflow_provider_zcrm.cli.safe import Safe, not_interrupted, safe_for
from airflow_provider_zcrm.cli.stdout import print_json
from airflow_provider_zcrm.cli.terminal import Terminal
from airflow_provider_zcrm.cli.usage import Usage
from airflow_provider_zcrm.client.config import ClientConfig
from airflow_provider_zcrm.hooks.zcrm import configured
from airflow_provider_zcrm.links.zcrm import GUIDES

CLIENT_CREDENTIALS = "client_credentials"
# until the code is exchanged, there is none
_NOT_YET = "-"
_PLACE = ("accounts_url", "api_url", "data_center", "environment")
# of a connection that is replaced, what is neither asked for nor found out stays
_KEPT = ("api_version", "max_concurrency", "request_timeout", "shared_store", "verify")


def connect(options: argparse.Namespace) -> int:
    """Run the command, and return its exit code.

    :raises Usage: something is missing or wrong
    :raises ZohoCrmError: Zoho gives no token
    """
    features = features_of(options.features)
    destination = destination_of(options.to, options.conn_id, options.file, replace=options.replace)
    if options.output == "json" and options.to != "airflow" and options.file in (None, "-"):
        raise Usage("--output json and the connection cannot both go to stdout: write the connection to a file with --file.")
    terminal = Terminal(quiet=options.output == "json")
    file = _credentials(options.credentials)
    old = destination.prepare()
    conversation = _Conversation(options, terminal, file, features, _place(options, old))
    grant, config = conversation.agree()
    with safe_for(options.conn_id) as safe:
        terminal.say(f"Until it is delivered, what the code brings is kept in {safe.path}")
        grant, made = conversation.exchange(grant, config, lambda grant, made: safe.keep(_connection(made, grant, old)))
        with terminal.waiting("Asking Zoho which environment it is for"):
            made.find_environment(options.environment)
        connection = _connection(made, grant, old)
        safe.keep(connection)
        delivered = _deliver(destination, connection, safe) + _what_stays(connection["extra"], old)
    terminal.say(delivered, "bold")
    with terminal.waiting("Looking at what works"):
        findings = named(made.findings(features), options.conn_id)
    terminal.show(f"Connection {options.conn_id}", findings)
    terminal.say(verdict(findings), "bold")
    if exit_code(findings) == 0:
        terminal.say(f"Next: a first clean-up that deletes nothing yet, {GUIDES}/cleanup/")
    if options.output == "json":
        hosts = made.config.hosts
        where = {"data_center": hosts.data_center, "environment": hosts.environment, "org": made.org()}
        result = {
            "conn_id": options.conn_id,
            "ok": exit_code(findings) == 0,
            "delivered": delivered,
            **where,
            "findings": as_json(findings),
        }
        print_json(result)
    return exit_code(findings)


class _Conversation:
    """Gets what is needed: from the arguments, from a file, or else from the person at the terminal."""

    def __init__(
        self, options: argparse.Namespace, terminal: Terminal, file: dict[str, str], features: list[str], place: Mapping[str, str | None]
    ) -> None:
        self._options = options
        self._place = place
        self._terminal = terminal
        self._given = {**file, **{name: value for name in ("client_id", "zsoid") if (value := getattr(options, name))}}
        self._features = features

    def agree(self) -> tuple[Grant, ClientConfig]:
        """Return the grant, and the settings of a client in the data centre that knows it.

        :raises Usage: something is missing and nobody can be asked
        :raises ZohoCrmError: Zoho does not know the client
        """
        by_code = self._options.grant_type != CLIENT_CREDENTIALS
        names = ["client_id", "client_secret", "code" if by_code else "zsoid"]
        missing = [name for name in names if not self._given.get(name)]
        if missing and not self._terminal.interactive:
            raise Usage(
                f"Missing: {', '.join(missing)}. Give --credentials FILE (a JSON file with client_id, client_secret and code; - is stdin), "
                "or run this at a terminal."
            )
        data_center = self._data_center(asking=bool(missing))
        if {"client_id", "client_secret"} & set(missing):
            self._say_where_to_click(data_center)
        login = self._given.get("client_id") or self._terminal.ask("Client ID")
        password = self._given.get("client_secret") or self._terminal.ask_secret("Client secret")
        config = self._config(login, password, data_center)
        if not by_code:
            zsoid = self._given.get("zsoid") or self._terminal.ask("Org id (zgid, in Zoho CRM: Setup > Company Details)")
            return ClientCredentialsGrant(zsoid, ",".join(scopes_of(self._features))), config
        with self._terminal.waiting("Asking Zoho whether it knows this client") as asking:
            config = at(config, Accounts(config, asking).find_client())
        if config.hosts.data_center != data_center:
            self._terminal.say(f"Zoho knows this client in the data center {config.hosts.data_center}, not in {data_center}.")
        return AuthorizationCodeGrant(self._given.get("code") or self._ask_code(config.hosts.data_center)), config

    def exchange(self, grant: Grant, config: ClientConfig, keep: Callable[[Grant, _Made], None]) -> tuple[Grant, _Made]:
        """Return the grant that Zoho took, and what it brought; a person may try another code.

        :param keep: keeps that safe, before anything can interrupt.
        :raises ZohoCrmError: Zoho gives no token
        """
        while True:
            try:
                with self._terminal.waiting("Asking Zoho for a token") as asking, not_interrupted():
                    data_center, token = Accounts(config, asking).token(grant)
                    made = _Made(at(config, token.data_center or data_center), token)
                    keep(grant, made)
                    return grant, made
            except CodeRejected as error:
                if "code" in self._given or not self._terminal.interactive:
                    raise
                self._terminal.say(str(error), "bold red")
                grant = AuthorizationCodeGrant(self._terminal.ask_secret("Code"))

    def _data_center(self, *, asking: bool) -> str:
        if self._place["data_center"] or not asking:
            return self._place["data_center"] or "us"
        self._terminal.say("Which address does the browser show when you use Zoho CRM?")
        for center in DATA_CENTERS.values():
            self._terminal.say(f"    {center.name}  crm.{center.domain}")
        return self._terminal.ask("Data center", tuple(DATA_CENTERS), "us")

    def _say_where_to_click(self, data_center: str) -> None:
        self._terminal.say(f"Open {DATA_CENTERS[data_center].console_url}, add a Self Client, and open its tab Client Secret.")

    def _config(self, login: str, password: str, data_center: str) -> ClientConfig:
        try:
            return configured(login, password, {**self._place, "data_center": data_center, "refresh_token": _NOT_YET})
        except InvalidConnection as error:
            raise Usage(str(error)) from error

    def _ask_code(self, data_center: str) -> str:
        terminal = self._terminal
        terminal.say()
        for feature in FEATURES.values():
            mark = "x" if feature.name in self._features else " "
            terminal.say(f"[{mark}] {feature.name}: {feature.does}", "" if feature.name in self._features else "dim")
        console = DATA_CENTERS[data_center].console_url
        terminal.say()
        terminal.say(f"In {console}, Self Client, tab Generate Code, enter these scopes (--features chooses others):")
        terminal.say()
        terminal.say(f"    {','.join(scopes_of(self._features))}", "bold")
        terminal.say()
        terminal.say("choose a long duration, write any description, press Create, and choose the org and its environment.")
        terminal.say("The code works once, and for that duration only: paste it here at once.")
        return terminal.ask_secret("Code")


@dataclass
class _Made:
    """What a grant has brought."""

    config: ClientConfig
    token: AccessToken
    problem: ZohoCrmError | None = None
    examination: Examination | None = None

    def find_environment(self, wanted: str | None) -> None:
        """Make the first call, in the environment for which the token was made.

        :param wanted: the only environment that will do, None for any.
        :raises InvalidConnection: the token is for another one than the one wanted; nothing is delivered
        """
        self._examine()
        environment = environment_of(self.config, self.token.value) if isinstance(self.problem, TokenRejected) else None
        if environment and wanted:
            raise InvalidConnection(
                f"This grant is for {environment}, not for {wanted}: nothing was created.",
                advice=f"Make a new code, and choose the environment {wanted} when Zoho asks for the org.",
            )
        if environment:
            self.config = at(self.config, environment=environment)
            self._examine()

    def findings(self, features: Collection[str]) -> list[Finding]:
        """Look at what works."""
        if self.problem or not self.examination:
            return [failure("first call", self.problem)] if self.problem else []
        self.examination.features = features
        return list(self.examination.findings())

    def org(self) -> dict[str, str] | None:
        """Return the org's name and id, None if they are not known."""
        org = self.examination.org if self.examination else None
        return {"name": org.company_name, "zgid": org.zgid} if org else None

    def _examine(self) -> None:
        """Make the first call; whatever becomes of it, the refresh token is there and must be delivered."""
        self.problem = None
        self.examination = Examination(self.config, self.token.value, split_scopes(self.token.scope), ())
        try:
            self.examination.start()
        except ZohoCrmError as error:
            self.problem = error


def _place(options: argparse.Namespace, old: Mapping[str, Any]) -> dict[str, str | None]:
    """Return where to ask: as the arguments say, or at the hosts of the connection that is replaced, so that secrets go nowhere else."""
    given = {name: getattr(options, name) for name in _PLACE}
    if given["accounts_url"] or given["api_url"] or not old.get("accounts_url"):
        return given
    return {name: given[name] or str(old.get(name) or "").strip() or None for name in _PLACE}


def _connection(made: _Made, grant: Grant, old: Mapping[str, Any]) -> dict[str, Any]:
    """Return the connection, in the form of AIRFLOW_CONN_ variables.

    :param old: ``extra`` of the connection that is replaced.
    """
    hosts, credentials = made.config.hosts, made.config.credentials
    extra = {name: old[name] for name in _KEPT if name in old}
    extra |= {"data_center": hosts.data_center, "environment": hosts.environment}
    if isinstance(grant, ClientCredentialsGrant):
        extra |= {"grant_type": CLIENT_CREDENTIALS, "zsoid": grant.zsoid, "scope": grant.scope}
    else:
        extra["refresh_token"] = _refresh_token(made.token)
    if hosts.overridden:
        extra |= {"accounts_url": hosts.accounts_url, "api_url": hosts.api_url}
    return {"conn_type": "zoho_crm", "login": credentials.client_id, "password": credentials.client_secret, "extra": extra}


def _what_stays(extra: Mapping[str, Any], old: Mapping[str, Any]) -> str:
    stays = ", ".join(f"{name}={extra[name]}" for name in ("accounts_url", "api_url", *_KEPT) if name in extra and name in old)
    return f" Of the old one stays: {stays}." if stays else ""


def _refresh_token(token: AccessToken) -> str:
    if not token.refresh_token:
        raise CredentialsRejected(
            "Zoho has accepted the code, but gave no refresh token.",
            advice="Make the code with a Self Client, or ask for it with access_type=offline and prompt=consent.",
        )
    return token.refresh_token


def _deliver(destination: Destination, connection: dict[str, Any], safe: Safe) -> str:
    try:
        delivered = destination.deliver(connection)
    except Exception as error:  # noqa: BLE001 - the kinds differ between databases and file systems
        safe.reported = True
        # the sentence of a database's error has the values in it, which are secrets
        why = str(error) if isinstance(error, (OSError, Usage)) else type(error).__name__
        raise PermanentError(f"The connection could not be delivered ({why}).", advice=f"It is kept in {safe.path}.") from None
    safe.remove()
    return delivered


def _credentials(path: str | None) -> dict[str, str]:
    """Read the file of secrets; none is ever an argument, which every user of the machine can read."""
    if path is None:
        return {}
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text()
        values = json.loads(text)
    except OSError as error:
        raise Usage(f"--credentials {path} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise Usage(f"--credentials {path} is not JSON. It is an object with client_id, client_secret and code.") from None
    if not isinstance(values, dict):
        raise Usage(f"--credentials {path} is not a JSON object with client_id, client_secret and code.")
    found = {name: values[name] for name in ("client_id", "client_secret", "code", "zsoid") if values.get(name)}
    if isinstance(found.get("zsoid"), int) and found["zsoid"] is not True:
        found["zsoid"] = str(found["zsoid"])
    odd = [name for name, value in found.items() if not isinstance(value, str)]
    if odd:
        raise Usage(f"--credentials {path}: {', '.join(odd)} is not a JSON string.")
    return {name: value.strip() for name, value in found.items()}
