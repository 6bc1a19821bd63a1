"""`ApproveTagsOfModulesOperator`: asks a person once before tags of several modules are deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_zcrm.api.errors import InvalidArgument
from airflow_provider_zcrm.operators.approve_tags import ApproveTagsOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class ApproveTagsOfModulesOperator(ApproveTagsOperator):
    """Asks one question about the tags that tasks, mapped over modules, have found, and returns these very tags when they are approved.

    It runs when all of those tasks have ended, and asks about the modules whose task ended well: XCom ``modules`` has their API names.
    Apart from that it is `ApproveTagsOperator`; each tag carries the module in which it was chosen.

    .. seealso:: docs/org-cleanup.md

    :param find_task_id: the mapped task of the `FindTagsOfModuleOperator`.
    """

    template_fields: Sequence[str] = ("tag_ids", "is_dry_run")

    def __init__(self, *, find_task_id: str, **kwargs: Any) -> None:
        super().__init__(module="all modules", **kwargs)
        self.find_task_id = find_task_id

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Note which modules are asked about, and ask.

        :raises InvalidArgument: a tag does not say in which module it was chosen, or is of a task that does not count any more
        """
        from airflow_provider_zcrm.operators.base import pushed_by_all
        from airflow_provider_zcrm.rules.org_modules import unmatched_in_all
        from airflow_provider_zcrm.version_compat import task_states

        names = [each["module"] for each in pushed_by_all(context, self.find_task_id, "module")]
        well = sum(state == "success" for state in task_states(context, [self.find_task_id]).values())
        # of a task that Airflow has removed since, because the list of modules got shorter, the XComs stay
        if len(names) > well:
            raise InvalidArgument(
                f"{self.find_task_id} has ended well for {well} modules, and has pushed what it found in {len(names)}: the list of modules "
                "was cleared and has changed. Nobody is asked.",
                advice="Start a new DAG run.",
            )
        context["ti"].xcom_push(key="modules", value=names)
        self.unmatched_keep = unmatched_in_all(pushed_by_all(context, self.find_task_id, "keep"))
        return super().execute(context)

    def _tags(self) -> list[dict[str, Any]]:
        from airflow_provider_zcrm.rules.arguments import flat

        tags = [item for item in flat(self.tag_ids, "tag_ids") if item is not None]
        for tag in tags:
            if not isinstance(tag, Mapping) or not isinstance(tag.get("module"), str) or "id" not in tag:
                raise InvalidArgument(
                    "A tag does not say in which module it was chosen.", advice="Pass what FindTagsOfModuleOperator returns."
                )
        return [dict(tag) for tag in tags]

    def _question(self, tags: Sequence[Mapping[str, Any]], rest: str) -> tuple[str, str]:
        from airflow_provider_zcrm.rules.approval import body_of_modules, subject
        from airflow_provider_zcrm.rules.log_lists import counted

        headline = subject(counted(len({tag["module"] for tag in tags}), "module"), len(tags))
        return headline, body_of_modules(tags, self.unmatched_keep, rest)
