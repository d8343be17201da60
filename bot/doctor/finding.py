"""One thing that was looked at, and how it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

Section = Literal["settings", "clock", "database", "rules", "pictures", "vendor", "webhook", "by-hand"]
Level = Literal["fine", "warning", "problem", "unchecked"]

SECTIONS: Final[tuple[Section, ...]] = get_args(Section)


@dataclass(frozen=True, slots=True)
class Finding:
    """How one thing stands; what to say of it, why it matters and what to do is known by its code."""

    section: Section
    level: Level
    code: str
    args: Mapping[str, object] = field(default_factory=dict)
    """What the text names: never a secret, never a customer's words."""


def count(findings: Iterable[Finding], level: Level) -> int:
    """Return how many findings are of that level."""
    return sum(finding.level == level for finding in findings)
