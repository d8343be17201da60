"""Roll up events by the hour before they are deleted, and return the figures of a period for the pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final

import sqlalchemy as sa

from bot.inbox.database import Database
from bot.inbox.sql.engine import insert
from bot.inbox.statistics.hour_counts import DELAY_BOUNDS, HOUR_SECONDS, PARTS, CountKey, HourCounts, count_events
from bot.inbox.tables import event_counts, events, rule_matches

DAY_SECONDS: Final = 24 * HOUR_SECONDS
#: Days begin at midnight in Vietnam, which is seven hours ahead of UTC all year.
UTC_OFFSET_SECONDS: Final = 7 * HOUR_SECONDS
#: How long after its end an hour is counted: commits may come late.
SETTLING_SECONDS: Final = 300
#: For how long an hour is counted again while its events may change. No event is deleted before that
#: (`bot.inbox.retention.KEPT_SECONDS`), so that each count covers the whole hour.
RECOUNT_SECONDS: Final = 6 * DAY_SECONDS

#: How long the counts by keyword are kept: the longest period of a page, and a day.
MATCHES_KEPT_SECONDS: Final = 31 * DAY_SECONDS

_UNFINISHED: Final = ("waiting", "unclear", "failed")


@dataclass(frozen=True, slots=True)
class Period:
    """The figures of a period."""

    by_hour: Mapping[int, Counter[str]]
    """The outcomes by hour; the key is its start in seconds since 1970. Hours without messages are missing."""
    by_rule: Counter[str]
    """How many events each rule has answered, FALLBACK among them."""
    delays: Counter[int]
    """The number of images by class of delay, an index into DELAY_BOUNDS."""

    @property
    def outcomes(self) -> Counter[str]:
        """The outcomes of the whole period."""
        return sum(self.by_hour.values(), Counter[str]())

    @property
    def median_delay(self) -> float | None:
        """The median delay from message to image, in seconds; None without images."""
        return median(self.delays)


def median(delays: Mapping[int, int]) -> float | None:
    """Return the median of the delays, assuming that each class is evenly filled."""
    total = sum(delays.values())
    if not total:
        return None
    bounds = (0.0, *DELAY_BOUNDS, 2.0 * DELAY_BOUNDS[-1])
    sums = list(accumulate(delays.get(number, 0) for number in range(len(bounds) - 1)))
    number = next(number for number, upto in enumerate(sums) if upto >= total / 2)
    low, high = list(pairwise(bounds))[number]
    return low + (high - low) * (1 - (sums[number] - total / 2) / delays[number])


class Statistics:
    """Writes the roll-up hour by hour, and reads it together with the hours that are not rolled up yet."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def roll_up(self, *, now: float) -> bool:
        """
        Count the oldest hour that is over and not counted yet; return whether there was one.

        Call it until it returns False, before old events are deleted. Several processes may do so at once.
        """
        with self._database.read() as connection:
            start = _first_hour(connection, since=_counted_until(connection))
        if start is None or start + HOUR_SECONDS + SETTLING_SECONDS > now:
            return False
        self.count_hour(start)
        return True

    def unfinished_hours(self, *, now: float) -> list[int]:
        """Return the starts of counted hours whose events may have changed since, the oldest first."""
        with self._database.read() as connection:
            return list(connection.scalars(_UNFINISHED_HOURS, {"b_since": now - RECOUNT_SECONDS}))

    def count_hour(self, start: int) -> None:
        """
        Count the hour that begins at *start*, and replace an earlier count of it.

        Events are read before rows are locked, so another process may store older counts after these. In those an
        event of the hour is unfinished, so that the hour is counted again.
        """
        with self._database.read() as connection:
            counted = count_events(connection, start)
        counts = counted.events or Counter({CountKey("outcome", start, "", "silent"): 0})
        rules = {(key.oa_id, key.name): n for key, n in counts.items() if key.measure == "hour-rule"}
        with self._database.write() as connection:
            if not self._database.is_sqlite:
                connection.exec_driver_sql("LOCK TABLE event_counts IN SHARE ROW EXCLUSIVE MODE")
            for row in connection.execute(_RULES_OF_HOUR, {"b_start": start}).all():
                rules[row.oa_id, row.name] = rules.get((row.oa_id, row.name), 0) - row.n
            connection.execute(_FORGET_HOUR, {"b_start": start, "b_before": start - RECOUNT_SECONDS - DAY_SECONDS})
            connection.execute(_FORGET_MATCHES, {"b_start": start, "b_before": start - MATCHES_KEPT_SECONDS})
            connection.execute(sa.insert(event_counts), [{**key._asdict(), "n": n} for key, n in counts.items()])
            if counted.matches:
                matches = [{**key._asdict(), "n": n} for key, n in counted.matches.items()]
                connection.execute(sa.insert(rule_matches), matches)
            _add(connection, {CountKey("rule", start_of_day(start), *key): n for key, n in sorted(rules.items()) if n})

    def period(self, since: float, *, now: float) -> Period:
        """Return the figures from the hour of *since* on; hours that are not rolled up yet are counted now."""
        first = int(since) // HOUR_SECONDS * HOUR_SECONDS
        by_hour: dict[int, Counter[str]] = {}
        with self._database.read() as connection:
            for start, name, n in connection.execute(_OUTCOMES, {"b_since": first}):
                by_hour.setdefault(start, Counter())[name] = int(n)
            delays = Counter({int(name): int(n) for name, n in connection.execute(_DELAYS, {"b_since": first})})
            by_rule = replies_by_rule(connection, first)
            for counted in count_the_rest(connection, first, now=now):
                for key, n in counted.events.items():
                    if key.measure == "outcome":
                        by_hour.setdefault(key.starts_at, Counter())[key.name] += n
                    elif key.measure == "delay":
                        delays[int(key.name)] += n
                    elif key.measure == "hour-rule":
                        by_rule[key.name] += n
        return Period(by_hour, by_rule, delays)

    def last_received(self) -> float | None:
        """Return when the latest event of any kind came in; None if there is none."""
        with self._database.read() as connection:
            latest: float | None = connection.scalar(_LAST_RECEIVED)
        return latest


