"""When a call is sent again: the policy, as data, for tenacity.

Only a `RetryableError` is; a submission only where the error proves that Zoho did not take it (`call_exchange` makes
a `SubmissionUncertain` of all others). Two kinds wait elsewhere: a job that must end first, and the throttle of access tokens.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    Retrying,
    retry_if_exception,
    retry_if_exception_type,
    stop_before_delay,
    wait_random_exponential,
)

from airflow_provider_zcrm.api.errors import JobAlreadyRunning, RetryableError, TagNotFound, TokenThrottled, TooManyRequests

log = logging.getLogger(__name__)

# while Zoho grants no token, the shared store is looked at so often
_LOOK_EVERY = 30.0


@dataclass(frozen=True)
class RetryPolicy:
    """How long and how often a client tries again, in seconds; full jitter, so that a crowd does not come back together.

    :param give_up_after: no retry starts later than this; 0 for none at all.
    :param first: upper bound of the first wait; it doubles with each retry.
    :param longest: upper bound of a wait.
    :param until: epoch seconds after which no retry starts: the caller's own deadline.
    :param token_patience: how long to wait while Zoho's throttle grants no access token; the shared store is looked at every 30 s.
    """

    give_up_after: float = 300.0
    first: float = 1.0
    longest: float = 60.0
    until: float = math.inf
    token_patience: float = 1560.0

    def retrying(self) -> Retrying:
        """Return tenacity's controller for synchronous calls."""
        return Retrying(
            retry=retry_if_exception(_passes), wait=self._wait, stop=self._stop(self.give_up_after), reraise=True, before_sleep=_tell
        )

    def async_retrying(self) -> AsyncRetrying:
        """Return tenacity's controller for asynchronous calls."""
        return AsyncRetrying(
            retry=retry_if_exception(_passes), wait=self._wait, stop=self._stop(self.give_up_after), reraise=True, before_sleep=_tell
        )

    def waiting_for_token(self) -> Retrying:
        """Return tenacity's controller for getting a token: somebody else may get it, so it looks again and again."""
        return Retrying(
            retry=retry_if_exception_type(TokenThrottled),
            wait=lambda _state: self._before_the_end(_LOOK_EVERY),
            stop=self._stop(self.token_patience),
            reraise=True,
            before_sleep=_tell_now_and_then,
        )

    def _stop(self, seconds: float) -> Callable[[RetryCallState], bool]:
        patience = stop_before_delay(seconds)
        return lambda state: patience(state) or time.time() >= self.until

    def _wait(self, state: RetryCallState) -> float:
        jittered = wait_random_exponential(multiplier=self.first, max=self.longest)(state)
        error = state.outcome.exception() if state.outcome else None
        # added, so that those who hold back together do not come back together
        return self._before_the_end(jittered + ((error.retry_after or 0.0) if isinstance(error, TooManyRequests) else 0.0))

    def _before_the_end(self, wait: float) -> float:
        return max(0.0, min(wait, self.until - time.time()))


NO_RETRIES = RetryPolicy(give_up_after=0.0, token_patience=0.0)


def _passes(error: BaseException) -> bool:
    return isinstance(error, RetryableError) and not isinstance(error, (JobAlreadyRunning, TagNotFound, TokenThrottled))


def _tell_now_and_then(state: RetryCallState) -> None:
    if state.attempt_number % 10 == 1:
        _tell(state)


def _tell(state: RetryCallState) -> None:
    if state.outcome and state.next_action:
        log.warning("%s Trying again in %.0f s.", state.outcome.exception(), state.next_action.sleep)
