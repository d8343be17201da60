"""The console's page of unanswered messages."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.analysis.topics import group_by_words
from bot.analysis.unmatched import find_gaps, unanswered_topics
from bot.cli.main import main
from bot.inbox.queries import Message
from bot.inbox.tables import events
from bot.logs import MASK
from bot.rules.engine import FALLBACK, rank
from bot.rules.suggest import Suggestion
from bot.rules.validate import validate
from bot.web.console.messages import unanswered_page
from tests.support.console import RULES, Console, running, words
from tests.support.rows import DAY, NOW
from tests.support.running import wait_until

NO_RULE = {"status": "ignored", "reason": "no-match", "rule_id": None, "images": None}
SCRIPT = "<script>document.title='hit'</script>"


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """A logged-in editor."""
    with running(tmp_path) as found:
        found.log_in()
        yield found


def ask(console: Console, *texts: str, age: float = 3600.0, **values: Any) -> None:
    """Store texts that no rule answered, each from another customer."""
    for n, text in enumerate(texts):
        console.keep(age=age, text=text, **{"user_id": f"u{n}", **NO_RULE, **values})


def test_spellings_are_grouped_and_people_counted(console: Console) -> None:
    """The question of most people comes first."""
    ask(console, "tuyển nhân viên không")
    ask(console, "Có thẻ thành viên?", "co the thanh vien", "có thẻ thành viên", "Có thẻ thành viên?")
    ask(console, "Có thẻ thành viên?", user_id="u0")
    page = words(console.get("unanswered"))
    first, second = page.index("4 people 5 messages Có thẻ thành viên?"), page.index("1 person tuyển nhân viên")
    assert first < second
    assert "Also typed có thẻ thành viên co the thanh vien" in page


def test_the_nearest_rule_and_the_suggestions(console: Console) -> None:
    """For that rule, or as a new rule; in both languages."""
    ask(console, "bàng giá", "Bàng giá?", "giá bao shop nhiêu vậy", "tuyển nhân viên không")
    page = console.get("unanswered")
    told = words(page)
    assert 'bang-gia "bàng" contradicts "bảng" of the keyword "bảng giá"' in told
    assert "change its keywords to: - id: bang-gia keywords: [bảng giá, giá bao nhiêu, bàng giá]" in told
    assert "There is advice for the same rule further up" in told
    assert "To have it answered, add a rule: - id: tuyen-nhan-vien" in told
    assert "khác dấu với" in words(console.get("unanswered?lang=vi"))


def test_a_rule_with_a_matching_exclude_is_named(console: Console) -> None:
    """Without a suggestion, because the editor wanted it so."""
    ask(console, "bảng giá này mình muốn đánh giá")
    page = words(console.get("unanswered"))
    assert 'bang-gia kept out because the message has "đánh giá"' in page
    assert "To paste" not in page


def test_small_talk_is_summed_up_in_one_line(console: Console) -> None:
    """After the last question, with the frequency of each text."""
    ask(
        console,
        "ok shop",
        "dạ vâng ạ",
        "alo",
        "hihi",
        "cảm ơn shop",
        "cam on shop nhieu",
        "alo",
        "tuyển nhân viên không",
    )
    page = console.get("unanswered")
    assert page.text.count('class="card gap"') == 1
    said = words(page)
    assert said.index("tuyển nhân viên không") < said.index("Short messages that say little: 7 alo 2")
    assert "cảm ơn shop" in said


def hidden_fields(page: str, action: str) -> dict[str, str]:
    """Return the hidden fields of the first form with that action."""
    form = page.split(f'action="/console/unanswered/{action}"', 1)[1].split("</form>", 1)[0]
    return {name: html.unescape(value) for name, value in re.findall(r'name="(\w+)" value="(.*?)"', form)}


def test_a_topic_is_ignored_and_restored(console: Console, caplog: pytest.LogCaptureFixture) -> None:
    """It is neither in the list nor in its CSV nor on the overview, however many ask again; it is not logged."""
    ask(console, "có tuyển nhân viên không", "tuyen nhan vien ko shop", "bán thẻ quà tặng không")
    answer = console.post("unanswered/ignore", hidden_fields(console.get("unanswered?period=30d").text, "ignore"))
    assert (answer.status_code, answer.location) == (303, "/console/unanswered?period=30d")
    ask(console, *["quán tuyển nhân viên phục vụ không ạ"] * 5)
    page = console.get("unanswered?period=30d")
    told = words(page)
    assert "“tuyển nhân viên” is ignored" in told
    assert re.findall("<h2.*?>(.*?)</h2>", page.text) == ["bán thẻ quà tặng không"]
    assert "1 topic ignored tuyển nhân viên 5 people in 30 days List it again" in told
    for other in ("unanswered.csv", "overview", "overview.csv?table=questions"):
        assert "thẻ quà tặng" in console.get(other).text
        assert "nhân viên" not in console.get(other).text
    console.post("unanswered/take-back", hidden_fields(page.text, "take-back"))
    page = console.get("unanswered")
    assert "topic ignored" not in words(page)
    assert len(re.findall("<h2.*?>(.*?)</h2>", page.text)) == 2
    assert "nhân viên" not in caplog.text


def test_if_all_topics_are_ignored_they_can_be_restored(console: Console) -> None:
    """Also if they did not occur in the period."""
    ask(console, "có tuyển nhân viên không")
    console.post("unanswered/ignore", hidden_fields(console.get("unanswered").text, "ignore"))
    page = words(console.get("unanswered?period=24h&lang=vi"))
    assert "Đã bỏ qua 1 chủ đề tuyển nhân viên 1 khách trong 24 giờ Lấy lại" in page


@pytest.mark.parametrize("form", [{}, {"name": "x" * 300}, {"name": "a", "page": "x", "period": "\0"}])
def test_any_form_of_a_topic_is_answered(console: Console, form: dict[str, str]) -> None:
    """An invalid topic is refused."""
    answer = console.post("unanswered/ignore", form)
    assert answer.status_code == (303 if form.get("name") == "a" else 400)
    assert console.post("unanswered/take-back", form).status_code == 303


def test_a_question_opens_the_form_filled_in(tmp_path: Path) -> None:
    """As a new rule, or with a keyword for the nearest rule; the URL has no text."""
    with running(tmp_path, console_publish=True) as console:
        console.log_in()
        ask(console, "bàng giá", "Bàng giá?")
        page = console.get("unanswered")
        assert "Add “bàng giá” to the rule bang-gia +2 messages a week" in words(page)
        assert "To paste into the rules file" not in words(page)
        forms = re.findall(r'<form method="post" action="/console/rules/fill">(.*?)</form>', page.text, re.DOTALL)
        changed, new = [
            {name: html.unescape(value) for name, value in re.findall(r'name="(\w+)" value="(.*?)"', form)}
            for form in forms
        ]
        assert changed == {"id": "bang-gia", "keyword": "bàng giá", "example": "bàng giá"}
        form = console.post("rules/fill", changed).text
        assert re.findall(r'name="keyword" value="([^"]+)"', form) == ["bảng giá", "giá bao nhiêu", "bàng giá"]
        assert "\nbàng giá</textarea>" in form
        assert new == {"example": "bàng giá"}  # a second rule for nearly the same words would only confuse


def test_a_topic_without_a_near_rule_opens_a_new_one(tmp_path: Path) -> None:
    """With its keyword, a message that has it, and a name."""
    with running(tmp_path, console_publish=True) as console:
        console.log_in()
        ask(console, "có tuyển nhân viên không", "tuyen nhan vien ko shop")
        page = console.get("unanswered")
        assert "Create a rule for “tuyển nhân viên” +2 messages a week" in words(page)
        form = console.post("rules/fill", {"keyword": "tuyển nhân viên", "example": "có tuyển nhân viên không"}).text
        assert re.findall(r'name="keyword" value="([^"]+)"', form) == ["tuyển nhân viên"]
        assert "\ncó tuyển nhân viên không</textarea>" in form
        assert 'name="id" value="tuyen-nhan-vien"' in form


def test_an_unknown_rule_name_is_reported(tmp_path: Path) -> None:
    """With the list of questions again."""
    with running(tmp_path, console_publish=True) as console:
        console.log_in()
        answer = console.post("rules/fill", {"id": "<b>" + "x" * 9_000, "keyword": "a"})
        assert (answer.status_code, answer.location) == (303, "/console/unanswered")
        page = console.get("unanswered")
        assert "No rule has the name <b>xxx" in words(page)
        assert "<b>xxx" not in page.text


def test_without_publishing_there_is_no_form(console: Console) -> None:
    """There is YAML to paste instead."""
    ask(console, "tuyển nhân viên không")
    page = console.get("unanswered")
    assert "rules/fill" not in page.text
    assert "To paste into the rules file" in words(page)


def test_questions_that_the_rules_answer_now_are_left_out(console: Console) -> None:
    """The rules may have changed since; the fallback is no answer."""
    ask(console, "bảng giá bao nhiêu", "xin chào")
    ask(console, "alo", rule_id=FALLBACK, reason="fallback", status="sent")
    page = words(console.get("unanswered"))
    assert "xin chào" in page
    assert "alo" in page
    assert "bảng giá bao nhiêu" not in page


def test_numbers_and_addresses_are_masked(console: Console) -> None:
    """Everywhere on the page, also in suggestions and in the form that leads to Try."""
    ask(console, "gọi 0912.345.678 đặt bàn nhé", "goi 0987654321 dat ban nhe", "mail na@shop.example nha")
    page = console.get("unanswered")
    assert "gọi ••• đặt bàn nhé" in words(page)
    assert not re.search(r"0912|345|678|0987|na@|shop\.example[^/]", page.text)
    assert "keywords: [đặt bàn" in words(page)


def test_customers_texts_are_escaped_and_in_no_url(console: Console) -> None:
    """No markup, no link, no form's address."""
    ask(console, f"{SCRIPT} thẻ", f'"><img src=x onerror={SCRIPT}>')
    page = console.get("unanswered")
    assert f"{SCRIPT} thẻ" in words(page)
    assert "<script>document" not in page.text
    assert "<img" not in page.text
    assert not [link for link in re.findall(r'(?:href|src|action)="([^"]*)"', page.text) if "document" in link]


