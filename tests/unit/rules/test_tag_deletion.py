"""The deletion plan, rule by rule; that the rules together keep the promise is walked in tests/walk."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_zcrm.api.errors import (
    ConnectionFailed,
    InvalidArgument,
    JobAlreadyRunning,
    PermissionDenied,
    SubmissionUncertain,
    TagInUse,
    TagNotFound,
    TokenRejected,
    TooManyRequests,
    ZohoCrmError,
)
from airflow_provider_zcrm.api.tags import RecordsCount
from airflow_provider_zcrm.rules.errors import DeadlineReached, GuardTripped
from airflow_provider_zcrm.rules.guards import Guards
from airflow_provider_zcrm.rules.steps import Fail, Refused, WaitUntil
from airflow_provider_zcrm.rules.tag_deletion import (
    LIST_FOLLOWS,
    REASONS,
    AskJobs,
    CountTags,
    Done,
    FindModule,
    ReadList,
    Send,
    WatchJobs,
    heard,
    next_step,
    verdict,
)
from airflow_provider_zcrm.rules.tag_journal import Entry, Submission, TagJournal
from airflow_provider_zcrm.rules.tag_request import Chosen, TagRequest
from airflow_provider_zcrm.rules.tag_seen import Accepted, Count, Listed, Refusals, Seen
from tests.unit.rules.tag_attempt import LOST, NO_GUARDS, START, Attempt, in_use, not_found, request, tags


def died_in_post(*ids: str, **values: Any) -> Attempt:
    """Return a first attempt that died when it had sent tags, and did not hear the answer."""
    attempt = Attempt(request(*ids, **values)).ready(tags(*ids))
    attempt.sends()
    return attempt


def submitted(*ids: str, job_id: str = "900", **values: Any) -> Attempt:
    """Return a first attempt whose tags are in a job."""
    attempt = Attempt(request(*ids, **values)).ready(tags(*ids))
    attempt.submits(job_id)
    return attempt


def retry(before: Attempt, **values: Any) -> Attempt:
    """Return the next attempt, whose clock is ten minutes slow."""
    return Attempt(replace(before.request, attempt=before.request.attempt + 1, **values), before, now=before.now - 600)


def cleared(before: Attempt, new: TagRequest | None = None) -> Attempt:
    """Return the first attempt of the next run of the task."""
    new = replace(new or before.request, attempt=before.request.attempt + 1)
    return Attempt(new, before, run=before.journal.run + 1)


# --- the way of a task without trouble ------------------------------------------------------------------------------------


def test_a_task_reads_the_list_submits_watches_and_reads_the_list() -> None:
    task = Attempt(request("1", "2"))

    assert task.ready(tags("1", "2", "3")).submits("900") == ("1", "2")
    assert task.step() == WatchJobs(("900",))
    assert task.watched("900").reads(tags("3")).step() == Done(("900",))


def test_without_waiting_a_task_is_done_when_its_jobs_are_accepted() -> None:
    task = submitted("1", wait=False)

    assert task.step() == Done(("900",))


def test_batches_are_submitted_one_after_the_other_each_with_a_list_that_is_fresh() -> None:
    task = Attempt(request("1", "2", "3", batch_size=2)).ready(tags("1", "2", "3"))

    assert task.submits("900") == ("1", "2")
    assert task.later(20).reads(tags("3")).submits("901") == ("3",)
    assert task.step() == WatchJobs(("900", "901"))


def test_a_request_of_nothing_asks_nothing() -> None:
    assert Attempt(request()).step() == Done(())


def test_tags_that_the_module_does_not_have_need_no_job() -> None:
    assert Attempt(request("1")).reads(tags("2")).step() == Done(())


def test_missing_tags_fail_where_they_must_not_be() -> None:
    task = Attempt(request("1", "7", missing_tags="fail")).reads(tags("1"))

    assert "Leads has no such tags: ['7']. missing_tags='skip' leaves them out." in task.fails(InvalidArgument)
    assert Attempt(TagRequest(module="Leads", names=("a",), missing_tags="fail", guards=NO_GUARDS)).reads({}).fails(InvalidArgument)


def test_a_name_that_two_tags_have_is_refused() -> None:
    task = Attempt(TagRequest(module="Leads", names=("a",), guards=NO_GUARDS)).reads(tags(_1="a", _2="a"))

    assert "same name: ['a']. Pass tag_ids" in task.fails(InvalidArgument)


def test_names_match_exactly() -> None:
    task = Attempt(TagRequest(module="Leads", names=("old",), guards=NO_GUARDS)).ready(tags(_1="Old", _2="old", _3="old "))

    assert task.submits("900") == ("2",)


def test_guards_are_judged_before_the_first_submission_with_the_tags_that_there_are() -> None:
    guards = Guards(1, Fraction(1))

    assert "max_tags=1" in Attempt(request("1", "2", guards=guards)).reads(tags("1", "2")).fails(GuardTripped)
    assert Attempt(request("1", "2", guards=guards)).ready(tags("1", "3")).submits("900") == ("1",)


def test_guards_are_judged_once_per_run() -> None:
    """A retry sees fewer tags, of which the rest would be a larger share."""
    before = Attempt(request("1", "2", guards=Guards(None, Fraction(1, 2)), batch_size=1)).ready(tags("1", "2", "3", "4"))
    before.submits("900")

    assert retry(before).ready(tags("2", "3")).submits("901") == ("2",)
    assert "max_share" in cleared(before).reads(tags("2")).fails(GuardTripped)


def test_a_retry_with_another_request_sends_nothing() -> None:
    task = retry(submitted("1", "2"), ids=("1", "2", "3"))

    said = task.fails(InvalidArgument)
    assert "changed between retries. Now: 3 tags of Leads" in said
    assert "Clear the task" in said
    by_name = TagRequest(module="Leads", names=("a",), guards=NO_GUARDS, attempt=2)
    assert "Now: 1 tag of Leads" in Attempt(by_name, submitted("1")).fails(InvalidArgument)


def test_another_module_than_the_one_of_the_journal_is_refused() -> None:
    task = submitted("1")
    task.request = replace(task.request, module="Contacts")

    assert "jobs of this task are of Leads" in task.fails(InvalidArgument)


def test_a_dry_run_says_what_it_would_delete_and_sends_nothing() -> None:
    task = Attempt(request("1", "2", "3", dry_run=True, chosen={"3": Chosen("another name")})).reads(tags("1", "2", "3"))

    assert task.step() == Done((), would_delete=("1", "2"))
    assert task.journal.submissions == ()


def test_a_dry_run_counts_as_the_delete_would() -> None:
    task = Attempt(request("1", dry_run=True, chosen={"1": Chosen("tag 1", max_records=0)})).reads(tags("1"))

    assert task.counts({"1": RecordsCount(0)}).reads(tags("1")).step() == Done((), would_delete=("1",))


def test_a_dry_run_without_a_journal_leaves_no_submission() -> None:
    task = Attempt(request("1", dry_run=True, attempt=2, without_journal=True)).reads(tags("1"))

    assert task.step() == Done((), would_delete=("1",))
    assert task.journal.submissions == ()


# --- names ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chosen", [{}, {"1": Chosen("tag 1")}])
def test_a_renamed_tag_is_not_submitted(chosen: dict[str, Chosen]) -> None:
    task = Attempt(request("1", "2", chosen=chosen)).ready(tags("1", "2")).later(11).reads(tags("2", _1="VIP"))

    assert task.submits("900") == ("2",)
    assert task.skipped() == {"1": "renamed"}


def test_a_tag_that_was_renamed_before_the_first_look_is_not_submitted_if_its_name_is_known() -> None:
    task = Attempt(request("1", "2", chosen={"1": Chosen("old")})).ready(tags("2", _1="VIP"))

    assert task.submits("900") == ("2",)
    assert task.skipped() == {"1": "renamed"}


def test_a_tag_that_was_renamed_after_its_job_failed_is_not_submitted_by_the_retry() -> None:
    task = retry(submitted("1", "2")).reads(tags("2", _1="VIP")).asks("ended")
    for _ in LIST_FOLLOWS:
        task.waits()
        task.reads(tags("2", _1="VIP"))

    assert task.finds().submits("901") == ("2",)


def test_a_bare_id_keeps_its_first_name_through_a_clear() -> None:
    task = cleared(Attempt(request("1", "2")).ready(tags("1", "2"))).ready(tags("2", _1="VIP"))

    assert task.submits("900") == ("2",)


def test_a_name_is_resolved_once_per_run_and_again_after_a_clear() -> None:
    by_name = TagRequest(module="Leads", names=("a",), guards=NO_GUARDS, wait=True)
    first = Attempt(by_name).ready(tags(_1="a"))
    first.submits("900")
    new_tag = tags(_9="a")

    assert retry(first).reads(new_tag).step() == WatchJobs(("900",))
    assert cleared(first).ready(new_tag).submits("901") == ("9",)


def test_a_skipped_tag_may_be_sent_by_the_next_run() -> None:
    task = Attempt(request("1", "2")).ready(tags("1", "2"))
    task.sends(in_use(0))

    assert task.skipped() == {"1": "in_use"}
    assert cleared(task).ready(tags("1", "2")).submits("900") == ("1", "2")


def test_each_reason_has_words() -> None:
    assert set(REASONS) == {"renamed", "in_use", "not_found", "records", "automation", "no_automation", "not_counted"}


# --- a fresh list -----------------------------------------------------------------------------------------------------------


def test_a_list_is_good_for_ten_seconds() -> None:
    task = Attempt(request("1")).ready(tags("1"))

    assert isinstance(next_step(task.request, task.journal, task.seen, task.seen.read_at + 10.0)[1], Send)
    assert next_step(task.request, task.journal, task.seen, task.seen.read_at + 10.1)[1] == ReadList()


def test_after_a_wait_the_list_is_read_however_short_it_was() -> None:
    task = Attempt(request("1")).ready(tags("1"))
    task.seen = task.seen.with_wait()

    assert task.step() == ReadList()


def test_the_module_is_found_before_the_list_is_judged() -> None:
    task = Attempt(request("1")).reads(tags("1"))

    assert task.later(30).step() == FindModule()


# --- counts -----------------------------------------------------------------------------------------------------------------

UNUSED = Chosen("tag 1", max_records=0)


def chosen(how: Chosen, **values: Any) -> Attempt:
    return Attempt(request("1", "2", chosen={"1": how, "2": Chosen("tag 2")}, **values)).reads(tags("1", "2"))


def test_only_what_was_chosen_by_its_records_is_counted_and_then_the_list_is_read() -> None:
    task = chosen(UNUSED).counts({"1": RecordsCount(0)})

    assert task.reads(tags("1", "2")).finds().submits("900") == ("1", "2")


@pytest.mark.parametrize(
    ("how", "count", "code"),
    [
        (UNUSED, RecordsCount(0), None),
        (UNUSED, RecordsCount(1), "records"),
        (Chosen("tag 1", max_records=3), RecordsCount(3), None),
        (Chosen("tag 1", max_records=3), RecordsCount(4), "records"),
        (UNUSED, None, "not_counted"),
        (UNUSED, RecordsCount(0, {"workflows": ["w"]}), "automation"),
        (Chosen("tag 1", used_by_automation=False), RecordsCount(9, {}), None),
        (Chosen("tag 1", used_by_automation=False), RecordsCount(9, {"workflows": ["w"]}), "automation"),
        (Chosen("tag 1", used_by_automation=False), RecordsCount(9), "not_counted"),
        (Chosen("tag 1", used_by_automation=True), RecordsCount(9, {"workflows": ["w"]}), None),
        (Chosen("tag 1", used_by_automation=True), RecordsCount(9, {}), "no_automation"),
        (Chosen("tag 1", used_by_automation=True), RecordsCount(9), "not_counted"),
    ],
)
def test_a_tag_is_sent_as_its_count_allows(how: Chosen, count: RecordsCount | None, code: str | None) -> None:
    task = chosen(how).counts({"1": count})

    if not code:
        task.reads(tags("1", "2"))
    assert task.finds().submits("900") == (("2",) if code else ("1", "2"))
    if count is None:
        # perhaps it is gone
        task.reads(tags("1", "2"))
        task.does(WatchJobs)
    assert task.skipped() == ({"1": code} if code else {})


def test_a_tag_that_is_gone_when_it_is_counted_is_gone_and_not_skipped() -> None:
    task = chosen(UNUSED).counts({"1": None})

    assert task.finds().submits("900") == ("2",)
    task.reads(tags()).does(WatchJobs)
    assert task.skipped() == {}


def test_the_figure_of_the_list_can_only_keep_a_tag() -> None:
    few, many = ({"1": Listed("tag 1", records), "2": Listed("tag 2", 0)} for records in (0, 1))
    hinted = Attempt(request("1", "2", chosen={"1": UNUSED}))

    assert hinted.reads(few).step() == CountTags(("1",))
    assert Attempt(request("1", "2", chosen={"1": UNUSED})).ready(many).submits("900") == ("2",)


def test_a_count_is_good_for_fifteen_minutes() -> None:
    task = chosen(UNUSED).counts({"1": RecordsCount(0)}).reads(tags("1", "2")).finds()
    counted_at = task.seen.counts["1"].at
    task.seen = replace(task.seen, read_at=counted_at + 895)

    assert isinstance(next_step(task.request, task.journal, task.seen, counted_at + 900)[1], Send)
    assert next_step(task.request, task.journal, task.seen, counted_at + 901)[1] == CountTags(("1",))


def test_one_batch_is_counted_at_a_time() -> None:
    how = {tag_id: Chosen(f"tag {tag_id}", max_records=0) for tag_id in ("1", "2", "3")}
    task = Attempt(request("1", "2", "3", chosen=how, batch_size=2)).reads(tags("1", "2", "3"))

    assert task.step() == CountTags(("1", "2"))


# --- tags that Zoho does not delete -------------------------------------------------------------------------------------------


def test_a_tag_in_use_is_skipped_and_the_others_are_sent_without_another_look() -> None:
    task = Attempt(request("1", "2", "3")).ready(tags("1", "2", "3"))

    assert task.sends(in_use(1)) == ("1", "2", "3")
    assert task.submits("900") == ("1", "3")
    assert task.skipped() == {"2": "in_use"}


def test_a_tag_in_use_that_zoho_does_not_name_fails_the_task() -> None:
    task = Attempt(request("1", "2")).ready(tags("1", "2"))
    task.sends(in_use(None))

    assert "in use" in task.fails(TagInUse)
    assert task.skipped() == {}
    assert task.journal.submissions == ()


def test_a_tag_in_use_fails_the_task_where_it_must_and_is_named() -> None:
    task = Attempt(request("1", "2", undeletable_tags="fail")).reads(tags("1", "2"))
    task.counts({"1": RecordsCount(3, {}), "2": RecordsCount(3, {})}).reads(tags("1", "2")).finds()
    task.sends(in_use(1))

    assert "It is 2 = tag 2." in task.fails(TagInUse)
    assert task.fails(TagInUse).count("It is") == 1


@pytest.mark.parametrize(
    ("count", "why"), [(None, "does not say"), (RecordsCount(0), "does not say"), (RecordsCount(0, {"w": [1]}), "(w)")]
)
def test_with_fail_all_tags_are_looked_at_before_anything_is_sent(count: RecordsCount | None, why: str) -> None:
    task = Attempt(request("1", "2", undeletable_tags="fail", batch_size=1)).reads(tags("1", "2"))

    task.counts({"1": RecordsCount(3, {}), "2": count}).reads(tags("1", "2"))

    assert why in (message := task.fails(TagInUse))
    assert "2 = tag 2" in message
    assert "1 = tag 1" not in message


def test_with_fail_all_tags_that_automation_uses_are_named_with_their_reason() -> None:
    task = Attempt(request("1", "2", "3", undeletable_tags="fail")).reads(tags("1", "2", "3"))
    used = RecordsCount(0, {"workflows": [1], "blueprints": [1]})

    task.counts({"1": used, "2": None, "3": RecordsCount(0, {})}).reads(tags("1", "2", "3"))

    said = task.fails(TagInUse)
    assert "1 = tag 1, because automation uses it (workflows, blueprints); 2 = tag 2, because Zoho does not say what uses it. " in said
    assert "Nothing was sent. undeletable_tags='skip' skips" in said


def test_with_fail_a_tag_that_went_while_it_was_counted_does_no_harm() -> None:
    task = Attempt(request("1", "2", undeletable_tags="fail")).reads(tags("1", "2"))

    assert task.counts({"1": RecordsCount(3, {}), "2": None}).reads(tags("1")).finds().submits("900") == ("1",)


def test_with_fail_a_tag_that_automation_uses_by_now_fails_the_task() -> None:
    task = (
        chosen(UNUSED, undeletable_tags="fail").counts({"1": RecordsCount(0, {}), "2": RecordsCount(0, {})}).reads(tags("1", "2")).finds()
    )
    task.seen = task.seen.with_counts({"1": RecordsCount(0, {"workflows": ["w"]})}, task.now)

    assert "1 = tag 1" in task.fails(TagInUse)


def test_a_tag_that_is_not_found_is_sent_again_three_times_and_then_skipped() -> None:
    task = Attempt(request("1", "2")).ready(tags("1", "2"))
    pauses = []
    for _ in range(3):
        assert task.sends(not_found(1)) == ("1", "2")
        task.reads(tags("1", "2"))
        pauses.append(task.waits() + 1)
        task.reads(tags("1", "2"))

    assert task.sends(not_found(1)) == ("1", "2")
    assert task.skipped() == {}
    assert task.reads(tags("1", "2")).submits("900") == ("1",)
    assert task.skipped() == {"2": "not_found"}
    assert pauses == [10.0, 20.0, 30.0]


@pytest.mark.parametrize("times", [1, 4])
def test_a_list_that_was_read_in_the_moment_of_a_refusal_is_read_again(times: int) -> None:
    task = Attempt(request("1", "2")).ready(tags("1", "2"))
    task.sends(not_found(1))
    assert task.seen.refusals is not None
    task.seen = replace(task.seen, read_at=task.now, refusals=replace(task.seen.refusals, times=times))

    assert task.does(ReadList)
    assert task.skipped() == {}


def test_a_tag_that_was_not_found_and_has_left_the_list_is_gone() -> None:
    task = Attempt(request("1", "2")).ready(tags("1", "2"))
    task.sends(not_found(1))

    assert task.reads(tags("1")).submits("900") == ("1",)
    assert task.skipped() == {}


def test_a_tag_that_has_left_the_list_after_the_last_refusal_is_gone_and_not_skipped() -> None:
    task = Attempt(request("1", "2")).ready(tags("1", "2"))
    for _ in range(3):
        task.sends(not_found(1))
        task.reads(tags("1", "2")).waits()
        task.reads(tags("1", "2"))
    task.sends(not_found(1))

    assert task.reads(tags("1")).submits("900") == ("1",)
    assert task.skipped() == {}


def test_refusals_that_name_another_tag_count_from_one() -> None:
    task = Attempt(request("1", "2")).ready(tags("1", "2"))
    for place in (1, 1, 1, 0):
        task.sends(not_found(place))
        task.reads(tags("1", "2")).waits()
        task.reads(tags("1", "2"))

    assert task.skipped() == {}
    assert task.submits("900") == ("1", "2")


@pytest.mark.parametrize(("policy", "place"), [("fail", 1), ("skip", None)])
def test_a_tag_that_is_not_found_fails_the_task_where_it_cannot_be_skipped(policy: str, place: int | None) -> None:
    task = Attempt(request("1", "2", undeletable_tags=policy)).reads(tags("1", "2"))
    if policy == "fail":
        task.counts({"1": RecordsCount(0, {}), "2": RecordsCount(0, {})}).reads(tags("1", "2"))
    task.finds()
    for _ in range(3):
        task.sends(not_found(place))
        task.reads(tags("1", "2")).waits()
        task.reads(tags("1", "2"))
    task.sends(not_found(place))

    message = task.reads(tags("1", "2")).fails(TagNotFound)
    assert "One of the tags seems not found." in message
    assert ("It is 2 = tag 2." in message) == (place is not None)


# --- refusals of a passing kind -------------------------------------------------------------------------------------------------


def test_another_job_is_waited_for_with_growing_pauses() -> None:
    task = Attempt(request("1")).ready(tags("1"))
    pauses = []
    for _ in range(7):
        task.sends(Refused(JobAlreadyRunning("Another job runs.")))
        pauses.append(task.waits())
        task.reads(tags("1"))

    assert pauses == [5, 10, 20, 40, 60, 60, 60]
    assert task.submits("900") == ("1",)


def test_a_429_is_waited_out_with_growing_pauses_and_after_five_minutes_fails_the_attempt() -> None:
    task = Attempt(request("1")).ready(tags("1"))
    pauses: list[float] = []
    while True:
        task.sends(Refused(TooManyRequests("Too many requests.")))
        if isinstance(task.step(), Fail):
            break
        pauses.append(task.waits())
        task.reads(tags("1"))

    assert pauses[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert 300 <= sum(pauses) + 2 * len(pauses) < 400
    assert task.fails(TooManyRequests)


@pytest.mark.parametrize(("lasted", "step"), [(299.0, WaitUntil), (300.0, Fail)])
def test_refusals_that_have_lasted_five_minutes_end_the_attempt(lasted: float, step: type) -> None:
    task = Attempt(request("1")).ready(tags("1"))
    task.sends(Refused(TooManyRequests("Too many requests.")))
    assert task.seen.refusals is not None
    task.seen = replace(task.seen, refusals=replace(task.seen.refusals, since=task.now - lasted))

    assert isinstance(task.step(), step)


@pytest.mark.parametrize(("asked_for", "waited"), [(None, 1), (0.5, 1), (120.0, 120), (5000.0, 900)])
def test_zohos_own_word_on_when_to_come_back_is_honoured(asked_for: float | None, waited: float) -> None:
    task = Attempt(request("1")).ready(tags("1"))
    task.sends(Refused(TooManyRequests("Too many requests.", retry_after=asked_for)))

    assert task.waits() == waited


def test_the_pauses_begin_again_after_another_answer() -> None:
    task = Attempt(request("1", "2", batch_size=1)).ready(tags("1", "2"))
    for _ in range(3):
        task.sends(Refused(TooManyRequests("Too many requests.")))
        task.waits()
        task.reads(tags("1", "2"))
    task.sends(Refused(ConnectionFailed("No connection.")))
    assert task.waits() == 1
    assert task.reads(tags("1", "2")).submits("900") == ("1",)
    assert task.submits("901") == ("2",)


def test_a_rejected_token_is_replaced_once_and_the_list_is_read_with_the_new_one() -> None:
    task = Attempt(request("1")).ready(tags("1"))
    task.sends(Refused(TokenRejected("The token is not accepted.")))
    task.reads(tags("1")).sends(Refused(TokenRejected("The token is not accepted.")))

    assert task.fails(TokenRejected)


def test_a_refusal_that_lasts_fails_the_task_at_once() -> None:
    task = Attempt(request("1")).ready(tags("1"))
    task.sends(Refused(PermissionDenied("No permission.")))

    assert task.fails(PermissionDenied)
    assert task.journal.submissions == ()


def test_a_tag_that_is_renamed_while_another_job_is_waited_for_is_not_submitted() -> None:
    task = Attempt(request("1", "2")).ready(tags("1", "2"))
    task.sends(Refused(JobAlreadyRunning("Another job runs.")))
    task.waits()

    assert task.reads(tags("2", _1="VIP")).submits("900") == ("2",)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Refused(JobAlreadyRunning("Another job runs.")), "Another job runs. Waiting for it."),
        (Refused(TooManyRequests("Too many requests.")), "Too many requests."),
        (not_found(0), "One of the tags seems not found. The list of tags is read again."),
        (LOST, "The list of Leads has to show the outcome of a submission with 2 of the tags"),
    ],
    ids=["another job", "429", "not found", "lost"],
)
def test_a_wait_says_why(answer: Any, why: str) -> None:
    task = Attempt(request("1", "2")).ready(tags("1", "2"))
    task.sends(answer)
    if not isinstance(task.step(), WaitUntil):
        task.reads(tags("1", "2"))

    assert why in task.does(WaitUntil).why


# --- lost answers -----------------------------------------------------------------------------------------------------------------


def settle(task: Attempt, listed: dict[str, Listed]) -> float:
    """Wait and read as long as the plan wants, and return the seconds that it took."""
    began = task.now
    while isinstance(task.step(), WaitUntil):
        task.waits()
        task.reads(listed)
    return task.now - began


def test_after_a_lost_answer_the_list_is_watched_and_what_stays_is_sent_again_once() -> None:
    task = Attempt(request("1", "2", settle=300.0)).ready(tags("1", "2"))
    task.sends(LOST)

    assert 300 <= settle(task, tags("1", "2")) < 302
    assert task.submits("900") == ("1", "2")
    assert task.step() == WatchJobs(("900",))


def test_the_wait_begins_with_the_lost_answer_and_not_with_the_first_look() -> None:
    task = Attempt(request("1", settle=300.0)).ready(tags("1")).later(200).reads(tags("1"))
    task.sends(LOST)

    assert 300 <= settle(task, tags("1")) < 302


def test_a_list_that_is_read_just_when_it_has_settled_is_good_enough() -> None:
    task = Attempt(request("1", settle=300.0)).ready(tags("1"))
    task.sends(LOST)

    task.later(299).reads(tags("1"))

    assert task.submits("900") == ("1",)


def test_what_goes_after_a_lost_answer_is_done() -> None:
    task = Attempt(request("1", "2")).ready(tags("1", "2"))
    task.sends(LOST)
    task.waits()

    assert task.reads({}).step() == Done(())


@pytest.mark.parametrize("gone", ["2", "3"])
def test_any_tag_that_leaves_the_list_starts_the_wait_again(gone: str) -> None:
    """A tag that is not requested may be one of another request's submission of this task, of which no journal says anything."""
    task = Attempt(request("1", "2", settle=300.0)).ready(tags("1", "2", "3"))
    task.sends(LOST)
    for _ in range(5):
        task.waits()
        task.reads(tags("1", "2", "3"))
    left = {tag_id: tag for tag_id, tag in tags("1", "2", "3").items() if tag_id != gone}
    task.waits()
    task.reads(left)

    assert 300 <= settle(task, left) < 302


