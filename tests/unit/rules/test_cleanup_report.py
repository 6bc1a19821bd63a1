"""The report of a clean-up: numbers that are known, a dash for those that are not, and a text that can be mailed."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from airflow_provider_zcrm.rules.cleanup_report import CleanupReport

TAGS = [
    {"id": "1", "name": "a|b", "records": 0, "reason": "0 records carry it"},
    {"id": "2", "name": "c", "records": None, "reason": "old"},
]
DONE = CleanupReport(
    module="Leads", looked_at=5, chosen=TAGS, kept={"keep": 3}, deleted=2, failed=0, ended=True, allowed=100, api_calls=9, credits_left=4000
)


TEXT = """\
**Tags of Leads**: done.

| looked at | chosen | kept | skipped | deleted | failed | allowed | room | api calls | credits left |
| --------- | ------ | ---- | ------- | ------- | ------ | ------- | ---- | --------- | ------------ |
| 5         | 2      | 3    | 0       | 2       | 0      | 100     | 97   | 9         | 4000         |

Chosen:

| name | records | reason             |
| ---- | ------- | ------------------ |
| a\\|b | 0       | 0 records carry it |
| c    | -       | old                |

| kept | why  |
| ---- | ---- |
| 3    | keep |"""


def test_the_whole_text() -> None:
    assert DONE.as_markdown() == TEXT


@pytest.mark.parametrize(
    ("report", "outcome"),
    [
        (CleanupReport(module="Leads"), "stopped before tags were chosen: see the log of the task that finds them"),
        (CleanupReport(module="Leads", looked_at=5, chosen=[], ended=True), "nothing to delete"),
        (CleanupReport(module="Leads", chosen=TAGS, dry_run=True, ended=True), "dry run: nothing was deleted"),
        (CleanupReport(module="Leads", chosen=TAGS, deleted=1, failed=1), "not finished: see the log of the task that deletes"),
        (DONE, "done"),
        (CleanupReport(module="Leads", not_run="its tasks were skipped"), "skipped, because its tasks were skipped: nothing was deleted"),
        (CleanupReport(module="Leads", chosen=TAGS, not_run="a person said no"), "skipped, because a person said no: nothing was deleted"),
        (CleanupReport(module="Leads", chosen=TAGS, deleted=2, not_run="it was not approved"), "skipped, because it was not approved"),
        (CleanupReport(module="Leads", silent=["clean.find"]), "not known"),
    ],
)
def test_what_came_of_it(report: CleanupReport, outcome: str) -> None:
    assert report.outcome == outcome


def test_what_was_skipped_and_where_the_backup_is_are_told() -> None:
    aside = {"id": "1", "name": "hot", "reason": "a workflow uses it"}
    text = CleanupReport(module="Leads", chosen=TAGS, skipped=[aside], backup="s3://bucket/Leads.jsonl", ended=True).as_markdown()

    assert "a workflow uses it" in text
    assert "Backup: `s3://bucket/Leads.jsonl`" in text


def test_what_was_to_be_kept_and_matches_no_tag_is_told() -> None:
    text = CleanupReport(module="Leads", chosen=TAGS, kept={"keep": 3}, unmatched_keep=["VPI*", "VIP|hot"], ended=True).as_markdown()

    rows = ["to be kept, but no tag matches", "-" * 30, r"VPI\*".ljust(30), r"VIP\|hot".ljust(30)]
    assert text.endswith("\n\n" + "\n".join(f"| {row} |" for row in rows))
    assert "no tag matches" not in DONE.as_markdown()


def test_a_module_that_is_nearly_full_is_told_by_what_is_left_after_the_deletion() -> None:
    full = CleanupReport(module="Leads", looked_at=10, allowed=11, chosen=[])
    assert "**Nearly full**: Leads has 10 of the 11 tags that Zoho allows." in full.as_markdown()
    emptied = replace(full, chosen=TAGS, deleted=2, ended=True)
    assert emptied.as_dict()["room"] == 3
    assert "Nearly full" not in emptied.as_markdown()


def test_what_returned_nothing_is_named() -> None:
    text = CleanupReport(module="Leads", chosen=TAGS, deleted=2, ended=True, silent=["clean.back_up"]).as_markdown()

    assert "Not all is known: clean.back_up returned nothing; set do_xcom_push=True there." in text


def test_nothing_of_zohos_is_markup() -> None:
    evil = {"id": "1", "name": "[x](http://evil)<b>`a|b`\n# all\u202e", "records": 0, "reason": "*"}
    report = CleanupReport(
        module="<i>", chosen=[evil], skipped=[evil], unmatched_keep=["**x**"], kept={"<u>": 1}, backup="/a`<b>", ended=True
    )
    for line in report.as_markdown().splitlines():
        assert not re.search(r"(?<!\\)[<\[]", line)
    assert r"\[x\]\(http://evil\)\<b\>\`a\|b\`\\n\# all\\u202e" in report.as_markdown()
    assert r"\*\*x\*\*" in report.as_markdown()


def test_of_hundreds_of_tags_the_text_has_the_first_fifty() -> None:
    tags = [{"id": str(number), "name": f"tag-{number}", "records": 0, "reason": "old"} for number in range(200)]
    text = CleanupReport(module="Leads", chosen=tags, ended=True).as_markdown()

    assert "tag-49 " in text
    assert "tag-50 " not in text
    assert "and 150 more" in text
