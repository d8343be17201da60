"""How many sentences still reach their rule as customers type them, and how many that want no answer get one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cache

import pytest

from bot.rules.engine import RuleSet, rank
from tests.bench.table import show
from tests.support.real_text import (
    keywords_of,
    rule_set,
    sentences,
    sentences_as_typed,
    sentences_without_answer,
    utterance,
)
from tests.support.typing_habits import HABITS, typed

pytestmark = pytest.mark.bench

HEAD = "habit sentences right wrong unmatched floor"
DRAWS = 3
"""How often each habit is asked for a sentence: most of them choose at random what they change."""
FLOORS = {
    "marks left out": (100, 0),
    "NFD": (100, 0),
    "capitals": (100, 0),
    "tone on another vowel": (100, 0),
    "half the words bare": (99.5, 0.5),
    "keyword word stretched": (98.5, 1.5),
    "typo in a word of 5 letters": (90, 3),
    "teencode in the keyword": (90, 2),
    "teencode, marks left out": (84, 3),
    "space lost in the keyword": (97, 1.5),
    "space lost anywhere": (98, 1),
    "raw Telex": (97, 2),
    "raw Telex throughout": (97, 1),
    "raw VNI": (97, 2),
    "hỏi and ngã swapped": (98, 1),
    "number glued": (96, 3),
    "short habits": (95, 2),
}
"""By habit: how many must still be right and how many may be answered by another rule, in percent of those kept."""
AS_TYPED_FLOOR = (97, 1)
"""The same for the sentences that were written as typed."""
MOST_FALSE = {
    "viết tắt": 4,
    "từ ghép": 11,
    "cảm ơn": 0,
    "trả lời": 0,
    "chào": 0,
    "bình luận": 1,
    "phàn nàn": 0,
    "chuyện": 0,
}
"""By kind: how many of the sentences that want no answer may get one, in percent."""


@dataclass
class Outcome:
    """What became of sentences as typed."""

    right: int = 0
    wrong: list[str] = field(default_factory=list)
    """As typed, with the rule that should answer and the one that does."""
    unmatched: list[str] = field(default_factory=list)

    def add(self, text: str, intent: str) -> None:
        """Ask what answers *text*, whose sentence the rule *intent* answers."""
        now = answer(text)
        if now and now[0] == intent:
            self.right += 1
        elif now:
            self.wrong.append(f"{text}  [{intent} meant, {now[0]} answers: {now[1]}]")
        else:
            self.unmatched.append(f"{text}  [{intent} meant]")

    @property
    def typed(self) -> int:
        """How many sentences were typed."""
        return self.right + len(self.wrong) + len(self.unmatched)

    def percent(self, count: int) -> float:
        """Return *count* in percent of all."""
        return 100 * count / self.typed


@cache
def the_rules() -> RuleSet:
    """Return the rules, read once."""
    return rule_set()


def answer(text: str) -> tuple[str, str] | None:
    """Return the id of the rule that answers and the keywords that it found."""
    ranking = rank(the_rules(), text)
    if ranking.winner is None:
        return None
    found = " + ".join(f"{hit.keyword.text} ({hit.kind})" for hit in ranking.ranked[0].hits)
    return the_rules().file.rules[ranking.winner].id, found


def outcome(habit: str) -> Outcome:
    """Ask every sentence that the rules read rightly as written again, as typed with this habit."""
    keywords = keywords_of(the_rules())
    outcome = Outcome()
    for sentence in sentences():
        before = answer(sentence.text)
        spoken = utterance(sentence.text, keywords[sentence.intent])
        if spoken and before and before[0] == sentence.intent:
            for text in typed(habit, spoken, DRAWS):
                outcome.add(text, sentence.intent)
    return outcome


def row(name: str, sentences: int, of: Outcome, floor: tuple[float, float]) -> tuple[str, ...]:
    """Return a row of the table."""
    percents = (f"{of.percent(count):.1f}" for count in (of.right, len(of.wrong), len(of.unmatched)))
    return name.replace(" ", "\u00a0"), str(sentences), *percents, "≥{}\u00a0≤{}".format(*floor)


def below(of: Outcome, floor: tuple[float, float]) -> bool:
    """Return whether too few are right or too many are answered by another rule."""
    right, wrong = floor
    return of.percent(of.right) < right or of.percent(len(of.wrong)) > wrong


def test_sentences_still_reach_their_rule(pytestconfig: pytest.Config) -> None:
    """Every habit keeps its floor; with -v, list what failed."""
    outcomes = {habit: outcome(habit) for habit in HABITS}
    rows = [row(habit, of.typed // DRAWS, of, FLOORS[habit]) for habit, of in outcomes.items()]
    show("real text, % of the sentences right before", HEAD, rows)
    if pytestconfig.get_verbosity() >= 0:
        for habit, of in outcomes.items():
            print(f"\n{habit}", *dict.fromkeys(of.wrong + of.unmatched), sep="\n  ")
    assert [habit for habit, of in outcomes.items() if below(of, FLOORS[habit])] == []


def test_sentences_as_typed_reach_their_rule(pytestconfig: pytest.Config) -> None:
    """No program made the teencode and the slips of these; with -v, list what failed."""
    of = Outcome()
    for intent, text in sentences_as_typed():
        of.add(text, intent)
    show("sentences written as typed, %", HEAD, [row("as typed", of.typed, of, AS_TYPED_FLOOR)])
    if pytestconfig.get_verbosity() >= 0:
        print("", *of.wrong, *of.unmatched, sep="\n  ")
    assert not below(of, AS_TYPED_FLOOR)


def test_sentences_that_want_no_answer(pytestconfig: pytest.Config) -> None:
    """Few of each kind get one; with -v, list those that do and the keyword."""
    false: dict[str, list[str]] = {kind: [] for kind in MOST_FALSE}
    silent = sentences_without_answer()
    for kind, text in silent:
        if found := answer(text):
            false[kind].append(f"{text}  [{found[0]}: {found[1]}]")
    of_kind = Counter(kind for kind, _ in silent)
    percent = {kind: 100 * len(texts) / of_kind[kind] for kind, texts in false.items()}
    rows = [
        (kind.replace(" ", "\u00a0"), str(of_kind[kind]), str(len(false[kind])), f"{percent[kind]:.1f}", f"≤{most}")
        for kind, most in MOST_FALSE.items()
    ]
    answered = sum(map(len, false.values()))
    rows.append(("(all)", str(len(silent)), str(answered), f"{100 * answered / len(silent):.1f}", ""))
    show("sentences that want no answer", "kind sentences answered % floor", rows)
    if pytestconfig.get_verbosity() >= 0:
        print("", *(line for lines in false.values() for line in lines), sep="\n  ")
    assert {kind: value for kind, value in percent.items() if value > MOST_FALSE[kind]} == {}
