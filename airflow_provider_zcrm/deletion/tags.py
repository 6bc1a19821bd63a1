"""Gets the wanted tags of one module into mass-delete jobs, each tag once, whatever earlier tries of the task have done.

The rules are those of `airflow_provider_zcrm.rules.tag_journal`: the intent is written before each POST; an answer that proves refusal
frees the tags, a job id holds them; of everything else only the list of tags can tell what became of it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_zcrm.api.errors import (
    InvalidArgument,
    InvalidModule,
    JobAlreadyRunning,
    JobNotFound,
    SubmissionUncertain,
    TagInUse,
    TagNotFound,
    ZohoCrmError,
)
from airflow_provider_zcrm.api.mass_delete import TAGS_PER_JOB, MassDeleteJob, job_status, refused_tag, submit_tags
from airflow_provider_zcrm.api.modules import list_modules
from airflow_provider_zcrm.api.tags import Tag
from airflow_provider_zcrm.rules.deadline import check_deadline
from airflow_provider_zcrm.rules.guards import Guards
from airflow_provider_zcrm.rules.log_lists import counted, log_list
from airflow_provider_zcrm.rules.poll_schedule import growing_pauses
from airflow_provider_zcrm.rules.tag_journal import Batch, Journal, SetAside, Stillness, digest_of
from airflow_provider_zcrm.tag_list import count_unless_gone, read_tags

if TYPE_CHECKING:
    from airflow_provider_zcrm.client.sync_client import ZohoCrmClient

log = logging.getLogger(__name__)

# COMPLETED may precede the removal from the list: seconds to wait before each further look
_LOOKS = (10.0, 20.0, 30.0)


@dataclass(frozen=True)
class Rules:
    """What the user allows, and what is to be done about tags that cannot go.

    :param guards: how much may be deleted.
    :param used_by_automation: tags that automation uses: "send" them all the same, look and "skip" them, or look and "fail".
    :param refused_tags: a tag for which Zoho refuses a batch: "set_aside" or "fail".
    """

    guards: Guards
    used_by_automation: str
    refused_tags: str


class TagDeletion:
    """The deletion of tags of one module by one try of a task.

    :param journal: what this task has submitted so far.
    :param save: stores the journal and returns only when that is acknowledged; if it fails, nothing is sent.
    :param announce: told the job ids of this round whenever one is added.
    :param rules: what the user allows.
    :param settle: seconds for which the list must have stood still before tags of an unconfirmed submission are sent again.
    """

    def __init__(
        self,
        client: ZohoCrmClient,
        module: str,
        journal: Journal,
        save: Callable[[Journal], None],
        announce: Callable[[list[str]], None],
        rules: Rules,
        settle: float,
    ) -> None:
        self._client = client
        self._module = module
        self._journal = journal
        self._save_journal = save
        self._announce = announce
        self._rules = rules
        self._settle_seconds = settle
        self._module_id: str | None = None
        self._listed: dict[str, Tag] = {}
        self._under_way: set[Batch] = set()
        self._forgotten: set[Batch] = set()
        self._stillness = Stillness()

    def look(self) -> int:
        """Read the list of the module's tags and return how many there are."""
        self._listed = read_tags(self._client, self._module)
        return len(self._listed)

    def resolve(
        self, tag_ids: Sequence[str], tag_names: Sequence[str], missing_tags: str, *, chosen_as: Mapping[str, str], blind: bool
    ) -> list[str]:
        """Return the ids of the wanted tags that there are, and judge by the rules what is missing, renamed, in use, or too much.

        All of that is done once per round, and written down before the first POST: a retry sees fewer tags.

        :param missing_tags: "skip" or "fail".
        :param chosen_as: by id, the name under which a tag was chosen, where that is known; under another one it is set aside.
        :param blind: an earlier try may have sent any of the tags, and no journal tells. They count as sent with an unknown outcome, and
            none that is missing fails.
        :raises InvalidArgument: tags are missing and ``missing_tags`` is "fail", or a name means two tags
        :raises TagInUse: automation uses tags, and must not
        :raises GuardTripped: more would be deleted than the guards allow
        """
        known = self._journal.wanted(tag_ids, tag_names)
        if known is not None:
            return known
        names = self._ids_of_names(tag_names)
        missing = [name for name in tag_names if name not in names] + [tag_id for tag_id in tag_ids if tag_id not in self._listed]
        if missing and missing_tags == "fail" and not blind:
            raise InvalidArgument(f"{self._module} has no such tags: {missing}.", advice="missing_tags='skip' leaves them out.")
        if missing:
            log_list(log, f"Left out, because {self._module} has no such tags", missing)
        wanted = [*self.present(tag_ids), *names.values()]
        if missing and not wanted:
            log.warning("%s has none of these tags: they are deleted already, or the names or the module are wrong.", self._module)
        self._journal = self._without_the_renamed(wanted, chosen_as)
        if self._rules.used_by_automation != "send":
            self._journal = self._without_the_used(self.present(wanted))
        self._rules.guards.check(len(self.present(wanted)), len(self._listed), self._module)
        asked = digest_of(self._module, tag_ids, tag_names)
        ids = [tag_id for tag_id in tag_ids if tag_id in self._listed]
        journal = self._journal.with_wanted(self._client.config.hosts.api_url, asked, ids, names)
        self._save(journal.with_intent(self.present(wanted), time.time()) if blind else journal)
        return wanted

    def _ids_of_names(self, tag_names: Sequence[str]) -> dict[str, str]:
        by_name: dict[str, list[str]] = {}
        for tag in self._listed.values():
            by_name.setdefault(tag.name, []).append(tag.id)
        ambiguous = [name for name in tag_names if len(by_name.get(name, ())) > 1]
        if ambiguous:
            raise InvalidArgument(f"Several tags of {self._module} have the same name: {ambiguous}.", advice="Pass tag_ids instead.")
        return {name: by_name[name][0] for name in tag_names if name in by_name}

    def _without_the_renamed(self, wanted: Sequence[str], chosen_as: Mapping[str, str]) -> Journal:
        """Set aside what has another name than when it was chosen: somebody has made another tag of it since."""
        renamed = [tag_id for tag_id in wanted if chosen_as.get(tag_id, self._listed[tag_id].name) != self._listed[tag_id].name]
        return self._set_aside((tag_id, f"it was chosen as {chosen_as[tag_id]!r} and renamed since") for tag_id in renamed)

    def _without_the_used(self, wanted: Sequence[str]) -> Journal:
        """Set aside what automation uses, or fail: one API call per tag."""
        answers = {tag_id: count_unless_gone(self._client, self._module, tag_id) for tag_id in wanted}
        found = [(tag_id, _use(answer.used_by)) for tag_id, answer in answers.items() if answer and answer.used_by != ()]
        if found and self._rules.used_by_automation == "fail":
            raise TagInUse(
                f"Tags of {self._module} cannot go: {'; '.join(f'{self.names([tag_id])}, because {why}' for tag_id, why in found)}. "
                "Nothing was sent.",
                advice="used_by_automation='skip' leaves them out.",
            )
        return self._set_aside(found)

    def present(self, tag_ids: Iterable[str]) -> list[str]:
        """Return those of the tags that were in the list when it was last read and are not set aside."""
        return [tag_id for tag_id in self.without_set_aside(tag_ids) if tag_id in self._listed]

    def without_set_aside(self, tag_ids: Iterable[str]) -> list[str]:
        """Return those of the tags that this round does not leave alone."""
        aside = {tag.id for tag in self._journal.set_aside}
        return [tag_id for tag_id in tag_ids if tag_id not in aside]

    def set_aside(self) -> tuple[SetAside, ...]:
        """Return the tags that this round leaves alone, with the reason for each."""
        return self._journal.set_aside

    def names(self, tag_ids: Iterable[str]) -> str:
        """Return tags as ``id = name`` for logs and errors."""
        return ", ".join(self._named(tag_ids))

    def _named(self, tag_ids: Iterable[str]) -> list[str]:
        return [f"{tag_id} = {self._listed[tag_id].name}" if tag_id in self._listed else tag_id for tag_id in tag_ids]

    def described(self, tag_ids: Iterable[str]) -> list[dict[str, str]]:
        """Return listed tags as JSON values with ``id`` and ``name``."""
        return [{"id": tag_id, "name": self._listed[tag_id].name} for tag_id in tag_ids]

    def free(self, wanted: Sequence[str]) -> list[str]:
        """Return what is wanted, there, and not under way: Zoho is asked for the jobs of earlier tries."""
        self._ask_accepted(wanted)
        held = {tag_id for ids in self._held(wanted).values() for tag_id in ids}
        return [tag_id for tag_id in self.present(wanted) if tag_id not in held]

    def submit(self, wanted: Sequence[str]) -> list[str]:
        """Submit what is wanted and not under way, and return the job ids of this round.

        :raises DeadlineReached: the time is over before everything is submitted
        :raises SubmissionUncertain: a submission that had been given up as lost was sent again, and its outcome is unknown again
        :raises ZohoCrmError: Zoho refused a batch
        """
        self._post(self.free(wanted))
        self._settle(wanted)
        return self.job_ids()

    def job_ids(self) -> list[str]:
        """Return the ids of the jobs of this round and of those that an earlier round left running.

        Not of a job that has ended and whose remaining tags a later job has taken over.
        """
        batches = [batch for batch in self._journal.accepted() if not self._journal.superseded(batch)]
        return [str(batch.job_id) for batch in batches if batch.round == self._journal.round or batch in self._under_way]

    def wait_until_gone(self, tag_ids: Iterable[str]) -> list[str]:
        """Read the list up to four times within a minute and return the tags that are still there."""
        wanted = list(tag_ids)
        self.look()
        for pause in _LOOKS:
            if not self.present(wanted):
                break
            time.sleep(pause)
            self.look()
        return self.present(wanted)

    # --- what earlier tries did -----------------------------------------------------------------------------------------

    def _ask_accepted(self, wanted: Sequence[str]) -> None:
        """Ask for the jobs that hold wanted tags: running ones keep them, of ended ones the list is given time to follow."""
        ended: list[str] = []
        for batch, tag_ids in self._journal.latest(self.present(wanted), "accepted").items():
            try:
                status = self._client.send(job_status(MassDeleteJob("tags", str(batch.job_id), self._module)))
            except JobNotFound:
                log.warning("Zoho no longer knows job %s; the list of tags will tell what became of it.", batch.job_id)
                self._forgotten.add(batch)
                continue
            if status.ended:
                ended.extend(tag_ids)
            else:
                log.info(
                    "Job %s of an earlier try is %s and holds %d tags; they are not sent again.", batch.job_id, status.state, len(tag_ids)
                )
                self._under_way.add(batch)
        left = self.wait_until_gone(ended) if ended else []
        if left:
            log.warning("Jobs of an earlier try have ended and left tags behind, which are sent again: %s", self.names(left))

    def _held(self, wanted: Sequence[str]) -> dict[Batch, frozenset[str]]:
        """Return the batches, with their tags that are still listed, of which nothing may be sent now."""
        accepted = self._journal.latest(self.present(wanted), "accepted")
        running = {batch: ids for batch, ids in accepted.items() if batch in self._under_way}
        return running | self._unconfirmed(wanted)

    def _unconfirmed(self, wanted: Sequence[str]) -> dict[Batch, frozenset[str]]:
        """Return the batches whose outcome nobody knows, with their tags that are still listed."""
        accepted = self._journal.latest(self.present(wanted), "accepted")
        forgotten = {batch: ids for batch, ids in accepted.items() if batch in self._forgotten}
        return self._journal.latest(self.present(wanted), "intent") | forgotten

    def _settle(self, wanted: Sequence[str]) -> None:
        """Watch the list until every unconfirmed batch is gone, or has stood still for long enough to be sent again once."""
        resent: set[str] = set()
        watched: list[str] = []
        while unconfirmed := self._unconfirmed(wanted):
            now = time.time()
            left = {batch: self._stillness.since(batch, ids, now) + self._settle_seconds - now for batch, ids in unconfirmed.items()}
            settled = [tag_id for batch, ids in unconfirmed.items() if left[batch] <= 0 for tag_id in sorted(ids)]
            if not settled:
                if len(watched) != sum(map(len, unconfirmed.values())):
                    watched = [tag_id for ids in unconfirmed.values() for tag_id in ids]
                    log.info("%d tags are of an unconfirmed submission; the list is watched for %.0f s.", len(watched), max(left.values()))
                self._sleep(min(*left.values(), max(1.0, self._settle_seconds / 10), 30.0))
                self.look()
                continue
            if resent.intersection(settled):
                raise SubmissionUncertain(
                    f"Zoho did not confirm the delete of these tags of {self._module}, twice: {self.names(settled)}.",
                    advice="Look at the tags in Zoho CRM; the next try of the task goes on from here.",
                )
            log.warning(
                "No sign of the unconfirmed submission for %.0f s; these tags are sent again: %s", self._settle_seconds, self.names(settled)
            )
            resent.update(settled)
            self._post(settled)

    # --- sending ----------------------------------------------------------------------------------------------------------

    def _post(self, tag_ids: Sequence[str]) -> None:
        for start in range(0, len(tag_ids), TAGS_PER_JOB):
            self._post_batch(list(tag_ids[start : start + TAGS_PER_JOB]))

    def _post_batch(self, tag_ids: list[str]) -> None:
        """Post one batch, without the tags that have gone meanwhile, and after another job where Zoho wants that."""
        looks, pauses = iter(_LOOKS), growing_pauses()
        log_list(log, f"Asking Zoho to delete {counted(len(tag_ids), 'tag')} of {self._module}", self._named(tag_ids))
        while tag_ids:
            try:
                self._post_once(tag_ids)
            except TagNotFound as error:
                log.warning("%s The list is read again.", error)
                tag_ids = self._without_the_unfound(tag_ids, error, looks)
            except TagInUse as error:
                tag_ids = self._without_the_refused(tag_ids, error, "a feature of Zoho CRM uses it")
            except JobAlreadyRunning as error:
                log.info("%s Waiting for it.", error)
                self._sleep(next(pauses))
            else:
                return

    def _post_once(self, tag_ids: list[str]) -> None:
        call = submit_tags(self._module, self._id_of_module(), tag_ids)
        self._check_deadline(0.0)
        self._save(self._journal.with_intent(tag_ids, time.time()))
        try:
            job_id = self._client.send(call, before=self._renew_intent)
        except SubmissionUncertain as error:
            log.warning("%s The list is watched.", error)
            # the client may have waited long before it sent: what Zoho may have taken is as old as its answer
            self._save(self._journal.with_outcome("intent", time.time()))
            return
        except ZohoCrmError as error:
            self._save(self._journal.with_outcome("refused", time.time()))
            if tag_id := refused_tag(error, tag_ids):
                error.message += f" It is {self.names([tag_id])}."
            raise
        log.info("Zoho has scheduled job %s for %s of %s.", job_id, counted(len(tag_ids), "tag"), self._module)
        self._save(self._journal.with_outcome("accepted", time.time(), job_id))
        self._under_way.add(self._journal.batches[-1])
        self._announce(self.job_ids())

    def _renew_intent(self) -> None:
        """Write the intent anew if the client has waited since: its tags are given time from the moment at which they are sent."""
        now = time.time()
        if now - self._journal.batches[-1].at > 1.0:
            self._save(self._journal.with_outcome("intent", now))

    def _without_the_unfound(self, tag_ids: list[str], error: TagNotFound, looks: Iterator[float]) -> list[str]:
        """Return the tags that are still listed; if they all are, look later, for the list may follow a delete late."""
        self.look()
        if self.present(tag_ids) == tag_ids:
            pause = next(looks, None)
            if pause is None:
                return self._without_the_refused(tag_ids, error, "it is in the list of tags, but Zoho does not find it")
            self._sleep(pause)
            self.look()
        return self.present(tag_ids)

    def _without_the_refused(self, tag_ids: list[str], error: ZohoCrmError, why: str) -> list[str]:
        """Set the tag aside for which Zoho refused a batch, and return the others: each refusal makes the batch smaller."""
        tag_id = refused_tag(error, tag_ids)
        if tag_id is None or self._rules.refused_tags == "fail":
            raise error
        self._save(self._set_aside([(tag_id, f"{why} ({error.code})")]))
        return self.present(tag_ids)

    def _set_aside(self, reasons: Iterable[tuple[str, str]]) -> Journal:
        tags = [SetAside(tag_id, self._listed[tag_id].name, reason) for tag_id, reason in reasons]
        for tag in tags:
            log.warning("Set aside, and not deleted: %s = %s of %s, because %s.", tag.id, tag.name, self._module, tag.reason)
        return self._journal.with_set_aside(tags)

    def _id_of_module(self) -> str:
        if self._module_id is None:
            modules = {module.api_name: module.id for module in self._client.send(list_modules()) if module.api_name}
            if self._module not in modules:
                raise InvalidModule(f"The org has no module with the API name {self._module!r}.")
            self._module_id = modules[self._module]
        return self._module_id

    def _save(self, journal: Journal) -> None:
        self._save_journal(journal)
        self._journal = journal

    def _sleep(self, seconds: float) -> None:
        self._check_deadline(seconds)
        time.sleep(seconds)

    def _check_deadline(self, seconds: float) -> None:
        unfinished = f"all tags of {self._module} are submitted; submitted jobs: {self.job_ids()}"
        check_deadline(self._journal.deadline, time.time() + seconds, unfinished)


def _use(used_by: Sequence[str] | None) -> str:
    return "Zoho does not tell what uses it" if used_by is None else f"automation uses it ({', '.join(used_by)})"
