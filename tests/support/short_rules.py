"""Rules files in short form, and the validator's result for them."""

from __future__ import annotations

from datetime import date

from bot.rules.validate import ValidationResult, validate

TODAY = date(2027, 1, 25)
PICTURE = '{image_url: "https://shop.example/a.jpg"}'


def rules(*lines: str) -> bytes:
    """Return a file with one rule per argument, the first on line 2: ``a: keywords: [x], priority: 1``."""
    made = [f"  - {{id: {line.partition(': ')[0]}, {line.partition(': ')[2]}, reply: {PICTURE}}}" for line in lines]
    return "\n".join(["rules:", *made, ""]).encode()


def verdict(*lines: str) -> ValidationResult:
    """Return the validation of these rules."""
    return validate(rules(*lines), today=TODAY)


def findings(*lines: str) -> list[tuple[int, str]]:
    """Return the line and key of every problem."""
    return [(problem.line, problem.phrase.key) for problem in verdict(*lines).problems]


def message(*lines: str) -> str:
    """Return the only problem's message in English."""
    (problem,) = verdict(*lines).problems
    return problem.message("en")
