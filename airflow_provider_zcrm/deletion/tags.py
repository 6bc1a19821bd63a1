"""Carries out the deletion plan of `airflow_provider_zcrm.rules.tag_deletion`: saves the journal, does the step, reports what it saw.

What may be sent is decided there, and only there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_zcrm.api.errors import (
    CredentialsRejected,
    InvalidModule,
    JobNotFound,
    PermissionDenied,
    ScopeMissing,
    SubmissionUncertain,
    TokenRejected,
    ZohoCrmError,
)
from airflow_provider_zcrm.api.mass_delete import MassDeleteJob, job_status, submit_tags
from airflow_provider_zcrm.api.modules import list_modules
from airflow_provider_zcrm.api.tags import RecordsCount
from airflow_provider_zcrm.deletion.clock import AttemptClock
from airflow_provider_zcrm.rules.errors import TooLate
from airflow_provider_zcrm.rules.log_lists import counted, log_list
from airflow_provider_zcrm.rules.markdown import one_line
from airflow_provider_zcrm.rules.steps import Fail, Lost, Refused, WaitUntil
from airflow_provider_zcrm.rules.tag_deletion import (
    REASONS,
    AskJobs,
    CountTags,
    Done,
    FindModule,
    ReadList,
    Send,
    Step,
    WatchJobs,
    heard,
    job_ids,
    next_step,
)
from airflow_provider_zcrm.rules.tag_journal import TagJournal, digest_of_name
from airflow_provider_zcrm.rules.tag_request import TagRequest
from airflow_provider_zcrm.rules.tag_seen import Accepted, Answer, Listed, Seen
from airflow_provider_zcrm.tag_list import read_tags, try_to_count_tags

if TYPE_CHECKING:
    from airflow_provider_zcrm.client.sync_client import ZohoCrmClient

log = logging.getLogger(__name__)

# failures of a count that say nothing of its tag: every other call would fail likewise
_NOT_ABOUT_A_TAG = (CredentialsRejected, InvalidModule, PermissionDenied, ScopeMissing, TokenRejected)


class TagDeletion:
    """The deletion of tags of one module by one attempt of a task.

    :param journal: of this run of the task.
    :param save: stores the journal and returns only when that is acknowledged; if it fails, nothing is sent.
    :param announce: gets the job ids of this run whenever one is added.
    :param watch: watches jobs to their end and returns their reports; of a deferrable task it hands over to the triggerer, and raises.
    """

    def __init__(
        self,
        client: ZohoCrmClient,
        request: TagRequest,
        journal: TagJournal,
        *,
        save: Callable[[TagJournal], None],
        announce: Callable[[list[str]], None],
        watch: Callable[[Sequence[str]], Sequence[Mapping[str, Any]]],
    ) -> None:
        self._client = client
        self._request = request
        self._module = request.module
        self._save_journal = save
        self._announce = announce
        self._watch = watch
        self._clock = AttemptClock()
        self._token = ""
        self._rejected: str | None = None
        self._module_id = ""
        self._why = ""
        self._named: tuple[str, ...] = ()
        self.journal = journal
        self.seen = Seen()

    def run(self, reports: Sequence[Mapping[str, Any]] | None = None) -> Done:
        """Do step after step until nothing is left to do.

        :param reports: of an attempt that returns from the triggerer, those of its jobs.
        :raises ZohoCrmError: the plan gives up, or Zoho refuses a call that is no submission
        """
        if reports is not None:
            self.seen = self.seen.with_reports(reports, self._clock.now())
        while True:
            journal, step = next_step(self._request, self.journal, self.seen, self._clock.now())
            if isinstance(step, Fail):
                raise step.error
            if isinstance(step, Send):
                self._log_submission(step.ids)
            self._save(journal)
            if isinstance(step, Done):
                return step
            self._do(step)

    def names(self, tag_ids: Iterable[str]) -> list[str]:
        """Return tags as ``id = name`` for logs and errors."""
        listed = self.seen.listed or {}
        return [f"{tag_id} = {one_line(listed[tag_id].name)}" if tag_id in listed else tag_id for tag_id in tag_ids]

    def described(self, tag_ids: Iterable[str]) -> list[dict[str, str]]:
        """Return tags as JSON values with ``id`` and ``name``; the name is empty of a tag that is not listed."""
        listed = self.seen.listed or {}
        return [{"id": tag_id, "name": listed[tag_id].name if tag_id in listed else ""} for tag_id in tag_ids]

    def skipped(self) -> list[dict[str, str]]:
        """Return the skipped tags, each with the reason."""
        codes = {tag_id: entry.skipped for tag_id, entry in self.journal.tags.items() if entry.skipped}
        return [{**tag, "reason": REASONS.get(codes[tag["id"]], codes[tag["id"]])} for tag in self.described(codes)]

    def _do(self, step: Step) -> None:
        """Do a step, and note what was seen."""
        now = self._clock.now()
        match step:
            case ReadList():
                self._read_list()
            case FindModule():
                self._module_id = self._id_of_module()
                self.seen = self.seen.with_module()
            case AskJobs(jobs):
                self.seen = self.seen.with_jobs({number: self._state_of(job_id) for number, job_id in jobs.items()}, now)
            case CountTags(ids):
                self.seen = self.seen.with_counts(self._counts(ids), now)
            case WaitUntil():
                self._wait(step)
            case Send():
                self._submit(step)
            case WatchJobs(ids):
                reports = self._watch(ids)
                self.seen = self.seen.with_reports(reports, self._clock.now())

    def _submit(self, step: Send) -> None:
        tag_ids = step.ids
        late = self._clock.now() > step.before
        answer = Refused(TooLate("Saving the journal took too long; nothing was sent.")) if late else self._send(tag_ids)
        self.seen = self.seen.with_answer(self.journal.last_number, tag_ids, answer, self._clock.now())
        self._save(heard(self._request, self.journal, step, answer))
        if isinstance(answer, Accepted):
            self._announce(list(job_ids(self.journal, self.seen)))

    def _wait(self, step: WaitUntil) -> None:
        if step.why != self._why:
            log.info("%s Waiting %.0f s.", step.why, step.at - self._clock.now())
        self._why = step.why
        self._clock.sleep_until(step.at)
        self.seen = self.seen.with_wait()

    def _read_list(self) -> None:
        """Read the list with a token that was fetched before, so that nothing has to be fetched between the list and a submission."""
        self._token = self._client.access_token(self._rejected)
        counted_by_list = any(chosen.max_records is not None for chosen in self._request.chosen.values())
        tags = read_tags(self._client, self._module, include_usage=counted_by_list)
        self.seen = self.seen.with_list({tag.id: Listed(tag.name, tag.record_count) for tag in tags.values()}, self._clock.now())

    def _id_of_module(self) -> str:
        modules = {module.api_name: module.id for module in self._client.send(list_modules()) if module.api_name}
        if self._module not in modules:
            raise InvalidModule(f"The org has no module with the API name {self._module!r}.")
        return modules[self._module]

    def _state_of(self, job_id: str) -> str:
        try:
            status = self._client.send(job_status(MassDeleteJob("tags", job_id, self._module)))
        except JobNotFound:
            log.warning("Zoho does not know job %s any more; the list of tags has to show what it did.", job_id)
            return "unknown"
        log.info("Job %s of an earlier attempt is %s.", job_id, status.state)
        return "ended" if status.ended else "running"

    def _counts(self, tag_ids: Sequence[str]) -> dict[str, RecordsCount | None]:
        """Return the counts, None where there is none: that keeps the tag.

        :raises ZohoCrmError: none was answered, or no other call would be; that is for the next attempt
        """
        answers = try_to_count_tags(self._client, self._module, tag_ids)
        failures = {tag_id: answer for tag_id, answer in answers.items() if isinstance(answer, ZohoCrmError)}
        for tag_id, error in failures.items():
            if isinstance(error, _NOT_ABOUT_A_TAG) or len(failures) == len(answers):
                raise error
            log.warning("%s was not counted: %s", ", ".join(self.names([tag_id])), error)
        return {tag_id: None if isinstance(answer, ZohoCrmError) else answer for tag_id, answer in answers.items()}

    def _send(self, tag_ids: Sequence[str]) -> Answer:
        """Submit tags once, and return what Zoho answered."""
        try:
            job_id = self._client.send_with(submit_tags(self._module, self._module_id, tag_ids), self._token)
        except SubmissionUncertain as error:
            log.warning("%s The list of tags has to show what Zoho did.", error)
            return Lost(error)
        except ZohoCrmError as error:
            if isinstance(error, TokenRejected):
                self._rejected = self._token
            log.warning("Not accepted: %s", error)
            return Refused(error)
        log.info("Zoho has scheduled job %s for %s of %s.", job_id, counted(len(tag_ids), "tag"), self._module)
        return Accepted(job_id)

    def _log_submission(self, tag_ids: tuple[str, ...]) -> None:
        what = f"Asking Zoho to delete {counted(len(tag_ids), 'tag')} of {self._module}"
        if tag_ids == self._named:
            log.info("%s, the same as before.", what)
        else:
            log_list(log, what, self.names(tag_ids))
        self._named = tag_ids
        again = [i for i in tag_ids if (s := self.journal.submission_of(i)) is not None and s.job_id is None]
        if again:
            log.warning(
                "No sign of their unconfirmed submission for %.0f s; these tags are sent again: %s",
                self._request.settle,
                ", ".join(self.names(again)),
            )

    def _save(self, journal: TagJournal) -> None:
        """Save the journal if it says something new, and log which tags are not sent."""
        if journal == self.journal:
            return
        if self.journal.request is None and journal.request is not None:
            self._log_missing(journal)
        for tag_id, entry in journal.tags.items():
            before = self.journal.tags.get(tag_id)
            if entry.skipped and (before is None or not before.skipped):
                (name,) = self.names([tag_id])
                log.warning("Skipped, and not deleted: %s of %s, because %s.", name, self._module, REASONS[entry.skipped])
        self._save_journal(journal)
        self.journal = journal

    def _log_missing(self, journal: TagJournal) -> None:
        digests = {entry.digest for entry in journal.tags.values()}
        missing = [tag_id for tag_id in self._request.ids if tag_id not in journal.tags]
        missing += [name for name in self._request.names if digest_of_name(name) not in digests]
        if missing:
            log_list(log, f"Skipped, because {self._module} has no such tags", missing)
        if missing and not journal.tags:
            log.warning("%s has none of these tags: they are deleted already, or the names or the module are wrong.", self._module)
