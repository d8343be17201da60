"""The interpreter's search for garbage, where it finds none and costs time."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_search() -> Iterator[None]:
    """
    Keep the interpreter from looking for garbage in cycles: for work whose results live on.

    Looking through them all again and again would take up to a third of the time, and stop every other thread.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
