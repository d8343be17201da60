"""The console on a real runtime and a real SQLite file, used like a browser without JavaScript."""

from __future__ import annotations

import functools
import html
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from pydantic import SecretStr
from werkzeug.test import TestResponse

from bot.analysis.preview import Preview, PreviewRequest, preview
from bot.analysis.preview_process import PreviewRunner, Watcher
from bot.config import Settings
from bot.runtime import Runtime
from bot.web.console import auth
from bot.web.console.app import register
from bot.web.console.tables.keyword_table import TableChanges
from bot.web.console.tables.table_process import TableRefusal, TableRequest, table_changes
from tests.support.clock import NOW
from tests.support.rows import keep
from tests.support.running import PATIENCE
from tests.support.sqlite import new_sqlite_database

PASSWORD = "con mèo ngủ trưa"
_LOGIN_TRIES = 20
RULES = """\
version: 1
rules:
  - id: bang-gia
    keywords: [bảng giá, giá bao nhiêu]
    exclude: [đánh giá]
    reply: {image_url: "https://shop.example/bang-gia.jpg"}
  - id: chao-mung
    on: follow
    reply: {image_url: "https://shop.example/chao-mung.jpg"}
"""

# Deriving a key from a password takes 50 ms on purpose; the tests use a few passwords hundreds of times.
_derive_key = functools.cache(auth.derive_key)


class _CompiledTemplates(BytecodeCache):
    """Keeps compiled templates for all applications of this process: compiling takes longer than a test."""

    def __init__(self) -> None:
        self._codes: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._codes:
            bucket.bytecode_from_string(self._codes[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key] = bucket.bytecode_to_string()


_TEMPLATES = _CompiledTemplates()


@dataclass
class Console:
    """A running console and one browser."""

    app: Flask
    runtime: Runtime

    def __post_init__(self) -> None:
        self.client = self.app.test_client()

    def get(self, path: str, **more: Any) -> TestResponse:
        """Open a page; *path* is below /console/."""
        return self.client.get(f"/console/{path}", **more)

    def post(self, path: str, form: dict[str, Any] | bytes | None = None, **more: Any) -> TestResponse:
        """Post a form like a browser on one of our pages."""
        headers = {"Sec-Fetch-Site": "same-origin", **more.pop("headers", {})}
        return self.client.post(f"/console/{path}", data=form or {}, headers=headers, **more)

    def log_in(self, password: str = PASSWORD) -> TestResponse:
        """Log in; where a busy machine's database did not answer in time, try again."""
        for _ in range(_LOGIN_TRIES):
            answer = self.post("login", {"password": password})
            if answer.status_code != 503:
                break
            time.sleep(0.2)
        return answer

    def keep(self, *, age: float = 60.0, **values: Any) -> int:
        """
        Store an event that came in *age* seconds ago, by default a sent text; return its id.

        The clock is the database's: retention runs, and would delete an event that is months old.
        """
        return keep(self.runtime.database, age=NOW - self.runtime.database.now() + age, **values)


def read_table_here(
    request: TableRequest, *, log_format: str, watcher: Watcher | None = None
) -> TableChanges | TableRefusal:
    """Read a table in this process."""
    return table_changes(request)


def preview_here(request: PreviewRequest, *, log_format: str, watcher: Watcher | None = None) -> Preview:
    """Make a preview in this process; starting a subprocess takes a second."""
    return preview(request)


class PausedPreview:
    """Makes previews in this process, each once the test lets it go on; *begun* tells that one has begun."""

    def __init__(self) -> None:
        self.begun, self.goes_on = threading.Event(), threading.Event()

    def __call__(self, request: PreviewRequest, *, log_format: str, watcher: Watcher | None = None) -> Preview:
        """Make a preview."""
        self.begun.set()
        assert self.goes_on.wait(PATIENCE)
        return preview(request)


@contextmanager
def running(
    folder: Path,
    *,
    rules: str = RULES,
    clock: Callable[[], float] = time.time,
    preview: PreviewRunner = preview_here,
    **settings: Any,
) -> Iterator[Console]:
    """Run a console on *folder*/rules.yaml and *folder*/bot.db; nobody is logged in yet."""
    path = folder / "rules.yaml"
    path.write_text(rules, encoding="utf-8")
    chosen = {"console_password": SecretStr(PASSWORD), "bot_lang": "en", **settings}
    url = SecretStr(new_sqlite_database(folder / "bot.db"))
    runtime = Runtime(Settings.model_construct(rules_file=path, database_url=url, **chosen), delivers=False)
    runtime.start()
    try:
        assert runtime.rules_reloader  # reads the rules now, as a bot that delivers does
        app = Flask("bot.web")
        app.jinja_options = {"bytecode_cache": _TEMPLATES}
        register(app, runtime, clock=clock, preview=preview, derive_key=_derive_key)
        app.config["CONSOLE_TABLE_READER"] = read_table_here
        yield Console(app, runtime)
    finally:
        runtime.stop()


def words(response: TestResponse) -> str:
    """Return the text of a page, without markup, on one line."""
    bare = re.sub(r"<(script|style)\b.*?</\1>|<[^>]+>", " ", response.text, flags=re.DOTALL)
    return " ".join(html.unescape(bare).split())
