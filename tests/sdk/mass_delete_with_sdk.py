"""Runs in the SDK's own virtual environment: lists tags, deletes some, polls to the end; prints what the SDK made of it as JSON.

Usage: mass_delete_with_sdk.py <folder for the SDK's files> <emulator URL> <tag name> ...
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from zohocrmsdk.src.com.zoho.crm.api import ParameterMap
from zohocrmsdk.src.com.zoho.crm.api.mass_delete_tags import (
    BodyWrapper,
    GetStatusParam,
    MassDelete,
    MassDeleteTagsOperations,
    Module,
    Tag,
)
from zohocrmsdk.src.com.zoho.crm.api.modules import ModulesOperations
from zohocrmsdk.src.com.zoho.crm.api.tags import GetTagsParam, TagsOperations

from tests.sdk.on_emulator import initialize

POLLS = 200


CREDENTIALS = {
    "client_id": "1000.EMULATORCLIENT",
    "client_secret": "emulator-secret",
    "refresh_token": "1000.emulator-refresh-token",
}


def main(folder: str, url: str, *names: str) -> dict[str, Any]:
    initialize(folder, url, CREDENTIALS)
    before = tags()
    job_id = submit(leads_id(), [before[name] for name in names])
    return {"before": before, "job_id": str(job_id), "states": poll(job_id), "after": tags()}


def leads_id() -> int:
    modules = ModulesOperations().get_modules().get_object().get_modules()
    found: int = next(module.get_id() for module in modules if module.get_api_name() == "Leads")
    return found


def tags() -> dict[str, int]:
    parameters = ParameterMap()
    parameters.add(GetTagsParam.module, "Leads")
    return {tag.get_name(): tag.get_id() for tag in TagsOperations().get_tags(parameters).get_object().get_tags()}


def submit(module_id: int, tag_ids: list[int]) -> Any:
    module = Module()
    module.set_id(module_id)
    module.set_api_name("Leads")
    order = MassDelete()
    order.set_module(module)
    order.set_tags([tag(tag_id) for tag_id in tag_ids])
    body = BodyWrapper()
    body.set_mass_delete([order])
    answer = MassDeleteTagsOperations().mass_delete_tags(body)
    assert answer.get_status_code() == 202, answer.get_object().get_message()
    return answer.get_object().get_details()["job_id"]


def tag(tag_id: int) -> Any:
    made = Tag()
    made.set_id(tag_id)
    return made


def poll(job_id: Any) -> list[list[Any]]:
    parameters = ParameterMap()
    parameters.add(GetStatusParam.job_id, job_id)
    seen = []
    for _ in range(POLLS):
        job = MassDeleteTagsOperations().get_status(parameters).get_object().get_mass_delete()[0]
        state = [job.get_status().get_value(), job.get_total_count(), job.get_deleted_count(), job.get_failed_count()]
        if state not in seen:
            seen.append(state)
        if state[0] in ("COMPLETED", "FAILED"):
            break
        time.sleep(0.05)
    return seen


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*sys.argv[1:])))
