"""Statistics of one rule: answers and failures by day, by keyword, and the rules it wins against or loses to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.statistics.hour_counts import CountKey, MatchKey
from bot.inbox.statistics.rollup import count_the_rest, replies_by_rule, start_of_day
from bot.inbox.tables import event_counts, rule_matches

_OUTCOMES = {"rule": "answered", "hour-rule": "answered", "rule-failed": "failed", "rule-undelivered": "undelivered"}


@dataclass(frozen=True, slots=True)
class RuleStatistics:
    """The figures of a rule in a period of whole days."""

    by_day: Mapping[int, Counter[str]]
    """By the start of the day in Vietnam: ``answered``, ``failed`` (its image), ``undelivered`` (any other failure)."""
    keywords: Counter[str]
    """The answers by matched keyword; those of `all_of` joined; empty if it is not known."""
    runners_up: Counter[str]
    """How often each other rule would have answered without it."""
    winners: Counter[str]
    """How often each other rule answered where this one would have answered without it."""

    @property
    def outcomes(self) -> Counter[str]:
        """The outcomes of the whole period."""
        return sum(self.by_day.values(), Counter[str]())


def rule_statistics(database: Database, rule_id: str, since: float, *, now: float) -> RuleStatistics:
    """Return the figures of a rule or FALLBACK from the day of *since* (seconds since 1970) on."""
    first = start_of_day(since)
    found = _Tally(rule_id)
    with database.read() as connection:
        values = {"b_since": first, "b_rule": rule_id}
        for row in connection.execute(_COUNTS_OF_RULE, values):
            found.add_count(CountKey(row.measure, row.starts_at, "", rule_id), int(row.n))
        for row in connection.execute(_MATCHES_OF_RULE, values):
            found.add_match(MatchKey(first, "", row.rule_id, row.keyword, row.runner_up), int(row.n))
        for counted in count_the_rest(connection, first, now=now):
            for key, n in counted.events.items():
                found.add_count(key, n)
            for match, n in counted.matches.items():
                found.add_match(match, n)
    return RuleStatistics(found.by_day, found.keywords, found.runners_up, found.winners)


class RuleCounts(NamedTuple):
    """The figures of all rules and FALLBACK, by rule id."""

    replies: Counter[str]
    """How many events each has answered."""
    failures: Counter[str]
    """How often each failed because its image was at fault."""


def rule_counts(database: Database, since: float, *, now: float) -> RuleCounts:
    """Return the figures of all rules from the day of *since* (seconds since 1970) on."""
    first = start_of_day(since)
    with database.read() as connection:
        replies = replies_by_rule(connection, first)
        failures = Counter({row.name: int(row.n) for row in connection.execute(_FAILURES, {"b_since": first})})
        for counted in count_the_rest(connection, first, now=now):
            for key, n in counted.events.items():
                if key.measure == "hour-rule":
                    replies[key.name] += n
                elif key.measure == "rule-failed":
                    failures[key.name] += n
    return RuleCounts(replies, failures)


class _Tally:
    """Adds up the counts of one rule."""

    def __init__(self, rule_id: str) -> None:
        self._rule_id = rule_id
        self.by_day: dict[int, Counter[str]] = {}
        self.keywords, self.runners_up, self.winners = Counter[str](), Counter[str](), Counter[str]()

    def add_count(self, key: CountKey, n: int) -> None:
        if key.name == self._rule_id and key.measure in _OUTCOMES:
            self.by_day.setdefault(start_of_day(key.starts_at), Counter())[_OUTCOMES[key.measure]] += n

    def add_match(self, key: MatchKey, n: int) -> None:
        if key.rule_id == self._rule_id:
            self.keywords[key.keyword] += n
            if key.runner_up:
                self.runners_up[key.runner_up] += n
        elif key.runner_up == self._rule_id:
            self.winners[key.rule_id] += n


_COUNTS, _MATCHES = event_counts.c, rule_matches.c
_SINCE: sa.BindParameter[int] = sa.bindparam("b_since")
_COUNTS_OF_RULE = (
    sa.select(_COUNTS.measure, _COUNTS.starts_at, sa.func.sum(_COUNTS.n).label("n"))
    .where(
        _COUNTS.measure.in_(("rule", "rule-failed", "rule-undelivered")),
        _COUNTS.starts_at >= _SINCE,
        _COUNTS.name == sa.bindparam("b_rule"),
    )
    .group_by(_COUNTS.measure, _COUNTS.starts_at)
)
_FAILURES = (
    sa.select(_COUNTS.name, sa.func.sum(_COUNTS.n).label("n"))
    .where(_COUNTS.measure == "rule-failed", _COUNTS.starts_at >= _SINCE)
    .group_by(_COUNTS.name)
)
_MATCHES_OF_RULE = sa.union_all(
    *(
        sa.select(_MATCHES.rule_id, _MATCHES.keyword, _MATCHES.runner_up, sa.func.sum(_MATCHES.n).label("n"))
        .where(concerns, _MATCHES.starts_at >= _SINCE)
        .group_by(_MATCHES.rule_id, _MATCHES.keyword, _MATCHES.runner_up)
        for concerns in (
            _MATCHES.rule_id == sa.bindparam("b_rule"),
            # The second condition tells the database that the partial index applies.
            sa.and_(_MATCHES.runner_up == sa.bindparam("b_rule"), _MATCHES.runner_up != sa.literal_column("''")),
        )
    )
)
