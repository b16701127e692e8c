"""What a user should hear of the records: names of fields, and how often each was met."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

_MOST_NAMES = 20
_LONGEST_NAME = 200


class Tally(dict[str, int]):
    """How often something was met, by name: the first twenty names, and all others together.

    A response may hold a million names of fields. Names are cut at 200 characters.
    """

    others = 0
    """How often it was met under further names."""

    def add(self, name: str, times: int = 1) -> None:
        """Count what was met under ``name``."""
        name = name[:_LONGEST_NAME]
        if name in self or len(self) < _MOST_NAMES:
            self[name] = self.get(name, 0) + times
        else:
            self.others += times


@dataclass
class Counts:
    """What was met in records so far."""

    new_fields: Tally = field(default_factory=Tally)
    """Fields that the table does not know, by name: the records that have them."""
    misfits: Tally = field(default_factory=Tally)
    """Values that do not fit their column, by column."""
    missing_ids: Tally = field(default_factory=Tally)
    """Ids emitted as empty text, by column; those that did not fit are among them."""
    replaced: Tally = field(default_factory=Tally)
    """Characters replaced with U+FFFD, by column, or by field in ``AdditionalFields``."""
    numbers_as_text: Tally = field(default_factory=Tally)
    """Numbers that stand as text in ``AdditionalFields``, by field."""
    lenient: set[date] = field(default_factory=set)
    """Days of whose responses a part was not strict JSON."""
