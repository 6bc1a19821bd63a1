"""`RecordRestoreTrigger`: waits in the triggerer until records are in their module again.

Zoho restores more than 1,000 records in the background and gives no job id, so the records themselves are looked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_zcrm.api.records import present_records
from airflow_provider_zcrm.rules.poll_schedule import PollSchedule
from airflow_provider_zcrm.rules.restore_watch import RestoreWatch
from airflow_provider_zcrm.triggers.event import RESTORE_KIND
from airflow_provider_zcrm.triggers.polling import PollingTrigger

if TYPE_CHECKING:
    from airflow_provider_zcrm.client.async_client import AsyncZohoCrmClient


@dataclass(frozen=True, kw_only=True)
class RestoreWait:
    """A wait for records, as JSON values. Airflow stores it in clear, so it never holds a secret.

    :param zoho_crm_conn_id: id of the Airflow connection.
    :param module: API name of the module.
    :param record_ids: at most 100.
    :param started_at: epoch seconds (UTC) of the start of the wait.
    :param deadline: epoch seconds (UTC) at which the trigger gives up.
    :param limit: the name of the argument behind ``deadline``; comes back in the event.
    :param poke_interval: seconds between looks, or None for the schedule that grows with the wait.
    """

    zoho_crm_conn_id: str
    module: str
    record_ids: Sequence[str]
    started_at: float
    deadline: float
    limit: str = "timeout"
    poke_interval: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the arguments of the trigger."""
        return asdict(self)


class RecordRestoreTrigger(PollingTrigger[RestoreWatch]):
    """Waits until records are in their module again.

    :param wait: the arguments of `RestoreWait`.
    """

    def __init__(self, **wait: Any) -> None:
        super().__init__()
        self.wait: RestoreWait = RestoreWait(**wait)

    def _new_watch(self, schedule: PollSchedule) -> RestoreWatch:
        return RestoreWatch(self.wait.module, self.wait.record_ids, schedule)

    async def _poll(self, client: AsyncZohoCrmClient, watch: RestoreWatch, *, last: bool) -> None:  # noqa: ARG002 - as every trigger
        self._api_calls += 1
        present = await client.send(present_records(self.wait.module, watch.away))
        watch.saw(present, self._elapsed())
        self.log.info("%s.", watch.last_words())

    def _told(self, watch: RestoreWatch) -> dict[str, Any]:
        number = len(self.wait.record_ids)
        return {"kind": RESTORE_KIND, "back": [number - len(watch.away), number]}
