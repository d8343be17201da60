"""Publishing: atomic replacement, edit conflicts, version history."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bot.rules.problem import split_lines
from bot.rules.publishing.history import (
    MAX_AUTHOR_CHARACTERS,
    MAX_NOTE_CHARACTERS,
    MAX_VERSIONS,
    FileHistory,
    VersionInfo,
)
from bot.rules.publishing.publisher import EditConflict, Publisher, digest, normalise_newlines
from bot.rules.publishing.rule_changes import ChangeCounts
from bot.rules.reading.loader import load

NOW = 1_790_000_000.0
NOBODY = 65534
RULES = "version: 1\nrules:\n  - {id: a, keywords: [giá], reply: {image_url: 'https://shop.example/a.jpg'}}\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A rules file."""
    path = tmp_path / "rules.yaml"
    path.write_bytes(b"old")
    os.utime(path, (NOW - 60, NOW - 60))
    return path


def publish(path: Path, content: bytes, *, now: float = NOW) -> None:
    """Publish over whatever is there."""
    publisher = Publisher(path)
    publisher.publish(content, seen=digest(publisher.content()), now=now)


def kept(path: Path) -> list[bytes | None]:
    """Return the contents of the versions, newest first."""
    publisher = Publisher(path)
    return [publisher.read(version.name) for version in publisher.versions()]


def test_a_publication_keeps_the_former_content(path: Path) -> None:
    """Both are versions, each with the time since which it was the file; nothing else is left in the folder."""
    publish(path, b"new")
    assert path.read_bytes() == b"new"
    assert kept(path) == [b"new", b"old"]
    assert [round(version.since - NOW) for version in Publisher(path).versions()] == [0, -60]
    assert sorted(entry.name for entry in path.parent.iterdir()) == [".rules.yaml.history", "rules.yaml"]
    assert sorted(entry.name[:20] for entry in (path.parent / ".rules.yaml.history").iterdir()) == [
        "2026-09-21T14-12-20.", "2026-09-21T14-13-20.",
    ]  # fmt: skip


def test_a_publication_over_another_content_is_refused(path: Path) -> None:
    """The change in between is not lost, and the refused content is not kept."""
    seen = digest(b"old")
    path.write_bytes(b"by hand")
    with pytest.raises(EditConflict):
        Publisher(path).publish(b"new", seen=seen, now=NOW)
    assert path.read_bytes() == b"by hand"
    assert kept(path) == []


def test_a_missing_file_can_be_published(path: Path) -> None:
    """By an editor who saw that there is none."""
    path.unlink()
    with pytest.raises(EditConflict):
        Publisher(path).publish(b"new", seen=digest(b"old"), now=NOW)
    Publisher(path).publish(b"new", seen=digest(None), now=NOW)
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_the_mode_stays(path: Path, mode: int) -> None:
    """The versions are for the owner alone, whoever created their folder."""
    path.chmod(mode)
    (path.parent / ".rules.yaml.history").mkdir(mode=0o755)
    publish(path, b"new")
    history = path.parent / ".rules.yaml.history"
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert stat.S_IMODE(history.stat().st_mode) == 0o700
    assert [stat.S_IMODE(file.stat().st_mode) for file in history.iterdir()] == [0o600] * 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_the_owner_stays(path: Path) -> None:
    """The shop's own people can still edit the file."""
    os.chown(path, NOBODY, NOBODY)
    publish(path, b"new")
    history = path.parent / ".rules.yaml.history"
    for file in (path, history, *history.iterdir()):
        assert (file.stat().st_uid, file.stat().st_gid) == (NOBODY, NOBODY)


def test_a_link_stays_a_link(path: Path) -> None:
    """Its target is written, and the versions are beside the target."""
    link = path.parent / "elsewhere" / "current.yaml"
    link.parent.mkdir()
    link.symlink_to(path)
    publish(link, b"new")
    assert link.is_symlink()
    assert path.read_bytes() == b"new"
    assert kept(path) == kept(link) == [b"new", b"old"]


