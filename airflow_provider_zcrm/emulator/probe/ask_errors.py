"""What the token endpoint and calls about things that do not exist are answered with. Nothing here makes or deletes anything."""

from __future__ import annotations

from airflow_provider_zcrm.emulator.probe.calls import Reply
from airflow_provider_zcrm.emulator.probe.findings import Findings, shape
from airflow_provider_zcrm.emulator.probe.own import MASS_DELETE
from airflow_provider_zcrm.emulator.probe.run import Run
from airflow_provider_zcrm.emulator.readings import READINGS

OTHER_MODULES = 5


async def ask_accounts(run: Run) -> None:
    """The token response that the run began with, a wrong secret, and a token that is none."""
    body = run.logged_in.body
    run.findings.chosen("scope_in_token_response", "on" if body.get("scope") else "off")
    run.findings.chosen("expires_in", "milliseconds" if "expires_in_sec" in body else "seconds")
    wrong = await run.calls.accounts("token", {**run.calls.credentials.grant, "client_secret": "wrong"})
    error = wrong.body.get("error") if isinstance(wrong.body, dict) else None
    _choose(run.findings, "wrong_secret", wrong, str(error) if error in READINGS["wrong_secret"].choices else None)
    revoked = await run.calls.accounts("token/revoke", {"token": f"1000.{run.own.prefix}"})
    form = "html" if isinstance(revoked.body, str) else "json" if isinstance(revoked.body, dict) else None
    _choose(run.findings, "revoke_error_body", revoked, form if revoked.status == 400 else None)


def _choose(findings: Findings, reading: str, reply: Reply, choice: str | None) -> None:
    if choice is None:
        findings.none_fits(reading, shape(reply))
    else:
        findings.chosen(reading, choice)


async def ask_unknown_jobs(run: Run) -> None:
    """The status of jobs that there are not: the id is that of the module, so it is an id of this org and no job's."""
    no_job = run.own.module_id
    missing = await run.calls.get(MASS_DELETE)
    _choose(run.findings, "missing_job_id_status", missing, str(missing.status) if missing.status in (400, 401) and missing.code else None)
    _read_unknown_tag_job(run.findings, await run.status_of(no_job))
    reply = await run.calls.get(f"/{run.own.module}/actions/mass_delete", job_id=no_job)
    if reply.status == 404:
        _choose(
            run.findings, "records_unknown_job", reply, "404_empty" if reply.body is None else "404" if reply.code == "NOT_FOUND" else None
        )
    else:
        _choose(run.findings, "records_unknown_job", reply, "400" if (reply.status, reply.code) == (400, "INVALID_DATA") else None)


def _read_unknown_tag_job(findings: Findings, reply: Reply) -> None:
    fits = reply.status in (400, 404) and reply.code == "INVALID_DATA"
    _choose(findings, "unknown_job_status", reply, str(reply.status) if fits else None)
    inside = reply.body.get("mass_delete") if isinstance(reply.body, dict) else None
    nested = isinstance(inside, list) and bool(inside) and isinstance(inside[0], list)
    _choose(findings, "unknown_job_nesting", reply, None if not fits or not isinstance(inside, list) else "2" if nested else "1")


async def ask_error_shapes(run: Run) -> None:
    """A delete of records that names none, which is refused whatever the module holds; and a file that is not there."""
    reply = await run.calls.post(f"/{run.own.module}/actions/mass_delete", {})
    wrapped = "data" if reply.elements("data") else "bare"
    _choose(run.findings, "records_error_wrapping", reply, wrapped if reply.status == 400 and reply.code == "MANDATORY_NOT_FOUND" else None)
    file = await run.calls.get(f"/bulk/read/{run.own.module_id}/result")
    if file.code in ("INVALID_URL_PATTERN", "OAUTH_SCOPE_MISMATCH"):
        run.findings.unknown("bulk_not_found_status", f"the org does not answer this call: {shape(file)}")
    else:
        _choose(run.findings, "bulk_not_found_status", file, str(file.status) if file.status in (400, 404) else None)


async def ask_empty_tags(run: Run) -> None:
    """The list of the tags of a module that has none, if one of a few modules is such a module."""
    if run.own.empty:
        run.findings.chosen("empty_tags", run.own.empty)
        return
    for module in run.modules[:OTHER_MODULES]:
        reply = await run.calls.get("/settings/tags", module=module)
        if reply.status == 204 or (reply.status == 200 and isinstance(reply.body, dict) and reply.body.get("tags") == []):
            run.findings.chosen("empty_tags", "204" if reply.status == 204 else "list")
            return
    run.findings.unknown("empty_tags", "no module without tags was found")


def hear_scope_mismatch(findings: Findings, reply: Reply) -> None:
    """Look at any answer: a token that lacks a scope shows how that is reported."""
    if reply.status == 401 and reply.code == "OAUTH_SCOPE_MISMATCH":
        findings.chosen("scope_mismatch_details", "method_and_url" if "method" in reply.details else "empty")
