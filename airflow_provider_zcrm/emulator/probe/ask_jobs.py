"""Mass deletes of tags: how they are accepted, refused and reported, and when a deleted tag leaves the list."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from airflow_provider_zcrm.emulator.probe.ask_tags import COLOR, OF_SECOND_MODULE
from airflow_provider_zcrm.emulator.probe.calls import Reply
from airflow_provider_zcrm.emulator.probe.findings import shape
from airflow_provider_zcrm.emulator.probe.names import name_of
from airflow_provider_zcrm.emulator.probe.own import Unclear
from airflow_provider_zcrm.emulator.probe.run import ENDED, POLLS, Run, job_of, pause
from airflow_provider_zcrm.emulator.readings import READINGS

# numbers of tags; of those for the job a module with little room has not all
OF_JOB = (7, 8, 9, 10, 11)
BESIDE, ALIVE, ODD, IN_USE = 6, 5, (4, 3), 14
COUNTS = ("total_count", "deleted_count", "failed_count")
RETRIES = 3


@dataclass(frozen=True)
class Look:
    """One poll: when, the answer about the job, and how many of its tags the list showed right after."""

    at: float
    reply: Reply
    listed: int

    @property
    def state(self) -> str:
        """Return the status as Zoho spells it; an empty text if the job is unknown."""
        jobs = self.reply.elements("mass_delete")
        return str(jobs[0].get("status", "")) if self.reply.status == 200 and jobs else ""

    @property
    def job(self) -> dict[str, object]:
        """Return what the answer says about the job."""
        return next(iter(self.reply.elements("mass_delete")), {})


async def ask_jobs(run: Run) -> None:
    """Submit a job of a few tags, another one beside it, and look at the first until its tags are gone."""
    ids = [tag_id for tag_id, name in run.own.tags.items() if name in {name_of(run.own.prefix, number) for number in OF_JOB}]
    other = await _tag_of_second_module(run)
    began = run.clock.now()
    first = await run.own.submit(ids)
    job_id = job_of(first)
    if not job_id:
        raise Unclear(f"a mass delete of tags is not accepted: {shape(first)}")
    _read_acceptance(run, first)
    beside = await run.own.submit([run.tag(BESIDE)])
    elsewhere = await run.second.submit([other]) if run.second and other and beside.code == "ALREADY_SCHEDULED" else None
    looks = await _watch(run, job_id, ids)
    _read_jobs_at_once(run, beside, elsewhere, looks)
    _read_statuses(run, looks)
    _read_times(run, looks, began)
    for accepted in (beside, elsewhere):
        if accepted is not None and job_of(accepted):
            await run.job_ended(job_of(accepted))


async def _tag_of_second_module(run: Run) -> str:
    if run.second is None:
        return ""
    await run.second.make_tags([OF_SECOND_MODULE], color_code=COLOR)
    return next(iter(run.second.tags), "")


def _read_acceptance(run: Run, reply: Reply) -> None:
    if reply.code in READINGS["submit_code"].choices:
        run.findings.chosen("submit_code", reply.code)
    else:
        run.findings.none_fits("submit_code", shape(reply))
    run.findings.chosen("job_id_type", "number" if isinstance(reply.details.get("job_id"), int) else "string")


async def _watch(run: Run, job_id: str, ids: list[str]) -> list[Look]:
    """Look at the job until it has ended and its tags are gone from the list."""
    looks: list[Look] = []
    for number in range(POLLS):
        at = run.clock.now()
        reply = await run.status_of(job_id)
        looks.append(Look(at, reply, len((await run.own.list_tags()).keys() & set(ids))))
        if looks[-1].state.upper() in ENDED and not looks[-1].listed:
            break
        await run.clock.sleep(pause(number))
    return looks


def _read_jobs_at_once(run: Run, beside: Reply, elsewhere: Reply | None, looks: list[Look]) -> None:
    overlapped = bool(looks) and looks[0].state.upper() not in ENDED
    if job_of(beside):
        if overlapped:
            run.findings.chosen("tag_jobs_at_once", "any")
        else:
            run.findings.unknown("tag_jobs_at_once", "the first job had ended before the second one was submitted")
    elif beside.code != "ALREADY_SCHEDULED":
        run.findings.none_fits("tag_jobs_at_once", shape(beside))
    elif elsewhere is None:
        run.findings.unknown("tag_jobs_at_once", "one in a module; --second-module shows whether one in the org")
    else:
        run.findings.chosen("tag_jobs_at_once", "one_per_module" if job_of(elsewhere) else "one_per_org")


def _read_statuses(run: Run, looks: list[Look]) -> None:
    known = [look for look in looks if look.state]
    if not known:
        for reading in ("counts", "created_time", "running_word"):
            run.findings.unknown(reading, f"the job's status was never known: {shape(looks[-1].reply)}")
        return
    run.findings.chosen("created_time", "on" if any("created_time" in look.job for look in known) else "off")
    _read_counts(run, known)
    _read_word(run, looks)


def _read_counts(run: Run, known: list[Look]) -> None:
    ended = {all(name in look.job for name in COUNTS) for look in known if look.state.upper() in ENDED}
    before = {all(name in look.job for name in COUNTS) for look in known if look.state.upper() not in ENDED}
    if before == {True} and ended <= {True}:
        run.findings.chosen("counts", "present")
    elif before == {False} and ended == {True}:
        run.findings.chosen("counts", "at_end")
    elif (before | ended) == {False}:
        run.findings.chosen("counts", "absent")
    elif not before:
        run.findings.unknown("counts", "there at the end; the job was too short to see whether before")
    else:
        run.findings.none_fits("counts", "in some of the answers before the end, and not in others")


def _read_word(run: Run, looks: list[Look]) -> None:
    """Find the word for a job under way: one of its own, or SCHEDULED although the list shows that tags are going."""
    words = [look.state for look in looks if look.state and look.state.upper() not in (*ENDED, "SCHEDULED")]
    total = max(look.listed for look in looks)
    going = any(
        look.state.upper() == "SCHEDULED" and (earlier.listed < total or look.job.get("deleted_count")) for earlier, look in pairwise(looks)
    )
    if words:
        word = words[-1]
        if word in READINGS["running_word"].choices:
            run.findings.chosen("running_word", word)
        else:
            run.findings.none_fits("running_word", "another word")
    elif going:
        run.findings.chosen("running_word", "SCHEDULED")
    else:
        run.findings.unknown("running_word", "the job was too short to be seen under way")


def _read_times(run: Run, looks: list[Look], began: float) -> None:
    """Note when the job became known, was under way, ended, and left the list; as seen by polls, so up to a few seconds late."""
    ended = next((look.at for look in looks if look.state.upper() in ENDED), None)
    if ended is None:
        run.findings.also("a job of five tags ends within four minutes", "yes", "no", same=False)
        return
    known = next(look.at for look in looks if look.state)
    total = max(look.listed for look in looks)
    going = next((look.at for look in looks if (look.state.upper() != "SCHEDULED" and look.state) or look.listed < total), ended)
    gone = next((look.at for look in looks if not look.listed), None)
    lag = 0.0 if gone is None else max(0.0, gone - ended)
    times = {"appears_after": known - began if looks[0].state == "" else 0.0, "start_delay": going - began, "duration": ended - going}
    run.findings.jobs = {name: round(max(0.0, value), 1) for name, value in (times | {"removal_lag": lag}).items()}
    words = "the tags are still listed" if gone is None else "at once" if not lag else f"{lag:.1f} s later"
    run.findings.also("COMPLETED, and the tags leave the list", "at once", words, same=gone is not None and not lag)
    failed = any(look.state.upper() == "FAILED" for look in looks)
    run.findings.also("how a job of five tags ends", "COMPLETED", "FAILED" if failed else "COMPLETED", same=not failed)


async def ask_refusals(run: Run) -> None:
    """Submissions that name own tags only, each with one thing that may be refused; one that is accepted deletes own tags."""
    gone, alive = run.tag(OF_JOB[0]), run.tag(ALIVE)
    if gone in await run.own.list_tags():
        run.findings.unknown("gone_tag", "the tags of the first job did not go")
    else:
        _read_gone(run, await _submitted(run, [gone, alive], None))
    by_number = await _submitted(run, [run.tag(ODD[0])], int(run.own.module_id))
    if job_of(by_number):
        run.findings.chosen("request_ids", "numbers_too")
    elif by_number.code == "INVALID_DATA":
        run.findings.chosen("request_ids", "strings")
    else:
        run.findings.none_fits("request_ids", shape(by_number))
    _read_ambiguity(run, await _submitted(run, [run.tag(ODD[1])], run.tag(ODD[1])))


async def ask_in_use(run: Run) -> None:
    """Let a person use an own tag in a workflow or a view, and submit it behind a free one; which of them does the refusal name?"""
    question = "a tag that is in use is refused, and details point to it"
    await run.own.make_tags([IN_USE], color_code=COLOR)
    name = name_of(run.own.prefix, IN_USE)
    run.ask(f"Use the tag {name} of {run.own.module} in a workflow rule or in the criteria of a custom view. Then press Enter:")
    used = run.tag(IN_USE)
    free = next((tag_id for tag_id in await run.own.deletable_tags() if tag_id in run.own.tags and tag_id != used), "")
    reply = await run.own.submit([free, used])
    if job_of(reply):
        run.findings.also(question, "yes", "no, the job is accepted", same=False)
        await run.job_ended(job_of(reply))
    else:
        pointed = reply.code == "NOT_ALLOWED" and str(reply.details.get("json_path")).endswith("tags[1].id")
        run.findings.also(question, "yes", "yes" if pointed else f"no: {shape(reply)}", same=pointed)
    run.ask(f"Take the tag {name} out of there again, so that it can be deleted. Then press Enter:")


async def _submitted(run: Run, ids: list[str], module_id: object) -> Reply:
    """Submit, and wait for what is accepted; while another job runs, wait and submit once more."""
    reply = await run.own.submit(ids, module_id=module_id)
    for number in range(RETRIES):
        if reply.code != "ALREADY_SCHEDULED":
            break
        await run.clock.sleep(5.0 * (number + 1))
        reply = await run.own.submit(ids, module_id=module_id)
    if job_of(reply):
        await run.job_ended(job_of(reply))
    return reply


def _read_gone(run: Run, reply: Reply) -> None:
    if job_of(reply):
        run.findings.chosen("gone_tag", "accepted")
    elif reply.code == "INVALID_DATA" and "one of the tags" in reply.message.lower():
        run.findings.chosen("gone_tag", "one_of_the_tags")
    elif reply.code == "INVALID_DATA" and "tags not found" in reply.message.lower():
        run.findings.chosen("gone_tag", "tags_not_found")
    else:
        run.findings.none_fits("gone_tag", f"other words in {shape(reply)}")


def _read_ambiguity(run: Run, reply: Reply) -> None:
    message = reply.message.lower()
    if reply.code == "AMBIGUITY_DURING_PROCESSING" and "identifiers" in message:
        run.findings.chosen("ambiguity_message", "identifiers")
    elif reply.code == "AMBIGUITY_DURING_PROCESSING" and "during processing" in message:
        run.findings.chosen("ambiguity_message", "documented")
    else:
        run.findings.none_fits("ambiguity_message", shape(reply))
