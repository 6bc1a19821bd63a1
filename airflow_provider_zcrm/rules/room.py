"""Room for tags: an edition of Zoho CRM allows a module so many, and refuses new ones beyond (``LICENSE_LIMIT_EXCEEDED``).

Zoho: crm/developer/docs/api/v8/get-tag-list.html
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

_NEARLY_FULL = Fraction(9, 10)


@dataclass(frozen=True)
class Room:
    """How many tags a module has, and how many it may have, None where Zoho does not say it."""

    tags: int
    allowed: int | None = None

    @property
    def left(self) -> int | None:
        """How many more tags it may have; None if that is not known."""
        return None if self.allowed is None else max(0, self.allowed - self.tags)

    @property
    def nearly_full(self) -> bool:
        """Whether nine tenths of the allowed tags are there."""
        return self.is_filled_to(_NEARLY_FULL)

    def is_filled_to(self, share: Fraction) -> bool:
        """Return whether this share of the allowed tags is there; False if it is not known how many are allowed."""
        return self.allowed is not None and self.tags >= share * self.allowed

    def sentence(self, module: str) -> str:
        """Return how full the module is."""
        if self.allowed is None:
            return f"{module} has {self.tags} tags; Zoho does not say how many it allows"
        return f"{module} has {self.tags} of the {self.allowed} tags that Zoho allows"
