"""Looks at the pictures in the background, a few a minute, whoever of the processes comes first."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from bot.image_health.probe import look_at
from bot.image_health.references import Picture, named, today
from bot.image_health.schedule import Book, Entry
from bot.inbox.database import Database
from bot.net.addresses import AddressPolicy
from bot.rules.engine import RuleSet

log = logging.getLogger(__name__)

# Seconds: between two looks, with nothing to look at, and after a fault; how often to see whether the book is complete.
_BREATH: Final = 1.0
_IDLE: Final = 5.0
_REST: Final = 60.0
_COMPLETE_EVERY: Final = 600.0
# For who wants to stop; what is being looked at is given up, and looked at again when its lease ends.
_PATIENCE: Final = 2.0
_MOST_NAMED: Final = 5


class PictureChecker:
    """
    Looks at each picture that the rules in force name about every six hours, in a thread of its own.

    Pictures new to the rules come at once, and so do those that were not well, when the rules change. Any number of
    processes share the work: see `Book`.
    """

    def __init__(
        self, database: Database, rules: Callable[[], RuleSet], folder: Path, addresses: AddressPolicy
    ) -> None:
        self._database = database
        self._book = Book(database)
        self._rules = rules
        self._folder = folder
        self._addresses = addresses
        self._followed: RuleSet | None = None
        self._complete_until = 0.0
        self._pictures: Mapping[str, Picture] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pictures", daemon=True)

    def start(self) -> None:
        """Begin; call it after the last fork."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; it may still wait for a server, but does nothing with the answer."""
        self._stopping.set()
        self._thread.join(_PATIENCE)

    def step(self) -> float:
        """Look at one picture that is due; return in how many seconds to come again."""
        now = self._database.now()
        rules = self._rules()
        if rules is not self._followed or now > self._complete_until:
            self._follow(rules, now)
        key = self._book.claim(now=now)
        if key is None:
            return _IDLE
        picture = self._pictures.get(key)
        if picture is None:
            self._book.forget(key)
        else:
            self._look(key, picture, rules, now)
        return _BREATH

    def _run(self) -> None:
        pause = _IDLE
        while not self._stopping.wait(pause):
            try:
                pause = self.step()
            except Exception:
                # The database is away; pictures do not change for that.
                log.exception("cannot check the pictures")
                pause = _REST

    def _follow(self, rules: RuleSet, now: float) -> None:
        """Have the book hold what the rules name; a process with other rules may have struck it out."""
        self._pictures = {picture.key: picture for picture in named(rules, now=now)}
        self._book.expect(self._pictures, now=now)
        if rules is not self._followed:
            self._book.hurry(now=now)
        self._followed, self._complete_until = rules, now + _COMPLETE_EVERY

    def _look(self, key: str, picture: Picture, rules: RuleSet, now: float) -> None:
        look = look_at(picture, self._addresses, folder=self._folder, today=today(rules, now))
        if not self._stopping.is_set():
            _tell(picture, *self._book.save(key, look, now=self._database.now()))


def _tell(picture: Picture, before: Entry, after: Entry) -> None:
    """Log a picture that turns bad, or well again, once."""
    was, stands = before.look.standing, after.look.standing
    facts = {"picture": picture.shown, "rules": ",".join(picture.rules[:_MOST_NAMED])}
    if stands == "bad" and was != "bad":
        log.warning(
            "customers may not get a picture", extra=facts | {"problem": after.look.word, "status": after.look.status}
        )
    elif stands == "ok" and was == "bad":
        log.info("a picture is well again", extra=facts)
