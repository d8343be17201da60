"""The commands about past events, without a running bot."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from bot.cli.main import main
from bot.inbox.database import Database
from tests.support.rows import NOW, keep

RULES = """\
rules:
  - id: bang-gia
    keywords: [bảng giá]
    reply: {image_url: "https://shop.example/bang-gia.jpg"}
"""
READING = [["inbox"], ["inbox", "1"], ["unmatched"], ["backtest", "rules.yaml"]]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The bot's directory with only the rules; commands run in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    return tmp_path


def run(*arguments: str, **settings: str) -> Result:
    """Run a command with the environment's settings, replaced by *settings*."""
    return CliRunner().invoke(main, arguments, env={"BOT_LANG": "en", "DATABASE_URL": "sqlite:///bot.db"} | settings)


def new_database() -> Database:
    database = Database("sqlite:///bot.db")
    database.migrate()
    return database


@pytest.mark.parametrize("command", [*READING, ["replay", "1"], ["replay", "--dead"]], ids=" ".join)
@pytest.mark.parametrize("url", ["sqlite:///bot.db", "sqlite:///sub/bot.db", "sqlite:///:memory:", "sqlite:///"])
def test_reading_creates_no_database(place: Path, command: list[str], url: str) -> None:
    """A wrong directory must not look like an empty inbox."""
    done = run(*command, DATABASE_URL=url)
    assert (done.exit_code, done.stdout) == (3, "")
    assert ("there is no database" if url.endswith(".db") else "in memory") in done.stderr
    assert [path.name for path in place.iterdir()] == ["rules.yaml"]


@pytest.mark.parametrize("command", [*READING, ["replay", "1"]], ids=" ".join)
def test_a_file_that_is_no_inbox_is_reported(place: Path, command: list[str]) -> None:
    """No database, or one of another program: one line, no traceback, no path."""
    for content in (b"", b"not a database at all" * 99):
        (place / "secret-place.db").write_bytes(content)
        done = run(*command, DATABASE_URL="sqlite:///secret-place.db")
        assert done.exit_code == 3
        assert "cannot be used" in done.stderr
        assert "secret-place" not in done.stderr
        assert done.stderr.count("\n") == 1


def test_an_unreachable_server_is_reported() -> None:
    """Without its address and password."""
    done = run("inbox", DATABASE_URL="postgresql://geheim:geheim@127.0.0.1:9/geheim")
    assert done.exit_code == 3
    assert "cannot be used" in done.stderr
    assert "geheim" not in done.stderr


@pytest.mark.parametrize("name", ["bot.db", "a b#%41?.db", "Tiệm Na.db"])
def test_reading_changes_nothing(place: Path, name: str) -> None:
    """Not one byte of the file, with any name."""
    url = sa.URL.create("sqlite", database=str(place / name)).render_as_string()
    database = Database(url)
    database.migrate()
    database.dispose()
    path = Path(sa.make_url(url).database or "")
    before = path.read_bytes()
    for command in READING:
        assert run(*command, DATABASE_URL=url).exit_code in (0, 1)
    assert path.read_bytes() == before


def test_wrong_usage_is_reported() -> None:
    """Exit status 2, before anything is opened."""
    for command in (
        ["replay"], ["replay", "1", "--dead"], ["replay", "x"], ["replay", "0"], ["inbox", "--status", "lost"],
        ["inbox", "9" * 30], ["inbox", "--limit", "0"], ["unmatched", "--days", "0"], ["backtest", "a", "b"],
    ):  # fmt: skip
        assert run(*command).exit_code == 2, command


def test_ids_that_cannot_be_replayed_are_reported() -> None:
    """Each with its reason; the others are replayed; exit status 1. `--dead` skips them."""
    database = new_database()
    dead = {"status": "dead", "reason": "refused", "error": "HTTP 400"}
    late = keep(database, age=NOW - time.time() + 50 * 3600, **dead)
    fresh = keep(database, age=NOW - time.time() + 60, **dead)
    done = run("replay", str(late), str(fresh), "999")
    assert done.exit_code == 1
    assert [line.split(",")[0] for line in done.stdout.splitlines()] == [
        f"{late}: not replayed", f"{fresh}: open again; it was dead", "999: there is no such event",
    ]  # fmt: skip
    assert "not replayed" in run("replay", "--dead").stdout
    assert run("inbox", "999").exit_code == 1
    database.dispose()