def test_a_link_in_place_of_the_temporary_file_is_not_followed(path: Path) -> None:
    """It is removed."""
    other = path.parent / "other"
    other.write_bytes(b"precious")
    (path.parent / ".rules.yaml.new").symlink_to(other)
    publish(path, b"new")
    assert (path.read_bytes(), other.read_bytes()) == (b"new", b"precious")


def test_the_oldest_versions_are_deleted(path: Path) -> None:
    """The newest stay in their order, also when the clock was set back; other files in the folder stay."""
    for number in range(MAX_VERSIONS + 5):
        publish(path, b"%d" % number, now=NOW - number)
    assert kept(path) == [b"%d" % number for number in reversed(range(5, MAX_VERSIONS + 5))]
    (path.parent / ".rules.yaml.history" / "2026-99-99T99-99-99.000Z-0123456789ab.yaml").touch()
    (path.parent / ".rules.yaml.history" / "notes.txt").touch()
    assert len(kept(path)) == MAX_VERSIONS


def test_author_and_note_are_kept(path: Path) -> None:
    """Beside the version, for its owner alone, deleted with it; a version written by hand has none."""
    publisher = Publisher(path)
    info = VersionInfo.of(author=" Chị Hạnh\n", note="giá Tết \x1b[2J\ud800 mới", restored="../rules.yaml")
    assert info == VersionInfo("Chị Hạnh", "giá Tết [2J mới")
    publisher.publish(b"new", seen=digest(b"old"), now=NOW, info=info)
    newest, oldest = publisher.versions()
    assert (publisher.info(newest.name), publisher.info(oldest.name)) == (info, VersionInfo())
    files = sorted((path.parent / ".rules.yaml.history").iterdir())
    assert [file.suffix for file in files] == [".yaml", ".json", ".yaml"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    for number in range(MAX_VERSIONS):
        publish(path, b"%d" % number, now=NOW + number)
    assert {file.suffix for file in (path.parent / ".rules.yaml.history").iterdir()} == {".yaml"}


def test_the_change_counts_of_a_version_are_kept(path: Path) -> None:
    """Invalid texts are not."""
    publisher = Publisher(path)
    counts = ChangeCounts(added=2, removed=18, is_reordered=1)
    publisher.publish(b"new", seen=digest(b"old"), now=NOW, info=VersionInfo.of(changes=str(counts)))
    found = publisher.info(publisher.versions()[0].name).changes
    assert ChangeCounts.read(found) == counts
    assert ChangeCounts.read(str(ChangeCounts())) == ChangeCounts()
    for text in ("", "x=1", "added=-1", "added=1 ", "added=1234567", "added=1\n", "<b>"):
        assert VersionInfo.of(changes=text).changes == ""


def test_the_name_of_a_restored_version_is_kept(path: Path) -> None:
    """The name that it has in the history."""
    publish(path, b"new")
    former = Publisher(path).previous()
    assert former is not None
    info = VersionInfo.of(restored=former.name)
    Publisher(path).publish(b"old", seen=digest(b"new"), now=NOW + 1, info=info)
    assert Publisher(path).info(Publisher(path).versions()[0].name).restored == former.name


@given(st.text(), st.text())
def test_names_and_notes_are_short_and_on_one_line(author: str, note: str) -> None:
    """Any text can be written and is read back."""
    info = VersionInfo.of(author=author, note=note)
    assert len(info.author) <= MAX_AUTHOR_CHARACTERS
    assert len(info.note) <= MAX_NOTE_CHARACTERS
    assert (info.author + info.note).isprintable()
    assert (info.author + info.note).encode().decode() == info.author + info.note
    assert VersionInfo.of(author=info.author, note=info.note) == info


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"author": 1, "x": "y"}',
        b"[" * 10_000,
        b'{"changes": {"added": -1, "x": 1}}',
        b'"' + b"a" * 20_000,
    ],
)
def test_a_damaged_description_counts_as_missing(path: Path, content: bytes) -> None:
    """The version is kept."""
    Publisher(path).publish(b"new", seen=digest(b"old"), now=NOW, info=VersionInfo("Hạnh"))
    next((path.parent / ".rules.yaml.history").glob("*.json")).write_bytes(content)
    newest = Publisher(path).versions()[0]
    assert Publisher(path).info(newest.name) == VersionInfo()
    assert Publisher(path).read(newest.name) == b"new"


