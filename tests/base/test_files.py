"""Files: atomic writes, plain reads, and sizes that are never rounded down."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.files import atomic_write, format_size, locked_folder

MB = 1024 * 1024


@pytest.mark.parametrize(
    ("size", "vi", "en"),
    [
        (0, "0 KB", "0 KB"),
        (1, "1 KB", "1 KB"),
        (300 * 1024, "300 KB", "300 KB"),
        (MB, "1 MB", "1 MB"),
        (MB + 1, "1,1 MB", "1.1 MB"),
        (1_300_000, "1,3 MB", "1.3 MB"),
        (13 * MB, "13 MB", "13 MB"),
        (1536 * MB, "1,5 GB", "1.5 GB"),
    ],
)
def test_a_size_is_written_in_the_readers_language(size: int, vi: str, en: str) -> None:
    """Vietnamese has a decimal comma."""
    assert (format_size(size, "vi"), format_size(size, "en")) == (vi, en)


@given(st.integers(MB + 1, 100 * MB))
def test_a_size_over_a_megabyte_never_looks_like_one(size: int) -> None:
    """No message says that 1 MB is more than 1 MB."""
    assert format_size(size, "en") != format_size(MB, "en")


def test_a_replaced_file_keeps_its_mode_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    """Also after a killed process left a partial file."""
    path = tmp_path / "rules.yaml"
    path.write_bytes(b"old")
    path.chmod(0o640)
    (tmp_path / ".rules.yaml.new").write_bytes(b"ha")
    atomic_write(path, b"new", metadata_of=path.stat())
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o640)
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_replaced_stays_as_it_was(tmp_path: Path) -> None:
    """Here there is a folder of that name."""
    (tmp_path / "rules.yaml").mkdir()
    with pytest.raises(OSError, match="directory"):
        atomic_write(tmp_path / "rules.yaml", b"new", metadata_of=None)
    assert [path.name for path in tmp_path.iterdir()] == ["rules.yaml"]


def _append(folder: Path, rounds: int) -> None:
    path = folder / "count"
    for _ in range(rounds):
        with locked_folder(folder):
            path.write_text(str(int(path.read_text()) + 1))


def test_two_processes_take_turns_in_a_locked_folder(tmp_path: Path) -> None:
    """Each adds to what the other wrote."""
    (tmp_path / "count").write_text("0")
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_append, args=(tmp_path, 200)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert (tmp_path / "count").read_text() == "400"
