"""Zoho Accounts: tokens for a refresh token, a grant code or client credentials, with the throttle and the eviction; and revocation.

Errors are ``{"error": ...}``, mostly with HTTP 200; they are not in the CRM's envelope. Parameters come in the query or in a form body.
A request counts for the throttle once the client and its refresh token (or code, or org) are known to be good.
Zoho: accounts/protocol/oauth/token-limits.html, web-apps/access-token-expiry.html, self-client/*.html, revoke-refresh-token.html
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from typing import Any

from airflow_provider_zcrm.emulator.answers import Answer, Refused, html_page
from airflow_provider_zcrm.emulator.call import Incoming
from airflow_provider_zcrm.emulator.hosts import Host, production_api_url
from airflow_provider_zcrm.emulator.model import AccessToken, GrantCode, OAuthClient, Org, RefreshToken
from airflow_provider_zcrm.emulator.world import World

LIFETIME = 3600
WINDOW = 600.0
REQUESTS_PER_WINDOW = 10
MAX_REFRESH_TOKENS = 20
SOID_PREFIX = "ZohoCRM."
CONTINUOUSLY = "You have made too many requests continuously. Please try again after some time."
THROTTLE_BODIES = {
    "too_many_requests": {"error": "Access Denied", "error_description": CONTINUOUSLY, "status": "failure"},
    "throttle_limit": {
        "error": "Access Denied",
        "error_description": "Token creation throttle limit reached. Please reuse the valid tokens you currently have.",
    },
    "localised": {"error": "拒绝访问", "error_description": "您的请求过于频繁。请稍后再试。", "status": "failure"},
}


def token(world: World, incoming: Incoming) -> Answer:
    """Answer ``POST /oauth/v2/token``."""
    params = {**incoming.query, **incoming.form}
    client = _authenticate(world, incoming, params)
    grant = {"refresh_token": _refresh, "authorization_code": _exchange, "client_credentials": _client_credentials}
    handler = grant.get(params.get("grant_type", ""))
    if handler is None:
        raise _error("unsupported_grant_type")  # RFC 6749; Zoho documents none
    return handler(world, client, incoming.host, params)


def _error(name: str) -> Refused:
    return Refused(Answer(200, {"error": name}))


def _authenticate(world: World, incoming: Incoming, params: dict[str, str]) -> OAuthClient:
    client = world.state.clients.get(params.get("client_id", ""))
    secret = client.secret_in(incoming.host.data_center) if client else None
    if client is None or secret is None:
        raise _refused(world, "unknown", "invalid_client")
    if params.get("client_secret") != secret:
        raise _refused(world, "unknown", world.readings["wrong_secret"])
    return client


def _refused(world: World, zgid: str, name: str) -> Refused:
    world.counters.tokens_refused[zgid] += 1
    return _error(name)


def _lives_at(world: World, host: Host, zgid: str) -> bool:
    """Return whether a data centre has the org: codes and tokens of the others it does not know."""
    return host.data_center in (None, world.state.orgs[zgid].data_center)


def _refresh(world: World, client: OAuthClient, host: Host, params: dict[str, str]) -> Answer:
    refresh_token = world.state.refresh_tokens.get(params.get("refresh_token", ""))
    if refresh_token is None or refresh_token.client_id != client.client_id or not _lives_at(world, host, refresh_token.zgid):
        raise _refused(world, "unknown", "invalid_code")
    _throttle(world, refresh_token.token, refresh_token.zgid)
    return Answer(200, _issue(world, refresh_token.token, client, refresh_token.zgid, refresh_token.scopes, refresh_token.user_id))


def _exchange(world: World, client: OAuthClient, host: Host, params: dict[str, str]) -> Answer:
    if params.get("redirect_uri") != client.redirect_uri and client.redirect_uri is not None:
        raise _refused(world, "unknown", "invalid_redirect_uri")
    code = world.state.grant_codes.get(params.get("code", ""))
    if code is None or code.client_id != client.client_id or not _lives_at(world, host, code.zgid):
        raise _refused(world, "unknown", "invalid_code")
    if code.used or code.expires_at <= world.now():
        raise _refused(world, "unknown", "invalid_code")
    _throttle(world, f"codes of {client.client_id}", code.zgid)
    code.used = True
    refresh_token = _new_refresh_token(world, code)
    body = _issue(world, refresh_token.token, client, code.zgid, code.scopes, refresh_token.user_id)
    return Answer(200, {**body, "refresh_token": refresh_token.token})


def _new_refresh_token(world: World, code: GrantCode) -> RefreshToken:
    """Make a refresh token; the 21st of a user and client deletes the first one and its access tokens."""
    user_id = world.state.orgs[code.zgid].owner.id
    made = RefreshToken(_secret(), code.client_id, code.zgid, code.scopes, user_id, world.now())
    siblings = [
        other for other in world.state.refresh_tokens.values() if (other.client_id, other.user_id) == (made.client_id, made.user_id)
    ]
    for oldest in siblings[: max(0, len(siblings) + 1 - MAX_REFRESH_TOKENS)]:
        _forget_refresh_token(world, oldest.token)
    world.state.refresh_tokens[made.token] = made
    return made


def _client_credentials(world: World, client: OAuthClient, host: Host, params: dict[str, str]) -> Answer:
    soid = params.get("soid", "")
    org = world.state.orgs.get(soid.removeprefix(SOID_PREFIX)) if soid.startswith(SOID_PREFIX) else None
    if org is None or client.secret_in(org.data_center) is None or not _lives_at(world, host, org.zgid):
        raise _refused(world, "unknown", "missing_org_info")
    if not client.client_credentials:
        raise _refused(world, org.zgid, "invalid_client")
    scopes = [scope for scope in re.split(r"[,\s]+", params.get("scope", "")) if scope]
    if not scopes or not all(scope.lower().startswith(("zohocrm.", "zohosearch.")) for scope in scopes):
        raise _refused(world, org.zgid, "invalid_scope")  # RFC 6749; Zoho documents none
    source = f"{client.client_id} for {org.zgid}"
    _throttle(world, source, org.zgid)
    return Answer(200, _issue(world, source, client, org.zgid, scopes, org.owner.id))


def _throttle(world: World, source: str, zgid: str) -> None:
    """Refuse the 11th request within ten minutes, until the oldest of the ten is ten minutes old."""
    now = world.now()
    requests = [moment for moment in world.state.token_requests.get(source, []) if moment > now - WINDOW]
    refused = len(requests) >= REQUESTS_PER_WINDOW
    if not refused or world.readings["throttle_extended_by_retries"] == "on":
        requests = [*requests, now][-REQUESTS_PER_WINDOW:]
    world.state.token_requests[source] = requests
    if refused:
        world.counters.tokens_refused[zgid] += 1
        raise Refused(throttled(world))


def throttled(world: World) -> Answer:
    """Return the throttle's answer as the readings have it."""
    return Answer(int(world.readings["throttle_status"]), THROTTLE_BODIES[world.readings["throttle_body"]])