def start_of_day(at: float) -> int:
    """Return the start of the day of *at* in Vietnam, in seconds since 1970."""
    return (int(at) + UTC_OFFSET_SECONDS) // DAY_SECONDS * DAY_SECONDS - UTC_OFFSET_SECONDS


def _counted_until(connection: sa.Connection) -> int:
    """Return the end of the latest counted hour; 0 if there is none."""
    latest = connection.scalar(_LAST_COUNTED)
    return 0 if latest is None else int(latest) + HOUR_SECONDS


def _first_hour(connection: sa.Connection, *, since: int) -> int | None:
    """Return the start of the hour of the oldest event that came in after *since*; None if there is none."""
    found = [connection.scalar(query, {"b_since": since}) for query in _FIRST_RECEIVED]
    times = [at for at in found if at is not None]
    return int(min(times)) // HOUR_SECONDS * HOUR_SECONDS if times else None


def replies_by_rule(connection: sa.Connection, since: int) -> Counter[str]:
    """Return the answers by rule from the day of *since* on, without the hours that are not rolled up yet."""
    return Counter({name: int(n) for name, n in connection.execute(_RULES, {"b_since": start_of_day(since)})})


def count_the_rest(connection: sa.Connection, since: int, *, now: float) -> Iterator[HourCounts]:
    """Yield the counts of the hours that are not rolled up yet, from that of *since* on."""
    counted = _counted_until(connection)
    first = max(counted, since // HOUR_SECONDS * HOUR_SECONDS)
    if not counted:  # as in a new inbox: no need to look into hundreds of hours before its first event
        oldest = _first_hour(connection, since=first)
        if oldest is None:
            return
        first = oldest
    for start in range(first, int(now) + SETTLING_SECONDS, HOUR_SECONDS):
        yield count_events(connection, start)


def _add(connection: sa.Connection, counts: Mapping[CountKey, int]) -> None:
    """Add the counts to their rows, or insert them."""
    if not counts:
        return
    added = insert(event_counts, connection.dialect.name)
    added = added.on_conflict_do_update(index_elements=CountKey._fields, set_={"n": _COUNTS.n + added.excluded.n})
    connection.execute(added, [{**key._asdict(), "n": n} for key, n in counts.items()])


_COUNTS = event_counts.c
_SINCE = _COUNTS.starts_at >= sa.bindparam("b_since")
_LAST_COUNTED = sa.select(sa.func.max(_COUNTS.starts_at)).where(_COUNTS.measure == "outcome")
_UNFINISHED_HOURS = (
    sa.select(_COUNTS.starts_at)
    .where(_COUNTS.measure == "outcome", _COUNTS.name.in_(_UNFINISHED), _SINCE)
    .distinct()
    .order_by(_COUNTS.starts_at)
)
_RULES_OF_HOUR = sa.select(_COUNTS.oa_id, _COUNTS.name, _COUNTS.n).where(
    _COUNTS.measure == "hour-rule", _COUNTS.starts_at == sa.bindparam("b_start")
)
_HOURLY: Final = ("outcome", "delay", "hour-rule", "rule-failed", "rule-undelivered")
# An hour's counts by rule are kept, to subtract them from the day's when the hour is counted again.
_FORGET_HOUR = sa.delete(event_counts).where(
    sa.or_(
        sa.and_(_COUNTS.measure.in_(_HOURLY), _COUNTS.starts_at == sa.bindparam("b_start")),
        sa.and_(_COUNTS.measure == "hour-rule", _COUNTS.starts_at < sa.bindparam("b_before")),
    )
)
_FORGET_MATCHES = sa.delete(rule_matches).where(
    sa.or_(rule_matches.c.starts_at == sa.bindparam("b_start"), rule_matches.c.starts_at < sa.bindparam("b_before"))
)
_n = sa.func.sum(_COUNTS.n).label("n")
_OUTCOMES = (
    sa.select(_COUNTS.starts_at, _COUNTS.name, _n)
    .where(_COUNTS.measure == "outcome", _SINCE)
    .group_by(_COUNTS.starts_at, _COUNTS.name)
)
_DELAYS, _RULES = (
    sa.select(_COUNTS.name, _n).where(_COUNTS.measure == measure, _SINCE).group_by(_COUNTS.name)
    for measure in ("delay", "rule")
)
_LAST_RECEIVED = sa.select(events.c.received_at).order_by(events.c.id.desc()).limit(1)
_FIRST_RECEIVED = [
    sa.select(sa.func.min(events.c.received_at)).where(part, events.c.received_at >= sa.bindparam("b_since"))
    for part in PARTS
]
