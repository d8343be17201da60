"""Stop new TCP connections at a listening socket, but keep those that wait in its backlog: a packet filter."""

from __future__ import annotations

import contextlib
import ctypes
import socket
import struct
from typing import Final

_SO_ATTACH_FILTER: Final = 26  # Linux, asm-generic/socket.h
# Classic BPF over the TCP header (linux/filter.h): drop what has SYN and not ACK, the first packet of a connection.
_INSTRUCTIONS: Final = (
    (0x30, 0, 0, 13),  # load the byte with the flags
    (0x54, 0, 0, 0x12),  # keep SYN and ACK of them
    (0x15, 0, 1, 0x02),  # SYN alone?
    (0x06, 0, 0, 0),  # drop
    (0x06, 0, 0, 0xFFFFFFFF),  # take all of it
)


def stop_new_connections(listener: socket.socket) -> None:
    """
    Have the kernel drop the first packet of every further connection to *listener*, for all who share it.

    A socket that is closed resets whoever waits to be accepted. Who finds no answer asks again after a second: then
    there is another server, or the connection is refused. Where the kernel has no such filter nothing changes.
    """
    if listener.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in _INSTRUCTIONS))
    filter_program = struct.pack("HP", len(_INSTRUCTIONS), ctypes.addressof(program))
    with contextlib.suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, filter_program)
