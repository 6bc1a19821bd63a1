"""What works with a token, found out with at most three calls that change nothing."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from airflow_provider_zcrm.api.answers import count_of
from airflow_provider_zcrm.api.call import ApiCall, ApiResponse
from airflow_provider_zcrm.api.data_centers import DATA_CENTERS, ENVIRONMENTS
from airflow_provider_zcrm.api.errors import CONN_ID, RetryableError, ScopeMissing, TokenRejected, ZohoCrmError
from airflow_provider_zcrm.api.modules import Module, list_modules
from airflow_provider_zcrm.api.org import Org, get_org
from airflow_provider_zcrm.api.scopes import FEATURES, USUAL_FEATURES, Feature, granted
from airflow_provider_zcrm.api.tags import list_tags_with_allowance
from airflow_provider_zcrm.cli.accounts import at
from airflow_provider_zcrm.client.config import ClientConfig
from airflow_provider_zcrm.client.credits import LOW
from airflow_provider_zcrm.client.retries import NO_RETRIES
from airflow_provider_zcrm.client.sync_client import ZohoCrmClient
from airflow_provider_zcrm.rules.room import Room

T = TypeVar("T")

# states of a finding
OK, WARNING, WRONG, LATER, OFF, UNKNOWN = "ok", "warning", "wrong", "later", "off", "unknown"

# a clock may be so many seconds off before ages and deadlines suffer
_SKEW = 60.0


@dataclass(frozen=True)
class Finding:
    """Something that was looked at.

    :param detail: another finding says the same in a sentence; people are not shown it.
    :param state: ``ok``; ``warning``; ``wrong``: must be changed; ``later``: Zoho cannot tell now; ``off``: a feature that nobody
        asked for is not granted; ``unknown``: Zoho does not tell.
    """

    subject: str
    state: str
    sentence: str
    detail: bool = False


def failure(subject: str, error: ZohoCrmError) -> Finding:
    """Return what an error means for the thing that was looked at."""
    return Finding(subject, LATER if isinstance(error, RetryableError) else WRONG, str(error))


class Examination:
    """Looks at what a token can do.

    :param scopes: the token's scopes, as far as Zoho has named them.
    :ivar features: the names of the features that must work.
    :ivar org: the org, once it is known.
    """

    def __init__(self, config: ClientConfig, token: str, scopes: Collection[str], features: Collection[str]) -> None:
        self.config = config
        self.org: Org | None = None
        self._token = token
        self._told = scopes
        self.features = features
        self._modules: list[Module] = []
        self._shown: dict[str, bool] = {}
        self._headers: Mapping[str, str] = {}
        self._clock_ahead: float | None = None

    def start(self) -> None:
        """Make the first call; only environment and data centre can keep it from an answer about the token.

        :raises TokenRejected: the token is not one of this environment and data centre, or no longer one
        :raises ZohoCrmError: Zoho cannot be asked
        """
        self._modules = self._try("ZohoCRM.settings.modules.READ", list_modules()) or []

    def findings(self) -> Iterator[Finding]:
        """Look at the rest, and give what was found, one by one."""
        hosts = self.config.hosts
        center = DATA_CENTERS[hosts.data_center]
        yield Finding(
            "data center", OK, f"{hosts.data_center} ({center.label}): tokens from {hosts.accounts_url}, calls to {hosts.api_url}."
        )
        yield Finding("environment", OK, f"{hosts.environment.capitalize()}: the token is accepted there.")
        yield self._org()
        yield from self._tags()
        yield from map(self._feature, FEATURES.values())
        yield from map(self._scope, dict.fromkeys(scope for feature in FEATURES.values() for scope in feature.needs))
        yield self._credits()
        yield self._clock()

    def _org(self) -> Finding:
        try:
            self.org = self._try("ZohoCRM.org.READ", get_org())
        except ZohoCrmError as error:
            return failure("org", error)
        if self.org is None:
            return Finding("org", OFF, "Its name is not known: that needs the scope ZohoCRM.org.READ, and nothing else does.")
        number = len(self._modules)
        modules = f", {number} {'module' if number == 1 else 'modules'}" if number else ""
        return Finding("org", OK, f"{self.org.company_name} ({self.org.zgid}){modules}.")

    def _tags(self) -> Iterator[Finding]:
        names = [module.api_name for module in self._modules if module.api_name and module.api_supported]
        module = "Leads" if "Leads" in names or not names else names[0]
        try:
            found = self._try("ZohoCRM.settings.tags.READ", list_tags_with_allowance(module))
        except ZohoCrmError as error:
            yield failure("list of tags", error)
        else:
            if found is not None:
                yield self._room(module, Room(len({tag.id for tag in found.tags}), found.allowed))

    def _room(self, module: str, room: Room) -> Finding:
        if room.nearly_full:
            advice = f"Room for {room.left} more; Zoho refuses new ones when it is full. Delete some."
            return Finding("list of tags", WARNING, f"{room.sentence(module)}. {advice}")
        return Finding("list of tags", OK, f"{room.sentence(module)}.")

    def _feature(self, feature: Feature) -> Finding:
        lacking = [scope for scope in feature.needs if self._has(scope) is False]
        if lacking:
            state = WRONG if feature.name in self.features else OFF
            are = "is" if len(lacking) == 1 else "are"
            advice = f" Make a new refresh token with all scopes: {self._connect()}" if state == WRONG else ""
            return Finding(f"feature {feature.name}", state, f"Cannot {feature.does}: {', '.join(lacking)} {are} not granted.{advice}")
        if all(self._has(scope) for scope in feature.needs):
            return Finding(f"feature {feature.name}", OK, f"Can {feature.does}.")
        return Finding(f"feature {feature.name}", UNKNOWN, f"To {feature.does}: Zoho does not tell about all scopes.")

    def _connect(self) -> str:
        """Return the command that makes a refresh token for the features that must work."""
        features = dict.fromkeys((*USUAL_FEATURES, *self.features))
        more = f" --features {','.join(features)}" if len(features) > len(USUAL_FEATURES) else ""
        return f"python -m airflow_provider_zcrm connect {CONN_ID} --replace{more}"

    def _scope(self, scope: str) -> Finding:
        features = [feature.name for feature in FEATURES.values() if scope in feature.needs]
        purpose = f"for {', '.join(features)}"
        if self._has(scope):
            return Finding(scope, OK, f"Granted, {purpose}.")
        if self._has(scope) is None:
            return Finding(scope, UNKNOWN, f"Zoho does not tell before it is used, {purpose}.")
        wanted = bool(set(features) & set(self.features))
        return Finding(scope, WRONG if wanted else OFF, f"Not granted, {purpose}.", detail=not wanted)

    def _has(self, scope: str) -> bool | None:
        """Return whether the token has a scope: as a call has shown, or else as Zoho has said; None if neither."""
        return self._shown.get(scope, granted(self._told, scope) if self._told else None)

    def _credits(self) -> Finding:
        left = count_of(self._headers.get("x-api-credits-remaining", ""))
        if left is None:
            return Finding("credits", OK, "More than half of the org's API credits of 24 hours are left: Zoho names them only below that.")
        state = WARNING if left < LOW else OK
        return Finding("credits", state, f"{left:,} API credits are left to the org for these 24 hours.")

    def _clock(self) -> Finding:
        ahead = self._clock_ahead
        if ahead is None:
            return Finding("clock", UNKNOWN, "Zoho's answers do not tell the time.")
        if abs(ahead) <= _SKEW:
            return Finding("clock", OK, f"This machine's clock and Zoho's are at most {max(1, round(abs(ahead)))} s apart.")
        way = "ahead of" if ahead > 0 else "behind"
        sentence = f"This machine's clock is {_duration(abs(ahead))} {way} Zoho's: ages of tags and deadlines are wrong by as much. Set it."
        return Finding("clock", WARNING, sentence)

    def _try(self, scope: str, call: ApiCall[T]) -> T | None:
        """Return the value of a call, None if the token lacks the scope for it."""
        try:
            with ZohoCrmClient(self.config, NO_RETRIES) as client:
                value = client.send_with(ApiCall(call.request, lambda response: self._read(call, response)), self._token)
        except ScopeMissing:
            self._shown[scope] = False
            return None
        self._shown[scope] = True
        return value

    def _read(self, call: ApiCall[T], response: ApiResponse) -> T:
        self._headers = response.headers
        with suppress(KeyError, TypeError, ValueError, OverflowError):
            self._clock_ahead = time.time() - parsedate_to_datetime(response.headers["date"]).timestamp()
        return call.parse(response)


def environment_of(config: ClientConfig, token: str) -> str | None:
    """Return the environment, other than the connection's, in which a token is accepted, None if there is none."""
    # hosts of the connection's own are the same for every environment
    others = [name for name in ENVIRONMENTS if name != config.hosts.environment and not config.hosts.overridden]
    for environment in others:
        elsewhere = at(config, environment=environment)
        with suppress(TokenRejected, RetryableError):
            Examination(elsewhere, token, (), ()).start()
            return environment
    return None


def named(findings: Iterable[Finding], conn_id: str) -> list[Finding]:
    """Return findings whose advice names the connection."""
    return [replace(finding, sentence=finding.sentence.replace(CONN_ID, conn_id)) for finding in findings]


def as_json(findings: Collection[Finding]) -> list[dict[str, Any]]:
    """Return findings as JSON values."""
    return [{"subject": finding.subject, "state": finding.state, "text": finding.sentence} for finding in findings]


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{round(seconds)} s" if seconds < 120 else f"{minutes} min" if minutes < 120 else f"{minutes / 60:.0f} h"
