"""How long each page of the console takes beside 1,000 rules and 100,000 events, as a part of the 100 ms it may."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles

import pytest

from tests.bench.bench_matching import keywords, message
from tests.bench.bench_retention import DAY, FILL
from tests.bench.table import show
from tests.console import Console, running

pytestmark = pytest.mark.bench

RULES, WORDS_PER_RULE, EVENTS = 1_000, 5, 100_000
LIMIT = 0.100
ROUNDS = 30

_CHANCE = random.Random(20270101)
_WORDS = keywords(_CHANCE)[: RULES * WORDS_PER_RULE]
_KNOWN = message(_CHANCE, _WORDS)
# One syllable of a keyword is missing: nobody answers, and there is advice.
_NEARLY = " ".join(next(word for word in _WORDS if word.count(" ") == 3).split()[1:])

#: What is opened; with a form, what is sent. The first column of the table.
PAGES: dict[str, tuple[str, dict[str, str] | None]] = {
    "try": ("try", None),
    "try:answered": ("try", {"text": _KNOWN}),
    "try:unanswered": ("try", {"text": f"shop ơi {_NEARLY}"}),
    "try:2,000-letters": ("try", {"text": " ".join(message(_CHANCE, _WORDS) for _ in range(40))}),
    "try:follow": ("try", {"event": "follow"}),
    "rules": ("rules", None),
    "rules:last-page": ("rules?page=20", None),
    "rules:search": ("rules?q=luat+999", None),
}


def rules() -> str:
    """Return a file of 1,000 rules with 5,000 keywords, one of them switched off, and one rule for followers."""
    lines = ["version: 1", "rules:"]
    for n in range(RULES):
        words = ", ".join(f'"{word}"' for word in _WORDS[n * WORDS_PER_RULE : (n + 1) * WORDS_PER_RULE])
        lines += [
            f"  - id: luat-{n}",
            "    on: follow" if n == 3 else f"    keywords: [{words}]",
            f"    enabled: {'false' if n == 7 else 'true'}",
            f'    reply: {{image_url: "https://cdn.shop.vn/{n}.jpg"}}',
        ]
    return "\n".join([*lines, 'fallback: {reply: {image_url: "https://cdn.shop.vn/menu.jpg"}}', ""])


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """Forty days of events, a third of them answered; a thousand dead letters."""
    with running(tmp_path, rules=rules()) as found:
        database = found.service.database
        start, step = database.now() - 40 * DAY, 40 * DAY / EVENTS
        with database.write() as connection:
            connection.exec_driver_sql(FILL, (EVENTS, start, step, start, step))
            connection.exec_driver_sql("UPDATE events SET rule_id = 'luat-' || (id % 1000)")
            connection.exec_driver_sql("UPDATE events SET status = 'dead', error = 'HTTP 400' WHERE id % 100 = 0")
        found.log_in()
        yield found


def test_every_page_in_time(console: Console) -> None:
    """Aim: half of them within 100 ms, and 95 of 100 by the processor's clock, which other work does not move."""
    rows, worst = [], 0.0
    token = console.token()
    for name, (path, form) in PAGES.items():
        taken: list[tuple[float, float]] = []
        for _ in range(ROUNDS):
            begun = time.perf_counter(), time.thread_time()
            if form is None:
                answer = console.get(path)
            else:
                answer = console.client.post(f"/console/{path}", data={"csrf": token, **form})
            taken.append((time.perf_counter() - begun[0], time.thread_time() - begun[1]))
            assert answer.status_code == 200
        wall, processor = (quantiles([t / LIMIT for t in times], n=20) for times in zip(*taken, strict=True))
        worst = max(worst, wall[9], processor[-1])
        rows.append((name, f"{wall[9]:.2f}", f"{wall[-1]:.2f}", f"{processor[9]:.2f}", f"{processor[-1]:.2f}"))
    title = f"time / {LIMIT:.3f} s beside {RULES:,} rules and {EVENTS:,} events"
    show(title, "page p50 p95 processor-p50 processor-p95", rows)
    assert worst < 1
