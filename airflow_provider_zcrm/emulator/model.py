"""What a Zoho CRM holds, as far as the emulator goes: orgs, their modules, tags, records, views, tokens and jobs.

Times are seconds since the epoch; ids are strings of 19 digits that start with the prefix of their org, as in Zoho's samples.
Everything here is plain data, so that `codec` can write it to a state file and read it back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

ID_LENGTH = 19
NAME_FIELDS = {
    "Leads": "Last_Name",
    "Contacts": "Last_Name",
    "Accounts": "Account_Name",
    "Deals": "Deal_Name",
    "Campaigns": "Campaign_Name",
    "Products": "Product_Name",
    "Vendors": "Vendor_Name",
}


@dataclass
class User:
    """Somebody who created or changed a tag."""

    id: str
    name: str


@dataclass
class Feature:
    """A use of a tag that forbids its deletion; `type` is ``Workflow``, ``Blueprint``, ``Orchestration`` or ``Custom View``."""

    type: str
    name: str
    id: str


@dataclass
class Tag:
    """A tag of one module. `vanishes_at` is set once a job has deleted it and the list still shows it."""

    id: str
    name: str
    color_code: str | None
    created_time: float
    modified_time: float
    created_by: User
    modified_by: User
    last_accessed_time: float | None = None
    features: list[Feature] = field(default_factory=list)
    vanishes_at: float | None = None


@dataclass
class CustomView:
    """A custom view; `records` are the ids it shows, or None for all records of the module. `counted` is the last count given out."""

    id: str
    name: str
    records: list[str] | None = None
    counted: int = 0
    counted_at: float | None = None


@dataclass
class InBin:
    """A record in the recycle bin, with the tags that it had."""

    tags: list[str]
    deleted_at: float


@dataclass
class Restore:
    """A restore of records that runs in the background until its end; Zoho gives it no id."""

    ids: list[str]
    ends_at: float


@dataclass
class Module:
    """A module with its tags (by id) and its records (id -> ids of their tags, in the order of the ids).

    Records are changed through the methods alone: `tag_counts` (tag -> records) is kept beside them, so that a count costs nothing.
    """

    id: str
    api_name: str | None
    module_name: str
    singular_label: str
    plural_label: str
    generated_type: str = "default"
    status: str = "visible"
    tags_supported: bool = True
    mass_delete_supported: bool = True
    bulk_read_supported: bool = True
    modified_time: float | None = None
    tags: dict[str, Tag] = field(default_factory=dict)
    records: dict[str, list[str]] = field(default_factory=dict)
    tag_counts: dict[str, int] = field(default_factory=dict)
    converted_records: list[str] = field(default_factory=list)
    unapproved_records: list[str] = field(default_factory=list)
    locked_records: list[str] = field(default_factory=list)
    refusing_records: dict[str, str] = field(default_factory=dict)
    record_names: dict[str, str] = field(default_factory=dict)
    refusing_restores: dict[str, str] = field(default_factory=dict)
    children: dict[str, int] = field(default_factory=dict)
    recycle_bin: dict[str, InBin] = field(default_factory=dict)
    custom_views: dict[str, CustomView] = field(default_factory=dict)

    @property
    def name_field(self) -> str:
        """Return the field that holds the name of a record."""
        return NAME_FIELDS.get(str(self.api_name), "Name")

    def name_of(self, record_id: str) -> str:
        """Return the name of a record; one that was made without a name has its id in it."""
        return self.record_names.get(record_id, f"Record {record_id}")

    @property
    def scope_name(self) -> str:
        """Return the module's name in scopes."""
        return "custom" if self.generated_type == "custom" else str(self.api_name).lower()

    def add_records(self, records: dict[str, list[str]]) -> None:
        """Add records with their tags, or give new tags to those that are there."""
        for record_id, tag_ids in records.items():
            self._count(self.records.get(record_id, []), -1)
            self._count(tag_ids, 1)
            self.records[record_id] = tag_ids
            self.recycle_bin.pop(record_id, None)
        self.records = dict(sorted(self.records.items(), key=lambda record: int(record[0])))

    def set_tags(self, record_id: str, tag_ids: list[str]) -> None:
        """Replace the tags of a record that is there."""
        self._count(self.records[record_id], -1)
        self._count(tag_ids, 1)
        self.records[record_id] = tag_ids

    def drop_record(self, record_id: str, moment: float) -> bool:
        """Move a record to the recycle bin; tells whether it was there."""
        tag_ids = self.records.pop(record_id, None)
        if tag_ids is None:
            return False
        self._count(tag_ids, -1)
        self.recycle_bin[record_id] = InBin(tag_ids, moment)
        return True

    def restore_records(self, record_ids: Iterable[str]) -> None:
        """Move records out of the recycle bin, with those of their tags that are still there."""
        entries = {record_id: self.recycle_bin[record_id].tags for record_id in record_ids}
        self.add_records({record_id: [tag for tag in tags if tag in self.tags] for record_id, tags in entries.items()})

    def _count(self, tag_ids: list[str], more: int) -> None:
        for tag_id in tag_ids:
            self.tag_counts[tag_id] = self.tag_counts.get(tag_id, 0) + more

    def tag_named(self, name: str) -> Tag | None:
        """Find a tag by its name, which is case-sensitive."""
        return next((tag for tag in self.tags.values() if tag.name == name), None)


@dataclass
class Territory:
    """A territory: the ids of its records, and the territory above it."""

    id: str
    name: str
    records: list[str] = field(default_factory=list)
    parent: str | None = None


