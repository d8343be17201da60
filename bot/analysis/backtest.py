"""Backtest: which recent messages other rules would have answered differently."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from bot.inbox.messages import Message
from bot.logs import redact
from bot.rules.engine import FALLBACK, RuleSet, rank

#: `gained`: a rule answers now, none did before; `changed`: another answers; `lost`: none does any more.
Effect = Literal["gained", "changed", "lost"]

_MAX_EXAMPLES: Final = 3


@dataclass(frozen=True, slots=True)
class Shift:
    """Messages that went from one rule to another."""

    before: str | None
    """The rule of the rules in force, or that was recorded: its id, FALLBACK, or None for silence."""
    after: str | None
    """The rule that the new file has for them, likewise."""
    times: int
    examples: tuple[str, ...]
    """A few of the messages, masked, each spelling once."""

    @property
    def effect(self) -> Effect:
        """What it means to the customer; between the fallback and silence, something else came."""
        was, is_now = _is_rule(self.before), _is_rule(self.after)
        if was == is_now:
            return "changed"
        return "gained" if is_now else "lost"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a rules file changes for the messages it was tried on."""

    messages: int
    oldest_at: float | None
    """Seconds since 1970; None without messages, as is `newest_at`."""
    newest_at: float | None
    shifts: tuple[Shift, ...]
    """The most frequent first; messages for which nothing changes are in none."""

    def count(self, effect: Effect) -> int:
        """Return how many messages it happens to."""
        return sum(shift.times for shift in self.shifts if shift.effect == effect)

    @property
    def same(self) -> int:
        """How many messages the file answers by the same rule as before."""
        return self.messages - sum(shift.times for shift in self.shifts)


@dataclass(slots=True)
class _ShiftCount:
    times: int = 0
    examples: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RuleShifts:
    """What one rule gains and loses."""

    rule_id: str
    """Or FALLBACK."""
    gained: tuple[Shift, ...]
    """Messages that it answers now, by who did before; the most frequent first, as in `lost`."""
    lost: tuple[Shift, ...]
    """Messages that it answered before, by who does now."""

    @property
    def gains(self) -> int:
        """How many messages it gains."""
        return sum(shift.times for shift in self.gained)

    @property
    def losses(self) -> int:
        """How many messages it loses."""
        return sum(shift.times for shift in self.lost)


def by_rule(comparison: Comparison) -> list[RuleShifts]:
    """Return the rules that gain or lose messages, those that lose most first."""
    gained: dict[str, list[Shift]] = defaultdict(list)
    lost: dict[str, list[Shift]] = defaultdict(list)
    for shift in comparison.shifts:
        if shift.after is not None:
            gained[shift.after].append(shift)
        if shift.before is not None:
            lost[shift.before].append(shift)
    found = [RuleShifts(rule, tuple(gained[rule]), tuple(lost[rule])) for rule in dict.fromkeys([*lost, *gained])]
    return sorted(found, key=lambda one: (-one.losses, -one.gains))


def compare(rules: RuleSet, messages: Iterable[Message], *, in_force: RuleSet | None = None) -> Comparison:
    """
    Return what *rules* would have made of *messages* (newest first), each at its own time and OA.

    They are compared with what the rules *in_force* make of them; without, with what was decided at the time.
    Only rules are compared: not the pictures of a rule, nor what its cooldown would have held back.
    """
    counts: dict[tuple[str | None, str | None], _ShiftCount] = {}
    times = []
    for message in messages:
        times.append(message.happened_at)
        before = message.rule_id if in_force is None else _winning_rule_id(in_force, message)
        after = _winning_rule_id(rules, message)
        if after != before:
            count = counts.setdefault((before, after), _ShiftCount())
            count.times += 1
            if len(count.examples) < _MAX_EXAMPLES:
                count.examples[redact(message.text)] = None
    shifts = (Shift(before, after, count.times, tuple(count.examples)) for (before, after), count in counts.items())
    return Comparison(
        messages=len(times),
        oldest_at=min(times, default=None),
        newest_at=max(times, default=None),
        shifts=tuple(sorted(shifts, key=lambda shift: -shift.times)),
    )


def _winning_rule_id(rules: RuleSet, message: Message) -> str | None:
    winner = rank(rules, message.text, oa_id=message.oa_id, now=message.happened_at).winner
    if winner is not None:
        return rules.file.rules[winner].id
    return FALLBACK if rules.file.fallback else None


def _is_rule(rule_id: str | None) -> bool:
    return rule_id not in {None, FALLBACK}
