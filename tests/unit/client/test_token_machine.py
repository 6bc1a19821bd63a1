"""The bookkeeping of access tokens under everything that can happen to it, found by Hypothesis.

Five processes on two hosts (workers with the synchronous client, triggerers with the asynchronous one) share a store and a refresh
token. In any order: calls begin and stop at each of their steps, time passes, Zoho throttles and evicts, the store and the locks fail,
processes are killed, credentials rotate. The rules that must hold are checked in `token_world`, where each token is asked for and used.
The network is simulated, because this many real requests would take hours: see there what else is, and what is the real code.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from airflow_provider_zcrm.api.errors import ServiceUnavailable, TokenThrottled
from airflow_provider_zcrm.api.oauth import AccessToken
from airflow_provider_zcrm.client.tokens import Tokens
from tests.unit.client.token_world import PROCESSES, World, simulated

processes = st.integers(0, len(PROCESSES) - 1)
durations = st.sampled_from([0.5, 5.0, 29.0, 31.0, 95.0, 301.0, 605.0, 905.0, 1600.0, 2900.0, 3290.0, 3595.0, 3700.0, 8000.0])


class TokenMachine(RuleBasedStateMachine):
    """Everything that can happen."""

    world: World

    @initialize()
    def begin(self) -> None:
        self._stack = ExitStack()
        self.world = self._stack.enter_context(simulated())
        # what is warned of thousands of times would only cost time
        logging.disable(logging.WARNING)
        self._stack.callback(logging.disable, logging.NOTSET)

    @rule(number=processes)
    def a_process_makes_a_call(self, number: int) -> None:
        process = self.world.processes[number]
        process.call or process.begin()
        self.world.finish(process)

    @rule(number=processes, steps=st.integers(1, 12))
    def a_process_begins_a_call_or_goes_on_with_it(self, number: int, steps: int) -> None:
        process = self.world.processes[number]
        process.call or process.begin()
        for _ in range(steps):
            self.world.step(process)

    @rule(order=st.permutations(range(len(PROCESSES))), steps=st.integers(1, 12))
    def all_processes_make_a_call_together(self, order: list[int], steps: int) -> None:
        crowd = [self.world.processes[number] for number in order]
        for process in crowd:
            process.call or process.begin()
            for _ in range(steps):
                self.world.step(process)
        for process in crowd:
            self.world.finish(process)

    @rule(seconds=durations)
    def time_passes(self, seconds: float) -> None:
        self.world.now += seconds

    @rule()
    def what_was_begun_comes_to_its_end(self) -> None:
        self.world.settle()

    @rule(number=processes)
    def a_process_is_killed_and_starts_anew(self, number: int) -> None:
        self.world.kill(self.world.processes[number])

    @rule(count=st.sampled_from([1, 10]))
    def zoho_evicts(self, count: int) -> None:
        self.world.zoho.evict(count)

    @rule()
    def another_program_gets_all_tokens_that_zoho_grants(self) -> None:
        self.world.zoho.used_by_others()

    @rule(what=st.sampled_from(["", "", "get", "put", "get and put"]))
    def the_store_fails_or_works_again(self, what: str) -> None:
        self.world.broken = frozenset(what.split(" and ")) - {""}
        self.world.excuse()

    @rule()
    def the_store_loses_what_it_has(self) -> None:
        self.world.entries.clear()
        self.world.excuse()

    @rule(host=st.sampled_from(["host-1", "host-2"]))
    def a_host_has_no_locks_or_has_them_again(self, host: str) -> None:
        self.world.hosts_without_locks ^= {host}

    @rule(what=st.sampled_from(["refresh_token", "client_secret"]), number=processes)
    def credentials_rotate_and_a_process_starts_with_the_new_ones(self, what: str, number: int) -> None:
        self.world.rotate(what)
        self.a_process_is_killed_and_starts_anew(number)
        self.a_process_makes_a_call(number)

    @invariant()
    def no_rule_is_broken(self) -> None:
        if hasattr(self, "world"):
            assert self.world.violations == []

    def teardown(self) -> None:
        """When all works again, one token is enough for all."""
        if not hasattr(self, "world"):
            return
        world = self.world
        with self._stack:
            if world.violations:
                return
            world.broken = frozenset()
            world.hosts_without_locks.clear()
            world.settle()
            world.now += 8000.0
            granted = len(world.zoho.grants)
            for process in world.processes:
                world.kill(process)
                process.begin()
                world.settle()
            assert world.violations == []
            assert len(world.zoho.grants) == granted + 1


TestTokens = TokenMachine.TestCase
TestTokens.settings = settings(
    max_examples=250,
    stateful_step_count=30,
    deadline=None,
    database=None,
    # shrinking is worth its time, explaining is not
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow],
)


def test_a_crowd_behind_the_lock_of_a_host_does_not_wait_one_after_the_other() -> None:
    with simulated() as world:
        for _ in range(30):
            world.processes.append(type(world.processes[0])(world, "host-1", "worker"))
        for process in world.processes:
            process.begin()
            for _ in range(3):  # past the first look at the store
                world.step(process)
        started = world.now
        world.settle()

        assert world.violations == []
        assert world.now - started <= 3
        assert len(world.zoho.grants) <= 2  # one for each host


def test_of_two_notes_about_the_throttle_the_one_with_the_later_refusal_counts() -> None:
    with simulated() as world:
        mine, other = (world.processes[number] for number in (0, 3))
        started = world.now
        tokens = mine.client._tokens
        for seconds in (0.0, 700.0):
            world.now = started + seconds
            tokens.refused()
        world.now = started + 650.0  # on a host that could not read the store, and asked in between
        note = other.client._tokens.refused()

        tokens.take(note)
        world.now = started + 700.0 + 600.0 - 1.0

        with pytest.raises(TokenThrottled):
            tokens.check()


def test_a_token_that_zoho_rejected_is_not_tried_again_while_there_is_no_other() -> None:
    with simulated() as world:
        process = world.processes[2]
        process.begin()
        world.settle()
        world.zoho.used_by_others()
        world.zoho.evict(10)
        for _ in range(3):
            process.begin()
            world.settle()

        assert process.rejected == {"1000.access-0"}
        assert world.violations == []


def test_failed_requests_grow_apart_and_all_who_read_the_store_know_of_them() -> None:
    with simulated() as world:
        mine, other = (world.processes[number].client._tokens for number in (0, 3))
        started, said = world.now, list[str]()

        def may_ask(tokens: Tokens, seconds: float) -> bool:
            world.now = started + seconds
            try:
                tokens.check()
            except ServiceUnavailable as error:
                said.append(str(error))
                return False
            return True

        mine.failed()
        assert may_ask(mine, 1.0)
        note = mine.failed()
        other.take(note)
        for tokens in (mine, other):
            assert [may_ask(tokens, seconds) for seconds in (2.0, 60.0, 62.0)] == [False, False, True]
        note = other.failed()
        mine.take(note)
        for tokens in (mine, other):
            assert [may_ask(tokens, seconds) for seconds in (63.0, 599.0, 600.5)] == [False, False, True]
        note = other.failed()
        mine.take(note)
        for tokens in (mine, other):
            assert [may_ask(tokens, seconds) for seconds in (600.9, 659.0, 661.0)] == [False, False, True]

        assert [words for words in said if "has given no access token since 1970-01-12 13:46" not in words] == []
        world.now = started + 700.0
        mine.take(other.hold(AccessToken("1000.new", 3600.0)))
        for tokens in (mine, other):
            tokens.failed()
            assert may_ask(tokens, 700.0)
