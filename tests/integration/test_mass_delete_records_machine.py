"""Whatever happens to a task that deletes the records of a custom view, a second submission needs a person's word.

Hypothesis draws attempts, faults, deaths, clears and lost journals; the emulator tells what was sent.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from airflow_provider_zcrm.api.call import ApiCall
from airflow_provider_zcrm.api.errors import ZohoCrmError
from airflow_provider_zcrm.client.sync_client import ZohoCrmClient
from airflow_provider_zcrm.deletion import records_by_view
from airflow_provider_zcrm.deletion.clock import AttemptClock
from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.operators.mass_delete_records import MassDeleteRecordsOperator
from tests.airflow_task import TaskRun

MASS_DELETE = "Leads/actions/mass_delete"
ALL_LEADS = "2276164000000538001"
REFUSED = {"code": "NO_PERMISSION", "details": {}, "message": "permission denied", "status": "error"}
RUNNING = {"code": "ALREADY_SCHEDULED", "details": {"api_name": "cvid"}, "message": "m", "status": "error"}
# what meets the POST
FAULTS: dict[str, dict[str, Any]] = {
    "none": {},
    "lost before": {"kind": "drop_before"},
    "lost after": {"kind": "drop_after"},
    "500": {"kind": "status", "status": 500},
    "refused": {"kind": "status", "status": 403, "body": REFUSED},
    "another job": {"kind": "status", "status": 400, "body": RUNNING},
}
PROVEN_REFUSALS = (400, 401, 403)


class Killed(BaseException):
    """Stands for SIGKILL: no handler of the code may run to its end, so it is no Exception."""


class Person:
    """What a task and the person who looks after it do; the emulator says after each step what was sent.

    `word` is true from the moment that the person allows a second submission until one is sent.
    """

    def __init__(self, control: Control, *, state: bool) -> None:
        control.seed("minimal")
        self.control = control
        task = MassDeleteRecordsOperator(task_id="delete", module="Leads", cvid=ALL_LEADS, max_records=None, retries=3)
        self.task = TaskRun(task, state=state)
        self.submitted = False
        self.word = False

    def another_attempt(self, fault: str, plan: dict[str, Any], dies: str | int | None) -> None:
        self.control.clear_faults()
        self.control.next_jobs(1, **plan)
        if order := FAULTS[fault]:
            self.control.fault(path=MASS_DELETE, method="POST", **order)
        before = len(self.control.requests(MASS_DELETE, "POST"))
        self._run(dies)
        answers = [post["status"] for post in self.control.requests(MASS_DELETE, "POST")[before:]]
        may_be_taken = [status for status in answers if status not in PROVEN_REFUSALS]
        assert len(may_be_taken) <= 1
        if may_be_taken:
            assert not self.submitted or self.word, "submitted twice, and nobody has said so"
            self.submitted, self.word = True, False

    def clear(self, *, confirms: bool, loses_journal: bool, reset_dag_run: bool) -> None:
        self.task.clear(reset_dag_run=reset_dag_run)
        self.task.task.confirm_resubmit = self.word = confirms  # type: ignore[attr-defined]
        if loses_journal and self.task.store is not None:
            self.task.store.values.clear()

    def _run(self, dies: str | int | None) -> None:
        """Run an attempt that dies before or after the POST, or fails at a write to the store, or does neither."""
        if self.task.store is not None:
            self.task.store.fail_on_write = self.task.store.writes + dies if isinstance(dies, int) else None
        with pytest.MonkeyPatch.context() as patch, suppress(ZohoCrmError, Killed, RuntimeError):
            patch.setattr(ZohoCrmClient, "send_with", _dying_send(dies))
            self.task.try_once()


def _dying_send(dies: str | int | None) -> Callable[..., Any]:
    send_with = ZohoCrmClient.send_with

    def dying(client: ZohoCrmClient, call: ApiCall[Any], token: str) -> Any:
        if dies == "before the POST":
            raise Killed
        value = send_with(client, call, token)
        if dies == "after the POST":
            raise Killed
        return value

    return dying


class HastyClock(AttemptClock):
    """Goes forward instead of waiting, but only twice."""

    waits = 0

    def sleep_until(self, at: float) -> None:
        self.waits += 1
        if self.waits > 2:
            raise Killed
        self._started += max(0.0, at - self.now())


def machine(control: Control, *, state: bool) -> type[RuleBasedStateMachine]:
    class Machine(RuleBasedStateMachine):
        @initialize()
        def start(self) -> None:
            self.person = Person(control, state=state)

        @rule(
            fault=st.sampled_from(["none", *FAULTS]),
            plan=st.sampled_from([{}, {"outcome": "failed"}, {"start_delay": 60}]),
            dies=st.sampled_from([*[None] * 6, "before the POST", "after the POST", 1, 2, 3, 4]),
        )
        def another_attempt(self, fault: str, plan: dict[str, Any], dies: str | int | None) -> None:
            self.person.another_attempt(fault, plan, dies)

        @rule(confirms=st.booleans(), loses_journal=st.booleans(), reset_dag_run=st.booleans())
        def clear(self, confirms: bool, loses_journal: bool, reset_dag_run: bool) -> None:
            self.person.clear(confirms=confirms, loses_journal=loses_journal, reset_dag_run=reset_dag_run)

        @rule(seconds=st.sampled_from([1, 120]))
        def time_passes(self, seconds: int) -> None:
            control.advance(seconds)
            control.add_records("Leads", ["2276164000006065099"])

    return Machine


@pytest.mark.parametrize("state", [True, False], ids=["journal", "no journal"])
def test_a_view_is_submitted_again_only_when_a_person_says_so(emulator: Control, monkeypatch: pytest.MonkeyPatch, state: bool) -> None:
    monkeypatch.setattr(records_by_view, "AttemptClock", HastyClock)
    # no shrinking, which would outlast the time that a test has
    quick = settings(
        deadline=None,
        database=None,
        max_examples=60,
        stateful_step_count=12,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine(emulator, state=state), settings=quick)
