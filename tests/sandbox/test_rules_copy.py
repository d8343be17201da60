"""The demo's copy of the rules: complete, within its folder, and updated from the original."""

from __future__ import annotations

import threading
from pathlib import Path

from bot.sandbox.rules_copy import RulesCopy
from tests.support.running import wait_until

RULES = """\
rules:
  - {id: menu, keywords: [menu], reply: {file: a/menu.jpg}}
  - {id: secret, keywords: [secret], reply: {file: ../secret.jpg}}
"""


def test_the_images_that_rules_name_are_copied(tmp_path: Path) -> None:
    """But none from outside the folder of the rules."""
    shop = tmp_path / "shop"
    (shop / "a").mkdir(parents=True)
    (shop / "a" / "menu.jpg").write_bytes(b"menu")
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (shop / "rules.yaml").write_text(RULES)
    copies = tmp_path / "copies"
    copies.mkdir()
    copy = RulesCopy(shop / "rules.yaml", copies / "demo")
    assert copy.path.read_text() == RULES
    assert list(copies.rglob("*.jpg")) == [copies / "demo" / "a" / "menu.jpg"]


def test_the_copy_follows_the_original(tmp_path: Path) -> None:
    """An edit of the copy stays in the copy until the original changes."""
    (tmp_path / "rules.yaml").write_text("version: 1\n")
    copy, stopping = RulesCopy(tmp_path / "rules.yaml", tmp_path / "demo"), threading.Event()
    follower = threading.Thread(target=copy.follow, args=[stopping])
    follower.start()
    try:
        copy.path.write_text("# published\n")
        (tmp_path / "rules.yaml").write_text("version: 1\n# mine\n")
        wait_until(lambda: copy.path.read_text() == "version: 1\n# mine\n", "the original's new content")
        assert (tmp_path / "rules.yaml").read_text() == "version: 1\n# mine\n"
    finally:
        stopping.set()
        follower.join()
