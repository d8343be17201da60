"""Machines that share one PostgreSQL: publications reach all of them, even if processes die."""

from __future__ import annotations

import io
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from PIL import Image

from bot.rules.publishing.publisher import digest
from bot.sandbox.vendor import SandboxVendor
from tests.support.console import PASSWORD
from tests.support.editor import Editor
from tests.support.machines import rules
from tests.support.running import MAKER, Bot, wait_until

OLD, NEW, NEWER = (rules(note=note) for note in ("cũ", "mới", "mới hơn"))
HAND = rules(note="sửa tay")
KILLS = 5

Join = Callable[..., Bot]


@pytest.fixture
def join(tmp_path: Path, vendor: SandboxVendor, postgres_url: str) -> Iterator[Join]:
    """Start another machine, which has its own folder."""
    with ExitStack() as running:

        def start(name: str, content: bytes = OLD, **settings: str) -> Bot:
            folder = tmp_path / name
            folder.mkdir()
            (folder / "rules.yaml").write_bytes(content)
            shared = {"DATABASE_URL": postgres_url, "CONSOLE_PASSWORD": PASSWORD, "CONSOLE_PUBLISH": "true"}
            return running.enter_context(Bot(folder, vendor.url, **({"WEB_CONCURRENCY": "1"} | shared | settings)))

        yield start


def photo() -> bytes:
    """Return a picture from a phone."""
    file = io.BytesIO()
    Image.new("RGB", (40, 30), "salmon").save(file, "JPEG")
    return file.getvalue()


def wait_for(bots: list[Bot], content: bytes) -> None:
    """Wait until all have these rules."""
    wait_until(lambda: all(bot.rules.read_bytes() == content for bot in bots), "the rules to be on all machines")


def test_an_image_and_the_rules_that_name_it_reach_every_machine(join: Join, vendor: SandboxVendor) -> None:
    """Uploaded on one, published on another, answered by the third; a machine that joins later has both as well."""
    first, second, third = join("a", WEB_CONCURRENCY="2"), join("b"), join("c")
    assert Editor(first).upload("Quà Tết.jpg", photo()) == 200
    image = Path("images") / "qua-tet.jpg"
    wait_until((second.directory / image).exists, "the picture to be on the other machine")
    published = rules(str(image))
    assert Editor(second).publish(published) == 303
    wait_for([first, second, third], published)
    wait_until(lambda: f"rules=2 digest={digest(published)[:12]}" in third.log_text(), "the third to have taken them")
    for bot in (first, second):
        bot.kill()
    third.deliver(MAKER.text("1", "shop ơi từ khóa 0"))
    sent = (third.directory / image).read_bytes()
    taken = vendor.wait_for_taken(1)[0].message.image
    upload = vendor.upload_of(str(taken))
    assert upload is not None
    assert upload.content == sent
    fourth = join("d", content=HAND)
    assert fourth.rules.read_bytes() == published
    assert (fourth.directory / image).read_bytes() == sent
    assert "gives way to the published one" in fourth.log_text()


def test_an_image_added_in_the_form_of_a_rule_reaches_every_machine(join: Join) -> None:
    """As one from the library's page does, before any rule names it."""
    first, second = join("a"), join("b")
    assert Editor(first).add_in_form("Quà Tết.jpg", photo()) == 200
    wait_until((second.directory / "images" / "qua-tet.jpg").exists, "the picture to be on the other machine")


def test_a_machine_whose_file_was_changed_by_hand_keeps_it_and_says_so(join: Join) -> None:
    """On every page, in /readyz and in the log, without a word of the file, until its editor takes the other."""
    first, second = join("a"), join("b")
    assert Editor(first).publish(NEW) == 303
    wait_for([second], NEW)
    second.rules.write_bytes(HAND)
    assert Editor(first).publish(NEWER) == 303
    wait_until(lambda: "changed by hand on this machine" in second.get("/readyz").text, "it to be told")
    assert second.get("/readyz").status_code == 200
    assert second.rules.read_bytes() == HAND
    assert "by-hand" in second.log_text()
    assert "sửa tay" not in second.log_text()
    second.kill()
    second.start()
    assert second.rules.read_bytes() == HAND
    editor = Editor(second)
    assert "was changed by hand" in editor.get("overview")
    assert "# mới hơn" in editor.get("check?take=published")
    assert editor.publish(OLD) == 409
    assert editor.publish(NEWER) == 303
    wait_until(lambda: second.get("/readyz").text == "ready\n", "it to be as published")
    assert "was changed by hand" not in editor.get("overview")


def test_of_two_editors_on_two_machines_the_second_gets_a_conflict(join: Join) -> None:
    """Both began from the same rules; what the first published stands."""
    first, second = join("a"), join("b")
    editors = [Editor(first), Editor(second)]
    statuses = dict.fromkeys((NEW, NEWER), 0)

    def publish(editor: Editor, content: bytes) -> None:
        statuses[content] = editor.publish(content, over=OLD)

    threads = [threading.Thread(target=publish, args=pair) for pair in zip(editors, statuses, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses.values()) == [303, 409]
    wait_for([first, second], next(content for content, status in statuses.items() if status == 303))


@pytest.mark.long
def test_killed_again_and_again_in_publishing(join: Join) -> None:
    """All machines end with the same rules: those before, or the new ones whole; the new ones if it was said so."""
    chance = random.Random(15)
    bots = [join(name) for name in "ab"]
    former = OLD
    for number in range(KILLS):
        bot, content = bots[number % 2], rules(note=str(number))
        editor, status = Editor(bot), []
        publishing = threading.Thread(target=lambda e=editor, c=content, s=status: s.append(_try(e, c)))
        publishing.start()
        publishing.join(chance.uniform(0.0, 0.6))
        bot.kill()
        publishing.join()
        bot.start()
        wait_until(lambda: len({one.rules.read_bytes() for one in bots}) == 1, "the machines to agree")
        if status == [303]:
            wait_for(bots, content)
        assert bot.rules.read_bytes() in {former, content}
        former = bot.rules.read_bytes()
        assert all("changed by hand" not in one.get("/readyz").text for one in bots)


def _try(editor: Editor, content: bytes) -> int:
    try:
        return editor.publish(content)
    except requests.RequestException:
        return 0
