"""The journal of a task that deletes the records of a custom view: what it has submitted, and whether it may submit.

It is stricter than the one for tags. Records come into a view all the time, so a second submission may delete what nobody meant, and no
list shows what the first one did.

    state      written                              what later attempts of the task do
    intent     before the POST, and acknowledged    nothing, until a person confirms for a new run of the task
    accepted   Zoho gave a job id                   take up that job

A submission that Zoho certainly refused is taken out again. One that was or may have been accepted of another view, or by another host,
stops an attempt too, until a person confirms for a new run.

Everything here is a value; the caller stores it before and after each POST. Times are for people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

_VERSION = 2


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
    :param run: the run of the task in which it was sent.
    :param host: URL of the API to which it was sent.
    :param counted: how many records Zoho counted in the view directly before; None if it was not asked.
    :param record_list: path of the file with the ids of the records, and ``listed`` how many there are; None if there is none.
    """

    view: View
    state: str
    at: float
    run: int
    host: str | None
    job_id: str | None = None
    counted: int | None = None
    record_list: str | None = None
    listed: int | None = None


@dataclass(frozen=True)
class ViewJournal:
    """What a task has submitted.

    :param run: one run of the task with its retries, as Airflow counts them; clearing the task starts the next.
    :param deadline: epoch seconds (UTC) at which this run gives up.
    :param host: URL of the API to which the connection leads; as stored, of the try before; None if there was none.
    """

    run: int
    deadline: float
    host: str | None = None
    submissions: tuple[Submission, ...] = ()

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> ViewJournal | None:
        """Return the journal that `to_json` wrote, None for one of another version."""
        if value.get("v") != _VERSION:
            return None
        submissions = tuple(Submission(**{**s, "view": View(**s["view"])}) for s in value["submissions"])
        return ViewJournal(value["run"], value["deadline"], value["host"], submissions)

    def for_run(self, run: int, host: str, deadline: float) -> ViewJournal:
        """Return the journal with which an attempt begins; a new run gets a new deadline."""
        return replace(self, run=run, host=host, deadline=deadline)

    def to_json(self) -> dict[str, Any]:
        """Return the value to store."""
        return {"v": _VERSION, **vars(self), "submissions": [asdict(submission) for submission in self.submissions]}

    def with_intent(self, view: View, now: float, counted: int | None, listed: tuple[str, int] | None = None) -> ViewJournal:
        """Return the journal with a submission that is about to be sent.

        :param listed: path of the file with the ids of the records, and their number.
        """
        path, number = listed or (None, None)
        intent = Submission(view, "intent", now, self.run, self.host, counted=counted, record_list=path, listed=number)
        return replace(self, submissions=(*self.submissions, intent))

    def of_job(self, job_id: str) -> Submission | None:
        """Return the submission for which Zoho gave a job id, None if it is not known."""
        return next((s for s in self.submissions if s.job_id == job_id), None)

    def with_job(self, job_id: str, now: float) -> ViewJournal:
        """Return the journal with the job id of what was sent last."""
        last = replace(self.submissions[-1], state="accepted", at=now, job_id=job_id)
        return replace(self, submissions=(*self.submissions[:-1], last))

    def with_refusal(self) -> ViewJournal:
        """Return the journal without what was sent last: Zoho certainly did not accept it."""
        return replace(self, submissions=self.submissions[:-1])

    def with_lost(self, view: View, *, earlier_run: bool) -> ViewJournal:
        """Return the journal of a task whose tries may have submitted the view without a journal, or with one that is gone."""
        return replace(self, submissions=(Submission(view, "intent", 0.0, self.run - earlier_run, self.host),))

    def accepted(self, view: View) -> Submission | None:
        """Return what this host accepted last of exactly this view and territory; None if the outcome of something later is unknown."""
        wanted = ("accepted", view, self.host)
        last = next((s for s in reversed(self.submissions) if (s.state, s.view, s.host) == wanted or self._in_doubt(s, view)), None)
        return last if last is not None and last.state == "accepted" else None

    def unknown(self, view: View) -> Submission | None:
        """Return the last submission of this view whose outcome is not known; of any territory, because they may overlap."""
        return next((s for s in reversed(self.submissions) if self._in_doubt(s, view)), None)

    def of_another(self, view: View) -> Submission | None:
        """Return the last submission that was or may have been taken of another view or territory, or by another host."""
        return next((s for s in reversed(self.submissions) if (s.view, s.host) != (view, self.host)), None)

    def may_be_confirmed(self, submission: Submission) -> bool:
        """Return whether a person's word can be about this submission: it was sent in an earlier run, so the task was cleared since."""
        return submission.run < self.run

    def _in_doubt(self, submission: Submission, view: View) -> bool:
        return (submission.state, submission.view.cvid, submission.host) == ("intent", view.cvid, self.host)
