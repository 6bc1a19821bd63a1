"""What the client sends, held to Zoho's own OpenAPI files."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_zcrm.api.call import ApiCall
from airflow_provider_zcrm.api.mass_delete import (
    RECORDS_PER_CALL,
    TAGS_PER_JOB,
    MassDeleteJob,
    delete_records,
    job_status,
    submit_records_by_view,
    submit_tags,
)
from airflow_provider_zcrm.api.modules import list_modules
from airflow_provider_zcrm.api.org import get_org
from airflow_provider_zcrm.api.recycle_bin import BINNED_PER_LOOK, RESTORES_PER_CALL, binned_records, restore_records
from airflow_provider_zcrm.api.tag_writes import NewTag, add_tag, create_tags
from airflow_provider_zcrm.api.tags import count_records, list_tags
from airflow_provider_zcrm.client.retries import NO_RETRIES
from airflow_provider_zcrm.client.tokens import forget_tokens
from airflow_provider_zcrm.emulator.control import Control
from airflow_provider_zcrm.emulator.emulator_server import EmulatorServer
from tests.client.sides import SIDES, config_for
from tests.contract import oas

pytestmark = pytest.mark.skipif(not oas.available(), reason=oas.WHY_SKIPPED)

LEADS, HOT = "2276164000000000125", "2276164000001021041"
CALLS: dict[str, ApiCall[Any]] = {
    "modules": list_modules(),
    "org": get_org(),
    "tags": list_tags("Leads"),
    "records count": count_records("Leads", HOT),
    "create tags": create_tags("Leads", [NewTag("new", "#F48435"), NewTag("plain")]),
    "put a tag on records": add_tag("Leads", HOT, "hot", ["2276164000006064001"]),
    "delete tags": submit_tags("Leads", LEADS, [HOT, "2276164000001021042"]),
    "delete as many tags as may be": submit_tags("Leads", LEADS, [str(number) for number in range(TAGS_PER_JOB)]),
    "status of a tags job": job_status(MassDeleteJob("tags", "2276164000001035002")),
    "delete a view": submit_records_by_view("Leads", "2276164000000538003"),
    "delete a view in a territory": submit_records_by_view("Leads", "2276164000000538003", "2276164000007622003", include_child=True),
    "delete records": delete_records("Leads", ["2276164000006064001"]),
    "delete as many records as may be": delete_records("Leads", [str(number) for number in range(RECORDS_PER_CALL)]),
    "status of a records job": job_status(MassDeleteJob("records", "2276164000001035002", "Leads")),
}
if oas.more_available():
    CALLS |= {
        "records in the recycle bin": binned_records(["2276164000006064001"]),
        "as many records of the recycle bin as may be": binned_records([str(number) for number in range(BINNED_PER_LOOK)]),
        "restore records": restore_records(["2276164000006064001"]),
        "restore as many records as may be": restore_records([str(number) for number in range(RESTORES_PER_CALL)]),
    }
IDS = st.integers(0, 10**19 - 1).map(str)


def check(call: ApiCall[Any]) -> None:
    request = call.request
    oas.validate_request(request.method, f"/crm/v8/{request.path}", dict(request.params), json.loads(json.dumps(request.json)))


@pytest.mark.parametrize("what", CALLS)
def test_every_call_is_as_the_files_have_it(what: str) -> None:
    check(CALLS[what])


@settings(deadline=None, database=None, max_examples=50)
@given(st.lists(IDS, min_size=1, max_size=TAGS_PER_JOB), IDS)
def test_whatever_tags_are_deleted_the_request_is_as_the_files_have_it(tag_ids: list[str], module_id: str) -> None:
    check(submit_tags("Leads", module_id, tag_ids))


@pytest.mark.parametrize("kind", SIDES)
@pytest.mark.parametrize("what", CALLS)
def test_what_arrives_is_what_was_to_be_sent(emulator: Control, emulator_server: EmulatorServer, kind: str, what: str) -> None:
    """The body and the query that the server saw, not the ones that we meant."""
    forget_tokens()
    emulator.fault("status", "/crm/", status=400, body={"code": "BAD_REQUEST", "details": {}, "message": "m", "status": "error"})
    side = SIDES[kind](config_for(emulator_server.url), NO_RETRIES)
    try:
        with pytest.raises(Exception, match="BAD_REQUEST"):
            side.send(CALLS[what])
    finally:
        side.close()

    (seen,) = emulator.requests("/crm/")
    oas.validate_request(seen["method"], seen["path"], seen["query"], seen["body"])
    request = CALLS[what].request
    assert (seen["method"], seen["path"], seen["query"], seen["body"]) == (
        request.method,
        f"/crm/v8/{request.path}",
        dict(request.params),
        json.loads(json.dumps(request.json)),
    )


def test_the_check_notices_what_the_files_forbid() -> None:
    request = submit_tags("Leads", LEADS, [HOT]).request

    with pytest.raises(AssertionError, match="api_name"):
        oas.validate_request("POST", f"/crm/v8/{request.path}", {}, {"mass_delete": [{"module": {"id": LEADS}, "tags": [{"id": HOT}]}]})
    with pytest.raises(AssertionError, match="job_id"):
        oas.validate_request("GET", f"/crm/v8/{request.path}", {})
    with pytest.raises(AssertionError, match="in none of Zoho's files"):
        oas.validate_request("GET", f"/crm/v8/crm/v7/{request.path}", {"job_id": "1"})
