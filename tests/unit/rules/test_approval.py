"""The question that a person gets: nothing of Zoho's is markup in it, and it is no longer than somebody reads."""

from __future__ import annotations

from airflow_provider_zcrm.rules.approval import body, body_of_modules, subject


def test_the_question_names_module_number_names_and_reasons() -> None:
    tags = [{"id": "1", "name": "hot", "reason": "0 records carry it"}, {"id": "2"}]
    assert subject("Leads", 2) == "Delete 2 tags of Leads?"
    assert subject("Leads", 1) == "Delete 1 tag of Leads?"
    assert body("Leads", tags, [], "elsewhere").splitlines() == [
        "2 tags of Leads are to be deleted:",
        "",
        "- hot: 0 records carry it",
        "- 2",
    ]


def test_what_is_beyond_fifty_is_counted_and_its_place_named() -> None:
    text = body("Leads", [{"id": str(number)} for number in range(60)], [], "XCom 'asked' has them all.")
    assert text.count("\n- ") == 51
    assert text.endswith("- and 10 more: XCom 'asked' has them all.")


def test_an_entry_of_keep_that_matches_no_tag_is_said() -> None:
    assert "These entries of keep match no tag:** VPI\\*" in body("Leads", [{"id": "1"}], ["VPI*"], "")


def test_names_are_no_markup_and_no_new_lines() -> None:
    text = body("Leads", [{"id": "1", "name": "[x](http://evil) <b>\n# all\u202e"}], [], "")
    assert "\\[x\\]\\(http://evil\\) \\<b\\>\\\\n\\# all\\\\u202e" in text.replace("\\\\n", "\\\\n")
    assert len(text.splitlines()) == 3


def test_a_question_about_several_modules_has_a_share_of_the_tags_of_each() -> None:
    tags = [{"id": str(number), "module": "Leads"} for number in range(200)] + [
        {"id": "x", "name": "<b>", "module": "Deals", "reason": "old"}
    ]
    text = body_of_modules(tags, ["VPI*"], "XCom 'asked' has them all.")

    assert text.startswith("201 tags of 2 modules to be deleted.\n\n**Leads**: 200\n\n- 0\n")
    assert text.endswith("\n\n**These entries of keep match no tag:** VPI\\*. Is one of them misspelt?")
    assert "- and 175 more: XCom 'asked' has them all.\n\n**Deals**: 1\n\n- \\<b\\>: old" in text
