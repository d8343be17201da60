"""Prometheus metrics that are counted while the bot runs: of one process, or of all that share a directory."""

from __future__ import annotations

import errno
import logging
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from pathlib import Path
from typing import Any, Final, NamedTuple, ParamSpec

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, values
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from bot import logs

P = ParamSpec("P")

log = logging.getLogger(__name__)
_log_not_counted = logs.Bounded(log, logging.WARNING, "something could not be counted")
_log_damaged = logs.Bounded(log, logging.WARNING, "a file of counts is damaged and left out")

_DIRECTORY: Final = "PROMETHEUS_MULTIPROC_DIR"

# The files that the library makes for these metrics, by kind, and the bytes reserved for each: about 5,000 values.
_FILE_KINDS: Final = ("counter", "histogram", "gauge_mostrecent")
_FILE_BYTES: Final = 1024 * 1024
# How often the files are checked for.
_CHECK_SECONDS: Final = 1.0

# Zalo gives up after two seconds, a vendor call after SEND_TIMEOUT: both limits must be at or near a bucket bound.
_ACKNOWLEDGED_WITHIN = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
_SENT_WITHIN = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

# All have labels: a metric with labels creates its values when it is first counted, which is after `share`.
_counts = CollectorRegistry()
_acknowledgements = Histogram(
    "zalo_bot_acknowledgement_seconds",
    "Answers to deliveries on the webhook, by HTTP status",
    ["status"],
    buckets=_ACKNOWLEDGED_WITHIN,
    registry=_counts,
)
_events = Counter("zalo_bot_events_total", "New events, by the rules' word for them", ["kind"], registry=_counts)
_redeliveries = Counter(
    "zalo_bot_redeliveries_total", "Deliveries of events that were known already", ["kind"], registry=_counts
)
_sends = Histogram(
    "zalo_bot_send_seconds",
    "Calls of the vendor that send a picture, by what came of them",
    ["outcome"],
    buckets=_SENT_WITHIN,
    registry=_counts,
)
_settled = Counter(
    "zalo_bot_settled_total",
    "Events that a decision or a call ended, by how",
    ["kind", "status", "reason"],
    registry=_counts,
)
_replies = Counter("zalo_bot_replies_total", "Events answered with pictures, by rule", ["rule"], registry=_counts)
_unmatched = Counter(
    "zalo_bot_unmatched_total",
    "Settled events that no rule matched, those that the fallback answered among them",
    ["kind"],
    registry=_counts,
)
_quota_left = Gauge(
    "zalo_bot_quota_remaining",
    "Pictures that an OA may still send, as the vendor told it last",
    ["oa_id", "quota_type"],
    registry=_counts,
    multiprocess_mode="mostrecent",
)
_quota_size = Gauge(
    "zalo_bot_quota_limit",
    "Pictures in that quota when it was full",
    ["oa_id", "quota_type"],
    registry=_counts,
    multiprocess_mode="mostrecent",
)


_METRICS: Final = (
    _acknowledgements, _events, _redeliveries, _sends, _settled, _replies, _unmatched, _quota_left, _quota_size
)  # fmt: skip


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

    def check(self) -> None:
        """Make sure that this process has files with reserved space; raise OSError if it cannot have them."""
        now = time.monotonic()
        if self._process == os.getpid() and now < self._check_at:
            return
        with self._lock:
            is_new = self._process != os.getpid()
            self._process, self._check_at = os.getpid(), now + _CHECK_SECONDS
            if is_new:
                self._reserve()
            elif not all(path.exists() for path in self._paths()):
                self._begin_anew()

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
        _forget(values.MultiProcessValue())  # type: ignore[no-untyped-call]

    def _reserve(self) -> None:
        for path in self._paths():
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(file, 0, _FILE_BYTES)
            finally:
                os.close(file)


_files = _SharedFiles()


def _forget(value_class: Any) -> None:
    """Drop all counts, and count with *value_class* from now on."""
    values.ValueClass = value_class
    for metric in _METRICS:
        metric.clear()
    for cached in (_acknowledgement, _event, _redelivery):
        cached.cache_clear()


