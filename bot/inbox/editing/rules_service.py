"""The rules of one process: loaded, followed, published and, on PostgreSQL, in step with other machines."""

from __future__ import annotations

from pathlib import Path

from bot.inbox.database import Database
from bot.inbox.editing.publications import Publications
from bot.inbox.editing.rules_snapshots import RulesSnapshots
from bot.inbox.sql.group_commit import GroupCommitWriter
from bot.rules.publishing.image_library import ImageLibrary
from bot.rules.publishing.publisher import Publisher
from bot.rules.reload import RulesReloader
from bot.rules.replication.editing import SharedImageLibrary, SharedPublisher
from bot.rules.replication.replica import Replica


class RulesService:
    """The rules file and its images, for those that answer by them and those that edit them."""

    def __init__(self, path: Path, database: Database, writer: GroupCommitWriter, *, takes: bool) -> None:
        """Serve the rules file at *path*; *takes*: whether it takes what other machines publish."""
        self.reloader = RulesReloader(path, RulesSnapshots(database, writer))
        self.publisher, self.image_library = Publisher(path), ImageLibrary(path)
        self.replica: Replica | None = None
        """Takes what other machines publish; on SQLite all processes are on one machine and share its files."""
        if not database.is_sqlite:
            replica = self.replica = Replica(path, Publications(database), takes=takes)
            self.publisher, self.image_library = SharedPublisher(path, replica), SharedImageLibrary(path, replica)

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
