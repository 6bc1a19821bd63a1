"""Every call there is, sent by both clients to the emulator: the value that comes back, and what the server saw."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_zcrm.api.call import ApiCall
from airflow_provider_zcrm.api.errors import InvalidModule, JobNotFound, TagInUse, TagNotFound
from airflow_provider_zcrm.api.mass_delete import (
    JobStatus,
    MassDeleteJob,
    delete_records,
    job_status,
    submit_records_by_view,
    submit_tags,
)
from airflow_provider_zcrm.api.modules import Module, list_modules
from airflow_provider_zcrm.api.org import Org, get_org
from airflow_provider_zcrm.api.tags import count_records, list_tags
from airflow_provider_zcrm.emulator.control import Control
from tests.client.conftest import Connect
from tests.client.sides import Side, config_for

LEADS = "2276164000000000125"
HOT, COLD = "2276164000001021041", "2276164000001021042"
OLD_LEADS = "2276164000000538003"
RECORD = "2276164000006064001"
TAGS_JOB = "/crm/v8/settings/tags/actions/mass_delete"


def seen(emulator: Control) -> list[tuple[str, str, dict[str, str], Any]]:
    """Return what the server saw besides the request for a token."""
    return [(entry["method"], entry["path"], entry["query"], entry["body"]) for entry in emulator.requests("/crm/")]


def test_modules_are_listed(side: Side, emulator: Control) -> None:
    assert side.send(list_modules()) == [
        Module(LEADS, "Leads", label="Leads", kind="default"),
        Module("2276164000000000129", "Contacts", label="Contacts", kind="default"),
    ]
    assert seen(emulator) == [("GET", "/crm/v8/settings/modules", {}, None)]


def test_the_org_is_named(side: Side, emulator: Control) -> None:
    assert side.send(get_org()) == Org("808232144", "Minimal Org")
    assert seen(emulator) == [("GET", "/crm/v8/org", {}, None)]


def test_tags_are_listed(side: Side, emulator: Control) -> None:
    tags = side.send(list_tags("Leads"))

    assert {tag.name: tag.id for tag in tags} == emulator.tags("Leads")
    assert tags[0].created_by == "Patricia Boyle"
    assert seen(emulator) == [("GET", "/crm/v8/settings/tags", {"module": "Leads"}, None)]


def test_a_module_without_tags_has_none_whichever_way_zoho_says_it(side: Side, emulator: Control) -> None:
    emulator.remove_tags("Leads", list(emulator.tags("Leads").values()))
    as_list = side.send(list_tags("Leads"))
    emulator.readings(empty_tags="204")

    assert as_list == side.send(list_tags("Leads")) == ()


def test_the_records_of_a_tag_are_counted(side: Side, emulator: Control) -> None:
    assert side.send(count_records("Leads", HOT)).count == 5
    assert seen(emulator) == [("GET", f"/crm/v8/settings/tags/{HOT}/actions/records_count", {"module": "Leads"}, None)]


def test_tags_are_deleted_by_a_job_that_can_be_watched(side: Side, emulator: Control) -> None:
    emulator.jobs(start_delay=10, duration=100)
    job_id = side.send(submit_tags("Leads", LEADS, [HOT, COLD]))
    job = MassDeleteJob("tags", job_id, "Leads")

    scheduled = side.send(job_status(job))
    emulator.advance(70)
    running = side.send(job_status(job))
    emulator.advance(100)
    completed = side.send(job_status(job))

    assert [scheduled, running, completed] == [
        JobStatus("SCHEDULED", 2, 0, 0),
        JobStatus("RUNNING", 2, 1, 0),
        JobStatus("COMPLETED", 2, 2, 0),
    ]
    assert not {"hot", "cold"} & emulator.tags("Leads").keys()
    body = {"mass_delete": [{"module": {"id": LEADS, "api_name": "Leads"}, "tags": [{"id": HOT}, {"id": COLD}]}]}
    assert seen(emulator)[:2] == [("POST", TAGS_JOB, {}, body), ("GET", TAGS_JOB, {"job_id": job_id}, None)]


def test_the_records_of_a_view_are_deleted_by_a_job_that_can_be_watched(side: Side, emulator: Control) -> None:
    job_id = side.send(submit_records_by_view("Leads", OLD_LEADS))
    job = MassDeleteJob("records", job_id, "Leads")
    emulator.advance(100)

    assert side.send(job_status(job)) == JobStatus("COMPLETED", 4, 4, 0)
    path = "/crm/v8/Leads/actions/mass_delete"
    assert seen(emulator) == [("POST", path, {}, {"cvid": OLD_LEADS}), ("GET", path, {"job_id": job_id}, None)]


def test_records_are_deleted_at_once_and_those_that_cannot_be_are_named(side: Side, emulator: Control) -> None:
    deleted = side.send(delete_records("Leads", [RECORD, "1"]))

    assert deleted.deleted == (RECORD,)
    assert deleted.failed == {"1": "the id given seems to be invalid"}
    assert seen(emulator) == [("POST", "/crm/v8/Leads/actions/mass_delete", {}, {"ids": [RECORD, "1"]})]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (list_tags("leads"), InvalidModule),
        (job_status(MassDeleteJob("tags", "1")), JobNotFound),
        (job_status(MassDeleteJob("records", "1", "Leads")), JobNotFound),
        (submit_tags("Leads", LEADS, [HOT, "1"]), TagNotFound),
    ],
)
def test_a_refusal_is_raised_at_once_and_nothing_is_sent_again(side: Side, emulator: Control, call: ApiCall[Any], error: Any) -> None:
    with pytest.raises(error) as caught:
        side.send(call)

    assert caught.value.path == call.request.path
    assert len(seen(emulator)) == 1
    assert emulator.counters()["jobs"] == []


def test_a_tag_in_use_refuses_the_batch(side: Side, emulator: Control) -> None:
    used = emulator.add_tags("Leads", [{"name": "used", "features": [{"type": "Workflow", "name": "Follow up"}]}])

    with pytest.raises(TagInUse, match="tags\\[1\\]"):
        side.send(submit_tags("Leads", LEADS, [HOT, *used]))


def test_the_version_of_the_connection_is_in_the_path(emulator: Control, emulator_server: Any, connect: Connect) -> None:
    connect(config_for(emulator_server.url, api_version="v7")).send(list_modules())

    assert seen(emulator) == [("GET", "/crm/v7/settings/modules", {}, None)]


def test_what_is_not_ascii_arrives_as_it_is(side: Side, emulator: Control) -> None:
    emulator.add_tags("Leads", ["größe & 大小?"])

    assert "größe & 大小?" in {tag.name for tag in side.send(list_tags("Leads"))}
    with pytest.raises(InvalidModule):
        side.send(list_tags("Größe & 大小?#1"))
    assert seen(emulator)[-1][2] == {"module": "Größe & 大小?#1"}
