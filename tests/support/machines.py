"""Several machines of a shop, each in its own folder with rules file and images; they share one log."""

from __future__ import annotations

from pathlib import Path

from bot.images.prepare import PreparedImage
from bot.rules.publishing.publication_log import PublicationLog
from bot.rules.publishing.publisher import digest
from bot.rules.replication.editing import SharedImageLibrary, SharedPublisher
from bot.rules.replication.replica import Replica
from bot.rules.replication.state import ReplicaStatus
from tests.support.local_images import jpeg

NOW = 1_790_000_000.0


def rules(*images: str, note: str = "") -> bytes:
    """Return a rules file that names these images."""
    lines = [
        "version: 1",
        f"# {note}",
        "rules:",
        "  - {id: hi, on: follow, reply: {image_url: 'https://a.example/a.jpg'}}",
    ]
    lines += [f"  - {{id: r{n}, keywords: [từ khóa {n}], reply: {{file: {name}}}}}" for n, name in enumerate(images)]
    return "\n".join([*lines, ""]).encode()


def prepared(seed: str) -> PreparedImage:
    """Return an image as prepared by an upload."""
    content = jpeg(seed=seed)
    return PreparedImage(content, "jpg", (len(content),) * 2, ((1, 1), (1, 1)), is_converted=False)


class Machine:
    """One machine, whose process can be stopped and started again."""

    def __init__(self, folder: Path, log: PublicationLog, content: bytes | None, *, takes: bool = True) -> None:
        folder.mkdir()
        self.folder = folder
        self.path = folder / "rules.yaml"
        self._log, self._takes = log, takes
        if content is not None:
            self.path.write_bytes(content)
        self.start()

    def start(self) -> None:
        """Start like a process: poll the publications once."""
        self.replica = Replica(self.path, self._log, takes=self._takes)
        self.publisher = SharedPublisher(self.path, self.replica)
        self.library = SharedImageLibrary(self.path, self.replica)
        self.replica.poll()

    def publish(self, content: bytes, *, over: bytes | None = None) -> None:
        """Publish over the present content, or over *over*, which an editor saw."""
        seen = digest(self.content if over is None else over)
        self.publisher.publish(content, seen=seen, now=NOW)

    @property
    def content(self) -> bytes:
        """The content of the rules file."""
        return self.path.read_bytes()

    @property
    def status(self) -> ReplicaStatus:
        """The state of the rules file against the published one."""
        return self.replica.state.status

    def image(self, name: str) -> bytes | None:
        """Return the content of an image file; None if there is none."""
        path = self.folder / name
        return path.read_bytes() if path.exists() else None

    def versions(self) -> list[bytes | None]:
        """Return the contents in the history, newest first."""
        return [self.publisher.read(version.name) for version in self.publisher.versions()]