def test_a_tag_that_is_new_in_the_list_does_not_start_the_wait_again() -> None:
    task = Attempt(request("1", settle=300.0)).ready(tags("1"))
    task.sends(LOST)
    task.waits()
    task.reads(tags("1", "2"))

    assert 250 < settle(task, tags("1", "2")) < 300


def test_a_second_lost_answer_in_one_attempt_is_for_the_next() -> None:
    task = Attempt(request("1")).ready(tags("1"))
    task.sends(LOST)
    settle(task, tags("1"))
    task.sends(LOST)
    settle(task, tags("1"))

    said = task.fails(SubmissionUncertain)
    assert "twice: 1 = tag 1" in said
    assert "Look at the tags in Zoho CRM" in said
    again = retry(task).reads(tags("1"))
    settle(again, tags("1"))
    assert again.finds().submits("900") == ("1",)


def test_the_list_is_read_every_tenth_of_settle_between_1_and_30_seconds() -> None:
    for settles, pause in ((5.0, 1.0), (100.0, 10.0), (3000.0, 30.0)):
        task = Attempt(request("1", settle=settles)).ready(tags("1"))
        task.sends(LOST)
        task.later(pause)
        task.reads(tags("1"))
        assert task.waits() == pause


def test_a_retry_watches_for_the_whole_time_by_its_own_clock() -> None:
    task = retry(died_in_post("1", "2", settle=300.0)).reads(tags("1", "2"))

    assert 300 <= settle(task, tags("1", "2")) < 302
    assert task.finds().submits("900") == ("1", "2")


