"""`ApproveTagsOperator`: asks a person before tags are deleted."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowSkipException, BaseOperator

from airflow_provider_zcrm.api.errors import InvalidArgument
from airflow_provider_zcrm.links.zcrm import ZohoCrmGuideLink
from airflow_provider_zcrm.templates import KeepsPlainStrings
from airflow_provider_zcrm.version_compat import hitl_operator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

# costs more to import than all of ours, so this file is imported only where somebody is asked; None before Airflow 3.1
_HITL = hitl_operator()
_Asks: Any = _HITL or BaseOperator
APPROVE, REJECT = "Approve", "Reject"
_ASKED = "asked"


class ApproveTagsOperator(KeepsPlainStrings, _Asks):  # type: ignore[misc]
    """Asks a person whether tags may be deleted, and returns the very tags that the question was about when they are approved.

    The tags are stored before it waits. So what `find` returns later, when it is cleared while the question is open, reaches nobody: a
    delete with ``tag_ids=approve.output`` gets what was approved, and nothing else. Rejected, or not answered in time, the task is skipped,
    and with it the delete. Without tags it asks nothing and returns an empty list. Needs Airflow 3.1 or newer.

    .. seealso:: docs/cleanup.md, and airflow.apache.org/docs/apache-airflow-providers-standard/stable/operators/hitl.html

    :param module: API name of the module, for the question (templated).
    :param tag_ids: the tags as `FindTagsOperator` returns them, or their ids as for `MassDeleteTagsOperator` (templated).
    :param unmatched_keep: entries of ``keep`` that match no tag, as XCom ``unmatched_keep`` of `FindTagsOperator` (templated).
    :param dry_run: ask nothing, because nothing is deleted, and return the tags with the mark ``only_dry_run``, with which
        `MassDeleteTagsOperator` refuses to delete them (templated, as ``is_dry_run``).
    :param response_timeout: how long the question is open; then it counts as rejected.
    :param assigned_users: who may answer, as for Airflow's HITLOperator; not in all of its versions.
    """

    template_fields: Sequence[str] = ("module", "tag_ids", "unmatched_keep", "is_dry_run")
    template_fields_renderers: ClassVar[dict[str, str]] = {"tag_ids": "json"}
    ui_color = "#f9f2d2"
    operator_extra_links = (ZohoCrmGuideLink("cleanup"),)

    def __init__(
        self,
        *,
        module: str,
        tag_ids: Any,
        unmatched_keep: Any = (),
        dry_run: bool | str = False,
        response_timeout: timedelta = timedelta(days=2),
        assigned_users: Any = None,
        **kwargs: Any,
    ) -> None:
        if _HITL is None:
            raise InvalidArgument("ApproveTagsOperator asks a person, which needs Airflow 3.1 or newer.", advice="Leave approval out.")
        known = inspect.signature(_Asks.__init__).parameters
        # before the standard provider 1.13 the time-out of the task was that of the question
        kwargs["response_timeout" if "response_timeout" in known else "execution_timeout"] = response_timeout
        if assigned_users is not None:
            kwargs["assigned_users"] = assigned_users
        super().__init__(subject=f"Delete tags of {module}?", options=[APPROVE, REJECT], defaults=[REJECT], **kwargs)
        self.module = module
        self.tag_ids = tag_ids
        self.unmatched_keep = unmatched_keep
        self.is_dry_run = dry_run

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Store the tags, and ask; the task goes on in ``execute_complete`` when there is an answer.

        :raises InvalidArgument: the tags are none
        """
        from airflow_provider_zcrm.rules.arguments import ONLY_DRY_RUN, truth_of

        tags = self._tags()
        if not tags or truth_of(self.is_dry_run, "dry_run"):
            self.log.info("Nobody is asked: %s.", "it is a dry run" if tags else f"no tag of {self.module} is to be deleted")
            return [{**tag, ONLY_DRY_RUN: True} for tag in tags]
        context["ti"].xcom_push(key=_ASKED, value=tags)
        # Airflow's class asks what these two say
        self.subject, self.body = self._question(tags, f"XCom {_ASKED!r} of this task has them all.")
        asked: list[dict[str, Any]] = super().execute(context)
        return asked

    def execute_complete(self, context: Context, event: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the tags that were asked about if they were approved.

        :raises AirflowSkipException: they were rejected, or nobody has answered in time
        """
        ti: Any = context["ti"]
        chosen = super().execute_complete(context, event)["chosen_options"]
        tags = ti.xcom_pull(task_ids=ti.task_id, key=_ASKED, map_indexes=ti.map_index)
        if list(chosen) != [APPROVE]:
            raise AirflowSkipException(f"The delete of tags of {self.module} was not approved, so nothing is deleted.")
        if not tags:
            raise InvalidArgument(
                f"The tags of {self.module} that were asked about are gone.", advice="Clear the task, so that it asks again."
            )
        self.log.info("Approved: %d tags of %s.", len(tags), self.module)
        return [dict(tag) for tag in tags]

    def _question(self, tags: Sequence[Mapping[str, Any]], rest: str) -> tuple[str, str]:
        """Return the headline and the text of the question.

        :param rest: where the tags stand that are not in the text.
        """
        from airflow_provider_zcrm.rules.approval import body, subject

        return subject(self.module, len(tags)), body(self.module, tags, list(self.unmatched_keep or ()), rest)

    def _tags(self) -> list[dict[str, Any]]:
        """Return the tags, each as a mapping with ``id``."""
        from airflow_provider_zcrm.rules.arguments import check_module, flat, ids_of

        check_module(self.tag_ids, "tag_ids", self.module)
        tag_ids = ids_of(self.tag_ids, "tag_ids")
        given = {ids_of(item, "tag_ids")[0]: dict(item) for item in flat(self.tag_ids, "tag_ids") if isinstance(item, Mapping)}
        return [given.get(tag_id, {}) | {"id": tag_id} for tag_id in tag_ids]
