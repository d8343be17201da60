"""Log lines: which fields they show, and which values they never show."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import StorageError
from bot.inbox.database import Database
from bot.logs import about, event_name

ROOT = Path(__file__).parents[2]
KEY = "0123456789abcdef" * 4
WORDS = "riêng tư"
SECRET = 'a-"secret\\-key'


def log(code: str, form: str) -> str:
    """Return the log of a new process that runs *code*: logging is configured once per process."""
    source = (
        "import logging, sqlite3, sys\nfrom bot import logs\nfrom bot.errors import Refused\n"
        f"WORDS, SECRET, KEY = {WORDS!r}, {SECRET!r}, {KEY!r}\n"
        f"logs.configure({form!r}, 'INFO', secrets=[SECRET, 'secret', 'x', ''])\n"
        f"log = logging.getLogger('bot.x')\n{code}"
    )
    done = subprocess.run(
        [sys.executable, "-c", source], env={"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        stderr=subprocess.PIPE, encoding="utf-8", check=True,
    )  # fmt: skip
    return done.stderr


def test_a_json_line_has_all_fields() -> None:
    """One object per line, with names and types of the fields."""
    said = log("log.info('sent %s', 'off', extra=logs.about(KEY, 7) | {'ms': 12, 'rule': 'bảng-giá'})", "json")
    line = json.loads(said)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "INFO", "logger": "bot.x", "message": "sent off", "event": KEY[:16], "id": 7, "ms": 12,
        "rule": "bảng-giá",
    }  # fmt: skip


def test_a_text_line() -> None:
    """Time, level, message, and the fields."""
    said = log("log.warning('not sent', extra=logs.about(KEY) | {'error': 'HTTP 500'})", "text")
    assert said.endswith(f" WARNING not sent event={KEY[:16]} error=HTTP 500\n")


def test_untrusted_text_cannot_forge_a_line() -> None:
    """Nor control the terminal that shows it."""
    said = log("log.warning('not sent', extra={'error': 'HTTP 500\\n2027-01-01 INFO all is well\\x1b[2J'})", "text")
    assert said.count("\n") == 1
    assert "\\n2027-01-01" in said
    assert "\x1b" not in said


@pytest.mark.parametrize("form", ["text", "json"])
def test_of_an_exception_only_class_and_traceback_are_logged(form: str) -> None:
    """Its message may quote the customer; messages of the database or the machine do not."""
    said = log(
        "try:\n"
        "    try:\n        raise KeyError(WORDS)\n"
        "    except KeyError as error:\n        raise ValueError(WORDS) from error\n"
        "except ValueError:\n    log.exception('cannot decide', extra=logs.about(KEY))\n"
        "disk = sqlite3.OperationalError('disk full\\n' + WORDS)\n"
        "for error in (disk, OSError(28, 'No space'), Refused('HTTP 400')):\n"
        "    log.error('failed', exc_info=error)\n",
        form,
    )
    assert WORDS not in said
    assert json.dumps(WORDS)[1:-1] not in said
    for told in ("KeyError", "ValueError", "<string>", "sqlite3.OperationalError: disk full", "No space", "HTTP 400"):
        assert told in said
    if form == "json":
        assert all(json.loads(line)["trace"] for line in said.splitlines())


def test_an_error_that_ends_a_thread_is_logged() -> None:
    """In the log's format."""
    said = log("import threading; threading.Thread(target=lambda: int(WORDS), name='sender-1').start()", "json")
    line = json.loads(said)
    assert (line["level"], line["of"]) == ("CRITICAL", "sender-1")
    assert line["trace"].endswith("ValueError")
    assert WORDS not in said


def test_a_database_error_has_no_values(database: Database) -> None:
    """Wherever it is printed: the values are parameters of the statement."""
    statement = sa.text("INSERT INTO nowhere VALUES (:words)")
    with pytest.raises(StorageError) as caught, database.write() as connection:
        connection.execute(statement, {"words": WORDS})
    assert "nowhere" in str(caught.value.__cause__)
    assert WORDS not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_secret_is_masked_in_every_line(form: str) -> None:
    """Also one that contains another, or characters that JSON escapes; not a very short one."""
    said = log("logging.getLogger('x').warning('%s and %s', SECRET, 'secret', extra={'path': SECRET})", form)
    assert "secret" not in said
    assert said.count("…") == 3
    assert "a-" not in said


@given(st.text(alphabet="0123456789abcdef", min_size=64, max_size=64), st.integers(1))
def test_the_name_of_an_event_is_the_same_before_and_after_it_is_stored(key: str, number: int) -> None:
    """It is a part of the key; only the id comes from the database."""
    assert about(key)["event"] == about(key, number)["event"] == event_name(key)
    assert key.startswith(event_name(key))
    assert about(key, number)["id"] == number
    assert not vars(logging.makeLogRecord({})).keys() & about(key, number).keys()


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_text_forges_a_line_or_controls_a_terminal(form: str) -> None:
    """A lone surrogate, which cannot be encoded, does not end the log."""
    evil = r'"bad\n\u2028\x85\x9b31m\x1b[2J\u202e\U000e0041\ud83d {}"'
    [line] = log(f"log.warning({evil}, extra={{'error': {evil}}})", form).removesuffix("\n").splitlines()
    assert line.isprintable()
    if form == "json":
        assert json.loads(line)["error"] == "bad\n\u2028\x85\x9b31m\x1b[2J\u202e\U000e0041\ud83d {}"


def test_an_exceptions_text_does_not_control_a_terminal() -> None:
    """Such as the name of a missing file."""
    said = log("try: open('no\\x1b[2Jfile')\nexcept OSError: log.exception('gone')", "text")
    assert "\x1b" not in said
    assert "No such file" in said
