"""The loader is total: any bytes give rules or problems that can be rendered, never an exception."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.rules.model.schema import RuleFile
from bot.rules.model.synonyms import is_key
from bot.rules.problem import Problem, render, split_lines, text_of
from bot.rules.validate import validate
from tests.support.golden import BAD, GOOD, LANGS, TODAY

FILES = [path.read_bytes().decode(errors="replace") for path in sorted([*GOOD.glob("*.yaml"), *BAD.glob("*.yaml")])]
KEYS = ["version", "timezone", "abbreviations", "typos", "rules", "fallback", "id", "keywords", "exclude", "all_of",
        "pattern", "priority", "enabled", "on", "active", "cooldown", "oa", "reply", "examples", "not_examples", "text",
        "match", "image_url", "attachment_id", "file", "uploaded", "weight", "one_of", "from", "until", "days", "hours",
        "every", "images", "from_date", "start", "từ khóa", "keyword", "<<", "", "\u200bid", "“id”", "a b"]  # fmt: skip
VALUES = [
    *["", "1", "true", "no", "~", "giá", "Bảng giá", "bang-gia", "gia, bang gia", "#km", "giá #km", "“giá”", "‘a", "”"],
    *["https://shop.example/a.jpg", "http://a", "https://[", "https://drive.google.com/x", "https://a..b/…", "24h"],
    *[
        "10 phút",
        "follow",
        "text",
        "exact",
        "contains",
        "mon",
        "T2",
        "2027-01-20",
        "20/01/2027",
        "08:00-21:30",
        "8h-21h",
    ],
    *[
        "Asia/Ho_Chi_Minh",
        "(a",
        r"\bkm",
        "x*",
        "giá: 50k",
        "a: ",
        ": a",
        "- a",
        "-a",
        "–",
        "|",
        ">",
        "%",
        "@",
        "`",
        "!x",
    ],
    *["!!str a", "&a b", "*a", "'", '"', "'a'", '"\\q"', '"a', "[", "]", "{", "}", ",", "?", "? a", "...", "---", "="],
    *["\t", "\u00a0", "\u2028", "\x07", "\u200b", "\ufeff", "：", "id：a", "text:a", "😍", "e\u0301", "a" * 300],
]

scalars = st.sampled_from(VALUES) | st.sampled_from(VALUES).map(lambda text: f'"{text}"') | st.text(max_size=8)
keys = st.sampled_from(KEYS) | scalars


def in_brackets(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return lists and mappings in brackets, sometimes with a bracket missing."""
    pairs = st.builds("{}: {}".format, keys, children)
    return st.builds(
        lambda items, ends: ends[0] + ", ".join(items) + ends[1],
        st.lists(children | pairs, max_size=4),
        st.sampled_from(["[]", "{}", "[}", "[ ", "{ "]),
    )