def test_a_refusal_after_the_wait_does_not_free_the_tags_of_the_first_submission() -> None:
    task = Attempt(request("1", "2", settle=300.0)).ready(tags("1", "2"))
    task.sends(LOST)
    settle(task, tags("1", "2"))
    task.sends(Refused(TooManyRequests("Too many requests.")))

    assert [submission.number for submission in task.journal.submissions] == [1]
    task.waits()
    task.reads(tags("1"))
    assert 300 <= settle(task, tags("1")) < 302


def test_other_tags_are_sent_while_a_submission_is_not_confirmed() -> None:
    task = Attempt(request("1", "2", batch_size=1)).ready(tags("1", "2"))
    task.sends(LOST)

    assert task.submits("900") == ("2",)
    assert isinstance(task.step(), WaitUntil)


def test_without_a_journal_all_tags_wait_and_none_is_missing() -> None:
    task = Attempt(request("1", "7", missing_tags="fail", without_journal=True, attempt=2, settle=300.0)).reads(tags("1"))

    assert 300 <= settle(task, tags("1")) < 302
    assert task.finds().submits("900") == ("1",)


def test_without_a_journal_a_renamed_tag_starts_no_wait() -> None:
    task = Attempt(request("1", without_journal=True, attempt=2, chosen={"1": Chosen("old")})).reads(tags("1"))

    assert task.step() == Done(())


