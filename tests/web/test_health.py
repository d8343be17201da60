"""`/readyz`: its lines about problems, which no outside text can forge."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from bot.inbox.tables import accounts
from bot.web.app import create_app
from tests.support.console import running


def test_words_from_outside_stay_on_their_line(tmp_path: Path) -> None:
    """What the vendor said cannot pass for a line of ours, nor steer the terminal of who looks."""
    with running(tmp_path) as console:
        row = {"oa_id": "123", "pauses": 1, "trouble": "HTTP 401: bad\nready\r\u2028\x1b[2Jmissing: all\u202e"}
        with console.runtime.database.write() as connection:
            connection.execute(sa.insert(accounts).values(row))
        answer = create_app(console.runtime).test_client().get("/readyz")
    assert answer.status_code == 200
    [line] = answer.text.splitlines()
    assert line.startswith("note: OA 123: nothing is sent at present: HTTP 401: bad ready")
    assert line.isprintable()
