"""Scopes: what covers what, and that no call needs a scope that no feature names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from airflow_provider_zcrm import api
from airflow_provider_zcrm.api.scopes import FEATURES, covers, granted, scopes_of, split_scopes


@pytest.mark.parametrize(
    ("scope", "needed", "does"),
    [
        ("ZohoCRM.settings.tags.READ", "ZohoCRM.settings.tags.READ", True),
        ("ZohoCRM.settings.tags.ALL", "ZohoCRM.settings.tags.DELETE", True),
        ("ZohoCRM.settings.ALL", "ZohoCRM.settings.tags.DELETE", True),
        ("zohocrm.SETTINGS.all", "ZohoCRM.settings.modules.READ", True),
        ("ZohoCRM.settings.tags.WRITE", "ZohoCRM.settings.tags.DELETE", True),
        ("ZohoCRM.mass_delete.DELETE", "ZohoCRM.mass_delete.leads.DELETE", True),
        ("ZohoCRM.settings.tags.WRITE", "ZohoCRM.settings.tags.READ", False),
        ("ZohoCRM.settings.tags.READ", "ZohoCRM.settings.tags.ALL", False),
        ("ZohoCRM.settings.tags.ALL", "ZohoCRM.settings.modules.READ", False),
        ("ZohoCRM.settings.ALL", "ZohoCRM.settings_more.READ", False),
        ("ZohoCRM.modules.leads.ALL", "ZohoCRM.modules.READ", False),
        ("ZohoCRM.modules.ALL", "ZohoCRM.bulk.READ", False),
        ("", "ZohoCRM.org.READ", False),
    ],
)
def test_a_scope_covers_what_is_below_it(scope: str, needed: str, does: bool) -> None:
    assert covers(scope, needed) is does


def test_a_token_has_a_scope_if_one_of_its_scopes_covers_it() -> None:
    scopes = split_scopes("ZohoCRM.org.READ ZohoCRM.settings.ALL,ZohoCRM.bulk.READ, ")
    assert scopes == ["ZohoCRM.org.READ", "ZohoCRM.settings.ALL", "ZohoCRM.bulk.READ"]
    assert granted(scopes, "ZohoCRM.settings.tags.CREATE")
    assert not granted(scopes, "ZohoCRM.mass_delete.READ")
    assert not granted([], "ZohoCRM.org.READ")


def test_the_scopes_of_features_are_each_named_once_and_the_covered_ones_not_at_all() -> None:
    assert scopes_of(["tags", "org", "tags"]) == [*FEATURES["tags"].needs, "ZohoCRM.org.READ"]
    assert "ZohoCRM.modules.READ" in scopes_of(["records"])
    both = scopes_of(["records", "backup"])
    assert "ZohoCRM.modules.ALL" in both
    assert "ZohoCRM.modules.READ" not in both
    assert scopes_of([]) == []


def test_no_call_needs_a_scope_that_no_feature_names() -> None:
    calls = "".join(path.read_text() for path in Path(api.__path__[0]).glob("*.py") if path.name != "scopes.py")
    named = set(re.findall(r"Zoho(?:CRM|Search)(?:\.\w+)+\.(?:READ|CREATE|UPDATE|DELETE|ALL)", calls))
    assert len(named) > 5
    assert {scope for scope in named if not granted(scopes_of(FEATURES), scope)} == set()


def test_the_documentation_names_the_scopes_of_each_feature() -> None:
    rows = [
        line.split("|") for line in (Path(__file__).parents[3] / "docs" / "connection.md").read_text().splitlines() if line.startswith("|")
    ]
    documented = {row[1].strip(" `"): tuple(re.findall(r"`(Zoho[\w.]+)`", row[3])) for row in rows if row[1].strip(" `") in FEATURES}
    assert documented == {feature.name: feature.needs for feature in FEATURES.values()}
