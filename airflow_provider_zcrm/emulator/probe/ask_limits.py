"""What the limits answer. Both experiments bother other programs of the org, so each is asked for by a flag of its own, and bounded.

They are made after the clean-up, which they could only hinder.
"""

from __future__ import annotations

import asyncio

from airflow_provider_zcrm.emulator.probe.calls import Reply
from airflow_provider_zcrm.emulator.probe.findings import shape
from airflow_provider_zcrm.emulator.probe.run import Run

AT_ONCE = 30
TOKENS = 11


async def ask_429(run: Run) -> None:
    """Read the list of tags more often at once than any edition allows, one time."""
    replies = await asyncio.gather(*(run.calls.get("/settings/tags", module=run.own.module) for _ in range(AT_ONCE)))
    refused = next((reply for reply in replies if reply.status == 429), None)
    if refused is None:
        for reading in ("too_many_requests_body", "retry_after"):
            run.findings.unknown(reading, f"{AT_ONCE} calls at once were all answered")
        return
    run.findings.chosen("retry_after", "on" if any(name.lower() == "retry-after" for name in refused.headers) else "off")
    choice = _form(refused)
    if choice is None:
        run.findings.none_fits("too_many_requests_body", shape(refused))
    else:
        run.findings.chosen("too_many_requests_body", choice)


def _form(reply: Reply) -> str | None:
    if isinstance(reply.body, str):
        return "html"
    if not isinstance(reply.body, dict):
        return None
    if "error" in reply.body and reply.body.get("code") == 429:
        return "legacy"
    if reply.code == "TOO_MANY_REQUESTS":
        return "trace" if "trace_id" in reply.details else "envelope"
    return None


async def ask_throttle(run: Run) -> None:
    """Ask for access tokens until the throttle answers. No call can follow."""
    for _ in range(TOKENS):
        reply = await run.calls.ask_token()
        if not run.calls.has_token:
            break
    else:
        for reading in ("throttle_status", "throttle_body"):
            run.findings.unknown(reading, f"{TOKENS} tokens were all granted")
        return
    choice = _words(reply)
    if choice is None or reply.status not in (200, 400):
        for reading in ("throttle_status", "throttle_body"):
            run.findings.none_fits(reading, shape(reply))
        return
    run.findings.chosen("throttle_status", str(reply.status))
    run.findings.chosen("throttle_body", choice)


def _words(reply: Reply) -> str | None:
    if not isinstance(reply.body, dict) or "error" not in reply.body:
        return None
    words = f"{reply.body['error']} {reply.body.get('error_description', '')}"
    if not words.isascii():
        return "localised"
    return "throttle_limit" if "throttle limit" in words.lower() else "too_many_requests" if "too many requests" in words.lower() else None
