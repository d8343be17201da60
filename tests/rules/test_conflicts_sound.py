"""Soundness of the checks: what they call impossible never happens, with random rules and messages."""

from __future__ import annotations

from datetime import date

from hypothesis import event, given, settings
from hypothesis import strategies as st

from bot.rules.engine import compile_rules, rank
from bot.rules.linting.lint import check
from bot.rules.reading.loader import load

WORDS = ["giá", "gia", "già", "bảng", "bang", "menu", "x1", "đặt", "nhiêu", "vừa", "quà", "tặng"]
#: As typed: without marks, a compound (vừa qua), an abbreviation that ends no word of the others.
TYPED = ["shop", "ơi", "ko", "vua", "qua", "tang"]
words = st.sampled_from(WORDS)
phrases = st.lists(words, min_size=1, max_size=2).map(" ".join)
matches = st.sampled_from(["phrase", "phrase", "phrase", "phrase", "exact", "prefix", "contains"])
keywords = st.lists(st.tuples(phrases, matches), min_size=1, max_size=2)
messages = st.lists(words | st.sampled_from(TYPED), min_size=1, max_size=7).map(" ".join)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Return two to four rules with few different words, so that they conflict."""
    lines = ["rules:"]
    for number in range(draw(st.integers(2, 4))):
        lines += [f"  - id: r{number}", "    reply: {attachment_id: x}", f"    priority: {draw(st.integers(0, 1))}"]
        own = draw(keywords)
        lines += [f"    keywords: [{listed(own)}]"]
        if draw(st.booleans()):
            inside = st.sampled_from([word for text, _ in own for word in (text, *text.split())])
            lines += [f"    exclude: [{listed([(draw(inside | phrases), draw(matches))])}]"]
    return "\n".join(lines).encode()


def listed(items: list[tuple[str, str]]) -> str:
    """Return keywords as a YAML list."""
    return ", ".join(f"{{text: {text}, match: {match}}}" for text, match in items)


@given(files(), st.lists(messages, min_size=1, max_size=8))
@settings(max_examples=100)
def test_a_rule_called_dead_answers_nothing(data: bytes, texts: list[str]) -> None:
    """Not with its own keywords, not with any sentence."""
    loaded = load(data)
    assert loaded.file is not None
    dead = [p.line for p in check(loaded, today=date(2027, 1, 25)) if p.code == "never-wins"]
    event(f"dead rules: {len(dead)}")
    compiled = compile_rules(loaded.file, loaded.digest)
    lines = [loaded.places.at("rules", index, "id").line for index in range(len(loaded.file.rules))]
    own = [keyword.text for rule in loaded.file.rules for keyword in rule.keywords]
    for text in [*texts, *own, " ".join(own), " ".join(reversed(own))]:
        winner = rank(compiled, text).winner
        assert winner is None or lines[winner] not in dead


@given(files(), st.lists(messages, min_size=1, max_size=8))
@settings(max_examples=100)
def test_a_keyword_killed_by_its_exclude_matches_nothing(data: bytes, texts: list[str]) -> None:
    """With only that keyword the rule never matches."""
    loaded = load(data)
    assert loaded.file is not None
    kills = [p for p in check(loaded, today=date(2027, 1, 25)) if p.phrase.key == "exclude-kills"]
    event(f"killing excludes: {len(kills)}")
    for index, rule in enumerate(loaded.file.rules):
        places = {loaded.places.at("rules", index, "exclude", n).line for n in range(len(rule.exclude))}
        killed = {dict(p.phrase.args)["keyword"] for p in kills if p.line in places}
        for keyword in rule.keywords:
            if keyword.text in killed and sum(other.text == keyword.text for other in rule.keywords) == 1:
                alone = rule.model_copy(update={"keywords": (keyword,)})
                compiled = compile_rules(loaded.file.model_copy(update={"rules": (alone,)}), "")
                for text in [*texts, keyword.text, f"shop ơi {keyword.text}"]:
                    assert rank(compiled, text).winner is None
