"""The promise of the deletion plan, walked: nothing is deleted that nobody requested, and nothing is submitted twice.

``WALK=larger`` walks with three tags and with more faults on one path, which takes minutes.
"""

from __future__ import annotations

import os
import sys
from dataclasses import fields, replace

import pytest

from airflow_provider_zcrm.rules.tag_seen import Count, Refusals, Seen
from tests.walk.invariants import Broken, State
from tests.walk.mutants import COUNTED, MUTANTS, Mutant, case
from tests.walk.rules_under_test import broken_rules, real_rules
from tests.walk.walk import EVENTS, Case, Walk

# the tests of the rules cover the same lines; counting them in a million states would double the time
pytestmark = pytest.mark.no_cover

ONE_RUN = Case(tags=2, runs=1, submissions=3, events=EVENTS, at_most=1)
ACROSS_RUNS = frozenset({"rename", "lost accepted", "job failed", "unknown job", "store lost"})
KINDS = {
    "chosen ids": ONE_RUN,
    "names": replace(ONE_RUN, by="names"),
    "bare ids, no wait": replace(ONE_RUN, by="ids", wait=False),
    "counted": replace(ONE_RUN, max_records=COUNTED),
    "undeletable tags fail": replace(ONE_RUN, undeletable_tags="fail"),
    "no store": replace(ONE_RUN, stores=False),
}
# how many states each walk has at least: fewer means that something is not walked any more
WALKS = {
    "one run, chosen ids": (KINDS["chosen ids"], 5_000),
    "one run, names": (KINDS["names"], 5_000),
    "one run, bare ids, no wait": (KINDS["bare ids, no wait"], 2_800),
    "one run, counted": (KINDS["counted"], 5_800),
    "one run, undeletable tags fail": (KINDS["undeletable tags fail"], 4_800),
    "one run, no store": (KINDS["no store"], 3_900),
    "two runs": (replace(ONE_RUN, runs=2, events=ACROSS_RUNS), 69_000),
}
LARGER = {
    "one run, two faults, names": (replace(KINDS["names"], at_most=2), 87_000),
    "one run, two faults, counted": (replace(KINDS["counted"], at_most=2), 105_000),
    "one run, two faults, undeletable tags fail": (replace(KINDS["undeletable tags fail"], at_most=2), 81_000),
    "one run, two faults, no store": (replace(KINDS["no store"], at_most=2), 71_000),
    "two runs, every fault": (replace(ONE_RUN, runs=2), 195_000),
    "two runs, no store": (replace(KINDS["no store"], runs=2), 58_000),
    "three tags": (replace(ONE_RUN, tags=3, runs=2, events=frozenset({"lost accepted", "job failed"})), 555_000),
}
if os.environ.get("WALK") == "larger":
    WALKS |= LARGER


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", WALKS)
def test_every_path_keeps_the_promise(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    walked, at_least = WALKS[name]
    walk = Walk(walked, real_rules())

    walk.run()

    with capsys.disabled():
        sys.stdout.write(f"\n{name}: {len(walk.states):,} states, {walk.calls:,} questions to the plan\n")
    assert len(walk.states) >= at_least


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.rule)
def test_without_a_rule_the_walk_fails(mutant: Mutant) -> None:
    Walk(mutant.case, real_rules()).run()

    with pytest.raises(Broken) as broken:
        Walk(mutant.case, broken_rules(mutant.changes)).run()

    assert broken.value.name == mutant.breaks


def test_the_documented_exception_is_reached() -> None:
    """The answer was lost, the list has settled, the tags were sent again, and Zoho had accepted the first submission after all."""

    def both_run(state: State) -> bool:
        return (
            [job.state for job in state.world.jobs] == ["running", "running"]
            and state.lost == 1
            and all(job.open == ("1", "2") for job in state.world.jobs)
        )

    walk = Walk(case("lost accepted"), real_rules(), probe=both_run)

    walk.run()

    assert walk.reached is not None
    assert any("lost the answer, job 900" in label for label in walk.reached)


def test_the_walk_knows_all_that_an_attempt_has_seen() -> None:
    """What has a time must be moved into the past with the rest."""
    assert [field.name for field in fields(Seen)] == [
        *("listed", "read_at", "first_read_at", "waited", "left_at", "module_found", "jobs", "counts", "lost_at", "sent", "refusals"),
        *("reports", "reports_at"),
    ]
    assert [field.name for field in fields(Count)] == ["answer", "at"]
    assert [field.name for field in fields(Refusals)] == ["ids", "error", "since", "at", "times"]
