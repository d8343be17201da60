"""Corpus of customers' sentences: by intent, without answer, and a rules file for them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import NamedTuple

from bot.rules.engine import RuleSet
from bot.rules.validate import validate
from tests.support.typing_habits import Utterance

_DATA = Path(__file__).parent.parent / "data"
RULES_FILE = _DATA / "real_text_rules.yaml"
_TODAY = date(2027, 1, 25)


class Sentence(NamedTuple):
    """A customer's sentence with all its marks."""

    intent: str
    """The id of the rule that should answer."""
    shop: str
    region: str
    """The region of the wording: Bắc, Nam, or chung for both."""
    text: str


def sentences() -> list[Sentence]:
    """Return the sentences that need an answer, in the order of the file."""
    return [Sentence(*row) for row in _rows("sentences.tsv")]


def sentences_as_typed() -> list[tuple[str, str]]:
    """Return the intent and the text of sentences recorded as typed, with teencode and typos."""
    return [(intent, text) for intent, text in _rows("sentences_as_typed.tsv")]


def sentences_without_answer() -> list[tuple[str, str]]:
    """Return the kind and the text of each sentence that no rule should answer, as somebody typed it."""
    return [(kind, text) for kind, text in _rows("sentences_no_answer.tsv")]


def _rows(name: str) -> list[list[str]]:
    with (_DATA / name).open(encoding="utf-8", newline="") as file:
        _, *rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    return rows


def rule_set() -> RuleSet:
    """Return the rules of RULES_FILE, ready to decide."""
    verdict = validate(RULES_FILE.read_bytes(), today=_TODAY)
    assert verdict.rules is not None, verdict.problems
    return verdict.rules


def keywords_of(rules: RuleSet) -> dict[str, list[str]]:
    """Return each rule's keywords by its id."""
    return {rule.id: [keyword.text for keyword in rule.keywords] for rule in rules.file.rules}


def utterance(text: str, keywords: Iterable[str]) -> Utterance | None:
    """Return the text with the place of the longest of *keywords* in it; None if it has none."""
    found = [
        match.span()
        for keyword in keywords
        for match in [re.search(rf"(?<!\w){re.escape(keyword)}(?!\w)", text, re.IGNORECASE)]
        if match
    ]
    return Utterance(text, *max(found, key=lambda span: span[1] - span[0])) if found else None
