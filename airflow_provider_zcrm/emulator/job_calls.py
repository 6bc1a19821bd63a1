"""What the two mass-delete APIs share: taking a job on, looking for unfinished ones, and writing a job's id and state."""

from __future__ import annotations

from airflow_provider_zcrm.emulator.call import Call
from airflow_provider_zcrm.emulator.jobs import schedule, state_of
from airflow_provider_zcrm.emulator.model import Job, Module


def accept(call: Call, module: Module, kind: str, items: list[str], cvid: str | None = None) -> Job:
    """Schedule a job as the control endpoint planned it, and count it."""
    job = schedule(call.org, module, kind, items, call.world.next_job_plan(), call.now, cvid)
    entry = {"job_id": job.id, "kind": kind, "zgid": call.org.zgid, "module": module.api_name, "items": items, "at": call.now}
    call.world.counters.jobs.append(entry)
    return job


def unfinished(call: Call, kind: str) -> list[Job]:
    """Return the org's jobs of a kind that have not ended."""
    return [job for job in call.org.jobs.values() if job.kind == kind and not job.finished]


def written_id(call: Call, job_id: str) -> str | int:
    """Return a job id in the JSON type that the reading asks for."""
    return job_id if call.reads("job_id_type", "string") else int(job_id)


def word(call: Call, job: Job) -> str:
    """Return the job's state in the word that the reading asks for."""
    state = state_of(job, call.now)
    return call.world.readings["running_word"] if state == "RUNNING" else state
