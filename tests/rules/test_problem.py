"""Rendering of problems: heading, line, and the mark under the right letters."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.i18n import Language, translator
from bot.images import local_files
from bot.rules import problem as problem_module
from bot.rules.catalog.messages import MESSAGES, WARNINGS
from bot.rules.problem import Place, Problem, RulesError, in_order, phrase, render, split_lines, text_of

SOURCES = sorted([*Path(problem_module.__file__).parent.rglob("*.py"), Path(local_files.__file__)])


def shown(line: str, column: int, length: int) -> str:
    """Return the line with the marker, without its margin."""
    problem = Problem.at(Place(1, column, length), "curly-quotes")
    return render(problem, path="f", source=line, lang="en").split("\n")[-1].removeprefix("  | ")


def test_the_head_names_place_message_and_code() -> None:
    """One line that terminals make clickable."""
    problem = Problem.at(Place(3, 5, 3), "duplicate-key", word="id", line=2)
    lines = render(problem, path="rules.yaml", source="a\nb\n    id: x\n", lang="en").split("\n")
    assert lines == [
        'rules.yaml:3:5: "id" is already given on line 2; join the two or delete one [duplicate-key]',
        "  |",
        "3 |     id: x",
        "  |     ^~~",
    ]


def test_a_variant_is_not_part_of_the_code() -> None:
    """There is one searchable code per mistake."""
    assert Problem.at(Place(1, 1), "bad-date/near", word="x", near="y").code == "bad-date"


@pytest.mark.parametrize(("lang", "label"), [("vi", "lưu ý: "), ("en", "warning: ")])
def test_a_warning_has_a_label(lang: Language, label: str) -> None:
    """Errors have none, as with compilers."""
    warning, error = Problem.at(Place(1, 1), "url-marks"), Problem.at(Place(1, 1), "curly-quotes")
    assert warning.severity == "warning"
    assert error.severity == "error"
    assert render(warning, path="f", source="x", lang=lang).startswith(f"f:1:1: {label}")
    assert label not in render(error, path="f", source="x", lang=lang)


@pytest.mark.parametrize(
    ("line", "column", "length", "mark"),
    [
        ("abc def", 5, 3, "    ^~~"),
        ("giá: ợ", 6, 1, "     ^"),
        ("gia\u0301: x", 7, 1, "     ^"),  # a combining mark takes no room
        ("价格: x", 5, 1, "      ^"),  # wide letters take two columns
        ("id：x", 1, 3, "^~~~"),
        ("a\tb", 3, 1, " \t^"),  # a tab stays one, so that the mark moves with it
        ("abc", 4, 1, "   ^"),  # after the end of the line
        ("e\u0301", 2, 1, " ^"),  # on a mark alone there is still something to see
        ("❤️ x", 4, 1, "  ^"),
    ],
)
def test_the_marker_is_under_the_right_letters(line: str, column: int, length: int, mark: str) -> None:
    """It counts terminal columns, not characters."""
    assert shown(line, column, length) == mark


def test_a_position_after_the_last_line_has_only_the_head() -> None:
    """There is nothing to point at."""
    problem = Problem.at(Place(9, 1), "empty-file")
    assert "\n" not in render(problem, path="f", source="x\n", lang="vi")


def test_a_very_long_line_is_cut_around_the_position() -> None:
    """A line of a megabyte must not fill the screen."""
    problem = Problem.at(Place(1, 5001, 3), "curly-quotes")
    text = render(problem, path="f", source="x" * 5000 + "ABC" + "y" * 5000, lang="en")
    _, _, line, mark = text.split("\n")
    assert len(line) < 200
    start = line.index("ABC")
    assert mark[start : start + 3] == "^~~"


def test_control_characters_are_not_printed() -> None:
    """Nor direction marks."""
    nasty = "a\x1b[31m\x07\u202eb\u2028"
    problem = Problem.at(Place(1, 1, 2), "special-start", sign="\x1b", near=nasty)
    text = render(problem, path="f", source=nasty, lang="en")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2028]", text)


def test_quoted_text_is_shortened_and_suggestions_are_not() -> None:
    """A suggestion is for copying."""
    long = "a" * 200
    problem = Problem.at(Place(1, 1), "bad-id/near", word=long, near=long)
    assert f'"{"a" * 59}…"' in problem.message("en")
    assert f"write: {long}" in problem.message("en")


def test_braces_in_quoted_text_are_literal() -> None:
    """The file's text is never used as a template."""
    assert '"{0.x} {"' in Problem.at(Place(1, 1), "unknown-day", word="{0.x} {", known=("a", "b")).message("vi")


def test_phrases_within_a_message_are_in_its_language() -> None:
    """No English in a Vietnamese sentence, nor the reverse."""
    problem = Problem.at(Place(1, 1), "same-keyword", word="a", other="b", line=1, why=phrase("why-first"))
    assert "because it is written first" in problem.message("en")
    assert "vì được viết trước" in problem.message("vi")


def test_problems_are_in_reading_order_without_duplicates() -> None:
    """By line, then by column."""
    a, b, c = (Problem.at(Place(*at), "tab") for at in [(1, 9), (2, 1), (2, 3)])
    assert in_order([c, b, a, b]) == (a, b, c)


def test_lines_end_as_in_editors() -> None:
    """Not at form feeds and the like; the byte order mark is no letter."""
    assert split_lines("\ufeffa\r\nb\rc\x0cd\u2028e\n") == ("a", "b", "c\x0cd\u2028e", "")


def test_a_line_in_utf16_is_decoded() -> None:
    """The message has the line that the editor sees."""
    assert text_of("id: giá".encode("utf-16")) == "id: giá"
    assert text_of(b"a\xffb") == "a\ufffdb"


def test_the_exception_renders_its_problems() -> None:
    """A failing start prints the same as `bot check`."""
    problem = Problem.at(Place(1, 1), "empty-file")
    error = RulesError([problem], path="r.yaml", source=b"")
    assert error.problems == (problem,)
    assert error.render("vi") == render(problem, path="r.yaml", source="", lang="vi")


@pytest.mark.parametrize("key", sorted(MESSAGES))
def test_messages_are_one_line_without_a_full_stop(key: str) -> None:
    """They are between a position and a code."""
    for text in (MESSAGES[key], translator("vi").pgettext(key, MESSAGES[key])):
        assert "\n" not in text
        assert not text.endswith((".", ";", ","))
        assert "  " not in text


def test_warnings_are_messages() -> None:
    """A misspelt code would become an error."""
    assert MESSAGES.keys() >= WARNINGS


def test_every_message_is_used() -> None:
    """By its whole key or by an f-string for its family."""
    code = "".join(path.read_text(encoding="utf-8") for path in SOURCES if path.parent.name != "catalog")
    families = [*re.findall(r'f"([a-z-]+[/-])\{', code), "not-a-mapping/", "in-"]
    for key in MESSAGES:
        assert f'"{key}"' in code or key.startswith(tuple(families)), key
