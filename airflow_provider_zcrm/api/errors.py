"""The exceptions, rooted at `ZohoCrmError`.

The tree answers what a caller asks, "what now?":

- `RetryableError`: nothing to change, the same call may work later;
- `TokenRejected`: replace the access token once, then send again;
- `PermanentError`: waiting does not help, the advice says what the user must change;
- `SubmissionUncertain`: whether Zoho accepted a submission is not known, so it must not simply be sent again;
- `JobFailed`, `TagsLeftBehind`, `RecordsLeftBehind`, `BackupShort`, `RestoreShort`, `DeadlineReached`: the calls worked, the outcome is not
  the wanted one.

Which class a response becomes stands in `api.answers`. No exception carries a token or a secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

# in an advice: the id of the connection, which is not known here and put in where it is
CONN_ID = "CONN_ID"


class ZohoCrmError(Exception):
    """Root of all errors of this provider.

    :param message: what happened, in a sentence.
    :param advice: what the user can do about it.
    :param status: HTTP status of the answer, None where there was none.
    :param code: Zoho's code, such as ``INVALID_DATA``.
    :param details: Zoho's ``details``.
    :param method: HTTP method of the call.
    :param path: path of the call, without host and query.
    """

    default_advice: ClassVar[str] = ""

    def __init__(
        self,
        message: str,
        *,
        advice: str = "",
        status: int | None = None,
        code: str = "",
        details: Mapping[str, Any] | None = None,
        method: str = "",
        path: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice or self.default_advice
        self.status = status
        self.code = code
        self.details = dict(details or {})
        self.method = method
        self.path = path

    def __str__(self) -> str:
        answer = f": HTTP {self.status} {self.code}".rstrip() if self.status else ""
        call = f" [{self.method} {self.path}{answer}]"
        return f"{self.message}{call if self.method else ''}{' ' + self.advice if self.advice else ''}"

    def without(self, *secrets: str) -> None:
        """Take secrets out of all that the error says, in case that Zoho has quoted them."""
        for name in ("message", "advice", "code", "details"):
            setattr(self, name, cleaned(getattr(self, name), *secrets))
        self.args = (self.message,)

    def as_dict(self) -> dict[str, Any]:
        """Return the error as JSON values, the form in which a trigger hands it to its task."""
        return {"type": type(self).__name__, **self.__dict__}

    @staticmethod
    def from_dict(value: Mapping[str, Any]) -> ZohoCrmError:
        """Rebuild what `as_dict` made; a type that is not known here becomes a `PermanentError`."""
        chosen = next((c for c in _subclasses(ZohoCrmError) if c.__name__ == value.get("type")), PermanentError)
        error = chosen(str(value.get("message", "")))
        # all that this class has, and nothing else
        error.__dict__.update({name: value[name] for name in error.__dict__.keys() & value.keys()})
        return error


def cleaned(value: Any, *secrets: str) -> Any:
    """Return JSON values without secrets, which may stand in any text of them."""
    if isinstance(value, str):
        for secret in filter(None, secrets):
            value = value.replace(secret, "***")
    elif isinstance(value, dict):
        value = {cleaned(name, *secrets): cleaned(item, *secrets) for name, item in value.items()}
    elif isinstance(value, list):
        value = [cleaned(item, *secrets) for item in value]
    return value


def _subclasses(root: type[ZohoCrmError]) -> Iterable[type[ZohoCrmError]]:
    for child in root.__subclasses__():
        yield child
        yield from _subclasses(child)


class RetryableError(ZohoCrmError):
    """The same call may work later."""


class TooManyRequests(RetryableError):
    """429: the concurrency of the org or its credits of the last 24 hours are used up; the status does not tell which."""

    default_advice = (
        "Zoho allows 5 to 25 calls at once per org, and a number of credits in 24 hours: lower max_concurrency in the "
        "connection, use an Airflow pool, or wait for the credits."
    )

    def __init__(self, message: str, *, retry_after: float | None = None, **fields: Any) -> None:
        super().__init__(message, **fields)
        self.retry_after = retry_after


class ServiceUnavailable(RetryableError):
    """A fault on Zoho's side (5xx, INTERNAL_ERROR)."""


class UnreadableResponse(RetryableError):
    """The answer is not the JSON that Zoho documents: an HTML page, a redirect, a body that was cut off."""


class ConnectionFailed(RetryableError):
    """No answer came.

    :param sent: False when the failure came before the request was written (DNS, refused, connect time-out, TLS); of a call that is
        no submission and no token request the asynchronous client does not know, and says True.
    """

    def __init__(self, message: str, *, sent: bool = True, **fields: Any) -> None:
        super().__init__(message, **fields)
        self.sent = sent