def in_lines(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return lists and mappings in block style, with different indentations."""

    def lines(items: list[tuple[str, str]], indent: str, dash: str) -> str:
        made = []
        for key, value in items:
            head = dash + (f"{key}: " if key else "")
            made.append(head + value.replace("\n", "\n" + indent))
        return "\n" + "\n".join(made)

    return st.builds(
        lines,
        st.lists(st.tuples(keys, children), min_size=1, max_size=4),
        st.sampled_from(["  ", "    ", " ", "\t", "", "\u00a0 "]),
        st.sampled_from(["", "- ", "-", "– ", "? "]),
    )


decorated = st.builds("{}{}".format, st.sampled_from(["", "", "", "&a ", "!t ", "*a ", "? "]), scalars)
trees = st.recursive(decorated, lambda children: in_brackets(children) | in_lines(children), max_leaves=25)


@st.composite
def almost_rules(draw: st.DrawFn) -> str:
    """Return a file with the right keys mostly in the right places."""
    fields = st.lists(st.tuples(st.sampled_from(KEYS[6:18]) | keys, trees), max_size=6)
    made = "version: 1\nrules:\n"
    for rule in draw(st.lists(fields, max_size=4)):
        lines = [f"{key}: {value}".replace("\n", "\n      ") for key, value in rule] or [""]
        made += "  - " + "\n    ".join(lines) + "\n"
    return made + draw(st.just("") | trees)


@st.composite
def mutilated(draw: st.DrawFn) -> str:
    """Return a real file after some mistakes: letters and lines lost, doubled, moved, replaced."""
    text = draw(st.sampled_from(FILES))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(text)))
        span = draw(st.sampled_from([0, 1, 2, 5, 40]))
        odd = draw(st.sampled_from([*VALUES, "\n", "\n  ", "\n- ", "  ", ": ", " #", '"', "\r"]))
        text = draw(
            st.sampled_from(
                [text[:at] + odd + text[at + span :], text[:at] + text[at : at + span] * 2 + text[at + span :]]
            )
        )
    return text


def check_verdict(data: bytes) -> None:
    """Assert the properties that hold for any bytes."""
    verdict = validate(data, today=TODAY)
    errors = [problem for problem in verdict.problems if problem.severity == "error"]
    assert (verdict.rules is None) is bool(errors)
    if verdict.rules is not None:
        assert isinstance(verdict.rules.file, RuleFile)
    places = [(problem.line, problem.column) for problem in verdict.problems if not problem.code.startswith("more-")]
    assert places == sorted(places)
    assert len(set(verdict.problems)) == len(verdict.problems)
    for problem in verdict.problems:
        check_problem(problem, text_of(data))


def check_problem(problem: Problem, source: str) -> None:
    """Assert that the problem is inside the file and can be rendered in both languages."""
    lines = split_lines(source)
    assert 1 <= problem.line <= len(lines)
    line = lines[problem.line - 1]
    assert 1 <= problem.column <= len(line) + 1
    assert problem.column + problem.length - 1 <= max(len(line), problem.column)
    assert re.fullmatch(r"[a-z0-9-]+", problem.code)
    for lang in LANGS:
        shown = render(problem, path="rules.yaml", source=source, lang=lang)
        head, _, picture, mark = shown.split("\n")
        assert head.endswith(f"[{problem.code}]")
        assert "Input should" not in head
        assert len(head) < 1500
        assert picture.startswith(str(problem.line))
        assert set(mark.split("|", 1)[1]) <= set(" \t^~")


@given(st.binary(max_size=300))
@settings(max_examples=150)
@example(b"\xff\xfe")
@example("rules:\n- id: a\u0085b".encode())
def test_any_bytes(data: bytes) -> None:
    """Also undecodable ones."""
    check_verdict(data)


@given(st.text(max_size=200))
@settings(max_examples=150)
def test_any_text(text: str) -> None:
    """Every character of Unicode, in any order."""
    check_verdict(text.encode(errors="surrogatepass"))


@given(trees)
@settings(max_examples=200)
@example("&a [*a]")
@example("{[a]: b}")
@example("? {a: b}\n: c")
@example("a: &a [*a, *a]")
@example("'\u2028'")
def test_anything_that_looks_like_yaml(text: str) -> None:
    """Anchors, tags, complex keys, nesting, wrong quotes, wrong spaces."""
    check_verdict(text.encode(errors="surrogatepass"))


@pytest.mark.long
@given(almost_rules())
@settings(max_examples=200)
def test_anything_that_looks_like_rules(text: str) -> None:
    """The right keys with all kinds of values."""
    check_verdict(text.encode(errors="surrogatepass"))


@given(mutilated())
@settings(max_examples=200)
def test_a_real_file_after_some_mistakes(text: str) -> None:
    """As if a cat had walked over the keyboard."""
    check_verdict(text.encode(errors="surrogatepass"))


def test_the_generator_knows_every_key() -> None:
    """A missing key would never be tested."""
    assert len([key for key in KEYS if is_key(key)]) == 33
