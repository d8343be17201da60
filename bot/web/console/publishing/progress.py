"""Stream the progress of a long check to the page as JSON lines; stop the check when the client disconnects."""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final

from flask import Response, copy_current_request_context, g, make_response, request, stream_with_context
from werkzeug.wrappers import Response as AnyResponse

from bot.analysis.preview import Progress
from bot.analysis.preview_process import PreviewStopped
from bot.web.console import formatting
from bot.web.console.formatting import gettext as _

log = logging.getLogger("bot.web")

MIMETYPE: Final = "application/x-ndjson"

# The longest pause between two lines: a disconnected client is noticed only by writing.
_BEAT_SECONDS: Final = 0.3

PageResponse = str | tuple[str, int] | AnyResponse

_Line = dict[str, Any]


class _Watcher:
    """Passes lines from the working thread to the response; implements `bot.analysis.preview_process.Watcher`."""

    def __init__(self) -> None:
        self.lines: queue.Queue[_Line | None] = queue.Queue()
        self._left = threading.Event()

    def report(self, progress: Progress) -> None:
        self.lines.put({"text": _text(progress), "done": progress.done, "total": progress.total})

    def has_left(self) -> bool:
        return self._left.is_set()

    def leave(self) -> None:
        """Note that the client has disconnected."""
        self._left.set()


def watcher() -> _Watcher | None:
    """Return the watcher of the present request; None if its client does not read progress."""
    found: _Watcher | None = g.get("progress_watcher")
    return found


def answered_ahead(check: Callable[[], PageResponse], work: Callable[[], PageResponse]) -> PageResponse:
    """Return the result of *work*; to a script that accepts `MIMETYPE`, stream *check*, which changes nothing."""
    return answered(check if request.accept_mimetypes.best == MIMETYPE else work)


def answered(work: Callable[[], PageResponse]) -> PageResponse:
    """
    Return the result of *work*, or stream it as JSON lines to a script that accepts `MIMETYPE`.

    A line is ``{text, done, total}`` (`total` 0: unknown), or ``{}`` to keep the connection alive. The last one is
    ``{page}``, the page as HTML; without it, the work has failed. An empty page has the script send the form, whose
    slow part is done by then. The work is stopped if the client disconnects. It must not set cookies or use the
    session.
    """
    if request.accept_mimetypes.best != MIMETYPE:
        return work()
    g.progress_watcher = channel = _Watcher()
    globals_of_request = {name: g.get(name) for name in g}

    @copy_current_request_context
    def run() -> None:
        for name, value in globals_of_request.items():
            setattr(g, name, value)
        try:
            channel.lines.put({"page": make_response(work()).get_data(as_text=True)})
        except PreviewStopped:
            log.info("a check was stopped by who had asked for it")
        except Exception:
            log.exception("a page of the console failed")
        finally:
            channel.lines.put(None)

    threading.Thread(target=run, name="progress").start()
    answer = Response(stream_with_context(_stream(channel)), mimetype=MIMETYPE)
    answer.headers["X-Accel-Buffering"] = "no"  # nginx would keep the lines until the end
    return answer


def _stream(channel: _Watcher) -> Iterator[str]:
    try:
        while (line := _next(channel)) is not None:
            yield json.dumps(line) + "\n"
    finally:
        channel.leave()


def _next(channel: _Watcher) -> _Line | None:
    try:
        return channel.lines.get(timeout=_BEAT_SECONDS)
    except queue.Empty:
        return {}


def _text(progress: Progress) -> str:
    if progress.step == "table":
        return _("Reading the table…")
    if progress.step == "rules":
        return _("Checking the rules…")
    done, total = formatting.format_number(progress.done), formatting.format_number(progress.total)
    return _("Tried on {done} of {total} messages…").format(done=done, total=total)
