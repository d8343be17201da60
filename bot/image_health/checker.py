"""Background thread that checks the images of the rules, a few per minute over all processes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from bot.image_health.probe import probe
from bot.image_health.references import ImageReference, referenced_images, today
from bot.image_health.schedule import CheckSchedule, CheckState
from bot.inbox.database import Database
from bot.net.addresses import AddressPolicy
from bot.rules.engine import RuleSet
from bot.rules.polling import PollingThread

log = logging.getLogger(__name__)

# Seconds between two checks, with nothing to check, and after a fault; and between updates of the schedule.
_PAUSE_SECONDS: Final = 1.0
_IDLE_SECONDS: Final = 5.0
_RETRY_SECONDS: Final = 60.0
_REFRESH_SECONDS: Final = 600.0
#: Seconds to wait at a stop; a check in progress is dropped, and repeated when its lease ends.
STOP_SECONDS: Final = 2.0
_MAX_RULES_LOGGED: Final = 5


class ImageChecker:
    """
    Checks each image that the rules in force name about every six hours, in its *thread*.

    When the rules change, new images and those that were bad are checked at once. Any number of processes share the
    work: see `CheckSchedule`.
    """

    def __init__(
        self,
        database: Database,
        rules: Callable[[], RuleSet],
        folder: Path,
        addresses: AddressPolicy | None = None,
    ) -> None:
        """Check links at the allowed *addresses* (by default those of the public internet), and files in *folder*."""
        self._database = database
        self._schedule = CheckSchedule(database)
        self._rules = rules
        self._folder = folder
        self._addresses = addresses or AddressPolicy()
        self._scheduled_rules: RuleSet | None = None
        self._complete_until = 0.0
        self._images: Mapping[str, ImageReference] = {}
        self.thread = PollingThread(self._step_or_log, name="images", seconds=_IDLE_SECONDS)
        """When stopped, it may still wait for a server, but ignores the answer."""

    def step(self) -> float:
        """Check one image that is due; return the seconds until the next step."""
        now = self._database.now()
        self._follow(now)
        key = self._schedule.claim(now=now)
        if key is None:
            return _IDLE_SECONDS
        image = self._images.get(key)
        if image is None:
            self._schedule.forget(key)
        else:
            self._check(key, image, now)
        return _PAUSE_SECONDS

    def _step_or_log(self) -> float:
        try:
            return self.step()
        except Exception:
            # The database is unavailable, which says nothing about the images.
            log.exception("cannot check the pictures")
            return _RETRY_SECONDS

    # No caller of `probe` may have the rules in a variable: urllib3's errors refer to themselves by their traceback and
    # keep the variables of all callers alive until the garbage collector runs. Large rules take 30 MB.

    def _follow(self, now: float) -> None:
        rules = self._rules()
        if rules is not self._scheduled_rules or now > self._complete_until:
            self._complete(rules, now)

    def _complete(self, rules: RuleSet, now: float) -> None:
        """Add the images of the rules to the schedule; a process with other rules may have removed them."""
        self._images = {image.key: image for image in referenced_images(rules, now=now)}
        self._schedule.add_missing(self._images, now=now)
        if rules is not self._scheduled_rules:
            self._schedule.recheck_failing(now=now)
        self._scheduled_rules, self._complete_until = rules, now + _REFRESH_SECONDS

    def _check(self, key: str, image: ImageReference, now: float) -> None:
        result = probe(image, self._addresses, folder=self._folder, today=today(self._rules(), now))
        if not self.thread.is_stopping:
            _log_change(image, *self._schedule.save(key, result, now=self._database.now()))


def _log_change(image: ImageReference, before: CheckState, after: CheckState) -> None:
    """Log once that an image has turned bad, or good again."""
    old, new = before.result.status, after.result.status
    facts = {"picture": image.loggable, "rules": ",".join(image.rules[:_MAX_RULES_LOGGED])}
    if new == "bad" and old != "bad":
        log.warning(
            "customers may not get a picture",
            extra=facts | {"problem": after.result.code, "status": after.result.http_status},
        )
    elif new == "ok" and old == "bad":
        log.info("a picture is well again", extra=facts)
