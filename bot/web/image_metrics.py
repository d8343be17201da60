"""The pictures' health as Prometheus scrapes it: from the database, the same for all processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.errors import StorageError
from bot.image_health.report import Health, PictureReports
from bot.image_health.verdict import STANDINGS
from bot.runtime import Runtime


class PictureGauges(Collector):
    """Counts the pictures of the rules in force, by how they stand."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def collect(self) -> Iterator[Metric]:
        """Yield the counts; nothing while the bot is not ready."""
        pictures = self._pictures()
        if pictures is None:
            return
        standings = Counter[str](picture.look.standing for picture in pictures)
        yield _gauge(
            "zalo_bot_pictures",
            "Pictures that rules may send, by whether customers can get them",
            "verdict",
            Counter({standing: standings[standing] for standing in STANDINGS}),
        )
        problems = Counter[str](picture.look.word for picture in pictures if picture.look.standing == "bad")
        yield _gauge("zalo_bot_picture_problems", "The bad ones among them, by what is wrong", "problem", problems)

    def _pictures(self) -> list[Health] | None:
        missing, _ = self._runtime.readiness()
        if missing:
            return None
        database = self._runtime.database
        try:
            return PictureReports(database).pictures(self._runtime.watch.rules, now=database.now())
        except StorageError:
            return None


def _gauge(name: str, words: str, label: str, counts: Counter[str]) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(name, words, labels=[label])
    for value, count in counts.items():
        gauge.add_metric([value], count)
    return gauge