# --- the gate -------------------------------------------------------------------------------------------------------------------


def judged(task: Attempt, tag_id: str = "1") -> str:
    """Return the word of the gate for a tag."""
    return verdict(task.request, task.journal, task.seen, tag_id, task.now).what


def test_the_gate_says_what_may_happen_with_a_tag_now() -> None:
    task = Attempt(request("1", "2", chosen={"2": Chosen("tag 2", max_records=0)})).reads(tags("1", "2"))
    task.does(CountTags)
    assert (judged(task), judged(task, "2")) == ("send", "count")
    first = submitted("1")
    assert judged(first) == "held"
    second = retry(first).reads(tags("1"))
    assert judged(second) == "ask"
    assert judged(second.asks("running")) == "held"
    third = retry(first).reads(tags("1")).asks("ended")
    assert judged(third) == "wait"
    assert judged(third.later(20).reads(tags(_1="VIP"))) == "wait"
    assert judged(third.later(100).reads(tags(_1="VIP"))) == "skip"
    third.seen = third.seen.with_list({}, third.now)
    assert judged(third) == "gone"


# --- jobs of earlier attempts and runs ----------------------------------------------------------------------------------------------


def test_a_retry_asks_for_the_job_that_holds_its_tags_and_watches_it_while_it_runs() -> None:
    task = retry(submitted("1", "2")).reads(tags("1", "2"))

    assert task.step() == AskJobs({1: "900"})
    assert task.asks("running").step() == WatchJobs(("900",))


