"""Free ports, reserved against other test runs on this machine."""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

# Below the ephemeral ports: an outgoing connection could take one of those before the server does.
_FIRST, _LAST = 20_000, 32_000

# A process locks the byte at the offset of its port's number until it ends.
_locks = os.open(Path(tempfile.gettempdir(), f"bot-tests-ports-{os.getuid()}"), os.O_CREAT | os.O_RDWR, 0o600)
_ours: set[int] = set()
_chance = random.SystemRandom()


def free_port() -> int:
    """Return a free port, reserved for this process."""
    while True:
        port = _chance.randrange(_FIRST, _LAST)
        if port not in _ours and _reserve(port) and _is_free(port):
            return port


def _reserve(port: int) -> bool:
    try:
        fcntl.lockf(_locks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    _ours.add(port)
    return True


def _is_free(port: int) -> bool:
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except OSError:
        return False
