"""The subprocess of the preview: imports, environment, limits of time and memory."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import date
from pathlib import Path

import pytest

from bot.analysis.preview import PreviewRequest, Progress, preview
from bot.analysis.preview_process import PreviewStopped, PreviewTimeout, PreviewTooLarge, run_in_subprocess
from bot.inbox.messages import Message
from tests.support.running import wait_until

TODAY = date(2027, 1, 25)
#: Seconds. The process has low priority: beside other tests it may take minutes.
LONG = 600.0
RULES = b"version: 1\nrules:\n  - {id: gia, keywords: [gia], reply: {image_url: 'https://shop.example/1.jpg'}}\n"


@pytest.mark.parametrize("path", [None, "", ".", "{folder}:", "::relative"])
def test_nothing_is_imported_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str | None
) -> None:
    """Files beside the rules that have the name of a module would run with the bot's rights."""
    trap = f"open({str(tmp_path / 'sprung')!r}, 'w').close()\n"
    for name in ("resource", "pickle", "logging", "yaml", "pydantic", "re2", "bot", "sitecustomize", "usercustomize"):
        (tmp_path / f"{name}.py").write_text(trap)
    monkeypatch.chdir(tmp_path)
    if path is not None:
        monkeypatch.setenv("PYTHONPATH", path.format(folder=tmp_path / "none"))
    request = PreviewRequest(RULES, tmp_path, TODAY)
    assert run_in_subprocess(request, log_format="text", timeout=LONG) == preview(request)
    assert not (tmp_path / "sprung").exists()


def test_its_environment_has_no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what Python needs to find its libraries."""
    monkeypatch.setenv("CPAAS_API_KEY", "a secret")
    monkeypatch.setenv("PYTHONINSPECT", "1")
    lines = (f"  - {{id: r{n}, keywords: [k{n}], reply: {{image_url: 'https://a.vn/1.jpg'}}}}\n" for n in range(3000))
    request = PreviewRequest(("version: 1\nrules:\n" + "".join(lines)).encode(), tmp_path, TODAY)
    thread = threading.Thread(target=run_in_subprocess, args=[request], kwargs={"log_format": "text", "timeout": LONG})
    thread.start()
    found: list[set[str]] = []

    def looked() -> bool:
        found.extend(filter(None, map(environment_of, children())))
        return bool(found)

    try:
        wait_until(looked, "the preview runs")
    finally:
        thread.join()
    allowed = {"LANG", "LC_ALL", "TZ", "HOME", "LD_LIBRARY_PATH", "PYTHONPATH", "LC_CTYPE"}
    assert all(names <= allowed for names in found)


def children() -> list[Path]:
    """Return the folders in /proc of the previews that this process runs."""
    folders = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and b"preview_process" in (folder / "cmdline").read_bytes():
                folders.append(folder)
        except OSError:
            continue
    return folders


def environment_of(folder: Path) -> set[str]:
    """Return the names in a process's environment; empty once it has ended."""
    try:
        return {pair.partition(b"=")[0].decode() for pair in (folder / "environ").read_bytes().split(b"\0") if pair}
    except OSError:
        return set()


def test_memory_is_limited(tmp_path: Path) -> None:
    """A preview that needs more is stopped with a message, before the machine runs out of memory."""
    request = PreviewRequest(RULES, tmp_path, TODAY, present=b"\n" * 80_000_000)
    with pytest.raises(PreviewTooLarge):
        run_in_subprocess(request, log_format="text", timeout=LONG)


def test_lower_limits_of_the_machine_stay(tmp_path: Path) -> None:
    """Such as those of a container, which cannot be raised."""
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (500 << 20, 500 << 20))\n"
        "from datetime import date; from pathlib import Path\n"
        "from bot.analysis.preview import PreviewRequest; from bot.analysis.preview_process import run_in_subprocess\n"
        "request = PreviewRequest(sys.stdin.buffer.read(), Path(sys.argv[1]), date(2027, 1, 25))\n"
        "print(run_in_subprocess(request, log_format='text', timeout=600).is_usable)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], input=RULES, capture_output=True, cwd=root, check=False
    )
    assert (done.stdout, done.stderr) == (b"True\n", b"")


def test_time_is_limited(tmp_path: Path) -> None:
    """The preview is stopped and its process is gone."""
    with pytest.raises(PreviewTimeout):
        run_in_subprocess(PreviewRequest(RULES, tmp_path, TODAY), log_format="text", timeout=0.01)
    assert not children()


class Leaver:
    """A watcher that waits until the preview has begun, then leaves."""

    def __init__(self) -> None:
        self.seen: list[Progress] = []

    def report(self, progress: Progress) -> None:
        """Record the progress."""
        self.seen.append(progress)

    def has_left(self) -> bool:
        """Return whether there was any progress."""
        return bool(self.seen)


def test_it_stops_when_the_watcher_leaves(tmp_path: Path) -> None:
    """Its process is gone, however much work was left."""
    leaver = Leaver()
    with pytest.raises(PreviewStopped):
        run_in_subprocess(PreviewRequest(RULES, tmp_path, TODAY), log_format="text", watcher=leaver, timeout=LONG)
    assert leaver.seen[0] == Progress("rules")
    assert not children()


def test_progress_counts_the_messages(tmp_path: Path) -> None:
    """From zero to all of them."""
    told: list[Progress] = []
    messages = tuple(Message(n, "giá", "oa", "user", 1_800_000_000.0, None) for n in range(3))
    preview(PreviewRequest(RULES, tmp_path, TODAY, messages), told.append)
    assert told == [Progress("rules"), Progress("messages", 0, 3)]
