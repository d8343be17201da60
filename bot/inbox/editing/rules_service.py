"""The rules of one process: loaded, followed, published and, on PostgreSQL, in step with other machines."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bot.inbox.database import Database
from bot.inbox.editing.rules_snapshots import RulesSnapshots
from bot.inbox.sql.group_commit import GroupCommitWriter
from bot.rules.reload import RulesReloader

if TYPE_CHECKING:
    from bot.rules.publishing.image_library import ImageLibrary
    from bot.rules.publishing.publisher import Publisher
    from bot.rules.replication.replica import Replica


class RulesService:
    """
    The rules file and its images, for those that answer by them and those that edit them.

    What publishes and replicates is imported when it is needed: not by a bot on SQLite, until an editor changes rules.
    That is a fiftieth of a start.
    """

    def __init__(self, path: Path, database: Database, writer: GroupCommitWriter, *, takes: bool) -> None:
        """Serve the rules file at *path*; *takes*: whether it takes what other machines publish."""
        self._path = path
        self.reloader = RulesReloader(path, RulesSnapshots(database, writer))
        # On SQLite all processes are on one machine and share its files.
        self.replica = None if database.is_sqlite else _replica(path, database, takes=takes)
        """Takes what other machines publish; None on SQLite."""

    @cached_property
    def publisher(self) -> Publisher:
        """Replaces the rules file, on PostgreSQL on all machines."""
        if self.replica is None:
            from bot.rules.publishing.publisher import Publisher  # noqa: PLC0415  see the class

            return Publisher(self._path)
        from bot.rules.replication.editing import SharedPublisher  # noqa: PLC0415

        return SharedPublisher(self._path, self.replica)

    @cached_property
    def image_library(self) -> ImageLibrary:
        """The image files beside the rules file, on PostgreSQL those of all machines."""
        if self.replica is None:
            from bot.rules.publishing.image_library import ImageLibrary  # noqa: PLC0415  see the class

            return ImageLibrary(self._path)
        from bot.rules.replication.editing import SharedImageLibrary  # noqa: PLC0415

        return SharedImageLibrary(self._path, self.replica)

    def load(self, *, aside: bool = False) -> None:
        """
        Take what other machines have published, and load the rules; see `RulesReloader.load`.

        Raises:
            RulesError: There are no valid rules, and the file has errors.
            ConfigError: There are no valid rules, and the file cannot be read.
            StorageError: The database cannot be reached.
        """
        if self.replica is not None:
            self.replica.poll()
        self.reloader.load(aside=aside)

    def start(self) -> None:
        """Follow the file and the publications; call it after the last fork."""
        self.reloader.thread.start()
        if self.replica is not None:
            self.replica.thread.start()

    def remarks(self) -> list[str]:
        """Return what the operator should know of the rules file."""
        found = [f"rules: {self.reloader.error}; the last good rules are in force"] if self.reloader.error else []
        return found + list(filter(None, [self.replica.state.remark() if self.replica else ""]))

    def stop(self) -> None:
        """Stop following."""
        if self.replica is not None:
            self.replica.thread.stop()
        self.reloader.thread.stop()


def _replica(path: Path, database: Database, *, takes: bool) -> Replica:
    from bot.inbox.editing.publications import Publications  # noqa: PLC0415  see `RulesService`
    from bot.rules.replication.replica import Replica  # noqa: PLC0415

    return Replica(path, Publications(database), takes=takes)
