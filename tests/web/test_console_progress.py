"""Progress of a check, streamed to the page's script, and how it is stopped."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from bot.analysis.preview import Preview, PreviewRequest, Progress, preview
from bot.analysis.preview_process import PreviewStopped, Watcher
from tests.support.console import RULES, Console, running
from tests.support.running import PATIENCE

STREAM = {"Accept": "application/x-ndjson"}


def lines(console: Console, path: str, form: dict[str, str]) -> list[dict[str, object]]:
    """Return what the script is told."""
    answer = console.post(path, form, headers=STREAM)
    assert (answer.status_code, answer.mimetype) == (200, "application/x-ndjson")
    return [json.loads(line) for line in answer.text.splitlines()]


def slowly(request: PreviewRequest, *, watcher: Watcher | None = None, **_more: object) -> Preview:
    """Report as a long check does."""
    assert watcher is not None
    watcher.report(Progress("rules"))
    watcher.report(Progress("messages", 1200, 2000))
    return preview(request)


def test_lines_tell_how_far_it_is_and_end_with_the_page(tmp_path: Path) -> None:
    """The page is the one that a browser without a script gets."""
    with running(tmp_path, preview=slowly) as console:
        console.log_in()
        first, second, *_beats, last = lines(console, "check", {"text": RULES})
    assert first == {"text": "Checking the rules…", "done": 0, "total": 0}
    assert second == {"text": "Tried on 1,200 of 2,000 messages…", "done": 1200, "total": 2000}
    assert "This is what the present file says." in str(last["page"])


def test_the_form_of_a_rule_tells_it_as_well(tmp_path: Path) -> None:
    """With its own page at the end."""
    with running(tmp_path, preview=slowly, console_publish=True) as console:
        console.log_in()
        form = {"keyword": "bọc quà", "image_ref": "https://shop.example/qua.jpg", "image_kind": "image_url"}
        *_progress, last = lines(console, "rules/edit", form)
    assert 'id="rule"' in str(last["page"])


def test_who_leaves_stops_the_check(tmp_path: Path) -> None:
    """The next one finds nobody in its way."""
    begun, stopped = threading.Event(), threading.Event()

    def endless(_request: PreviewRequest, *, watcher: Watcher | None = None, **_more: object) -> Preview:
        assert watcher is not None
        begun.set()
        while not watcher.has_left():
            stopped.wait(0.01)
        stopped.set()
        raise PreviewStopped

    with running(tmp_path, preview=endless) as console:
        console.log_in()
        answer = console.post("check", {"text": RULES}, headers=STREAM, buffered=False)
        assert begun.wait(PATIENCE)
        answer.close()
        assert stopped.wait(PATIENCE)


def test_a_check_that_fails_has_no_page_and_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The script then has the browser ask once more, which shows the page of errors."""

    def broken(_request: PreviewRequest, **_more: object) -> Preview:
        raise RuntimeError("no luck")

    with running(tmp_path, preview=broken) as console:
        console.log_in()
        assert not any("page" in line for line in lines(console, "check", {"text": RULES}))
    assert "no luck" in caplog.text
