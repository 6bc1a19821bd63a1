"""How often and how late a job is asked for, by the real client at the emulator, whose clock goes on only from poll to poll."""

from __future__ import annotations

import pytest

from airflow_provider_zcrm.api.mass_delete import MassDeleteJob, job_status, submit_tags
from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.hooks.zcrm import ZohoCrmHook
from airflow_provider_zcrm.rules.job_watch import JobWatch
from airflow_provider_zcrm.rules.poll_schedule import PollSchedule

LEADS_ID = "2276164000000000125"
STATUS = "settings/tags/actions/mass_delete"


def polls(emulator: Control, length: float, queued: float) -> tuple[int, float]:
    """Return how many polls a job took, and how many seconds after its end the last one was."""
    client = ZohoCrmHook().get_conn()
    emulator.freeze()
    emulator.jobs(start_delay=queued * length, duration=(1 - queued) * length)
    ids = emulator.add_tags("Leads", [f"tag {number}" for number in range(200)])
    job = MassDeleteJob("tags", client.send(submit_tags("Leads", LEADS_ID, ids)))
    watch, elapsed = JobWatch([job], PollSchedule(), 60.0), 0.0
    while True:
        assert watch.due_jobs(elapsed) == [job]
        watch.saw(job, client.send(job_status(job)), elapsed)
        if not watch.open_jobs():
            # the client's clock stands still, so it learns from a 401 that its token has grown old
            answered = [entry for entry in emulator.requests(STATUS, "GET") if entry["status"] == 200]
            return len(answered), elapsed - length
        wait = watch.next_wait(elapsed)
        emulator.advance(wait)
        elapsed += wait


@pytest.mark.parametrize("counts", ["present", "absent"])
@pytest.mark.parametrize("queued", [0.0, 0.4])
@pytest.mark.parametrize("length", [2.0, 5.0, 44.0, 600.0, 3600.0, 6 * 3600.0])
def test_a_job_is_asked_for_seldom_and_its_end_noticed_soon(emulator: Control, length: float, queued: float, counts: str) -> None:
    emulator.readings(counts=counts)
    number, late = polls(emulator, length, queued)

    assert 0 <= late <= max(5.0, length / 10)
    assert number <= (75 if length > 3600 else 57)
    if counts == "present" and not queued:
        assert number <= 50