def test_a_retry_does_not_ask_for_a_job_whose_tags_are_gone() -> None:
    assert retry(submitted("1")).reads({}).step() == WatchJobs(("900",))


def test_what_an_ended_job_has_left_is_sent_again_when_the_list_had_time_to_follow() -> None:
    task = retry(submitted("1", "2")).reads(tags("1", "2")).asks("ended")
    ended_at, looks = task.now, []
    for _ in LIST_FOLLOWS:
        task.waits()
        looks.append(task.now - ended_at)
        task.reads(tags("2"))

    assert looks == [10.0, 30.0, 60.0]
    assert task.finds().submits("901") == ("2",)
    assert task.step() == WatchJobs(("901",))


def test_the_tags_of_a_job_that_zoho_does_not_know_wait_for_the_list_to_settle() -> None:
    task = retry(submitted("1", settle=300.0)).reads(tags("1")).asks("unknown")

    assert 300 <= settle(task, tags("1")) < 302
    assert task.finds().submits("901") == ("1",)


def test_a_job_that_a_refused_submission_would_have_taken_over_is_reported() -> None:
    task = retry(submitted("1")).reads(tags("1")).asks("ended")
    for _ in LIST_FOLLOWS:
        task.waits()
        task.reads(tags("1"))
    task.finds().sends(in_use(0))

    assert task.step() == WatchJobs(("900",))


