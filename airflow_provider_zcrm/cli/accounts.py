"""Which data centre knows a client, and which one gives it a token for its grant.

A grant code works once, and whether Zoho counts a request that it refuses is not documented. So a code is sent only to data centres
that know the client with this secret, which a request with a code that cannot exist finds out (``invalid_code`` comes after
``invalid_client`` and ``invalid_client_secret``), and it is sent to each of them once. A data centre does not know the codes of another
one, so asking the wrong one does not use a code up.
Zoho: accounts/protocol/oauth/self-client/authorization-code-flow.html, multi-dc.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from airflow_provider_zcrm.api.data_centers import DATA_CENTERS, agreed_hosts, hosts_of
from airflow_provider_zcrm.api.errors import ConnectionFailed, CredentialsRejected, ServiceUnavailable, UnreadableResponse, ZohoCrmError
from airflow_provider_zcrm.api.oauth import AccessToken, AuthorizationCodeGrant, ClientCredentialsGrant, RefreshTokenGrant
from airflow_provider_zcrm.client.config import ClientConfig
from airflow_provider_zcrm.client.retries import NO_RETRIES
from airflow_provider_zcrm.client.sync_client import ZohoCrmClient

Grant = AuthorizationCodeGrant | RefreshTokenGrant | ClientCredentialsGrant

_NO_CODE = AuthorizationCodeGrant("1000.this-is-no-code")
# a system of its own: accounts of the other data centres do not exist there
_CHINA = "cn"
_LOST = (ConnectionFailed, ServiceUnavailable, UnreadableResponse)


class CodeRejected(CredentialsRejected):
    """Zoho knows the client with its secret, and does not take the grant code; another code may work."""


@dataclass
class Accounts:
    """Zoho's accounts servers, asked about one client.

    :param config: client id, secret, environment, and the data centre to ask first.
    :param tell: called with the data centre before it is asked.
    """

    config: ClientConfig
    tell: Callable[[str], None] = lambda _: None

    def find_client(self) -> str:
        """Return the data centre that knows the client: the connection's, or else another one.

        :raises CredentialsRejected: none does; or one does, but with another secret
        :raises ZohoCrmError: the connection's data centre cannot be asked
        """
        answers: dict[str, str] = {}
        for data_center in self._order():
            answers[data_center] = self._says(data_center)
            if answers[data_center] == "invalid_code":
                return data_center
        known = [data_center for data_center, answer in answers.items() if answer == "invalid_client_secret"]
        if known:
            raise CredentialsRejected(
                f"Zoho knows the client id in the data center {', '.join(known)}, but not with this client secret.",
                advice=f"Copy the secret again, in {DATA_CENTERS[known[0]].console_url}; each data center has its own.",
            )
        raise CredentialsRejected(
            f"Zoho does not know this client id in the data center {', '.join(answers)}, or not with this secret.",
            advice=f"Copy both again from the tab Client Secret in {DATA_CENTERS[self._chosen].console_url}.",
        )

    def token(self, grant: Grant, rejected: CredentialsRejected | None = None) -> tuple[str, AccessToken]:
        """Return the data centre that gives a token for the grant, and the token.

        :param rejected: what the connection's data centre has said already; it is not asked again.
        :raises CodeRejected: none does, for a grant code
        :raises CredentialsRejected: none does; what the connection's data centre says
        :raises ZohoCrmError: Zoho cannot be asked; a grant code may then be used up
        """
        for data_center in self._order():
            if rejected and (data_center == self._chosen or self._says(data_center) != "invalid_code"):
                continue
            try:
                return data_center, self._ask(data_center, grant)
            except CredentialsRejected as error:
                rejected = rejected or (_code_rejected(error) if isinstance(grant, AuthorizationCodeGrant) else error)
            except _LOST as error:
                if isinstance(grant, AuthorizationCodeGrant):
                    error.advice = "The grant code may be used up all the same: make a new one and try again."
                raise
        raise rejected or CredentialsRejected("Zoho gives no token.")

    @property
    def _chosen(self) -> str:
        return self.config.hosts.data_center

    def _order(self) -> Iterator[str]:
        """Give the connection's data centre, then those to which the account might belong instead."""
        yield self._chosen
        if self._chosen == _CHINA or self.config.hosts.overridden:
            return
        yield from (name for name in DATA_CENTERS if name not in (self._chosen, _CHINA))

    def _says(self, data_center: str) -> str:
        """Return what a data centre answers to a code that cannot exist; "" for one of the others that cannot be asked."""
        try:
            self._ask(data_center, _NO_CODE)
        except CredentialsRejected as error:
            return error.code
        except ZohoCrmError:
            if data_center == self._chosen:
                raise
        return ""

    def _ask(self, data_center: str, grant: Grant) -> AccessToken:
        self.tell(data_center)
        with ZohoCrmClient(at(self.config, data_center, grant=grant), NO_RETRIES) as client:
            return client.request_token()


def _code_rejected(error: CredentialsRejected) -> CredentialsRejected:
    if error.code != "invalid_code":
        return error
    return CodeRejected(
        "Zoho does not accept the grant code: it has expired, was used before, or is of another client. Nothing was created.",
        advice="Make a new code in the tab Generate Code, with a longer duration than 3 minutes, and paste it at once. The client id and "
        "the secret are right.",
        code=error.code,
    )


def at(config: ClientConfig, data_center: str = "", environment: str = "", grant: Grant | None = None) -> ClientConfig:
    """Return the settings with another data centre, environment or grant; a host that the connection names itself stays."""
    hosts = config.hosts
    center = DATA_CENTERS[data_center or hosts.data_center]
    if hosts.overridden:
        hosts = agreed_hosts(center.name, environment or hosts.environment, hosts.accounts_url, hosts.api_url)
    else:
        hosts = hosts_of(center.name, environment or hosts.environment)
    credentials = replace(config.credentials, grant=grant) if grant else config.credentials
    return replace(config, hosts=hosts, credentials=credentials)