def test_a_question_can_be_tried(console: Console) -> None:
    """Its form is that of the page Try."""
    ask(console, "thẻ thành viên &amp; <b>")
    page = console.get("unanswered")
    assert '<form method="post" action="/console/try">' in page.text
    assert 'name="text" value="thẻ thành viên &amp;amp; &lt;b&gt;"' in page.text
    answer = console.post("try", {"text": "thẻ thành viên", "oa": "oa1"})
    assert "No rule answers" in words(answer)


@pytest.mark.parametrize(("period", "shown"), [("24h", 1), ("7d", 2), ("30d", 3), ("", 2), ("1h", 2), ("\0", 2)])
def test_the_period(console: Console, period: str, shown: int) -> None:
    """A week by default."""
    for days in (0.5, 5, 20, 40):  # a topic each
        ask(console, f"{'bcdt'[int(days) % 7 % 4]}eo lạ", age=days * DAY)
    page = console.get(f"unanswered?period={quote(period)}")
    assert len(re.findall(r"<li class=\"card gap\">", page.text)) == shown
    assert page.text.count('aria-current="true"') == 1


def test_an_empty_list_names_its_period(console: Console) -> None:
    """The page says of which time."""
    assert "The last 24 hours hold no question" in words(console.get("unanswered?period=24h"))
    assert "Trong 7 ngày qua" in words(console.get("unanswered?lang=vi"))


