"""Progress of a check, streamed to the page's script, and how it is stopped."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from bot.analysis.preview import Preview, PreviewRequest, Progress, preview
from bot.analysis.preview_process import PreviewStopped, PreviewTimeout, Watcher
from bot.rules.publishing.publisher import Publisher, digest
from tests.support.console import RULES, Console, running
from tests.support.running import PATIENCE

STREAM = {"Accept": "application/x-ndjson"}


def lines(console: Console, path: str, form: dict[str, str]) -> list[dict[str, object]]:
    """Return the lines of the stream."""
    answer = console.post(path, form, headers=STREAM)
    assert (answer.status_code, answer.mimetype) == (200, "application/x-ndjson")
    return [json.loads(line) for line in answer.text.splitlines()]


def slowly(request: PreviewRequest, *, watcher: Watcher | None = None, **_more: object) -> Preview:
    """Report progress like a long check."""
    assert watcher is not None
    watcher.report(Progress("rules"))
    watcher.report(Progress("messages", 1200, 2000))
    return preview(request)


def test_lines_have_the_progress_and_end_with_the_page(tmp_path: Path) -> None:
    """The page is the same as without JavaScript."""
    with running(tmp_path, preview=slowly) as console:
        console.log_in()
        first, second, *_beats, last = lines(console, "check", {"text": RULES})
    assert first == {"text": "Checking the rules…", "done": 0, "total": 0}
    assert second == {"text": "Tried on 1,200 of 2,000 messages…", "done": 1200, "total": 2000}
    assert "This is what the present file says." in str(last["page"])


def test_the_rule_form_streams_progress_too(tmp_path: Path) -> None:
    """With its own page at the end."""
    with running(tmp_path, preview=slowly, console_publish=True) as console:
        console.log_in()
        form = {"keyword": "bọc quà", "image_ref": "https://shop.example/qua.jpg", "image_kind": "image_url"}
        *_progress, last = lines(console, "rules/edit", form)
    assert 'id="rule"' in str(last["page"])


def test_a_publication_is_checked_ahead_and_only_once(tmp_path: Path) -> None:
    """While the script is told how far it is, nothing is written; then the form publishes what was just checked."""
    checks = []

    def counted(request: PreviewRequest, **more: Any) -> Preview:
        checks.append(request.content)
        return slowly(request, **more) if more.get("watcher") else preview(request)

    changed = RULES + "# new\n"
    with running(tmp_path, preview=counted, console_publish=True) as console:
        console.log_in()
        console.runtime.rules_reloader.thread.stop()  # other rules in force want another check
        file = console.runtime.settings.rules_file
        form = {"text": changed, "checked": digest(changed.encode()), "base_digest": digest(RULES.encode())}
        first, *_progress, last = lines(console, "check/publish", form)
        assert (first["text"], last) == ("Checking the rules…", {"page": ""})
        assert file.read_text(encoding="utf-8") == RULES
        assert console.post("check/publish", form).status_code == 303
        assert file.read_text(encoding="utf-8") == changed
        assert checks == [changed.encode()]

        former = Publisher(file).versions()[-1].name
        path = f"check/restore?version={former}"
        answer = console.get(path, headers=STREAM)
        assert json.loads(answer.text.splitlines()[-1]) == {"page": ""}
        form = {"version": former, "base_digest": digest(changed.encode())}
        assert "Changes no rule" in console.get(path).text
        assert lines(console, "check/restore", form)[-1] == {"page": ""}
        assert file.read_text(encoding="utf-8") == changed
        assert console.post("check/restore", form).status_code == 303
        assert checks[1:] == [RULES.encode()]

        compared = f"check/versions?old={former}&new={Publisher(file).versions()[1].name}"
        assert json.loads(console.get(compared, headers=STREAM).text.splitlines()[-1]) == {"page": ""}
        assert "Changes no rule" in console.get(compared).text
        assert checks[2:] == [changed.encode()]


def test_a_new_check_is_not_taken_from_the_cache(tmp_path: Path) -> None:
    """New messages of customers count."""
    with running(tmp_path, console_publish=True) as console:
        console.log_in()
        form = {"text": RULES + "# new\n", "base_digest": digest(RULES.encode())}
        assert "There are no messages to try it on yet." in console.post("check", form).text
        console.keep(text="bảng giá")
        assert "There are no messages to try it on yet." not in console.post("check", form).text


def test_a_failed_check_before_a_publication_has_a_page(tmp_path: Path) -> None:
    """With the reason; the script shows it."""

    def endless(_request: PreviewRequest, **_more: object) -> Preview:
        raise PreviewTimeout

    with running(tmp_path, preview=endless, console_publish=True) as console:
        console.log_in()
        former = Publisher(console.runtime.settings.rules_file)
        console.get("check")
        [version] = [kept.name for kept in former.versions()]
        form = {"text": RULES, "checked": digest(RULES.encode()), "base_digest": digest(RULES.encode())}
        rule = {"keyword": "bọc quà", "image_ref": "https://shop.example/qua.jpg", "image_kind": "image_url"}
        said = "the check was given up after"
        assert said in str(lines(console, "check/publish", form)[-1]["page"])
        assert said in str(lines(console, "check/restore", {"version": version})[-1]["page"])
        assert said in str(lines(console, "rules/edit", rule | {"action": "publish"})[-1]["page"])
        compared = console.get(f"check/versions?old={version}&new={version}", headers=STREAM)
        assert said in json.loads(compared.text.splitlines()[-1])["page"]


def test_a_disconnected_client_stops_the_check(tmp_path: Path) -> None:
    """The next check can begin."""
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
    """The script then loads the page again, which shows the error."""

    def broken(_request: PreviewRequest, **_more: object) -> Preview:
        raise RuntimeError("no luck")

    with running(tmp_path, preview=broken) as console:
        console.log_in()
        assert not any("page" in line for line in lines(console, "check", {"text": RULES}))
    assert "no luck" in caplog.text
