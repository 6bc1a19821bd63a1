"""A search for the records of a tag, and all that is wrong with it."""

from __future__ import annotations

import pytest

from tests.emulator.user import User


def found(user: User, criteria: str, module: str = "Leads", **params: str) -> list[str]:
    """Return the last digits of the records that a search finds."""
    answer = user.get(f"/{module}/search", criteria=criteria, **params)
    assert answer.status_code in (200, 204), answer.text
    return [record["id"][-2:] for record in answer.json()["data"]] if answer.content else []


def test_records_are_found_by_a_tag(user: User) -> None:
    answer = user.get("/Leads/search", criteria="(Tag:equals:VIP)").json()

    assert [tag["name"] for tag in answer["data"][0]["Tag"]] == ["hot", "VIP"]
    assert answer["info"] == {"per_page": 200, "count": 1, "sort_by": "id", "page": 1, "sort_order": "desc", "more_records": False}
    assert found(user, "(Tag:equals:hot)") == ["09", "07", "05", "03", "01"]
    assert found(user, "Tag:equals:hot", fields="id") == ["09", "07", "05", "03", "01"]


def test_nothing_found_is_204(user: User) -> None:
    assert user.get("/Leads/search", criteria="(Tag:equals:nonsense)").status_code == 204


@pytest.mark.parametrize(
    ("criteria", "contains", "exact"),
    [
        ("(Tag:equals:tag)", ["tag", "tag two", "a-tag", "TAG"], ["tag"]),
        ("(Tag:equals:a tag)", ["a-tag"], []),
        ("(Tag:equals:\\(x\\))", ["(x)"], ["(x)"]),
        ("(Tag:starts_with:tag)", ["tag", "tag two", "TAG"], ["tag", "tag two", "TAG"]),
        ("(Tag:in:tag two,\\(x\\))", ["tag two", "(x)"], ["tag two", "(x)"]),
    ],
)
def test_equals_finds_what_contains_the_value_and_what_looks_like_it(
    user: User, criteria: str, contains: list[str], exact: list[str]
) -> None:
    names = ["tag", "tag two", "a-tag", "TAG", "(x)"]
    user.control.add_tags("Leads", names)
    records = user.control.add_records("Leads", [{"tags": [name]} for name in names])
    by_end = {record[-2:]: name for record, name in zip(records, names, strict=True)}

    assert sorted(by_end[end] for end in found(user, criteria)) == sorted(contains)
    user.control.readings(search_equals="exact")
    assert sorted(by_end[end] for end in found(user, criteria)) == sorted(exact)


def test_a_search_has_pages_and_an_end(user: User) -> None:
    user.control.add_records("Leads", [{"tags": ["do-not-call"]}] * 2001)
    first = user.get("/Leads/search", criteria="(Tag:equals:do-not-call)").json()
    last = user.get("/Leads/search", criteria="(Tag:equals:do-not-call)", page="10").json()

    assert (first["info"]["count"], first["info"]["more_records"], last["info"]["more_records"]) == (200, True, True)
    answer = user.get("/Leads/search", criteria="(Tag:equals:do-not-call)", page="11")
    assert (answer.status_code, answer.json()["code"], answer.json()["details"]) == (400, "LIMIT_REACHED", {"limit": "2000"})


def test_the_index_lags_behind_if_the_reading_says_so(user: User) -> None:
    user.control.readings(search_lag=60)
    assert found(user, "(Tag:equals:VIP)") == ["01"]
    user.control.tag_records("Leads", ["2276164000006064002"], add=["VIP"], remove=["cold"])
    user.control.advance(59)
    assert found(user, "(Tag:equals:VIP)") == ["01"]

    user.control.advance(1)

    assert found(user, "(Tag:equals:VIP)") == ["02", "01"]


def test_a_deleted_record_is_found_no_more(user: User) -> None:
    user.control.readings(search_lag=60)
    found(user, "(Tag:equals:VIP)")
    user.post("/Leads/actions/mass_delete", {"ids": ["2276164000006064001"]})

    assert found(user, "(Tag:equals:VIP)") == []


@pytest.mark.parametrize(
    ("criteria", "code"),
    [
        (None, "EXPECTED_PARAM_MISSING"),
        ("(Company:equals:x)", "INVALID_QUERY"),
        ("(Tag:contains:x)", "INVALID_QUERY"),
        ("(Tag:equals:a,b)", "INVALID_QUERY"),
        ("(Tag:equals:a(b))", "INVALID_QUERY"),
        ("((Tag:equals:a)or(Tag:equals:b))", "INVALID_QUERY"),
        ("(Tag:equals:)", "INVALID_QUERY"),
    ],
)
def test_a_bad_criterion_is_refused(user: User, criteria: str | None, code: str) -> None:
    answer = user.get("/Leads/search", **({} if criteria is None else {"criteria": criteria}))

    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize(
    ("scope", "status"),
    [("ZohoCRM.modules.leads.READ,ZohoSearch.securesearch.READ", 200), ("ZohoCRM.modules.ALL", 401), ("ZohoSearch.securesearch.READ", 401)],
)
def test_a_search_needs_two_scopes(user: User, scope: str, status: int) -> None:
    user.log_in(grant_type="client_credentials", scope=scope, soid="ZohoCRM.808232144")

    assert user.get("/Leads/search", criteria="(Tag:equals:hot)").status_code == status
