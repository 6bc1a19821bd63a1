"""What the emulator has seen: calls with their statuses, tokens, most requests at once, jobs, and a log of requests without secrets."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from typing import Any

LOG_LENGTH = 10_000


class Counters:
    """Counts since the start or the last reset."""

    def __init__(self) -> None:
        self.calls: dict[str, Counter[str]] = defaultdict(Counter)
        self.tokens_issued: Counter[str] = Counter()
        self.tokens_refused: Counter[str] = Counter()
        self.most_at_once: Counter[str] = Counter()
        self.credits_used: Counter[str] = Counter()
        self.jobs: list[dict[str, Any]] = []
        self.log: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)

    def call(self, operation: str, entry: dict[str, Any]) -> None:
        """Count one request and keep its log entry; status 0 is a request that got no answer."""
        self.calls[operation][str(entry["status"])] += 1
        self.log.append(entry)

    def at_once(self, zgid: str, number: int) -> None:
        """Note how many requests of an org are being answered at the same time."""
        self.most_at_once[zgid] = max(self.most_at_once[zgid], number)

    def snapshot(self) -> dict[str, Any]:
        """Return all counts (not the log) as JSON data."""
        return {
            "calls": {operation: dict(statuses) for operation, statuses in self.calls.items()},
            "tokens_issued": dict(self.tokens_issued),
            "tokens_refused": dict(self.tokens_refused),
            "most_at_once": dict(self.most_at_once),
            "credits_used": dict(self.credits_used),
            "jobs": list(self.jobs),
        }
