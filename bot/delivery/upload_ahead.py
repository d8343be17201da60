"""Background thread that uploads the image files of newly published rules before a customer needs them."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Final

from bot.delivery.images import ImageResolver
from bot.rules.engine import RuleSet
from bot.rules.linting.expiry import images_of
from bot.rules.polling import PollingThread

log = logging.getLogger(__name__)

# Seconds between two uploads or two checks of the rules; and before a failed upload is tried again.
_PAUSE_SECONDS: Final = 1.0
_RETRY_SECONDS: Final = 60.0
# How often an image is tried; after that, it is uploaded when a customer needs it.
_MAX_TRIES: Final = 30


@dataclass(frozen=True, slots=True)
class _Pending:
    """An image file that an OA will need."""

    oa_id: str
    file: str
    digest: str
    tries: int = 0
    not_before: float = 0.0


class UploadAhead:
    """
    Uploads the images that a change of the rules has added, one at a time, in its *thread*.

    Images that the rules named when the process started are uploaded for the first customer. Customers have
    precedence: see `bot.delivery.images.ImageResolver.upload_ahead`. Any number of processes share the work.
    """

    def __init__(
        self,
        images: ImageResolver,
        rules: Callable[[], RuleSet],
        oa_ids: Callable[[], Collection[str]],
        now: Callable[[], float],
    ) -> None:
        self._images = images
        self._rules = rules
        self._oa_ids = oa_ids
        self._now = now
        self._known_rules = rules()
        self._pending: deque[_Pending] = deque()
        self.thread = PollingThread(self._step_or_log, name="upload-ahead", seconds=_PAUSE_SECONDS)

    def step(self) -> None:
        """Check for new rules, and try one pending image."""
        rules = self._rules()
        if rules is not self._known_rules:
            self._order(rules)
        if not self._pending:
            return
        one, now = self._pending.popleft(), self._now()
        if one.not_before <= now:
            if self._images.upload_ahead(one.oa_id, one.file, one.digest) or one.tries + 1 >= _MAX_TRIES:
                return
            one = replace(one, tries=one.tries + 1, not_before=now + _RETRY_SECONDS)
        self._pending.append(one)

    def _order(self, rules: RuleSet) -> None:
        """Queue the images that these rules have added; drop images that are no longer named."""
        before, oa_ids = _files(self._known_rules), self._oa_ids()
        waiting = {(one.oa_id, one.file, one.digest): one for one in self._pending}
        wanted = [
            (oa_id, file, digest)
            for (file, digest), only_for in _files(rules).items()
            for oa_id in sorted(oa_ids)
            if not only_for or oa_id in only_for
        ]
        self._pending = deque(
            waiting.get(key, _Pending(*key)) for key in wanted if key in waiting or key[1:] not in before
        )
        self._known_rules = rules

    def _step_or_log(self) -> None:
        try:
            self.step()
        except Exception:
            # The database is unreachable; the image is uploaded when a customer needs it.
            log.exception("cannot upload the pictures of new rules")


def _files(rules: RuleSet) -> dict[tuple[str, str], frozenset[str]]:
    """Return the image files and their digests, each with the OAs that need it; empty: all OAs."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    for image, path in images_of(rules.file):
        if image.file is not None and (digest := rules.digests.get(image.file)):
            only_for = frozenset(rules.file.rules[int(path[1])].oa if path[0] == "rules" else ())
            known = found.get((image.file, digest), only_for)
            found[image.file, digest] = known | only_for if known and only_for else frozenset()
    return found