def test_a_file_written_by_hand_is_kept_when_an_edit_begins(path: Path) -> None:
    """Once, and found by its digest after another publication."""
    publisher = Publisher(path)
    publisher.keep_present(now=NOW)
    publisher.keep_present(now=NOW + 1)
    assert kept(path) == [b"old"]
    publish(path, b"new")
    assert publisher.find(digest(b"old")) == b"old"
    assert publisher.find(digest(b"old")[:12]) is publisher.find("") is publisher.find(digest(b"other")) is None


@pytest.mark.parametrize("name", ["", "../rules.yaml", "2026-09-21T14-13-20.000Z-0123456789ab.yaml", "x\0y"])
def test_invalid_version_names_are_refused(path: Path, name: str) -> None:
    """Above all those that lead out of the folder."""
    publish(path, b"new")
    assert Publisher(path).read(name) is None


def test_without_a_history_nothing_is_published(path: Path) -> None:
    """There would be no way back."""
    (path.parent / ".rules.yaml.history").write_bytes(b"")
    with pytest.raises(OSError, match="exists"):
        publish(path, b"new")
    assert path.read_bytes() == b"old"


@pytest.fixture
def locked_folder() -> Iterator[Path]:
    """A folder that this process, as an unprivileged user, may read and not write."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rules.yaml").write_bytes(b"old")
        folder.chmod(0o555)
        was = os.geteuid()
        if was == 0:
            os.seteuid(NOBODY)
        try:
            yield folder
        finally:
            os.seteuid(was)
            folder.chmod(0o755)


@pytest.mark.parametrize("has_history", [False, True])
def test_a_read_only_folder_stays_unchanged(locked_folder: Path, has_history: bool) -> None:
    """It is as it was."""
    path = locked_folder / "rules.yaml"
    if has_history:
        os.seteuid(0) if os.getuid() == 0 else locked_folder.chmod(0o755)
        (locked_folder / ".rules.yaml.history").mkdir(mode=0o777)
        (locked_folder / ".rules.yaml.history").chmod(0o777)
        os.seteuid(NOBODY) if os.getuid() == 0 else locked_folder.chmod(0o555)
    with pytest.raises(PermissionError):
        publish(path, b"new")
    assert path.read_bytes() == b"old"


CHILD = """
import sys
from pathlib import Path
from bot.rules.publishing.publisher import Publisher, digest
publisher = Publisher(Path(sys.argv[1]))
print("ready", flush=True)
for number in range(10**6):
    content = (b"%d" % (number % 10)) * 300_000
    publisher.publish(content, seen=digest(publisher.content()), now=1_790_000_000.0 + number)
    print(number, flush=True)
"""


def test_kill_9_at_any_moment(path: Path) -> None:
    """A reader of the file finds one whole content or the next; so does a reader of the versions."""
    for turn in range(12):
        with subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            for _ in range(2 + turn % 3):  # killed while it is busy with the next one
                assert child.stdout.readline()
            for _ in range(20_000 * (turn % 2)):
                if (path.parent / ".rules.yaml.new").exists():
                    break
            child.send_signal(signal.SIGKILL)
            child.wait()
        for content in (path.read_bytes(), *kept(path)):
            assert content is not None
            assert content == b"old" or (len(content) == 300_000 and len(set(content)) == 1)
    publish(path, b"after all")
    assert path.read_bytes() == b"after all"
    assert sorted(entry.name for entry in path.parent.iterdir()) == [".rules.yaml.history", "rules.yaml"]


PUBLISH_AND_DIE = """
import os, shutil, signal, sys
from pathlib import Path
from bot.images.prepare import PreparedImage
from bot.rules.publishing.history import VersionInfo
from bot.rules.publishing.image_library import ImageLibrary
from bot.rules.publishing.publisher import Publisher, digest

