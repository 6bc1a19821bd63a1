"""Remove what a run made, and nothing else; also for a run that died, of which only the prefix is known."""

from __future__ import annotations

from dataclasses import dataclass, field

from airflow_provider_zcrm.emulator.probe.calls import BudgetSpent, Clock, Lost
from airflow_provider_zcrm.emulator.probe.names import MAX_RECORDS, MAX_TAGS, Refusal, is_own
from airflow_provider_zcrm.emulator.probe.own import MASS_DELETE, Own, Unclear

ROUNDS = 12
LONGEST_PAUSE = 15.0
PAGES_OF_RECORDS = 10
# Rounds in which tags are deleted one by one; then a job is to do it
ROUNDS_ONE_BY_ONE = 2
# In one module: in each round the lists and what is sent, and two calls for each tag that is deleted alone
CALLS = ROUNDS * 11 + ROUNDS_ONE_BY_ONE * 2 * MAX_TAGS
CALLS_AFTER_DEATH = CALLS + ROUNDS * PAGES_OF_RECORDS


@dataclass
class Cleaned:
    """What a clean-up did in one module: numbers of what it removed, what is left of the run, and why as far as it is known."""

    tags: int = 0
    records: int = 0
    left: list[str] = field(default_factory=list)
    why: str = ""


async def clean_up(own: Own, clock: Clock, *, died: bool = False) -> Cleaned:
    """Remove the run's tags and records from a module. After a run that `died`, they are found by their names alone.

    :raises Refusal: more of them are found than a run makes, so somebody else uses the prefix
    """
    cleaned = Cleaned()
    pause = 0.5
    for number in range(ROUNDS):
        try:
            cleaned.left = []
            await _remove_records(own, cleaned, PAGES_OF_RECORDS if died else 1)
            await _remove_tags(own, cleaned, one_by_one=number < ROUNDS_ONE_BY_ONE)
        except (Lost, Unclear, BudgetSpent) as error:
            cleaned.why = str(error)
            cleaned.left = cleaned.left or [*own.tags.values(), *own.records.values()]
        if not cleaned.left:
            break
        await clock.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)
    return cleaned


async def _remove_records(own: Own, cleaned: Cleaned, pages: int) -> None:
    """Delete the run's records: those whose ids are known, and those that the newest pages of the module show."""
    try:
        newest = await own.newest_records(pages)
    except Unclear:
        if not own.records:
            return  # a token that may read no records has made none
        newest = {}
    found = {record_id: name for record_id, name in newest.items() if is_own(own.prefix, name)}
    _refuse_too_many(own, len(found), MAX_RECORDS, "records")
    ids = await own.deletable_records(list(found | own.records))
    if not ids:
        return
    reply = await own.delete_records(ids)
    left = await own.deletable_records(ids)
    cleaned.records += len(ids) - len(left)
    cleaned.left += [found.get(record_id) or own.records[record_id] for record_id in left]
    if left:
        cleaned.why = f"HTTP {reply.status} {reply.code}"


async def _remove_tags(own: Own, cleaned: Cleaned, *, one_by_one: bool) -> None:
    ids = await own.deletable_tags()
    _refuse_too_many(own, len(ids), MAX_TAGS, "tags")
    for tag_id in ids if one_by_one else []:
        try:
            reply = await own.delete_tag(tag_id)
        except Unclear:
            continue  # gone since, perhaps with a job; the list says so below
        if reply.status != 200:
            cleaned.why = f"HTTP {reply.status} {reply.code}"
    if left := await own.deletable_tags(ids):
        await _submit(own, left, cleaned)
        left = await own.deletable_tags(left)
    cleaned.tags += len(ids) - len(left)
    if left:
        names = await own.list_tags()
        cleaned.left += [names.get(tag_id, tag_id) for tag_id in left]


async def _submit(own: Own, ids: list[str], cleaned: Cleaned) -> None:
    """Let a job delete what could not be deleted one by one; the next round sees the result."""
    module = {"id": own.module_id, "api_name": own.module}
    if sorted(await own.deletable_tags(ids)) != sorted(ids):
        return
    reply = await own.calls.post(MASS_DELETE, {"mass_delete": [{"module": module, "tags": [{"id": tag_id} for tag_id in ids]}]})
    if reply.status >= 400:
        cleaned.why = f"HTTP {reply.status} {reply.code}"


def _refuse_too_many(own: Own, number: int, most: int, what: str) -> None:
    if number > most:
        raise Refusal(
            f"{own.module} has {number} {what} whose names begin with {own.prefix}; a run makes at most {most}. Somebody else uses these "
            "names, so nothing of them is deleted. Look at them in Zoho CRM."
        )
