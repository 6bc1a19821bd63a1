"""What the emulator sends back: an `Answer`, or a `Refused` raised from anywhere in a handler.

Zoho's error envelope has four keys, always all of them: ``code``, ``details``, ``message``, ``status``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

JSON_TYPE = "application/json;charset=UTF-8"
HTML_TYPE = "text/html;charset=UTF-8"
HTML_PAGE = "<!DOCTYPE html><html><head><title>Zoho</title></head><body><h1>{title}</h1><p>Sorry, something went wrong.</p></body></html>"


@dataclass(frozen=True)
class Answer:
    """A response before it is written: `body` is JSON data, text if it is HTML, or the bytes of a file; None is an empty body."""

    status: int
    body: Any = None
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """Raised by a handler that refuses a request; the answer says how."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def envelope(code: str, message: str, details: Any = None, status: str = "error") -> dict[str, Any]:
    """Return Zoho's envelope; without `details` it carries an empty object, as Zoho's does."""
    return {"code": code, "details": {} if details is None else details, "message": message, "status": status}


def refuse(http_status: int, code: str, message: str, details: Any = None) -> Refused:
    """Return the exception for a refusal in the bare envelope."""
    return Refused(Answer(http_status, envelope(code, message, details)))


def html_page(status: int, title: str) -> Answer:
    """Return one of the HTML pages that Zoho's front ends answer with."""
    return Answer(status, HTML_PAGE.format(title=title), HTML_TYPE)
