"""Search for the records of a tag: ``GET /{module}/search?criteria=(Tag:equals:x)``, which ends at 2,000 records.

``equals`` finds what contains the value and what looks like it, as Zoho says. The emulator takes one criterion, and that on ``Tag``.
With the reading `search_lag` the search sees an index that is renewed every so many seconds, not the records.
Zoho: v8/search-records.html
"""

from __future__ import annotations

import re
from collections.abc import Callable

from airflow_provider_zcrm.emulator.answers import Answer, refuse
from airflow_provider_zcrm.emulator.call import Call
from airflow_provider_zcrm.emulator.model import Module
from airflow_provider_zcrm.emulator.module_paths import module_of_path, record_as_json
from airflow_provider_zcrm.emulator.records_api import MAX_PER_PAGE, number_of

MAX_RECORDS = 2_000
MAX_VALUES = 100
CRITERION = re.compile(r"\(?(?P<field>\w+):(?P<operator>\w+):(?P<value>(?:[^()\\]|\\.)+)\)?", re.DOTALL)
LOOKALIKES = re.compile(r"[{}\[\]^:\-/!?*_@\s]+")
OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "equals": lambda name, value: value in name,
    "starts_with": lambda name, value: name.startswith(value),
    "in": lambda name, value: name == value,
}


def search(call: Call) -> Answer:
    """Answer ``GET /{module}/search``."""
    module = module_of_path(call)
    call.require(f"Crm_Implied_View_{module.api_name}")
    matching = _matching_tags(call, module)
    page = number_of(call, "page", 1)
    per_page = number_of(call, "per_page", MAX_PER_PAGE, MAX_PER_PAGE)
    if page * per_page > MAX_RECORDS:
        raise refuse(400, "LIMIT_REACHED", "maximum response iteration limit reached", {"limit": str(MAX_RECORDS)})
    index = call.world.search_index(module)
    shown_at_all = module.records.keys() - set(module.converted_records)
    found = [record for record in reversed(index) if not matching.isdisjoint(index[record]) and record in shown_at_all]
    shown = found[(page - 1) * per_page : page * per_page]
    if not shown:
        return Answer(204)
    fields = call.query.get("fields", "Tag,id").split(",")
    data = [record_as_json(call, module, record, _still_there(module, index[record]), fields, converted=False) for record in shown]
    more = len(found) > page * per_page
    info = {"per_page": per_page, "count": len(shown), "sort_by": "id", "page": page, "sort_order": "desc", "more_records": more}
    return Answer(200, {"data": data, "info": info})


def _still_there(module: Module, tag_ids: list[str]) -> list[str]:
    return [tag_id for tag_id in tag_ids if tag_id in module.tags]


def _matching_tags(call: Call, module: Module) -> set[str]:
    """Return the ids of the tags that the criterion means."""
    criteria = call.query.get("criteria")
    if not criteria:
        names = ["criteria", "email", "phone", "word"]
        raise refuse(400, "EXPECTED_PARAM_MISSING", "One of the expected parameter is missing", {"param_names": names})
    criterion = CRITERION.fullmatch(criteria)
    if criterion is None or criterion["field"] != "Tag":
        raise refuse(400, "INVALID_QUERY", "Invalid query formed", {"reason": "the emulator takes one criterion, on Tag"})
    matches = OPERATORS.get(criterion["operator"])
    if matches is None:
        details = {"operator": criterion["operator"], "reason": "invalid operator found"}
        raise refuse(400, "INVALID_QUERY", "Invalid query formed", details)
    values = [re.sub(r"\\(.)", r"\1", value) for value in re.split(r"(?<!\\),", criterion["value"])]
    if len(values) > (MAX_VALUES if criterion["operator"] == "in" else 1):
        raise refuse(400, "INVALID_QUERY", 'Only 100 values are allowed in "IN" criteria', {"param_name": "Tag"})
    if call.reads("search_equals", "exact") and criterion["operator"] == "equals":
        return {tag.id for tag in module.tags.values() if tag.name in values}
    return {tag.id for tag in module.tags.values() if any(matches(_blurred(tag.name), _blurred(value)) for value in values)}


def _blurred(text: str) -> str:
    """Return what a search sees of a text: neither case nor the difference between the characters that it takes for one another."""
    return LOOKALIKES.sub(" ", text.casefold())
