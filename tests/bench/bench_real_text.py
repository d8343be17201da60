"""How many sentences still reach their rule as customers type them, and how many that want no answer get one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cache

import pytest

from bot.rules.engine import RuleSet, rank
from tests.bench.table import show
from tests.support.real_text import keywords_of, rule_set, sentences, sentences_without_answer, utterance
from tests.support.typing_habits import HABITS, typed

pytestmark = pytest.mark.bench

FLOORS = {
    "marks left out": (98, 2),
    "NFD": (100, 0),
    "capitals": (100, 0),
    "tone on another vowel": (100, 0),
    "half the words bare": (98, 2),
    "keyword word stretched": (98, 2),
    "typo in a word of 5 letters": (70, 8),
    "teencode in the keyword": (30, 8),
    "space lost in the keyword": (70, 6),
    "space lost anywhere": (70, 4),
    "raw Telex": (20, 9),
    "raw VNI": (15, 9),
    "hỏi and ngã swapped": (14, 12),
    "number glued": (10, 10),
    "short habits": (18, 10),
}
"""By habit: how many must still be right and how many may be answered by another rule, in percent of those kept."""
MOST_FALSE_PERCENT = 15
"""Of the sentences that want no answer."""


@dataclass
class Outcome:
    """What became of the sentences that one habit changed and that were right before."""

    right: int = 0
    wrong: list[str] = field(default_factory=list)
    """As typed, with the rule that should answer and the one that does."""
    unmatched: list[str] = field(default_factory=list)

    @property
    def kept(self) -> int:
        return self.right + len(self.wrong) + len(self.unmatched)

    def percent(self, count: int) -> float:
        """Return *count* in percent of the sentences kept."""
        return 100 * count / self.kept


@cache
def the_rules() -> RuleSet:
    return rule_set()


def answer(text: str) -> tuple[str, str] | None:
    """Return the id of the rule that answers and the keywords that it found."""
    ranking = rank(the_rules(), text)
    if ranking.winner is None:
        return None
    found = " + ".join(f"{hit.needle.text} ({hit.how})" for hit in ranking.ranked[0].hits)
    return the_rules().file.rules[ranking.winner].id, found


def outcome(habit: str) -> Outcome:
    """Ask every sentence that the rules read rightly as written again, as typed with this habit."""
    keywords = keywords_of(the_rules())
    outcome = Outcome()
    for sentence in sentences():
        before = answer(sentence.text)
        spoken = utterance(sentence.text, keywords[sentence.intent])
        text = typed(habit, spoken) if spoken and before and before[0] == sentence.intent else None
        if text is None:
            continue
        now = answer(text)
        if now and now[0] == sentence.intent:
            outcome.right += 1
        elif now:
            outcome.wrong.append(f"{text}  [{sentence.intent} meant, {now[0]} answers: {now[1]}]")
        else:
            outcome.unmatched.append(f"{text}  [{sentence.intent} meant]")
    return outcome


def test_sentences_still_reach_their_rule(pytestconfig: pytest.Config) -> None:
    """Every habit keeps its floor; with -v, list what failed."""
    outcomes = {habit: outcome(habit) for habit in HABITS}
    rows = [
        (
            habit.replace(" ", "\u00a0"),
            str(of.kept),
            *(f"{of.percent(count):.1f}" for count in (of.right, len(of.wrong), len(of.unmatched))),
            "≥{} ≤{}".format(*FLOORS[habit]).replace(" ", "\u00a0"),
        )
        for habit, of in outcomes.items()
    ]
    show("real text, % of the sentences right before", "habit kept right wrong unmatched floor", rows)
    if pytestconfig.get_verbosity() >= 0:
        for habit, of in outcomes.items():
            print(f"\n{habit}", *of.wrong, *of.unmatched, sep="\n  ")
    below = {
        habit: (of.percent(of.right), of.percent(len(of.wrong)))
        for habit, of in outcomes.items()
        if of.percent(of.right) < FLOORS[habit][0] or of.percent(len(of.wrong)) > FLOORS[habit][1]
    }
    assert not below


def test_sentences_that_want_no_answer(pytestconfig: pytest.Config) -> None:
    """Few of them fire a rule; with -v, list those that do and the keyword."""
    fired: dict[str, list[str]] = {}
    silent = sentences_without_answer()
    for kind, text in silent:
        if found := answer(text):
            fired.setdefault(kind, []).append(f"{text}  [{found[0]}: {found[1]}]")
    kinds = Counter(kind for kind, _ in silent)
    every = [("(all)", sum(kinds.values()), sum(map(len, fired.values())))]
    counts = [
        *((kind.replace(" ", "\u00a0"), total, len(fired.get(kind, []))) for kind, total in kinds.items()),
        *every,
    ]
    rows = [(kind, str(total), str(number), f"{100 * number / total:.1f}") for kind, total, number in counts]
    show("sentences that want no answer", "kind sentences answered %", rows)
    if pytestconfig.get_verbosity() >= 0:
        print("", *(line for lines in fired.values() for line in lines), sep="\n  ")
    assert 100 * every[0][2] / every[0][1] <= MOST_FALSE_PERCENT