def test_a_cleared_task_watches_a_job_of_the_run_before_that_holds_a_tag() -> None:
    task = cleared(submitted("1", "2")).reads(tags("1", "2")).asks("running")

    assert task.step() == WatchJobs(("900",))


def test_a_cleared_task_does_not_report_the_jobs_of_the_run_before_that_have_ended() -> None:
    assert cleared(submitted("1", "2")).reads({}).step() == Done(())


def test_what_an_earlier_run_has_deleted_is_not_missing() -> None:
    task = cleared(submitted("1", "2", missing_tags="fail")).reads(tags("2")).asks("running")

    assert task.step() == WatchJobs(("900",))
    by_name = TagRequest(module="Leads", names=("a",), guards=NO_GUARDS, missing_tags="fail", wait=True)
    first = Attempt(by_name).ready(tags(_1="a"))
    first.submits("900")
    assert cleared(first).reads({}).step() == Done(())


def test_what_an_earlier_run_has_not_submitted_is_missing_when_it_is_gone() -> None:
    first = Attempt(request("1", "2", missing_tags="fail")).ready(tags("1", "2"))
    first.sends(Refused(PermissionDenied("No permission.")))

    assert "no such tags: ['1']" in cleared(first).reads(tags("2")).fails(InvalidArgument)


