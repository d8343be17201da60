"""Lint rules for events other than texts: those that another rule always precedes."""

from __future__ import annotations

from collections.abc import Iterator

from bot.rules.linting.conflicts import active_whenever
from bot.rules.model.schema import Rule, RuleFile
from bot.rules.problem import Problem, phrase
from bot.rules.reading.loader import Places


def shadowed_event_rules(file: RuleFile, places: Places) -> Iterator[Problem]:
    """Yield a problem for each rule for an event that never answers because another rule always does."""
    by_event: dict[str, list[tuple[int, Rule]]] = {}
    for index, rule in enumerate(file.rules):
        if rule.enabled and rule.on != "text":
            by_event.setdefault(rule.on, []).append((index, rule))
    for rules in by_event.values():
        ranked = sorted(rules, key=lambda item: (-item[1].priority, item[0]))
        for place, (index, rule) in enumerate(ranked):
            winners = ((n, other) for n, other in ranked[:place] if active_whenever(other, rule))
            if (winner := next(winners, None)) is not None:
                number, other = winner
                why = phrase("why-priority" if other.priority > rule.priority else "why-first")
                line = places.at("rules", number, "id").line
                args = {"word": rule.id, "event": rule.on, "other": other.id}
                yield Problem.at(places.at("rules", index, "id"), "never-wins/event", line=line, why=why, **args)
