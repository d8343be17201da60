"""Share counts between processes by memory-mapped files in a directory (prometheus_client's multiprocess mode)."""

from __future__ import annotations

import errno
import logging
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from prometheus_client import values
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from bot import logs

log = logging.getLogger(__name__)
_log_damaged = logs.Bounded(log, logging.WARNING, "a file of counts is damaged and left out")

_DIRECTORY: Final = "PROMETHEUS_MULTIPROC_DIR"

# The files that the library makes for these metrics, by kind, and the bytes reserved for each: about 5,000 values.
_FILE_KINDS: Final = ("counter", "histogram", "gauge_mostrecent")
_FILE_BYTES: Final = 1024 * 1024
# How often the files are checked.
_CHECK_SECONDS: Final = 1.0

_forget_counts: list[Callable[[], None]] = []


def when_counts_move(forget: Callable[[], None]) -> None:
    """Call *forget* to reset the metrics whenever counts move to other files or to memory."""
    _forget_counts.append(forget)


def _move(value_class: Any) -> None:
    values.ValueClass = value_class
    for forget in _forget_counts:
        forget()


def _count_alone(error: OSError) -> None:
    log.warning(
        "metrics are of one process only", extra={"directory": os.environ.get(_DIRECTORY), "trouble": error.strerror}
    )
    os.environ.pop(_DIRECTORY, None)
    _move(values.MutexValue)


class _SharedFiles:
    """
    The memory-mapped files that this process counts in.

    Their space is reserved on the disk: a process that writes to a mapped page without disk space is killed by SIGBUS.
    If the files are deleted or the disk is full, only the counts are lost.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._process = 0
        self._check_at = 0.0
        os.register_at_fork(after_in_child=self._forget_check)

    def check(self) -> None:
        """Make sure that this process has files with reserved space; raise OSError if it cannot have them."""
        with self._lock:
            is_new = self._process != os.getpid()
            self._process, self._check_at = os.getpid(), time.monotonic() + _CHECK_SECONDS
            if is_new:
                self._reserve()
            elif not all(path.exists() for path in self._paths()):
                self._begin_anew()

    def were_checked(self) -> bool:
        """Return whether this process has just checked them."""
        return time.monotonic() < self._check_at

    def _forget_check(self) -> None:
        self._check_at = 0.0

    def recover(self) -> None:
        """Count in new files after the old ones failed; if that fails too, in memory for this process alone."""
        with self._lock:
            try:
                self._begin_anew()
            except OSError as error:
                _count_alone(error)

    def _paths(self) -> list[Path]:
        return [Path(os.environ[_DIRECTORY]) / f"{kind}_{os.getpid()}.db" for kind in _FILE_KINDS]

    def _begin_anew(self) -> None:
        Path(os.environ[_DIRECTORY]).mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in self._paths():
            path.unlink(missing_ok=True)
        self._reserve()
        _move(values.MultiProcessValue())  # type: ignore[no-untyped-call]

    def _reserve(self) -> None:
        for path in self._paths():
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(file, 0, _FILE_BYTES)
            finally:
                os.close(file)


_files = _SharedFiles()


def check() -> None:
    """
    Make sure that the shared files, if there are any, exist and have space.

    Raises:
        OSError: They cannot be created.
    """
    if not _files.were_checked() and is_shared():
        _files.check()


def recover() -> None:
    """Count in new files after the shared ones failed; if that fails too, in memory for this process alone."""
    if is_shared():
        _files.recover()


def share(directory: Path) -> None:
    """
    Count in *directory* from now on, together with every process that does the same, such as our children.

    It should be empty when the first process starts. Call this before anything is counted.
    """
    os.environ[_DIRECTORY] = str(directory)
    values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]


def share_with_siblings() -> None:
    """
    Count together with the processes of the same parent: gunicorn's workers, if their master did not call `share`.

    Children of this process share with one another: this may be a master that loads the application before it forks.
    """
    share(_of_siblings())
    os.register_at_fork(after_in_child=_join_siblings)


def is_shared() -> bool:
    """Return whether this process counts together with others, by a call of `share` or by the environment."""
    return bool(os.environ.get(_DIRECTORY))


def begin() -> None:
    """
    Make sure that counting never fails; call it in each process before anything is counted.

    If the shared directory cannot be used, this process counts for itself, and the log says so.
    """
    if not is_shared():
        return
    directory = Path(os.environ[_DIRECTORY])
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if directory.is_symlink() or not os.access(directory, os.W_OK | os.X_OK) or not _is_ours(directory):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        _files.check()
    except OSError as error:
        _count_alone(error)


class SharedCounts(Collector):
    """The sums over the files of all processes."""

    def __init__(self, pattern: str = "*.db") -> None:
        self._pattern = pattern

    def collect(self) -> Iterator[Metric]:
        """Yield the sums; a file that a process has just begun is empty, and a damaged one is left out."""
        files = [str(file) for file in Path(os.environ[_DIRECTORY]).glob(self._pattern) if _is_whole(file)]
        yield from MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]


def _can_be_read(file: Path) -> bool:
    MultiProcessCollector.merge([str(file)])  # type: ignore[no-untyped-call]
    return True


def _is_whole(file: Path) -> bool:
    try:
        return file.stat().st_size > 0 and _can_be_read(file)
    except Exception as error:  # noqa: BLE001  anything may stand in it
        _log_damaged({"file": file.name, "trouble": type(error).__name__})
        return False


def _join_siblings() -> None:
    # From now on counts go there; the library detects the fork by itself.
    if is_shared():
        os.environ[_DIRECTORY] = str(_of_siblings())
        begin()


def _of_siblings() -> Path:
    """Return a directory that is named after the parent process."""
    parent = os.getppid()
    return Path(tempfile.gettempdir()) / f"zalo-bot-metrics-{os.getuid()}-{parent}-{_started_at(parent)}"


def _is_ours(directory: Path) -> bool:
    """Return whether this user owns the directory: its name can be guessed, and anybody may create it."""
    return directory.parent != Path(tempfile.gettempdir()) or directory.stat().st_uid == os.getuid()


def _started_at(process: int) -> str:
    """Return when the process started, in ticks since boot; process ids are reused."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:  # not Linux
        return "0"
