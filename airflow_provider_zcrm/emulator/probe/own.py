"""All that the probe makes and deletes goes through here: one gate, directly before every call that could take something away.

The gate lists the module as it is now. A tag passes only if it stands there under the id that the probe was given for it, and with the
probe's own name; a record likewise. An id that has another name by now belongs to whoever renamed it, and is left. What was there before
the run never passes, whatever a server answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_zcrm.emulator.model import ID_LENGTH, NAME_FIELDS
from airflow_provider_zcrm.emulator.probe.calls import Calls, Reply
from airflow_provider_zcrm.emulator.probe.names import MAX_RECORDS, MAX_TAGS, is_own, name_of

MASS_DELETE = "/settings/tags/actions/mass_delete"
PAGE = 200


class Unclear(Exception):
    """The gate lets nothing pass, or an answer leaves open what is there; the message says why."""


@dataclass
class Own:
    """What one run has in one module: `tags` and `records` that it made, and the tags that were there `before` (id -> name).

    `renamed` are those that somebody gave another name since; `empty` is the reading of ``empty_tags``, if the list was seen without tags;
    `in_restore` are the records that the recycle bin may still give back.
    """

    calls: Calls
    prefix: str
    module: str
    module_id: str
    before: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    records: dict[str, str] = field(default_factory=dict)
    allowed_count: int | None = None
    record_limit: int | None = None
    renamed: dict[str, str] = field(default_factory=dict)
    empty: str = ""
    in_restore: set[str] = field(default_factory=set)

    # --- tags

    async def list_tags(self) -> dict[str, str]:
        """Return all tags of the module as they are now: id -> name.

        :raises Unclear: the answer is no list of tags
        """
        reply = await self.calls.get("/settings/tags", module=self.module)
        if reply.status == 204:
            self.empty = "204"
            return {}
        tags = reply.elements("tags")
        if reply.status != 200 or not isinstance(reply.body, dict) or "tags" not in reply.body or len(tags) != len(reply.body["tags"]):
            raise Unclear(f"the tags of {self.module} cannot be listed: HTTP {reply.status} {reply.code}")
        listed = {str(tag.get("id")): str(tag.get("name")) for tag in tags}
        if not all(is_id(tag_id) for tag_id in listed):
            raise Unclear(f"the list of the tags of {self.module} has a tag whose id is none")
        if not tags:
            self.empty = "list"
        info = reply.body.get("info")
        if isinstance(info, dict):
            self.allowed_count, self.record_limit = (
                info[name] if isinstance(info.get(name), int) else None for name in ("allowed_count", "record_limit")
            )
        return listed

    async def make_tags(self, numbers: list[int], **more: object) -> Reply:
        """Create tags with these numbers; each counts as made only if its answer names a new id."""
        if len({*self.tags.values(), *(name_of(self.prefix, number) for number in numbers)}) > MAX_TAGS:
            raise Unclear(f"a run makes at most {MAX_TAGS} tags")
        reply = await self.calls.post(
            "/settings/tags", {"tags": [{"name": name_of(self.prefix, number), **more} for number in numbers]}, module=self.module
        )
        self._note(reply.elements("tags"), [name_of(self.prefix, number) for number in numbers], self.tags)
        return reply

    async def find_tags_made(self) -> None:
        """Note the tags that were made though no answer named them."""
        self.tags |= {tag_id: name for tag_id, name in (await self.list_tags()).items() if self._new(tag_id, name)}

    def _new(self, item_id: str, name: str) -> bool:
        return item_id not in self.before and is_own(self.prefix, name)

    def _note(self, elements: list[dict[str, Any]], names: list[str], made: dict[str, str]) -> None:
        for element, name in zip(elements, names, strict=False):
            details = element.get("details")
            made_id = str(details.get("id")) if element.get("status") == "success" and isinstance(details, dict) else ""
            if is_id(made_id) and made_id not in self.before:
                made[made_id] = name

    async def deletable_tags(self, ids: Iterable[str] | None = None) -> list[str]:
        """Return those of the ids (None: of all tags) that are the run's own and in the module now."""
        listed = await self.list_tags()
        wanted = list(listed if ids is None else ids)
        own = [tag_id for tag_id in wanted if tag_id in listed and self._new(tag_id, listed[tag_id])]
        self.renamed |= {tag_id: listed[tag_id] for tag_id in self.tags if tag_id in listed and not is_own(self.prefix, listed[tag_id])}
        return own

    async def submit(self, ids: list[str], *, module_id: object = None) -> Reply:
        """Submit a mass delete of tags that the run made; one that is gone from the list may be among them.

        :raises Unclear: one of them was never made by this run, or has another name now
        """
        await self._check_tags(ids, gone_too=True)
        module = {"id": self.module_id if module_id is None else module_id, "api_name": self.module}
        return await self.calls.post(MASS_DELETE, {"mass_delete": [{"module": module, "tags": [{"id": tag_id} for tag_id in ids]}]})

    async def _check_tags(self, ids: list[str], *, gone_too: bool = False) -> None:
        listed = await self.list_tags()
        for tag_id in ids:
            name = listed.get(tag_id, self.tags.get(tag_id) if gone_too else None)
            if tag_id not in self.tags or name is None or not self._new(tag_id, name):
                raise Unclear(f"a tag is not the probe's own any more: it is called {name!r}")
        if not ids:
            raise Unclear("there is no tag of the probe's own for it")

    async def delete_tag(self, tag_id: str) -> Reply:
        """Delete one tag; see `deletable_tags`, which must have named it.

        :raises Unclear: it is not the run's own now
        """
        if await self.deletable_tags([tag_id]) != [tag_id]:
            raise Unclear(f"tag {tag_id} is not the probe's own any more")
        return await self.calls.delete(f"/settings/tags/{tag_id}")

    async def merge(self, tag_id: str, conflict_id: str) -> Reply:
        """Merge two tags of the run's own."""
        await self._check_tags([tag_id, conflict_id])
        return await self.calls.post(f"/settings/tags/{tag_id}/actions/merge", {"tags": [{"conflict_id": conflict_id}]})

    # --- records

    @property
    def name_field(self) -> str:
        """Return the field that holds the name of a record of the module."""
        return NAME_FIELDS.get(self.module, "Name")

    async def newest_records(self, pages: int = 1) -> dict[str, str]:
        """Return the module's newest records: id -> name.

        :raises Unclear: the answer is no list of records
        """
        found: dict[str, str] = {}
        for page in range(1, pages + 1):
            order = {"sort_by": "Created_Time", "sort_order": "desc", "approved": "both"}
            new = self._records_of(await self._get_records(per_page=str(PAGE), page=str(page), **order))
            found |= new
            if len(new) < PAGE:
                break
        return found

    async def _get_records(self, **query: str) -> Reply:
        return await self.calls.get(f"/{self.module}", fields=f"{self.name_field},Tag", **query)

    def _records_of(self, reply: Reply) -> dict[str, str]:
        if reply.status == 204:
            return {}
        if reply.status != 200 or not isinstance(reply.body, dict) or "data" not in reply.body:
            raise Unclear(f"the records of {self.module} cannot be read: HTTP {reply.status} {reply.code}")
        records = {str(record.get("id")): str(record.get(self.name_field)) for record in reply.elements("data")}
        return {record_id: name for record_id, name in records.items() if is_id(record_id)}

    async def read_records(self, ids: list[str]) -> Reply:
        """Read records of the run's own with their tags."""
        return await self._get_records(ids=",".join(ids), approved="both")

    async def make_records(self, number: int) -> Reply:
        """Make records without letting a workflow know; each counts as made only if its answer names an id."""
        first = len(self.records) + 1
        if first + number - 1 > MAX_RECORDS:
            raise Unclear(f"a run makes at most {MAX_RECORDS} records")
        names = [name_of(self.prefix, first + offset) for offset in range(number)]
        company = {"Company": self.prefix.rstrip("-")} if self.module == "Leads" else {}
        reply = await self.calls.post(f"/{self.module}", {"data": [{self.name_field: name} | company for name in names], "trigger": []})
        self._note(reply.elements("data"), names, self.records)
        return reply

    async def keep_only_own_records(self) -> None:
        """Forget the records that do not stand in the module with the probe's own name, whatever the answer to their making said."""
        names = self._records_of(await self.read_records(list(self.records))) if self.records else {}
        self.records = {record_id: name for record_id, name in self.records.items() if names.get(record_id) == name}

    async def deletable_records(self, ids: list[str]) -> list[str]:
        """Return those of the ids that are records with the probe's own name now."""
        names = self._records_of(await self.read_records(ids)) if ids else {}
        self.renamed |= {record_id: name for record_id, name in names.items() if not is_own(self.prefix, name)}
        return [record_id for record_id in ids if is_own(self.prefix, names.get(record_id))]

    async def delete_records(self, ids: list[str], *, gone: list[str] | None = None) -> Reply:
        """Delete records of the run's own; `gone` are ids of records that it made and has deleted before, which stand in front.

        :raises Unclear: one of them has another name now, or was not made by this run
        """
        everything = [*(gone or []), *ids]
        there = await self.deletable_records(everything)
        if not ids or not set(ids) <= set(there) or not set(gone or []) <= self.records.keys() or self.renamed.keys() & set(everything):
            raise Unclear("a record is not the probe's own any more")
        return await self.calls.post(f"/{self.module}/actions/mass_delete", {"ids": everything})

    async def restore_record(self, record_id: str) -> Reply:
        """Take a record of the run's own, which it has deleted, out of the recycle bin.

        :raises Unclear: the run did not make it
        """
        if record_id not in self.records:
            raise Unclear("a record is not the probe's own")
        self.in_restore.add(record_id)
        return await self.calls.post("/settings/recycle_bin/actions/restore", {"ids": [record_id]})

    async def add_tags(self, records: list[str], tags: list[dict[str, str]]) -> Reply:
        """Put tags of the run's own on its own records."""
        if not set(records) <= self.records.keys():
            raise Unclear("a record is not the probe's own")
        for tag in tags:
            if not (tag.get("id") in self.tags or is_own(self.prefix, tag.get("name"))):
                raise Unclear("a tag is not the probe's own")
        return await self.calls.post(f"/{self.module}/actions/add_tags", {"tags": tags, "ids": records})


def is_id(text: str) -> bool:
    """Return whether a text can be an id; anything else must be in no path and in no body."""
    return text.isascii() and text.isdecimal() and 0 < len(text) <= ID_LENGTH
