"""Which tags a selection chooses, why, at the price of which calls, and what it refuses."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from airflow_provider_zcrm.api.errors import InvalidArgument
from airflow_provider_zcrm.api.tags import RecordsCount, Tag
from airflow_provider_zcrm.tag_selection import NO_CRITERION, Choice, TagSelection

WRITTEN_LISTS = [
    "['VIP', 'Hot']",
    '["VIP"]',
    "[VIP, Hot]",
    " [VIP,do-not-*]\n",
    "('VIP',)",
    "(VIP, Hot)",
    "{'VIP', 'Hot'}",
    "{VIP, Hot}",
    "['VIP' 'Hot']",
    "[None]",
    "[None, 'VIP']",
    "[]",
    "[ ]",
    "()",
    "{}",
    "set()",
    "frozenset({'VIP'})",
    "dict_keys(['VIP', 'Hot'])",
    "[['VIP'], ['Hot']]",
    "[{'id': '1', 'name': 'VIP'}]",
]
NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
UNUSED_ANYWHERE: dict[str, Any] = {
    "workflow_tagActionRecords": {"Workflow": {"1": {"AddTags": [], "RemoveTags": []}}},
    "custom_view": {"cvnames": [], "cvids": [], "cvmodules": [], "inaccessible_custom_view_present": False},
}
IN_A_BLUEPRINT = {"workflow_tagActionRecords": {"Blueprint": {"1": {"AddTags": [{"id": "5", "name": "new"}]}}}}
HALF_A_YEAR_OLD = "2026-05-01T10:43:05+05:30"


def tag(name: str = "hot", id: str = "1", created: str = HALF_A_YEAR_OLD, **fields: Any) -> Tag:  # noqa: A002
    return Tag(id, name, **{"created_time": created, "modified_time": created, **fields})


def decide(selection: TagSelection, tags: list[Tag], facts: Mapping[str, RecordsCount | None] | None = None) -> Choice:
    return selection.candidates(tags, NOW).choose(facts or {})


def chosen(selection: TagSelection, tags: list[Tag], facts: Mapping[str, RecordsCount | None] | None = None) -> list[str]:
    return [verdict.tag.name for verdict in decide(selection, tags, facts).chosen]


def why(selection: TagSelection, one: Tag, facts: Mapping[str, RecordsCount | None] | None = None) -> tuple[bool, str]:
    choice = decide(selection, [one], facts)
    (verdict,) = choice.chosen + choice.kept
    return bool(choice.chosen), verdict.reason


# --- each criterion --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("criterion", "of_tag", "passes", "reason"),
    [
        ({"names": "hot"}, {}, True, "its name is listed"),
        ({"names": ["cold", "hot"]}, {}, True, "its name is listed"),
        ({"names": ["cold", "Hot", "ho"]}, {}, False, "names: its name is not listed"),
        ({"names": ["HOT"], "case_sensitive": False}, {}, True, "its name is listed"),
        ({"names": []}, {}, False, "names: its name is not listed"),
        ({"names": ["[x]*"]}, {"name": "[x]*"}, True, "its name is listed"),
        ({"name_glob": "h*"}, {}, True, "its name matches 'h*'"),
        ({"name_glob": ["c*", "h[aeo]?"]}, {}, True, "its name matches 'h[aeo]?'"),
        ({"name_glob": "H*"}, {}, False, "name_glob: its name matches none of them"),
        ({"name_glob": "H*", "case_sensitive": False}, {}, True, "its name matches 'H*'"),
        ({"name_glob": "ho"}, {}, False, "name_glob: its name matches none of them"),
        ({"name_glob": []}, {}, False, "name_glob: its name matches none of them"),
        ({"name_regex": ["(tmp|x-[0-9]{1,3})", "[^,]+,[^,]+"]}, {"name": "x-17"}, True, "its name matches '(tmp|x-[0-9]{1,3})'"),
        ({"name_regex": "(?!hot).*[a-z]"}, {"name": "cold"}, True, "its name matches '(?!hot).*[a-z]'"),
        ({"name_glob": "[!_]*"}, {}, True, "its name matches '[!_]*'"),
        ({"name_glob": "h*"}, {"name": "h\not"}, True, "its name matches 'h*'"),
        ({"name_regex": "h.t"}, {}, True, "its name matches 'h.t'"),
        ({"name_regex": ["h", "ho", "ot"]}, {}, False, "name_regex: its name matches none of them"),
        ({"name_regex": "c|h"}, {}, False, "name_regex: its name matches none of them"),
        ({"name_regex": "H.T"}, {}, False, "name_regex: its name matches none of them"),
        ({"name_regex": "H.T", "case_sensitive": False}, {}, True, "its name matches 'H.T'"),
        ({"name_regex": "hot$"}, {"name": "hot\n"}, False, "name_regex: its name matches none of them"),
        ({"created_by": "Patricia Boyle"}, {"created_by": "Patricia Boyle", "created_by_id": "7"}, True, "created by Patricia Boyle (7)"),
        ({"created_by": ["x", 7]}, {"created_by": "Patricia Boyle", "created_by_id": "7"}, True, "created by Patricia Boyle (7)"),
        ({"created_by": "8"}, {"created_by": "Jo", "created_by_id": "7"}, False, "created_by: created by Jo (7)"),
        ({"created_by": "jo"}, {"created_by": "Jo", "created_by_id": "7"}, False, "created_by: created by Jo (7)"),
        ({"created_by": "jo", "case_sensitive": False}, {"created_by": "Jo", "created_by_id": "7"}, True, "created by Jo (7)"),
        ({"created_by": "Jo"}, {}, False, "created_by: its creator is unknown, so it is kept"),
        ({"created_by": []}, {"created_by": "Jo"}, False, "created_by: created by Jo ()"),
        ({"color_code": "#f48435"}, {"color_code": "#F48435"}, True, "its colour is #F48435"),
        ({"color_code": ["57B1FD", "F48435"]}, {"color_code": "#f48435"}, True, "its colour is #F48435"),
        ({"color_code": "#57B1FD"}, {"color_code": "#F48435"}, False, "color_code: its colour is #F48435"),
        ({"color_code": "#57B1FD"}, {"color_code": None}, False, "color_code: it has no colour"),
        ({"color_code": []}, {"color_code": None}, False, "color_code: it has no colour"),
        ({"max_records": 0}, {"record_count": 0}, True, "0 records carry it"),
        ({"max_records": "unused"}, {"record_count": 1}, False, "max_records: 1 record carries it"),
        ({"max_records": 3}, {"record_count": 3}, True, "3 records carry it"),
        ({"max_records": 3}, {"record_count": 4}, False, "max_records: 4 records carry it"),
        ({"everything": True}, {}, True, "everything was asked for"),
    ],
)
def test_a_criterion_chooses_and_says_why(criterion: dict[str, Any], of_tag: dict[str, Any], passes: bool, reason: str) -> None:
    assert why(TagSelection(**criterion), tag(**of_tag)) == (passes, reason)


# Half an hour before and after P90D, seen from a zone in which it is another day.
OLDER, YOUNGER = "2026-08-03T23:30:00+12:00", "2026-08-04T00:30:00+12:00"


@pytest.mark.parametrize(
    ("criterion", "of_tag"), [("created", "created_time"), ("modified", "modified_time"), ("not_accessed", "last_accessed_time")]
)
def test_times_are_compared_as_moments(criterion: str, of_tag: str) -> None:
    before = TagSelection(**{"not_accessed_for" if criterion == "not_accessed" else f"{criterion}_before": "P90D"})  # type: ignore[arg-type]

    assert why(before, tag(**{of_tag: OLDER})) == (True, f"its {of_tag} {OLDER} is before 2026-08-03T12:00:00+00:00")
    passes, reason = why(before, tag(**{of_tag: YOUNGER}))
    assert not passes
    assert reason.endswith(f"its {of_tag} {YOUNGER} is not before 2026-08-03T12:00:00+00:00")


def test_a_reason_tells_a_moment_to_the_second() -> None:
    passes, reason = why(TagSelection(created_before=datetime(2026, 8, 3, 12, 0, 0, 572424, tzinfo=UTC)), tag(created_time=OLDER))
    assert passes
    assert reason.endswith("is before 2026-08-03T12:00:00+00:00")


@pytest.mark.parametrize("what", ["created", "modified"])
@pytest.mark.parametrize(
    "moment", ["P90D", 90, "90", timedelta(days=90), "2026-08-03T14:00:00+02:00", datetime(2026, 8, 3, 12, tzinfo=UTC)]
)
def test_before_and_after_leave_no_gap_and_do_not_overlap(what: str, moment: Any) -> None:
    before, after = TagSelection(**{f"{what}_before": moment}), TagSelection(**{f"{what}_after": moment})
    tags = [tag(time, str(number), time) for number, time in enumerate([OLDER, "2026-08-03T17:30:00+05:30", YOUNGER])]

    assert chosen(before, tags) == [OLDER]
    assert chosen(after, tags) == ["2026-08-03T17:30:00+05:30", YOUNGER]


def test_a_date_is_its_first_moment_in_utc() -> None:
    tags = [tag("day before", "1", "2026-08-03T01:00:00+02:00"), tag("that day", "2", "2026-08-02T22:00:00-02:00")]

    assert chosen(TagSelection(created_before=date(2026, 8, 3)), tags) == ["day before"]
    assert chosen(TagSelection(created_after="2026-08-03"), tags) == ["that day"]


@pytest.mark.parametrize("time", ["", "yesterday", "2020-01-01", "2020-01-01T00:00:00", "1577836800000"])
@pytest.mark.parametrize(
    ("criterion", "of_tag"),
    [
        ("created_before", "created_time"),
        ("created_after", "created_time"),
        ("modified_before", "modified_time"),
        ("modified_after", "modified_time"),
        ("not_accessed_for", "last_accessed_time"),
    ],
)
def test_an_unknown_time_keeps_the_tag(criterion: str, of_tag: str, time: str) -> None:
    said = f"unreadable ('{time}')" if time else "unknown"

    assert why(TagSelection(**{criterion: 1}), tag(**{of_tag: time})) == (False, f"{criterion}: its {of_tag} is {said}, so it is kept")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("areas", "uses"),
    [
        ({}, ""),
        (UNUSED_ANYWHERE, ""),
        (IN_A_BLUEPRINT, "Blueprint"),
        (UNUSED_ANYWHERE | IN_A_BLUEPRINT, "Blueprint"),
        ({"workflow_tagActionRecords": {"Workflow": {"1": ["x"]}, "Orchestration": {"1": 5}}}, "Workflow, Orchestration"),
        ({"custom_view": {"cvnames": ["Hot leads"], "cvids": ["1"]}}, "custom view"),
        ({"custom_view": {"cvnames": [], "inaccessible_custom_view_present": True}}, "custom view"),
        ({"custom_view": {"cvnames": [], "inaccessible_custom_view_present": "false"}}, ""),
        ({"an area that is not documented": ["x"]}, "an area that is not documented"),
        ({"workflow_tagActionRecords": "in use"}, "automation"),
        ({"workflow_tagActionRecords": None}, ""),
    ],
)
def test_use_by_automation(areas: dict[str, Any], uses: str) -> None:
    facts = {"1": RecordsCount(3, areas)}
    reason = f"used by {uses}" if uses else "no automation uses it"

    for wanted in (True, False):
        passes = bool(uses) is wanted
        prefix = "" if passes else "used_by_automation: "
        assert why(TagSelection(used_by_automation=wanted), tag(), facts) == (passes, prefix + reason)


@pytest.mark.parametrize("wanted", [True, False])
@pytest.mark.parametrize("facts", [{}, {"1": None}, {"1": RecordsCount(0)}])
def test_a_tag_of_which_nobody_tells_where_it_is_used_is_kept(wanted: bool, facts: dict[str, RecordsCount | None]) -> None:
    kept = (False, "used_by_automation: Zoho does not tell where it is used, so it is kept")

    assert why(TagSelection(used_by_automation=wanted), tag(), facts) == kept


@pytest.mark.parametrize("facts", [{}, {"1": None}])
def test_a_tag_that_nobody_counted_is_kept(facts: dict[str, RecordsCount | None]) -> None:
    kept = (False, "max_records: nobody tells how many records carry it, so it is kept")

    assert why(TagSelection(max_records=0), tag(), facts) == kept


def test_a_later_count_wins_over_the_one_in_the_list() -> None:
    selection = TagSelection(max_records=0, used_by_automation=False)

    assert why(selection, tag(record_count=0), {"1": RecordsCount(2, {})}) == (False, "max_records: 2 records carry it")


def test_all_criteria_must_hold_and_all_reasons_are_given() -> None:
    selection = TagSelection(name_glob="tmp*", created_before="P90D", max_records=0)
    facts = {str(number): RecordsCount(0 if number != 3 else 9) for number in range(5)}
    tags = [tag("tmp1", "1"), tag("tmp2", "2", "2026-10-31T00:00:00+00:00"), tag("tmp3", "3"), tag("other", "4")]

    choice = decide(selection, tags, facts)

    assert [(verdict.tag.id, verdict.reason) for verdict in choice.chosen] == [
        ("1", f"its name matches 'tmp*'; its created_time {HALF_A_YEAR_OLD} is before 2026-08-03T12:00:00+00:00; 0 records carry it")
    ]
    assert [(verdict.tag.id, verdict.reason.split(":")[0]) for verdict in choice.kept] == [
        ("3", "max_records"),
        ("4", "name_glob"),
        ("2", "created_before"),
    ]
    assert (choice.looked_at, str(choice)) == (4, "1 of 4 tags chosen")


# --- keep, limit, everything, nothing --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keep", "reason"),
    [
        ({"keep": "hot"}, "keep: 'hot' protects it"),
        ({"keep": ["x", "HO?"]}, "keep: 'HO?' protects it"),
        ({"keep_regex": ["x", "H.*"]}, "keep_regex: 'H.*' protects it"),
    ],
)
@pytest.mark.parametrize("criterion", [{"names": "hot"}, {"everything": True}, {"max_records": 0}, {}])
def test_keep_wins_and_does_not_mind_case(keep: dict[str, Any], reason: str, criterion: dict[str, Any]) -> None:
    assert why(TagSelection(**criterion, **keep), tag(record_count=0)) == (False, reason)


def test_keep_protects_a_name_that_looks_like_a_pattern() -> None:
    assert chosen(TagSelection.all(keep=["[test]", "straße"]), [tag("[TEST]", "1"), tag("STRASSE", "2"), tag("test", "3")]) == ["test"]


def test_keep_with_a_negated_set_protects_in_either_reading_of_case() -> None:
    tags = [tag("Hot", "1"), tag("hot", "2"), tag("cold", "3")]

    assert chosen(TagSelection.all(keep="[!h]*"), tags) == ["hot"]
    assert chosen(TagSelection.all(keep_regex="^[^h]"), tags) == ["hot"]


def test_keep_does_not_protect_more_than_it_says() -> None:
    assert chosen(TagSelection.all(keep=["ho", "? ot"], keep_regex=["^ho$", "h ot"]), [tag()]) == ["hot"]


def test_the_limit_takes_the_oldest_then_the_smaller_id_and_unknown_age_last() -> None:
    tags = [tag("unknown", "1", ""), tag("b", "10", OLDER), tag("a", "9", OLDER), tag("young", "2", YOUNGER), tag("oldest", "3")]
    order = ["oldest", "a", "b", "young", "unknown"]

    for limit in range(1, 6):
        choice = decide(TagSelection.all(limit=limit), tags)
        assert [verdict.tag.name for verdict in choice.chosen] == order[:limit]
        assert {verdict.reason for verdict in choice.kept} <= {f"limit: {limit} are chosen before it"}
        assert choice.looked_at == 5


@pytest.mark.parametrize("selection", [TagSelection(), TagSelection(keep="x", limit=5, case_sensitive=False, max_api_calls=1)])
def test_without_a_criterion_nothing_is_chosen_and_it_says_so(selection: TagSelection) -> None:
    found = selection.candidates([tag()], NOW)
    choice = found.choose({})

    assert (found.calls_needed, found.needs_counts({}), choice.chosen) == (0, (), ())
    assert choice.kept[0].reason == NO_CRITERION
    assert str(choice) == f"0 of 1 tags chosen: {NO_CRITERION}"


def test_everything_must_be_asked_for_by_name() -> None:
    selection = TagSelection.all(keep="VIP", keep_regex="p.*", limit=7)

    assert selection == TagSelection(everything=True, keep=["VIP"], keep_regex=["p.*"], limit=7)
    assert TagSelection.from_dict({"everything": True}) == TagSelection.all()
    assert chosen(TagSelection.all(keep="VIP"), [tag("vip", "1"), tag("x", "2")]) == ["x"]


def test_everything_does_not_go_with_another_criterion() -> None:
    with pytest.raises(InvalidArgument, match=r"everything excludes .* names, max_records is given.*keep, limit"):
        TagSelection(everything=True, names=["hot"], max_records=0)


def test_now_must_have_a_zone() -> None:
    with pytest.raises(InvalidArgument, match="now has no time zone"):
        TagSelection.all().candidates([], NOW.replace(tzinfo=None))


# --- what it costs ---------------------------------------------------------------------------------------------------


def test_cheap_criteria_come_first() -> None:
    found = TagSelection(max_records=0, name_glob="tmp*").candidates([tag("tmp", "1"), tag("hot", "2")], NOW)

    assert (found.calls_needed, found.needs_counts({})) == (1, ("1",))
    assert found.needs_counts({"1": None}) == ()


@pytest.mark.parametrize(
    ("criteria", "in_the_list", "calls"),
    [
        ({"max_records": 0}, {}, 1),
        ({"max_records": 0}, {"record_count": 0}, 0),
        ({"max_records": 0}, {"record_count": 1}, 0),
        ({"used_by_automation": False}, {"record_count": 0}, 1),
        ({"used_by_automation": True, "max_records": 0}, {}, 1),
        ({"used_by_automation": True, "max_records": 0}, {"record_count": 1}, 0),
        ({"not_accessed_for": "P90D"}, {}, 0),
        ({"names": "hot"}, {}, 0),
        ({"everything": True}, {}, 0),
    ],
)
def test_what_the_list_tells_costs_no_call(criteria: dict[str, Any], in_the_list: dict[str, Any], calls: int) -> None:
    found = TagSelection(**criteria).candidates([tag(**in_the_list)], NOW)

    assert found.calls_needed == len(found.needs_counts({})) == calls


@pytest.mark.parametrize(
    ("criteria", "asks"),
    [({"max_records": 0}, True), ({"not_accessed_for": 1}, True), ({"used_by_automation": True}, False), ({"everything": True}, False)],
)
def test_the_list_is_asked_for_the_use_only_if_a_criterion_wants_it(criteria: dict[str, Any], asks: bool) -> None:
    assert TagSelection(**criteria).asks_for_usage is asks


def test_more_calls_than_the_budget_are_refused_before_the_first() -> None:
    tags = [tag(id=str(number)) for number in range(501)]

    assert len(TagSelection(max_records=0).candidates(tags[:500], NOW).needs_counts({})) == 500
    with pytest.raises(InvalidArgument, match=r"may need 501 API calls.* max_api_calls is 500.*name_glob"):
        TagSelection(max_records=0, limit=1).candidates(tags, NOW).needs_counts({})
    assert len(TagSelection(max_records=0, max_api_calls=501).candidates(tags, NOW).needs_counts({})) == 501
    with pytest.raises(InvalidArgument, match="max_api_calls is 0"):
        TagSelection(max_records=0, max_api_calls=0).candidates(tags[:1], NOW).needs_counts({})


def test_with_a_limit_only_so_many_are_counted_as_it_takes() -> None:
    found = TagSelection(max_records=0, limit=2).candidates([tag(str(n), str(n)) for n in range(1, 7)], NOW)

    assert found.needs_counts({}) == ("1", "2")
    facts = {"1": RecordsCount(5), "2": RecordsCount(0)}
    assert found.needs_counts(facts) == ("3",)
    facts["3"] = RecordsCount(0)
    assert found.needs_counts(facts) == ()
    assert [verdict.tag.id for verdict in found.choose(facts).chosen] == ["2", "3"]


# --- keep is generous ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "names"),
    [
        ("VIP ", ["VIP", "vip", " VIP", "VIP\u00a0", "V\u200bIP", "\ufeffVIP", "VIP\u00ad", "V\u2060I\ufe0fP", "ＶＩＰ"]),
        ("\u200bVIP\u00a0", ["VIP"]),
        ("STRASSE*", ["Straße 1", "strasse", "STRA\u1e9eE 2", "Strasse\u00a03"]),
        ("straße", ["STRASSE"]),
        ("Cafe\u0301*", ["Café 1", "CAFÉ", "Cafe\u0301"]),
        ("Café", ["Cafe\u0301", "CAFE\u0301"]),
        ("VIP Kunde", ["VIP\u00a0Kunde", "VIP  Kunde", "vip\tkunde"]),
        ("❤️*", ["❤", "❤️ 1"]),
        ("❤", ["❤️"]),
        ("ﬁnal?", ["final1", "FINAL2"]),
        ("kırmızı", ["KIRMIZI"]),
        ("ΣΊΣΥΦΟΣ", ["σίσυφος"]),
        ("[test] *", ["[TEST] *"]),
    ],
)
def test_keep_disregards_case_blanks_invisible_characters_and_unicode_forms(entry: str, names: list[str]) -> None:
    tags = [tag(name, str(number)) for number, name in enumerate([*names, "other"], 1)]

    assert chosen(TagSelection.all(keep=entry), tags) == ["other"]


@pytest.mark.parametrize(
    ("entry", "names"),
    [
        ("^VIP", ["VIP 2024", "vip", " VIP", "V\u200bIP 1"]),
        ("VIP$", ["Kunde VIP", "a vip\u00a0"]),
        ("[0-9]{4}", ["x2024y"]),
        ("^STRASSE", ["Straße 1"]),
        ("^Straße [0-9]", ["STRASSE 1", "strasse\u00a01"]),
        ("^Cafe\u0301", ["Café 1", "CAFÉ", "Cafe\u0301"]),
        ("Caf[éè]", ["Cafe\u0301"]),
        ("[À-ß]{2}", ["ßß"]),
        ("\\S{4}", ["test"]),
    ],
)
def test_keep_regex_is_searched_in_the_name_and_is_as_generous(entry: str, names: list[str]) -> None:
    tags = [tag(name, str(number)) for number, name in enumerate([*names, "no"], 1)]

    assert chosen(TagSelection.all(keep_regex=entry), tags) == ["no"]


def test_names_are_exact_where_they_choose() -> None:
    tags = [tag(name, str(number)) for number, name in enumerate(["VIP ", "vip", "V\u200bIP", "ＶＩＰ", "VIP"])]

    for exact in (TagSelection(names="VIP"), TagSelection(name_glob="VIP"), TagSelection(name_regex="VIP")):
        assert [verdict.tag.id for verdict in decide(exact, tags).chosen] == ["4"]


def test_an_entry_that_protects_no_tag_is_reported() -> None:
    selection = TagSelection.all(keep=["hot*", "VPI*", "VIP,Hot", "ho?"], keep_regex=["^c", "h$"])

    assert decide(selection, [tag(), tag("cold", "2")]).unmatched_keep == ("VPI*", "VIP,Hot", "h$")
    assert decide(selection, []).unmatched_keep == ()


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (None, "The selection is None, which is not a dict. Its keys are names, name_glob"),
        ("{{ params.selection }}", "not a dict"),
        ([["names", "hot"]], "not a dict"),
        ({"name": "hot"}, "unknown key 'name'. Its keys are names, name_glob"),
        ({1: "hot"}, "unknown key 1"),
        ({"names": None}, "names is empty (None). Leave the key out"),
        ({"keep": None}, "keep is empty (None)"),
        ({"everything": None}, "everything is empty (None)"),
        ({"names": {"name": "hot"}}, "names holds {'name': 'hot'}, which is not text"),
        ({"names": [[["hot"]], [[["hot"]]]]}, "names is nested too deep"),
        ({"keep": "['VIP', 'gold']"}, "keep holds the string \"['VIP', 'gold']\", which looks like a list. Pass a list"),
        ({"keep": ["do-not-*", "['VIP', 'gold']"]}, "keep holds the string \"['VIP', 'gold']\", which looks like a list"),
        ({"keep_regex": ["do-not-.*", '["VIP"]']}, "looks like a list"),
        ({"names": [["hot"], ["['VIP']"]]}, "looks like a list"),
        ({"names": '["VIP"]'}, "looks like a list"),
        ({"name_glob": " ('VIP',) "}, "looks like a list"),
        ({"keep_regex": "{'VIP'}"}, "looks like a list"),
        ({"keep": "[['VIP'], ['gold']]"}, "looks like a list"),
        ({"name_regex": "("}, "name_regex holds '(', which is not a regular expression: missing )"),
        ({"name_regex": ["ok", "*"]}, "nothing to repeat"),
        ({"keep_regex": "a{99999999999}"}, "too large"),
        ({"name_regex": "(?L)a"}, "not a regular expression"),
        ({"name_regex": "(" * 5000 + ")" * 5000}, "not a regular expression"),
        ({"created_by": [1.5]}, "created_by holds 1.5"),
        ({"created_by": 10**19}, "created_by holds 10000000000000000000"),
        ({"color_code": "red"}, "color_code holds 'red'. It is a colour such as #F48435"),
        ({"color_code": ["#F48435", "#FFF"]}, "color_code holds '#FFF'"),
        ({"case_sensitive": "maybe"}, "case_sensitive is 'maybe'. It is True or False"),
        ({"used_by_automation": 1}, "used_by_automation is 1. It is True or False"),
        ({"everything": "all"}, "everything is 'all'. It is True or False"),
        ({"max_records": -1}, "max_records is -1. It is an integer of at least 0, or 'unused' for 0"),
        ({"max_records": "none"}, "max_records is 'none'"),
        ({"max_records": True}, "max_records is True"),
        ({"max_records": 1.0}, "max_records is 1.0"),
        ({"limit": 0}, "limit is 0. It is an integer of at least 1."),
        ({"limit": ""}, "limit is ''"),
        ({"limit": "unused"}, "limit is 'unused'"),
        ({"max_api_calls": -1}, "max_api_calls is -1. It is an integer of at least 0."),
        ({"created_before": "soon"}, "created_before is 'soon', which is neither an age nor a date. It is an ISO-8601 duration"),
        ({"modified_after": []}, "modified_after is [], which is neither"),
        ({"created_after": "2026"}, "created_after is '2026', which may be a year"),
        ({"not_accessed_for": "2026-01-01"}, "not_accessed_for is '2026-01-01', which is not an age"),
        ({"everything": True, "names": []}, "everything excludes the other criteria, and names is given"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_key_and_what_is_allowed(value: Any, sentence: str) -> None:
    with pytest.raises(InvalidArgument, match=re.escape(sentence)):
        TagSelection.from_dict(value)


NAMED = ["names", "name_glob", "name_regex", "created_by", "color_code", "keep", "keep_regex"]


@pytest.mark.parametrize("key", NAMED)
@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("", "'': it came out empty"),
        ("  ", "'  ': it came out empty"),
        ("\n\u00a0", "it came out empty"),
        ("\u200b\ufeff", "it came out empty"),
        ("None", "'None': it came out empty"),
        (" None\n", "it came out empty"),
        (None, "None, which is not text. Write it in quotes"),
        (True, "True, which is not text"),
        (20.24, "20.24, which is not text"),
        (b"hot", "b'hot', which is not text"),
        *((text, "which looks like a list. Pass a list") for text in WRITTEN_LISTS),
    ],
)
def test_a_value_that_was_lost_or_changed_on_its_way_is_refused_wherever_a_name_is_expected(key: str, value: Any, sentence: str) -> None:
    for given_value in ([value], ["#F48435", value], [["#F48435"], [value]], *([value] if value is not None else [])):
        with pytest.raises(InvalidArgument, match=f"{key} holds .*" + re.escape(sentence)):
            TagSelection.from_dict({key: given_value})
        with pytest.raises(InvalidArgument, match=f"{key} holds .*" + re.escape(sentence)):
            TagSelection(**{key: given_value})


@pytest.mark.parametrize("key", [key for key in NAMED if key != "created_by"])
def test_a_number_is_no_name(key: str) -> None:
    with pytest.raises(InvalidArgument, match=f"{key} holds 202401, which is not text.*'{{{{ ... }}}}'"):
        TagSelection.from_dict({key: ["#F48435", 202401]})


@pytest.mark.parametrize("glob", ["*", "?", "**", "*?*", "????", "* *", " *", ["h*", "*"], ["h*", "[!h]*"], "[!\x01]*", "*[!\x01]"])
def test_a_glob_that_matches_every_name_is_refused(glob: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"name_glob holds .* matches names of every kind.*everything=True.*keep"):
        TagSelection(name_glob=glob)


@pytest.mark.parametrize(
    "regex",
    [
        ".*",
        ".+",
        "^.*$",
        "(.*)",
        r"[\s\S]*",
        "(?s).*",
        ".*?",
        ".{1,200}",
        ".{3,}",
        "(?:.|\n)+",
        "x|.*",
        r"[^\n]*",
        r"\S.*",
        ".*(?#x)",
        r"\A.+\Z",
        ".*.*",
        "(x)?.*",
        r"\D*\d*.*",
        "(?!VIP).*",
        ["[a-z].*", "[^a-z].*"],
        ["hot", ".*"],
    ],
)
def test_a_regular_expression_that_matches_every_name_is_refused(regex: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"name_regex holds .* matches names of every kind.*everything=True.*keep"):
        TagSelection(name_regex=regex)


def test_a_pattern_of_every_name_may_protect() -> None:
    assert chosen(TagSelection.all(keep="*"), [tag()]) == chosen(TagSelection.all(keep_regex=".*"), [tag()]) == []


def test_what_is_refused_from_a_dict_is_refused_in_python() -> None:
    with pytest.raises(InvalidArgument, match="keep holds None"):
        TagSelection(keep=None)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match="limit is 0"):
        TagSelection.all(limit=0)


@pytest.mark.parametrize(
    ("rendered", "meant"),
    [
        ({"max_records": "5"}, {"max_records": 5}),
        ({"max_records": " unused "}, {"max_records": 0}),
        ({"limit": " 10\n", "everything": "True"}, {"limit": 10, "everything": True}),
        ({"max_api_calls": "0"}, {"max_api_calls": 0}),
        ({"used_by_automation": "false", "case_sensitive": " FALSE "}, {"used_by_automation": False, "case_sensitive": False}),
        ({"everything": "False"}, {}),
        ({"created_before": "90"}, {"created_before": "P90D"}),
        ({"not_accessed_for": 0.5}, {"not_accessed_for": "PT43200S"}),
        ({"names": "hot"}, {"names": ["hot"]}),
        ({"names": ["a", ["b", "a"]]}, {"names": ["a", "b"]}),
        ({"created_by": 2024}, {"created_by": ["2024"]}),
        ({"names": []}, {"names": []}),
        ({"keep": []}, {}),
        ({"name_regex": "[\"']x]"}, {"name_regex": ["[\"']x]"]}),
        ({"color_code": ["57b1fd", "#57B1FD"]}, {"color_code": ["#57B1FD"]}),
    ],
)
def test_what_a_template_makes_is_read_as_it_was_meant(rendered: dict[str, Any], meant: dict[str, Any]) -> None:
    assert TagSelection.from_dict(rendered).to_dict() == meant


# --- properties ------------------------------------------------------------------------------------------------------

UNHURRIED = settings(suppress_health_check=[HealthCheck.too_slow])  # as the deadline in conftest.py

WORDS = st.sampled_from(["hot", "Hot", "HOT", "tmp-1", "tmp-2", "test", "[test]", "straße", "STRASSE", "x", "", "ſ", "K"])
NAMES = WORDS | st.text(st.characters(), max_size=6)


def is_given(**criteria: Any) -> bool:
    """Tell whether this is a selection, and none that is refused."""
    try:
        TagSelection(**criteria)
    except InvalidArgument:
        return False
    return True


GIVEN_NAMES = st.lists(NAMES.filter(lambda name: is_given(names=name)), max_size=3)
MANY_NAMES = GIVEN_NAMES | st.just(["hot", "Hot", "tmp-1", "tmp-2", "test", "[test]", "x"])
GLOB = st.sampled_from(["h*", "tmp-?", "[th]*", "[!h]*", "[test]"]) | st.text("hot[]!-^*?\\&|~", min_size=1, max_size=6).filter(
    lambda glob: is_given(name_glob=glob)
)
GLOBS = (st.just(["[!_]*"]) | st.lists(GLOB, max_size=3)).filter(
    lambda globs: all(is_given(name_glob=globs, case_sensitive=case_sensitive) for case_sensitive in (True, False))
)
REGEXES = st.just(["[^_].*"]) | st.lists(st.sampled_from(["h.*", "tmp-[0-9]", "(?i)hot", "t|x", "[^h_].*"]), max_size=3)
TIMES = st.sampled_from(["", "soon", "2026-10-31T00:00:00"]) | st.datetimes(
    datetime(2023, 1, 1),  # noqa: DTZ001
    datetime(2026, 12, 31),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-11))]),
).map(datetime.isoformat)
MOMENTS = st.sampled_from(["P90D", "P1Y6M", "PT36H", 30, "2025-01-01", "2026-01-01T00:00:00+05:30"])
COLORS = st.sampled_from(["#F48435", "#57B1FD"])
COUNTS = st.integers(0, 4)
AREAS = st.sampled_from([None, {}, UNUSED_ANYWHERE, IN_A_BLUEPRINT])

TAG = st.builds(
    Tag,
    id=st.integers(1, 10**19 - 1).map(str),
    name=WORDS | NAMES,
    color_code=st.none() | COLORS,
    created_time=TIMES,
    modified_time=TIMES,
    created_by=st.sampled_from(["", "Jo", "jo", "Patricia Boyle"]),
    created_by_id=st.sampled_from(["", "7", "8"]),
    record_count=st.none() | COUNTS,
    last_accessed_time=TIMES,
)
TAGS = st.lists(TAG, min_size=1, max_size=6, unique_by=lambda one: one.id)
CRITERIA: dict[str, st.SearchStrategy[Any]] = {
    "names": MANY_NAMES,
    "name_glob": GLOBS,
    "name_regex": REGEXES,
    "created_before": MOMENTS,
    "created_after": MOMENTS,
    "modified_before": MOMENTS,
    "modified_after": MOMENTS,
    "created_by": st.lists(st.sampled_from(["Jo", "jo", "7"]), max_size=2),
    "color_code": st.lists(COLORS, max_size=2),
    "max_records": COUNTS | st.just("unused"),
    "not_accessed_for": st.sampled_from(["P90D", 30, "PT1H"]),
    "used_by_automation": st.booleans(),
}
REST: dict[str, st.SearchStrategy[Any]] = {
    "case_sensitive": st.booleans(),
    "keep": st.lists(st.sampled_from(["x", "HOT", "s*", "[test]"]), max_size=2),
    "keep_regex": st.lists(st.sampled_from(["x", "s.*"]), max_size=1),
    "limit": st.integers(1, 5),
    "max_api_calls": st.integers(8, 20),
}
GIVEN = st.fixed_dictionaries({}, optional=CRITERIA | REST)
# few criteria, or no tag would ever pass
DICTS = st.one_of(
    GIVEN,
    st.sampled_from(sorted(CRITERIA)).flatmap(lambda key: st.fixed_dictionaries({key: CRITERIA[key]}, optional=REST)),
    st.fixed_dictionaries({"everything": st.just(True)}, optional=REST),
)
SELECTIONS = DICTS.map(TagSelection.from_dict)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Tag], dict[str, RecordsCount | None]]:
    """Tags, and what a call for each would answer."""
    tags = draw(TAGS)
    answers = st.none() | st.builds(RecordsCount, COUNTS, AREAS)
    return tags, {one.id: draw(answers) for one in tags}


WORLDS = worlds()


def run(selection: TagSelection, tags: list[Tag], answers: Mapping[str, RecordsCount | None]) -> tuple[Choice, int]:
    """Decide as an operator does; return the choice and the number of calls."""
    found = selection.candidates(tags, NOW)
    facts: dict[str, RecordsCount | None] = {}
    while ids := found.needs_counts(facts):
        assert not facts.keys() & set(ids)
        facts |= {tag_id: answers[tag_id] for tag_id in ids}
    return found.choose(facts), len(facts)


def ids(choice: Choice) -> list[str]:
    return [verdict.tag.id for verdict in choice.chosen]


def between(characters: str) -> Callable[[str], str]:
    return lambda name: characters + characters.join(name) + characters


SPELLINGS: list[Callable[[str], str]] = [
    str,
    str.upper,
    str.lower,
    str.casefold,
    str.swapcase,
    str.title,
    *(partial(unicodedata.normalize, form) for form in ("NFC", "NFD", "NFKC", "NFKD")),
    lambda name: f" \t{name}\u00a0\n",
    *(between(invisible) for invisible in ("\u200b", "\u200d", "\ufeff", "\u00ad", "\ufe0f", "\u034f", "\x00")),
]


@settings(UNHURRIED, max_examples=500)
@given(st.text(min_size=1), st.lists(st.sampled_from(SPELLINGS), min_size=1, max_size=3))
def test_any_spelling_of_a_name_keeps_it(name: str, spellings: list[Callable[[str], str]]) -> None:
    assume(is_given(keep=name))
    entry = name
    for spelling in spellings:
        entry = spelling(entry)
    assume(is_given(keep=entry))

    assert chosen(TagSelection.all(keep=entry), [tag(name)]) == []
    assert chosen(TagSelection.all(keep=name), [tag(entry)]) == []


@UNHURRIED
@given(SELECTIONS, WORLDS, st.data())
def test_a_kept_name_is_never_chosen(selection: TagSelection, world: Any, data: st.DataObject) -> None:
    tags, answers = world
    names = [one.name for one in tags if is_given(keep=one.name)]
    assume(names)
    protected = data.draw(st.sampled_from(names))
    entry = data.draw(st.sampled_from(SPELLINGS))(protected)
    given_keep = [*selection.keep, entry]

    without, _ = run(selection, tags, answers)
    event(f"would be chosen: {protected in {verdict.tag.name for verdict in without.chosen}}")
    choice, _ = run(TagSelection.from_dict(selection.to_dict() | {"keep": given_keep}), tags, answers)

    assert protected not in {verdict.tag.name for verdict in choice.chosen}


@UNHURRIED
@given(SELECTIONS, WORLDS, GLOBS, REGEXES)
def test_nothing_is_chosen_that_would_be_found_by_what_is_kept(
    selection: TagSelection, world: Any, globs: list[str], regexes: list[str]
) -> None:
    tags, answers = world
    choice, _ = run(TagSelection.from_dict(selection.to_dict() | {"keep": globs, "keep_regex": regexes}), tags, answers)

    left = [verdict.tag for verdict in choice.chosen]
    for patterns in ({"name_glob": globs}, {"name_regex": regexes}, {"names": globs}):
        for case_sensitive in (True, False):
            assert chosen(TagSelection(**patterns, case_sensitive=case_sensitive), left) == []  # type: ignore[arg-type]


@UNHURRIED
@given(DICTS, WORLDS, st.randoms(use_true_random=False))
def test_the_order_of_criteria_of_alternatives_and_of_tags_does_not_matter(value: dict[str, Any], world: Any, dice: Any) -> None:
    tags, answers = world
    shuffled: dict[str, Any] = {}
    for key in dice.sample(sorted(value), len(value)):
        shuffled[key] = dice.sample(value[key], len(value[key])) if isinstance(value[key], list) else value[key]

    one, _ = run(TagSelection.from_dict(value), tags, answers)
    other, _ = run(TagSelection.from_dict(shuffled), dice.sample(tags, len(tags)), answers)

    event(f"chosen: {len(ids(one))}")
    assert ids(one) == ids(other)
    assert [verdict.tag for verdict in one.kept] == [verdict.tag for verdict in other.kept]


@UNHURRIED
@given(DICTS, WORLDS, st.sampled_from(sorted(CRITERIA)), st.data())
def test_another_criterion_never_adds_a_tag(value: dict[str, Any], world: Any, key: str, data: st.DataObject) -> None:
    """Without a limit: with one, the next tag in the order moves up."""
    tags, answers = world
    value = {name: item for name, item in value.items() if name not in (key, "limit", "everything")}
    assume(value.keys() & CRITERIA)
    fewer, _ = run(TagSelection.from_dict(value), tags, answers)
    more, _ = run(TagSelection.from_dict(value | {key: data.draw(CRITERIA[key])}), tags, answers)

    assert set(ids(more)) <= set(ids(fewer))


@UNHURRIED
@given(SELECTIONS, WORLDS, st.integers(1, 5))
def test_a_limit_is_never_exceeded_and_takes_the_first_of_all(selection: TagSelection, world: Any, limit: int) -> None:
    tags, answers = world
    unlimited = {key: item for key, item in selection.to_dict().items() if key != "limit"}

    limited, calls = run(TagSelection.from_dict(unlimited | {"limit": limit}), tags, answers)
    all_of_them, all_calls = run(TagSelection.from_dict(unlimited), tags, answers)

    assert ids(limited) == ids(all_of_them)[:limit]
    assert calls <= all_calls


@UNHURRIED
@given(SELECTIONS, WORLDS)
def test_each_tag_is_either_chosen_or_kept_with_a_reason(selection: TagSelection, world: Any) -> None:
    tags, answers = world
    choice, _ = run(selection, tags, answers)

    assert sorted(verdict.tag.id for verdict in choice.chosen + choice.kept) == sorted(one.id for one in tags)
    assert all(verdict.reason for verdict in choice.chosen + choice.kept)
    assert choice.looked_at == len(tags)


@UNHURRIED
@given(SELECTIONS, WORLDS)
def test_the_calls_are_known_before_and_suffice(selection: TagSelection, world: Any) -> None:
    tags, answers = world
    found = selection.candidates(tags, NOW)

    choice, calls = run(selection, tags, answers)

    assert calls <= found.calls_needed <= len(tags)
    # those that a limit made superfluous would have changed nothing
    unlimited = TagSelection.from_dict({key: item for key, item in selection.to_dict().items() if key != "limit"})
    every_call = unlimited.candidates(tags, NOW).needs_counts({})
    assert ids(choice) == ids(found.choose({tag_id: answers[tag_id] for tag_id in every_call}))


@UNHURRIED
@given(DICTS, WORLDS, COUNTS)
def test_a_list_that_tells_all_costs_no_call(value: dict[str, Any], world: Any, most: int) -> None:
    tags, _ = world
    value = {key: item for key, item in value.items() if key not in ("everything", "used_by_automation")}  # no list tells the latter
    value["max_records"] = most
    tags = [Tag(**(one.__dict__ | {"record_count": one.record_count or 0})) for one in tags]

    assert TagSelection.from_dict(value).candidates(tags, NOW).calls_needed == 0


@UNHURRIED
@given(st.fixed_dictionaries({}, optional={key: CRITERIA[key] for key in ("used_by_automation", "max_records", "name_glob")}), TAGS)
def test_what_no_call_answered_is_not_chosen(value: dict[str, Any], tags: list[Tag]) -> None:
    selection = TagSelection.from_dict(value)

    for facts in ({}, dict.fromkeys([one.id for one in tags])):
        for verdict in selection.candidates(tags, NOW).choose(facts).chosen:
            assert selection.used_by_automation is None
            assert selection.max_records is None or verdict.tag.record_count is not None


@UNHURRIED
@given(st.fixed_dictionaries({}, optional=REST), WORLDS)
def test_nothing_is_chosen_without_a_criterion(value: dict[str, Any], world: Any) -> None:
    choice, calls = run(TagSelection.from_dict(value), *world)

    assert (choice.chosen, calls) == ((), 0)
    assert NO_CRITERION in str(choice)


@UNHURRIED
@given(SELECTIONS)
def test_a_selection_survives_json(selection: TagSelection) -> None:
    copy = TagSelection.from_dict(json.loads(json.dumps(selection.to_dict())))

    assert copy == selection
    assert hash(copy) == hash(selection)
    assert copy.to_dict() == selection.to_dict()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.text("()[]{}*+?|\\^$.-'\"PTYMWD0123456789:&~ ", max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@settings(UNHURRIED, max_examples=500)
@given(JSON | st.dictionaries(st.sampled_from([*CRITERIA, *REST, "everything"]), JSON, max_size=3))
def test_any_json_is_a_selection_or_an_invalid_argument(value: Any) -> None:
    try:
        selection = TagSelection.from_dict(value)
    except InvalidArgument:
        return
    assert TagSelection.from_dict(json.loads(json.dumps(selection.to_dict()))) == selection
    decide(selection, [tag(), tag("", "2", "")])


# --- the guide -------------------------------------------------------------------------------------------------------

GUIDE = (Path(__file__).parents[2] / "docs" / "selection.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```(?:\s*```json\n(.*?)```)?", GUIDE, re.DOTALL)


@pytest.mark.parametrize(("python", "as_json"), EXAMPLES)
def test_the_examples_of_the_guide_run_and_mean_the_same_in_json(python: str, as_json: str) -> None:
    scope: dict[str, Any] = {}

    exec(compile(python, "docs/selection.md", "exec"), scope)

    if as_json:
        assert scope["selection"] == TagSelection.from_dict(json.loads(as_json))
        assert scope["selection"].to_dict() == json.loads(as_json)


def test_the_dict_with_templates_in_the_guide_is_read_once_it_is_rendered() -> None:
    (templates,) = [block for block in re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL) if "{{" in block]
    rendered = re.sub(r"{{ params\.(\w+) }}", lambda found: {"pattern": "tmp*", "age": "90", "limit": "5"}[found[1]], templates)

    assert TagSelection.from_dict(json.loads(rendered)) == TagSelection(name_glob="tmp*", created_before="P90D", limit=5)


def test_the_guide_has_every_key_and_no_example_that_is_not_run() -> None:
    assert len(EXAMPLES) == GUIDE.count("```python") == 5
    assert sum(bool(as_json) for _, as_json in EXAMPLES) + 1 == GUIDE.count("```json")
    for key in [*CRITERIA, *REST, "everything"]:
        assert f"| `{key}` |" in GUIDE
