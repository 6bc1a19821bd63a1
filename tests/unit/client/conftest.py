"""A clock that moves only where a test moves it, and chance that always goes one way."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import tenacity
import tenacity.nap
import tenacity.wait

from airflow_provider_zcrm.client import backoff, retries, tokens


class Clock:
    """Stands for the module `time`.

    :ivar slept: the seconds of each wait.
    """

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.slept: list[float] = []

    def time(self) -> float:
        return self.now

    monotonic = time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Chance:
    """Stands for the module `random`.

    :ivar bounds: what was asked for.
    :ivar part: of the way from the lower bound to the upper one.
    """

    def __init__(self) -> None:
        self.part = 1.0
        self.bounds: list[tuple[float, float]] = []

    def uniform(self, low: float, high: float) -> float:
        self.bounds.append((low, high))
        return low + (high - low) * self.part


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (backoff, retries, tokens, tenacity, tenacity.nap):
        monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def chance(monkeypatch: pytest.MonkeyPatch) -> Chance:
    chance = Chance()
    for module in (backoff, tokens, tenacity.wait):
        monkeypatch.setattr(module, "random", SimpleNamespace(uniform=chance.uniform))
    return chance
