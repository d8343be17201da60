"""Replication between machines: images first, and files changed by hand are kept."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.inbox.database import Database
from bot.inbox.editing.publications import Publications
from bot.rules.publishing.history import VersionInfo
from bot.rules.publishing.image_library import UnknownImage
from bot.rules.publishing.publisher import EditConflict, digest
from bot.rules.replication.editing import Diverged, ImageInUse
from tests.support.local_images import jpeg
from tests.support.machines import Machine, prepared, rules
from tests.support.running import PATIENCE
from tests.support.sqlite import new_sqlite_database

OLD, NEW, NEWER, HAND = (rules(note=note) for note in ("old", "new", "newer", "by hand"))
Join = Callable[..., Machine]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Publications]:
    """The log of a shop without publications; SQLite is enough for it."""
    database = Database(new_sqlite_database(tmp_path / "bot.db"))
    yield Publications(database)
    database.dispose()


@pytest.fixture
def join(tmp_path: Path, log: Publications) -> Join:
    """Add a machine."""

    def add(name: str, content: bytes | None = OLD, *, takes: bool = True) -> Machine:
        return Machine(tmp_path / name, log, content, takes=takes)

    return add


def test_a_publication_reaches_the_others_with_its_history(join: Join) -> None:
    """Versions have the same names everywhere, so that an editor may use any machine."""
    a, b = join("a"), join("b")
    a.publish(NEW)
    a.publish(NEWER)
    b.replica.poll()
    assert b.content == NEWER
    assert b.versions() == a.versions() == [NEWER, NEW, OLD]
    assert [v.name for v in b.publisher.versions()][:2] == [v.name for v in a.publisher.versions()][:2]
    assert (a.status, b.status) == ("current", "current")


def test_author_and_note_are_replicated(join: Join) -> None:
    """As in the history of the publishing machine."""
    a, b = join("a"), join("b")
    info = VersionInfo.of(author="Hạnh", note="giá Tết")
    a.publisher.publish(NEW, seen=digest(OLD), now=0, info=info)
    b.replica.poll()
    assert [machine.publisher.info(machine.publisher.versions()[0].name) for machine in (a, b)] == [info, info]


def test_images_arrive_before_the_rules_that_name_them(join: Join) -> None:
    """Those of the library, and those put beside the file by hand; in folders, too."""
    a, b = join("a"), join("b")
    (a.folder / "tet" / "2027").mkdir(parents=True)
    (a.folder / "tet" / "2027" / "qua.jpg").write_bytes(jpeg(seed="gift"))
    (a.folder / "menu.jpg").write_bytes(jpeg(seed="menu"))
    a.publish(rules("menu.jpg", "tet/2027/qua.jpg"))
    b.replica.poll()
    assert b.content == a.content
    assert (b.image("menu.jpg"), b.image("tet/2027/qua.jpg")) == (jpeg(seed="menu"), jpeg(seed="gift"))
    assert b.status == "current"


def test_a_machine_that_was_off_catches_up_when_it_starts(join: Join) -> None:
    """With every version that it missed."""
    a, b = join("a"), join("b")
    for content in (NEW, OLD, NEWER):
        a.publish(content)
    b.start()
    assert (b.content, b.versions()) == (NEWER, [NEWER, OLD, NEW, OLD])


def test_a_file_changed_by_hand_is_kept_and_reported(join: Join) -> None:
    """Also after a restart, until it is as published again."""
    a, b = join("a"), join("b")
    a.publish(NEW)
    b.replica.poll()
    b.path.write_bytes(HAND)
    a.publish(NEWER)
    b.replica.poll()
    assert (b.content, b.status) == (HAND, "by-hand")
    assert "changed by hand on this machine" in b.replica.state.remark()
    b.start()
    assert (b.content, b.status) == (HAND, "by-hand")
    b.path.write_bytes(NEWER)
    b.replica.poll()
    assert (b.status, b.replica.state.remark()) == ("current", "")
    a.publish(OLD)
    b.replica.poll()
    assert b.content == OLD


def test_a_file_changed_by_hand_while_the_machine_was_off_is_kept(join: Join) -> None:
    """Before or after the publication."""
    a, b, c = join("a"), join("b"), join("c")
    b.path.write_bytes(HAND)
    a.publish(NEW)
    c.path.write_bytes(HAND)
    for machine in (b, c):
        machine.start()
        assert (machine.content, machine.status) == (HAND, "by-hand")


def test_a_change_by_hand_of_the_latest_rules_is_reported_and_published_next(join: Join) -> None:
    """The editor saw it, because the edit began from it."""
    a, b = join("a"), join("b")
    a.publish(NEW)
    b.replica.poll()
    b.path.write_bytes(HAND)
    b.replica.poll()
    assert b.status == "by-hand"
    b.publish(NEWER)
    a.replica.poll()
    assert (a.content, b.content, a.status, b.status) == (NEWER, NEWER, "current", "current")


def test_a_file_distributed_by_hand_to_all_machines_is_replaced(join: Join) -> None:
    """Operators may distribute files; a later publication over theirs is taken wherever theirs is."""
    a, b = join("a"), join("b")
    a.publish(NEW)
    b.replica.poll()
    for machine in (a, b):
        machine.path.write_bytes(HAND)
    a.publish(NEWER)
    b.replica.poll()
    assert (b.content, b.status) == (NEWER, "current")


def test_a_machine_takes_a_missed_publication_before_it_publishes(join: Join) -> None:
    """Nothing is overwritten; the machine's own file is in its history."""
    a, b = join("a"), join("b")
    b.path.write_bytes(HAND)
    a.publish(NEW)
    with pytest.raises(Diverged):
        b.publish(NEWER)
    assert b.content == HAND
    b.publish(NEW)
    assert (b.content, b.status) == (NEW, "current")
    assert HAND in b.versions()
    b.publish(HAND)
    a.replica.poll()
    assert a.content == HAND


