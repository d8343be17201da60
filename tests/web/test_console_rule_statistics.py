"""The console's page of one rule's statistics."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rules.engine import FALLBACK
from tests.support.console import Console, running, words
from tests.support.rows import DAY

RULES = """\
version: 1
rules:
  - id: bang-gia
    keywords: [bảng giá, giá bao nhiêu, báo giá]
    reply: {image_url: "https://cdn.shop.vn/gia.jpg"}
  - id: khuyen-mai
    keywords: [giá rẻ]
    reply: {image_url: "https://cdn.shop.vn/km.jpg"}
  - id: tam-nghi
    keywords: [tạm nghỉ]
    enabled: false
    reply: {image_url: "https://cdn.shop.vn/nghi.jpg"}
  - id: tet
    keywords: [tết]
    active: {hours: "08:00-09:00"}
    reply: {image_url: "https://cdn.shop.vn/tet.jpg"}
fallback: {reply: {image_url: "https://cdn.shop.vn/menu.jpg"}}
"""


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """A logged-in editor."""
    with running(tmp_path, rules=RULES) as found:
        found.log_in()
        yield found


def put(console: Console, *, days: float = 0.01, status: str = "sent", **values: object) -> None:
    """Store a text that came in so many days ago, answered by bang-gia but for *values*."""
    at = console.runtime.database.now() - days * DAY
    replied = at + 1 if status == "sent" else None
    console.keep(received_at=at, replied_at=replied, status=status, **values)


def test_the_figures_of_thirty_days(console: Console) -> None:
    """Answers, failures of the image apart from others, and overlaps with other rules."""
    put(console, keyword="bảng giá", text="bang gia", user_id="u2", runner_up="khuyen-mai", days=29)
    put(console, keyword="bảng giá", text="cho em bảng giá")
    put(console, keyword="bảng giá", days=31)
    put(console, status="dead", error="HTTP 400: -201: too big")
    put(console, status="dead", error="HTTP 200: code -217, blocked")
    put(console, rule_id="khuyen-mai", keyword="giá rẻ", runner_up="bang-gia")
    page = words(console.get("rules/bang-gia/statistics"))
    assert "Statistics: bang-gia" in page
    assert "Answers 2" in page
    assert "Failed 1 its image is at fault" in page
    assert "Not delivered 1 because of the customer or the account" in page
    assert "Taken from others 1" in page
    assert "Lost to others 1" in page
    assert "Keywords that brought answers bảng giá 2 Brought none: giá bao nhiêu báo giá" in page
    assert "What customers wrote bảng giá 2 people cho em bảng giá 1 person" in page
    assert "these would have answered: khuyen-mai 1" in page
    assert "but these went first: khuyen-mai 1" in page


def test_the_chart_has_its_table(console: Console) -> None:
    """A row for each of the thirty days, with the same figures."""
    put(console, days=0)
    put(console, days=3)
    text = console.get("rules/bang-gia/statistics").text
    [chart] = re.findall(r'<svg class="bars".*?</svg>', text, re.DOTALL)
    [table] = re.findall(r"<tbody>.*?</tbody>", text, re.DOTALL)
    assert [int(n) for n in re.findall(r"<title>[^<]*: (\d+)</title>", chart)].count(1) == 2
    rows = re.findall(r"</th><td>(\d+)</td>", table)
    assert (len(rows), rows.count("1")) == (30, 2)
    assert " style=" not in text


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("khuyen-mai", "Nobody wrote its keywords."),
        ("tam-nghi", "The rule is switched off."),
        ("tet", "The rule runs only at certain times"),
        (FALLBACK, "Nothing has happened that it answers."),
    ],
)
def test_an_unused_rule_has_likely_reasons(console: Console, rule: str, why: str) -> None:
    """As far as one can tell."""
    page = words(console.get(f"rules/{rule}/statistics"))
    assert f"No customer has got this answer in 30 days. {why}" in page


def test_a_rule_that_always_loses_is_explained(console: Console) -> None:
    """Its keywords do occur."""
    put(console, rule_id="bang-gia", runner_up="khuyen-mai")
    assert "other rules went first" in words(console.get("rules/khuyen-mai/statistics"))


def test_a_deleted_rule_still_has_its_figures(console: Console) -> None:
    """An unknown name has no page."""
    put(console, rule_id="cu", keyword="cũ")
    page = words(console.get("rules/cu/statistics"))
    assert "This rule is not in the rules in force any more." in page
    assert "Answers 1" in page
    assert console.get("rules/khong-co/statistics").status_code == 404


def test_customers_texts_are_escaped_and_masked(console: Console) -> None:
    """As in the lists."""
    put(console, text="<b>giá</b> 0912345678")
    page = console.get("rules/bang-gia/statistics").text
    assert "&lt;b&gt;giá&lt;/b&gt; •••" in page
    assert "0912345678" not in page


def test_answers_without_a_keyword_are_counted(console: Console) -> None:
    """Those before keywords were recorded."""
    put(console, keyword=None)
    assert "For 1 answer no keyword is recorded." in words(console.get("rules/bang-gia/statistics"))


def test_cards_events_and_the_overview_link_to_it(console: Console) -> None:
    """Also for the fallback."""
    put(console)
    link = 'href="/console/rules/bang-gia/statistics"'
    for page in ("rules", "events/1", "overview"):
        assert link in console.get(page).text
    assert 'href="/console/rules/(fallback)/statistics"' in console.get("rules").text
    assert console.get("rules/(fallback)/statistics").status_code == 200
