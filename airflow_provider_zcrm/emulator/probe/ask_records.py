"""Tags on records, deletes of records by their ids, and the search."""

from __future__ import annotations

from airflow_provider_zcrm.emulator.probe.ask_tags import BY_NAME, POOL
from airflow_provider_zcrm.emulator.probe.calls import Reply
from airflow_provider_zcrm.emulator.probe.findings import shape
from airflow_provider_zcrm.emulator.probe.names import name_of
from airflow_provider_zcrm.emulator.probe.own import Unclear
from airflow_provider_zcrm.emulator.probe.run import Run

NUMBER = 5
SEARCHES = 10
BETWEEN_SEARCHES = 10.0
RESTORE_LOOKS = 8
BETWEEN_RESTORE_LOOKS = 5.0
OF_RECORDS = (
    "no_tags", "record_ids_refused", "tags_per_call", "add_tags_by_name", "mixed_tagging_status", "missing_record", "full_record",
    "search_equals", "search_lag",
)  # fmt: skip


async def ask_records(run: Run) -> None:
    """Make records, and ask about them.

    :raises Unclear: none can be made, or the token may not delete them
    """
    refused = await run.calls.post(f"/{run.own.module}/actions/mass_delete", {})
    if refused.unserved:
        raise Unclear(f"no record is made, because the token could not delete it: {shape(refused)}")
    await run.own.newest_records()
    made = await run.own.make_records(NUMBER)
    await run.own.keep_only_own_records()
    if len(run.own.records) < NUMBER:
        raise Unclear(f"the records could not be made: {shape(made)}")
    gone, victim, carrier, full, bare = run.own.records
    await _ask_no_tags(run, bare)
    await _ask_deletes(run, gone, victim)
    per_call = await _ask_tags_per_call(run, carrier)
    await _ask_by_name(run, carrier)
    await _ask_missing(run, bare, gone)
    await _ask_search(run, bare)
    await _ask_full(run, full, per_call)
    await _ask_bin(run, gone)


async def _ask_no_tags(run: Run, record: str) -> None:
    reply = await run.own.read_records([record])
    found = reply.elements("data")
    tags = found[0].get("Tag", "no field") if len(found) == 1 else "no record"
    if tags is None or tags == []:
        run.findings.chosen("no_tags", "null" if tags is None else "list")
    else:
        run.findings.none_fits("no_tags", shape(reply))


async def _ask_deletes(run: Run, gone: str, victim: str) -> None:
    """Delete a record that carries a tag, and then ask for it again together with another one."""
    await run.own.add_tags([gone], [{"id": run.tag(1)}])
    await run.own.delete_records([gone])
    reply = await run.own.delete_records([victim], gone=[gone])
    if reply.elements("data"):
        run.findings.chosen("record_ids_refused", "one_by_one")
    elif (reply.status, reply.code) == (400, "INVALID_DATA"):
        run.findings.chosen("record_ids_refused", "whole_call")
    else:
        run.findings.none_fits("record_ids_refused", shape(reply))


async def _ask_tags_per_call(run: Run, record: str) -> int:
    """Return how many tags one call takes, as far as four show it."""
    for number, choice in ((2, "1"), (4, "3")):
        reply = await run.own.add_tags([record], [{"id": run.tag(tag)} for tag in range(1, number + 1)])
        if not reply.elements("data") and reply.code == "INVALID_DATA":
            run.findings.chosen("tags_per_call", choice)
            return int(choice)
        if reply.status != 200:
            run.findings.none_fits("tags_per_call", shape(reply))
            return 1
    run.findings.chosen("tags_per_call", "any")
    return POOL


async def _ask_by_name(run: Run, record: str) -> None:
    name = name_of(run.own.prefix, BY_NAME)
    reply = await run.own.add_tags([record], [{"name": name}])
    listed = await run.own.list_tags()
    if name in listed.values():
        run.findings.chosen("add_tags_by_name", "creates")
        await run.own.find_tags_made()
    elif reply.status == 400:
        run.findings.chosen("add_tags_by_name", "refused")
    else:
        run.findings.none_fits("add_tags_by_name", shape(reply))


