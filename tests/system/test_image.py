"""The promises of the Dockerfile without a container engine: health check, read-only root."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from bot.sandbox.vendor import SandboxVendor
from tests.support.running import MAKER, PATIENCE, Bot

ROOT = Path(__file__).parents[2]
# Told to every Python process of the bot: say which files it opens for writing, makes, renames or removes.
WATCH = """
import os, sys
def watch(event, args):
    if event == "open" and args[0] is not None and not isinstance(args[0], int):
        mode, flags = args[1] or "", args[2] or 0
        writes = any(letter in mode for letter in "wax+") or flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    elif event in {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink"}:
        writes = args[-1] == -1  # else the name is one within a directory that was told of before
    else:
        writes = event == "sqlite3.connect"
    if writes:
        os.write(2, f"wrote {os.path.abspath(os.fsdecode(args[0]))}\\n".encode())
sys.addaudithook(watch)
"""


def healthy(bot: Bot) -> bool:
    """Return what the image's health check says, which is no shell's command."""
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    [command] = re.findall(r"^HEALTHCHECK .*\\\n +CMD (\[.*\])$", dockerfile, re.MULTILINE)
    python, *arguments = json.loads(command)
    assert python == "python"
    # A proxy for the world does not stand between the container and itself.
    environment = {"PORT": str(bot.port), "HTTP_PROXY": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1"}
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, stderr=subprocess.PIPE, timeout=PATIENCE, check=False
    )
    return done.returncode == 0


def test_the_health_check(tmp_path: Path, vendor: SandboxVendor) -> None:
    """Well while it is ready; not any more once it has ended."""
    with Bot(tmp_path, vendor.url) as bot:
        assert healthy(bot)
        assert bot.terminate() == 0
        assert not healthy(bot)


def test_it_runs_on_a_root_that_is_read_only(tmp_path: Path, vendor: SandboxVendor) -> None:
    """Without a home: it writes beside its database, and into the directory for temporary files, left empty."""
    watch, data, temporary = tmp_path / "watch", tmp_path / "data", tmp_path / "temporary"
    for directory in (watch, data, temporary):
        directory.mkdir()
    (watch / "sitecustomize.py").write_text(WATCH, encoding="utf-8")
    settings = {
        "DATABASE_URL": f"sqlite:///{data / 'bot.db'}", "TMPDIR": str(temporary), "HOME": "/nonexistent",
        "PYTHONPATH": f"{watch}:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1", "WEB_CONCURRENCY": "2",
    }  # fmt: skip
    with Bot(tmp_path, vendor.url, **settings) as bot:
        bot.deliver(MAKER.text("101", "bảng giá"))
        vendor.wait_for_taken(1)
        assert bot.terminate() == 0
        written = set(map(Path, re.findall(r"^wrote (.+)$", bot.log_text(), re.MULTILINE)))
    assert any(path.is_relative_to(data) for path in written)
    assert any(path.is_relative_to(temporary) for path in written)
    elsewhere = {path for path in written if not path.is_relative_to(data) and not path.is_relative_to(temporary)}
    assert elsewhere <= {Path("/dev/null")}
    assert list(temporary.iterdir()) == []