def test_a_long_list_has_pages(console: Console) -> None:
    """Every question is on one of them, those of most people on the first."""
    letters = "bcdghklmnprstvx"
    asked = [f"{a}eo {b}oi" for a in letters for b in letters[:2]]
    ask(console, *asked)
    ask(console, asked[-1], user_id="another")
    first = console.get("unanswered?period=24h")
    assert first.text.count('class="card gap"') == unanswered_page.PAGE_SIZE
    assert re.findall("<h2.*?>(.*?)</h2>", first.text)[0] == asked[-1]
    pages = [first.text]
    while following := re.search(r'rel="next" href="/console/(.*?)"', pages[-1]):
        pages.append(console.get(html.unescape(following[1])).text)
    assert 'rel="prev"' in pages[-1]
    assert sorted(re.findall("<h2.*?>(.*?)</h2>", "".join(pages))) == sorted(asked)


def test_a_page_that_no_longer_exists(console: Console) -> None:
    """The rules may have changed between two pages."""
    ask(console, "tuyển nhân viên không")
    answer = console.client.get("/console/unanswered?period=30d&page=2")
    assert (answer.status_code, answer.location) == (302, "/console/unanswered?period=30d")


def test_limits_of_the_list_are_shown(console: Console) -> None:
    """Very many messages, or a period before the first stored one."""
    database = console.runtime.database
    console.keep(age=3600, text="tuyển nhân viên không", **NO_RULE)
    with database.write() as connection:
        row = dict(connection.execute(sa.select(events)).mappings().one())
        rows = [{**row, "id": None, "key": f"more-{n}"} for n in range(unanswered_page.MAX_MESSAGES)]
        connection.execute(sa.insert(events), rows)
    page = words(console.get("unanswered"))
    assert "only those are looked at since" in page
    assert f"1 person {unanswered_page.MAX_MESSAGES:,} messages tuyển nhân viên không" in page


def test_a_short_retention_is_shown(tmp_path: Path) -> None:
    """If it is shorter than the period."""
    with running(tmp_path, retention=timedelta(days=10)) as console:
        console.log_in()
        assert "kept for 10 days only" in words(console.get("unanswered?period=30d"))
        assert "kept for" not in words(console.get("unanswered"))