template, path = Path(sys.argv[1]), Path(sys.argv[2])

def is_system_call(function):
    return {getattr(function, "__module__", None), type(getattr(function, "__self__", None)).__module__} & {
        "posix", "io", "_io", "fcntl"}

def publish(die_at):
    reached = 0

    def after_each_call(frame, event, function):
        nonlocal reached
        if event in ("c_return", "c_exception") and is_system_call(function):
            reached += 1
            if reached == die_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(after_each_call)
    image = PreparedImage(b"new" * 10_000, "jpg", (0, 0), ((0, 0), (0, 0)), False)
    name, _is_new = ImageLibrary(path).add(image, "new.jpg")
    publisher = Publisher(path)
    publisher.publish(f"{name}\\n".encode() * 2_000, seen=digest(publisher.content()), now=1_790_000_060.0,
                      info=VersionInfo("Hanh", "new"))
    sys.setprofile(None)

step, died = 0, True
while died:
    step += 1
    shutil.rmtree(path.parent, ignore_errors=True)
    shutil.copytree(template, path.parent)
    child = os.fork()
    if not child:
        publish(step)
        os._exit(0)
    died = os.WIFSIGNALED(os.waitpid(child, 0)[1])
    print("died" if died else "done", flush=True)
    sys.stdin.readline()
