"""Room for tags: what is not known is never enough to act on."""

from __future__ import annotations

from fractions import Fraction

import pytest

from airflow_provider_zcrm.rules.room import Room


@pytest.mark.parametrize(
    ("tags", "allowed", "left", "nearly_full"),
    [(89, 100, 11, False), (90, 100, 10, True), (120, 100, 0, True), (18, 20, 2, True), (17, 20, 3, False), (500, None, None, False)],
)
def test_the_room_and_when_it_is_short(tags: int, allowed: int | None, left: int | None, nearly_full: bool) -> None:
    assert (Room(tags, allowed).left, Room(tags, allowed).nearly_full) == (left, nearly_full)


def test_a_module_of_unknown_size_is_never_full_enough() -> None:
    assert not Room(500).is_filled_to(Fraction(0))
    assert Room(80, 100).is_filled_to(Fraction("0.8"))
    assert not Room(79, 100).is_filled_to(Fraction("0.8"))
    assert "Zoho does not say how many it allows" in Room(500).sentence("Leads")
