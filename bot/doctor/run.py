"""Run every check of `bot doctor`, in the order in which an operator should fix problems."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bot.config import Settings
from bot.doctor import images, rules, storage, vendor, webhook
from bot.doctor import settings as configuration
from bot.doctor.finding import Finding, Texts, Words
from bot.i18n import N_
from bot.net.addresses import AddressPolicy

#: Checks that only a person can make, in Zalo's console and OA Manager.
_BY_HAND: Final[Texts] = {
    "syntax-filter": Words(
        N_(
            'Webhook page of the Zalo app: "Lọc cú pháp" (syntax filter) must be OFF; otherwise only '
            "texts that begin with # reach the bot."
        )
    ),
    "own-replies": Words(N_("OA Manager: switch Zalo's own keyword replies off, or customers get two answers.")),
    "events-on": Words(
        N_("Webhook page: switch on each event that your rules answer (user sends a message, follows…).")
    ),
    "which-secret": Words(
        N_(
            "ZALO_OA_SECRET_KEY is the OA Secret Key of the Webhook page, not the App Secret Key. With "
            "the wrong one, every event is refused with 401."
        )
    ),
    "whole-requests": Words(
        N_(
            "Web server in front: it must hand on whole requests only (nginx: proxy_request_buffering on; Caddy: "
            "request_buffers), or slow clients reach the bot. README shows both."
        )
    ),
}

#: The texts by code.
TEXTS: Final[Texts] = {
    **configuration.TEXTS, **storage.TEXTS, **rules.TEXTS, **images.TEXTS, **vendor.TEXTS, **webhook.TEXTS, **_BY_HAND
}  # fmt: skip


def examine(env_file: Path, *, url: str | None, now: float) -> Iterator[Finding]:
    """
    Yield all findings; *url* is the public address of the webhook, *now* this machine's time.

    Raises:
        ConfigError: The .env file is not text.
    """
    settings, faults = Settings.examine(env_file)
    yield from configuration.check_settings(settings, faults, env_file)
    yield rules.check_rules(settings.rules_file, today=datetime.fromtimestamp(now, UTC).date())
    if settings.console_publish:
        yield rules.check_publishing(settings.rules_file)
    stored = list(storage.check_database(settings.database_url.get_secret_value()))
    yield from stored
    yield from images.check_images(settings.rules_file, AddressPolicy(), now=now)
    yield from vendor.check_vendor(settings, now=now)
    if url is None:
        yield Finding("webhook", "unchecked", "webhook-not-given")
    else:
        yield from webhook.check_webhook(settings, url)
    # Findings from the stored events have been reported before.
    signs = {finding.code.partition("/")[0] for finding in stored}
    yield from (Finding("by-hand", "unchecked", code) for code in _BY_HAND if code not in signs)
