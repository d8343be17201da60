"""Slips of the keyboard in rules files: each is reported at its place, and nothing else is."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.validate import validate
from tests.support.golden import GOOD

TODAY = date(2027, 1, 25)
REPLY = '    reply: {image_url: "https://shop.example/a.jpg"}\n'
START = "version: 1\nrules:\n  - id: mot\n    keywords: [thực đơn]\n"
WHOLE = START + REPLY


def found(text: str) -> list[tuple[int, str]]:
    """Return the line and the key of every problem."""
    return [(problem.line, problem.phrase.key) for problem in validate(text.encode(), today=TODAY).problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # a dash that is too deep, by one space or by many, in every list
        (START + "    exclude:\n      - nhập\n       - sỉ\n" + REPLY, [(7, "indentation/dash")]),
        (START + "    examples:\n    - thực đơn\n          - có thực đơn không\n" + REPLY, [(7, "indentation/dash")]),
        # invisible characters before a key, a dash, behind a dash, within a key
        (WHOLE.replace("    keywords", "    \u200bkeywords"), [(4, "control-character")]),
        (WHOLE.replace("  - id", "  \u2060- id"), [(3, "control-character")]),
        (WHOLE.replace("- id", "- \u200eid"), [(3, "control-character")]),
        (WHOLE.replace("reply", "re\u00adply"), [(5, "control-character")]),
        ("\u200b\u200b" + WHOLE, [(1, "control-character")]),
        (WHOLE.replace("    keywords", "    \u2060\u200bkey\u200b\u200bwords"), [(4, "control-character")]),
        # two keys on a line
        (START + "    reply: file: a.jpg\n", [(5, "colon-in-text/nested")]),
        (START + "    reply: attachment_id: abc uploaded: 2027-01-24\n", [(5, "colon-in-text/two-keys")]),
        # keys that are not indented, or too deep
        (START + "    reply:\n    image_url: \"https://shop.example/a.jpg\"\n", [(6, "indentation/inside")]),
        (WHOLE + "    active:\n    days: [mon]\n    hours: \"08:00-21:30\"\n", [(7, "indentation/inside")]),
        (WHOLE + "fallback:\nreply: {attachment_id: x, uploaded: 2027-01-24}\n", [(7, "indentation/inside")]),
        # a colon or a dash that was lost
        (WHOLE.replace("id: mot", "id mot"), [(3, "no-colon/key")]),
        (WHOLE.replace("keywords: [", "keywords ["), [(4, "no-colon/key")]),
        (WHOLE.replace("reply: {", "reply {"), [(5, "no-colon/key")]),
        (WHOLE.replace("rules:\n", "rules\n"), [(2, "no-colon/key")]),
        (WHOLE.replace("rules:\n", ""), [(2, "no-top/list")]),
        (WHOLE + "    id: hai\n    keywords: [bảng giá]\n" + REPLY, [(6, "duplicate-key/rule")]),
        # what other programs write
        ("```yml\n" + WHOLE + "```\n", [(1, "stray-line/fence"), (7, "stray-line/fence")]),
        (WHOLE.replace("rules:\n", "// quy tắc\nrules:\n"), [(2, "stray-line/comment")]),
        (WHOLE.replace("rules:\n", "rules: // quy tắc\n"), [(2, "stray-line/comment")]),
        (WHOLE.replace("rules:\n", "<!-- quy tắc -->\nrules:\n"), [(2, "stray-line/comment")]),
        (WHOLE.replace("{image_url: ", "{image_url = "), [(5, "equals-sign")]),
        (WHOLE.replace("id: mot", "id => mot"), [(3, "equals-sign")]),
        (WHOLE.replace("id: mot", "id := mot"), [(3, "equals-sign")]),
        # indentation, with the number that is wanted
        (WHOLE.replace("    reply", "     reply"), [(5, "indentation/wanted")]),
        (WHOLE.replace("    keywords", "   keywords"), [(4, "indentation/wanted")]),
    ],
)  # fmt: skip
def test_a_typing_mistake_is_the_only_problem(text: str, expected: list[tuple[int, str]]) -> None:
    """The rest of the file is read as intended."""
    assert found(text) == expected


@pytest.mark.parametrize(
    "keyword",
    [
        "on sale", "file cứng", "days off", "reply nhanh", "24/7", "km/h", "a=b", "dùng // được", "giá ship COD",
        "M&M", "size S-M", "iPhone 15 Pro", "wi-fi", "C/O", "hay không bằng hay", "--- giá",
    ],
)  # fmt: skip
def test_a_quoted_keyword_is_taken_literally(keyword: str) -> None:
    """With any of our keys, or signs of other languages, in it."""
    text = WHOLE.replace("[thực đơn]", f'\n      - "{keyword}"\n      - bảng giá')
    assert [key for _, key in found(text) if key.startswith(("stray", "no-colon", "equals", "damaged", "colon"))] == []


@given(
    name=st.sampled_from(sorted(path.name for path in GOOD.glob("*.yaml"))),
    at=st.integers(0, 3000),
    piece=st.sampled_from(["\u200b", " ", "-", ":", "=", "//", "`", '"', "[", "{", "\n", "?", "#", "rules:", "id", ""]),
    cut=st.integers(0, 3),
)
def test_any_typing_mistake_gives_problems_inside_the_file(name: str, at: int, piece: str, cut: int) -> None:
    """Never an exception, never a position outside the file."""
    text = (GOOD / name).read_text(encoding="utf-8")
    changed = text[:at] + piece + text[at + cut :]
    lines = changed.split("\n")
    for problem in validate(changed.encode(), today=TODAY).problems:
        assert 1 <= problem.line <= len(lines)
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 2
        assert problem.message("vi")