def test_a_broken_rules_file_is_mentioned(console: Console) -> None:
    """The nearest rules are those in force."""
    console.runtime.settings.rules_file.write_text("rules: [", encoding="utf-8")
    wait_until(lambda: console.runtime.rules_reloader.error, "the broken file to be seen")
    assert "by the last good rules" in words(console.get("unanswered"))


def test_bot_unmatched_finds_the_same(console: Console, tmp_path: Path) -> None:
    """The same questions, nearest rules and suggestions."""
    ask(console, "bàng giá", "bang gía", "tuyển nhân viên không", "giá bao nhiêu mình muốn đánh giá", "❤️")
    settings = {
        "BOT_LANG": "en",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'bot.db'}",
        "RULES_FILE": str(tmp_path / "rules.yaml"),
    }
    page = words(console.get("unanswered"))
    listed = CliRunner().invoke(main, ["unmatched"], env=settings)
    pieces = CliRunner().invoke(main, ["unmatched", "--yaml"], env=settings)
    assert (listed.exit_code, pieces.exit_code) == (0, 0)
    lines = [re.sub(r"^([\w-]+):", r"\1", line.strip()) for line in listed.stdout.splitlines()[2:-2]]
    assert len(lines) == 6
    assert "topic ignored" not in listed.stdout
    console.post("unanswered/ignore", hidden_fields(console.get("unanswered").text, "ignore"))
    assert "1 topic ignored in the console" in CliRunner().invoke(main, ["unmatched"], env=settings).stdout
    for line in [*lines, *re.split(r"(?m)^ *#.*\n", pieces.stdout)]:
        assert " ".join(line.split()) in page


PIECES = st.sampled_from(
    r"""
    bảng giá bang gia bàng giâ bao nhiêu đánh mình cho hỏi thẻ thành viên shop ơi 0912345678 ❤️ ••• : - # [ ] { } ' " ,
    yes no 8:30 null ~ & * ! | > % @ ? <b> \ km 20% size na@shop.vn
    """.split()  # noqa: SIM905
)
MESSAGES = st.one_of(st.lists(PIECES, max_size=8).map(" ".join), st.text(max_size=40))


def pasted(advice: Suggestion) -> str:
    """Return the rules file after its editor has applied the suggestion."""
    if advice.is_new:
        return f"{RULES}{advice.yaml}\n"
    first, keywords = advice.yaml.split("\n")
    before, after = RULES.split(first + "\n")
    old, _, rest = after.partition("\n")
    assert old.startswith("    keywords: ")
    return f"{before}{first}\n{keywords}\n{rest}"


@given(texts=st.lists(MESSAGES, min_size=1, max_size=4))
@example(["gọi 0912345678 đặt bàn giúp mình"])
@example(["0912345678"])
@example(["- : [", "no", "8:30", "\u2028"])
@settings(max_examples=150)
def test_suggestions_pass_the_check(texts: list[str]) -> None:
    """Each gives no error, answers the message, and takes no answer from another rule."""
    today, now = date(2026, 9, 21), NOW
    rules = validate(RULES.encode(), today=today).rules
    assert rules
    messages = [Message(n, text, "oa1", f"u{n}", now, None) for n, text in enumerate(texts)]
    answered = [text for text in texts if rank(rules, text, oa_id="oa1", now=now).winner is not None]
    found = find_gaps(list(unanswered_topics(group_by_words(messages), rules, now=now)), rules, now=now)
    ids = [advice.suggestion.rule_id for gap in found for advice in gap.advice]
    assert len(set(ids)) == len(ids)
    for advice in (advice for gap in found for advice in gap.advice):
        assert MASK not in advice.suggestion.yaml
        mended = validate(pasted(advice.suggestion).encode(), today=today).rules
        assert mended
        for text in (*answered, advice.example):
            assert rank(mended, text, oa_id="oa1", now=now).winner is not None


@given(st.dictionaries(st.sampled_from(["period", "lang", "x"]), st.text(max_size=9), max_size=3))
@settings(max_examples=50)
def test_any_query_has_a_page(console: Console, query: dict[str, str]) -> None:
    """With the page."""
    asked = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
    assert console.get(f"unanswered?{asked}").status_code == 200


@given(texts=st.lists(MESSAGES.map(lambda text: text.encode(errors="replace").decode()), max_size=4))
@settings(max_examples=50)
def test_any_text_is_shown(console: Console, texts: list[str]) -> None:
    """Including NUL, lone surrogates and direction marks."""
    ask(console, *(text for text in texts if text))
    assert console.get("unanswered").status_code == 200