def test_the_second_of_two_concurrent_publications_is_refused(join: Join) -> None:
    """Its editor sees what the first has published, and loses nothing."""
    a, b = join("a"), join("b")
    a.publish(NEW)
    with pytest.raises(EditConflict) as refused:
        b.publish(NEWER, over=OLD)
    assert not isinstance(refused.value, Diverged)
    assert b.content == NEW
    b.publish(NEWER)
    a.replica.poll()
    assert a.content == NEWER


def test_a_new_machine_takes_the_published_rules(join: Join) -> None:
    """Its own file, from an image, old or missing, stays in the history."""
    a = join("a")
    (a.folder / "menu.jpg").write_bytes(jpeg(seed="menu"))
    a.publish(rules("menu.jpg"))
    for name, content in (("same", OLD), ("other", HAND), ("none", None), ("there already", a.content)):
        machine = join(name, content)
        assert (machine.content, machine.status) == (a.content, "current")
        assert machine.image("menu.jpg") == jpeg(seed="menu")
        assert content in machine.versions() or content in {None, a.content}


def test_a_deleted_file_is_taken_again(join: Join) -> None:
    """There is nothing of it to keep."""
    a, b = join("a"), join("b")
    a.publish(NEW)
    b.replica.poll()
    b.path.unlink()
    b.replica.poll()
    assert b.content == NEW


def test_rules_that_this_version_cannot_use_are_refused_and_reported(join: Join) -> None:
    """They come from newer programs; the reason has the position, but no text of the file."""
    a, b = join("a"), join("b")
    future = OLD + b"bi-mat: {khach: 1}\n"
    a.publish(future)  # the publisher's own program has checked it
    b.replica.poll()
    assert (b.content, b.status) == (OLD, "refused")
    assert "5:1: unknown-key" in b.replica.state.remark()
    assert "bi-mat" not in b.replica.state.remark()
    with pytest.raises(Diverged):
        b.publish(NEW)
    a.publish(NEW)
    b.replica.poll()
    assert (b.content, b.status) == (NEW, "current")


def test_an_unwritable_history_is_reported(join: Join) -> None:
    """The machine keeps its file, publishes nothing, and continues once it can write."""
    a, b = join("a"), join("b")
    history = b.folder / ".rules.yaml.history"
    for entry in history.iterdir():
        entry.unlink()
    history.rmdir()
    history.write_bytes(b"")
    with pytest.raises(OSError, match="exists"):
        b.publish(NEWER)
    a.publish(NEW)
    b.replica.poll()
    assert (b.content, b.status) == (OLD, "unwritable")
    assert "File exists" in b.replica.state.remark()
    history.unlink()
    b.start()
    assert (b.content, b.status) == (NEW, "current")


