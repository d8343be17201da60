"""Gauges of image health for Prometheus: read from the database, the same for all processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.errors import BotError
from bot.image_health.report import ImageHealth, ImageReports
from bot.image_health.verdict import STATUSES
from bot.runtime import Runtime


class ImageGauges(Collector):
    """Counts the images of the rules in force by status."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def collect(self) -> Iterator[Metric]:
        """Yield the counts; nothing while the bot is not ready."""
        images = self._images()
        if images is None:
            return
        statuses = Counter[str](image.result.status for image in images)
        yield _gauge(
            "zalo_bot_pictures",
            "Pictures that rules may send, by whether customers can get them",
            "verdict",
            Counter({status: statuses[status] for status in STATUSES}),
        )
        problems = Counter[str](image.result.code for image in images if image.result.status == "bad")
        yield _gauge("zalo_bot_picture_problems", "The bad ones among them, by what is wrong", "problem", problems)

    def _images(self) -> list[ImageHealth] | None:
        missing, _ = self._runtime.readiness()
        if missing:
            return None
        database = self._runtime.database
        try:
            return ImageReports(database).images(self._runtime.rules_reloader.rules, now=database.now())
        except BotError:
            return None


def _gauge(name: str, words: str, label: str, counts: Counter[str]) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(name, words, labels=[label])
    for value, count in counts.items():
        gauge.add_metric([value], count)
    return gauge