@dataclass
class Job:
    """A mass delete of tags or of records: when it runs, what it is to do, and how far it has come.

    `delete_at_most` is set for a job that ends as FAILED: it deletes that many items and no more.
    """

    id: str
    kind: str
    module: str
    items: list[str]
    created_at: float
    starts_at: float
    ends_at: float
    appears_at: float
    forgotten_at: float | None = None
    removal_lag: float = 0.0
    failing: list[str] = field(default_factory=list)
    delete_at_most: int | None = None
    cvid: str | None = None
    deleted: int = 0
    failed: int = 0

    @property
    def done(self) -> int:
        """Count the items that were dealt with, in either way."""
        return self.deleted + self.failed

    @property
    def finished(self) -> bool:
        """Return whether every item was dealt with."""
        return self.done == len(self.items)


@dataclass
class BulkRead:
    """A bulk read job. `query` is what it was asked for; `csv` is the file, from the end of the job until it expires."""

    id: str
    module: str
    query: dict[str, Any]
    page: int
    user: User
    created_at: float
    starts_at: float
    ends_at: float
    fails: bool = False
    missing: int = 0
    done: bool = False
    count: int = 0
    next_page_token: str | None = None
    csv: str | None = None


@dataclass
class PageToken:
    """A token for the next page of something: good for one user, for `request` as it was, until it expires."""

    user_id: str
    request: dict[str, Any]
    after: str
    seen: int
    expires_at: float


@dataclass
class Org:
    """One org of one environment. The `None` fields follow from the edition, or from the data centre (`api_domain`)."""

    zgid: str
    name: str
    id_prefix: str
    edition: str = "Enterprise"
    environment: str = "production"
    data_center: str = "us"
    utc_offset: str = "+05:30"
    users: int = 10
    api_domain: str | None = None
    concurrency: int | None = None
    credits: int | None = None
    tags_per_module: int | None = None
    tags_per_record: int | None = None
    bulk_read_page: int = 200_000
    records_by_token: int = 100_000
    missing_permissions: list[str] = field(default_factory=list)
    owner: User = field(default_factory=lambda: User("", ""))
    modules: list[Module] = field(default_factory=list)
    territories: dict[str, Territory] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    bulk_reads: dict[str, BulkRead] = field(default_factory=dict)
    page_tokens: dict[str, PageToken] = field(default_factory=dict)
    downloads: list[float] = field(default_factory=list)
    deleted_tags: list[str] = field(default_factory=list)
    restores: list[Restore] = field(default_factory=list)
    last_serial: int = 10_000_000

    def new_id(self) -> str:
        """Return an id that this org has not used yet."""
        self.last_serial += 1
        return self.id_of(self.last_serial)

    def id_of(self, serial: int) -> str:
        """Return the id of the org with this serial number."""
        return self.id_prefix + str(serial).rjust(ID_LENGTH - len(self.id_prefix), "0")

    def module_named(self, api_name: str) -> Module | None:
        """Find a module by its API name, which is case-sensitive."""
        return next((module for module in self.modules if module.api_name == api_name), None)

    def module_with_id(self, module_id: str) -> Module | None:
        """Find a module by its id."""
        return next((module for module in self.modules if module.id == module_id), None)

    def module_of_tag(self, tag_id: str) -> Module | None:
        """Find the module that holds a tag; a tag belongs to exactly one."""
        return next((module for module in self.modules if tag_id in module.tags), None)


@dataclass
class OAuthClient:
    """A client of Zoho's API console. A `redirect_uri` makes it a web client, whose code exchange must repeat it.

    It is known in its own data centre, and in those for which `secrets` holds its secret there (data centre -> secret).
    """

    client_id: str
    client_secret: str
    data_center: str = "us"
    redirect_uri: str | None = None
    client_credentials: bool = True
    secrets: dict[str, str] = field(default_factory=dict)

    def secret_in(self, data_center: str | None) -> str | None:
        """Return the client's secret in a data centre, or in its own if that is not given; None where it is not known."""
        return self.client_secret if data_center in (None, self.data_center) else self.secrets.get(data_center or "")


@dataclass
class RefreshToken:
    """A refresh token; it never expires by time."""

    token: str
    client_id: str
    zgid: str
    scopes: list[str]
    user_id: str
    created_at: float = 0.0


@dataclass
class GrantCode:
    """A code of the console's "Generate Code" tab: one use, three minutes unless it was made otherwise."""

    code: str
    client_id: str
    zgid: str
    scopes: list[str]
    expires_at: float
    used: bool = False


@dataclass
class AccessToken:
    """An access token; `source` is the refresh token, or the client and org of a client_credentials grant."""

    token: str
    source: str
    client_id: str
    zgid: str
    scopes: list[str]
    user_id: str
    expires_at: float


@dataclass
class State:
    """All that a state file keeps."""

    orgs: dict[str, Org] = field(default_factory=dict)
    clients: dict[str, OAuthClient] = field(default_factory=dict)
    refresh_tokens: dict[str, RefreshToken] = field(default_factory=dict)
    grant_codes: dict[str, GrantCode] = field(default_factory=dict)
    access_tokens: dict[str, AccessToken] = field(default_factory=dict)
    token_requests: dict[str, list[float]] = field(default_factory=dict)
    credits_used: dict[str, list[list[float]]] = field(default_factory=dict)
    readings: dict[str, str] = field(default_factory=dict)
    job_defaults: dict[str, Any] = field(default_factory=dict)
    bulk_read_defaults: dict[str, Any] = field(default_factory=dict)
    clock_offset: float = 0.0
