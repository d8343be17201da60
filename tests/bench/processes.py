"""What processes have used, read from /proc: processor time and memory."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

_PARENT, _GROUP, _USER, _SYSTEM = 1, 2, 11, 12  # in a line of stat, counted from the process's state


def group_seconds(group: int) -> float:
    """Return the processor seconds, user and system, of the living processes of a process group."""
    return _seconds(lambda _, fields: int(fields[_GROUP]) == group)


def family_seconds(parent: int) -> float:
    """Return the processor seconds of a process and its living children, as of PostgreSQL's server."""
    return _seconds(lambda pid, fields: parent in (pid, int(fields[_PARENT])))


def group_memory(group: int) -> list[int]:
    """Return the proportional set size in bytes of each process of a group: shared pages count in equal parts."""
    return [_proportional_size(pid) for pid, fields in _processes() if int(fields[_GROUP]) == group]


def _seconds(counts: Callable[[int, list[str]], bool]) -> float:
    ticks = sum(int(f[_USER]) + int(f[_SYSTEM]) for pid, f in _processes() if counts(pid, f))
    return ticks / os.sysconf("SC_CLK_TCK")


def _processes() -> Iterator[tuple[int, list[str]]]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended
            yield int(path.parent.name), path.read_text(encoding="utf-8").rpartition(")")[2].split()


def _proportional_size(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
