"""GET /metrics: the processes' counters, and gauges read from the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from bot.errors import BotError, StorageError
from bot.inbox.queries import EventQueries
from bot.metrics import counts
from bot.runtime import Runtime


def blueprint(runtime: Runtime) -> Blueprint:
    """Return the route that Prometheus scrapes."""
    routes = Blueprint("metrics", __name__)

    @routes.get("/metrics")
    def scrape() -> Response:
        from bot.web.image_metrics import ImageGauges  # noqa: PLC0415  it needs the rules: see `bot.runtime.Runtime`

        registry = CollectorRegistry()
        registry.register(counts.counted())
        registry.register(_Stored(runtime))
        registry.register(ImageGauges(runtime))
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return Response(encode(registry), content_type=content_type)

    return routes


@dataclass(frozen=True, slots=True)
class _Figures:
    """Figures from the database, equal in all processes and on all machines."""

    open: int
    dead: int
    parked: int
    oldest: float
    """The age of the oldest open event, in seconds; 0 if there is none."""
    paused: Mapping[str, bool]
    """Whether each OA is paused, by its id."""
    rules_taken_at: float
    """Seconds since 1970."""


class _Stored(Collector):
    """Reads the database at each scrape; it uses only small indexes, whatever the number of events."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges; if the database is unreachable, only the one that says so."""
        figures = self._figures()
        yield _gauge("zalo_bot_ready", "1 while the database answers and the bot works", figures is not None)
        if figures is None:
            return
        yield _gauge("zalo_bot_open_events", "Events that wait for their reply", figures.open)
        yield _gauge("zalo_bot_oldest_open_event_seconds", "For how long the oldest of them has waited", figures.oldest)
        yield _gauge("zalo_bot_dead_events", "Dead letters: events that were given up", figures.dead)
        yield _gauge("zalo_bot_parked_events", "Events that wait for the operator's decision", figures.parked)
        paused = GaugeMetricFamily(
            "zalo_bot_account_closed", "The breaker: 1 while nothing is sent for the OA but probes", labels=["oa_id"]
        )
        for oa_id, is_paused in figures.paused.items():
            paused.add_metric([oa_id], float(is_paused))
        yield paused
        yield from self._rules(figures)

    def _rules(self, figures: _Figures) -> Iterator[Metric]:
        try:
            reloader = self._runtime.rules_reloader
        except BotError:  # a process that only receives runs without them
            rules, is_usable = 0, False
        else:
            rules, is_usable = len(reloader.rules.file.rules), not reloader.error
        yield _gauge("zalo_bot_rules", "Rules in force, those switched off among them", rules)
        yield _gauge("zalo_bot_rules_last_reload_successful", "0 while the rules file is not usable", is_usable)
        yield _gauge(
            "zalo_bot_rules_last_reload_success_timestamp_seconds",
            "When rules were last taken from the file",
            figures.rules_taken_at,
        )

    def _figures(self) -> _Figures | None:
        missing, _ = self._runtime.readiness()
        if missing:
            return None
        database, reports = self._runtime.database, EventQueries(self._runtime.database)
        try:
            waiting, oldest = reports.counts_by_status(), reports.oldest_open()
            return _Figures(
                open=waiting["open"],
                dead=waiting["dead"],
                parked=waiting["parked"],
                oldest=0.0 if oldest is None else max(0.0, database.now() - oldest),
                paused=reports.paused_accounts(),
                rules_taken_at=reports.rules_taken_at() or 0.0,
            )
        except StorageError:
            return None


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value=float(value))
