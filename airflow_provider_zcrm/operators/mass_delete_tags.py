"""`MassDeleteTagsOperator`: deletes tags of a module of Zoho CRM through mass-delete jobs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import conf

from airflow_provider_zcrm.api.errors import InvalidArgument
from airflow_provider_zcrm.links.zcrm import ZohoCrmGuideLink, ZohoCrmModuleLink
from airflow_provider_zcrm.operators.base import DEFAULT_MAX_SHARE, MassDeleteOperator
from airflow_provider_zcrm.rules.errors import DeadlineReached, TagsLeftBehind

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_provider_zcrm.deletion.tags import TagDeletion
    from airflow_provider_zcrm.rules.tag_journal import Journal
    from airflow_provider_zcrm.version_compat import TaskState


_JOURNAL = "zoho_crm_mass_delete_tags"
_CHOICES = {
    "missing_tags": ("skip", "fail"),
    "used_by_automation": ("send", "skip", "fail"),
    "refused_tags": ("set_aside", "fail"),
    "on_partial_failure": ("fail", "ignore"),
}


class MassDeleteTagsOperator(MassDeleteOperator):
    """Deletes tags of one module, in mass-delete jobs of up to 200 tags.

    A retry, or clearing the task, never submits again what Zoho has taken: the task keeps a journal of what it submits.
    Returns the list of job ids, always a list; each accepted job is also pushed as XCom ``job_id`` (``[]`` for none, the id
    for one, the list for several), and the tags that it leaves alone with the reasons as ``set_aside``. A task that waits pushes
    what became of each job as ``report``. ``counts`` has the numbers of tags, ``api_calls`` and ``credits_left`` what it has cost.

    .. seealso:: docs/operators.md, and Zoho's crm/developer/docs/api/v8/mass-delete-tags.html

    :param module: API name of the module, such as ``Leads`` (templated).
    :param tag_ids: the tags by id: a string of digits, an int, a mapping with ``id``, or a sequence of these nested at most
        twice; one whose mapping has a ``name`` is left alone if it was renamed since (templated).
    :param tag_names: the tags by name, instead of by id: a string or a sequence of strings; case counts (templated).
    :param zoho_crm_conn_id: id of the Airflow connection (templated).
    :param missing_tags: what to do about tags that the module does not have: ``skip`` them, or ``fail`` before anything is sent
        (templated).
    :param used_by_automation: what to do about tags that automation uses, which Zoho refuses to delete: ``send`` them all the same,
        ``skip`` them, or ``fail`` before anything is sent; the latter two look first, with one API call per tag (templated).
    :param refused_tags: what to do about a tag for which Zoho refuses a whole batch (automation uses it, or Zoho does not find it):
        ``set_aside`` it, report it and go on with the others, or ``fail`` (templated).
    :param max_tags: fail if more tags than this would be deleted; None for any number (templated).
    :param max_share: fail if more than this share of the module's tags would be deleted, 0 to 1; 1.0 allows all (templated).
    :param dry_run: do everything but the submission, and push the tags that would go as XCom ``would_delete`` (templated, as
        ``is_dry_run``, for Airflow's operators have a method of the argument's name).
    :param wait_for_completion: wait until the jobs have ended and the tags are gone from the list.
    :param deferrable: wait in the triggerer; default is ``[operators] default_deferrable`` of the Airflow configuration.
    :param poke_interval: seconds between polls; None follows the job: every 5 s at first, then less often.
    :param timeout: seconds for all tries of the task together; when they are over, the task fails without retry.
    :param settle: seconds after which tags of a submission whose answer was lost are sent again, if the list of tags shows no sign of it.
    :param unknown_job_grace: seconds for which Zoho may not know a job that it has just scheduled.
    :param verify: of a task that waits: read the list of tags when the jobs have ended; False trusts the jobs' counts and saves the call.
    :param on_partial_failure: when jobs have ended and tags are left: ``fail`` (retryable; the next try sends them again) or ``ignore``
        (templated).
    """

    template_fields: Sequence[str] = (
        "module",
        "tag_ids",
        "tag_names",
        "zoho_crm_conn_id",
        "missing_tags",
        "used_by_automation",
        "refused_tags",
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
        used_by_automation: str = "send",
        refused_tags: str = "set_aside",
        max_tags: int | str | None = None,
        max_share: float | str = DEFAULT_MAX_SHARE,
        dry_run: bool | str = False,
        wait_for_completion: bool = False,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: float | timedelta | None = None,
        timeout: float | timedelta = 6 * 3600.0,
        settle: float | timedelta = 300.0,
        unknown_job_grace: float = 60.0,
        verify: bool = True,
        on_partial_failure: str = "fail",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.module = module
        self.tag_ids = tag_ids
        self.tag_names = tag_names
        self.zoho_crm_conn_id = zoho_crm_conn_id
        self.missing_tags = missing_tags
        self.used_by_automation = used_by_automation
        self.refused_tags = refused_tags
        self.max_tags = max_tags
        self.max_share = max_share
        self.is_dry_run = dry_run
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.poke_interval = poke_interval
        self.timeout = timeout
        self.settle = settle
        self.unknown_job_grace = unknown_job_grace
        self.verify = verify
        self.on_partial_failure = on_partial_failure
        self._note_given("max_tags")

    def execute(self, context: Context) -> list[str]:
        """Submit the jobs, and wait for them if asked to.

        :raises ZohoCrmFailure: what no retry will mend
        :raises ZohoCrmError: what a retry may mend; it goes on where this try stopped
        """
        from airflow_provider_zcrm.api.mass_delete import MassDeleteJob
        from airflow_provider_zcrm.hooks.errors import airflow_errors
        from airflow_provider_zcrm.rules.arguments import names_beside_ids, truth_of
        from airflow_provider_zcrm.version_compat import TaskState

        with airflow_errors(self.zoho_crm_conn_id), self._deadline_first():
            self._check_given()
            tag_ids, tag_names = self._wanted()
            dry_run = truth_of(self.is_dry_run, "dry_run")
            state = TaskState(context)
            stored = state.get(_JOURNAL)
            journal = self._open_journal(stored, context)
            self._check_host(journal.host)
            self._check_asked(journal, tag_ids, tag_names)
            blind = stored is None and context["ti"].try_number > 1
            # a journal says that nothing was sent but what stands in it; a blind try cannot say that before it has noted all wanted tags
            if not blind:
                state.set(_JOURNAL, journal.to_json())
            ZohoCrmModuleLink.store(context, self._client.config, self.module)
            # what a dry run finds out is not for a later run to go by
            deletion = self._deletion(context, journal, TaskState({}) if dry_run else state)
            looked_at, wanted = None, []
            if tag_ids or tag_names:
                looked_at = deletion.look()
                chosen_as = names_beside_ids(self.tag_ids, "tag_ids")
                blind = blind and not dry_run
                wanted = deletion.resolve(tag_ids, tag_names, self.missing_tags, chosen_as=chosen_as, blind=blind)
            job_ids = self._rehearse(context, deletion, wanted) if dry_run else deletion.submit(wanted)
            self._announce(context, job_ids)
            aside = deletion.set_aside()
            context["ti"].xcom_push(key="set_aside", value=[asdict(tag) for tag in aside])
            asked = len(tag_ids) + len(tag_names)
            counts = {"looked_at": looked_at, "wanted": asked, "missing": asked - len(wanted), "set_aside": len(aside)}
            self._push_counts(context, counts | {"deleted": None, "failed": None})
            if not job_ids:
                self.log.info("No tag of %s is submitted.", self.module)
            if self.wait_for_completion and not dry_run:
                jobs = [MassDeleteJob("tags", job_id, self.module) for job_id in job_ids]
                wanted = deletion.without_set_aside(wanted)
                reports = self._reports_of(context, jobs, journal.deadline, {"tag_ids": wanted, "counts": counts})
                return self._finish(context, deletion, reports, wanted, counts)
            return job_ids

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> list[str]:
        """Go on when the trigger has fired."""
        from airflow_provider_zcrm.deletion.wait_for_jobs import check_time
        from airflow_provider_zcrm.hooks.errors import airflow_errors
        from airflow_provider_zcrm.rules.tag_journal import Journal
        from airflow_provider_zcrm.triggers.event import read_event
        from airflow_provider_zcrm.version_compat import TaskState, task_round

        with airflow_errors(self.zoho_crm_conn_id):
            event = dict(read_event(event))
            check_time(event, DeadlineReached)
            deletion = self._deletion(context, Journal(task_round(context), 0.0), TaskState({}))
            carry = event["carry"]
            self._check_host(carry["host"])
            self._check_module(event["jobs"])
            earlier_calls = carry["api_calls"] + event["api_calls"]
            return self._finish(context, deletion, event["jobs"], carry["tag_ids"], carry["counts"], earlier_calls)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any]:  # noqa: ARG002 - OpenLineage's signature
        """Return, for OpenLineage, that the tags of the module were changed, or only read."""
        from airflow_provider_zcrm.lineage import lineage, tags_of

        tags = tags_of(self.zoho_crm_conn_id, self.module)
        return lineage(changes=[tags], dry_run=self.is_dry_run, job_ids=self._submitted)

    def _wanted(self) -> tuple[list[str], list[str]]:
        """Return the ids and the names that are asked for, or refuse the arguments."""
        from airflow_provider_zcrm.rules.arguments import check_choice, ids_of, names_of

        for name, allowed in _CHOICES.items():
            check_choice(getattr(self, name), name, allowed)
        if (self.tag_ids is None) == (self.tag_names is None):
            raise InvalidArgument("Pass either tag_ids or tag_names, not both and not neither.")
        if self.tag_ids is not None:
            return ids_of(self.tag_ids, "tag_ids"), []
        return [], names_of(self.tag_names, "tag_names")

    def _open_journal(self, stored: Any, context: Context) -> Journal:
        from airflow_provider_zcrm.rules.arguments import seconds_of
        from airflow_provider_zcrm.rules.tag_journal import Journal
        from airflow_provider_zcrm.version_compat import task_round

        # the wait would refuse it too late, when the jobs are submitted
        self._poke_seconds()
        journal = Journal.open(stored, task_round(context), time.time(), seconds_of(self.timeout, "timeout"))
        self._until = journal.deadline
        return journal

    def _check_asked(self, journal: Journal, tag_ids: list[str], tag_names: list[str]) -> None:
        """Refuse another request than that of the first try: what that one resolved says nothing of other tags."""
        from airflow_provider_zcrm.rules.log_lists import counted
        from airflow_provider_zcrm.rules.tag_journal import digest_of

        if journal.asked not in (None, digest_of(self.module, tag_ids, tag_names)):
            now = f"{counted(len(tag_ids) + len(tag_names), 'tag')} of {self.module}"
            raise InvalidArgument(
                f"What is asked for is not what the first try of this round asked for; now it is {now}. Nothing was sent.",
                advice="Clear the task, so that it is judged anew; it knows what it has submitted.",
            )

    def _check_module(self, reports: list[dict[str, Any]]) -> None:
        """Refuse another module than that of the jobs: its list does not have their tags, so all would look deleted."""
        modules = {report["module"] for report in reports}
        if modules != {self.module}:
            raise InvalidArgument(
                f"module is {self.module} now, and the jobs that this task waited for are of {', '.join(modules)}. Nothing more was sent.",
                advice="Clear the task, so that it is judged anew; it knows what it has submitted.",
            )

    def _rehearse(self, context: Context, deletion: TagDeletion, wanted: list[str]) -> list[str]:
        """Tell what would be submitted; return the job ids, which are none."""
        from airflow_provider_zcrm.rules.log_lists import counted, log_list

        tags = deletion.described(deletion.free(wanted))
        headline = f"Dry run: {counted(len(tags), 'tag')} of {self.module} would be deleted"
        log_list(self.log, headline, [f"{tag['id']} = {tag['name']}" for tag in tags])
        context["ti"].xcom_push(key="would_delete", value=tags)
        return []

    def _deletion(self, context: Context, journal: Journal, state: TaskState) -> TagDeletion:
        from airflow_provider_zcrm.deletion.tags import Rules, TagDeletion
        from airflow_provider_zcrm.rules.arguments import seconds_of
        from airflow_provider_zcrm.rules.guards import Guards

        return TagDeletion(
            self._client,
            self.module,
            journal,
            save=lambda changed: state.set(_JOURNAL, changed.to_json()),
            announce=lambda job_ids: self._announce(context, job_ids),
            rules=Rules(Guards.of(self.max_tags, self.max_share), self.used_by_automation, self.refused_tags),
            settle=seconds_of(self.settle, "settle"),
        )

    def _push_counts(self, context: Context, counts: Mapping[str, int | None], earlier_calls: int = 0) -> None:
        from airflow_provider_zcrm.operators.base import push_api_usage

        context["ti"].xcom_push(key="counts", value=dict(counts))
        push_api_usage(context, self._client, earlier_calls)

    def _finish(
        self,
        context: Context,
        deletion: TagDeletion,
        reports: list[dict[str, Any]],
        wanted: list[str],
        counts: Mapping[str, int | None],
        earlier_calls: int = 0,
    ) -> list[str]:
        from airflow_provider_zcrm.rules.job_watch import LOST, sentence
        from airflow_provider_zcrm.rules.log_lists import counted

        context["ti"].xcom_push(key="report", value=reports)
        told = "; ".join(sentence(report) for report in reports) or "no job"
        if self.verify:
            # a job's counts do not tell: it may find a tag gone that another one has deleted
            left = deletion.wait_until_gone(wanted) if reports or deletion.present(wanted) else []
            problem = f"{len(left)} tags of {self.module} are still there: {deletion.names(left)}" if left else ""
            if not left and any(report["state"] == LOST for report in reports):
                self.log.warning(
                    "%s has none of the tags, but Zoho does not know each of the jobs: they were deleted all the same, or connection %s "
                    "leads to another org now.",
                    self.module,
                    self.zoho_crm_conn_id,
                )
            outcome: dict[str, int | None] = {"deleted": len(wanted) - len(left), "failed": len(left)}
        else:
            problem = _failures(reports)
            outcome = {name: _sum(report[name] for report in reports) for name in ("deleted", "failed")}
        self._push_counts(context, {**counts, **outcome}, earlier_calls)
        failed = any(report["state"] == "FAILED" for report in reports)
        if problem and (failed or self.on_partial_failure == "fail"):
            raise TagsLeftBehind(
                f"{problem}, after {told}.",
                advice="The next try sends them again. If it stays so, look in Zoho CRM for what uses them.",
            )
        if problem:
            self.log.warning("%s, after %s.", problem, told)
        self.log.info("Done with %s of %s: %s.", counted(len(wanted), "tag"), self.module, told)
        job_ids = [report["id"] for report in reports]
        self._announce(context, job_ids)
        return job_ids


def _failures(reports: list[dict[str, Any]]) -> str:
    """Judge by what the jobs say of themselves."""
    from airflow_provider_zcrm.rules.job_watch import left_behind

    bad = [report["id"] for report in reports if report["state"] != "COMPLETED" or left_behind(report)]
    return f"Not all tags were deleted by job {', '.join(bad)}" if bad else ""


def _sum(numbers: Iterable[int | None]) -> int | None:
    """Add up what the jobs tell; None if one of them does not."""
    known = list(numbers)
    return None if None in known else sum(number or 0 for number in known)