def _issue(world: World, source: str, client: OAuthClient, zgid: str, scopes: list[str], user_id: str) -> dict[str, Any]:
    """Issue an access token, invalidate the oldest beyond the cap, and return the token response."""
    org = world.state.orgs[zgid]
    now = world.now()
    made = AccessToken(_secret(), source, client.client_id, zgid, scopes, user_id, now + LIFETIME)
    alive = [other.token for other in world.state.access_tokens.values() if other.source == source and other.expires_at > now]
    _forget(world, alive[: max(0, len(alive) + 1 - int(world.readings["max_active_tokens"]))])
    _forget(world, [other.token for other in world.state.access_tokens.values() if other.expires_at <= now])
    world.state.access_tokens[made.token] = made
    world.counters.tokens_issued[zgid] += 1
    return _token_response(world, made, org)


def _secret() -> str:
    return f"1000.{secrets.token_hex(16)}.{secrets.token_hex(16)}"


def _token_response(world: World, made: AccessToken, org: Org) -> dict[str, Any]:
    """Name the production host as ``api_domain``, as Zoho does even for a sandbox, unless the org says otherwise."""
    body: dict[str, Any] = {"access_token": made.token}
    if world.readings["scope_in_token_response"] == "on":  # noqa: S105 - a switch
        body["scope"] = " ".join(made.scopes)
    body |= {"api_domain": org.api_domain or production_api_url(org.data_center), "token_type": "Bearer", "expires_in": LIFETIME}
    if world.readings["expires_in"] == "milliseconds":
        body |= {"expires_in_sec": LIFETIME, "expires_in": LIFETIME * 1000}
    return body


def revoke(world: World, incoming: Incoming) -> Answer:
    """Answer ``POST /oauth/v2/token/revoke``: a refresh token takes its access tokens with it."""
    given = {**incoming.query, **incoming.form}.get("token", "")
    if given in world.state.refresh_tokens:
        _forget_refresh_token(world, given)
    elif given in world.state.access_tokens:
        _forget(world, [given])
    elif world.readings["revoke_error_body"] == "html":
        return html_page(400, "Invalid token")
    else:
        return Answer(400, {"error": "invalid_token"})
    return Answer(200, {"status": "success"})


def _forget_refresh_token(world: World, refresh_token: str) -> None:
    del world.state.refresh_tokens[refresh_token]
    _forget(world, [other.token for other in world.state.access_tokens.values() if other.source == refresh_token])


def _forget(world: World, tokens: Iterable[str]) -> None:
    for access_token in list(tokens):
        del world.state.access_tokens[access_token]
