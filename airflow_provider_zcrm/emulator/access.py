"""Who may do what: the Authorization header, the scopes of a token, the limits of an org.

Only ``Zoho-oauthtoken <token>`` is a token; anything else is AUTHENTICATION_FAILURE. A token that is unknown, expired, evicted, revoked or
of another environment or data centre than the host's is INVALID_TOKEN; one without the scope is OAUTH_SCOPE_MISMATCH. All three are 401.
"""

from __future__ import annotations

from collections.abc import Iterable

from airflow_provider_zcrm.emulator.answers import Answer, Refused, envelope, html_page, refuse
from airflow_provider_zcrm.emulator.call import Incoming
from airflow_provider_zcrm.emulator.editions import concurrency_of
from airflow_provider_zcrm.emulator.model import AccessToken, Org
from airflow_provider_zcrm.emulator.world import World

PREFIX = "Zoho-oauthtoken "
TOO_MANY = "Many requests fired than the allowed limit for the past 24 hours."
RETRY_AFTER = 60


def token_of(world: World, incoming: Incoming) -> AccessToken | None:
    """Return the valid access token of a request, or None."""
    header = incoming.headers.get("Authorization", "")
    token = world.state.access_tokens.get(header.removeprefix(PREFIX)) if header.startswith(PREFIX) else None
    if token is None or token.expires_at <= world.now() or not _right_host(world.org_of(token), incoming):
        return None
    return token


def _right_host(org: Org, incoming: Incoming) -> bool:
    host = incoming.host
    return host.data_center in (None, org.data_center) and host.environment in (None, org.environment)


def no_token(incoming: Incoming) -> Refused:
    """Return the refusal for a request without a valid token."""
    header = incoming.headers.get("Authorization", "")
    if not header.startswith(PREFIX) or not header.removeprefix(PREFIX).strip():
        return refuse(401, "AUTHENTICATION_FAILURE", "Authentication failed")
    return refuse(401, "INVALID_TOKEN", "invalid oauth token")


def check_limits(world: World, org: Org, at_once: int) -> None:
    """Refuse the call with 429 if the org's simultaneous calls or its credits are used up."""
    if at_once > concurrency_of(org) or world.credits_left(org) <= 0:
        raise Refused(too_many_requests(world))


def too_many_requests(world: World) -> Answer:
    """Return the 429 as the readings have it; Zoho's is the same for calls at once and for credits."""
    headers = {"Retry-After": str(RETRY_AFTER)} if world.readings["retry_after"] == "on" else {}
    variant = world.readings["too_many_requests_body"]
    if variant == "html":
        page = html_page(429, "Too many requests")
        return Answer(429, page.body, page.content_type, headers)
    bodies = {
        "envelope": envelope("TOO_MANY_REQUESTS", TOO_MANY),
        "legacy": {"code": 429, "error": "TOO_MANY_REQUESTS", "error_info": TOO_MANY, "details": []},
        "trace": envelope(
            "TOO_MANY_REQUESTS",
            "Rate limit exceeded. Please retry after the specified time.",
            {"trace_id": "7d0a3a5c", "retry_after": RETRY_AFTER, "limit": 100, "window": 60},
        ),
    }
    return Answer(429, bodies[variant], headers=headers)


def check_scope(world: World, incoming: Incoming, token: AccessToken, accepted: Iterable[str]) -> None:
    """Refuse the call unless the token holds one of the accepted scopes; case does not matter."""
    held = {scope.lower() for scope in token.scopes}
    if held.isdisjoint(scope.lower() for scope in accepted):
        details = {"method": incoming.method, "url": incoming.path}
        if world.readings["scope_mismatch_details"] == "empty":
            details = {}
        raise refuse(401, "OAUTH_SCOPE_MISMATCH", "invalid oauth scope to access this URL", details)
