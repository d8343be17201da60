"""Backtest: which recent messages other rules would have answered differently."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from bot.inbox.messages import Message
from bot.logs import redact
from bot.rules.engine import FALLBACK, RuleSet, rank

#: `gained`: now answered; `changed`: answered by another rule; `lost`: no longer answered.
Effect = Literal["gained", "changed", "lost"]

_MAX_EXAMPLES: Final = 3


@dataclass(frozen=True, slots=True)
class Shift:
    """Messages that moved from one rule to another."""

    before: str | None
    """The rule that answers now or answered at the time: its id, FALLBACK, or None for no answer."""
    after: str | None
    """The rule of the new file, likewise."""
    times: int
    examples: tuple[str, ...]
    """A few of the messages, redacted, each spelling once."""

    @property
    def effect(self) -> Effect:
        """The effect on the customer; a move between the fallback and no answer is `changed`."""
        was, is_now = _is_rule(self.before), _is_rule(self.after)
        if was == is_now:
            return "changed"
        return "gained" if is_now else "lost"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The effect of a rules file on messages."""

    messages: int
    oldest_at: float | None
    """Seconds since 1970; None without messages, as is `newest_at`."""
    newest_at: float | None
    shifts: tuple[Shift, ...]
    """The most frequent first; unchanged messages are in none."""

    def count(self, effect: Effect) -> int:
        """Return the number of messages with that effect."""
        return sum(shift.times for shift in self.shifts if shift.effect == effect)

    @property
    def same(self) -> int:
        """The number of messages that the same rule answers as before."""
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
    """Messages that it answers now, by the rule that did before; the most frequent first, as in `lost`."""
    lost: tuple[Shift, ...]
    """Messages that it answered before, by the rule that does now."""

    @property
    def gains(self) -> int:
        """The number of messages it gains."""
        return sum(shift.times for shift in self.gained)

    @property
    def losses(self) -> int:
        """The number of messages it loses."""
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
    Return how *rules* would have answered *messages* (newest first), each at its own time and OA.

    The answers are compared with those of the rules *in_force* or, if None, with the decisions at the time. Only the
    rules are compared, not their images; cooldowns are ignored.
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
