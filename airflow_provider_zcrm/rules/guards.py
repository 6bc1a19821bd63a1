"""Guards: how much one task may delete, however it was chosen; nothing is sent if one is exceeded.

Of the tags and of the records that a module has they allow a number and a share.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from airflow_provider_zcrm.api.errors import InvalidArgument
from airflow_provider_zcrm.rules.arguments import integer_of, shown
from airflow_provider_zcrm.rules.errors import GuardTripped


@dataclass(frozen=True)
class Guards:
    """What one task may delete of a module's tags.

    :param max_tags: the most tags, None for any number.
    :param max_share: the largest share of the module's tags, 0 to 1, as it was written: 0.29 of 100 tags are 29, which floats deny.
    """

    max_tags: int | None
    max_share: Fraction

    @staticmethod
    def of(max_tags: Any, max_share: Any) -> Guards:
        """Return the guards that a user asks for, in numbers or in the text that a template made of them.

        :raises InvalidArgument: names the argument, and what is allowed
        """
        return Guards(None if max_tags is None else integer_of(max_tags, "max_tags", 0), share_of(max_share, "max_share"))

    def check(self, wanted: int, existing: int, module: str) -> None:
        """Judge the delete of ``wanted`` of the ``existing`` tags of a module, before anything is sent.

        :raises GuardTripped: names the numbers, and the arguments that would allow it
        """
        exceeded, needed = [], []
        if self.max_tags is not None and wanted > self.max_tags:
            exceeded.append(f"max_tags={self.max_tags}")
            needed.append(f"max_tags={wanted}")
        if wanted > self.max_share * existing:
            exceeded.append(f"max_share={float(self.max_share):g}, which is {math.floor(self.max_share * existing)} tags,")
            needed.append(f"max_share={math.ceil(Fraction(100 * wanted, existing)) / 100}")
        if exceeded:
            raise GuardTripped(
                f"{wanted} of the {existing} tags of {module} would be deleted, and {' and '.join(exceeded)} "
                f"{'forbid' if len(exceeded) > 1 else 'forbids'} that. Nothing was sent.",
                advice=f"If all of them are meant to go: {' and '.join(needed)}.",
            )


@dataclass(frozen=True)
class RecordGuards:
    """What one task may delete of a module's records.

    :param max_records: the most records, None for any number.
    :param max_share: the largest share of the module's records, 0 to 1.
    """

    max_records: int | None
    max_share: Fraction

    @staticmethod
    def of(max_records: Any, max_share: Any) -> RecordGuards:
        """Return the guards that a user asks for, in numbers or in the text that a template made of them.

        :raises InvalidArgument: names the argument, and what is allowed
        """
        return RecordGuards(max_records_of(max_records), share_of(max_share, "max_share"))

    @property
    def need_share(self) -> bool:
        """Whether the records of the module have to be counted."""
        return self.max_share < 1

    @property
    def need_count(self) -> bool:
        """Whether the records that are to go have to be counted."""
        return self.max_records is not None or self.need_share

    def check(self, number: int, existing: int, what: str, module: str) -> None:
        """Judge a delete before anything is sent.

        :param existing: how many records the module has.
        :raises GuardTripped: names the numbers, and the argument that would allow it
        """
        check_records(number, self.max_records, what)
        if self.need_share and number > self.max_share * existing:
            all_of_it = f"That is all {existing} records of {module}" if number >= existing else f"{module} has {existing} records"
            raise GuardTripped(
                f"{number} records would be deleted ({what}). {all_of_it}, and max_share={float(self.max_share):g} forbids that. "
                "Nothing was sent.",
                advice=f"If all of them are meant to go: max_share={_share_for(number, existing)}.",
            )


def max_records_of(value: Any) -> int | None:
    """Return the most records that a user allows, None for any number.

    :raises InvalidArgument: it is neither None nor a whole number
    """
    return None if value is None else integer_of(value, "max_records", 0)


def check_records(number: int, max_records: int | None, what: str) -> None:
    """Judge a delete before anything is sent.

    :raises GuardTripped: names the numbers, and the argument that would allow it
    """
    if max_records is not None and number > max_records:
        raise GuardTripped(
            f"{number} records would be deleted ({what}), and max_records={max_records} forbids that. Nothing was sent.",
            advice=f"If all of them are meant to go: max_records={number}.",
        )


def _share_for(number: int, existing: int) -> float:
    """Return the smallest share in hundredths that allows a number; all, where the counts are of different moments."""
    return 1.0 if number >= existing else math.ceil(Fraction(100 * number, existing)) / 100


def share_of(value: Any, argument: str) -> Fraction:
    """Return a share as it was written: 0.29 of 100 are 29, which floats deny.

    :raises InvalidArgument: it is not a number from 0 to 1
    """
    text = str(value).strip() if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""
    share = Fraction(text) if re.fullmatch(r"[0-9]{0,9}\.?[0-9]{1,30}(e-[0-9]{1,3})?", text) else None
    if share is None or share > 1:
        raise InvalidArgument(f"{argument} is {shown(value)}.", advice="It is a number from 0 to 1: 0.5 is half of them, 1.0 is all.")
    return share
