"""The Prometheus counters, histograms and gauges, and a function to count each."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from typing import Final, NamedTuple, ParamSpec

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.registry import Collector

from bot import logs
from bot.metrics import sharing

P = ParamSpec("P")

_log_not_counted = logs.Bounded(logging.getLogger(__name__), logging.WARNING, "something could not be counted")

# Zalo gives up after two seconds, a vendor call after SEND_TIMEOUT: both limits must be at or near a bucket bound.
_ACKNOWLEDGED_WITHIN = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
_SENT_WITHIN = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

# All have labels: a metric with labels creates its values when it is first counted, which is after `share`.
_counts = CollectorRegistry()
_acknowledgements = Histogram(
    "zalo_bot_acknowledgement_seconds",
    "Answers to deliveries on the webhook, by HTTP status",
    ["status"],
    buckets=_ACKNOWLEDGED_WITHIN,
    registry=_counts,
)
_events = Counter("zalo_bot_events_total", "New events, by the rules' word for them", ["kind"], registry=_counts)
_redeliveries = Counter(
    "zalo_bot_redeliveries_total", "Deliveries of events that were known already", ["kind"], registry=_counts
)
_sends = Histogram(
    "zalo_bot_send_seconds",
    "Calls of the vendor that send a picture, by what came of them",
    ["outcome"],
    buckets=_SENT_WITHIN,
    registry=_counts,
)
_settled = Counter(
    "zalo_bot_settled_total",
    "Events that a decision or a call ended, by how",
    ["kind", "status", "reason"],
    registry=_counts,
)
_replies = Counter("zalo_bot_replies_total", "Events answered with pictures, by rule", ["rule"], registry=_counts)
_unmatched = Counter(
    "zalo_bot_unmatched_total",
    "Settled events that no rule matched, those that the fallback answered among them",
    ["kind"],
    registry=_counts,
)
_quota_left = Gauge(
    "zalo_bot_quota_remaining",
    "Pictures that an OA may still send, as the vendor told it last",
    ["oa_id", "quota_type"],
    registry=_counts,
    multiprocess_mode="mostrecent",
)
_quota_size = Gauge(
    "zalo_bot_quota_limit",
    "Pictures in that quota when it was full",
    ["oa_id", "quota_type"],
    registry=_counts,
    multiprocess_mode="mostrecent",
)


_METRICS: Final = (
    _acknowledgements, _events, _redeliveries, _sends, _settled, _replies, _unmatched, _quota_left, _quota_size
)  # fmt: skip


def _forget() -> None:
    for metric in _METRICS:
        metric.clear()
    for cached in (_acknowledgement, _event, _redelivery, _send, _settlement, _reply):
        cached.cache_clear()


sharing.when_counts_move(_forget)


def _never_fails(count: Callable[P, None]) -> Callable[P, None]:
    """Wrap *count* so that it never raises: a failure to count must not affect an event."""

    @wraps(count)
    def counted_safely(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            sharing.check()
            count(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  it is logged, and what cannot be counted is no reason to stop
            _log_not_counted({"trouble": type(error).__name__})
            sharing.recover()

    return counted_safely


@_never_fails
def acknowledged(status: int, seconds: float) -> None:
    """Count an answer to a webhook request: its HTTP status and the seconds it took."""
    _acknowledgement(status).observe(seconds)


@_never_fails
def received(kind: str | None, *, fresh: bool) -> None:
    """Count a stored event, or its redelivery; *kind* is None for an event that gets no answer."""
    (_event if fresh else _redelivery)(kind).inc()


@contextmanager
def sending() -> Iterator[None]:
    """Time a vendor call (the block); its outcome is ``Taken`` or the name of the exception it raises."""
    began, outcome = time.perf_counter(), "Taken"
    try:
        yield
    except Exception as error:
        outcome = type(error).__name__
        raise
    finally:
        _sent(outcome, time.perf_counter() - began)


@_never_fails
def _sent(outcome: str, seconds: float) -> None:
    _send(outcome).observe(seconds)


@_never_fails
def settled(kind: str, status: str, reason: str | None, rule: str | None) -> None:
    """Count an event that has reached a final state, and its rule's reply if one was sent."""
    _settlement(kind, status, reason or "").inc()
    if status == "sent":
        _reply(rule or "").inc()


@_never_fails
def unmatched(kind: str) -> None:
    """Count an event that has reached a final state without a matching rule."""
    _unmatched.labels(kind).inc()


@_never_fails
def quota(oa_id: str, kind: str, *, left: int, size: int | None) -> None:
    """Show how much of an OA's quota of that kind is left and, if the vendor says so, how large it is."""
    _quota_left.labels(oa_id, kind).set(left)
    if size is not None:
        _quota_size.labels(oa_id, kind).set(size)


class QuotaLeft(NamedTuple):
    """An OA's quota as the vendor last reported it."""

    oa_id: str
    kind: str
    """Zalo's `quota_type`, see `bot.cpaas.Quota`."""
    left: int
    size: int | None
    """The size of the full quota; None if the vendor did not say."""


def quotas() -> list[QuotaLeft]:
    """Return all quotas since the start, of this process and those that share its counts."""
    if sharing.is_shared():
        found = [*sharing.SharedCounts("gauge_mostrecent_*.db").collect()]
    else:
        found = [*_quota_left.collect(), *_quota_size.collect()]
    values = {(s.name, s.labels["oa_id"], s.labels["quota_type"]): int(s.value) for one in found for s in one.samples}
    return [
        QuotaLeft(oa_id, kind, left, values.get(("zalo_bot_quota_limit", oa_id, kind)))
        for (name, oa_id, kind), left in sorted(values.items())
        if name == "zalo_bot_quota_remaining"
    ]


def counted() -> Collector:
    """Return the counts of all processes that share them with this one, or of this one alone."""
    return sharing.SharedCounts() if sharing.is_shared() else _counts


# Cached, because looking up a label takes longer than counting, and these are used for every event.


@cache
def _acknowledgement(status: int) -> Histogram:
    return _acknowledgements.labels(str(status))


@cache
def _event(kind: str | None) -> Counter:
    return _events.labels(kind or "other")


@cache
def _redelivery(kind: str | None) -> Counter:
    return _redeliveries.labels(kind or "other")


@cache
def _send(outcome: str) -> Histogram:
    return _sends.labels(outcome)


@cache
def _settlement(kind: str, status: str, reason: str) -> Counter:
    return _settled.labels(kind, status, reason)


@cache
def _reply(rule: str) -> Counter:
    return _replies.labels(rule)
