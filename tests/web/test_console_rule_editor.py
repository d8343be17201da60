"""The console's rule form without JavaScript, from the page to the file."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from bot.rules.publishing.history import VersionInfo
from bot.rules.publishing.rule_changes import ChangeCounts
from bot.rules.reading.loader import load
from tests.support.console import RULES, Console, running, words

SAMPLE = (Path(__file__).parents[2] / "bot" / "rules" / "starters" / "tiem-banh.yaml").read_text(encoding="utf-8")
LINK = "https://shop.example/moi.jpg"


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """Somebody is logged in where they may publish."""
    with running(tmp_path, rules=SAMPLE, console_publish=True) as found:
        found.log_in()
        yield found


def path_of(console: Console) -> Path:
    return console.runtime.settings.rules_file


def text_of(console: Console) -> str:
    return path_of(console).read_text(encoding="utf-8")


def rule(console: Console, name: str) -> Any:
    file = load(path_of(console).read_bytes()).file
    assert file is not None
    return next((one for one in file.rules if one.id == name), None)


def fields(page: TestResponse) -> dict[str, list[str]]:
    """Return what a browser would send of the form on a page."""
    form = page.text.partition('<form id="rule"')[2].partition("</form>")[0]
    found: dict[str, list[str]] = {}
    for tag in re.findall(r"<input ([^>]*)>", form):
        kind = (re.search(r'type="(\w+)"', tag) or [""] * 2)[1]
        if kind in {"checkbox", "radio"} and " checked" not in tag:
            continue
        name, value = re.search(r'name="(\w+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name:
            found.setdefault(name[1], []).append(html.unescape(value[1]) if value else "")
    for name, value in re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>\n(.*?)</textarea>', form, re.DOTALL):
        found[name] = [html.unescape(value)]
    for name, options in re.findall(r'<select[^>]* name="(\w+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="(\w+)" selected', options)
        found.setdefault(name, []).append(chosen[1] if chosen else re.findall(r'value="(\w+)"', options)[0])
    return found


def press(console: Console, page: TestResponse, action: str, **more: Any) -> TestResponse:
    """Change some fields of the form on a page, and press one of its buttons."""
    name = more.pop("of", "")
    sent = fields(page) | {key: value if isinstance(value, list) else [value] for key, value in more.items()}
    return console.post(f"rules/edit?id={name}", sent | {"action": [action]})


def test_a_new_rule_from_the_page_to_the_file(console: Console) -> None:
    """What the check says is seen first; the file has one more rule, and every other byte as it was."""
    assert 'href="/console/rules/edit"' in console.get("rules").text
    page = console.get("rules/edit")
    new = {
        "keyword_new": ["bọc quà; thắt nơ đỏ", "", ""],
        "image_ref": LINK,
        "examples": "có bọc quà không\r\nthắt nơ đỏ nha",
        "days": ["mon", "sat"],
        "hours_from": "08:00",
        "hours_until": "17:30",
        "cooldown": "10",
    }
    seen = press(console, page, "publish", **new)
    assert seen.status_code == 200
    assert "rules.yaml: fine." in words(seen)
    assert text_of(console) == SAMPLE
    console.runtime.rules_reloader.thread.stop()  # the file is loaded where this test polls, not before
    done = press(console, seen, "publish")
    assert (done.status_code, done.location) == (303, "/console/rules?q=boc-qua&published=1#boc-qua")
    page = console.get(done.location.removeprefix("/console/").partition("#")[0])
    assert "Published: the new version is in the rules file." in words(page)
    assert 'content="1;url=/console/rules?q=boc-qua&amp;published=2#boc-qua"' in page.text
    for _ in range(2):
        console.runtime.rules_reloader.poll()
    page = console.get(done.location.removeprefix("/console/").partition("#")[0])
    assert "The new version answers customers now." in words(page)
    assert 'id="boc-qua"' in page.text
    assert "http-equiv" not in page.text
    assert (
        text_of(console).replace(
            """
  - id: boc-qua
    keywords: [bọc quà, thắt nơ đỏ]
    active: {days: [mon, sat], hours: "08:00-17:30"}
    cooldown: 10m
    reply: {image_url: "https://shop.example/moi.jpg"}
    examples: [có bọc quà không, thắt nơ đỏ nha]