class TokenThrottled(RetryableError):
    """Zoho's throttle of access tokens: 10 per refresh token in 10 minutes."""

    default_advice = (
        "Zoho grants 10 access tokens in 10 minutes for one refresh token, and asking on prolongs the block. Wait 10 minutes; "
        "if it comes back, another program uses the same refresh token: give each its own."
    )


class TagNotFound(RetryableError):
    """One tag of a batch does not exist, or not in this module; Zoho refused the whole batch and took nothing.

    The list of tags may follow a delete a little late, so reading it again helps.
    """


class JobAlreadyRunning(RetryableError):
    """ALREADY_SCHEDULED: Zoho runs one such job at a time; send again when the other one has ended."""


class TokenRejected(ZohoCrmError):
    """Any 401 that is not about a scope or a parameter: the access token is expired, evicted, revoked, or of another data centre."""

    default_advice = (
        "If this comes back with a fresh token, data_center or environment of the connection is not the one in which the refresh "
        "token was made."
    )


class PermanentError(ZohoCrmError):
    """Waiting does not help."""


class InvalidConnection(PermanentError):
    """The Airflow connection cannot work; the message names the field."""


class InvalidArgument(PermanentError):
    """An argument cannot work; nothing was sent."""


class CredentialsRejected(PermanentError):
    """Zoho Accounts refuses the client id, the client secret or the refresh token."""


class ScopeMissing(PermanentError):
    """401 OAUTH_SCOPE_MISMATCH: the refresh token was made without the scope that the call needs."""

    default_advice = (
        f"Make a new refresh token with it: 'python -m airflow_provider_zcrm connect {CONN_ID} --replace' shows the scopes to enter, "
        "--features tags,records,backup,org those of more than the usual."
    )


class PermissionDenied(PermanentError):
    """403 NO_PERMISSION or 400 AUTHORIZATION_FAILED: the Zoho user may not do this."""

    default_advice = "Give the profile of the Zoho user who made the refresh token the permission, or use another user's."


class InvalidModule(PermanentError):
    """The module does not exist, is hidden from the API, or does not support the call."""

    default_advice = (
        "Use the module's API name as in Setup > Developer Hub > APIs and SDKs > API names; it is case-sensitive. If it is right, the "
        "profile of the Zoho user who made the refresh token lacks the permission for the module's tab."
    )


class InvalidRequest(PermanentError):
    """Zoho refuses the request as it is (MANDATORY_NOT_FOUND, INVALID_DATA and their kind)."""


class TagInUse(PermanentError):
    """NOT_ALLOWED: a tag of the batch is used by a workflow, blueprint or another feature; the whole batch was refused."""

    default_advice = "Remove the tag from the feature in Zoho CRM (Setup > Automation), or leave it out of the request."


class JobNotFound(PermanentError):
    """Zoho does not know the job id: it was never given out by this org, or is no longer kept."""

    default_advice = "Check that the job was submitted through the same connection, with the same module and kind."


class NoRecordsFound(PermanentError):
    """NO_RECORDS_FOUND: the custom view shows no record, so there was nothing to schedule."""


class LimitExceeded(PermanentError):
    """A limit of the Zoho edition (LIMIT_EXCEEDED and its kind); not a rate limit, so not retried."""

    default_advice = "Free some of what the edition counts in Zoho CRM, or use a larger edition."


class NotSupported(PermanentError):
    """The edition, the module or the API version lacks the feature."""

    default_advice = "Zoho's page of this call lists the editions, modules and versions (api_version of the connection) that have it."


class AnswerTooLarge(PermanentError):
    """The answer is larger than any of Zoho's, also unpacked; the rest of it was not read."""

    default_advice = "Does a proxy or a gateway answer in place of Zoho?"


class UnexpectedAnswer(PermanentError):
    """An error that Zoho's documents do not name."""


class SubmissionUncertain(ZohoCrmError):
    """A submission was sent and its outcome is unknown: Zoho may have taken it."""

    default_advice = "It was not sent again: what Zoho did has to be looked up first."


def certainly_not_taken(error: ZohoCrmError) -> bool:
    """Return whether a submission that ended in this error was certainly not accepted by Zoho.

    True for an error envelope with 4xx, for a 429, and for a failure before the request was written.
    """
    if isinstance(error, ConnectionFailed):
        return not error.sent
    if isinstance(error, (ServiceUnavailable, UnreadableResponse)):
        return False
    return error.status is None or 400 <= error.status < 500


def submission_error(error: ZohoCrmError) -> ZohoCrmError:
    """Return what a submission that ended in this error raises: the error, or `SubmissionUncertain` if Zoho may have taken it."""
    if certainly_not_taken(error):
        return error
    fields = {name: getattr(error, name) for name in ("status", "code", "details", "method", "path")}
    return SubmissionUncertain(f"It is not known whether Zoho accepted the submission: {error.message}", **fields)