def _count_alone(error: OSError) -> None:
    log.warning(
        "metrics are of one process only", extra={"directory": os.environ.get(_DIRECTORY), "trouble": error.strerror}
    )
    os.environ.pop(_DIRECTORY, None)
    _forget(values.MutexValue)


def _never_fails(count: Callable[P, None]) -> Callable[P, None]:
    """Wrap *count* so that it never raises: an event is delivered even if the files of counts fail."""

    @wraps(count)
    def counted_safely(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            if is_shared():
                _files.check()
            count(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  it is logged, and what cannot be counted is no reason to stop
            _log_not_counted({"trouble": type(error).__name__})
            if is_shared():
                _files.recover()

    return counted_safely


@_never_fails
def acknowledged(status: int, seconds: float) -> None:
    """Count an answer to a webhook request: its HTTP status and the seconds it took."""
    _acknowledgement(status).observe(seconds)


@_never_fails
def received(kind: str | None, *, fresh: bool) -> None:
    """Count a stored event, or its redelivery; *kind* is None for an event that gets no answer."""
    (_event if fresh else _redelivery)(kind).inc()


@contextmanager
def sending() -> Iterator[None]:
    """Time a vendor call (the block); its outcome is ``Taken`` or the name of the exception it raises."""
    began, outcome = time.perf_counter(), "Taken"
    try:
        yield
    except Exception as error:
        outcome = type(error).__name__
        raise
    finally:
        _sent(outcome, time.perf_counter() - began)


@_never_fails
def _sent(outcome: str, seconds: float) -> None:
    _sends.labels(outcome).observe(seconds)


@_never_fails
def settled(kind: str, status: str, reason: str | None, rule: str | None) -> None:
    """Count an event that has reached a final state, and its rule's reply if one was sent."""
    _settled.labels(kind, status, reason or "").inc()
    if status == "sent":
        _replies.labels(rule or "").inc()


@_never_fails
def unmatched(kind: str) -> None:
    """Count an event that has reached a final state without a matching rule."""
    _unmatched.labels(kind).inc()


@_never_fails
def quota(oa_id: str, kind: str, *, left: int, size: int | None) -> None:
    """Show how much of an OA's quota of that kind is left and, if the vendor says so, how large it is."""
    _quota_left.labels(oa_id, kind).set(left)
    if size is not None:
        _quota_size.labels(oa_id, kind).set(size)


class QuotaLeft(NamedTuple):
    """An OA's quota as the vendor last reported it."""

    oa_id: str
    kind: str
    """Zalo's `quota_type`, as `bot.cpaas.Quota` has it."""
    left: int
    size: int | None
    """The size of the full quota; None if the vendor did not say."""


def quotas() -> list[QuotaLeft]:
    """Return every quota given to `quota` since the start, by this process or by one that shares its counts."""
    if is_shared():
        found = [*_Shared("gauge_mostrecent_*.db").collect()]
    else:
        found = [*_quota_left.collect(), *_quota_size.collect()]
    values = {(s.name, s.labels["oa_id"], s.labels["quota_type"]): int(s.value) for one in found for s in one.samples}
    return [
        QuotaLeft(oa_id, kind, left, values.get(("zalo_bot_quota_limit", oa_id, kind)))
        for (name, oa_id, kind), left in sorted(values.items())
        if name == "zalo_bot_quota_remaining"
    ]


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


def counted() -> Collector:
    """Return the counts of all processes that share with this one, else of this one."""
    return _Shared() if is_shared() else _counts


class _Shared(Collector):
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


# Looking up a label takes the library longer than counting, and these are on the acknowledgement path.


@cache
def _acknowledgement(status: int) -> Histogram:
    return _acknowledgements.labels(str(status))


@cache
def _event(kind: str | None) -> Counter:
    return _events.labels(kind or "other")


@cache
def _redelivery(kind: str | None) -> Counter:
    return _redeliveries.labels(kind or "other")


def _join_siblings() -> None:
    # From here on the counts go there: the library notices the fork by itself.
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
