"""Which modules are meant: what protects is generous, what is cleaned is exact, and what matches nothing is refused."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest

from airflow_provider_zcrm.api.errors import InvalidArgument, InvalidModule, ZohoCrmError
from airflow_provider_zcrm.api.modules import Module
from airflow_provider_zcrm.rules.org_modules import cannot_have_tags, check_patterns, choose_modules, selection_for, unmatched_in_all

ORG = [
    Module("30", "Site_Surveys", label="Site Surveys", kind="custom"),
    Module("4", "Leads", label="Leads", kind="default"),
    Module("5", "Deals", label="Potentials", kind="default"),
    Module("6", "Accounts"),
    Module("7", "Forecasts", api_supported=False),
    Module("8", "Old", visible=False),
    Module("9", None, label="Portal", kind="web"),
    Module("10", "Leads_X_Deals", kind="linking"),
]


def names(modules: Any = None, exclude_modules: Any = ()) -> list[str | None]:
    return [module.api_name for module in choose_modules(ORG, modules, exclude_modules)]


def test_all_that_can_have_tags_the_oldest_first() -> None:
    assert names() == ["Leads", "Deals", "Accounts", "Site_Surveys"]


@pytest.mark.parametrize(
    ("modules", "expected"),
    [("Leads", ["Leads"]), (["Deals", "Leads"], ["Leads", "Deals"]), ("*s", ["Leads", "Deals", "Accounts", "Site_Surveys"])],
)
def test_what_is_named_is_cleaned(modules: Any, expected: list[str]) -> None:
    assert names(modules) == expected


@pytest.mark.parametrize("entry", ["Deals", "deals", " DEALS ", "potentials", "Pot*", "De\u200bals"])
def test_what_is_excluded_is_excluded_however_it_is_written(entry: str) -> None:
    assert names(exclude_modules=entry) == ["Leads", "Accounts", "Site_Surveys"]


@pytest.mark.parametrize(
    ("modules", "exclude", "said"),
    [
        ("leads", (), "modules has 'leads', which matches no module of the org. Nothing was sent. Did you mean Leads?"),
        (["Leads", "Forecasts"], (), "modules has 'Forecasts', which matches no module"),
        (["Leads", "Deal?x"], (), "modules has 'Deal?x', which matches no module"),
        (None, ["Dels"], "exclude_modules has 'Dels', which matches no module of the org. Nothing was sent. Did you mean Deals?"),
        (None, ["Zzz*"], "exclude_modules has 'Zzz*', which matches no module of the org. Nothing was sent. The modules are"),
        ("Leads", ["Leads"], "No module is left"),
        ([], (), "No module is left"),
        (None, None, "exclude_modules holds None"),
        (None, "None", "exclude_modules holds 'None': it came out empty"),
        (None, "['Leads']", "which looks like a list"),
        ([" "], (), "it came out empty"),
    ],
)
def test_what_cannot_be_meant_is_refused(modules: Any, exclude: Any, said: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        choose_modules(ORG, modules, exclude)
    assert said in str(raised.value)


def test_a_label_that_looks_like_a_pattern_is_excluded_as_it_is_written() -> None:
    org = [Module("1", "Leads", label="Leads [old]"), Module("2", "Late", label="Leads o"), Module("3", "Deals")]
    assert [module.api_name for module in choose_modules(org, None, ["leads [old]"])] == ["Deals"]


def test_a_module_that_is_listed_twice_is_one() -> None:
    org = [Module("3", "Deals"), Module("2", "Leads"), Module("1", "Leads")]
    assert [module.id for module in choose_modules(org, None, ())] == ["1", "3"]


@pytest.mark.parametrize(
    ("written", "rendered", "is_fine"),
    [
        ("{{ params.prefix }}*", "*", False),
        (["Leads", "{% if x %}a{% endif %}?*"], ["Leads", "?*"], False),
        ("{{ params.prefix }}*", "Old_*", True),
        ("{{ params.modules }}", ["*"], True),
        (["{{ params.module }}"], ["*"], True),
        (["*"], ["*"], True),
        (None, None, True),
    ],
)
def test_a_pattern_whose_template_came_out_empty_does_not_mean_all_modules(written: Any, rendered: Any, *, is_fine: bool) -> None:
    with nullcontext() if is_fine else pytest.raises(InvalidArgument, match="its template came out empty"):
        check_patterns(written, rendered)


def test_what_is_excluded_may_be_a_module_without_tags() -> None:
    assert names(exclude_modules=["Forecasts"]) == names()


def test_an_org_without_modules_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="No module is left"):
        choose_modules([], None, ())


def test_a_module_gets_the_selection_of_its_name_or_of_the_one_pattern() -> None:
    selections = {"Leads": 1, "L*": 2, "A*": 3, "*ccounts": 4, "Deals": 5}
    assert [selection_for(module, selections) for module in ("Leads", "Ladders", "Deals")] == [1, 2, 5]
    for module, said in (("Accounts", "'A\\*' and '\\*ccounts' match it"), ("Contacts", "no entry of modules matches it")):
        with pytest.raises(InvalidArgument, match=said):
            selection_for(module, selections)


def test_what_protects_a_tag_of_one_module_is_not_unmatched() -> None:
    leads = {"matched": ["VIP"], "unmatched": ["a", "b"]}
    deals = {"matched": ["a"], "unmatched": ["VIP", "b"]}
    empty: dict[str, list[str]] = {"matched": [], "unmatched": []}
    assert unmatched_in_all([leads, deals, empty]) == ["b"]
    assert unmatched_in_all([]) == []


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (InvalidModule("the given module is not supported for this api", code="INVALID_MODULE"), True),
        (InvalidModule("the module name given seems to be invalid", code="INVALID_MODULE"), False),
        (ZohoCrmError("the given module is not supported for this api", code="NO_PERMISSION"), False),
    ],
)
def test_only_what_zoho_says_in_so_many_words_makes_a_module_one_without_tags(error: ZohoCrmError, answer: bool) -> None:
    assert cannot_have_tags(error) is answer
