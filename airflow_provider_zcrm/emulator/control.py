"""`Control`: the control endpoint from Python, for tests in this process or in another."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

TIMEOUT = 30.0


class ControlError(Exception):
    """The emulator refused an order; the message is its own."""


class Control:
    """Orders to a running emulator, each one request to ``<url>/_control/...``."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/_control"
        # A proxy of the environment must not stand between a test and its emulator
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def overview(self) -> dict[str, Any]:
        """Return the emulator's time, orgs, plans and readings."""
        return self._object("GET", "")

    def seed(self, seed: str | dict[str, Any]) -> None:
        """Start again with a built-in seed, the path of a JSON file, or a seed as a dict."""
        self._order("POST", "/seed", {"seed": seed})

    def fault(self, kind: str, path: str = "", **order: Any) -> int:
        """Order a fault (see `faults.Fault` for the fields) and return its number."""
        made: int = self._order("POST", "/faults", {"kind": kind, "path": path, **order})["id"]
        return made

    def faults(self) -> list[dict[str, Any]]:
        """Return all faults with how often each was seen and used."""
        return self._list("GET", "/faults")

    def clear_faults(self) -> None:
        """Drop all faults."""
        self._order("DELETE", "/faults")

    def counters(self) -> dict[str, Any]:
        """Return the counts since the start or the last reset."""
        return self._object("GET", "/counters")

    def reset_counters(self) -> None:
        """Set all counts to zero and empty the log of requests."""
        self._order("DELETE", "/counters")

    def requests(self, path: str = "", method: str | None = None) -> list[dict[str, Any]]:
        """Return the log of requests whose path contains `path`."""
        log = self._order("GET", "/requests")
        return [entry for entry in log if path in entry["path"] and method in (None, entry["method"])]

    def readings(self, **changes: object) -> dict[str, str]:
        """Change readings, and return all of them."""
        return self._object("PATCH", "/readings", changes)

    def advance(self, seconds: float) -> None:
        """Move the emulator's clock forward."""
        self._order("POST", "/clock", {"advance": seconds})

    def freeze(self) -> None:
        """Stop the emulator's clock, so that time passes only with `advance`, until `unfreeze` or a new seed."""
        self._order("POST", "/clock", {"frozen": True})

    def unfreeze(self) -> None:
        """Let the emulator's clock go on from where it stands."""
        self._order("POST", "/clock", {"frozen": False})

    def jobs(self, **plan: Any) -> None:
        """Change how jobs go from now on (see `jobs.JobPlan` for the fields)."""
        self._order("PATCH", "/jobs/default", plan)

    def next_jobs(self, times: int = 1, **plan: Any) -> None:
        """Say how the next `times` jobs go."""
        self._order("POST", "/jobs/next", {"times": times, **plan})

    def bulk_reads(self, **plan: Any) -> None:
        """Change how bulk reads go from now on (see `bulk_reads.BulkReadPlan` for the fields)."""
        self._order("PATCH", "/bulk_reads/default", plan)

    def next_bulk_reads(self, times: int = 1, **plan: Any) -> None:
        """Say how the next `times` bulk reads go."""
        self._order("POST", "/bulk_reads/next", {"times": times, **plan})

    def latency(self, seconds: float) -> None:
        """Let every request take this long."""
        self._order("POST", "/latency", {"seconds": seconds})

    def grant_code(self, **fields: Any) -> str:
        """Make a grant code (``zgid``, ``client_id``, ``scopes``, ``lifetime`` in seconds) and return it."""
        made: str = self._order("POST", "/grant_codes", fields)["code"]
        return made

    def evict_access_tokens(self) -> None:
        """Invalidate all access tokens."""
        self._order("DELETE", "/access_tokens")

    def orgs(self) -> list[dict[str, Any]]:
        """Return all orgs without their records."""
        return self._list("GET", "/orgs")

    def org(self, zgid: str | None = None, *, records: bool = False) -> dict[str, Any]:
        """Return one org, by default the first; with `records` also the tags of every record."""
        return self._object("POST", "/org", {"records": records, **_named(zgid)})

    def change_org(self, zgid: str | None = None, **settings: Any) -> None:
        """Change an org's edition, limits, environment, ``api_domain`` or missing permissions."""
        self._order("PATCH", "/org", {**settings, **_named(zgid)})

    def add_tags(self, module: str, tags: list[Any], zgid: str | None = None) -> list[str]:
        """Add tags (names, or dicts as in a seed) past the API, and return their ids."""
        return self._list("POST", "/tags", {"module": module, "tags": tags, **_named(zgid)})

    def remove_tags(self, module: str, ids: list[str], zgid: str | None = None) -> None:
        """Remove tags past the API, as a person in the browser might."""
        self._order("DELETE", "/tags", {"module": module, "ids": ids, **_named(zgid)})

    def use_tags(self, module: str, ids: list[str], features: list[dict[str, str]], zgid: str | None = None) -> None:
        """Let features (``{"type": "Workflow", "name": ...}``) use tags, so that they cannot be deleted; an empty list lets none."""
        self._order("PATCH", "/tags", {"module": module, "ids": ids, "features": features, **_named(zgid)})

    def records(self, module: str, zgid: str | None = None) -> list[str]:
        """Return the ids of the records that a module has now."""
        found = next(item for item in self.org(zgid, records=True)["modules"] if item["api_name"] == module)
        return list(found["records"])

    def tags(self, module: str, zgid: str | None = None) -> dict[str, str]:
        """Return the tags that a module has now: name -> id."""
        found = next(item for item in self.org(zgid)["modules"] if item["api_name"] == module)
        return {tag["name"]: tag["id"] for tag in found["tags"]}

    def add_records(self, module: str, records: Any, zgid: str | None = None) -> list[str]:
        """Add records past the API and return the ids of the new ones.

        `records` is their number, ``{"number": n, "tags_each": k}``, or a list as in a seed; an id in it stands for a record without tags,
        perhaps one restored from the recycle bin, and leaves a record that is there as it is.
        """
        return self._list("POST", "/records", {"module": module, "records": records, **_named(zgid)})

    def recycle_bin(self, module: str, zgid: str | None = None) -> list[str]:
        """Return the ids of the module's records that are in the recycle bin now."""
        found = next(item for item in self.org(zgid)["modules"] if item["api_name"] == module)
        return list(found["recycle_bin"])

    def empty_bin(self, module: str, ids: list[str], zgid: str | None = None) -> None:
        """Delete records for good, as a person who empties the recycle bin would."""
        self._order("DELETE", "/recycle_bin", {"module": module, "ids": ids, **_named(zgid)})

    def tag_records(
        self, module: str, ids: list[str], add: Sequence[str] = (), remove: Sequence[str] = (), zgid: str | None = None
    ) -> None:
        """Put tags (by name) on records and take others off past the API, as a person in the browser might."""
        self._order("PATCH", "/records", {"module": module, "ids": ids, "add": list(add), "remove": list(remove), **_named(zgid)})

    def tagged(self, module: str, zgid: str | None = None) -> dict[str, list[str]]:
        """Return the ids of the records of each tag, by the tag's name."""
        return self._object("POST", "/tagged", {"module": module, **_named(zgid)})

    def _object(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer: dict[str, Any] = self._order(method, path, body)
        return answer

    def _list(self, method: str, path: str, body: dict[str, Any] | None = None) -> list[Any]:
        answer: list[Any] = self._order(method, path, body)
        return answer

    def _order(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data=data, method=method)  # noqa: S310 - the URL is the emulator's
        try:
            with self._opener.open(request, timeout=TIMEOUT) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise ControlError(json.load(error)["error"]) from None


def _named(zgid: str | None) -> dict[str, str]:
    return {} if zgid is None else {"zgid": zgid}
