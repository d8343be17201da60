"""The samples of a running bot's /metrics."""

from __future__ import annotations

import re
from collections.abc import Callable

from prometheus_client.parser import text_string_to_metric_families

from tests.support.running import Bot

Samples = dict[str, float]


def scrape(bot: Bot) -> Samples:
    """Return the samples by their name and labels; the names are of no matter to `le` of histograms."""
    response = bot.get("/metrics")
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain")
    samples: Samples = {}
    for family in text_string_to_metric_families(response.text):
        assert re.fullmatch(r"zalo_bot_[a-z_]+", family.name)
        assert family.documentation
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            key = f"{sample.name.removeprefix('zalo_bot_')}{{{labels}}}"
            assert key not in samples, f"{key} is there twice"
            samples[key] = sample.value
    return samples


def scraped(bot: Bot, **expected: float) -> Callable[[], bool]:
    """Return a condition to wait for: a scrape shows the expected samples, which may lag behind an event."""
    return lambda: {name: scrape(bot).get(name) for name in expected} == expected
