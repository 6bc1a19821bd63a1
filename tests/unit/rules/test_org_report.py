"""The report over all modules: nothing that was deleted is missing in it, and the totals come last."""

from __future__ import annotations

from airflow_provider_zcrm.rules.cleanup_report import CleanupReport
from airflow_provider_zcrm.rules.org_report import OrgReport

TAG = {"id": "1", "name": "hot", "module": "Leads"}
LEADS = CleanupReport(
    module="Leads",
    looked_at=10,
    allowed=10,
    chosen=[TAG],
    deleted=1,
    failed=0,
    ended=True,
    api_calls=4,
    credits_left=90,
    backup="/b/Leads.jsonl",
)
DEALS = CleanupReport(module="Deals", api_calls=2, credits_left=80)
REJECTED = CleanupReport(module="Accounts", looked_at=3, allowed=10, chosen=[TAG], not_run="it was not approved")
MODULES = [{"module": name, "new": name == "<b>"} for name in ("Leads", "Deals", "Accounts", "<b>")]


def report(**arguments: object) -> OrgReport:
    reports = [one.as_dict() for one in (REJECTED, DEALS, LEADS)]
    return OrgReport(modules=MODULES, reports=reports, api_calls=1, **arguments)  # type: ignore[arg-type]


TEXT = r"""**Tags of all modules**

Backups:

- `/b/Leads.jsonl`

**New modules**: \<b\>.

**Nearly full**, so that Zoho will refuse new tags: Leads.

**To be kept, but no tag of any module matches**: VPI\*.

**Not done**, and in the totals only as far as it is known:

- Deals: stopped before tags were chosen: see the log of the task that finds them
- \<b\>: no report: see the logs of its tasks

| module   | outcome   | looked at | chosen | kept | skipped | deleted | failed | room | api calls | credits left |
| -------- | --------- | --------- | ------ | ---- | ------- | ------- | ------ | ---- | --------- | ------------ |
| Leads    | done      | 10        | 1      | 0    | 0       | 1       | 0      | 1    | 4         | 90           |
| Deals    | failed    | -         | -      | 0    | 0       | -       | -      | -    | 2         | 80           |
| Accounts | skipped   | 3         | 1      | 0    | 0       | -       | -      | 7    | -         | -            |
| \<b\>    | no report | -         | -      | -    | -       | -       | -      | -    | -         | -            |
| all      | -         | 13        | 2      | 0    | 0       | 1       | 0      | 8    | 7         | 80           |

**4 modules**: 1 done, 1 failed, 1 skipped, 1 no report."""


def test_the_whole_text() -> None:
    assert report(unmatched_keep=["VPI*"]).as_markdown() == TEXT


def test_the_numbers() -> None:
    numbers = report().as_dict()

    assert numbers["states"] == {"done": 1, "failed": 1, "skipped": 1, "no report": 1}
    assert numbers["totals"] == {
        "looked_at": 13,
        "chosen": 2,
        "kept": 0,
        "skipped": 0,
        "deleted": 1,
        "failed": 0,
        "room": 8,
        "api_calls": 7,
        "credits_left": 80,
    }
    assert [row["module"] for row in numbers["modules"]] == ["Leads", "Deals", "Accounts", "<b>"]
    assert numbers["new_modules"] == ["<b>"]


def test_a_clean_up_that_did_not_begin_has_a_text_too() -> None:
    assert OrgReport(modules=(), reports=()).as_markdown().endswith("**0 modules**: none was listed.")


def test_a_report_whose_module_is_not_listed_any_more_is_not_lost() -> None:
    """As when the task that lists the modules was cleared alone."""
    found = OrgReport(modules=[], reports=[LEADS.as_dict()])
    assert [row["module"] for row in found.rows] == ["Leads"]
    assert found.totals["deleted"] == 1


def test_of_two_reports_of_a_module_the_earlier_one_hides_nothing_and_is_not_hidden() -> None:
    """As when the list got shorter: the module has another place now, and what the task of its old place has pushed stays."""
    failed = {**LEADS.as_dict(), "state": "failed", "deleted": None}
    found = OrgReport(modules=[{"module": "Leads", "new": False}], reports=[failed, LEADS.as_dict()])
    assert [row["state"] for row in found.rows] == ["failed", "done"]
    assert found.totals["deleted"] == 1
