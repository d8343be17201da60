"""This machine's rules file and images as a replica of what is published in the database that machines share."""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bot.errors import BotError, StorageError
from bot.images.formats import ACCEPTED, sniff_format
from bot.images.local_files import FileStamp, UnusableImage, file_stamp, read_image
from bot.rules.engine import replies_of
from bot.rules.polling import PollingThread
from bot.rules.publishing.history import VersionInfo
from bot.rules.publishing.image_library import ImageLibrary, UnknownImage
from bot.rules.publishing.publication_log import RULES, Change, Head, Overtaken, Publication, PublicationLog
from bot.rules.publishing.publisher import EditConflict, Publisher, digest
from bot.rules.reading.loader import load
from bot.rules.replication.marker import Marker, MarkerFile
from bot.rules.replication.state import ReplicaState, Standing
from bot.rules.validate_process import validate_aside

log = logging.getLogger(__name__)

_POLL_SECONDS: Final = 1.0
# Rights and disks are mended by people.
_RETRY_SECONDS: Final = 10.0
_MAX_TRIES: Final = 8


class NotWrittenHere(OSError):
    """It is published for all machines, and this one cannot write it."""


class Replica:
    """
    Takes what other machines publish, and publishes for them; safe for threads, and for processes of one machine.

    The log decides the order: a publication is in the log before it is in any file, so that a machine which dies in
    between takes it when it starts again. The rules file is replaced only while it holds something of the log, or what
    the machine joined with; what somebody wrote by hand is kept. What is replaced goes to the history, images to the
    library's trash.
    """

    def __init__(self, path: Path, publications: PublicationLog, *, takes: bool) -> None:
        self._path = path
        self._log = publications
        self._takes = takes
        self._publisher = Publisher(path)
        self._library = ImageLibrary(path)
        self._marker_file = MarkerFile(path)
        self._head = Head()
        self._seen: tuple[Head, FileStamp] | None = None
        self._retry_at = math.inf
        self._image_digests: dict[str, tuple[FileStamp, str]] = {}
        self._is_away = False
        self.thread = PollingThread(self._poll_or_log, name="replica", seconds=_POLL_SECONDS)
        """Follows the log while it runs."""
        self.state = ReplicaState()

    def poll(self) -> None:
        """
        Take what was published, if anything was or the file has changed since the last look.

        Raises:
            StorageError: The log is out of reach.
        """
        seen = self._log.head(), file_stamp(self._path.parent, self._path.name)
        if seen == self._seen and time.monotonic() < self._retry_at:
            return
        self._head, self._retry_at = seen[0], math.inf
        try:
            if self._takes:
                with self._marker_file.locked():
                    self._sync()
            else:
                self._set_state("off" if self._differs() else "current")
        except OSError as error:
            self._fail(error)
        self._seen = seen

    def publish(self, plan: Callable[[], Sequence[Change]], *, checked: str = "") -> None:
        """
        Publish what *plan* returns, and have it here; it is asked again where another machine was first.

        The rules whose digest is *checked* are known to be usable here. Contents must be in the log by `store`.

        Raises:
            NotWrittenHere: It is published, but cannot be written on this machine.
            OSError: This machine cannot write; nothing was published.
            StorageError: The log is out of reach.
        """
        with self._marker_file.locked():
            for _ in range(_MAX_TRIES):
                self._sync(checked)
                changes = plan()
                try:
                    if changes:
                        self._log.append(changes, after=self._head.sequence)
                except Overtaken:
                    continue
                self._take_own(checked)
                return
        raise StorageError("other machines publish all the time")

    def store(self, content: bytes) -> str:
        """Keep a content that is about to be published; return its digest."""
        found = digest(content)
        self._log.store(found, content)
        return found

    def published_rules(self) -> bytes | None:
        """Return the rules file that was published last; None if none was."""
        return self._log.content(self._head.rules_digest) if self._head.rules_digest else None

    def is_published(self, name: str, content: bytes) -> bool:
        """Return whether the image is to hold that content on every machine."""
        return self._log.images().get(name) == digest(content)

    def changed_images(self, content: bytes) -> list[Change]:
        """
        Return the images that rules name and that are not published as they stand here; their contents are stored.

        Raises:
            EditConflict: One of them cannot be sent any more.
        """
        published, changes = self._log.images(), []
        for name in sorted(_image_names(content) or ()):
            if published.get(name) == (found := self._image_digest(name)):
                continue
            if not found:
                raise EditConflict
            changes.append(Change(name, self.store(read_image(self._path.parent, name).content)))
        return changes

    def names_image(self, name: str) -> bool:
        """Return whether the rules of this machine or those of the others name that image, or may do so."""
        contents = [self._publisher.content()]
        if self._head.rules_digest and self._head.rules_digest != digest(contents[0]):
            contents.append(self._log.content(self._head.rules_digest))
        named = [_image_names(content) for content in contents if content is not None]
        return any(names is None or name in names for names in named)

    def _poll_or_log(self) -> None:
        try:
            self.poll()
            self._is_away = False
        except BotError as error:
            if not self._is_away:
                log.warning("cannot look for publications", extra={"trouble": str(error)})
            self._is_away = True
        except Exception:
            log.exception("cannot follow the publications")

    def _take_own(self, checked: str) -> None:
        try:
            self._sync(checked)
        except OSError as error:
            self._fail(error)
            raise NotWrittenHere(error.errno, error.strerror) from error

    def _sync(self, checked: str = "") -> None:
        """Take what is new: images first, then the rules, and then delete images that no rule names any more."""
        self._head = self._log.head()
        present, found = digest(self._publisher.content()), self._marker_file.read()
        marker = found or Marker(0, present)
        rows = self._log.since(marker.sequence if present else 0)
        images, rules = [row for row in rows if row.file != RULES], [row for row in rows if row.file == RULES]
        left = [row for row in images if row.digest and not self._take_image(row)]
        if rules:
            if found is None:
                _warn_of_own_file(present, rules)
            if self._take_rules(rules, present, marker, checked):
                marker = Marker(marker.sequence, rules[-1].digest)
            else:
                left.append(rules[0])
        else:
            self._set_state("by-hand" if self._differs() and present != marker.digest else "current")
        left += [row for row in images if not row.digest and not self._delete_image(row)]
        # What is left is looked at again whenever the log or the file changes.
        reached = max([self._head.sequence, marker.sequence, *(row.sequence for row in rows)])
        marker = Marker(min([reached, *(row.sequence - 1 for row in left)]), marker.digest)
        if marker != found:
            self._marker_file.write(marker)

    def _take_rules(self, rows: Sequence[Publication], present: str, marker: Marker, checked: str) -> bool:
        """Bring the rules file to the latest of the publications, one by one for the history's sake, if it may be."""
        latest = rows[-1]
        if latest.digest == present:
            self._set_state("current")
            return True
        known = {"", marker.digest, *(row.digest for row in rows), *(row.replaced for row in rows)}
        content = self._log.content(latest.digest)
        if content is None:  # there is a later one by now, which the next look finds
            return False
        if present in known and latest.digest != checked and (fault := _fault(content, self._path.parent)):
            self._set_state("refused", fault, missed=latest)
            return False
        if present not in known or not self._replay(rows, present, marker):
            self._set_state("by-hand", missed=latest)
            return False
        log.info("published rules taken", extra={"digest": latest.digest[:12]})
        self._set_state("current")
        return True

    def _replay(self, rows: Sequence[Publication], present: str, marker: Marker) -> bool:
        """Publish in this machine's file what comes after *present*; return False if somebody writes it meanwhile."""
        digests = [row.digest for row in rows]
        # One of them stands there already where a process died before it could write the marker.
        done = digests.index(present) + 1 if present in digests and present != marker.digest else 0
        for row in rows[done:]:
            content = self._log.content(row.digest)
            if content is None:
                continue
            try:
                info = VersionInfo.read(row.info)
                self._publisher.publish(content, seen=present, now=row.published_at, info=info)
            except EditConflict:
                return False
            present = row.digest
        return True

    def _take_image(self, row: Publication) -> bool:
        """Have an image hold what is published; return False if that cannot be had."""
        if self._image_digest(row.file) == row.digest:
            return True
        content = self._log.content(row.digest)
        if content is None:  # it was changed again, or deleted: the next look finds it
            return False
        if digest(content) != row.digest or sniff_format(content) not in ACCEPTED:
            log.error("a published picture is damaged", extra={"picture": row.file})
            return False
        self._library.put(row.file, content, now=row.published_at)
        return True

    def _delete_image(self, row: Publication) -> bool:
        """Delete an image that is to be nowhere any more; return False while the rules here name it."""
        content = self._publisher.content()
        names = _image_names(content) if content is not None else frozenset()
        if names is None or row.file in names:
            return False
        with contextlib.suppress(UnknownImage):  # it is not here, as it should be
            self._library.delete(row.file, now=row.published_at)
        return True

    def _image_digest(self, name: str) -> str:
        """Return the digest of an image file; empty if there is none that can be sent."""
        stamp = file_stamp(self._path.parent, name)
        known = self._image_digests.get(name)
        if known is None or known[0] != stamp or stamp is None:
            try:
                known = stamp, read_image(self._path.parent, name).digest
            except UnusableImage:
                known = stamp, ""
            self._image_digests[name] = known
        return known[1]

    def _differs(self) -> bool:
        """Return whether the rules file is another than the one that was published last."""
        if self._head.rules_digest is None:
            return False
        try:
            return digest(self._publisher.content()) != self._head.rules_digest
        except OSError:
            return True

    def _fail(self, error: OSError) -> None:
        """Tell that this machine cannot write, if there is anything that it should."""
        self._retry_at = time.monotonic() + _RETRY_SECONDS
        try:
            marker = self._marker_file.read()
        except OSError:
            marker = None
        is_behind = self._differs() or self._head.sequence > (marker.sequence if marker else 0)
        self._set_state("unwritable" if is_behind else "current", error.strerror or type(error).__name__)

    def _set_state(self, standing: Standing, reason: str = "", *, missed: Publication | None = None) -> None:
        reason = "" if standing == "current" else reason
        state = ReplicaState(standing, reason, missed.digest if missed else "", self._head.rules_published_at)
        if (state.standing, state.reason) != (self.state.standing, self.state.reason):
            if standing == "current":
                log.info("the rules file is as published")
            else:
                log.warning("the rules file is not as published", extra={"standing": standing, "trouble": reason})
        self.state = state


def _image_names(content: bytes) -> frozenset[str] | None:
    """Return the image files that rules name, those that are switched off too; None if it cannot be told."""
    file = load(content).file
    if file is None:
        return None
    return frozenset(image.file for reply in replies_of(file).values() for image in reply.images if image.file)


def _fault(content: bytes, folder: Path) -> str:
    """Return where and what is the first error of a rules file on this machine; empty: it is usable."""
    result = validate_aside(content, today=datetime.now(UTC).date(), folder=folder)
    first = next((problem for problem in result.problems if problem.severity == "error"), None)
    return f"{first.line}:{first.column}: {first.code}" if first and result.rules is None else ""


def _warn_of_own_file(present: str, rows: Sequence[Publication]) -> None:
    """Tell, of a machine that joins, that its own rules give way."""
    known = {"", *(row.digest for row in rows), *(row.replaced for row in rows)}
    if present not in known:
        log.warning("the rules file with which this machine joins gives way to the published one; the history has it")
