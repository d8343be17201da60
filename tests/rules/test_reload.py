"""Reload of the rules file: anything else in its place is reported and never blocks; a later valid file is loaded."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.rules.reload import RulesReloader
from tests.support.local_images import jpeg
from tests.support.running import wait_until

GOOD = "rules:\n  - {id: a, keywords: [menu], reply: {attachment_id: x, uploaded: 2126-01-01}}\n"
OTHER = GOOD.replace("id: a", "id: b")


class Kept:
    """The last good rules, in memory."""

    def last_good_rules(self) -> bytes | None:
        """Return none: the file was good at the start."""
        return None

    def keep_good_rules(self, digest: str, content: bytes) -> None:
        """Keep nothing."""


def fifo(path: Path) -> None:
    """Create a pipe without a writer."""
    os.mkfifo(path)


def huge(path: Path) -> None:
    """Create a sparse file of 400 MB."""
    with path.open("wb") as file:
        file.truncate(400_000_000)


def bound_socket(path: Path) -> None:
    """Create a socket."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


STRANGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "fifo": (fifo, "not a plain file"),
    "folder": (Path.mkdir, "Is a directory"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "not a plain file"),
    "terminal": (lambda path: path.symlink_to("/dev/tty"), "not a plain file"),
    "link to itself": (lambda path: path.symlink_to(path.name), "symbolic links"),
    "link in a link to nothing": (lambda path: path.symlink_to("../shop/nowhere/rules.yaml"), "No such file"),
    "huge": (huge, "too big: 381.5 MB, at most 16 MB"),
    "socket": (bound_socket, "not a plain file"),
}


@pytest.mark.parametrize("kind", STRANGE)
def test_a_special_or_huge_file_is_reported_and_can_be_replaced(tmp_path: Path, kind: str) -> None:
    """The rules in force stay; the next good file is loaded; the thread ends at once."""
    path = tmp_path / "rules.yaml"
    path.write_text(GOOD, encoding="utf-8")
    reloader = RulesReloader(path, Kept())
    reloader.load()
    reloader.thread.start()
    try:
        path.unlink()
        put, told = STRANGE[kind]
        put(path)
        wait_until(lambda: told in reloader.error, "the strange file to be told")
        assert reloader.rules.file.rules[0].id == "a"
        path.rmdir() if path.is_dir() else path.unlink()
        path.write_text(OTHER, encoding="utf-8")
        wait_until(lambda: reloader.rules.file.rules[0].id == "b", "the good file to be taken")
        assert reloader.error == ""
    finally:
        reloader.thread.stop()


def test_an_image_that_is_still_being_copied_is_waited_for(tmp_path: Path) -> None:
    """Until its end mark has come, the former rules and digest stay in force."""
    path, picture = tmp_path / "rules.yaml", tmp_path / "menu.jpg"
    whole = jpeg(seed="new")
    picture.write_bytes(jpeg(seed="old"))
    path.write_text("rules:\n  - {id: a, keywords: [menu], reply: {file: menu.jpg}}\n", encoding="utf-8")
    reloader = RulesReloader(path, Kept())
    reloader.load()
    before = reloader.rules.digests["menu.jpg"]
    picture.write_bytes(whole[:1_000])
    reloader.poll()
    reloader.poll()
    assert "file-type" in reloader.error
    assert reloader.rules.digests["menu.jpg"] == before
    picture.write_bytes(whole)
    reloader.poll()
    reloader.poll()
    assert reloader.error == ""
    assert reloader.rules.digests["menu.jpg"] == hashlib.sha256(whole).hexdigest()
