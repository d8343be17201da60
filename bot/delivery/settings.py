"""The settings of delivery, in seconds and calls."""

from __future__ import annotations

from dataclasses import dataclass

from bot.config import Settings
from bot.inbox.oa_limits import RateLimit


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """Limits of concurrency, rate, attempts and age; times in seconds."""

    concurrency: int
    """Concurrent calls of this process."""
    oa_share: int
    """Concurrent calls for one OA: if they hang, senders must be left for other OAs."""
    rate: RateLimit
    """The rate limit of each OA, over all processes."""
    reply_window: float
    takeover_mute: float
    max_attempts: int

    @classmethod
    def of(cls, settings: Settings) -> DeliverySettings:
        """Return the settings of delivery from *settings*."""
        concurrency, is_alone = settings.send_concurrency, len(settings.zalo_oa_id) == 1
        return cls(
            concurrency=concurrency,
            oa_share=concurrency if is_alone else concurrency - concurrency // 4,
            rate=RateLimit.per_minute(settings.send_rate),
            reply_window=settings.reply_window.total_seconds(),
            takeover_mute=settings.takeover_mute.total_seconds(),
            max_attempts=settings.max_attempts,
        )
