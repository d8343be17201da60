"""Version history of the rules file, in `.rules.yaml.history/`: the last 50 contents, who published them and why."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bot.files import atomic_write, copy_owner, locked_folder, read_plain_file
from bot.rules.publishing.rule_changes import ChangeCounts

#: The most versions that are kept; the oldest is deleted.
MAX_VERSIONS: Final = 50

#: The longest author's name and note, in characters; the rest is cut.
MAX_AUTHOR_CHARACTERS: Final = 60
MAX_NOTE_CHARACTERS: Final = 300

_MAX_INFO_BYTES: Final = 16 * 1024
_SHORT: Final = 12
_NAME = re.compile(rf"(\d{{4}}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{{3}})Z-([0-9a-f]{{{_SHORT}}})\.yaml", re.ASCII)
_TIME: Final = "%Y-%m-%dT%H-%M-%S.%f"
_TICK: Final = 0.001
_FILE_MODE: Final = 0o600
_FOLDER_MODE: Final = 0o700


@dataclass(frozen=True, slots=True)
class Version:
    """A content of the rules file."""

    name: str
    """The name of its file in the history."""
    since: float
    """When it became the content of the rules file, in seconds since 1970."""
    short_digest: str
    """The beginning of its SHA-256, in hex."""

    def holds(self, content: bytes | None) -> bool:
        """Return whether the version has that content."""
        return content is not None and _short_digest(content) == self.short_digest


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """Author and note of a version, each on one line, empty if unknown; never logged."""

    author: str = ""
    note: str = ""
    restored: str = ""
    """The name of the earlier version that it restored; empty if none."""
    changes: str = ""
    """`ChangeCounts` of what it changes in the version before, as text."""

    @classmethod
    def of(cls, *, author: str = "", note: str = "", restored: str = "", changes: str = "") -> VersionInfo:
        """Return the info with texts cut to the length that is kept."""
        is_name = _NAME.fullmatch(restored) is not None
        return cls(
            _one_line(author, MAX_AUTHOR_CHARACTERS),
            _one_line(note, MAX_NOTE_CHARACTERS),
            restored if is_name else "",
            changes if ChangeCounts.read(changes) else "",
        )

    @classmethod
    def read(cls, found: object) -> VersionInfo:
        """Return the info from decoded JSON, written by this or another version of the program."""
        known = {field.name for field in fields(cls)}
        texts = found.items() if isinstance(found, Mapping) else ()
        return cls.of(**{key: text for key, text in texts if key in known and isinstance(text, str)})


#: Author and note unknown.
NO_INFO: Final = VersionInfo()


class FileHistory:
    """
    The folder ``.<name of the rules file>.history``: plain rules files, named by their times.

    ``<version>.json`` has the `VersionInfo` of ``<version>.yaml``. It is written first, so that every version has its
    info.
    """

    def __init__(self, path: Path) -> None:
        self.folder = path.with_name(f".{path.name}.history")

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """
        Exclude other processes of this machine that publish, while the block runs.

        Raises:
            OSError: The folder is missing and cannot be created.
        """
        self.folder.mkdir(mode=_FOLDER_MODE, exist_ok=True)
        with locked_folder(self.folder):
            yield

    def versions(self) -> list[Version]:
        """Return the kept versions, newest first."""
        try:
            names = sorted((entry.name for entry in self.folder.iterdir()), reverse=True)
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [version for name in names if (version := version_named(name))]

    def read(self, name: str) -> bytes | None:
        """Return the content of the version with that name; None if there is none."""
        if version_named(name) is None:
            return None
        try:
            return read_plain_file(self.folder / name)
        except FileNotFoundError:
            return None

    def info(self, name: str) -> VersionInfo:
        """Return author and note of the version with that name; NO_INFO if there is none."""
        if version_named(name) is None:
            return NO_INFO
        try:
            found = json.loads(read_plain_file(self._info_path(name), limit=_MAX_INFO_BYTES))
        except (OSError, ValueError, RecursionError):  # missing, or not written by us
            return NO_INFO
        return VersionInfo.read(found)

    def keep(
        self, content: bytes, *, since: float, metadata_of: os.stat_result | None, info: VersionInfo = NO_INFO
    ) -> None:
        """
        Store the content as the newest version, unless it is that already; delete the oldest if there are too many.

        Raises:
            OSError: It cannot be written.
        """
        kept = self.versions()
        if kept and kept[0].holds(content):
            return
        # Clocks may be set back, but the names must sort in the order of the versions.
        since = max(since, kept[0].since + _TICK) if kept else since
        time = datetime.fromtimestamp(since, UTC).strftime(_TIME)[:-3]
        self._keep_private(metadata_of)
        name = f"{time}Z-{_short_digest(content)}.yaml"
        if info != NO_INFO:
            described = json.dumps(asdict(info), ensure_ascii=False).encode()
            atomic_write(self._info_path(name), described, metadata_of=metadata_of, mode=_FILE_MODE)
        atomic_write(self.folder / name, content, metadata_of=metadata_of, mode=_FILE_MODE)
        for version in kept[MAX_VERSIONS - 1 :]:
            (self.folder / version.name).unlink(missing_ok=True)
        self._delete_stray_info()

    def _info_path(self, name: str) -> Path:
        return (self.folder / name).with_suffix(".json")

    def _delete_stray_info(self) -> None:
        """Delete the infos of missing versions: deleted ones, or ones not written because the process was killed."""
        for path in self.folder.glob("*.json"):
            name = path.with_suffix(".yaml").name
            if version_named(name) is not None and not (self.folder / name).exists():
                path.unlink(missing_ok=True)

    def _keep_private(self, metadata_of: os.stat_result | None) -> None:
        """Restrict the folder to the owner of the rules file."""
        with contextlib.suppress(PermissionError):  # somebody else created it
            if metadata_of is not None:
                copy_owner(self.folder, metadata_of)
            self.folder.chmod(_FOLDER_MODE)


def _one_line(text: str, most: int) -> str:
    """Return a text without line ends, control characters and lone surrogates, cut to *most* characters."""
    visible = "".join(one if one.isprintable() else " " for one in text)
    return " ".join(visible.split())[:most].rstrip()


def version_named(name: str) -> Version | None:
    """Return the version with that name, kept or not; None if the name is invalid."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    try:
        since = datetime.strptime(found[1], _TIME).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
    return Version(name, since, found[2])


def _short_digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_SHORT]
