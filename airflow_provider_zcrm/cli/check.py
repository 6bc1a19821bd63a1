"""``check``: what works through a connection, in plain words. It deletes and changes nothing.

It uses the access token that the tasks share. Where there is none it makes one, and keeps it for the next check, as the shared store
``file`` would: so it does not use up Zoho's 10 tokens in 10 minutes. Only a connection that shares nothing costs a token each time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Collection, Iterator, Sequence

from airflow.providers.common.compat.sdk import AirflowNotFoundException

from airflow_provider_zcrm.api.data_centers import DATA_CENTERS
from airflow_provider_zcrm.api.errors import CredentialsRejected, TokenRejected, ZohoCrmError
from airflow_provider_zcrm.api.scopes import split_scopes
from airflow_provider_zcrm.cli.accounts import Accounts
from airflow_provider_zcrm.cli.arguments import features_of
from airflow_provider_zcrm.cli.examination import LATER, OK, WRONG, Examination, Finding, as_json, environment_of, failure, named
from airflow_provider_zcrm.cli.stdout import print_json
from airflow_provider_zcrm.cli.terminal import Terminal
from airflow_provider_zcrm.client.config import ClientConfig
from airflow_provider_zcrm.client.retries import NO_RETRIES
from airflow_provider_zcrm.client.sync_client import ZohoCrmClient
from airflow_provider_zcrm.client.token_seal import TokenSeal
from airflow_provider_zcrm.client.token_sharing import FileTokenStore, TokenSharing
from airflow_provider_zcrm.client.tokens import tokens_of
from airflow_provider_zcrm.hooks.token_stores import token_sharing
from airflow_provider_zcrm.hooks.zcrm import ZohoCrmHook


def check(options: argparse.Namespace) -> int:
    """Run the command, and return its exit code."""
    features = features_of(options.features)
    terminal = Terminal(quiet=options.output == "json")
    with terminal.waiting(f"Asking Zoho through {options.conn_id}"):
        findings = named(_findings(options.conn_id, features), options.conn_id)
    terminal.show(f"Connection {options.conn_id}", findings)
    terminal.say(verdict(findings), "bold")
    if options.output == "json":
        print_json({"conn_id": options.conn_id, "ok": exit_code(findings) == 0, "findings": as_json(findings)})
    return exit_code(findings)


def exit_code(findings: Collection[Finding]) -> int:
    """Return 0 if all is well, 1 if something must be changed, 3 if Zoho could not tell."""
    states = {finding.state for finding in findings}
    return 1 if WRONG in states else 3 if LATER in states else 0


def verdict(findings: Collection[Finding]) -> str:
    """Return in a sentence what all findings come to."""
    code = exit_code(findings)
    if code == 0:
        return "All is well."
    state, words = (WRONG, "Something must be changed") if code == 1 else (LATER, "Zoho cannot tell for now, try later")
    return f"{words}: {', '.join(finding.subject for finding in findings if finding.state == state)}."


def _findings(conn_id: str, features: Sequence[str]) -> Iterator[Finding]:
    try:
        config = ZohoCrmHook(conn_id).config
    except AirflowNotFoundException:
        yield Finding(
            "connection", WRONG, f"Airflow has no connection {conn_id}. To make it: python -m airflow_provider_zcrm connect {conn_id}"
        )
        return
    except ZohoCrmError as error:
        yield failure("connection", error)
        return
    with ZohoCrmClient(config, NO_RETRIES, sharing=_sharing(config)) as client:
        try:
            yield from _examined(config, client, features)
        except CredentialsRejected as error:
            yield _elsewhere(config, error)
        except TokenRejected as error:
            yield failure("access token", error)
        except ZohoCrmError as error:
            yield failure("Zoho", error)


class _ReadOnly:
    """The store of the tasks, which is only read, and a file of this command's own; of their tokens the later one counts."""

    def __init__(self, config: ClientConfig, tasks: TokenSharing) -> None:
        self._seal = TokenSeal(config)
        self._tasks, self._own = tasks, FileTokenStore(tasks.directory)

    def get(self, name: str) -> str | None:
        return max(self._tasks.get(name), self._own.get(name), key=lambda sealed: float(self._seal.open(sealed).get("issued_at", 0.0)))

    def put(self, name: str, value: str) -> None:
        self._own.put(name, value)


def _sharing(config: ClientConfig) -> TokenSharing | None:
    tasks = token_sharing(config)
    return tasks and TokenSharing(_ReadOnly(config, tasks), tasks.directory)


def _examined(config: ClientConfig, client: ZohoCrmClient, features: Sequence[str]) -> Iterator[Finding]:
    token = client.access_token()
    try:
        examination = _start(config, token, features)
    except TokenRejected:
        environment = environment_of(config, token)
        if environment:
            own = config.hosts.environment
            sentence = f"The refresh token was made for {environment}, the connection says {own}. Set environment to {environment}."
            yield Finding("environment", WRONG, sentence)
            return
        if tokens_of(config).granted_here(token):
            raise
        token = client.access_token(rejected=token)
        examination = _start(config, token, features)
    yield _token_finding(config, token)
    yield from examination.findings()


def _start(config: ClientConfig, token: str, features: Sequence[str]) -> Examination:
    known = tokens_of(config).present
    examination = Examination(config, token, split_scopes(known.scope if known else ""), features)
    examination.start()
    return examination


def _token_finding(config: ClientConfig, token: str) -> Finding:
    tokens = tokens_of(config)
    left = round((tokens.present.expires_at - time.time()) / 60) if tokens.present else 0
    origin = "Zoho has just granted one" if tokens.granted_here(token) else "it was granted before, to a task or a check"
    return Finding("access token", OK, f"Works: {origin}, and it lives for {left} more minutes.")


def _elsewhere(config: ClientConfig, error: CredentialsRejected) -> Finding:
    """Say in which data centre the credentials work, if they do in another one, or else what Zoho says."""
    accounts = Accounts(config)
    try:
        # who knows the client can be found out without a token; whose the refresh token is cannot
        unknown = error.code == "invalid_client"
        data_center = accounts.find_client() if unknown else accounts.token(config.credentials.grant, rejected=error)[0]
    except ZohoCrmError:
        return failure("access token", error)
    own, label = config.hosts.data_center, DATA_CENTERS[data_center].label
    sentence = (
        f"The credentials belong to the data center {data_center} ({label}), the connection says {own}. Set data_center to {data_center}."
    )
    return Finding("data center", WRONG, sentence)