def test_a_machine_without_console_publish_takes_nothing_and_reports_it(join: Join) -> None:
    """The operator decides about the machine."""
    a, b = join("a"), join("b", takes=False)
    assert b.status == "current"
    a.publish(NEW)
    b.replica.poll()
    assert (b.content, b.status) == (OLD, "off")
    assert list(b.folder.iterdir()) == [b.path]
    b.path.write_bytes(NEW)
    b.replica.poll()
    assert b.status == "current"


def test_the_library_is_the_same_on_all_machines(join: Join) -> None:
    """Additions, replacements, deletions and restorations are replicated; replaced images are in each trash."""
    a, b = join("a"), join("b")
    assert a.library.add(prepared("1"), "menu.jpg") == ("images/menu.jpg", True)
    b.replica.poll()
    assert b.image("images/menu.jpg") == jpeg(seed="1")
    b.library.replace("images/menu.jpg", prepared("2"), now=0)
    a.replica.poll()
    assert a.image("images/menu.jpg") == jpeg(seed="2")
    entry = a.library.delete("images/menu.jpg", now=0)
    b.replica.poll()
    assert (a.image("images/menu.jpg"), b.image("images/menu.jpg")) == (None, None)
    assert [one.name for one in b.library.trashed()] == ["images/menu.jpg"] * 2
    assert a.library.restore(entry, now=0) == "images/menu.jpg"
    b.replica.poll()
    assert a.image("images/menu.jpg") == b.image("images/menu.jpg") == jpeg(seed="2")
    assert entry not in [one.entry for one in a.library.trashed()]


def test_two_images_of_one_name_get_two_names(join: Join) -> None:
    """Also if two machines add them at the same time; the same image is stored once."""
    a, b = join("a"), join("b")
    assert a.library.add(prepared("1"), "menu.jpg") == ("images/menu.jpg", True)
    assert b.library.add(prepared("2"), "menu.jpg") == ("images/menu-2.jpg", True)
    assert b.library.add(prepared("1"), "other.jpg") == ("images/menu.jpg", False)
    a.replica.poll()
    assert a.image("images/menu-2.jpg") == jpeg(seed="2")


def test_an_image_that_rules_of_any_machine_name_is_not_deleted(join: Join) -> None:
    """Rules in force here, or just published by another machine."""
    a, b = join("a"), join("b")
    for number in "12":
        a.library.add(prepared(number), f"{number}.jpg")
    b.replica.poll()
    a.publish(rules("images/1.jpg"))
    for machine in (b, a):
        with pytest.raises(ImageInUse):
            machine.library.delete("images/1.jpg", now=0)
    b.path.write_bytes(rules("images/2.jpg"))
    b.replica.poll()
    for name in ("images/1.jpg", "images/2.jpg"):
        with pytest.raises(ImageInUse):
            b.library.delete(name, now=0)
    with pytest.raises(UnknownImage):
        b.library.delete("images/3.jpg", now=0)


def test_an_image_stays_while_the_rules_of_that_machine_name_it(join: Join) -> None:
    """On a machine that kept its own rules; it is deleted when they are as published."""
    a, b = join("a"), join("b")
    a.library.add(prepared("1"), "1.jpg")
    a.publish(rules("images/1.jpg"))
    b.replica.poll()
    b.path.write_bytes(rules("images/1.jpg", note="by hand"))
    a.publish(NEW)
    a.library.delete("images/1.jpg", now=0)
    b.replica.poll()
    assert (b.status, b.image("images/1.jpg")) == ("by-hand", jpeg(seed="1"))
    b.publish(NEW)
    assert (b.status, b.image("images/1.jpg")) == ("current", None)


def test_an_image_that_was_changed_by_hand_goes_to_the_trash(join: Join) -> None:
    """It is replaced by the published one."""
    a, b = join("a"), join("b")
    a.library.add(prepared("1"), "1.jpg")
    b.replica.poll()
    (b.folder / "images" / "1.jpg").write_bytes(jpeg(seed="by hand"))
    a.library.replace("images/1.jpg", prepared("2"), now=0)
    b.replica.poll()
    assert b.image("images/1.jpg") == jpeg(seed="2")
    trashed = b.library.trashed()[0]
    assert b.library.read_trashed(trashed.entry) == ("images/1.jpg", jpeg(seed="by hand"))


