"""Whether a rules file can be used, and how much was looked at, in one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bot.config import Language
from bot.rules.validate import Verdict

_CUT = "more-problems"  # not a problem, but how many are left out

_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "fine": ("{name}: không có lỗi. Đã kiểm tra {checked}.", "{name}: fine. Checked {checked}."),
    "usable": (
        "{name}: dùng được, có {warnings}. Đã kiểm tra {checked}.",
        "{name}: usable, with {warnings}. Checked {checked}.",
    ),
    "unusable": (
        "{name}: có {problems}. Bot chưa dùng bản này; hãy sửa rồi kiểm tra lại.",
        "{name}: {problems}. The bot does not use this version; mend it and check again.",
    ),
    "more": ("hơn {said}", "more than {said}"),
    "and": (" và ", " and "),
    "off": (" ({count} luật đang tắt)", " ({count} switched off)"),
    "errors": ("{count} lỗi", "{count} errors"),
    "warnings": ("{count} lưu ý", "{count} warnings"),
    "rules": ("{count} luật", "{count} rules"),
    "keywords": ("{count} từ khóa", "{count} keywords"),
    "examples": ("{count} ví dụ", "{count} examples"),
}


@dataclass(frozen=True, slots=True)
class Summary:
    """What was found and what was looked at; without usable rules the latter is 0."""

    is_usable: bool
    errors: int
    warnings: int
    is_cut: bool
    """Whether there are more problems than are shown."""
    rules: int = 0
    off: int = 0
    """How many of the rules are switched off."""
    keywords: int = 0
    examples: int = 0


def summarized(verdict: Verdict) -> Summary:
    """Return the figures of a verdict."""
    shown = [problem.severity for problem in verdict.problems if problem.code != _CUT]
    found = (shown.count("error"), shown.count("warning"), len(shown) < len(verdict.problems))
    if verdict.rules is None:
        return Summary(False, *found)
    rules = verdict.rules.file.rules
    on = [rule for rule in rules if rule.enabled]
    return Summary(
        True,
        *found,
        rules=len(rules),
        off=len(rules) - len(on),
        keywords=sum(len(rule.keywords) + sum(map(len, rule.all_of)) for rule in rules),
        examples=sum(len(rule.examples) + len(rule.not_examples) for rule in on),
    )


def summary_text(summary: Summary, name: object, lang: Language) -> str:
    """Return whether the file *name* can be used, and how much was looked at: an empty one must not pass for good."""
    counts = {"errors": summary.errors, "warnings": summary.warnings}
    found = _say("and", lang).join(_count(key, count, lang) for key, count in counts.items() if count)
    if not summary.is_usable:
        return _say("unusable", lang, name=name, problems=_say("more", lang, said=found) if summary.is_cut else found)
    key = "usable" if summary.warnings else "fine"
    return _say(key, lang, name=name, warnings=found, checked=_checked(summary, lang))


def _checked(summary: Summary, lang: Language) -> str:
    rules = _count("rules", summary.rules, lang) + (_say("off", lang, count=summary.off) if summary.off else "")
    return ", ".join([rules, _count("keywords", summary.keywords, lang), _count("examples", summary.examples, lang)])


def _count(key: str, count: int, lang: Language) -> str:
    said = _say(key, lang, count=count)
    return said.removesuffix("s") if lang == "en" and count == 1 else said


def _say(key: str, lang: Language, /, **args: object) -> str:
    vi, en = _TEXTS[key]
    return (vi if lang == "vi" else en).format(**args)