def test_a_tag_that_was_submitted_and_then_renamed_does_not_stand_for_its_old_name() -> None:
    by_name = TagRequest(module="Leads", names=("a",), guards=NO_GUARDS, missing_tags="fail")
    first = Attempt(by_name).ready(tags(_1="a"))
    first.submits("900")

    assert "no such tags: ['a']" in cleared(first).reads(tags(_1="VIP")).fails(InvalidArgument)


def test_a_task_that_is_cleared_twice_still_knows_the_job_of_its_first_run() -> None:
    second = cleared(submitted("1", "2"), request("3")).ready(tags("1", "2", "3"))
    second.submits("901")

    assert cleared(second, request("1")).reads(tags("1", "2")).step() == AskJobs({1: "900"})


def test_a_cleared_task_with_another_request_knows_what_holds_its_tags() -> None:
    task = cleared(submitted("1", "2"), request("2", "3")).reads(tags("1", "2", "3")).asks("running")

    assert task.finds().submits("901") == ("3",)
    assert task.step() == WatchJobs(("900", "901"))


# --- after the jobs -------------------------------------------------------------------------------------------------------------


def returned(before: Attempt, *job_ids: str) -> Attempt:
    """Return the attempt when it comes back from the triggerer, to another worker: it has seen the reports only."""
    task = Attempt(before.request, before, now=before.now + 500)
    return task.watched(*job_ids)


@pytest.mark.parametrize("come_back", [returned, lambda before, *job_ids: before.watched(*job_ids)])
def test_the_list_is_read_until_it_had_a_minute_to_follow(come_back: Any) -> None:
    task = come_back(submitted("1", "2"), "900").reads(tags("1", "2"))
    ended_at, looks = task.seen.reports_at, []
    for _ in LIST_FOLLOWS:
        task.waits()
        looks.append(task.now - ended_at)
        task.reads(tags("2"))

    assert looks == [10.0, 30.0, 60.0]
    assert task.step() == Done(("900",), left=("2",))


def test_a_list_that_is_read_just_when_it_was_due_is_that_look() -> None:
    task = returned(submitted("1"), "900").reads(tags("1"))
    ended_at = task.seen.reports_at
    assert "1 tags of Leads are still listed" in task.does(WaitUntil).why
    task.seen, task.now = replace(task.seen, read_at=ended_at + 10), ended_at + 10

    assert task.waits() == 20


def test_a_list_that_was_read_in_the_moment_of_the_reports_is_read_again() -> None:
    task = returned(submitted("1"), "900").reads(tags("1"))
    task.seen = replace(task.seen, read_at=task.seen.reports_at)

    assert task.step() == ReadList()


def test_the_list_is_not_read_again_when_all_is_gone() -> None:
    assert returned(submitted("1"), "900").reads({}).step() == Done(("900",))


def test_skipped_tags_are_not_left() -> None:
    task = Attempt(request("1", "2")).ready(tags("1", "2"))
    task.sends(in_use(0))
    task.submits("900")

    assert task.watched("900").reads(tags("1")).step() == Done(("900",))


def test_without_a_tag_to_look_for_the_list_is_not_read_after_the_jobs() -> None:
    task = Attempt(request("1")).ready(tags("1"))
    task.sends(in_use(0))

    assert task.watched("900").step() == Done(("900",))


def test_the_deadline_ends_the_looks_at_the_list_with_what_is_left() -> None:
    task = returned(submitted("1"), "900").reads(tags("1"))
    task.journal = replace(task.journal, deadline=task.seen.reports_at + 10)

    assert task.step() == Done(("900",), left=("1",))


def test_who_returns_to_no_journal_does_not_report_success() -> None:
    task = Attempt(request("1")).watched("900")

    said = task.fails(SubmissionUncertain)
    assert "['900'] of Leads" in said
    assert "A retry of the task" in said


# --- the deadline ------------------------------------------------------------------------------------------------------------------


