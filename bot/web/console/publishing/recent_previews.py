"""Cache of the previews of the last minute, so that a publication need not repeat the check just before it."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import replace
from typing import Final

from bot.analysis.preview import Preview, PreviewRequest

_KEPT: Final = 4
_KEPT_SECONDS: Final = 60.0


class RecentPreviews:
    """The latest previews by their requests; safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._previews: deque[tuple[PreviewRequest, float, Preview]] = deque(maxlen=_KEPT)

    def find(self, request: PreviewRequest) -> Preview | None:
        """Return the preview of *request* if it was made in the last minute; new messages since then are ignored."""
        wanted, oldest = _key(request), time.monotonic() - _KEPT_SECONDS
        with self._lock:
            kept = [preview for key, made_at, preview in self._previews if key == wanted and made_at >= oldest]
        return kept[-1] if kept else None

    def add(self, request: PreviewRequest, preview: Preview) -> None:
        """Add the *preview* of *request*."""
        with self._lock:
            self._previews.append((_key(request), time.monotonic(), preview))


def _key(request: PreviewRequest) -> PreviewRequest:
    return replace(request, messages=())
