"""The whole examination, in the order in which an operator mends things."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bot.config import Settings
from bot.doctor.finding import Finding
from bot.doctor.images import check_pictures
from bot.doctor.settings import check_settings
from bot.doctor.storage import check_database, check_publishing, check_rules
from bot.doctor.vendor import check_vendor, check_webhook
from bot.net.addresses import AddressPolicy

#: What only a person can look at, in Zalo's console and OA Manager.
_BY_HAND = ("syntax-filter", "own-replies", "events-on", "which-secret")


def examine(env_file: Path, *, url: str | None, now: float) -> Iterator[Finding]:
    """
    Yield all findings; *url* is the webhook's address as the world sees it, *now* this machine's time.

    Raises:
        ConfigError: The file of settings is no text.
    """
    settings, faults = Settings.examine(env_file)
    yield from check_settings(settings, faults, env_file)
    yield check_rules(settings.rules_file, today=datetime.fromtimestamp(now, UTC).date())
    if settings.console_publish:
        yield check_publishing(settings.rules_file)
    stored = list(check_database(settings.database_url.get_secret_value()))
    yield from stored
    yield from check_pictures(settings.rules_file, AddressPolicy(), now=now)
    yield from check_vendor(settings, now=now)
    if url is None:
        yield Finding("webhook", "unchecked", "webhook-not-given")
    else:
        yield from check_webhook(settings, url)
    # Of what the inbox gave a sign, that has been said already.
    signs = {finding.code.partition("/")[0] for finding in stored}
    yield from (Finding("by-hand", "unchecked", code) for code in _BY_HAND if code not in signs)