def test_nothing_is_sent_after_the_deadline() -> None:
    task = Attempt(request("1")).ready(tags("1"))
    task.journal = replace(task.journal, deadline=task.now)

    assert "before all tags of Leads are submitted" in task.fails(DeadlineReached)
    assert task.journal.submissions == ()


def test_nothing_is_waited_for_beyond_the_deadline_and_the_jobs_are_named() -> None:
    task = Attempt(request("1", "2", batch_size=1)).ready(tags("1", "2"))
    task.submits("900")
    task.sends(LOST)
    task.journal = replace(task.journal, deadline=task.now + 5)

    assert "submitted jobs: ['900']" in task.fails(DeadlineReached)


def test_retries_have_the_deadline_of_their_run_and_a_clear_has_its_own() -> None:
    first = submitted("1")

    assert retry(first).journal.deadline == first.journal.deadline
    assert Attempt(first.request, first, run=2, now=START + 9999).journal.deadline == START + 9999 + 7200


# --- total ----------------------------------------------------------------------------------------------------------------------

IDS = ("1", "2", "3")
times = st.sampled_from([-math.inf, START - 2000, START - 901, START - 61, START - 10, START - 1, START])
names = st.sampled_from(["tag 1", "tag 2", "VIP"])
some_errors: st.SearchStrategy[ZohoCrmError] = st.one_of(
    st.sampled_from([in_use, not_found]).flatmap(lambda make: st.sampled_from([None, 0, 2]).map(lambda place: make(place).error)),
    st.sampled_from([TooManyRequests, JobAlreadyRunning, TokenRejected, PermissionDenied]).map(lambda kind: kind("No.")),
)
counts = st.none() | st.builds(RecordsCount, st.integers(0, 2), st.sampled_from([None, {}, {"workflows": ["w"]}]))
submissions = st.lists(
    st.builds(Submission, st.integers(1, 4), st.integers(1, 2), st.integers(0, 3), st.sampled_from([None, "900", "901"]), st.booleans()),
    max_size=4,
    unique_by=lambda submission: submission.number,
).map(tuple)
entries = st.dictionaries(
    st.sampled_from(IDS),
    st.builds(Entry, st.sampled_from(["b5bb9d8014a0", "7d865e959b24"]), st.integers(0, 5), st.sampled_from(["", "renamed"])),
)
requests = st.builds(
    TagRequest,
    module=st.just("Leads"),
    ids=st.sampled_from([(), ("1",), IDS]),
    names=st.sampled_from([(), ("tag 1", "VIP")]),
    chosen=st.dictionaries(
        st.sampled_from(IDS), st.builds(Chosen, st.none() | names, st.none() | st.integers(0, 2), st.none() | st.booleans())
    ),
    attempt=st.integers(1, 3),
    without_journal=st.booleans(),
    missing_tags=st.sampled_from(["skip", "fail"]),
    undeletable_tags=st.sampled_from(["skip", "fail"]),
    guards=st.sampled_from([NO_GUARDS, Guards(1, Fraction(1, 2))]),
    dry_run=st.booleans(),
    wait=st.booleans(),
    batch_size=st.integers(1, 3),
)


@st.composite
def journals(draw: st.DrawFn, task: TagRequest) -> TagJournal:
    digest = draw(st.sampled_from([None, task.digest, "another"]))
    deadline = draw(st.sampled_from([START - 1, START + 20, START + 9999]))
    return TagJournal("host", "Leads", 1, deadline, digest, 3, 3, draw(entries), draw(entries), draw(submissions), 5)


views = st.builds(
    Seen,
    listed=st.none() | st.dictionaries(st.sampled_from(IDS), st.builds(Listed, names, st.none() | st.integers(0, 2))),
    read_at=times,
    first_read_at=times,
    waited=st.booleans(),
    left_at=times,
    module_found=st.booleans(),
    jobs=st.dictionaries(st.integers(1, 4), st.tuples(st.sampled_from(["running", "ended", "unknown"]), times)),
    counts=st.dictionaries(st.sampled_from(IDS), st.builds(Count, counts, times)),
    lost_at=st.dictionaries(st.integers(1, 4), times),
    sent=st.dictionaries(st.sampled_from(IDS), st.integers(0, 3)),
    refusals=st.none() | st.builds(Refusals, st.sampled_from([("1",), IDS]), some_errors, times, times, st.integers(1, 9)),
    reports=st.none() | st.just(({"id": "900"},)),
    reports_at=times,
)


@settings(max_examples=100, deadline=None, database=None)
@given(st.data())
def test_for_whatever_was_stored_and_seen_there_is_a_step(data: st.DataObject) -> None:
    task, seen = data.draw(requests), data.draw(views)
    journal = data.draw(journals(task))

    planned, step = next_step(task, journal, seen, START)

    assert isinstance(step, (AskJobs, CountTags, Done, Fail, FindModule, ReadList, Send, WaitUntil, WatchJobs))
    if isinstance(step, Send):
        assert 0 < len(step.ids) <= task.batch_size
        assert not task.dry_run
        assert planned.submissions[-1].job_id is None
        assert {planned.tags[tag_id].submission for tag_id in step.ids} == {planned.last_number}
        for answer in (Accepted("7"), LOST, Refused(data.draw(some_errors))):
            assert isinstance(heard(task, planned, step, answer), TagJournal)
    if isinstance(step, WaitUntil):
        assert step.at > START