@pytest.mark.parametrize("name", ["../outside.jpg", "/tmp/outside.jpg", "link/outside.jpg", "."])
def test_no_image_is_written_outside_the_folder(join: Join, tmp_path: Path, name: str) -> None:
    """Whatever name the log has."""
    a = join("a")
    (tmp_path / "elsewhere").mkdir()
    (a.folder / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="outside"):
        a.library.put(name, jpeg(), now=0)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_many_concurrent_publishers_end_with_the_same_rules(join: Join) -> None:
    """Each publisher learns whether it succeeded, and the last success is everywhere."""
    machines = [join(name) for name in "abc"]

    def publish(number: int) -> bytes | None:
        content = rules(note=str(number))
        try:
            machines[number % 3].publish(content)
        except EditConflict:
            return None
        return content

    with ThreadPoolExecutor(6) as pool:
        published = [content for content in pool.map(publish, range(18)) if content is not None]
    for machine in machines:
        machine.replica.poll()
    assert len({machine.content for machine in machines}) == 1
    assert machines[0].content in published
    versions = machines[0].versions()
    assert sorted(filter(None, versions)) == sorted([*published, OLD])
    assert all(machine.versions() == versions for machine in machines)


DIES = """
import os, signal, sys
from pathlib import Path
from bot.inbox.database import Database
from bot.inbox.editing.publications import Publications
from bot.rules.publishing.publisher import digest
from bot.rules.replication.editing import SharedPublisher
from bot.rules.replication.replica import Replica

class Dying(Publications):
    def append(self, changes, *, after):
        if sys.argv[3] == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        super().append(changes, after=after)
        if sys.argv[3] == "after":
            os.kill(os.getpid(), signal.SIGKILL)

    def content(self, sought):
        if sys.argv[3] == "image" and sought == sys.argv[4]:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().content(sought)

path = Path(sys.argv[2])
replica = Replica(path, Dying(Database(sys.argv[1])), takes=True)
replica.poll()
SharedPublisher(path, replica).publish(sys.stdin.buffer.read(), seen=digest(path.read_bytes()), now=0)
"""


@pytest.mark.parametrize(("moment", "is_published"), [("before", False), ("after", True)])
def test_a_publication_that_is_killed_is_published_everywhere_or_nowhere(
    join: Join, tmp_path: Path, moment: str, is_published: bool
) -> None:
    """Once it is in the log, all machines get it, including the killed one, with its images."""
    a, b = join("a"), join("b")
    (a.folder / "menu.jpg").write_bytes(jpeg(seed="menu"))
    new = rules("menu.jpg")
    command = [sys.executable, "-c", DIES, f"sqlite:///{tmp_path / 'bot.db'}", str(a.path), moment]
    ended = subprocess.run(command, input=new, check=False, timeout=PATIENCE, cwd=Path(__file__).parents[2])
    assert ended.returncode == -signal.SIGKILL
    assert a.content == OLD
    for machine in (b, a):
        machine.start()
        assert (machine.content, machine.status) == (new if is_published else OLD, "current")
        assert machine.image("menu.jpg") == (jpeg(seed="menu") if is_published or machine is a else None)


def test_a_machine_killed_while_it_takes_a_publication_continues(join: Join, tmp_path: Path) -> None:
    """With some images but without the rules, or with the rules but without the marker."""
    a, b = join("a"), join("b")
    for number in "12":
        a.library.add(prepared(number), f"{number}.jpg")
    a.publish(NEW)
    a.publish(rules("images/1.jpg", "images/2.jpg"))
    second = hashlib.sha256(prepared("2").content).hexdigest()
    command = [sys.executable, "-c", DIES, f"sqlite:///{tmp_path / 'bot.db'}", str(b.path), "image", second]
    ended = subprocess.run(command, input=b"", check=False, timeout=PATIENCE, cwd=Path(__file__).parents[2])
    assert ended.returncode == -signal.SIGKILL
    assert (b.content, b.image("images/1.jpg"), b.image("images/2.jpg")) == (OLD, jpeg(seed="1"), None)
    b.path.write_bytes(NEW)  # as if it had died after the first of the two versions
    b.start()
    assert (b.content, b.status) == (a.content, "current")
    assert b.image("images/2.jpg") == jpeg(seed="2")
