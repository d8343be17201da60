"""The Vietnamese manual: its examples show what the bot does."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import click
import pytest
from flask import Flask, g
from pydantic import BaseModel

from bot.cli.rules_output import explanation_lines
from bot.i18n import translator
from bot.image_health.texts import IMAGE_WORDS
from bot.inbox.states import Status
from bot.rules.catalog.messages import MESSAGES, WARNINGS
from bot.rules.explain import explain
from bot.rules.matching.matcher import KeywordPattern, Matcher
from bot.rules.model.field_parsers import DAYS, MATCHES
from bot.rules.model.schema import Active, Fallback, Image, Keyword, Rule, RuleFile
from bot.rules.problem import RulesError
from bot.rules.validate import summarized, summary_text, validate
from bot.web.console import app
from bot.web.console.formatting import event_names
from bot.web.console.images.image_cards import STATUSES
from bot.web.console.messages.event_timeline import status_badge
from bot.zalo import EVENT_KINDS
from tests.support.golden import BAD
from tests.support.translations import english, messages, translated, vietnamese

ROOT = Path(__file__).parents[2]
MANUAL = (ROOT / "README.vi.md").read_text(encoding="utf-8")
BEFORE, CATALOGUE = MANUAL.split("\n## Danh sách các lỗi và cách sửa\n")
TODAY = date(2027, 1, 25)
NOON = datetime(2027, 1, 25, 12, 0, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))

#: Messages that are parts of others, and no problems of their own.
PHRASES = re.compile(r"(in|why|beaten|apart)-.*|(near-keyword|a-pattern|quoted)\b.*")
CODES = {key.partition("/")[0] for key in MESSAGES if not PHRASES.fullmatch(key)}
#: What no example in a text file can show, or what is not the file's fault.
UNSHOWN = {
    "bad-value", "control-character", "line-separator", "more-problems", "not-utf8", "not-yaml",
    "pattern-not-installed", "too-big", "too-deep", "too-long",
}  # fmt: skip

KEYWORDS = "    keywords: [áo dài]\n"
REPLY = '    reply: {image_url: "https://shop.example/a.jpg"}\n'


def completed(snippet: str, whole: str = "") -> str:
    """
    Return a whole file from a snippet, which is a part of a rule, a list of rules, or the top of a file.

    Missing keywords and replies come from *whole*, a longer snippet, or are filled in.
    """
    text = snippet + whole
    lines = [line.expandtabs(4) for line in text.splitlines() if line.strip()]
    depth = min(len(line) - len(line.lstrip()) for line in lines)
    if depth >= 4:
        keywords = "" if re.search(r"^ *(keywords|all_of|pattern|on)\b|keywords", text, re.MULTILINE) else KEYWORDS
        return "rules:\n  - id: mau\n" + snippet + keywords + ("" if "reply" in text else REPLY)
    if depth >= 2:
        return "rules:\n" + snippet
    return snippet if "rules:" in text else f"{snippet}rules:\n  - id: mau\n{KEYWORDS}{REPLY}"


def blocks(text: str, language: str) -> Iterator[str]:
    """Yield the code blocks of a language."""
    for block in re.finditer(rf"^( *)```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL):
        indent = len(block[1])
        yield "".join(line[indent:] + "\n" for line in block[2].splitlines())


def problems(yaml: str) -> list[str]:
    """Return the codes of all problems."""
    return [problem.code for problem in validate(yaml.encode(), today=TODAY, folder=BAD).problems]


SECTIONS = dict(re.findall(r"^#### `([a-z0-9-]+)`\n(.*?)(?=^###|\Z)", CATALOGUE, re.MULTILINE | re.DOTALL))


def test_every_code_is_explained_once_and_none_is_invented() -> None:
    """A reader who searches for a code in brackets finds it."""
    headings = re.findall(r"^#### `([^`]+)`$", CATALOGUE, re.MULTILINE)
    assert sorted(headings) == sorted(CODES)


@pytest.mark.parametrize("code", sorted(SECTIONS))
def test_warnings_and_errors_are_called_so(code: str) -> None:
    """A mistake is never called a note, nor the reverse."""
    variants = [key in WARNINGS for key in MESSAGES if key.partition("/")[0] == code]
    assert ("*(lưu ý)*" in SECTIONS[code]) == all(variants)


DIFFS = [(code, diff) for code, section in SECTIONS.items() for diff in blocks(section, "diff")]


def test_every_code_has_an_example() -> None:
    """Except codes that a text cannot show."""
    assert {code for code, _ in DIFFS} == CODES - UNSHOWN


@pytest.mark.parametrize(("code", "diff"), DIFFS)
def test_the_minus_lines_have_the_problem_and_the_plus_lines_none(code: str, diff: str) -> None:
    """Exactly this problem, and none at all."""
    lines = [(line[:1] or " ", line[1:] + "\n") for line in diff.splitlines()]
    wrong = "".join(line for sign, line in lines if sign in " -")
    right = "".join(line for sign, line in lines if sign in " +")
    assert set(problems(completed(wrong, right) if wrong else "")) == {code}
    assert problems(completed(right, wrong)) == []


WHOLE = list(blocks(re.sub(r"<!-- sai.yaml -->\n```yaml.*?```", "", BEFORE, flags=re.DOTALL), "yaml"))


@pytest.mark.parametrize("yaml", WHOLE)
def test_the_yaml_examples_are_valid(yaml: str) -> None:
    """A file copied from one has no problem, and its examples reach their rules."""
    assert problems(completed(yaml)) == []


ROWS = re.findall(r"^\| (.+?) \| (.+?) \| (có|không) \| .+ \|$", BEFORE, re.MULTILINE)


@pytest.mark.parametrize(("message", "keyword", "verdict"), ROWS)
def test_the_table_of_comparisons(message: str, keyword: str, verdict: str) -> None:
    """The matcher does what the table says of a message and a keyword."""
    hits = Matcher([KeywordPattern(0, keyword)]).hits(message)
    assert bool(hits.any) == (verdict == "có")


def test_there_is_a_table_of_comparisons() -> None:
    """A change of its form must not leave the rows unread."""
    assert len(ROWS) >= 20


RUNS = [run for block in blocks(BEFORE, "console") for run in re.findall(r"\$ bot (.*)\n((?:(?!\$ ).*\n)*)", block)]


@pytest.mark.parametrize(("command", "output"), RUNS)
def test_the_commands_print_the_shown_output(command: str, output: str) -> None:
    """Each command on the sample shop, letter by letter."""
    name, *words = shlex.split(command)
    assert printed(name, words) == output


def printed(name: str, words: list[str]) -> str:
    """Return what a command prints in Vietnamese."""
    if name == "check":
        return checked(words[0]) if words else checked("rules.yaml")
    arguments = dict(zip(words[-2::-2], words[::-2], strict=False)) if len(words) > 1 else {}
    rules = validate((ROOT / "rules.yaml").read_bytes(), today=TODAY).rules
    assert rules
    given = arguments.get("--at")
    at = datetime.strptime(given, "%Y-%m-%d %H:%M").replace(tzinfo=NOON.tzinfo) if given else None
    text = "" if words[0].startswith("--") else words[0]
    found = explain(rules, text, kind=arguments.get("--event", "text"), now=(at or NOON).timestamp())
    return "".join(click.unstyle(line) + "\n" for line in explanation_lines(found, "vi", at=at))


def checked(name: str) -> str:
    """Return the output of `bot check` for a file of the tree or of the manual."""
    shown = re.search(rf"<!-- {name} -->\n```yaml\n(.*?)```", BEFORE, re.DOTALL)
    data = shown[1].encode() if shown else (ROOT / name).read_bytes()
    verdict = validate(data, today=TODAY)
    told = RulesError(verdict.problems, path=name, source=data).render("vi")
    return (told + "\n\n" if told else "") + summary_text(summarized(verdict), name, "vi") + "\n"


MODELS: list[type[BaseModel]] = [RuleFile, Rule, Keyword, Image, Active, Fallback]
FIELDS = {field.alias or name for model in MODELS for name, field in model.model_fields.items()} | {"one_of"}


@pytest.mark.parametrize("field", sorted(FIELDS))
def test_every_field_is_explained_and_shown(field: str) -> None:
    """In the text and in an example."""
    assert f"`{field}" in BEFORE
    assert any(re.search(rf"\b{field}:", yaml) for yaml in WHOLE)


@pytest.mark.parametrize("word", [*EVENT_KINDS, *MATCHES, *DAYS])
def test_every_choice_is_explained(word: str) -> None:
    """The values of `on`, `match` and `days`."""
    assert f"`{word}`" in BEFORE


def test_the_links_have_targets() -> None:
    """Headings of the manual by GitHub's names, and existing files."""
    headings = re.findall(r"^#+ (.+)$", MANUAL, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    for target in re.findall(r"\]\(([^)]+)\)", MANUAL):
        assert target[1:] in anchors if target.startswith("#") else (ROOT / target).exists()


def section(heading: str) -> str:
    """Return the text under a heading, up to the next one of its level or above."""
    level = heading.partition(" ")[0]
    return BEFORE.partition(f"\n{heading}\n")[2].partition(f"\n{level} ")[0].partition("\n## ")[0]


def test_the_five_steps_work_in_the_sample_shop() -> None:
    """The rule of step 3 has no problem, and the message of step 5 gets its image."""
    steps = section("## Thêm một ảnh cho một từ khóa: năm bước")
    [new] = blocks(steps, "yaml")
    [message] = re.findall(r'`bot try "(.+)"`', steps)
    assert f"“{message}”" in steps
    shop = (ROOT / "rules.yaml").read_text(encoding="utf-8")
    verdict = validate(shop.replace("\n  - id: menu\n", f"\n{new}\n  - id: menu\n").encode(), today=TODAY)
    assert verdict.rules
    assert len(verdict.rules.file.rules) == shop.count("- id:") + 1 - shop.count('"- id:"')
    assert verdict.problems == ()
    found = explain(verdict.rules, message, now=NOON.timestamp())
    assert found.winner
    assert f"- id: {found.winner.rule.id}\n" in new


CONSOLE = section("## Trang của người soạn kịch bản")
#: What the console's pages say, in small letters.
ON_PAGES = {
    text.lower()
    for message in messages(translated())
    if any(file.startswith(("bot/web/", "bot/image_health/")) for file, _ in message.locations)
    for text in (*english(message), vietnamese(message))  # the link to the English page stands in English in the code
}


def first_cells(text: str) -> list[str]:
    """Return the bold words in the first column of the tables."""
    return [word for cell in re.findall(r"^\| (\*\*.+?) \| .+ \|$", text, re.MULTILINE) for word in bold(cell)]


def bold(text: str) -> list[str]:
    return re.findall(r"\*\*([^*]+)\*\*", text)


def test_every_page_of_the_console_is_explained() -> None:
    """Under its name, in the order of the navigation."""
    assert re.findall(r"^### (.+)$", CONSOLE, re.MULTILINE) == [
        translator("vi").gettext(page.title) for page in app.PAGES
    ]


@pytest.mark.parametrize("words", sorted(set(bold(CONSOLE))))
def test_every_bold_label_is_on_a_page(words: str) -> None:
    """Capitals may differ."""
    assert " ".join(words.split()).lower() in ON_PAGES


def test_every_status_of_an_event_is_explained() -> None:
    """By its name on the page."""
    with Flask("manual").app_context():
        g.lang = "vi"
        labels = [status_badge(status)[0] for status in get_args(Status)]
    assert [label.lower() for label in first_cells(section("### Tin nhắn"))] == labels


def test_every_verdict_on_an_image_is_explained() -> None:
    """With what to do if it is not good."""
    labels = {translator("vi").gettext(words.label) for words in IMAGE_WORDS.values()}
    explained = first_cells(section("### Hình ảnh"))
    assert len(explained) == len(set(explained))
    standings, reasons = explained[: len(STATUSES)], explained[len(STATUSES) :]
    assert set(reasons) == labels - set(standings)
    assert labels & set(standings) == {
        translator("vi").gettext(IMAGE_WORDS[word].label) for word in ("ok", "not-checked")
    }


@pytest.mark.parametrize(("kind", "name"), event_names("vi").items())
def test_events_have_the_names_of_the_console(kind: str, name: str) -> None:
    """In the list of values of `on`."""
    assert f"`{kind}` {name[0].lower()}{name[1:]}" in " ".join(section("### `on`").split())
