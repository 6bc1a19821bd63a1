"""Access tokens: what to ask Zoho Accounts for, and how to read the answer.

Errors come mostly as HTTP 200 with ``{"error": ...}``, so the status says nothing: an answer is good if it is JSON with a
non-empty ``access_token``. Secrets travel in the form body, never in the URL.
Zoho: accounts/protocol/oauth/web-apps/access-token-expiry.html, self-client/authorization-code-flow.html,
self-client/client-credentials-flow.html, token-limits.html
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from airflow_provider_zcrm.api.answers import read_json
from airflow_provider_zcrm.api.call import ApiResponse
from airflow_provider_zcrm.api.data_centers import Hosts, data_center_of
from airflow_provider_zcrm.api.errors import (
    CONN_ID,
    CredentialsRejected,
    InvalidConnection,
    ServiceUnavailable,
    TokenThrottled,
    UnreadableResponse,
    ZohoCrmError,
)

TOKEN_PATH = "/oauth/v2/token"  # noqa: S105
_DEFAULT_LIFE = 3600.0


@dataclass(frozen=True)
class RefreshTokenGrant:
    """The grant for a server: a refresh token that was made once and does not expire."""

    refresh_token: str = field(repr=False)

    def form(self) -> dict[str, str]:
        """Return the grant's part of the form."""
        return {"grant_type": "refresh_token", "refresh_token": self.refresh_token}


@dataclass(frozen=True)
class ClientCredentialsGrant:
    """The grant without a refresh token.

    :param zsoid: the id of the org (``zgid``), sent as ``soid=ZohoCRM.<zsoid>``.
    :param scope: comma-separated scopes.
    """

    zsoid: str
    scope: str

    def form(self) -> dict[str, str]:
        """Return the grant's part of the form."""
        return {"grant_type": "client_credentials", "scope": self.scope, "soid": f"ZohoCRM.{self.zsoid}"}


@dataclass(frozen=True)
class AuthorizationCodeGrant:
    """The grant that exchanges a code, which lives for minutes and works once, for a refresh token.

    :param redirect_uri: as registered, for a web client; None for a self client.
    """

    code: str = field(repr=False)
    redirect_uri: str | None = None

    def form(self) -> dict[str, str]:
        """Return the grant's part of the form."""
        redirect = {"redirect_uri": self.redirect_uri} if self.redirect_uri else {}
        return {"grant_type": "authorization_code", "code": self.code, **redirect}


@dataclass(frozen=True)
class Credentials:
    """A client of Zoho's API console and the grant that it uses."""

    client_id: str
    client_secret: str = field(repr=False)
    grant: RefreshTokenGrant | ClientCredentialsGrant | AuthorizationCodeGrant

    def form(self) -> dict[str, str]:
        """Return the form that asks for an access token."""
        return {"client_id": self.client_id, "client_secret": self.client_secret, **self.grant.form()}

    def secrets(self) -> list[str]:
        """Return what nobody may see."""
        form = self.form()
        return [form[name] for name in ("client_secret", "refresh_token", "code") if name in form]


@dataclass(frozen=True)
class AccessToken:
    """An access token.

    :param value: what goes into the ``Authorization`` header.
    :param expires_in: seconds.
    :param refresh_token: only in the answer to an authorization code.
    :param foreign_api_domain: an ``api_domain`` that is none of Zoho's known hosts: to be ignored with a warning.
    :param data_center: where the account lives, as far as ``api_domain`` tells.
    """

    value: str = field(repr=False)
    expires_in: float
    scope: str = ""
    refresh_token: str | None = field(default=None, repr=False)
    foreign_api_domain: str | None = None
    data_center: str | None = None


def parse_token(response: ApiResponse, hosts: Hosts) -> AccessToken:
    """Read the answer of the token endpoint for a connection.

    :raises TokenThrottled: too many tokens in ten minutes
    :raises CredentialsRejected: any other error, with what to change
    :raises InvalidConnection: the account lives in another data centre than the connection says
    :raises UnreadableResponse: no JSON
    """
    token = read_token(response, hosts)
    if token.data_center not in (None, hosts.data_center):
        raise InvalidConnection(
            f"This Zoho account lives in the data center {token.data_center}, the connection says {hosts.data_center}.",
            advice=f"Set data_center to {token.data_center}.",
        )
    return token


