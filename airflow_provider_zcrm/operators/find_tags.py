"""`FindTagsOperator`: chooses tags of a module by a `TagSelection`, and deletes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_zcrm.links.zcrm import ZohoCrmGuideLink, ZohoCrmModuleLink
from airflow_provider_zcrm.operators.base import DEFAULT_MAX_SHARE, RefusesWhatCameOutEmpty

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_provider_zcrm.api.tags import RecordsCount, Tag
    from airflow_provider_zcrm.rules.room import Room
    from airflow_provider_zcrm.tag_selection import Candidates, Choice, TagSelection, Verdict


class FindTagsOperator(RefusesWhatCameOutEmpty):
    """Chooses the tags of one module that a selection describes.

    Returns, per chosen tag, ``module``, ``id``, ``name``, ``color_code``, ``created_time``, ``records`` (None where it was not asked) and
    ``reason``, with ``max_records`` and ``used_by_automation`` if the selection has them: `MassDeleteTagsOperator` takes that as its
    ``tag_ids``, and counts again before it deletes. XCom ``looked_at`` is the number of tags that the module has,
    ``kept`` how many of them are kept by which criterion, ``unmatched_keep`` the entries of ``keep`` and ``keep_regex`` that match
    no tag, ``api_calls`` and ``credits_left`` what that has cost. ``tags``, ``allowed`` and ``room`` are how many tags the module has, how
    many Zoho allows it, and how many it may still have; from 90 % on there is a warning.

    .. seealso:: docs/selection.md

    :param module: API name of the module (templated).
    :param selection: a `TagSelection`, or its dict, which may hold templates (templated).
    :param max_tags: fail if more tags than this are chosen; None for any number (templated).
    :param max_share: fail if more than this share of the module's tags is chosen, 0 to 1; 1.0 allows all (templated).
    :param min_fullness: choose nothing while the module has less than this share of the tags that Zoho allows it, 0 to 1, or while
        Zoho does not say how many those are (templated).
    :param zoho_crm_conn_id: id of the Airflow connection (templated).
    """

    template_fields: Sequence[str] = ("module", "selection", "max_tags", "max_share", "min_fullness", "zoho_crm_conn_id")
    template_fields_renderers: ClassVar[dict[str, str]] = {"selection": "json"}
    ui_color = "#f9f2d2"
    operator_extra_links = (ZohoCrmModuleLink(), ZohoCrmGuideLink("selection"))

    def __init__(
        self,
        *,
        module: str,
        selection: TagSelection | dict[str, Any],
        max_tags: int | str | None = None,
        max_share: float | str = DEFAULT_MAX_SHARE,
        min_fullness: float | str | None = None,
        zoho_crm_conn_id: str = "zoho_crm_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.module = module
        # a frozen dataclass cannot be rendered, its dict can
        self.selection = selection.to_dict() if hasattr(selection, "to_dict") else selection
        self.max_tags = max_tags
        self.max_share = max_share
        self.min_fullness = min_fullness
        self.zoho_crm_conn_id = zoho_crm_conn_id
        self._note_given("max_tags", "min_fullness")

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Read the list, count where the selection needs it, choose, and judge by the guards.

        :raises ZohoCrmFailure: a selection that is not understood, or that would cost more calls than its budget; a guard that trips
        """
        from airflow_provider_zcrm.hooks.errors import airflow_errors
        from airflow_provider_zcrm.hooks.zcrm import ZohoCrmHook
        from airflow_provider_zcrm.operators.base import push_api_usage
        from airflow_provider_zcrm.rules.guards import Guards
        from airflow_provider_zcrm.tag_list import count_tags, read_tags_and_room
        from airflow_provider_zcrm.tag_selection import TagSelection

        with airflow_errors(self.zoho_crm_conn_id):
            self._check_text("module", "zoho_crm_conn_id")
            selection = TagSelection.from_dict(self._selection())
            self._check_given()
            guards = Guards.of(self.max_tags, self.max_share)
            client = ZohoCrmHook(self.zoho_crm_conn_id).get_conn()
            ZohoCrmModuleLink.store(context, client.config, self.module)
            tags, room = self._read(partial(read_tags_and_room, client, self.module, include_usage=selection.asks_for_usage))
            self._push_room(context, room)
            found = selection.candidates(tags.values(), datetime.now(UTC))
            self._push_unmatched(context, found)
            if self._has_room_enough(context, room):
                push_api_usage(context, client)
                return []
            facts: dict[str, RecordsCount | None] = {}
            while tag_ids := found.needs_counts(facts):
                facts |= count_tags(client, self.module, tag_ids)
            choice = found.choose(facts)
            self._push_choice(context, choice)
            push_api_usage(context, client)
            guards.check(len(choice.chosen), choice.looked_at, self.module)
        return [{"module": self.module, **_as_json(verdict, facts), **selection.counted_criteria} for verdict in choice.chosen]

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any]:  # noqa: ARG002 - OpenLineage's signature
        """Return, for OpenLineage, that the tags of the module were read."""
        from airflow_provider_zcrm.lineage import lineage, tags_of

        return lineage(reads=[tags_of(self.zoho_crm_conn_id, self.module)])

    def _read(self, read: Callable[[], tuple[dict[str, Tag], Room]]) -> tuple[dict[str, Tag], Room]:
        return read()

    def _selection(self) -> dict[str, Any]:
        return self.selection

    def _push_room(self, context: Context, room: Room) -> None:
        """Push how many tags the module has and may have, and warn when it is nearly full."""
        ti = context["ti"]
        ti.xcom_push(key="looked_at", value=room.tags)
        ti.xcom_push(key="tags", value=room.tags)
        ti.xcom_push(key="allowed", value=room.allowed)
        ti.xcom_push(key="room", value=room.left)
        if room.nearly_full:
            self.log.warning("%s, and refuses new ones when it is full (LICENSE_LIMIT_EXCEEDED).", room.sentence(self.module))

    def _has_room_enough(self, context: Context, room: Room) -> bool:
        """Return whether the module is less full than ``min_fullness``, so that nothing is chosen; say so then."""
        from airflow_provider_zcrm.rules.guards import share_of

        if self.min_fullness is None or room.is_filled_to(share_of(self.min_fullness, "min_fullness")):
            return False
        why = f"{room.sentence(self.module)}, and min_fullness is {self.min_fullness}"
        self.log.info("%s: no tag is chosen.", why)
        context["ti"].xcom_push(key="kept", value={f"min_fullness: {why}": room.tags})
        return True

    def _push_unmatched(self, context: Context, found: Candidates) -> None:
        """Push, and warn of, what was to be kept and matches no tag."""
        context["ti"].xcom_push(key="unmatched_keep", value=list(found.unmatched_keep))
        if found.unmatched_keep:
            self.log.warning(
                "These entries of keep and keep_regex match no tag of %s and protect nothing: %s. Check how they are written.",
                self.module,
                ", ".join(map(repr, found.unmatched_keep)),
            )

    def _push_choice(self, context: Context, choice: Choice) -> None:
        """Log what is chosen, and push how many tags are kept by what."""
        from airflow_provider_zcrm.rules.log_lists import log_list
        from airflow_provider_zcrm.rules.markdown import one_line

        for verdict in (*choice.chosen, *choice.kept):
            self.log.debug("%s = %s: %s", verdict.tag.id, one_line(verdict.tag.name), verdict.reason)
        log_list(self.log, f"{choice} of {self.module}", [f"{v.tag.name} ({v.reason})" for v in choice.chosen])
        context["ti"].xcom_push(key="kept", value=choice.kept_by)


def _as_json(verdict: Verdict, facts: Mapping[str, RecordsCount | None]) -> dict[str, Any]:
    tag, fact = verdict.tag, facts.get(verdict.tag.id)
    return {
        "id": tag.id,
        "name": tag.name,
        "color_code": tag.color_code,
        "created_time": tag.created_time,
        "records": fact.count if fact else tag.record_count,
        "reason": verdict.reason,
    }
