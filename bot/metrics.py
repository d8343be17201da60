"""Prometheus metrics that are counted while the bot runs: of one process, or of all that share a directory."""

from __future__ import annotations

import errno
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, values
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

log = logging.getLogger(__name__)

_DIRECTORY: Final = "PROMETHEUS_MULTIPROC_DIR"

# Zalo gives up after two seconds, a call of the vendor after SEND_TIMEOUT: both limits have to be a bound or near one.
_ACKNOWLEDGED_WITHIN = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
_SENT_WITHIN = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

# Each has a label: such metrics make their values when they are first counted, and `share` comes before that.
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


def acknowledged(status: int, seconds: float) -> None:
    """Count an answer to a delivery: its HTTP status and how long it took."""
    _acknowledgement(status).observe(seconds)


def received(kind: str | None, *, fresh: bool) -> None:
    """Count a durable event, or its redelivery; *kind* is None for one that nobody may answer."""
    (_event if fresh else _redelivery)(kind).inc()


@contextmanager
def sending() -> Iterator[None]:
    """Time the block, a call of the vendor; its outcome is ``Taken``, or the name of the exception that ends it."""
    began, outcome = time.perf_counter(), "Taken"
    try:
        yield
    except Exception as error:
        outcome = type(error).__name__
        raise
    finally:
        _sends.labels(outcome).observe(time.perf_counter() - began)


def settled(kind: str, status: str, reason: str | None, rule: str | None) -> None:
    """Count an event that has come to its end, and the reply of the rule if it has got one."""
    _settled.labels(kind, status, reason or "").inc()
    if status == "sent":
        _replies.labels(rule or "").inc()


def unmatched(kind: str) -> None:
    """Count an event that has come to its end without a rule that matches it."""
    _unmatched.labels(kind).inc()


def quota(oa_id: str, kind: str, *, left: int, size: int | None) -> None:
    """Show what the vendor says is left of an OA's quota of that kind, and of how many in all, where it tells."""
    _quota_left.labels(oa_id, kind).set(left)
    if size is not None:
        _quota_size.labels(oa_id, kind).set(size)


def share(directory: Path) -> None:
    """
    Count in *directory* from now on, where every process that does the same sees it; the children of this one do.

    It should be empty at the start of the first process. Call this before anything is counted.
    """
    os.environ[_DIRECTORY] = str(directory)
    values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]


def share_with_siblings() -> None:
    """
    Count together with the processes of the same parent: gunicorn's workers, where nobody prepared their master.

    Children of this process share among themselves: it may be a master that loads first and forks then.
    """
    share(_of_siblings())
    os.register_at_fork(after_in_child=_join_siblings)


def is_shared() -> bool:
    """Return whether this process counts together with others, by its own choice or by the environment's."""
    return bool(os.environ.get(_DIRECTORY))


def begin() -> None:
    """
    Make sure that counting never fails; call it in each process before anything is counted.

    Where the shared directory cannot be had, this process counts for itself, and the log says so.
    """
    if not is_shared():
        return
    directory = Path(os.environ[_DIRECTORY])
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if directory.is_symlink() or not os.access(directory, os.W_OK | os.X_OK) or not _is_ours(directory):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        log.warning("metrics are of one process only", extra={"directory": directory, "trouble": error.strerror})
        del os.environ[_DIRECTORY]
        values.ValueClass = values.MutexValue


def counted() -> Collector:
    """Return what was counted: by all processes that share with this one, else by this one."""
    return _Shared() if is_shared() else _counts


class _Shared(Collector):
    """What all processes have counted."""

    def collect(self) -> Iterator[Metric]:
        """Yield the sums; a file is empty for the moment in which a process begins it, and the library stumbles."""
        files = [str(file) for file in Path(os.environ[_DIRECTORY]).glob("*.db") if file.stat().st_size > 0]
        yield from MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]


# To look up a label takes the library longer than to count, and these are on the acknowledgement's path.


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
    # What is counted next goes there: the library notices the fork by itself.
    if is_shared():
        os.environ[_DIRECTORY] = str(_of_siblings())
        begin()


def _of_siblings() -> Path:
    """Return a directory that is named after the parent process."""
    parent = os.getppid()
    return Path(tempfile.gettempdir()) / f"zalo-bot-metrics-{os.getuid()}-{parent}-{_started_at(parent)}"


def _is_ours(directory: Path) -> bool:
    """Return whether nobody else made it, where all may: the names there can be guessed."""
    return directory.parent != Path(tempfile.gettempdir()) or directory.stat().st_uid == os.getuid()


def _started_at(process: int) -> str:
    """Return when the process started, in ticks since the machine did; numbers of processes are used again."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:  # not Linux
        return "0"
