"""`/readyz`: its lines about problems, which no outside text can forge."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from bot.inbox.tables import accounts
from bot.web.app import create_app
from tests.support.console import running


def test_untrusted_text_stays_on_its_line(tmp_path: Path) -> None:
    """The vendor's text cannot look like a line of ours, nor control a terminal."""
    with running(tmp_path) as console:
        row = {"oa_id": "123", "pauses": 1, "trouble": "HTTP 401: bad\nready\r\u2028\x1b[2Jmissing: all\u202e"}
        with console.runtime.database.write() as connection:
            connection.execute(sa.insert(accounts).values(row))
        answer = create_app(console.runtime).test_client().get("/readyz")
    assert answer.status_code == 200
    [line] = answer.text.splitlines()
    assert line.startswith("note: OA 123: nothing is sent at present: HTTP 401: bad ready")
    assert line.isprintable()
