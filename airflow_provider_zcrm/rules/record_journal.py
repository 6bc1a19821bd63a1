"""The journal of a task that deletes records: what it has submitted, and whether it may submit.

For a custom view it is stricter than the one for tags. Records come into a view all the time, so a second submission may delete what
nobody meant, and no list tells what became of the first.

    state      written                              what later tries of the task do
    intent     before the POST, and acknowledged    nothing, until a person confirms for a new round
    refused    Zoho proved that it took nothing     submit
    accepted   Zoho gave a job id                   take up that job

What was or may have been taken of another view, or by another host, stops a try too, until a person confirms for a new round.

Records given by their ids need no intent: Zoho gives an id to one record only, so sending it again deletes nothing else. What is kept
is which ids Zoho has reported as deleted: a record that somebody has restored since stays. That is one value for each call, because a
store may refuse a large one.

Everything here is a value; the caller writes it to the task state store before and after each POST.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from airflow_provider_zcrm.api.errors import PermanentError

_VERSION = 1


@dataclass(frozen=True)
class View:
    """What one submission deletes: the records of a custom view, of one territory if that is given."""

    module: str
    cvid: str
    territory_id: str | None = None
    include_child: bool = False

    def __str__(self) -> str:
        below = " and those below it" if self.include_child else ""
        return f"custom view {self.cvid} of {self.module}" + (f" in territory {self.territory_id}{below}" if self.territory_id else "")


@dataclass(frozen=True)
class Submission:
    """One POST.

    :param at: epoch seconds (UTC) of the last change of ``state``; 0 for one that there may have been, when the journal is lost.
    :param round: the round of the task in which it was sent.
    :param host: URL of the API to which it was sent.
    """

    view: View
    state: str
    at: float
    round: int
    host: str | None
    job_id: str | None = None


@dataclass(frozen=True)
class RecordJournal:
    """What a task has submitted.

    :param round: one run of the task with its retries, as Airflow counts them; clearing the task starts the next.
    :param deadline: epoch seconds (UTC) at which this round gives up.
    :param host: URL of the API to which the connection leads; as stored, of the try before; None if there was none.
    """

    round: int
    deadline: float
    host: str | None = None
    submissions: tuple[Submission, ...] = ()

    @staticmethod
    def open(value: Mapping[str, Any] | None, round_: int, now: float, timeout: float) -> RecordJournal:
        """Return the journal that a try works with, from what an earlier try stored; a new round gets a new deadline.

        :raises PermanentError: the stored journal is of a version that this one does not know
        """
        if not value:
            return RecordJournal(round_, now + timeout)
        if value.get("v") != _VERSION:
            raise PermanentError(
                f"The task's journal has version {value.get('v')}, this provider knows {_VERSION}.",
                advice="Look at the records in Zoho CRM, and start a new DAG run if they are still to be deleted.",
            )
        submissions = tuple(Submission(**{**s, "view": View(**s["view"])}) for s in value["submissions"])
        deadline = value["deadline"] if value["round"] == round_ else now + timeout
        return RecordJournal(round_, deadline, value["host"], submissions)

    def to_json(self) -> dict[str, Any]:
        """Return the value to store."""
        return {"v": _VERSION, **asdict(self), "submissions": [asdict(submission) for submission in self.submissions]}

    def with_intent(self, view: View, now: float) -> RecordJournal:
        """Return the journal with a submission that is about to be sent; earlier refusals say nothing any more."""
        kept = (submission for submission in self.submissions if submission.state != "refused")
        return replace(self, submissions=(*kept, Submission(view, "intent", now, self.round, self.host)))

    def with_outcome(self, state: str, now: float, job_id: str | None = None) -> RecordJournal:
        """Return the journal with the outcome of what was sent last."""
        last = replace(self.submissions[-1], state=state, at=now, job_id=job_id)
        return replace(self, submissions=(*self.submissions[:-1], last))

    def with_lost(self, view: View, *, earlier_round: bool) -> RecordJournal:
        """Return the journal of a task whose tries may have submitted the view without a journal, or with one that is gone."""
        return replace(self, submissions=(Submission(view, "intent", 0.0, self.round - earlier_round, self.host),))

    def accepted(self, view: View) -> Submission | None:
        """Return what this host accepted last of exactly this view and territory; None if the outcome of something later is unknown."""
        wanted = ("accepted", view, self.host)
        last = next((s for s in reversed(self.submissions) if (s.state, s.view, s.host) == wanted or self._in_doubt(s, view)), None)
        return last if last is not None and last.state == "accepted" else None

    def unknown(self, view: View) -> Submission | None:
        """Return the last submission of this view whose outcome nobody knows; of any territory, because they may overlap."""
        return next((s for s in reversed(self.submissions) if self._in_doubt(s, view)), None)

    def of_another(self, view: View) -> Submission | None:
        """Return the last submission that was or may have been taken of another view or territory, or by another host."""
        taken = (s for s in reversed(self.submissions) if s.state != "refused")
        return next((s for s in taken if (s.view, s.host) != (view, self.host)), None)

    def may_be_confirmed(self, submission: Submission) -> bool:
        """Tell whether a person's word can be about this submission: it was sent in an earlier round, so the task was cleared since."""
        return submission.round < self.round

    def _in_doubt(self, submission: Submission, view: View) -> bool:
        return (submission.state, submission.view.cvid, submission.host) == ("intent", view.cvid, self.host)
