"""Count the events of one hour: outcomes, delays until the image, answers and failures by rule."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

import sqlalchemy as sa

from bot.inbox.failures import is_about_rule
from bot.inbox.tables import HAS_WORDS, IS_BARE, IS_FAILED, IS_OPEN, events
from bot.rules.engine import FALLBACK

#: Outcomes of customers' messages; other events, such as echoes, are not counted.
#: ``answered`` by a rule; ``fallback`` by the fallback; ``unanswered``: a text that no rule matched, and no image was
#: sent; ``failed``: given up; ``unclear``: it is unknown whether the image was sent; ``waiting``: not settled;
#: ``silent``: nothing was to be sent, as a person was answering, or to a sticker without a rule.
Outcome = Literal["answered", "fallback", "unanswered", "failed", "unclear", "waiting", "silent"]

HOUR_SECONDS: Final = 3600
#: Upper bounds of the classes of delays until the image, in seconds; the last class has no bound.
DELAY_BOUNDS: Final = (0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 5, 7.5, 10, 15, 20, 30, 60, 120, 300, 900, 3600, 14400)


class CountKey(NamedTuple):
    """The key of a row of `event_counts`, without its hour."""

    measure: str
    """
    ``outcome``, ``delay``; by rule: ``hour-rule`` for answers, ``rule-failed`` for failures of its image,
    ``rule-undelivered`` for other failures.
    """
    starts_at: int
    oa_id: str
    name: str


class MatchKey(NamedTuple):
    """The key of a row of `rule_matches`, without its hour; empty text: none."""

    starts_at: int
    oa_id: str
    rule_id: str
    keyword: str
    runner_up: str


@dataclass(frozen=True, slots=True)
class HourCounts:
    """The counts of an hour."""

    events: Counter[CountKey] = field(default_factory=Counter)
    matches: Counter[MatchKey] = field(default_factory=Counter)
    """The answers of rules, those of the fallback without a keyword."""


def count_events(connection: sa.Connection, start: int) -> HourCounts:
    """Return the counts of the events that came in within the hour from *start*, in seconds since 1970."""
    counts = HourCounts()
    for row in connection.execute(_GROUPS, {"b_start": start, "b_end": start + HOUR_SECONDS}):
        counts.events[CountKey("outcome", start, row.oa_id, row.outcome)] += row.n
        if row.delay is not None:
            counts.events[CountKey("delay", start, row.oa_id, str(row.delay))] += row.n
            counts.events[CountKey("hour-rule", start, row.oa_id, row.rule_id)] += row.n
            if row.rule_id != FALLBACK:
                matched = MatchKey(start, row.oa_id, row.rule_id, row.keyword or "", row.runner_up or "")
                counts.matches[matched] += row.n
        if row.rule_id is not None and row.outcome in {"failed", "unclear"}:
            is_the_rules = row.complaint is not None and is_about_rule(row.complaint)
            measure = "rule-failed" if is_the_rules else "rule-undelivered"
            counts.events[CountKey(measure, start, row.oa_id, row.rule_id)] += row.n
    return counts


_IS_PARKED = events.c.status == sa.literal_column("'parked'")
#: Each event is in exactly one of these parts; a part is small or has an index by `received_at`.
PARTS: Final = (HAS_WORDS, IS_BARE, IS_OPEN, sa.and_(IS_FAILED, _IS_PARKED, events.c.body.is_(None)))
_outcome = sa.case(
    (events.c.status == "open", "waiting"),
    (events.c.status == "dead", "failed"),
    (events.c.status == "parked", "unclear"),
    (sa.and_(events.c.status == "sent", events.c.rule_id == FALLBACK), "fallback"),
    (events.c.status == "sent", "answered"),
    (sa.and_(events.c.kind == "text", events.c.reason.in_(("no-match", "fallback-cooldown"))), "unanswered"),
    else_="silent",
).label("outcome")
_took = events.c.replied_at - events.c.received_at
_delay = sa.case(
    (sa.or_(events.c.replied_at.is_(None), events.c.rule_id.is_(None)), None),
    *((_took <= bound, number) for number, bound in enumerate(DELAY_BOUNDS)),
    else_=len(DELAY_BOUNDS),
).label("delay")
_complaint = sa.case((IS_FAILED, events.c.error), else_=None).label("complaint")
_GROUPED: Final = (events.c.oa_id, events.c.rule_id, events.c.keyword, events.c.runner_up)
_GROUPS = sa.union_all(
    *(
        sa.select(*_GROUPED, _outcome, _delay, _complaint, sa.func.count().label("n"))
        .where(
            part,
            events.c.received_at >= sa.bindparam("b_start"),
            events.c.received_at < sa.bindparam("b_end"),
            events.c.kind.is_not(None),
            sa.func.coalesce(events.c.reason, "") != "other-oa",
        )
        .group_by(*_GROUPED, sa.text("outcome"), sa.text("delay"), sa.text("complaint"))
        for part in PARTS
    )
)
