"""Making tags, tags that are there already, and merging."""

from __future__ import annotations

from airflow_provider_zcrm.emulator.probe.calls import Reply
from airflow_provider_zcrm.emulator.probe.findings import shape
from airflow_provider_zcrm.emulator.probe.own import Unclear
from airflow_provider_zcrm.emulator.probe.run import Run

COLOR, OTHER_COLOR, UNDOCUMENTED_COLOR = "#57B1FD", "#63C57E", "#123456"
LIMIT = 20
POOL = 11
# numbers of tags; those up to POOL are the pool
BY_NAME, OF_SECOND_MODULE = 12, 13
LEAST_ROOM = 9
LOOKS_AT_COUNT = 6
BETWEEN_LOOKS = 10.0


async def make_pool(run: Run) -> None:
    """Make the tags that the experiments use: two at once, one in a color of its own, and then the others.

    :raises Unclear: no tag could be made
    """
    room = POOL + 1 if run.own.allowed_count is None else run.own.allowed_count - len(run.own.before)
    if room < LEAST_ROOM:
        raise Unclear(f"the module has room for {room} more tags in this edition; the probe needs {LEAST_ROOM}")
    both = await run.own.make_tags([1, 2], color_code=COLOR)
    one_by_one = both.details.get("maximum_length") is not None and not both.elements("tags")
    if one_by_one:
        run.findings.chosen("tags_per_create", "1")
        await run.own.make_tags([1], color_code=COLOR)
        await run.own.make_tags([2], color_code=COLOR)
    await _make_colored(run)
    rest = list(range(4, min(POOL, room - 1) + 1))
    for numbers in [[number] for number in rest] if one_by_one else [rest]:
        await run.own.make_tags(numbers, color_code=COLOR)
    run.own.tags = {tag_id: name for tag_id, name in (await run.own.list_tags()).items() if run.own.tags.get(tag_id) == name}
    if not run.own.tags:
        raise Unclear(f"no tag could be made: {shape(both)}")


async def _make_colored(run: Run) -> None:
    reply = await run.own.make_tags([3], color_code=UNDOCUMENTED_COLOR)
    if reply.status == 201:
        run.findings.chosen("tag_colors", "any")
        return
    if reply.code == "INVALID_DATA":
        run.findings.chosen("tag_colors", "documented")
    else:
        run.findings.none_fits("tag_colors", shape(reply))
    await run.own.make_tags([3], color_code=COLOR)


async def ask_duplicates(run: Run) -> None:
    """Tags that are there already: in another color, and more of them than one call takes. None is made.

    :raises Unclear: the tag is not there
    """
    run.tag(1)
    reply = await run.own.make_tags([1], color_code=OTHER_COLOR)
    choice = {"MAPPING_MISMATCH": "mapping_mismatch", "DUPLICATE_DATA": "duplicate_data"}.get(reply.code)
    if choice is None:
        run.findings.none_fits("other_color", shape(reply))
    else:
        run.findings.chosen("other_color", choice)
    if "tags_per_create" not in run.findings.readings:
        many = await run.own.make_tags([1] * (LIMIT + 1), color_code=COLOR)
        _read_limit(run, many)


def _read_limit(run: Run, reply: Reply) -> None:
    if reply.elements("tags"):
        run.findings.chosen("tags_per_create", "any")
    elif reply.code == "INVALID_DATA":
        run.findings.chosen("tags_per_create", "20")
    else:
        run.findings.none_fits("tags_per_create", shape(reply))


async def ask_included_counts(run: Run) -> None:
    """The list of tags with ``include``: whether it says how many records carry a tag, and when the number is right."""
    own = run.tag(1)
    reply, shown = await _shown_count(run, own)
    if reply.status != 200:
        run.findings.none_fits("include_counts", shape(reply))
        return
    run.findings.chosen("include_counts", "ignored" if shown is None else "supported")
    if shown is not None and run.own.records:
        await _ask_how_stale(run, own)


async def _shown_count(run: Run, tag_id: str) -> tuple[Reply, str | None]:
    """Return what the list of tags says about the records of a tag; None if it says nothing."""
    reply = await run.calls.get("/settings/tags", module=run.own.module, include="associated_record_count,last_accessed_time")
    count = next((tag.get("associated_record_count") for tag in reply.elements("tags") if str(tag.get("id")) == tag_id), None)
    return reply, None if count is None else str(count)


async def _ask_how_stale(run: Run, tag_id: str) -> None:
    """Look at the count in the list until it is that of the call for the tag alone."""
    began = run.clock.now()
    words = f"still behind after {LOOKS_AT_COUNT * BETWEEN_LOOKS:.0f} s"
    for _ in range(LOOKS_AT_COUNT):
        count = await run.calls.get(f"/settings/tags/{tag_id}/actions/records_count", module=run.own.module)
        counted = str(count.body.get("count")) if isinstance(count.body, dict) else ""
        if (await _shown_count(run, tag_id))[1] == counted:
            seconds = run.clock.now() - began
            words = "at once" if seconds < 1 else f"after {seconds:.0f} s"
            break
        await run.clock.sleep(BETWEEN_LOOKS)
    run.findings.also("associated_record_count is right, after tagging", "at once", words, same=words == "at once")


async def ask_merge(run: Run) -> None:
    """Which of two tags a merge leaves."""
    tag, conflict = run.tag(1), run.tag(2)
    reply = await run.own.merge(tag, conflict)
    left = (await run.own.list_tags()).keys() & {tag, conflict}
    if reply.status == 200 and len(left) == 1:
        run.findings.chosen("merge_keeps", "conflict_id" if left == {conflict} else "id")
    else:
        run.findings.none_fits("merge_keeps", f"{len(left)} of the two tags are left after {shape(reply)}")
