"""Ports on which nobody listens, and that no other test of this machine is given meanwhile."""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from collections import deque
from pathlib import Path

# Below those that the system gives to outgoing connections: such a one could take the port before its server does.
_FIRST, _LAST = 20_000, 32_000
# As many as are in use at a time; each costs a file.
_KEPT = 64

_reserved: deque[int] = deque()
_chance = random.SystemRandom()


def free_port() -> int:
    """Return a port that is free, and reserved for this process against other runs of the tests."""
    while True:
        port = _chance.randrange(_FIRST, _LAST)
        if _reserve(port) and _is_free(port):
            return port


def _reserve(port: int) -> bool:
    file = os.open(Path(tempfile.gettempdir(), f"bot-tests-port-{port}"), os.O_CREAT | os.O_RDWR, 0o666)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return False
    _reserved.append(file)
    if len(_reserved) > _KEPT:
        os.close(_reserved.popleft())
    return True


def _is_free(port: int) -> bool:
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except OSError:
        return False
