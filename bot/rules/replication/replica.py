"""Keep this machine's rules file and images in step with the log of publications in the shared database."""

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
from bot.rules.replication.state import ReplicaState, ReplicaStatus
from bot.rules.validate_process import validate_aside

log = logging.getLogger(__name__)

_POLL_SECONDS: Final = 1.0
# How long to wait after a failed write: somebody must fix the permissions or the disk.
_RETRY_SECONDS: Final = 10.0
_MAX_TRIES: Final = 8


class NotWrittenHere(OSError):
    """The rules are published for all machines, but this machine cannot write them."""


class Replica:
    """
    Takes the publications of other machines, and publishes for them; safe for threads and processes of one machine.

    The log decides the order: a publication is in the log before it is in any file, so that a machine that dies in
    between takes it at its next start. The rules file is replaced only if it is from the log or from before the machine
    joined; a file that was changed by hand is kept. Replaced rules go to the history, replaced images to the trash.
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
        Take new publications, if there are any or the file has changed since the last poll.

        Raises:
            StorageError: The log cannot be reached.
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
        Publish the changes that *plan* returns, and take them; *plan* is called again if another machine was first.

        Rules whose digest is *checked* are known to be usable here. Contents must have been stored by `store`.

        Raises:
            NotWrittenHere: The changes are published, but cannot be written on this machine.
            OSError: This machine cannot write; nothing was published.
            StorageError: The log cannot be reached.
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
        """Store a content before its publication; return its digest."""
        found = digest(content)
        self._log.store(found, content)
        return found

    def published_rules(self) -> bytes | None:
        """Return the latest published rules file; None if there is none."""
        return self._log.content(self._head.rules_digest) if self._head.rules_digest else None

    def is_published(self, name: str, content: bytes) -> bool:
        """Return whether that is the published content of the image."""
        return self._log.images().get(name) == digest(content)

    def changed_images(self, content: bytes) -> list[Change]:
        """
        Return changes for the images that the rules name and whose content here is not published; store the contents.

        Raises:
            EditConflict: One of them has become unusable.
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
        """Return whether the rules of this or another machine name the image; True if that is unknown."""
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
        """Take new publications: images first, then rules, then deletions of images that no rule names any more."""
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
        # The rest is tried again when the log or the file changes.
        reached = max([self._head.sequence, marker.sequence, *(row.sequence for row in rows)])
        marker = Marker(min([reached, *(row.sequence - 1 for row in left)]), marker.digest)
        if marker != found:
            self._marker_file.write(marker)

    def _take_rules(self, rows: Sequence[Publication], present: str, marker: Marker, checked: str) -> bool:
        """Bring the rules file to the latest publication, if allowed; one by one, so that the history has each."""
        latest = rows[-1]
        if latest.digest == present:
            self._set_state("current")
            return True
        known = {"", marker.digest, *(row.digest for row in rows), *(row.replaced for row in rows)}
        content = self._log.content(latest.digest)
        if content is None:  # there is a later one by now, which the next poll finds
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
        """Publish the rows after *present* in this machine's file; return False if somebody else has written it."""
        digests = [row.digest for row in rows]
        # The file may already have one of them, if a process died before it wrote the marker.
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
        """Write the published content of an image; return False if the content is missing."""
        if self._image_digest(row.file) == row.digest:
            return True
        content = self._log.content(row.digest)
        if content is None:  # it was changed again or deleted: the next poll finds that
            return False
        if digest(content) != row.digest or sniff_format(content) not in ACCEPTED:
            log.error("a published picture is damaged", extra={"picture": row.file})
            return False
        self._library.put(row.file, content, now=row.published_at)
        return True

    def _delete_image(self, row: Publication) -> bool:
        """Delete an image that was deleted on another machine; return False while the rules here name it."""
        content = self._publisher.content()
        names = _image_names(content) if content is not None else frozenset()
        if names is None or row.file in names:
            return False
        with contextlib.suppress(UnknownImage):  # it is gone already
            self._library.delete(row.file, now=row.published_at)
        return True

    def _image_digest(self, name: str) -> str:
        """Return the digest of an image file; empty if it is missing or unusable."""
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
        """Return whether the rules file differs from the latest published one."""
        if self._head.rules_digest is None:
            return False
        try:
            return digest(self._publisher.content()) != self._head.rules_digest
        except OSError:
            return True

    def _fail(self, error: OSError) -> None:
        """Set the state after a failed write; it is `unwritable` only if there is something to write."""
        self._retry_at = time.monotonic() + _RETRY_SECONDS
        try:
            marker = self._marker_file.read()
        except OSError:
            marker = None
        is_behind = self._differs() or self._head.sequence > (marker.sequence if marker else 0)
        self._set_state("unwritable" if is_behind else "current", error.strerror or type(error).__name__)

    def _set_state(self, status: ReplicaStatus, reason: str = "", *, missed: Publication | None = None) -> None:
        reason = "" if status == "current" else reason
        state = ReplicaState(status, reason, missed.digest if missed else "", self._head.rules_published_at)
        if (state.status, state.reason) != (self.state.status, self.state.reason):
            if status == "current":
                log.info("the rules file is as published")
            else:
                log.warning("the rules file is not as published", extra={"standing": status, "trouble": reason})
        self.state = state


def _image_names(content: bytes) -> frozenset[str] | None:
    """Return the image files that rules name, including disabled rules; None if the rules are invalid."""
    file = load(content).file
    if file is None:
        return None
    return frozenset(image.file for reply in replies_of(file).values() for image in reply.images if image.file)


def _fault(content: bytes, folder: Path) -> str:
    """Return position and code of the first error of a rules file on this machine; empty if it is usable."""
    result = validate_aside(content, today=datetime.now(UTC).date(), folder=folder)
    first = next((problem for problem in result.problems if problem.severity == "error"), None)
    return f"{first.line}:{first.column}: {first.code}" if first and result.rules is None else ""


def _warn_of_own_file(present: str, rows: Sequence[Publication]) -> None:
    """Log a warning if a joining machine's own rules are replaced."""
    known = {"", *(row.digest for row in rows), *(row.replaced for row in rows)}
    if present not in known:
        log.warning("the rules file with which this machine joins gives way to the published one; the history has it")
