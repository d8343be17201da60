"""The settings of delivery, in seconds and calls."""

from __future__ import annotations

from dataclasses import dataclass

from bot.config import Settings
from bot.inbox.oa_limits import RateLimit


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """How much is sent at a time, how often it is tried, and what is too late; times in seconds."""

    concurrency: int
    """Calls that may be out at a time, in this process."""
    oa_share: int
    """How many of them may be of one OA: where there are others, its calls must not take all senders if they hang."""
    rate: RateLimit
    """Of each OA, over all processes."""
    reply_window: float
    takeover_mute: float
    max_attempts: int

    @classmethod
    def of(cls, settings: Settings) -> DeliverySettings:
        """Return what *settings* ask for."""
        concurrency, is_alone = settings.send_concurrency, len(settings.zalo_oa_id) == 1
        return cls(
            concurrency=concurrency,
            oa_share=concurrency if is_alone else concurrency - concurrency // 4,
            rate=RateLimit.per_minute(settings.send_rate),
            reply_window=settings.reply_window.total_seconds(),
            takeover_mute=settings.takeover_mute.total_seconds(),
            max_attempts=settings.max_attempts,
        )