async def _ask_missing(run: Run, living: str, gone: str) -> None:
    reply = await run.own.add_tags([living, gone], [{"id": run.tag(1)}])
    elements = reply.elements("data")
    codes = [str(element.get("code")) for element in elements if element.get("status") != "success"]
    if len(elements) != 2 or len(codes) != 1:
        for reading in ("mixed_tagging_status", "missing_record"):
            run.findings.none_fits(reading, shape(reply))
        return
    if reply.status in (200, 207):
        run.findings.chosen("mixed_tagging_status", str(reply.status))
    else:
        run.findings.none_fits("mixed_tagging_status", shape(reply))
    choice = {"FAILURE": "failure", "INVALID_DATA": "invalid_data"}.get(codes[0])
    if choice is None:
        run.findings.none_fits("missing_record", shape(reply))
    else:
        run.findings.chosen("missing_record", choice)


async def _ask_full(run: Run, record: str, per_call: int) -> None:
    """Put as many tags on a record as it takes, and then one more."""
    limit = run.own.record_limit
    if limit is None or limit >= POOL:
        run.findings.unknown("full_record", f"it takes more than {POOL} tags to fill a record here")
        return
    for first in range(1, limit + 1, per_call):
        await run.own.add_tags([record], [{"id": run.tag(tag)} for tag in range(first, min(first + per_call, limit + 1))])
    reply = await run.own.add_tags([record], [{"id": run.tag(limit + 1)}])
    elements = reply.elements("data")
    details = elements[0].get("details") if elements else None
    if isinstance(details, dict) and details.get("not_added_tags"):
        run.findings.chosen("full_record", "not_added_tags")
    elif elements and elements[0].get("code") == "FAILURE":
        run.findings.chosen("full_record", "failure")
    else:
        run.findings.none_fits("full_record", shape(reply))


async def _ask_bin(run: Run, gone: str) -> None:
    """Restore the record that was deleted first: is it back under its id, when, and with its tag?"""
    question, emulator = "a record is restored from the recycle bin", "at once, with its id and its tags"
    reply = await run.own.restore_record(gone)
    if reply.status not in (200, 202):
        if 400 <= reply.status < 500:
            run.own.in_restore.clear()
        run.findings.also(question, emulator, f"not asked: {shape(reply)}", same=None)
        return
    began = run.clock.now()
    for number in range(RESTORE_LOOKS):
        found = (await run.own.read_records([gone])).elements("data")
        if found:
            run.own.in_restore.clear()
            when = "at once" if number == 0 else f"after {run.clock.now() - began:.0f} s"
            words = f"{when}, with its id {'and its tags' if found[0].get('Tag') else 'and without its tags'}"
            run.findings.also(question, emulator, words, same=words == emulator)
            return
        await run.clock.sleep(BETWEEN_RESTORE_LOOKS)
    run.findings.also(question, emulator, f"not after {RESTORE_LOOKS * BETWEEN_RESTORE_LOOKS:.0f} s ({shape(reply)})", same=False)


async def _ask_search(run: Run, record: str) -> None:
    """Search for a tag that a record has just got, until the search finds it; and then for the beginning of the tag's name."""
    for number in range(SEARCHES):
        reply = await _search(run, name_of(run.own.prefix, 1))
        if reply.status not in (200, 204):
            run.findings.unknown("search_lag", f"the search is refused: {shape(reply)}")
            run.findings.unknown("search_equals", f"the search is refused: {shape(reply)}")
            return
        if record in {str(item.get("id")) for item in reply.elements("data")}:
            run.findings.chosen("search_lag", "0" if number == 0 else "60")
            break
        await run.clock.sleep(BETWEEN_SEARCHES)
    else:
        run.findings.none_fits("search_lag", f"not found after {SEARCHES * BETWEEN_SEARCHES:.0f} seconds")
        run.findings.unknown("search_equals", "the search did not find the own records")
        return
    beginning = await _search(run, run.own.prefix.rstrip("-"))
    run.findings.chosen("search_equals", "contains" if beginning.elements("data") else "exact")


async def _search(run: Run, value: str) -> Reply:
    return await run.calls.get(f"/{run.own.module}/search", criteria=f"(Tag:equals:{value})", fields="Tag")
