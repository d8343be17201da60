"""Advice on a rule while it is typed in the form: problems, examples, other rules that match, effect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from bot.analysis.preview import Preview
from bot.rules import explain_text as sentences
from bot.rules.explain import Explanation
from bot.rules.problem import Problem
from bot.rules.publishing.edit import RuleText
from bot.web.console import formatting
from bot.web.console.formatting import gettext as _
from bot.web.console.formatting import ngettext
from bot.web.console.rule_form import form_fields as forms

#: The most keywords for which other matching rules are looked for.
MAX_KEYWORDS: Final = 20
_MAX_PROBLEMS: Final = 10
_MAX_OTHERS: Final = 3
# Stands in for a missing image, so that the rest of the rule can be checked.
_STAND_IN: Final = {"image_url": "https://cdn.zalo.vn/anh.jpg"}


@dataclass(frozen=True, slots=True)
class Advice:
    """One sentence."""

    kind: Literal["good", "todo", "warn", "bad"]
    text: str


def has_condition(fields: forms.Fields) -> bool:
    """Return whether the rule has a condition; without one there is nothing to check."""
    return any(fields.get(key) for key in ("on", "keywords", "all_of", "pattern"))


def missing(fields: forms.Fields) -> list[Advice]:
    """Return what is missing before the rule can be published."""
    found = [] if has_condition(fields) else [_("Add a keyword: what do customers write?")]
    if not fields.get("reply"):
        found.append(_("Add the picture that they get."))
    return [Advice("todo", text) for text in found]


def judgeable(fields: forms.Fields) -> forms.Fields:
    """Return the fields with a stand-in for a missing image."""
    return fields if fields.get("reply") else {**fields, "reply": dict(_STAND_IN)}


def messages_to_explain(fields: forms.Fields) -> tuple[str, ...]:
    """Return the messages that show which other rules match: the keywords themselves."""
    if "on" in fields or fields.get("enabled") == "false":
        return ()
    return tuple(text for text, _match in forms.keyword_rows(fields.get("keywords", [])))[:MAX_KEYWORDS]


def advice(preview: Preview, rule: RuleText, fields: forms.Fields) -> list[Advice]:
    """Return the advice on a rule from the preview of its file; *rule* is its position in the file."""
    own = [one for one in preview.problems if rule.start < one.line <= rule.end]
    found = list(_problems(own))
    if not preview.is_usable:
        elsewhere = [one for one in preview.problems if one.severity == "error" and one not in own]
        return found + list(_problems(elsewhere))
    found += _others(preview.explanations, str(fields.get("id", "")), quoted_in=" ".join(one.text for one in found))
    found += _examples(fields)
    return found + list(_effect(preview))


def _problems(problems: Iterable[Problem]) -> Iterator[Advice]:
    lang = formatting.language()
    listed = sorted(problems, key=lambda one: one.severity)
    for one in listed[:_MAX_PROBLEMS]:
        yield Advice("bad" if one.severity == "error" else "warn", one.message(lang))
    rest = len(listed) - _MAX_PROBLEMS
    if rest > 0:
        yield Advice("warn", ngettext("and {n} more", "and {n} more", rest).format(n=formatting.format_number(rest)))


def _others(explanations: Sequence[Explanation], rule_id: str, *, quoted_in: str) -> Iterator[Advice]:
    """Yield the other rules that match each keyword, and the one that answers it; skip rules quoted in *quoted_in*."""
    if explanations and all(one.winner and not one.outranked and one.winner.rule.id == rule_id for one in explanations):
        yield Advice("good", _("No other rule matches these keywords."))
    for one in explanations:
        word = one.text
        if f'"{word}"' in quoted_in:
            continue
        winner = one.winner.rule.id if one.winner else ""
        if winner not in {"", rule_id}:
            reasons = dict(sentences.other_rules(one, formatting.language()))
            why = reasons.get(rule_id, "")
            text = _("“{word}”: the rule {rule} answers it, not this one. {why}")
            yield Advice("warn", text.format(word=word, rule=winner, why=_sentence(why)).strip())
        elif others := [outranked.match.rule.id for outranked in one.outranked]:
            text = _("“{word}”: {rules} would match it too; this rule answers.")
            yield Advice("good", text.format(word=word, rules=_listed(others)))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _listed(names: list[str]) -> str:
    listed = ", ".join(names[:_MAX_OTHERS])
    return listed if len(names) <= _MAX_OTHERS else f"{listed}, …"


def _examples(fields: forms.Fields) -> Iterator[Advice]:
    """Yield that the examples reach the rule: the file is usable, so the check found none that does not."""
    if count := len(fields.get("examples", [])):
        text = ngettext("Your sample message gets this reply.", "All {n} sample messages get this reply.", count)
        yield Advice("good", text.format(n=formatting.format_number(count)))
    if count := len(fields.get("not_examples", [])):
        text = ngettext("The counter-example does not get it.", "All {n} counter-examples do not get it.", count)
        yield Advice("good", text.format(n=formatting.format_number(count)))


def _effect(preview: Preview) -> Iterator[Advice]:
    """Yield the effect on recent messages."""
    found = preview.comparison
    if found is None or not found.messages:
        return
    if gained := found.count("gained"):
        text = ngettext(
            "{n} message of late would be newly answered.", "{n} messages of late would be newly answered.", gained
        )
        yield Advice("good", text.format(n=formatting.format_number(gained)))
    if changed := found.count("changed"):
        text = ngettext(
            "{n} message of late would get another reply than now.",
            "{n} messages of late would get another reply than now.",
            changed,
        )
        yield Advice("warn", text.format(n=formatting.format_number(changed)))
    if lost := found.count("lost"):
        text = ngettext(
            "{n} message of late would get no reply any more.",
            "{n} messages of late would get no reply any more.",
            lost,
        )
        yield Advice("bad", text.format(n=formatting.format_number(lost)))
