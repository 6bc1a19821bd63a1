"""The probe touches what it has made itself, and nothing else, whatever stands in the org and whatever the server answers."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from airflow_provider_zcrm.emulator.minimal_seed import ALL_SCOPES, CLIENT, REFRESH_TOKEN
from airflow_provider_zcrm.emulator.probe.names import is_own, new_prefix
from tests.emulator.probe.visitor import ORG, EmulatorsClock, Visitor, start_again, state
from tests.emulator.user import User

HOT = "2276164000001021041"
PREFIX = "zprobe-abcdefghij-"
# Names that begin like the probe's, and are not
FOREIGN = [
    f"{PREFIX}x",
    f"{PREFIX}001",
    f"{PREFIX}1",
    f"{PREFIX}٠١",
    f"{PREFIX}01 keep",
    "zprobe-",
    "zprobe-abcdefghij",
    "ZPROBE-abcdefghij-01",
]


def sent(visitor: Visitor) -> list[dict[str, Any]]:
    """Return all requests to the CRM that are no reads."""
    return [entry for entry in visitor.control.requests("/crm/") if entry["method"] != "GET"]


def touched(visitor: Visitor) -> set[str]:
    """Return every id of 19 digits in a request that is no read."""
    return {found for entry in sent(visitor) for found in re.findall(r"\b\d{19}\b", f"{entry['path']} {json.dumps(entry['body'])}")}


def crowded(seed: dict[str, Any]) -> None:
    """Fill the org with tags that a careless probe would take for its own, in both modules."""
    for module in seed["orgs"][0]["modules"][:2]:
        module["tags"] += [*FOREIGN, *(f"campaign {number}" for number in range(20))]


def test_other_tags_and_records_are_untouched_tag_by_tag(visitor: Visitor) -> None:
    start_again(visitor.control, crowded)
    before = state(visitor.control)
    modules = {module["id"] for module in visitor.control.org()["modules"]}

    assert visitor.probe("--second-module", "Contacts") == 0, visitor.text

    after = state(visitor.control)
    for module, (tags, records) in before.items():
        assert {tag["id"]: tag for tag in after[module][0]} == {tag["id"]: tag for tag in tags}
        assert after[module][1] == records
    foreign = {tag["id"] for tags, _ in before.values() for tag in tags} | {record for _, records in before.values() for record in records}
    assert len(touched(visitor)) > 15
    assert not touched(visitor) & foreign
    assert touched(visitor) & modules


def test_it_makes_no_more_than_it_says(visitor: Visitor) -> None:
    serial = visitor.control.org()["last_serial"]

    assert visitor.probe("--second-module", "Contacts") == 0

    made = [json.loads(entry["body"]) if isinstance(entry["body"], str) else entry["body"] for entry in sent(visitor)]
    names = {tag.get("name") for body in made if isinstance(body, dict) for tag in body.get("tags", [])} - {None}
    assert len(names) <= 15
    assert all(re.fullmatch(r"zprobe-[a-z0-9]{10}-[0-9]{2}", name) for name in names)
    assert visitor.control.org()["last_serial"] - serial <= 15 + 50 + 10  # tags, records, and jobs
    budget = int(re.search(r"at most (\d+) calls", visitor.text)[1])  # type: ignore[index]
    assert visitor.control.counters()["credits_used"]["808232144"] <= budget


@pytest.mark.parametrize("typed", ["", "y", "minimal org", "Minimal", "808232144"])
def test_a_production_org_is_refused_unless_its_name_is_typed(visitor: Visitor, typed: str) -> None:
    visitor.answers = [typed]

    assert visitor.probe() == 2

    assert sent(visitor) == []
    assert not visitor.file.exists()
    assert "That is not its name" in visitor.text


def test_the_name_is_asked_for_before_a_clean_up_too(visitor: Visitor) -> None:
    visitor.answers = [""]
    visitor.control.add_tags("Leads", [f"{PREFIX}01"])

    assert visitor.probe("--clean-up", PREFIX) == 2

    assert sent(visitor) == []


@pytest.mark.parametrize(
    ("kind", "environment", "asked"),
    [("sandbox", None, False), ("developer", "developer", False), ("sandbox", "production", True), ("production", "sandbox", True)],
)
def test_an_org_is_of_production_unless_it_says_otherwise(visitor: Visitor, kind: str, environment: str | None, asked: bool) -> None:
    visitor.control.change_org(environment=kind)
    visitor.answers = []

    code = visitor.probe(extra={"environment": environment} if environment else {})

    assert (code, "Type" in visitor.text or "production org" in visitor.text) == (2 if asked else 0, asked)
    assert bool(sent(visitor)) is not asked


def test_an_org_that_does_not_say_its_name_is_refused(visitor: Visitor) -> None:
    start_again(visitor.control, lambda seed: seed["orgs"][0]["refresh_tokens"][0].update(scopes=["ZohoCRM.settings.ALL"]))
    visitor.answers = ["None", ""]

    assert visitor.probe() == 2

    assert "ZohoCRM.org.READ" in visitor.text
    assert sent(visitor) == []


def test_nothing_is_sent_before_the_budget_is_agreed_to(visitor: Visitor) -> None:
    visitor.answers = ["no"]

    assert visitor.probe(yes=False) == 2

    assert visitor.control.requests() == []
    assert re.search(r"at most \d+ calls and \d+ API credits", visitor.text)


def test_a_budget_that_is_agreed_to_is_not_asked_again(visitor: Visitor) -> None:
    visitor.answers = ["y", ORG]

    assert visitor.probe(yes=False) == 0


def test_no_tag_is_made_that_could_not_be_deleted(visitor: Visitor) -> None:
    scopes = ["ZohoCRM.settings.tags.READ", "ZohoCRM.settings.tags.CREATE", "ZohoCRM.settings.modules.READ", "ZohoCRM.org.READ"]
    start_again(visitor.control, lambda seed: seed["orgs"][0]["refresh_tokens"][0].update(scopes=scopes))
    before = visitor.control.org()["last_serial"]

    assert visitor.probe() == 2

    assert "may not delete tags" in visitor.text
    assert visitor.control.org()["last_serial"] == before


def test_no_record_is_made_that_could_not_be_deleted(visitor: Visitor) -> None:
    scopes = [scope for scope in ALL_SCOPES if "mass_delete" not in scope]
    start_again(visitor.control, lambda seed: seed["orgs"][0]["refresh_tokens"][0].update(scopes=scopes))
    before = state(visitor.control)

    assert visitor.probe() == 0, visitor.text

    assert state(visitor.control) == before
    assert [entry for entry in sent(visitor) if entry["path"] == "/crm/v8/Leads"] == []
    assert "could not delete" in visitor.found()["not_known"]["no_tags"]
    assert visitor.found()["readings"]["scope_mismatch_details"] == "method_and_url"


def test_a_module_without_room_for_the_tags_gets_none(visitor: Visitor) -> None:
    visitor.control.change_org(edition="Standard", tags_per_module=13)
    before = state(visitor.control)

    assert visitor.probe() == 0, visitor.text

    assert state(visitor.control) == before
    assert "room for 8 more tags" in visitor.found()["not_known"]["tags_per_create"]


@pytest.mark.parametrize("module", ["", "Leads/../Contacts", "Leads?x=1", "settings/tags", "Nonsense", "../org"])
def test_a_module_that_is_none_is_refused(visitor: Visitor, module: str) -> None:
    assert visitor.probe("--module", module) == 2

    assert sent(visitor) == []


def test_a_server_that_names_a_foreign_tag_as_made_does_not_get_it_deleted(visitor: Visitor) -> None:
    foreign = {"code": "SUCCESS", "status": "success", "message": "tags created successfully", "details": {"id": HOT}}
    visitor.control.fault("status", "settings/tags$", method="POST", times=None, status=201, body={"tags": [foreign, foreign]})
    before = state(visitor.control)

    visitor.probe()

    assert state(visitor.control) == before
    assert HOT not in touched(visitor)


def test_a_server_that_names_a_foreign_record_as_made_does_not_get_it_deleted(visitor: Visitor) -> None:
    records = visitor.control.records("Leads")[:5]
    elements = [{"code": "SUCCESS", "status": "success", "message": "record added", "details": {"id": record}} for record in records]
    visitor.control.fault("status", "crm/v8/Leads$", method="POST", times=None, status=201, body={"data": elements})
    before = state(visitor.control)

    assert visitor.probe() == 0, visitor.text

    assert state(visitor.control) == before
    assert not touched(visitor) & set(records)


class Renames(EmulatorsClock):
    """While the probe waits for the first time, somebody gives the tag with this number another name."""

    def __init__(self, visitor: Visitor, number: int) -> None:
        super().__init__(visitor.control)
        self._visitor = visitor
        self._number = number
        self.renamed = ""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        tags = self._visitor.control.tags("Leads")
        mine = {name: tag_id for name, tag_id in tags.items() if name.startswith("zprobe-") and name.endswith(f"{self._number:02}")}
        if not self.renamed and mine:
            (self.renamed,) = mine.values()
            user = User(self._visitor.server)
            user.log_in()
            user.call("PUT", f"/settings/tags/{self.renamed}", params={"module": "Leads"}, json={"tags": [{"name": "ours now"}]})


@pytest.mark.parametrize("number", [3, 4, 5])
def test_a_tag_that_somebody_renamed_is_theirs(visitor: Visitor, number: int) -> None:
    visitor.control.readings(gone_tag="accepted", request_ids="numbers_too")
    before = visitor.control.tags("Leads")
    clock = Renames(visitor, number)

    visitor.probe(clock=clock)

    assert visitor.control.tags("Leads") == {**before, "ours now": clock.renamed}
    assert "'ours now' was made by the run and renamed" in visitor.text
    assert clock.renamed not in [item for job in visitor.control.counters()["jobs"] for item in job["items"]]


@pytest.mark.parametrize("prefix", ["", "z", "zprobe-", "hot", "zprobe-..........-", "zprobe-ABCDEFGHIJ-", "%", f"{PREFIX}0", ".*"])
def test_a_clean_up_wants_a_whole_prefix_of_the_probe(visitor: Visitor, prefix: str) -> None:
    visitor.control.add_tags("Leads", [f"{PREFIX}01"])

    assert visitor.probe("--clean-up", prefix) == 2

    assert visitor.control.requests() == []


def test_a_clean_up_leaves_what_only_begins_like_the_probes(visitor: Visitor) -> None:
    start_again(visitor.control, crowded)
    before = state(visitor.control)
    visitor.control.add_tags("Leads", [f"{PREFIX}01", {"name": f"{PREFIX}02", "features": [{"type": "Workflow", "name": "Notify"}]}])
    others = visitor.control.add_tags("Contacts", [f"{PREFIX}01"])

    assert visitor.probe("--clean-up", PREFIX) == 1

    assert f"left behind: {PREFIX}02. HTTP 400 NOT_ALLOWED" in visitor.text
    in_use = visitor.control.tags("Leads")[f"{PREFIX}02"]
    after = state(visitor.control)["Leads"]
    assert ([tag for tag in after[0] if tag["id"] != in_use], after[1]) == before["Leads"]
    assert set(others) <= set(visitor.control.tags("Contacts").values())


def test_a_clean_up_takes_the_prefix_without_its_dash_too(visitor: Visitor) -> None:
    visitor.control.add_tags("Leads", [f"{PREFIX}01"])

    assert visitor.probe("--clean-up", PREFIX.rstrip("-")) == 0, visitor.text

    assert f"{PREFIX}01" not in visitor.control.tags("Leads")


def test_a_module_with_little_room_is_asked_with_fewer_tags(visitor: Visitor) -> None:
    visitor.control.change_org(edition="Standard", tags_per_module=14)
    before = state(visitor.control)

    assert visitor.probe() == 0, visitor.text

    assert state(visitor.control) == before
    assert visitor.found()["readings"]["counts"] == "present"
    assert visitor.found()["readings"]["full_record"] == "not_added_tags"


def test_a_clean_up_of_more_than_a_run_makes_is_refused(visitor: Visitor) -> None:
    visitor.control.add_tags("Leads", [f"{PREFIX}{number:02}" for number in range(1, 17)])
    before = state(visitor.control)

    assert visitor.probe("--clean-up", PREFIX) == 2

    assert state(visitor.control) == before
    assert "16 tags" in visitor.text


def test_a_clean_up_that_finds_nothing_says_so(visitor: Visitor) -> None:
    assert visitor.probe("--clean-up", PREFIX) == 0

    assert "Did the run use another --module" in visitor.text


def test_a_tag_that_vanishes_meanwhile_is_reported(visitor: Visitor) -> None:
    class Deletes(EmulatorsClock):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            visitor.control.remove_tags("Leads", [HOT])

    assert visitor.probe(clock=Deletes(visitor.control)) == 1

    assert "the tag 'hot' that was there before is gone or renamed. The probe has not sent its id." in visitor.text


@pytest.mark.parametrize("kind", ["html", "drop_before", "cut_json", "empty_204"])
def test_a_list_that_cannot_be_read_lets_nothing_pass(visitor: Visitor, kind: str) -> None:
    """After the first lists, so that tags were made and the gate cannot see them any more."""
    before = state(visitor.control)
    visitor.control.fault(kind, "settings/tags$", method="GET", after=6, times=None)

    assert visitor.probe() in (1, 2)

    assert not touched(visitor) & {tag["id"] for tags, _ in before.values() for tag in tags}
    visitor.control.clear_faults()
    prefix = re.search(r"zprobe-[a-z0-9]{10}-", visitor.text)
    assert prefix is not None
    assert visitor.probe("--clean-up", prefix[0]) == 0
    assert state(visitor.control) == before


@pytest.mark.parametrize(
    ("url", "said"),
    [("https://elsewhere.example", "nowhere else"), ("ftp://127.0.0.1", "nowhere else"), ("https://www.zohoapis.eu", "nowhere else")],
)
def test_the_credentials_go_to_zoho_or_this_machine_only(visitor: Visitor, url: str, said: str) -> None:
    assert visitor.probe(extra={"api_url": url}) == 2

    assert said in visitor.text


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"ok": true, "findings": []}', '{"login": "x", "password": "y", "extra": {}}'])
def test_a_file_without_credentials_is_refused_with_a_sentence(visitor: Visitor, content: str) -> None:
    file = visitor.folder / "nothing.json"
    file.write_text(content)

    assert visitor.probe("--credentials", str(file)) == 2

    assert "connect --to json" in visitor.text


def test_the_file_names_nothing_of_the_org(visitor: Visitor) -> None:
    visitor.control.readings(unknown_job_status="404", request_ids="strings")
    visitor.control.fault(
        "status", "records_count|merge|search", times=None, status=418, body={"code": "SECRET_OF_ZYLKER CORP", "Boyle": {"hot": 1}}
    )

    assert visitor.probe() == 0, visitor.text

    text = visitor.file.read_text()
    assert "418" in text
    for word in (
        "Minimal",
        "808232144",
        "2276164",
        "Leads",
        "hot",
        "Boyle",
        "ZYLKER",
        "zprobe",
        "127.0.0.1",
        CLIENT["client_secret"],
        REFRESH_TOKEN,
    ):
        assert word not in text
    assert not re.search(r"\d{5}", text)
    assert not {CLIENT["client_secret"], REFRESH_TOKEN} & set(re.split(r"[\s'\"]", visitor.text))


@pytest.mark.parametrize(("name", "folder"), [("tag_colors", "."), (ORG, "no such folder")])
def test_a_file_that_cannot_be_written_is_said(visitor: Visitor, name: str, folder: str) -> None:
    """The first org has a name that stands in every file; rather none is written than one that names an org."""
    start_again(visitor.control, lambda seed: seed["orgs"][0].update(name=name))
    visitor.answers = [name]

    assert visitor.probe("--readings", str(visitor.folder / folder / "found.json")) == 1

    assert "was not written" in visitor.text
    assert "[same] counts" in visitor.text


def test_a_token_that_is_evicted_meanwhile_is_replaced(visitor: Visitor) -> None:
    visitor.control.fault("evict_token", "mass_delete", method="POST", after=3)
    before = state(visitor.control)

    assert visitor.probe() == 0, visitor.text

    assert state(visitor.control) == before


def test_a_prefix_is_another_one_each_time() -> None:
    prefixes = {new_prefix() for _ in range(100)}

    assert len(prefixes) == 100
    assert all(not is_own(prefix, "hot") and len(f"{prefix}01") <= 25 for prefix in prefixes)


def test_a_tag_in_use_is_one_of_its_own_and_is_deleted_in_the_end(visitor: Visitor) -> None:
    before = state(visitor.control)
    asked: list[str] = []

    def person(question: str) -> str:
        asked.append(question)
        used = re.search(r"zprobe-[a-z0-9]{10}-14", question)
        if used is not None:
            features = [{"type": "Workflow", "name": "Notify"}] if question.startswith("Use") else []
            visitor.control.use_tags("Leads", [visitor.control.tags("Leads")[used[0]]], features)
        return ORG

    assert visitor.probe("--in-use", ask=person) == 0, visitor.text

    assert len(asked) == 3
    assert {"question": "a tag that is in use is refused, and details point to it", "org": "yes", "verdict": "same"} in visitor.found()[
        "other_answers"
    ]
    assert state(visitor.control) == before


def test_a_tag_that_stays_in_use_is_left_and_reported(visitor: Visitor) -> None:
    def person(question: str) -> str:
        used = re.search(r"zprobe-[a-z0-9]{10}-14", question)
        if used is not None and question.startswith("Use"):
            visitor.control.use_tags("Leads", [visitor.control.tags("Leads")[used[0]]], [{"type": "Workflow", "name": "Notify"}])
        return ORG

    assert visitor.probe("--in-use", ask=person) == 1

    assert re.search(r"Leads: left behind: zprobe-[a-z0-9]{10}-14. HTTP 400 NOT_ALLOWED", visitor.text)


def restored(visitor: Visitor) -> list[str]:
    return [record for entry in sent(visitor) if entry["path"].endswith("recycle_bin/actions/restore") for record in ids_in(entry)]


def ids_in(entry: dict[str, Any]) -> list[str]:
    return re.findall(r"\b\d{19}\b", json.dumps(entry["body"]))


def test_of_the_recycle_bin_only_its_own_record_comes_back(visitor: Visitor) -> None:
    foreign = visitor.control.records("Leads")[-1]
    user = User(visitor.server)
    user.log_in()
    assert user.post("/Leads/actions/mass_delete", {"ids": [foreign]}).status_code == 200
    visitor.control.reset_counters()
    before = state(visitor.control)

    assert visitor.probe() == 0, visitor.text

    (answer,) = (found for found in visitor.found()["other_answers"] if "recycle bin" in found["question"])
    assert (answer["org"], answer["verdict"]) == ("at once, with its id and its tags", "same")
    assert len(restored(visitor)) == 1
    assert foreign not in touched(visitor)
    assert foreign in visitor.control.recycle_bin("Leads")
    assert state(visitor.control) == before


def test_a_record_that_comes_back_from_the_bin_is_deleted_again(visitor: Visitor) -> None:
    """The bin answers that it is done, and is so while the probe waits."""

    class GivesBack(EmulatorsClock):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            for record in restored(visitor):
                if not self.given:
                    visitor.control.add_records("Leads", [record])
                    self.given = True

        given = False

    before = state(visitor.control)
    visitor.control.fault("status", "recycle_bin/actions/restore", method="POST", times=1, status=200, body={"recycle_bin": []})

    assert visitor.probe(clock=GivesBack(visitor.control)) == 0, visitor.text

    (answer,) = (found for found in visitor.found()["other_answers"] if "recycle bin" in found["question"])
    assert answer == {
        "question": "a record is restored from the recycle bin",
        "org": "after 5 s, with its id and without its tags",
        "verdict": "different",
    }
    assert len(restored(visitor)) == 1
    assert state(visitor.control) == before


@pytest.mark.parametrize("status", [202, 207, 500])
def test_a_record_that_may_still_come_back_is_reported(visitor: Visitor, status: int) -> None:
    visitor.control.fault("status", "recycle_bin/actions/restore", method="POST", times=1, status=status, body={"recycle_bin": []})

    assert visitor.probe() == 1

    assert "may still come back from the recycle bin" in visitor.text