""",
            "",
            1,
        )
        == SAMPLE
    )


def test_what_the_check_says_comes_before_the_file(console: Console) -> None:
    """An example that another rule answers, a picture that is none: nothing is written, and what was typed stays."""
    seen = press(
        console, console.get("rules/edit"), "check", keyword_new="bảng giá", image_ref="menu", until="32/13/2027"
    )
    assert "“32/13/2027” is not a day of the calendar." in words(seen)
    assert 'value="32/13/2027"' in seen.text
    seen = press(console, seen, "check", until="")
    assert "menu" in words(seen)
    assert 'id="publish" hidden' in seen.text
    refused = press(console, seen, "publish")
    assert refused.status_code == 409
    assert "this version has errors" in words(refused)
    assert text_of(console) == SAMPLE


def test_changing_one_field(console: Console) -> None:
    """Only its line is another, the comment at its end stays."""
    page = console.get("rules/edit?id=bang-gia")
    assert "Edit: bang-gia" in console.get("rules").text
    seen = press(console, page, "check", of="bang-gia", exclude_new="giá đỗ", exclude_new_match="phrase")
    assert press(console, seen, "publish", of="bang-gia").status_code == 303
    before, after = SAMPLE.splitlines(), text_of(console).splitlines()
    assert [(one, other) for one, other in zip(before, after, strict=True) if one != other] == [
        (
            "    exclude: [đánh giá, giảm giá] # có cụm này thì khách không hỏi giá",
            "    exclude: [đánh giá, giảm giá, giá đỗ] # có cụm này thì khách không hỏi giá",
        )
    ]


def test_an_untouched_form_changes_nothing(console: Console) -> None:
    """For every rule of the sample."""
    file = load(SAMPLE.encode()).file
    assert file is not None
    seen = press(console, console.get("rules/edit?id=menu"), "check", of="menu")
    press(console, seen, "publish", of="menu")
    assert text_of(console) == SAMPLE


def act(console: Console, name: str, action: str) -> TestResponse:
    """Press a button of a card, and the one that confirms it where that is asked for."""
    page = console.post("rules/act", {"id": name, "action": action})
    found = re.search(r'name="confirmed" value="(\w+)"', page.text)
    return console.post("rules/act", {"id": name, "action": action, "confirmed": found[1]}) if found else page


def test_deleting_and_switching_off_are_asked_about_with_what_customers_lose(console: Console) -> None:
    """Nothing is written before, nor once somebody has changed the file meanwhile."""
    console.keep(text="cho xem menu", rule_id="menu")
    for action, question in (("delete", "Delete this rule?"), ("off", "Switch this rule off?")):
        page = console.post("rules/act", {"id": "menu", "action": action})
        assert page.status_code == 200
        assert question in words(page)
        assert "1 message will lose its answer" in words(page)
        assert "menu −1 1 to The fallback “cho xem menu”" in words(page)
        assert text_of(console) == SAMPLE
    confirmed = re.search(r'name="confirmed" value="(\w+)"', page.text)
    assert confirmed
    path_of(console).write_text(SAMPLE + "# more\n", encoding="utf-8")
    page = console.post("rules/act", {"id": "menu", "action": "off", "confirmed": confirmed[1]})
    assert "Switch this rule off?" in words(page)
    assert text_of(console) == SAMPLE + "# more\n"


def test_what_the_form_publishes_is_asked_about_too(console: Console) -> None:
    """A box to tick stands beside the button; the name and the note go into the history."""
    console.keep(text="cho xem menu", rule_id="menu")
    seen = press(console, console.get("rules/edit?id=menu"), "check", of="menu", keyword=["qwerty"], examples="")
    assert "Changes 1 rule; 1 message will lose its answer." in words(seen)
    refused = press(console, seen, "publish", of="menu")
    assert refused.status_code == 409
    assert "Tick that you want this" in words(refused)
    assert text_of(console) == SAMPLE
    box = re.search(r'name="confirmed" form="rule" value="(\w+)"', refused.text)
    assert box
    done = press(console, refused, "publish", of="menu", confirmed=box[1], author="Hạnh", note="thử")
    assert done.status_code == 303
    publisher = console.runtime.publisher
    assert publisher.info(publisher.versions()[0].name) == VersionInfo(
        "Hạnh", "thử", changes=str(ChangeCounts(changed=1))
    )


def test_off_and_on_again(console: Console) -> None:
    """One line comes and goes."""
    assert act(console, "bang-gia", "off").status_code == 303
    assert not rule(console, "bang-gia").enabled
    assert act(console, "bang-gia", "on").status_code == 303
    assert text_of(console) == SAMPLE


def test_a_copy_and_its_end(console: Console) -> None:
    """It is switched off, so that it takes no messages; it opens in the form, and leaves an empty line."""
    answer = act(console, "menu", "copy")
    assert (answer.status_code, answer.location) == (303, "/console/rules/edit?id=menu-2")
    assert "This is the copy." in words(console.get("rules/edit?id=menu-2"))
    assert rule(console, "menu-2").keywords == rule(console, "menu").keywords
    assert (rule(console, "menu-2").enabled, rule(console, "menu").enabled) == (False, True)
    act(console, "menu-2", "delete")
    assert text_of(console).replace("\n\n\n", "\n\n") == SAMPLE


def test_a_rule_that_the_form_cannot_show_is_switched_off_all_the_same(console: Console) -> None:
    """Only its own line is another."""
    odd = SAMPLE.replace(
        "rules:\n", "rules:\n  - {id: la, all_of: [[{text: qwerty, match: exact}]], reply: {file: a.jpg}}\n"
    )
    odd = odd.replace("{file: a.jpg}", f'{{image_url: "{LINK}"}}')
    path_of(console).write_text(odd, encoding="utf-8")
    assert act(console, "la", "off").status_code == 303
    assert not rule(console, "la").enabled
    act(console, "la", "delete")
    assert text_of(console) == SAMPLE


def test_the_fallback_opens_as_text(console: Console) -> None:
    """At its line, with a sentence why."""
    line = SAMPLE.splitlines().index("fallback:") + 1
    assert "Edit as text" in words(console.get("rules?q=fallback"))
    answer = console.get("rules/edit?id=(fallback)")
    assert answer.location == f"/console/check?take=file&line={line}"
    assert "The form is for rules." in words(console.get("check?take=file"))


def test_two_editors_at_once(console: Console) -> None:
    """Changes of different rules both count; of one rule nothing is overwritten in one press."""
    mine = console.get("rules/edit?id=menu")
    act(console, "bang-gia", "off")
    seen = press(console, mine, "check", of="menu", cooldown="5")
    assert press(console, seen, "publish", of="menu").status_code == 303
    assert (rule(console, "bang-gia").enabled, rule(console, "menu").cooldown is not None) == (False, True)
    stale = press(console, mine, "publish", of="menu", priority="3")
    assert stale.status_code == 409
    assert "Somebody else changed this rule" in words(stale)
    sides = words(stale).partition("You and somebody else changed the same")[2]
    assert "priority: 3" in sides.partition("Theirs")[0]
    assert "cooldown: 5m" in sides.partition("Theirs")[2]
    assert rule(console, "menu").priority == 0
    again = press(console, stale, "check", of="menu")
    assert press(console, again, "publish", of="menu").status_code == 303
    assert rule(console, "menu").priority == 3


def test_what_somebody_else_published_since_the_check_is_seen_first(console: Console) -> None:
    """Together with the rule of the form; nothing is written before."""
    seen = press(console, console.get("rules/edit?id=menu"), "check", of="menu", cooldown="5")
    theirs = SAMPLE + "# theirs\n"
    path_of(console).write_text(theirs, encoding="utf-8")
    answer = press(console, seen, "publish", of="menu")
    assert answer.status_code == 409
    assert "your changes and theirs are together" in words(answer)
    assert text_of(console) == theirs
    assert press(console, answer, "publish", of="menu").status_code == 303
    assert text_of(console).endswith("# theirs\n")
    changed = press(console, seen, "publish", of="menu", priority="4")
    assert changed.status_code == 409


@pytest.mark.parametrize(
    ("rules", "name", "line", "words_"),
    [
        ("rules: [{id: a, keywords: [a], reply: {image_url: 'https://a.vn/1.jpg'}}]\n", "a", 1, "not written"),
        (
            "version: 1\nrules:\n  - {id: b, on: follow, reply: {image_url: 'https://a.vn/1.jpg'}}\n"
            "  - {id: a, all_of: [[{text: x, match: exact}]], reply: {image_url: 'https://a.vn/1.jpg'}}\n",
            "a", 4, "cannot show all",
        ),
    ],
)  # fmt: skip
def test_what_the_form_cannot_show_opens_as_text(tmp_path: Path, rules: str, name: str, line: int, words_: str) -> None:
    """At the line of the rule."""
    with running(tmp_path, rules=rules, console_publish=True) as console:
        console.log_in()
        answer = console.get(f"rules/edit?id={name}")
        assert answer.location == f"/console/check?take=file&line={line}"
        page = console.get(answer.location.removeprefix("/console/"))
        assert words_ in words(page)
        assert f'data-line="{line}"' in page.text


def test_a_file_with_errors_is_mended_as_text(console: Console) -> None:
    """The form would not know what it changes."""
    path_of(console).write_text("rules:\n  - nonsense\n", encoding="utf-8")
    assert console.get("rules/edit").location == "/console/check?take=file&line=1"


def test_where_nothing_may_be_published(tmp_path: Path) -> None:
    """There are no buttons, and no form."""
    with running(tmp_path) as console:
        console.log_in()
        assert "Add a rule" not in words(console.get("rules"))
        assert console.get("rules/edit").status_code == 404
        assert act(console, "bang-gia", "off").status_code == 404
        assert path_of(console).read_text(encoding="utf-8") == RULES


def test_filled_in_from_elsewhere(console: Console) -> None:
    """As from a question that no rule answers."""
    page = console.get("rules/edit?id=menu&keyword=th%E1%BB%B1c+%C4%91%C6%A1n+m%E1%BB%9Bi&example=cho+xem+thuc+don+moi")
    assert fields(page)["keyword"][-1] == "thực đơn mới"
    assert fields(page)["keyword_new"] == ["", "", ""]
    assert fields(page)["examples"][0].endswith("\ncho xem thuc don moi")


def test_the_other_language_keeps_every_word_that_was_filled_in(console: Console) -> None:
    page = console.get("rules/edit?keyword=a&keyword=b&lang=en")
    assert "/console/rules/edit?keyword=a&amp;keyword=b&amp;lang=vi" in page.text


def test_a_form_that_was_filled_in_and_is_asked_for_again_leads_to_the_questions(console: Console) -> None:
    """As by the link to the other language, before anything was typed."""
    assert console.get("rules/fill?lang=vi").location == "/console/unanswered"


def test_words_are_only_words(console: Console) -> None:
    """Markup comes back escaped."""
    page = press(
        console, console.get("rules/edit"), "check", keyword_new="</ul><script>alert(1)</script>", image_ref='"><b>'
    )
    assert "<script>alert" not in page.text
    assert '"><b>' not in page.text
