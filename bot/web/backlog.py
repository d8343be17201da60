"""Packet filter that drops new TCP connections to a listening socket, but keeps those in its backlog."""

from __future__ import annotations

import contextlib
import ctypes
import socket
import struct
from typing import Final

_SO_ATTACH_FILTER: Final = 26  # Linux, asm-generic/socket.h
# Classic BPF on the TCP header (linux/filter.h): drop packets with SYN and without ACK, which begin a connection.
_INSTRUCTIONS: Final = (
    (0x30, 0, 0, 13),  # load the byte of flags
    (0x54, 0, 0, 0x12),  # mask SYN and ACK
    (0x15, 0, 1, 0x02),  # SYN alone?
    (0x06, 0, 0, 0),  # drop the packet
    (0x06, 0, 0, 0xFFFFFFFF),  # accept the whole packet
)


def stop_new_connections(listener: socket.socket) -> None:
    """
    Make the kernel drop the first packet of each new connection to *listener*, in all processes that share it.

    Closing a socket would reset the connections in its backlog. A client whose packet is dropped tries again after a
    second; by then there is another server, or the connection is refused. Kernels without such filters do nothing.
    """
    if listener.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in _INSTRUCTIONS))
    filter_program = struct.pack("HP", len(_INSTRUCTIONS), ctypes.addressof(program))
    with contextlib.suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, filter_program)
