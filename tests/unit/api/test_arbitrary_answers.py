"""Whatever an answer holds, each call returns a value or raises one of our errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_zcrm.api.bulk_read import bulk_read_result, bulk_read_status, start_bulk_read
from airflow_provider_zcrm.api.call import ApiResponse
from airflow_provider_zcrm.api.data_centers import hosts_of
from airflow_provider_zcrm.api.errors import ZohoCrmError
from airflow_provider_zcrm.api.mass_delete import MassDeleteJob, delete_records, job_status, submit_records_by_view, submit_tags
from airflow_provider_zcrm.api.modules import list_modules
from airflow_provider_zcrm.api.oauth import parse_token
from airflow_provider_zcrm.api.org import get_org
from airflow_provider_zcrm.api.record_count import count_view
from airflow_provider_zcrm.api.records import list_ids, list_records, present_records
from airflow_provider_zcrm.api.recycle_bin import binned_records, restore_records
from airflow_provider_zcrm.api.tag_writes import NewTag, add_tag, create_tags
from airflow_provider_zcrm.api.tags import count_records, list_tags, list_tags_with_allowance

US = hosts_of("us", "production")
PARSE: dict[str, Callable[[ApiResponse], Any]] = {
    "submit tags": submit_tags("Leads", "1", ["2"]).parse,
    "submit view": submit_records_by_view("Leads", "1").parse,
    "delete records": delete_records("Leads", ["1", "2"]).parse,
    "status of tags": job_status(MassDeleteJob("tags", "1")).parse,
    "status of records": job_status(MassDeleteJob("records", "1", "Leads")).parse,
    "modules": list_modules().parse,
    "tags": list_tags("Leads").parse,
    "tags with allowance": list_tags_with_allowance("Leads").parse,
    "tags with usage": list_tags("Leads", include_usage=True).parse,
    "count of a tag": lambda response: count_records("Leads", "1").parse(response).used_by,
    "count of a view": count_view("Leads", "1").parse,
    "records": list_records("Leads").parse,
    "ids of a view": list_ids("Leads", "1").parse,
    "present records": present_records("Leads", ["1"]).parse,
    "binned records": binned_records(["1", "2"]).parse,
    "restore records": restore_records(["1", "2"]).parse,
    "org": get_org().parse,
    "create tags": create_tags("Leads", [NewTag("x"), NewTag("y")]).parse,
    "add tag": add_tag("Leads", "1", "x", ["2"]).parse,
    "start of a bulk read": start_bulk_read("Leads").parse,
    "status of a bulk read": bulk_read_status("1").parse,
    "result of a bulk read": bulk_read_result("1").parse,
    "token": lambda response: parse_token(response, US),
}

# words at which the code looks
KEYS = st.sampled_from(
    (
        "status",
        "code",
        "details",
        "message",
        "error",
        "data",
        "tags",
        "mass_delete",
        "modules",
        "org",
        "info",
        "id",
        "job_id",
        "name",
        "api_name",
        "json_path",
        "count",
        "retry_after",
        "Status",
        "Total_Count",
        "total_count",
        "deleted_count",
        "failed_count",
        "state",
        "result",
        "more_records",
        "next_page_token",
        "Tag",
        "created_by",
        "configured_areas",
        "workflow_tagActionRecords",
        "access_token",
        "refresh_token",
        "expires_in",
        "expires_in_sec",
        "scope",
        "api_domain",
        "zgid",
    )
)
WORDS = st.sampled_from(["success", "error", "SUCCESS", "INVALID_DATA", "COMPLETED", "FAILED", "SCHEDULED", "1", "2", "$.tags[9]", ""])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS
JSON = st.recursive(
    SCALARS, lambda child: st.lists(child, max_size=3) | st.dictionaries(KEYS | st.text(max_size=4), child, max_size=5), max_leaves=30
)
STATUSES = st.sampled_from([200, 201, 202, 204, 207, 301, 304, 400, 401, 403, 404, 408, 413, 429, 500, 502])
HEADERS = st.fixed_dictionaries({"retry-after": st.text(max_size=8) | st.just("9" * 5000)})

DEEP_LIST = b"[" * 100_000 + b"]" * 100_000
DEEP_ERROR = b'{"code":"X","message":"m","status":"error","details":' + b'{"a":[' * 400 + b"1" + b"]}" * 400 + b"}"
LONG_NUMBER = b'{"count":' + b"9" * 5000 + b',"status":"error","code":' + b"9" * 5000 + b"}"
# as many digits as Python reads
LARGE_NUMBER = json.dumps({"code": "X", "status": "error", "details": {"retry_after": 10**4000}, "expires_in": 10**4000}).encode()


def read_or_refuse(what: str, response: ApiResponse) -> None:
    try:
        PARSE[what](response)
    except ZohoCrmError as error:
        error.without("secret")
        json.dumps(error.as_dict())
        str(error)


def test_no_call_is_missing_here() -> None:
    from importlib import import_module
    from pkgutil import iter_modules

    import airflow_provider_zcrm.api as package

    modules = [import_module(f"{package.__name__}.{found.name}") for found in iter_modules(package.__path__)]
    calls = {
        name
        for module in modules
        for name, value in vars(module).items()
        if callable(value) and str(getattr(value, "__annotations__", {}).get("return", "")).startswith("ApiCall[")
    }
    named = set(globals())
    assert calls - named == set()


@pytest.mark.parametrize("what", PARSE)
@given(body=JSON, status=STATUSES, headers=HEADERS)
def test_arbitrary_json(what: str, body: Any, status: int, headers: dict[str, str]) -> None:
    read_or_refuse(what, ApiResponse(status, headers, json.dumps(body).encode()))


@pytest.mark.parametrize("what", PARSE)
@given(body=st.binary(max_size=60), status=STATUSES)
@example(body=DEEP_LIST, status=200)
@example(body=DEEP_LIST, status=400)
@example(body=DEEP_ERROR, status=400)
@example(body=DEEP_ERROR, status=429)
@example(body=LONG_NUMBER, status=200)
@example(body=LONG_NUMBER, status=400)
@example(body=LARGE_NUMBER, status=429)
@example(body=LARGE_NUMBER, status=200)
@example(body=b'{"count":1e999999}', status=200)
def test_arbitrary_bytes(what: str, body: bytes, status: int) -> None:
    read_or_refuse(what, ApiResponse(status, {}, body))
