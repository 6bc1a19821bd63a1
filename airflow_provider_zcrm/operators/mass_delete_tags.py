"""`MassDeleteTagsOperator`: deletes tags of a module of Zoho CRM through mass-delete jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import conf

from airflow_provider_zcrm.api.errors import InvalidArgument, PermanentError
from airflow_provider_zcrm.links.zcrm import ZohoCrmGuideLink, ZohoCrmModuleLink
from airflow_provider_zcrm.operators.base import DEFAULT_MAX_SHARE, MassDeleteOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_provider_zcrm.deletion.stored_journal import StoredJournal
    from airflow_provider_zcrm.deletion.tags import TagDeletion
    from airflow_provider_zcrm.rules.tag_deletion import Done
    from airflow_provider_zcrm.rules.tag_journal import TagJournal
    from airflow_provider_zcrm.rules.tag_request import TagRequest


_JOURNAL = "zoho_crm_mass_delete_tags"


class MassDeleteTagsOperator(MassDeleteOperator):
    """Deletes tags of one module, in mass-delete jobs of up to 200 tags.

    Every tag is judged directly before it is submitted: it is deleted only under the name under which it was requested or chosen, and a
    tag that was chosen because few records carry it is counted again. A retry, or clearing the task, never submits again what a job
    at Zoho holds: the task keeps a journal.
    Returns the list of job ids, always a list; each accepted job is also pushed as XCom ``job_id`` (``[]`` for none, the id
    for one, the list for several), and the tags that it skips with the reasons as ``skipped``. A task that waits pushes
    the ``report`` of each job. ``counts`` has the numbers of tags, ``api_calls`` and ``credits_left`` say what it has cost.

    .. seealso:: docs/operators.md, and Zoho's crm/developer/docs/api/v8/mass-delete-tags.html

    :param module: API name of the module, such as ``Leads`` (templated).
    :param tag_ids: the tags by id: a string of digits, an int, a mapping with ``id``, or a sequence of these nested at most
        twice; a mapping may have ``name``, ``max_records`` and ``used_by_automation``, as those of `FindTagsOperator` (templated).
    :param tag_names: the tags by name, instead of by id: a string or a sequence of strings; case counts (templated).
    :param zoho_crm_conn_id: id of the Airflow connection (templated).
    :param missing_tags: what to do about tags that the module does not have: ``skip`` them, or ``fail`` before anything is sent
        (templated).
    :param undeletable_tags: what to do about tags that Zoho does not delete, because automation uses them: ``skip`` those for which it
        refuses a batch, or ask about all first, with one API call per tag, and ``fail`` before anything is sent (templated).
    :param max_tags: fail if more tags than this would be deleted; None for any number (templated).
    :param max_share: fail if more than this share of the module's tags would be deleted, 0 to 1; 1.0 allows all (templated).
    :param dry_run: do everything but the submission, and push the tags that would be deleted as XCom ``would_delete`` (templated, as
        ``is_dry_run``, for Airflow's operators have a method of the argument's name).
    :param wait_for_completion: wait until the jobs have ended and the tags are gone from the list.
    :param deferrable: wait in the triggerer; default is ``[operators] default_deferrable`` of the Airflow configuration.
    :param poke_interval: seconds between polls; None follows the job: every 5 s at first, then less often.
    :param timeout: seconds for all attempts of the task together; when they are over, the task fails without retry.
    :param on_partial_failure: when jobs have ended and tags are left: ``fail`` (retryable; the next attempt sends them again) or
        ``ignore`` (templated).
    """

    template_fields: Sequence[str] = (
        "module",
        "tag_ids",
        "tag_names",
        "zoho_crm_conn_id",
        "missing_tags",
        "undeletable_tags",
        "max_tags",
        "max_share",
        "is_dry_run",
        "on_partial_failure",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"tag_ids": "json", "tag_names": "json"}
    operator_extra_links = (ZohoCrmModuleLink(), ZohoCrmGuideLink("operators"))

    def __init__(
        self,
        *,
        module: str,
        tag_ids: Any = None,
        tag_names: Any = None,
        zoho_crm_conn_id: str = "zoho_crm_default",
        missing_tags: str = "skip",
        undeletable_tags: str = "skip",
        max_tags: int | str | None = None,
        max_share: float | str = DEFAULT_MAX_SHARE,
        dry_run: bool | str = False,
        wait_for_completion: bool = False,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: float | timedelta | None = None,
        timeout: float | timedelta = 6 * 3600.0,
        on_partial_failure: str = "fail",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.module = module
        self.tag_ids = tag_ids
        self.tag_names = tag_names
        self.zoho_crm_conn_id = zoho_crm_conn_id
        self.missing_tags = missing_tags
        self.undeletable_tags = undeletable_tags
        self.max_tags = max_tags
        self.max_share = max_share
        self.is_dry_run = dry_run
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.poke_interval = poke_interval
        self.timeout = timeout
        self.on_partial_failure = on_partial_failure
        self._note_given("max_tags", "tag_ids", "tag_names")

    def execute(self, context: Context) -> list[str]:
        """Submit the jobs, and wait for them if the task waits.

        :raises ZohoCrmFailure: what no retry will fix
        :raises ZohoCrmError: what a retry may fix; it goes on where this attempt stopped
        """
        from airflow_provider_zcrm.deletion.stored_journal import StoredJournal
        from airflow_provider_zcrm.hooks.errors import airflow_errors

        with airflow_errors(self.zoho_crm_conn_id), self._deadline_first():
            self._check_text("module", "zoho_crm_conn_id")
            self._check_given()
            stored = StoredJournal(context, _JOURNAL)
            journal, request = self._open(context, stored)
            if not request.without_journal:
                # from here on a journal says that nothing was sent but what stands in it; also one that a dry run began
                stored.save(journal.to_json())
            ZohoCrmModuleLink.store(context, self._client.config, self.module)
            deletion = self._deletion(context, stored, request, journal)
            done = deletion.run()
            if request.dry_run:
                self._push_would_delete_tags(context, deletion, done)
            return self._finish(context, request, deletion, done)

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> list[str]:
        """Go on when the trigger has fired."""
        from airflow_provider_zcrm.deletion.stored_journal import StoredJournal
        from airflow_provider_zcrm.deletion.wait_for_jobs import check_time
        from airflow_provider_zcrm.hooks.errors import airflow_errors
        from airflow_provider_zcrm.rules.errors import DeadlineReached
        from airflow_provider_zcrm.triggers.event import read_event

        with airflow_errors(self.zoho_crm_conn_id):
            known = dict(read_event(event))
            check_time(known, DeadlineReached)
            stored = StoredJournal(context, _JOURNAL)
            journal, request = self._open(context, stored)
            if journal.request is None:
                raise PermanentError(
                    "The journal of the task is gone, so which tags its jobs were to delete is not known. Nothing more was sent.",
                    advice=f"Look at the tags of {self.module} in Zoho CRM, then clear the task.",
                )
            deletion = self._deletion(context, stored, request, journal)
            done = deletion.run(known["jobs"])
            return self._finish(context, request, deletion, done, self._calls_before(context, known))

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any]:  # noqa: ARG002 - OpenLineage's signature
        """Return, for OpenLineage, that the tags of the module were changed, or only read."""
        from airflow_provider_zcrm.lineage import lineage, tags_of

        tags = tags_of(self.zoho_crm_conn_id, self.module)
        return lineage(changes=[tags], dry_run=self.is_dry_run, job_ids=self._submitted)

    def _open(self, context: Context, stored: StoredJournal) -> tuple[TagJournal, TagRequest]:
        """Return the journal of this run, and what is requested; and open the connection, since the deadline is known then."""
        from airflow_provider_zcrm.rules.tag_journal import TagJournal
        from airflow_provider_zcrm.version_compat import task_round

        found = stored.load(TagJournal.from_json)
        request = self._request(context, without_journal=found is None and context["ti"].try_number > 1)
        run = task_round(context)
        deadline = self._open_connection(found, run)
        host = self._client.config.hosts.api_url
        return (found or TagJournal(host, self.module, run, deadline)).for_run(run, self.module, deadline), request

    def _request(self, context: Context, *, without_journal: bool) -> TagRequest:
        """Return what is requested, or refuse the arguments."""
        from airflow_provider_zcrm.hooks.settings import number_setting
        from airflow_provider_zcrm.rules.arguments import check_asked_about, check_choice, check_module, ids_of, names_of, truth_of
        from airflow_provider_zcrm.rules.guards import Guards
        from airflow_provider_zcrm.rules.tag_request import TagRequest, chosen_of

        check_choice(self.missing_tags, "missing_tags", ("skip", "fail"))
        check_choice(self.undeletable_tags, "undeletable_tags", ("skip", "fail"))
        check_choice(self.on_partial_failure, "on_partial_failure", ("fail", "ignore"))
        if (self.tag_ids is None) == (self.tag_names is None):
            raise InvalidArgument("Pass either tag_ids or tag_names, not both and not neither.")
        check_module(self.tag_ids, "tag_ids", self.module)
        dry_run = truth_of(self.is_dry_run, "dry_run")
        if not dry_run:
            check_asked_about(self.tag_ids, "tag_ids")
        # the wait would refuse them too late, when the jobs are submitted
        self._poke_seconds()
        number_setting("unknown_job_grace")
        settle = number_setting("settle")
        self._check_execution_timeout(context, settle)
        return TagRequest(
            module=self.module,
            ids=tuple(ids_of(self.tag_ids, "tag_ids")) if self.tag_ids is not None else (),
            names=tuple(names_of(self.tag_names, "tag_names")) if self.tag_names is not None else (),
            chosen=chosen_of(self.tag_ids, "tag_ids") if self.tag_ids is not None else {},
            attempt=context["ti"].try_number,
            without_journal=without_journal,
            missing_tags=self.missing_tags,
            undeletable_tags=self.undeletable_tags,
            guards=Guards.of(self.max_tags, self.max_share),
            settle=settle,
            dry_run=dry_run,
            wait=self.wait_for_completion,
        )

    def _deletion(self, context: Context, stored: StoredJournal, request: TagRequest, journal: TagJournal) -> TagDeletion:
        from airflow_provider_zcrm.deletion.tags import TagDeletion

        def save(changed: TagJournal) -> None:
            # what a dry run finds out is not for a later attempt to go by
            if not request.dry_run:
                stored.save(changed.to_json())

        def watch(job_ids: Sequence[str]) -> Sequence[Mapping[str, Any]]:
            from airflow_provider_zcrm.api.mass_delete import MassDeleteJob

            self._announce(context, list(job_ids))
            return self._reports_of(context, [MassDeleteJob("tags", job_id, self.module) for job_id in job_ids], deletion.journal.deadline)

        deletion = TagDeletion(
            self._client, request, journal, save=save, announce=lambda job_ids: self._announce(context, job_ids), watch=watch
        )
        return deletion

    def _push_would_delete_tags(self, context: Context, deletion: TagDeletion, done: Done) -> None:
        """Say which tags a dry run would delete."""
        from airflow_provider_zcrm.rules.log_lists import counted, log_list

        headline = f"Dry run: {counted(len(done.would_delete), 'tag')} of {self.module} would be deleted"
        log_list(self.log, headline, deletion.names(done.would_delete))
        context["ti"].xcom_push(key="would_delete", value=deletion.described(done.would_delete))

    def _finish(self, context: Context, request: TagRequest, deletion: TagDeletion, done: Done, earlier_calls: int = 0) -> list[str]:
        """Push what was done, and judge it by the list of tags."""
        from airflow_provider_zcrm.operators.base import push_api_usage

        job_ids, journal = list(done.job_ids), deletion.journal
        waited = request.wait and not request.dry_run
        skipped = deletion.skipped()
        there = len(journal.tags) - len(skipped)
        self._announce(context, job_ids)
        context["ti"].xcom_push(key="skipped", value=skipped)
        counts = {
            "looked_at": journal.existing if journal.tags or journal.requested else None,
            "requested": journal.requested,
            "missing": journal.requested - len(journal.tags),
            "skipped": len(skipped),
            "deleted": there - len(done.left) if waited else None,
            "failed": len(done.left) if waited else None,
        }
        context["ti"].xcom_push(key="counts", value=counts)
        push_api_usage(context, self._client, earlier_calls)
        if waited:
            self._judge(context, deletion, done)
        elif not job_ids:
            self.log.info("No tag of %s is submitted.", self.module)
        return job_ids

    def _judge(self, context: Context, deletion: TagDeletion, done: Done) -> None:
        """Push the reports, and fail if tags are left: a job's own counts do not say, it may find a tag gone that another one deleted."""
        from airflow_provider_zcrm.rules.errors import TagsLeftBehind
        from airflow_provider_zcrm.rules.job_watch import LOST, sentence

        reports = [dict(report) for report in deletion.seen.reports or ()]
        context["ti"].xcom_push(key="report", value=reports)
        said = "; ".join(sentence(report) for report in reports) or "no job"
        if done.left:
            problem = f"{len(done.left)} tags of {self.module} are still there: {', '.join(deletion.names(done.left))}"
            if self.on_partial_failure == "fail" or any(report["state"] == "FAILED" for report in reports):
                raise TagsLeftBehind(
                    f"{problem}, after {said}.",
                    advice="The next attempt sends them again. If it stays so, look in Zoho CRM for what uses them.",
                )
            self.log.warning("%s, after %s.", problem, said)
        elif any(report["state"] == LOST for report in reports):
            self.log.warning(
                "%s has none of the tags, but Zoho does not know each of the jobs: they were deleted all the same, or connection %s "
                "points to another org now.",
                self.module,
                self.zoho_crm_conn_id,
            )
        self.log.info("Done with %d tags of %s: %s.", len(deletion.journal.tags), self.module, said)
