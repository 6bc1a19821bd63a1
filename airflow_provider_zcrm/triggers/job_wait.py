"""What a task hands to `MassDeleteJobTrigger`: the wait for mass-delete jobs, as JSON values. Imports nothing of Airflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from airflow_provider_zcrm.api.mass_delete import MassDeleteJob


@dataclass(frozen=True, kw_only=True)
class JobWait:
    """A wait for mass-delete jobs. Airflow stores it in clear, so it never holds a secret.

    :param zoho_crm_conn_id: id of the Airflow connection.
    :param jobs: per job ``kind``, ``id`` and ``module``.
    :param started_at: epoch seconds (UTC) of the start of the wait; the schedule of polls counts from here.
    :param deadline: epoch seconds (UTC) at which the trigger gives up.
    :param limit: the name of the argument behind ``deadline``; comes back in the event.
    :param poke_interval: seconds between polls, or None for the schedule that follows the job.
    :param unknown_job_grace: seconds for which Zoho may not know a job.
    :param carry: JSON values that come back in the event.
    :param on_partial_failure: of a task that fails with the first job that fails: ``fail`` or ``ignore``; None waits for all jobs.
    :param finish: end the task when all jobs, and those of ``carry["reports"]``, are COMPLETED and nothing failed.
    :param push_xcom: whether it then gets the reports as its XCom.
    """

    zoho_crm_conn_id: str
    jobs: Sequence[Mapping[str, Any]]
    started_at: float
    deadline: float
    limit: str = "timeout"
    poke_interval: float | None = None
    unknown_job_grace: float = 60.0
    carry: Mapping[str, Any] = field(default_factory=dict)
    on_partial_failure: str | None = None
    finish: bool = False
    push_xcom: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return the arguments of the trigger."""
        return asdict(self)

    def mass_delete_jobs(self) -> list[MassDeleteJob]:
        """Return the jobs that are waited for."""
        return [MassDeleteJob(job["kind"], job["id"], job.get("module")) for job in self.jobs]
