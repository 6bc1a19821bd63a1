"""One API call as a value: what to send, and how to read the answer.

Nothing here does I/O. A client, synchronous or not, sends `ApiCall.request` and hands the answer to `ApiCall.parse`,
so every endpoint is written once and the two clients cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class ApiRequest:
    """What to send.

    :param method: ``GET`` or ``POST``.
    :param path: below ``/crm/<version>/``, without a leading slash: ``settings/tags``.
    :param scope: the OAuth scope that the call needs; named to the user when the token lacks it.
    :param params: query parameters.
    :param json: the body, or None.
    :param may_repeat: whether it may be sent again after a lost answer, when Zoho may have done it already. A GET may; every other
        method must say it. What may not is a submission.
    :param bulk: the path is below ``/crm/bulk/<version>/`` instead.
    :param to_file: the answer may be larger than memory should hold, so a good one (200) is kept in a file.
    """

    method: str
    path: str
    scope: str
    params: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    may_repeat: bool | None = None
    bulk: bool = False
    to_file: bool = False

    def __post_init__(self) -> None:
        if self.may_repeat is None and self.method != "GET":
            raise TypeError(f"{self.method} {self.path} must say may_repeat: may it be sent again after a lost answer?")
        if self.may_repeat is None:
            object.__setattr__(self, "may_repeat", True)


@dataclass(frozen=True)
class ApiResponse:
    """What came back.

    :param headers: with their names in lower case.
    :param body: undecoded; of one that is in a file, its beginning.
    :param file: the whole body of a good answer to a request with ``to_file``. It has no name and is gone when it is closed, which
        whoever has it does.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    file: BinaryIO | None = None


@dataclass(frozen=True)
class ApiCall(Generic[T]):
    """A request, and the function that makes a value of its response or raises a `ZohoCrmError`."""

    request: ApiRequest
    parse: Callable[[ApiResponse], T]