def read_token(response: ApiResponse, hosts: Hosts) -> AccessToken:
    """Read the answer of the token endpoint; where the account lives is for the caller to judge.

    :raises ZohoCrmError: as `parse_token`, but for the data centre
    """
    body = read_json(response.body)
    if not isinstance(body, dict):
        raise UnreadableResponse(
            f"Zoho Accounts ({hosts.accounts_url}) answered HTTP {response.status} with something that is not its JSON.",
            status=response.status,
        )
    value = body.get("access_token")
    if not is_token(value):
        raise _token_error(body, response.status, hosts)
    refresh_token = body.get("refresh_token")
    api_domain = str(body.get("api_domain") or "")
    # it never chooses a host: Zoho names the production host to a sandbox
    elsewhere = bool(api_domain) and api_domain != hosts.api_url
    data_center = data_center_of(api_domain) if elsewhere else None
    return AccessToken(
        value,
        _life(body),
        str(body.get("scope") or ""),
        refresh_token if is_token(refresh_token) else None,
        api_domain if elsewhere and data_center is None else None,
        data_center,
    )


def is_token(value: Any) -> TypeGuard[str]:
    """Return whether a value can be sent as a token: printable ASCII without blanks."""
    return isinstance(value, str) and bool(re.fullmatch(r"[!-~]+", value))


def _life(body: dict[str, Any]) -> float:
    """Seconds of validity; in legacy answers ``expires_in`` is milliseconds and ``expires_in_sec`` the seconds."""
    try:
        seconds = float(body.get("expires_in_sec") or body.get("expires_in") or _DEFAULT_LIFE)
    except (TypeError, ValueError, OverflowError):
        return _DEFAULT_LIFE
    # a token that never or always seems to have ended would be kept too long, or asked for with every call
    return seconds if 0 < seconds < math.inf else _DEFAULT_LIFE


_PERMANENT = {
    "invalid_client": "Zoho does not know this client id in the data center {center}. Check the client id (login) and data_center.",
    "invalid_client_secret": "The client secret (password) is wrong for the data center {center}. Copy it again from Zoho's API console; "
    "each data center has its own.",
    "invalid_code": "Zoho does not accept the refresh token: it was revoked, has expired, or belongs to another client or to another data "
    f"center than {{center}}. Make a new refresh token: python -m airflow_provider_zcrm connect {CONN_ID} --replace",
    "invalid_redirect_uri": "The redirect URI is not the one that the client is registered with.",
    "missing_org_info": "Zoho does not know the org. Check zsoid: it is the org's zgid (Setup > Company Details).",
}


# faults of Zoho's own, whatever their status
_PASSING = ("general_error", "server_error", "internal_error", "temporarily_unavailable")


def _token_error(body: dict[str, Any], status: int, hosts: Hosts) -> ZohoCrmError:
    """Choose the error: the known words are permanent, a described or localised error is the throttle, a 5xx passes."""
    error = body.get("error")
    error = error if isinstance(error, str) else ""
    where: dict[str, Any] = {"status": status, "code": error, "method": "POST", "path": TOKEN_PATH}
    if error in _PERMANENT:
        advice = _PERMANENT[error].format(center=hosts.data_center)
        return CredentialsRejected(f"Zoho Accounts ({hosts.accounts_url}) refuses the credentials.", advice=advice, **where)
    in_words = error and not re.fullmatch(r"[a-z_]+", error)
    passing = status >= 500 or error in _PASSING
    if status == 429 or (not passing and (in_words or (error and ("error_description" in body or body.get("status") == "failure")))):
        return TokenThrottled("Zoho grants no more access tokens for now.", **where)
    if passing:
        return ServiceUnavailable(f"Zoho Accounts ({hosts.accounts_url}) cannot answer: {error or 'no reason said'}.", **where)
    if not error:
        return UnreadableResponse(f"Zoho Accounts ({hosts.accounts_url}) gave neither an access token nor an error.", **where)
    return CredentialsRejected(f"Zoho Accounts ({hosts.accounts_url}) gave no access token: {error}.", **where)


def grant_of(
    grant_type: str, refresh_token: str | None, zsoid: str | None, scope: str | None
) -> RefreshTokenGrant | ClientCredentialsGrant:
    """Make the grant that a connection describes.

    :raises InvalidConnection: naming the field that is missing or wrong
    """
    if grant_type == "refresh_token":
        if not refresh_token:
            raise InvalidConnection(
                "The connection has no refresh_token.", advice=f"To make one: python -m airflow_provider_zcrm connect {CONN_ID} --replace"
            )
        return RefreshTokenGrant(refresh_token)
    if grant_type != "client_credentials":
        raise InvalidConnection(f"grant_type is {grant_type!r}; it must be refresh_token or client_credentials.")
    if not zsoid:
        raise InvalidConnection("grant_type client_credentials needs zsoid, the id of the org (zgid).")
    if not scope:
        raise InvalidConnection("grant_type client_credentials needs scope, the scopes separated by commas.")
    return ClientCredentialsGrant(zsoid, scope)
