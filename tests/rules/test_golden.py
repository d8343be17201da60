"""Golden files: realistic rules files with the exact problems of the bad ones, and none for the good ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.i18n import Language
from bot.rules.catalog.messages import MESSAGES
from bot.rules.problem import Phrase
from bot.rules.validate import validate
from tests.support.golden import BAD, GOOD, LANGS, TODAY, expected, outcome

WRONG = sorted(BAD.glob("*.yaml"))
RIGHT = sorted(GOOD.glob("*.yaml"))

# What no small file brings forth; each has a test of its own elsewhere.
NOT_IN_FILES = {
    "bad-value",
    "more-problems",
    "more-problems/warnings",
    "not-yaml",
    "pattern-not-installed",
    "too-big",
    "too-big/parts",
}


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.stem)
def test_a_bad_file_has_the_expected_output(path: Path, lang: Language) -> None:
    """Word for word; ``python -m tests.support.golden`` rewrites the outputs."""
    assert expected(path, lang).read_text(encoding="utf-8") == outcome(path, lang)


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.stem)
def test_a_good_file_has_no_problems(path: Path) -> None:
    """Not even a warning."""
    verdict = validate(path.read_bytes(), today=TODAY, folder=GOOD)
    assert verdict.problems == ()
    assert verdict.rules is not None


def test_there_are_enough_good_and_bad_files() -> None:
    """A missing folder must not look like a pass."""
    assert len(WRONG) >= 50
    assert len(RIGHT) >= 15


def test_no_expected_output_is_left_over() -> None:
    """Every .out belongs to a file."""
    outputs = {path.name for path in BAD.glob("*.out")}
    assert outputs == {expected(path, lang).name for path in WRONG for lang in LANGS}


def test_every_message_is_in_one_of_the_files() -> None:
    """Each was read in its context."""
    seen = {key for path in WRONG for problem in validate(path.read_bytes(), today=TODAY, folder=BAD).problems
            for key in keys_of(problem.phrase)}  # fmt: skip
    assert set(MESSAGES) - seen == NOT_IN_FILES


def keys_of(phrase: Phrase) -> Iterator[str]:
    """Yield the keys of a message and of the phrases within it."""
    yield phrase.key
    for _, arg in phrase.args:
        if isinstance(arg, Phrase):
            yield from keys_of(arg)
