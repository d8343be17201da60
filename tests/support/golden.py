"""
Golden files: the validator's output for the files in tests/golden/bad, as an editor sees it.

``python -m tests.support.golden`` rewrites the expected outputs; read the diff before committing it.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from bot.i18n import Language
from bot.rules.problem import render, text_of
from bot.rules.validate import validate

BAD = Path(__file__).parents[1] / "golden" / "bad"
GOOD = Path(__file__).parents[1] / "golden" / "good"
TODAY = date(2027, 1, 25)
LANGS: tuple[Language, ...] = ("vi", "en")


def outcome(path: Path, lang: Language) -> str:
    """Return every problem of the file, rendered."""
    data = path.read_bytes()
    source = text_of(data)
    problems = validate(data, today=TODAY, folder=path.parent).problems
    return "".join(render(problem, path=path.name, source=source, lang=lang) + "\n" for problem in problems)


def expected(path: Path, lang: Language) -> Path:
    """Return the path of the expected output."""
    return path.with_suffix(f".{lang}.out")


if __name__ == "__main__":
    for bad in sorted(BAD.glob("*.yaml")):
        for language in LANGS:
            expected(bad, language).write_text(outcome(bad, language), encoding="utf-8", newline="\n")