"""


def test_kill_9_after_every_system_call_of_a_publication(tmp_path: Path) -> None:
    """The rules are the old or the new ones, their images exist completely, and the next try succeeds."""
    template, path = tmp_path / "before", tmp_path / "shop" / "rules.yaml"
    (template / "images").mkdir(parents=True)
    (template / "images" / "old.jpg").write_bytes(b"old" * 10_000)
    (template / "rules.yaml").write_bytes(b"images/first.jpg\n" * 2_000)
    publish(template / "rules.yaml", b"images/old.jpg\n" * 2_000, now=NOW)
    seen: list[str] = []
    command = [sys.executable, "-c", PUBLISH_AND_DIE, str(template), str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        for outcome in child.stdout:
            seen.append(_whole_set(path))
            if outcome == "died\n" and len(seen) % 10 == 0:
                publish(path, b"images/old.jpg\n" * 2_000, now=NOW + 120)
                assert _whole_set(path) == "old"
            child.stdin.write("\n")
            child.stdin.flush()
    assert outcome == "done\n"
    assert child.returncode == 0
    assert seen == sorted(seen, reverse=True)  # the old set up to one call, from there on the new one
    assert (seen[0], seen[-1]) == ("old", "new")
    assert len(seen) > 50


def _whole_set(path: Path) -> str:
    """Return which rules are published; assert that they, their image and every version are complete."""
    contents = [path.read_bytes(), *(content for content in kept(path) if content is not None)]
    assert all(content == (content.split(b"\n")[0] + b"\n") * 2_000 for content in contents)
    name = contents[0].split(b"\n")[0].decode()
    word = Path(name).stem
    assert (path.parent / name).read_bytes() == word.encode() * 10_000
    publisher = Publisher(path)
    versions = publisher.versions()
    if versions[0].holds(b"images/new.jpg\n" * 2_000):
        assert publisher.info(versions[0].name) == VersionInfo("Hanh", "new")
    return word


def test_concurrent_publications(path: Path) -> None:
    """Of those who saw the same file, one publishes; the others get an error, and no version is lost."""
    code = (
        "import sys; from pathlib import Path; from bot.rules.publishing.publisher import Publisher, digest\n"
        "sys.stdin.readline(); Publisher(Path(sys.argv[1])).publish(sys.argv[2].encode(), "
        "seen=digest(b'old'), now=1_790_000_000.0)"
    )
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    children = [subprocess.Popen([sys.executable, "-c", code, str(path), str(n)], **pipes) for n in range(6)]  # type: ignore[call-overload]
    said = [child.communicate("\n")[1] for child in children]
    assert sum(child.returncode == 0 for child in children) == 1
    assert sum("EditConflict" in words for words in said) == 5
    assert kept(path) == [path.read_bytes(), b"old"]


class Life(RuleBasedStateMachine):
    """A file that is published, edited by hand, restored and deleted, against the contents seen."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "rules.yaml"
        self.publisher = Publisher(self.path)
        self.now = NOW
        self.steps: list[bytes] = []
        """What was in the file around publications, oldest first, nothing twice in a row."""

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(content=st.sampled_from([b"", b"a", b"b", b"c"]), tick=st.sampled_from([-5.0, 0.0, 0.5]))
    def publish(self, content: bytes, tick: float) -> None:
        before = self.publisher.content()
        self.now += tick
        self.publisher.publish(content, seen=digest(before), now=self.now)
        self._note(before, content)

    @rule()
    def go_back(self) -> None:
        version, before = self.publisher.previous(), self.publisher.content()
        if version is None:
            return
        content = self.publisher.read(version.name)
        assert content is not None
        assert content == next(step for step in reversed(self.steps) if step != before)
        self.publisher.publish(content, seen=digest(before), now=self.now)
        self._note(before, content)
        if before is not None:
            again = self.publisher.previous()
            assert again is not None
            assert self.publisher.read(again.name) == before

    @rule()
    def keep_present(self) -> None:
        content = self.publisher.content()
        self.publisher.keep_present(now=self.now)
        if content is not None and content not in self.steps[-MAX_VERSIONS:]:
            self._note(content)

    @rule(content=st.sampled_from([None, b"x", b"y"]))
    def edit_by_hand(self, content: bytes | None) -> None:
        if content is None:
            self.path.unlink(missing_ok=True)
        else:
            self.path.write_bytes(content)

    def _note(self, *contents: bytes | None) -> None:
        for content in contents:
            if content is not None and (not self.steps or self.steps[-1] != content):
                self.steps.append(content)

    @invariant()
    def all_is_kept(self) -> None:
        found = [self.publisher.read(version.name) for version in self.publisher.versions()]
        assert found == self.steps[::-1][:MAX_VERSIONS]
        times = [version.since for version in self.publisher.versions()]
        assert times == sorted(times, reverse=True)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=20, stateful_step_count=20)  # each step waits for the disk

LINES = st.lists(st.text(st.characters(exclude_characters="\r\n\ufeff", exclude_categories=["Cs"]), max_size=5))


@given(LINES, st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from(["", "\ufeff"]))
def test_normalised_newlines_do_not_change_the_rules(lines: list[str], end: str, mark: str) -> None:
    """Whatever line ends and encoding the browser or the editor used; once published, the text stays as it is."""
    text = mark + end.join(lines)
    content = normalise_newlines(text)
    assert normalise_newlines(content.decode()) == content
    assert not content.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in content
    assert content == b"" or content.endswith(b"\n")
    assert [line for line in split_lines(content.decode()) if line] == [line for line in lines if line]


@pytest.mark.parametrize("text", [RULES, RULES.replace("\n", "\r\n"), "\ufeff" + RULES, RULES.rstrip("\n")])
def test_rules_from_other_systems_become_the_same_bytes(text: str) -> None:
    """The same rules, the same bytes."""
    assert normalise_newlines(text) == RULES.encode()
    assert load(normalise_newlines(text)).file == load(text.encode()).file is not None


def test_the_folder_of_versions_belongs_to_one_file(tmp_path: Path) -> None:
    """Two rules files in one folder have separate versions."""
    assert FileHistory(tmp_path / "a.yaml").folder != FileHistory(tmp_path / "b.yaml").folder
